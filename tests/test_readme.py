"""What the README shows is true: its programs run and print what stands below them, and its types hold."""

import contextlib
import io
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

import tapegrad as tg

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.usefixtures("temporary")
def test_programs_print_what_stands_below_them() -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    for k, (language, block) in enumerate(BLOCKS):
        if language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block, f"README.md, block {k}", "exec"), names)
            assert BLOCKS[k + 1] == ("text", printed.getvalue())


def test_the_first_program_has_the_types_that_it_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = pytest.importorskip("mypy.api")
    monkeypatch.setenv("MYPYPATH", str(README.parent))
    first = next(block for language, block in BLOCKS if language == "python")
    assert len([line for line in first.splitlines() if line]) <= 16
    program = tmp_path / "program.py"
    program.write_text(
        first
        + textwrap.dedent("""\
        reveal_type(g)
        tg.grad(loss)(x, x, x)
        g.slop
        """)
    )
    cache = README.parent / ".mypy_cache" / "readme"
    said, errors, _ = api.run(["--strict", "--config-file=", f"--cache-dir={cache}", str(program)])
    assert not errors
    assert 'Revealed type is "program.Line"' in said
    assert 'has incompatible type "ndarray' in said and '"Line" has no attribute "slop"' in said
    assert "Found 2 errors" in said, said


def test_the_first_two_commands_set_up_and_run_the_example_and_the_tests() -> None:
    first, second = [block for language, block in BLOCKS if language == "sh"][:2]
    assert first.count("\n") == second.count("\n") == 1
    assert "[examples]" in first and first.endswith("docs/examples/digits.py\n")
    assert "[dev]" in second and second.endswith("-m pytest -n auto\n")


def test_every_transform_in_the_table_exists() -> None:
    rows = re.findall(r"^\| (`.*?) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(names) > 10
    for name in names:
        assert callable(getattr(tg, name)), name


def test_every_file_that_is_linked_exists() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / link).exists(), link
