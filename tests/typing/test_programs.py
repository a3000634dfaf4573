"""What type checkers say about programs that use the library: the types they infer, and the mistakes they find."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAMS = sorted((HERE / "programs").glob("*.py"))

Found = dict[tuple[str, int], str]
"""The errors on each line: (file name, line number) to their messages, joined."""


def wanted(checker: int) -> Found:
    """Return what is marked: ``# E: words of mypy || words of pyright``, or one for both."""
    marked: Found = {}
    for path in PROGRAMS:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            _, mark, words = line.partition("  # E: ")
            if mark:
                both = words.split(" || ")
                marked[path.name, number] = both[min(checker, len(both) - 1)]
    return marked


def add(found: Found, path: str, line: int, message: str) -> None:
    if (ROOT / path).parent == HERE / "programs":  # errors in the library itself are for the gate
        key = Path(path).name, line
        found[key] = f"{found[key]}\n{message}" if key in found else message


def by_mypy() -> Found:
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--strict", *map(str, PROGRAMS)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    found: Found = {}
    for path, line, message in re.findall(r"^(.+?):(\d+): error: (.*)$", run.stdout, re.MULTILINE):
        add(found, path, int(line), message)
    return found


def by_pyright() -> Found:
    pytest.importorskip("pyright")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, PROGRAMS)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        report = json.loads(run.stdout[run.stdout.index("{") :])
    except ValueError:
        pytest.skip(f"pyright cannot run here: {(run.stderr or run.stdout)[:200]}")
    found: Found = {}
    for entry in report["generalDiagnostics"]:
        if entry["severity"] == "error":
            add(found, entry["file"], entry["range"]["start"]["line"] + 1, entry["message"])
    return found


def compare(found: Found, expected: Found) -> None:
    """Check that there are errors where they are expected, with the expected words, and nowhere else."""
    wrong = []
    for key in sorted({*found, *expected}):
        words, message = expected.get(key), found.get(key)
        if words is None:
            wrong.append(f"{key[0]}:{key[1]}: unexpected: {message}")
        elif message is None:
            wrong.append(f"{key[0]}:{key[1]}: no error, expected: {words}")
        elif words not in message:
            wrong.append(f"{key[0]}:{key[1]}: {message}\n    expected: {words}")
    assert not wrong, "\n".join(wrong)


def test_mypy_agrees_with_the_marks() -> None:
    assert len(wanted(0)) > 20
    compare(by_mypy(), wanted(0))


def test_pyright_agrees_with_the_marks() -> None:
    compare(by_pyright(), wanted(1))


def test_the_comparison_finds_what_is_wrong() -> None:
    compare({("a.py", 1): "some message"}, {("a.py", 1): "message"})
    for found, expected, said in (
        ({("a.py", 1): "some message"}, {}, "unexpected"),
        ({}, {("a.py", 1): "message"}, "no error"),
        ({("a.py", 1): "some message"}, {("a.py", 1): "other"}, "expected: other"),
    ):
        with pytest.raises(AssertionError, match=said):
            compare(found, expected)
