"""Batching: `vmap`, the tape replayed forwards with a leading axis.

The function is recorded once, on the first example of the batch, whose values it must not look at. The stretch of tape is then
replayed with whole batches: each node by the batching rule of its primitive, or by a loop where that has none.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from itertools import groupby
from typing import Any, ParamSpec, TypeVar

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.arrays import broadcast_to, has_own_arithmetic, own_arithmetic
from tapegrad.core.complaints import leaked, uncover
from tapegrad.core.doubt import DoubtError, doubt, look, watched_p
from tapegrad.core.node import CURRENT, NO_SETTINGS, Recording, Step, Unseen, argument_names
from tapegrad.core.primitive import FUNCTIONS, Primitive
from tapegrad.core.program import dependencies
from tapegrad.core.structure import parts, root_p, shared_p
from tapegrad.core.var import Var, apply, handle
from tapegrad.core.watch import WATCH, WatchedSteps
from tapegrad.errors import TreeError
from tapegrad.transforms.entry import FRESH, apart, close_tape, off_tape, open_tape
from tapegrad.transforms.outputs import kind_of, output_index
from tapegrad.transforms.replay import quietly
from tapegrad.transforms.wrapped import Transformed

P = ParamSpec("P")
Out = TypeVar("Out")


def vmap(f: Callable[P, Out], in_axes: Any = 0, out_axes: Any = 0, axis_size: int | None = None) -> Callable[P, Out]:
    """Return the function that maps `f` over an axis of its arguments, all examples at once.

    Most operations compute a whole batch with one call of NumPy; ``docs/batching.md`` lists which. The gradients
    of each of 256 examples, ``vmap(grad(loss), in_axes=(None, 0, 0))``, take four to five times as long as the one gradient of
    their mean for a 64-128-10 network; ``python -m tests.bench vmap`` measures it.

    `f` runs once, on one example, and a second time if a derivative that it takes comes out as NaN: the first time without
    the guards that keep a branch not taken from contributing.

    Args:
        f: a function of pytrees of arrays that returns a pytree of arrays. It must not look at values: use `where`, not ``if``.
        in_axes: the axis to map over: one for all arguments, or a tuple with one for each; in place of an argument's axis may
            stand a pytree of axes that is a prefix of the argument. None: the same for all examples.
        out_axes: where the mapped axis stands in the outputs, likewise.
        axis_size: the number of examples; needed only where nothing is mapped.

    Returns:
        A function of the same arguments; keyword arguments are mapped over their first axis.

    Raises:
        TypeError: if `axis_size` is not an integer.
        ValueError: when it is called: if nothing is mapped and there is no `axis_size`, or the mapped axes differ in size from
            it or from each other (naming sizes and paths).
        TreeError: if `in_axes` or `out_axes` is no prefix of the tree it belongs to.
        ConcretizationError: if `f` looks at a value that depends on the example.

    Example:
        >>> vmap(lambda x, y: x @ y, in_axes=(0, None))(np.ones((3, 2)), np.array([1.0, 10.0]))
        array([11., 11., 11.])
    """
    if axis_size is not None and (type(axis_size) is bool or not isinstance(axis_size, (int, np.integer))):
        raise TypeError(f"vmap: axis_size must be an integer, got {kind_of(axis_size)}")
    return Batched(f, in_axes if not isinstance(in_axes, list) else tuple(in_axes), out_axes, axis_size)


@frozen(eq=False, slots=False, repr=False)
class Batched(Transformed):
    """``vmap(f)``; see `vmap`."""

    in_axes: Any = 0
    out_axes: Any = 0
    axis_size: int | None = None

    @property
    def transform(self) -> str:
        return "vmap"

    def __call__(self, *args: Any, **settings: Any) -> Any:
        f = self.f
        axes = self.in_axes
        if isinstance(axes, tuple) and len(axes) != len(args):
            raise TreeError(
                f"vmap of {name_of(f)}: in_axes has {len(axes)} entries, but there are {len(args)} positional arguments"
            )
        spread = axes if isinstance(axes, tuple) else (axes,) * len(args)
        leaves, structure = tree.flatten((args, settings))
        if all(axis is None or type(axis) is int for axis in spread):
            leaf_axes = [
                axis for axis, part in zip(spread, structure.children[0].children, strict=True) for _ in range(part.count)
            ]
        else:
            names = argument_names(f, tuple(range(len(args))))
            found = [prefix(axis, arg, f"in_axes of {name}") for axis, arg, name in zip(spread, args, names, strict=True)]
            leaf_axes = [axis for part in found for axis in part]
        leaf_axes += [0] * structure.children[1].count
        size = batch_size(f, leaves, leaf_axes, args, settings, self.axis_size)
        batches = [x if axis is None else leading(x, axis) for x, axis in zip(leaves, leaf_axes, strict=True)]
        mapped = [axis is not None for axis in leaf_axes]
        return run(f, batches, mapped, structure, size, self.out_axes)


def run(
    f: Callable[..., Any], batches: list[Any], mapped: list[bool], structure: tree.Structure[Any], size: int, out_axes: Any
) -> Any:
    """Record `f` on the first example, and replay it on the batch: hopefully, where it is the outermost transform."""
    if CURRENT.get() is None and WATCH.get() is None and size:
        try:
            return run_once(f, batches, mapped, structure, size, out_axes, True)
        except DoubtError:
            pass
    tape = CURRENT.get()
    if tape is None or not tape.hopeful:
        return run_once(f, batches, mapped, structure, size, out_axes, False)
    try:
        return run_once(f, batches, mapped, structure, size, out_axes, False)
    except DoubtError:  # NaN in a gradient at constants
        tape.hopeful = False
        return run_once(f, batches, mapped, structure, size, out_axes, False)
    finally:
        tape.hopeful = True


def run_once(
    f: Callable[..., Any],
    batches: list[Any],
    mapped: list[bool],
    structure: tree.Structure[Any],
    size: int,
    out_axes: Any,
    hopeful: bool,
) -> Any:
    """Record `f` on the first example, and replay it on the batch.

    Raises:
        DoubtError: if it was recorded hopefully, and that was seen not to be justified.
    """
    tape, token = open_tape()
    try:
        tape.hopeful = tape.hopeful or hopeful
        start = len(tape.steps)
        table: dict[int, Any] = {}
        traced: list[Any] = []
        paths = leaf_paths(f, *tree.unflatten(structure, batches)) if type(tape.steps) is WatchedSteps else []
        for x, is_mapped in zip(batches, mapped, strict=True):
            if type(x) is Var and x.tape is not tape:
                raise leaked(x)
            if is_mapped:
                plain = x.value if type(x) is Var else x
                example = plain[0] if size else made_up(plain.shape[1:], plain.dtype)
                table[len(tape.steps)] = x
                if type(tape.steps) is WatchedSteps:  # where arguments are named
                    tape.entries.append((len(tape.steps), paths[len(traced)], (example,), (0,)))
                tape.steps.append((root_p, FRESH, (example,), NO_SETTINGS, example))
                x = handle(tape, len(tape.steps) - 1, example, root_p)
            traced.append(x)
        roots = range(start, len(tape.steps))
        traced = [held(x, tape) if type(x) is np.ndarray else x for x in traced]
        args, settings = tree.unflatten(structure, traced)
        first = len(tape.steps)
        tape.abstract.append(Unseen(roots, "vmap"))
        try:
            with nullcontext() if size else quietly():
                out = f(*args, **settings)
        finally:
            tape.abstract.pop()
        leaves, out_structure = tree.flatten(out)
        wanted = [output_index("vmap", f, leaf, tape) for leaf in leaves]
        axes = prefix(out_axes, out, "out_axes")
        lift: Recording | None = tape
        steps = tape.steps
        if token is not None:  # rules that run on plain arrays must find no tape to record on
            leaves = off_tape(tape, leaves)
            lift = None
            tape.steps = []
            CURRENT.reset(token)
            token = None
        replay(steps, table, first, wanted, size, lift, hushed(tape.quiet, len(steps)), hopeful)
        results = []
        for leaf, index, axis in zip(leaves, wanted, axes, strict=True):
            y = None if index is None else table.get(index)
            results.append(placed(f, leaf, axis, size) if y is None else moved(f, y, axis))
        return tree.unflatten(out_structure, apart(results, batches))
    except Exception as error:
        if tape.hopeful:
            doubt(tape.steps[start:])
        uncover(error, tape)
        raise
    finally:
        close_tape(tape, token)


def held(x: Any, tape: Recording) -> Any:
    """Put an array of numbers that is the same for all examples on the tape, so that what differs can index it."""
    if not x.ndim or x.dtype.kind not in "biufc":
        return x
    tape.steps.append((shared_p, FRESH, (x,), NO_SETTINGS, x))
    return handle(tape, len(tape.steps) - 1, x, shared_p)


def moved(f: Callable[..., Any], y: Any, axis: int | None) -> Any:
    """Return a batched output with its mapped axis where it is wanted."""
    if axis is None:
        raise ValueError(f"vmap of {name_of(f)}: out_axes is None for an output that differs between examples; give it an axis")
    rank = len(np.shape(y.value if type(y) is Var else y))
    if not -rank <= axis < rank:
        raise ValueError(f"vmap of {name_of(f)}: out_axes has axis {axis} for an output of {rank} axes with the mapped one")
    return y if axis == 0 else FUNCTIONS[np.moveaxis](y, 0, axis)


def placed(f: Callable[..., Any], y: Any, axis: int | None, size: int) -> Any:
    """Return an output that is the same for all examples, once for each along the wanted axis."""
    if axis is None:
        return y
    shape = np.shape(y.value if type(y) is Var else y)
    at = axis if axis >= 0 else axis + len(shape) + 1
    spread = broadcast_to(FUNCTIONS[np.expand_dims](y, at), (*shape[:at], size, *shape[at:]))
    return spread if type(spread) is Var else spread.copy()


def hushed(quiet: Sequence[range], count: int) -> bytearray:
    """Mark, of so many nodes, those that rules recorded."""
    marked = bytearray(count)
    for nodes in quiet:
        marked[nodes.start : nodes.stop] = b"\1" * len(nodes)
    return marked


def replay(
    steps: Sequence[Step],
    table: dict[int, Any],
    first: int,
    wanted: Sequence[int | None],
    size: int,
    lift: Recording | None,
    quiet: bytearray,
    hopeful: bool,
) -> None:
    """Fill the table with the batched values of the nodes from `first` on that lead to the wanted ones.

    What the user computed may warn as NumPy does; what rules computed, the nodes marked in `quiet`, does not.

    Raises:
        DoubtError: if there is NaN in something watched.
    """
    outputs = [index for index in wanted if index is not None]
    found = dependencies(steps, first, outputs)
    if hopeful:
        found.update([k for k in range(first, len(steps)) if steps[k][0] is watched_p and steps[k][3].get("of") in found])
    needed = sorted(found)
    last = {source: index for index in needed for source in steps[index][1] if source is not None}
    last.update(dict.fromkeys(outputs, len(steps)))
    for is_quiet, stretch in groupby(needed, key=quiet.__getitem__):
        try:
            with quietly() if is_quiet else nullcontext():
                run_stretch(steps, table, stretch, last, size, lift, bool(is_quiet), hopeful)
        except Exception as error:
            if hopeful and is_quiet:  # some rules refuse NaN
                raise DoubtError from error
            raise


def run_stretch(
    steps: Sequence[Step],
    table: dict[int, Any],
    stretch: Iterable[int],
    last: dict[int, int],
    size: int,
    lift: Recording | None,
    is_quiet: bool,
    hopeful: bool,
) -> None:
    """Fill the table with the batched values of some nodes; each is dropped where it is used for the last time."""
    watched = steps if type(steps) is WatchedSteps and lift is None else None  # what is recorded again is looked at there
    for index in stretch:
        step = steps[index]
        primitive, inputs, plain_args, settings, value = step
        batched = [source is not None and source in table for source in inputs]
        if hopeful and primitive is watched_p:
            (source,) = inputs
            y = value if source is None else table.get(source, value)
            look(y, **settings)
            if batched[0]:
                table[index] = y
            continue
        if not any(batched):
            continue
        if size == 0:
            table[index] = without_examples(value)
            continue
        args = []
        for source, x in zip(inputs, plain_args, strict=True):
            if source is None:
                args.append(x)
            elif source in table:
                args.append(table[source])
            else:
                args.append(x if lift is None or steps[source][0] is shared_p else handle(lift, source, x, steps[source][0]))
        if primitive is watched_p and lift is not None and lift.hopeful and type(args[0]) is not Var:
            look(args[0], **settings)  # it is not recorded, so that nobody else will
        for source in inputs:
            if source is not None and last[source] == index:
                table.pop(source, None)
        if primitive.batch is not None:
            table[index] = primitive.batch(args, batched, **settings)
        else:
            table[index] = loop(primitive, args, batched, settings, size, value)
        if watched is not None and not is_quiet:
            watched.check_value(table[index], index, args, " for an example of the batch")


def loop(
    primitive: Primitive, args: Sequence[Any], batched: Sequence[bool], settings: dict[str, Any], size: int, like: Any
) -> Any:
    """Apply a primitive that has no batching rule to one example after the other."""
    rows = [
        apply(primitive, *[x[i] if is_batched else x for x, is_batched in zip(args, batched, strict=True)], **settings)
        for i in range(size)
    ]
    stack = FUNCTIONS[np.stack]
    if type(like) is tuple:
        return tuple(stack(column) for column in zip(*[parts(row) for row in rows], strict=True))
    return stack(rows)


def without_examples(like: Any) -> Any:
    """Return an array of no values like the given one; of several outputs a tuple of them."""
    if type(like) is tuple:
        return tuple([without_examples(part) for part in like])
    return np.zeros((0, *np.shape(like)), np.asarray(like).dtype)


def made_up(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Return an example for a batch that has none, so that shapes and dtypes can be seen: matrices are well-conditioned."""
    if dtype.kind not in "fc" or not shape:
        return np.ones(shape, dtype)[()]
    if len(shape) == 1:
        return (1.0 / np.arange(1, shape[0] + 1)).astype(dtype)
    rows, columns = np.ogrid[: shape[-2], : shape[-1]]
    return np.broadcast_to((rows == columns) + 0.5 / (1.0 + rows + columns), shape).astype(dtype)


