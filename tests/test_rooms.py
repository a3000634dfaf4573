"""Rooms are entered when they are first needed, whichever way a program comes to them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(program: str) -> str:
    """Run a program in a process of its own, and return what it printed."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_no_operation_and_no_layer() -> None:
    found = run("import sys, tapegrad; print(*[name for name in sys.modules if name.startswith('tapegrad.')])").split()
    assert {name.split(".")[1] for name in found} == {"core", "errors", "rooms", "transforms", "tree", "typing"}


FIRST = {
    "an operator": ("x * 3.0", "[3. 3. 3.]"),
    "a method": ("x.sum() + x", "[4. 4. 4.]"),
    "an index": ("x[0] + x", "[4. 1. 1.]"),
    "a function": ("np.sum(x)", "[1. 1. 1.]"),
    "a ufunc": ("np.exp(0.0 * x)", "[0. 0. 0.]"),
    "a ufunc with settings": ("np.negative(x, where=True)", "[-1. -1. -1.]"),
    "a ufunc without primitive": ("np.sign(x) + x", "[1. 1. 1.]"),
    "a method of a ufunc": ("np.add.reduce(x)", "[1. 1. 1.]"),
    "linear algebra": ("3.0**0.5 * np.linalg.norm(x)", "[1. 1. 1.]"),
    "a Fourier transform": ("np.fft.fft(x)[0].real", "[1. 1. 1.]"),
    "a typed function": ("tg.numpy.linalg.vecdot(x, x)", "[2. 2. 2.]"),
    "a layer": ("tg.nn.relu(x)", "[1. 1. 1.]"),
    "a loop": ("tg.map(lambda row: 2.0 * row, x)", "[2. 2. 2.]"),
}


@pytest.mark.parametrize("expression", FIRST)
def test_the_first_operation_of_a_process_can_be_any(expression: str) -> None:
    code, expected = FIRST[expression]
    program = f"import numpy as np, tapegrad as tg; print(tg.grad(lambda x: np.sum({code}))(np.ones(3)).round(9))"
    assert run(program).strip() == expected


def test_special_functions_of_scipy_are_found() -> None:
    pytest.importorskip("scipy")
    program = "import scipy.special, tapegrad as tg; print(tg.grad(scipy.special.expit)(0.0))"
    assert run(program).strip() == "0.25"
    assert run("import tapegrad as tg; print(tg.grad(tg.scipy.special.expit)(0.0))").strip() == "0.25"


def test_without_scipy_its_name_says_what_to_install_and_is_not_listed() -> None:
    out = run("""
import sys
sys.modules["scipy"] = None
import tapegrad as tg
try:
    tg.scipy
except ImportError as error:
    print(error)
""")
    assert "tapegrad[scipy]" in out


def test_a_function_that_is_nowhere_is_named() -> None:
    out = run("""
import numpy as np, tapegrad as tg
try:
    tg.grad(lambda x: np.frompyfunc(abs, 1, 1)(x))(1.0)
except NotImplementedError as error:
    print(error)
""")
    assert "abs" in out and "tapegrad.stop_gradient" in out


def test_threads_may_enter_together() -> None:
    out = run("""
from concurrent.futures import ThreadPoolExecutor
import numpy as np, tapegrad as tg
with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(lambda k: tg.grad(lambda x: np.linalg.norm(k * x))(np.array([3.0, 4.0])), range(40)))
print(max(abs(g - k * np.array([0.6, 0.8])).max() for k, g in enumerate(found)) < 1e-12)
""")
    assert out.strip() == "True"


def test_what_was_pickled_in_one_process_is_unpickled_in_another(tmp_path: Path) -> None:
    path = str(tmp_path / "pull")
    run(f"""
import pickle, numpy as np, tapegrad as tg
with open({path!r}, "wb") as file:
    pickle.dump(tg.vjp(np.linalg.cholesky, 4.0 * np.eye(2))[1], file)
""")
    out = run(f"""
import pickle, numpy as np
with open({path!r}, "rb") as file:
    print(pickle.load(file)(np.eye(2))[0].tolist())
""")
    assert out.strip() == "[[0.25, 0.0], [0.0, 0.25]]"


