"""Write ``coverage.md``: which names of NumPy and SciPy have derivatives here, which are constants, and which are absent.

Run ``python docs/make_coverage.py``. What is offered is read from the library; the two tables below say by hand only what a
program cannot see: which results have no derivative by nature, and why a name is absent. For SciPy ``scipy_absent.toml`` says
the latter.
"""

import importlib
import importlib.util
import tomllib
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from attrs import frozen

import tapegrad.numpy as tnp
from tapegrad.core.primitive import FUNCTIONS, UFUNCS

PATH = Path(__file__).with_name("coverage.md")
VERSION = ".".join(np.__version__.split(".")[:2])
SCIPY_VERSION = ".".join(scipy.__version__.split(".")[:2])
SCIPY_ABSENT: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("scipy_absent.toml").read_text())

CONSTANTS = {
    "index": "argmax argmin argpartition argsort argwhere count_nonzero diag_indices diag_indices_from digitize "
    "flatnonzero indices lexsort mask_indices nanargmax nanargmin nonzero ravel_multi_index searchsorted tril_indices "
    "tril_indices_from triu_indices triu_indices_from unravel_index",
    "comparison": "all allclose any array_equal array_equiv isclose iscomplex isin isneginf isposinf isreal",
    "made from shapes alone": "empty empty_like eye identity ones ones_like tri zeros zeros_like",
    "window of a length": "bartlett blackman hamming hanning",
    "question about dtype, shape or memory": "broadcast_shapes can_cast common_type iscomplexobj isdtype isrealobj "
    "isscalar issubdtype iterable may_share_memory min_scalar_type ndim promote_types result_type shape shares_memory size",
    "text": "array2string array_repr array_str",
    "plan of a computation": "einsum_path",
    "edges and counts": "histogram_bin_edges",
    "rank": "matrix_rank",
    "rounding": "around fix round",
}
"""Names whose result has no derivative, by what it is; ufuncs say so themselves."""

ABSENT = {
    "I/O; call NumPy's on plain arrays": "fromfile fromregex genfromtxt load loadtxt save savetxt savez savez_compressed",
    "makes plain arrays from memory, text or iterators": "from_dlpack frombuffer fromiter fromstring",
    "printing and settings of NumPy": "format_float_positional format_float_scientific get_printoptions getbufsize geterr "
    "geterrcall printoptions set_printoptions setbufsize seterr seterrcall",
    "about NumPy itself": "get_include info show_config show_runtime test",
    "text of numbers": "base_repr binary_repr typename",
    "characters that stand for dtypes; use result_type": "mintypecode",
    "dates": "busday_count busday_offset datetime_as_string datetime_data is_busday isnat",
    "layout in memory, which the tape does not promise": "isfortran",
    "bits of bytes": "packbits unpackbits",
    "the matrix class, which NumPy advises against; use 2-d arrays": "asmatrix bmat",
    "a ufunc made of a Python function has no rule; use custom_vjp, or vmap": "frompyfunc",
    "iteration over memory; use indices, or vmap": "nested_iters",
    "deprecated; use vstack": "row_stack",
    "deprecated; use trapezoid": "trapz",
    "deprecated; use isin": "in1d",
}
"""Names that are not offered, by the reason and the way out. Some of them only older or newer versions of NumPy have."""

NOTES = {
    "by the weights": "bincount histogram histogram2d histogramdd",
    "writes into arrays made by tnp.zeros and its like": "copyto fill_diagonal place put put_along_axis putmask",
    "by the shape of the window": "kaiser",
    "by the spacing": "fftfreq rfftfreq",
    "by the mantissa": "frexp ldexp",
    "by the fractional part": "modf",
}
"""What a name is differentiable by, where that needs saying."""

SCIPY = ("special", "linalg", "stats", "signal", "integrate")
SCIPY_CONSTANTS = {
    "sign or rounding": "gammasgn",
    "made from integers": "dft hadamard helmert hilbert invhilbert invpascal pascal",
}

PROSE = """# What can be differentiated

Made by `python docs/make_coverage.py` from the library itself, NumPy {version} and SciPy {scipy_version}; do not edit.

Each function of NumPy is one of these:

* **differentiable**: it has forward and reverse rules, or is written with functions that have;
* **constant**: its result has no derivative (an index, a comparison, a dtype), and stands beside traced values as a plain one;
* **absent**: `tapegrad.numpy` does not offer it, for the reason given.

`plain np` says whether NumPy's own function may be called on traced values. It may not where NumPy offers no protocol: there
`np.asarray(x)` raises and `tnp.asarray(x)` works, and `np.zeros(n)` makes a plain array where `tnp.zeros(n)` makes one that
traced values can be written into.
"""

SCIPY_PROSE = """## SciPy

What the rooms of `tapegrad.scipy` offer, and below each table what they do not. SciPy's ufuncs take traced values as they are;
its other functions ask for plain arrays, and the ones of `tapegrad.scipy` stand in for them.
"""


@frozen
class Row:
    """One name: what becomes of its derivative, whether plain NumPy's function takes traced values, and a remark."""

    name: str
    status: str
    plain: bool
    note: str


def by_name(table: dict[str, str]) -> dict[str, str]:
    """Turn a table from reasons to names into one from names to reasons.

    Raises:
        ValueError: if a name stands in it twice.
    """
    found: dict[str, str] = {}
    for reason, names in table.items():
        for name in names.split():
            if name in found:
                raise ValueError(f"{name} is in the table twice: {found[name]}; {reason}")
            found[name] = reason
    return found


