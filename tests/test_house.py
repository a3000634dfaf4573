"""The house rules that a program can check: who may know whom, what the face shows, what a file may be."""

import ast
import graphlib
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapegrad.core.primitive import Primitive
from tests.every_module import every_module

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tapegrad"
FILES = sorted(PACKAGE.rglob("*.py"))
ALL_FILES = FILES + sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "docs").rglob("*.py"))

GROUND = {"errors", "rooms", "typing", "tree"}
MAY_KNOW = {
    "rooms": set(),
    "errors": set(),
    "typing": set(),
    "tree": {"errors", "typing"},
    "core": GROUND,
    "ops": {"core"} | GROUND,
    "numpy": {"core", "ops"} | GROUND,
    "scipy": {"core", "ops", "numpy"} | GROUND,
    "random": {"core", "ops", "numpy"} | GROUND,
    "transforms": {"core"} | GROUND,
    "debug": {"core", "transforms"} | GROUND,
    "testing": {"core", "transforms"} | GROUND,
    "compiler": {"core", "ops", "transforms"} | GROUND,
    "config": {"core", "compiler"} | GROUND,
    "nn": {"core", "ops", "numpy", "scipy", "random", "transforms"} | GROUND,
    "optim": {"core", "numpy", "random", "transforms"} | GROUND,
    "train": {"core", "numpy", "random", "transforms", "compiler", "nn", "optim"} | GROUND,
    "view": {"core", "numpy", "transforms"} | GROUND,
}
"""For each room the rooms below it. A new room says here where it stands."""