def test_a_misspelt_name_is_an_attribute_error() -> None:
    out = run("""
import tapegrad as tg
for face in (tg, tg.numpy):
    try:
        face.optimm
    except AttributeError as error:
        print(error)
print(hasattr(tg, "no_such_room"))
""")
    assert out.split("\n")[:3] == [
        "module 'tapegrad' has no attribute 'optimm'",
        "module 'tapegrad.numpy' has no attribute 'optimm'",
        "False",
    ]


def told(face: str) -> set[str]:
    """Return the names that a type checker finds in a face: those that it imports, but for the branch that it never takes."""
    body = ast.parse((ROOT / face.replace(".", "/") / "__init__.py").read_text()).body
    found = [node for part in body for node in (part.body if isinstance(part, ast.If) else [part])]
    return {
        alias.asname
        for node in found
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname and alias.name[0] != "_"
    }


@pytest.mark.parametrize("face", ["tapegrad", "tapegrad.numpy", "tapegrad.scipy"])
def test_dir_and_a_star_import_have_what_type_checkers_see(face: str) -> None:
    pytest.importorskip("scipy")
    by_star = run(f"from {face} import *; print(*[name for name in dir() if not name.startswith('__')])").split()
    by_dir = f"import importlib; print(*[name for name in dir(importlib.import_module('{face}')) if not name.startswith('_')])"
    assert set(by_star) == told(face)
    assert set(run(by_dir).split()) == told(face)
    assert set(run(f"import tapegrad.rooms; tapegrad.rooms.enter_all(); {by_dir}").split()) == told(face)


def test_an_import_that_was_interrupted_can_be_tried_again() -> None:
    """Each module of the library is interrupted once, when all of its code has run, and so are those that import it."""
    out = run("""
import importlib, sys
import numpy as np
tried = set()

def interrupt(frame, event, arg):
    name = frame.f_globals.get("__name__", "")
    if frame.f_code.co_name != "<module>" or not name.startswith("tapegrad."):
        return None

    def at_the_end(frame, event, arg):
        if event == "return" and name not in tried:
            tried.add(name)
            raise KeyboardInterrupt
        return at_the_end

    return at_the_end

def entered(name):
    while True:
        sys.settrace(interrupt)
        try:
            return importlib.import_module(name)
        except KeyboardInterrupt:
            continue
        finally:
            sys.settrace(None)

tg = entered("tapegrad")
for room in ("numpy", "numpy.linalg", "nn", "optim", "random", "compiler.function"):
    entered("tapegrad." + room)
f = tg.grad(lambda x: np.sum(tg.nn.relu(np.linalg.norm(x) * np.exp(x))))
print(len(tried) > 100, np.allclose(f(np.ones(3)), 9.41640447), np.allclose(tg.jit(f)(np.ones(3)), 9.41640447))
""")
    assert out.split() == ["True"] * 3


def test_a_module_can_be_reloaded_but_no_other_may_define_its_primitives(tmp_path: Path) -> None:
    (tmp_path / "impostor.py").write_text(
        "import numpy as np\nfrom tapegrad.core.families import elementwise\nelementwise('tanh', np.tanh)\n"
    )
    out = run(f"""
import importlib, sys
import numpy as np
import tapegrad as tg
sys.path.insert(0, {str(tmp_path)!r})
tg.grad(np.tanh)(1.0)
importlib.reload(sys.modules["tapegrad.ops.hyperbolics"])
print(np.allclose(tg.grad(np.tanh)(0.5), 1 - np.tanh(0.5) ** 2))
try:
    import impostor
except ValueError as error:
    print("exists already" in str(error))
""")
    assert out.split() == ["True"] * 2