def functions(module: types.ModuleType) -> list[str]:
    """Return the names of the public functions of a module of NumPy."""
    return [
        name
        for name in sorted(module.__all__)
        if callable(getattr(module, name)) and not isinstance(getattr(module, name), type)
    ]


def numpy_rows(module: types.ModuleType, ours: Any) -> Iterator[Row]:
    """Yield a row for each function of a module of NumPy.

    Raises:
        ValueError: if a name is neither offered nor known to be absent, or both.
    """
    constants, absent, notes = by_name(CONSTANTS), by_name(ABSENT), by_name(NOTES)
    for name in functions(module):
        function = getattr(module, name)
        offered = hasattr(ours, name)
        if offered and name in absent:
            raise ValueError(f"{module.__name__}.{name} is offered, but the table says that it is absent: {absent[name]}")
        if not offered and name not in absent:
            raise ValueError(f"{module.__name__}.{name} is neither offered nor in the table of absent names")
        primitive = UFUNCS.get(function)
        asks = isinstance(function, np.ufunc) or hasattr(function, "_implementation")  # np.array has a stand-in for our own use
        plain = asks and (primitive is not None or function in FUNCTIONS)
        if not offered:
            yield Row(name, "absent", False, absent[name])
        elif primitive is not None and primitive.constant:
            yield Row(name, "constant", plain, constants.get(name, "comparison, rounding or integer"))
        elif name in constants:
            yield Row(name, "constant", plain, constants[name])
        else:
            yield Row(name, "differentiable", plain, notes.get(name, ""))


def scipy_rows(name: str) -> Iterator[Row]:
    """Yield a row for each name that a room of `tapegrad.scipy` offers.

    Raises:
        ValueError: if SciPy has no such name.
    """
    ours, theirs = importlib.import_module(f"tapegrad.scipy.{name}"), importlib.import_module(f"scipy.{name}")
    constants = by_name(SCIPY_CONSTANTS)
    for offered in sorted(vars(ours)):
        value = getattr(ours, offered)
        original = getattr(theirs, offered, None)
        is_room = isinstance(value, types.ModuleType) and isinstance(original, types.ModuleType | None)
        if offered.startswith("_") or is_room or isinstance(value, type):
            continue
        if original is None:
            raise ValueError(f"tapegrad.scipy.{name}.{offered} does not exist in SciPy")
        plain = isinstance(original, np.ufunc) and original in UFUNCS
        status = "constant" if offered in constants else "differentiable"
        yield Row(offered, status, plain, constants.get(offered, methods(value, original)))


def scipy_absent(name: str) -> str:
    """Return a list of the functions of a module of SciPy that are not offered, by reason.

    Raises:
        ValueError: if a function is neither offered nor known to be absent, or both.
    """
    ours, theirs = importlib.import_module(f"tapegrad.scipy.{name}"), importlib.import_module(f"scipy.{name}")
    reasons = by_name(SCIPY_ABSENT[name])
    found: dict[str, list[str]] = {}
    for function in functions(theirs):
        if hasattr(ours, function) == (function in reasons):
            state = "offered, but the table says that it is absent" if hasattr(ours, function) else "neither offered nor absent"
            raise ValueError(f"scipy.{name}.{function} is {state}")
        if function in reasons:
            found.setdefault(reasons[function], []).append(f"`{function}`")
    lines = [f"* {reason}: {', '.join(names)}" for reason, names in found.items()]
    return "\n".join(["Absent:", "", *lines]) + "\n"


def methods(value: Any, original: Any) -> str:
    """Return the names of the methods that a distribution has here, and nothing for a function."""
    if not isinstance(value, types.ModuleType):
        return ""
    return ", ".join(
        name for name in sorted(vars(value)) if not name.startswith("_") and callable(getattr(original, name, None))
    )


def table(title: str, rows: list[Row], plain: str) -> str:
    """Return a section with one line a row."""
    counts = Counter(row.status for row in rows)
    text = [
        f"## {title}",
        "",
        ", ".join(f"{n} {status}" for status, n in sorted(counts.items(), key=lambda x: -x[1])) + ".",
        "",
    ]
    text += [f"| name | derivative | {plain} | note |", "|---|---|---|---|"]
    for row in rows:
        taken = "" if row.status == "absent" else "yes" if row.plain else "no"
        text.append(f"| `{row.name}` | {row.status} | {taken} | {row.note} |")
    return "\n".join(text) + "\n"


def coverage() -> str:
    """Return the text of ``coverage.md``."""
    sections = [PROSE.format(version=VERSION, scipy_version=SCIPY_VERSION)]
    for module, ours in ((np, tnp), (np.linalg, tnp.linalg), (np.fft, tnp.fft)):
        sections.append(table(module.__name__, list(numpy_rows(module, ours)), "plain np"))
    sections.append(SCIPY_PROSE)
    rooms = {name: list(scipy_rows(name)) for name in SCIPY if exists(name)}
    for name, rows in rooms.items():
        sections += [table(f"tapegrad.scipy.{name}", rows, "plain scipy"), scipy_absent(name)]
    return "\n".join(sections)


def exists(name: str) -> bool:
    """Tell whether there is a room of `tapegrad.scipy` of that name."""
    return importlib.util.find_spec(f"tapegrad.scipy.{name}") is not None


if __name__ == "__main__":
    PATH.write_text(coverage())
    print(f"wrote {PATH}")