EXTRAS = {"scipy", "sklearn", "matplotlib", "tqdm", "safetensors", "optuna"}
"""Optional dependencies: imported where they are used, with an error that names the extra."""


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Yield the modules that a file imports, with the line, and whether it does so at the top."""
    body = ast.parse(path.read_text())
    top = {id(node) for node in body.body}
    for node in ast.walk(body):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = (ROOT / inner.replace(".", "/")).is_dir() or (ROOT / (inner.replace(".", "/") + ".py")).is_file()
                yield inner if is_module else node.module, node.lineno, id(node) in top
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, id(node) in top


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


# Imports


def test_imports_point_down() -> None:
    wrong = []
    for path in FILES:
        own = room(module_name(path))
        for module, line, _ in imported(path):
            other = room(module)
            if module.split(".")[0] != "tapegrad" or own in ("", other):
                continue
            if own not in MAY_KNOW or other not in MAY_KNOW[own]:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: '{own}' may not know '{other}'")
    assert not wrong, "\n".join(wrong)


def test_the_rooms_themselves_form_no_circle() -> None:
    list(graphlib.TopologicalSorter(MAY_KNOW).static_order())
    assert not {"ops", "transforms"} & MAY_KNOW["ops"] and not {"ops", "numpy"} & MAY_KNOW["transforms"]
    for one in ("nn", "optim", "compiler"):
        assert not {"nn", "optim", "compiler"} & MAY_KNOW[one]


def test_modules_form_no_circle() -> None:
    graph = {module_name(path): {module for module, _, _ in imported(path) if module.startswith("tapegrad.")} for path in FILES}
    for module, others in graph.items():
        others.discard(module)
        if (PACKAGE.parent / module.replace(".", "/")).is_dir():
            continue
        for face in [other for other in others if module.startswith(other + ".")]:
            raise AssertionError(f"{module} imports from {face}, the face of its own room")
    list(graphlib.TopologicalSorter(graph).static_order())


def test_imports_stand_at_the_top_or_say_why_they_do_not() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in FILES
        for module, line, is_top in imported(path)
        if not is_top
        and module.split(".")[0] not in EXTRAS
        and not (path.name == "__init__.py" and module.startswith("tapegrad."))  # the names of rooms that are entered late
        and "  # here, as " not in path.read_text().splitlines()[line - 1]
    ]
    assert not wrong, "\n".join(wrong)


def test_importing_the_package_imports_numpy_and_attrs_only() -> None:
    program = (
        "import sys; before = set(sys.modules); import tapegrad;"
        "[getattr(tapegrad, name) for name in dir(tapegrad) if name != 'scipy'];"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    foreign = set(run.stdout.split()) - set(sys.stdlib_module_names) - {"tapegrad", "numpy", "attr", "attrs"}
    assert not {name for name in foreign if not name.startswith("_")} - {"cython_runtime"}  # which NumPy's own modules bring


# Files


def test_the_top_level_holds_what_it_holds() -> None:
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("not a git repository")
    found = {line.split("/")[0] for line in run.stdout.splitlines() if not line.startswith(".")}
    assert found <= {"pyproject.toml", "tapegrad", "tests", "docs", "README.md", "mypy.ini"}


def test_no_file_is_long() -> None:
    long = {str(path.relative_to(ROOT)): n for path in ALL_FILES if (n := len(path.read_text().splitlines())) > 500}
    assert not long, f"split by theme: {long}"


def test_a_face_only_re_exports() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        for node in ast.parse(path.read_text()).body:
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # the docstring
            if ast.unparse(node) == "from typing import TYPE_CHECKING":
                continue
            if isinstance(node, ast.If):  # the names of rooms that are entered late: see below
                assert ast.unparse(node.test) == "TYPE_CHECKING", where
                continue
            assert isinstance(node, ast.ImportFrom), f"{where}: expected 'from .x import name as name'"
            assert all(alias.asname == alias.name for alias in node.names), f"{where}: write 'name as name'"


LATE = [path for path in sorted(PACKAGE.rglob("__init__.py")) if "if TYPE_CHECKING:" in path.read_text()]


@pytest.mark.parametrize("path", LATE, ids=module_name)
def test_a_face_tells_type_checkers_what_it_imports_late(path: Path) -> None:
    block = ast.parse(path.read_text()).body[-1]
    assert isinstance(block, ast.If)
    told: dict[str, str] = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom) and [a.name for a in node.names] == [a.asname for a in node.names]
        told.update({alias.name: str(node.module) for alias in node.names})
    *inner, entry, late = block.orelse
    assert all(isinstance(node, ast.ImportFrom) and node.module == module_name(path) for node in inner)  # no names of the face
    assert ast.unparse(entry) == "from tapegrad.rooms import named as named"
    assert isinstance(late, ast.Assign) and isinstance(late.value, ast.Call)
    assert ast.unparse(late.targets[0]) == "(__getattr__, __dir__)" and ast.unparse(late.value.args[0]) == "__name__"
    own = module_name(path)
    parts = {keyword.arg: ast.literal_eval(keyword.value) for keyword in late.value.keywords}
    rooms = (*ast.literal_eval(late.value.args[1]), *parts.pop("extras", ()))
    done = dict.fromkeys(rooms, own) | {name: home for home, names in parts.pop("functions", {}).items() for name in names}
    assert told == done and not parts
    face = importlib.import_module(own)
    assert set(told) <= set(dir(face))
    for name, home in told.items():
        expected = importlib.import_module(f"{own}.{name}") if home == own else getattr(importlib.import_module(home), name)
        assert getattr(face, name) is expected


def test_nothing_is_star_imported() -> None:
    for path in ALL_FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert all(alias.name != "*" for alias in node.names), f"{path.relative_to(ROOT)}:{node.lineno}"


SUPPRESSION = re.compile(r"#\s*(type:\s*ignore|noqa|pyright:\s*ignore)(.*)$")
WITH_CODE_AND_REASON = re.compile(r"^(\[[a-z0-9-]+(,\s*[a-z0-9-]+)*\]|: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)*)\s\s# \S.{3,}")


def test_suppressions_carry_code_and_reason() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in ALL_FILES
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := SUPPRESSION.search(line)) and not WITH_CODE_AND_REASON.match(found[2])
    ]
    assert not wrong, "\n".join(wrong)


def test_suppressions_are_rare() -> None:
    lines = [line for path in FILES for line in path.read_text().splitlines()]
    count = sum(1 for line in lines if SUPPRESSION.search(line))
    assert count <= 4 * len(lines) / 1000, f"{count} suppressions in {len(lines)} lines"


# The face


FACES = [
    module
    for module in every_module()
    if (hasattr(module, "__path__") or module.__name__.count(".") == 1)
    and room(module.__name__) not in ("core", "ops", "transforms", "compiler", "errors", "rooms", "typing")
]


def public() -> dict[str, Any]:
    """Return the functions and classes that users see, by name."""
    return {
        f"{face.__name__}.{name}": value
        for face in FACES
        for name in dir(face)
        if not name.startswith("_")
        and ((value := getattr(face, name)) is not None)
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__.startswith("tapegrad.")
        and (hasattr(face, "__path__") or value.__module__ == face.__name__)
    }


def test_every_public_name_has_a_docstring_and_every_function_an_example() -> None:
    silent, without = [], []
    for name, value in public().items():
        text = inspect.getdoc(value) or ""
        if not text.strip():
            silent.append(name)
        elif ">>> " not in text and inspect.isfunction(value):
            without.append(name)
    assert not silent, f"without docstring: {silent}"
    assert not without, f"without example: {without}"


def test_public_functions_are_annotated() -> None:
    bare = []
    for name, value in public().items():
        if inspect.isfunction(value):
            signature = inspect.signature(value)
            unannotated = [p.name for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
            if unannotated or signature.return_annotation is inspect.Signature.empty:
                bare.append(f"{name}: {unannotated or 'return'}")
    assert not bare, "\n".join(bare)


def test_public_names_name_no_line_of_private_ones() -> None:
    for name, value in public().items():
        assert not value.__module__.rsplit(".", 1)[-1].startswith("_"), name


def test_primitives_are_named_with_their_affix() -> None:
    for module in every_module():
        for name, value in vars(module).items():
            if isinstance(value, Primitive):
                assert name.endswith("_p"), f"{module.__name__}.{name}"


INNER = {"einsum_call", "like", "subok"}
"""Parameters of NumPy for its own use, or for arrays of other classes."""


def test_numpys_names_are_numpys() -> None:
    """Each function of `tapegrad.numpy` that NumPy has as well takes NumPy's parameters, by NumPy's names and in its order."""
    wrong = []
    for name, value in public().items():
        prefix, _, short = name.rpartition(".")
        if not prefix.startswith("tapegrad.numpy") or not inspect.isfunction(value):
            continue
        theirs = np
        for part in prefix.split(".")[2:]:
            theirs = getattr(theirs, part)
        original = getattr(theirs, short, None)
        if original is None or isinstance(original, np.ufunc):
            continue
        try:
            expected = [p for p in inspect.signature(original).parameters.values() if p.kind is not p.VAR_KEYWORD]
        except ValueError:
            continue
        found = inspect.signature(value).parameters
        takes_all = any(p.kind is p.VAR_KEYWORD for p in found.values())
        missing = [
            p.name
            for p in expected
            if not takes_all and p.name not in found and p.kind is not p.VAR_POSITIONAL and p.name not in INNER
        ]
        order = [p.name for p in expected if p.name in found and p.kind is not p.KEYWORD_ONLY]
        if [p for p in found if p in order] != order:
            wrong.append(f"{name}: parameters {list(found)}, NumPy's order {order}")
        if missing:
            wrong.append(f"{name}: lacks {missing}")
    assert not wrong, "\n".join(wrong)
