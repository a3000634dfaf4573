"""How a transform begins and ends: its arguments go onto the tape as roots, and its results come off it.

The outermost transform opens the tape and drops it, also when the user's function raises. A transform inside it records on
the same tape: its roots are fresh nodes, identities of the outer values where the arguments are traced already.
"""

from collections.abc import Callable, Iterable, Sequence
from contextvars import Token
from typing import Any, NoReturn

import numpy as np

from tapegrad import tree
from tapegrad.core.arrays import has_own_arithmetic, own_arithmetic
from tapegrad.core.complaints import leaked
from tapegrad.core.node import CURRENT, NO_SETTINGS, Recording, Step, argument_names, argument_paths
from tapegrad.core.pending import Scatter
from tapegrad.core.structure import astype, root_p
from tapegrad.core.var import Var, apply
from tapegrad.core.watch import WATCH, WatchedSteps
from tapegrad.errors import TreeError
from tapegrad.transforms.replay import Table
from tapegrad.tree.containers import CONTAINERS, container_of

WAYS = {
    "record": "pass it by keyword",
    **dict.fromkeys(("vjp", "jvp", "linearize", "hvp"), "take it from the enclosing function"),
}
"""For a transform without `argnums`: how to hold an argument constant."""

FRESH: tuple[None] = (None,)
"""The inputs of a root that comes from nowhere."""


def open_tape() -> tuple[Recording, "Token[Recording | None] | None"]:
    """Return the tape to record on, and where this transform is the outermost one the token that `close_tape` needs."""
    tape = CURRENT.get()
    if tape is not None:
        tape.foreign = True
        return tape, None
    tape = Recording()
    watch = WATCH.get()
    if watch is not None:
        tape.steps = WatchedSteps(watch, tape.entries)
    return tape, CURRENT.set(tape)


def close_tape(tape: Recording, token: "Token[Recording | None] | None") -> None:
    """Stop recording and drop the tape, if this transform opened it."""
    if token is not None:
        CURRENT.reset(token)
    if CURRENT.get() is not tape:
        if type(tape.steps) is WatchedSteps:
            tape.steps.unlock()
        tape.steps = []
        tape.entries = []


def enter(tape: Recording, name: str, f: Callable[..., Any], args: tuple[Any, ...], positions: tuple[int, ...]) -> list[Any]:
    """Record the leaves of ``args[i]`` for i in `positions` as roots; return the arguments with traced leaves there.

    Raises:
        TypeError: for a leaf that is not an array of real or complex floating-point numbers, naming its path.
    """
    steps = tape.steps
    start = len(steps)
    ndarray = np.ndarray

    def look(x: Any) -> Any:
        kind = type(x)
        inputs: tuple[int | None] = FRESH
        if kind is ndarray:
            if x.dtype.kind not in "fc":
                refuse(name, f, args, positions, len(steps) - start, x)
        elif kind is Var:
            if x.tape is not tape:
                raise leaked(x)
            inputs = (x.index,)
            x = x.value
        elif kind is not float:
            container = CONTAINERS[kind] if kind in CONTAINERS else container_of(kind)
            if container is not None:
                return container.map(visit, x)
            if has_own_arithmetic(x):
                refuse(name, f, args, positions, len(steps) - start, x)
            if kind is complex or (isinstance(x, np.ndarray) and x.dtype.kind in "fc"):
                x = np.asarray(x)[()]
            elif not isinstance(x, np.inexact):
                refuse(name, f, args, positions, len(steps) - start, x)
        root = Var()  # `handle`, written out
        root.tape = tape
        root.index = len(steps)
        root.value = x
        root.primitive = root_p
        root.link = None
        steps.append((root_p, inputs, (x,), NO_SETTINGS, x))
        return root

    traced = list(args)
    tape.entries.append((start, f, args, positions))
    visit: Any = look
    try:
        for i in positions:
            traced[i] = visit(args[i])
    finally:
        visit = None  # a function that calls itself holds itself, and the arguments, until the garbage collector comes
    return traced


def refuse(name: str, f: Callable[..., Any], args: Sequence[Any], positions: tuple[int, ...], count: int, x: Any) -> NoReturn:
    """Raise the error for a leaf that cannot be differentiated by: the one after `count` good ones."""
    names, paths = argument_names(f, positions), argument_paths(f, args, positions)
    foreign = hasattr(x, "dtype") and not isinstance(x, (np.ndarray, np.generic))
    library = f"{type(x).__module__}." if foreign else ""
    what = f"dtype {x.dtype}" if hasattr(x, "dtype") and not foreign else f"type {library}{type(x).__name__}"
    path = paths[count] if count < len(paths) else str(names)
    if has_own_arithmetic(x) and x.dtype.kind in "fc":
        raise own_arithmetic(f"{name} of {getattr(f, '__name__', f)}: the leaf {path}", x)
    ways = [WAYS.get(name, "pass it as another argument (see argnums)")]
    if foreign:
        ways.insert(0, "convert it with numpy.asarray")
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "iub":
        ways.insert(0, "convert it with .astype(float)")
    elif isinstance(x, int):
        ways.insert(0, f"write it as a float ({float(x)})")
    elif type(x).__module__ != "builtins" and not hasattr(x, "dtype"):
        ways.insert(0, "make its class a pytree (a dataclass, an attrs class, or by tapegrad.tree.register)")
    if "." in path:  # a field of a class
        ways.append("declare its field with tapegrad.tree.static() if it is no parameter")
    *others, last = ways
    advice = f"{', '.join(others)} or {last}" if others else last
    raise TypeError(
        f"{name} of {getattr(f, '__name__', f)}: the leaf {path} has {what}, but derivatives are taken by "
        f"{'arrays of NumPy' if foreign else 'real or complex floating-point numbers'} only. {advice[0].upper()}{advice[1:]}."
    )