# Axes


def prefix(axes: Any, of: Any, where: str) -> list[int | None]:
    """Return one axis a leaf of the tree `of`, for a tree of axes that is a prefix of it.

    Raises:
        TreeError: naming the place where it is none.
    """
    if axes is None or (isinstance(axes, (int, np.integer)) and not isinstance(axes, bool)):
        return [None if axes is None else int(axes)] * len(tree.leaves(of))
    outer, inner = tree.container_of(type(axes)), tree.container_of(type(of))
    if outer is None or inner is None or type(axes) is not type(of) or outer.key(axes) != inner.key(of):
        raise TreeError(f"vmap: {where}: {axes!r} does not fit {kind_of(of)}; expected an int, None, or a tree of them like it")
    children, branches = outer.children(axes), inner.children(of)
    if len(children) != len(branches):
        raise TreeError(f"vmap: {where}: {len(children)} axes for a {type(of).__name__} of {len(branches)}")
    names = inner.names(inner.key(of), len(branches))
    return [
        axis
        for child, branch, name in zip(children, branches, names, strict=True)
        for axis in prefix(child, branch, where + name)
    ]


def batch_size(
    f: Callable[..., Any], leaves: Sequence[Any], axes: Sequence[int | None], args: Any, settings: Any, given: int | None
) -> int:
    """Return the common size of the mapped axes, which is the `given` one if there is one.

    Raises:
        ValueError: if there is none.
    """
    for k, x in enumerate(leaves):
        if has_own_arithmetic(x):
            raise own_arithmetic(f"vmap of {name_of(f)}: the leaf {leaf_paths(f, args, settings)[k]}", x)
    shapes = [np.shape(x.value if type(x) is Var else x) for x in leaves]
    found = {
        shape[axis] if -len(shape) <= axis < len(shape) else -1
        for shape, axis in zip(shapes, axes, strict=True)
        if axis is not None
    }
    if given is not None:
        found.add(int(given))
    if len(found) == 1 and min(found) >= 0:
        return found.pop()
    paths = leaf_paths(f, args, settings)
    sizes = {}
    for shape, axis, path in zip(shapes, axes, paths, strict=True):
        if axis is None:
            continue
        if not -len(shape) <= axis < len(shape):
            raise ValueError(f"vmap of {name_of(f)}: {path} has shape {shape} and no axis {axis} to map over")
        sizes[path] = shape[axis]
    if given is not None:
        if given < 0:
            raise ValueError(f"vmap of {name_of(f)}: axis_size must not be negative, got {given}")
        sizes["axis_size"] = int(given)
    if not sizes:
        raise ValueError(f"vmap of {name_of(f)}: no argument is mapped; give at least one an axis in in_axes, or axis_size")
    listed = ", ".join(f"{path} has {n}" if path != "axis_size" else f"axis_size is {n}" for path, n in sizes.items())
    raise ValueError(f"vmap of {name_of(f)}: the mapped axes must have one size, but {listed}")


def leaf_paths(f: Callable[..., Any], args: Any, settings: Any) -> list[str]:
    """Return the path of each leaf of the arguments."""
    names = argument_names(f, tuple(range(len(args))))
    paths = [name + path for name, arg in zip(names, args, strict=True) for path in tree.paths(arg)]
    return paths + [name + path for name in sorted(settings) for path in tree.paths(settings[name])]


def leading(x: Any, axis: int) -> Any:
    """Return `x` with the given axis moved to the front."""
    if type(x) is not Var:
        x = np.asarray(x)
    return x if axis == 0 else FUNCTIONS[np.moveaxis](x, axis, 0)


def name_of(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", repr(f))
