"""The programs of the documentation run, in their short form, and learn what they are meant to learn."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def program(name: str, needs_extra: bool = True) -> Callable[[list[str]], Any]:
    """Return ``main`` of an example, or skip the test where the extra that it needs is not installed."""
    if needs_extra:
        for package in ("matplotlib", "sklearn", "tqdm"):
            pytest.importorskip(package)
    main: Callable[[list[str]], Any] = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]
    return main


def test_digits_are_read_after_three_epochs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score = program("digits")(["--quick", "--output", str(tmp_path / "digits.png")])
    assert score.accuracy > 0.88
    assert (tmp_path / "digits.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "1437 scans to learn from" in printed and "test: loss  accuracy" in printed
    assert f"test accuracy {score.accuracy:.4f}" in printed


def test_xor_has_four_right_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert program("xor", needs_extra=False)(["--quick"]) == [0, 1, 1, 0]
    printed = capsys.readouterr().out
    assert printed.count("right") == 4 and "wrong" not in printed


def test_the_sine_is_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program("sine")(["--quick", "--output", str(tmp_path / "sine.png")]) < 0.15
    assert (tmp_path / "sine.png").stat().st_size > 10_000
    assert "RMSE on 60 test points" in capsys.readouterr().out


def test_the_perceptron_learns_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert program("perceptron", needs_extra=False)(["--quick"]) < 0.3
    printed = capsys.readouterr().out
    assert "weights [" in printed and "bias" in printed and "loss" in printed


def test_the_image_network_shows_its_inside(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = program("image_network", needs_extra=False)(["--quick"])
    assert after < before
    printed = capsys.readouterr().out
    assert "(1, 784)" in printed and "hidden.weight  (784, 32)" in printed
    assert " <- relu <- " in printed and " <- reshape <- root" in printed


@pytest.mark.parametrize(("name", "package"), [("digits", "sklearn"), ("digits", "tqdm"), ("sine", "matplotlib")])
def test_a_missing_package_is_answered_with_the_extra_that_brings_it(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [m for m in sys.modules if m.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit, match=r"pip install 'tapegrad\[examples\]'"):
        runpy.run_path(str(EXAMPLES / f"{name}.py"))