def plain_argnums(name: str, argnums: int | Sequence[int]) -> int | tuple[int, ...]:
    """Return `argnums` as an int or a tuple of ints.

    Raises:
        TypeError: if it is anything else.
    """
    several = isinstance(argnums, (tuple, list))
    wanted: Any = argnums if several else (argnums,)
    if not all(isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in wanted):
        raise TypeError(f"{name}: argnums must be an int or a tuple of ints, got {argnums!r}")
    positions = tuple([int(i) for i in wanted])
    return positions if several else positions[0]


def normalize(name: str, f: Callable[..., Any], argnums: int | tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return the positions that `argnums` names among `count` positional arguments.

    Raises:
        TypeError: if there is no such argument.
        ValueError: if it names one twice.
    """
    positions = []
    for i in (argnums,) if isinstance(argnums, int) else argnums:
        if not -count <= i < count:
            raise TypeError(
                f"{name} of {getattr(f, '__name__', f)}: argnums={argnums!r}, but the function was called with {count} "
                f"positional argument{'s' if count != 1 else ''}; what is differentiated must be passed by position"
            )
        positions.append(i % count)
    if len(set(positions)) != len(positions):
        raise ValueError(f"{name}: argnums={argnums!r} names an argument twice")
    return tuple(positions)


def leave(steps: Sequence[Step], start: int, found: list[Any], taken: Iterable[Any] = ()) -> list[Any]:
    """Make what a replay has left for the roots from `start` on presentable, in place.

    Each cotangent becomes dense, zeros where there is none, and the only owner of its memory.

    Args:
        steps: the tape, for the primals.
        start: index of the first root.
        found: one cotangent a root.
        taken: arrays that belong to someone else; a cotangent that shares their memory is copied.
    """
    owners = {id(x if x.base is None else x.base) for x in taken if isinstance(x, np.ndarray)}
    for k, c in enumerate(found):
        if type(c) is np.ndarray:
            base = c.base
            owner = id(c if base is None else base)
            if not c.shape and type(steps[start + k][4]) is not np.ndarray:
                found[k] = c[()]  # the derivative by a number is one
            elif owner in owners or (base is not None and not c.flags.writeable):
                found[k] = c.copy()
            else:
                owners.add(owner)
        else:
            found[k] = presentable(c, steps[start + k][4])
    return found


def apart(found: list[Any], taken: Iterable[Any]) -> list[Any]:
    """Make each array of a list the only owner of its memory, to which can be written, in place.

    Args:
        found: arrays; what is traced stays as it is.
        taken: arrays that belong to someone else.
    """
    owners = {id(x if x.base is None else x.base) for x in taken if isinstance(x, np.ndarray)}
    for k, c in enumerate(found):
        if type(c) is np.ndarray:
            owner = id(c if c.base is None else c.base)
            if owner in owners or not c.flags.writeable:
                found[k] = c.copy()
            owners.add(owner)
    return found


def presentable(c: Any, x: Any) -> Any:
    """Return a cotangent that is no array: zeros for None, a sum written out, float64 for a Python float."""
    if c is None:
        return np.zeros_like(x) if type(x) is np.ndarray else np.zeros_like(x)[()]
    if type(c) is Scatter:
        c = c.settle(apply)
        if type(c) is np.ndarray and type(x) is not np.ndarray:
            c = c[()]
    if type(x) is not float or type(c) is np.float64:
        return c
    return astype(c, np.float64) if type(c) is Var else np.float64(c)


def off_tape(tape: Recording, result: Any) -> Any:
    """Return a pytree with the values traced on `tape`, which is about to be dropped, replaced by plain ones."""

    def value(x: Any) -> Any:
        if type(x) is not Var:
            return x
        if x.tape is not tape:
            raise leaked(x)
        return x.value

    return tree.rebuild(value, result)


def check_like(
    name: str, what: str, given: Any, like: Any, structure: "tree.Structure[Any]", values: Sequence[Any]
) -> list[Any]:
    """Return the leaves of `given`, checked to have the tree, shapes and dtypes of `values`.

    Raises:
        TreeError: if the trees differ.
        TypeError: if a leaf has another shape, or a dtype that cannot be cast; the message has its path.
    """
    leaves, given_structure = tree.flatten(given)
    if given_structure != structure:
        raise TreeError(
            f"{name}: the tree of the {what} is {given_structure}, expected {structure}, that of what it belongs to"
        )
    checked = []
    for k, (t, x) in enumerate(zip(leaves, values, strict=True)):
        shape, dtype = np.shape(x), x.dtype if hasattr(x, "dtype") else np.dtype(type(x))
        if type(t) is not Var:
            t = np.asarray(t)[()]
        fits = np.can_cast(t.dtype, dtype, "same_kind") and (t.dtype.kind not in "iub" or np.ndim(t) == 0 or t.dtype == dtype)
        if t.shape != shape or not fits:
            path = tree.paths(like)[k]
            raise TypeError(
                f"{name}: the {what}{' at ' + path if path else ''} has shape {t.shape} and dtype {t.dtype}, "
                f"but what it belongs to has shape {shape} and dtype {dtype}"
            )
        checked.append(t if t.dtype == dtype else astype(t, dtype) if type(t) is Var else np.asarray(t).astype(dtype)[()])
    return checked


def seed(table: Table, start: int, outputs: Sequence[int | None], cotangents: Sequence[Any]) -> None:
    """Put the cotangents of the outputs into a table that begins at node `start`; those of constants go nowhere."""
    for index, g in zip(outputs, cotangents, strict=True):
        if index is not None and index >= start:
            held = table[index - start]
            table[index - start] = g if held is None else held + g
