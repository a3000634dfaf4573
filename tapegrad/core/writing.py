"""Arrays that can be written while a tape records.

A traced value is a handle on an immutable node. Assigning to ``out[i]`` records a node with the new contents and moves the
handle there; whoever used the old contents keeps the old node. So a loop that fills an array is differentiated like any code.

In NumPy, views share the memory of an array. Here a view remembers how it was made: a write through it becomes a write to the
array that owns the memory, and after a write to that array the views of what was written are read again.
"""

import sys
from typing import Any, TypeAlias
from weakref import ref

import numpy as np
from attrs import define, field, frozen

from tapegrad.core.beside import constant, gathered
from tapegrad.core.complaints import leaked
from tapegrad.core.indexing import is_basic, normal, parts_of
from tapegrad.core.kinds import PLAIN
from tapegrad.core.node import NO_SETTINGS, Recording
from tapegrad.core.origins import depends_on_abstract, origins
from tapegrad.core.primitive import FUNCTIONS, Primitive
from tapegrad.core.putting import put, put_p, put_where
from tapegrad.core.reading import getitem_p, record_read
from tapegrad.core.structure import astype, root_p
from tapegrad.core.var import Var, apply, current, handle
from tapegrad.errors import users_line

ndarray = np.ndarray

Path: TypeAlias = tuple[tuple[Primitive, dict[str, Any]], ...]
"""How a view is made from the array that owns its memory: operations of one input, with their settings."""


def writable(x: Var) -> Any:
    """Make a traced value that was just recorded one that can be written; return it."""
    x.link = Storage(x.index)
    return x


def record(tape: Recording, primitive: Primitive, x: Any, settings: dict[str, Any]) -> Any:
    """Record an operation on a constant, whose value will be written to."""
    value = primitive.fn(x, **settings)
    tape.steps.append((primitive, (None,), (x,), settings or NO_SETTINGS, value))
    return handle(tape, len(tape.steps) - 1, value, primitive)


def differs_by_example(x: Var) -> bool:
    """Tell whether `x` depends on an argument of the innermost `vmap` or `jit` that is under way."""
    roots = x.tape.abstract[-1].roots
    return any(index in roots for index in origins(x, roots.start))


def border(tape: Recording) -> int:
    """Return where the stretch of tape begins that is recorded to be run again elsewhere; 0 if there is none."""
    return max(tape.borders[-1] if tape.borders else 0, tape.abstract[-1].roots.start if tape.abstract else 0)


class Blank(np.ndarray):
    """An array that stands for contents that are gone: nobody reads it, and it takes no memory that a replay should mind."""


@define(eq=False, repr=False)
class Storage:
    """What the handle of an array that owns its memory knows besides its node.

    Attributes:
        created: index of the node that made the array.
        views: the views of it that are alive.
        differs: the contents differ between the examples of the `vmap` (or calls of the `jit`) that is under way, so that
            those on the tape, which are of one example, are not looked at any more.
    """

    created: int
    views: "list[ref[Var]]" = field(factory=list)
    differs: bool = False
    _layout: Any = None
    _blank: Any = None

    def layout(self, x: Var) -> Any:
        """Return an array of the strides of `x`, whose contents nobody reads: its views tell where views of `x` lie."""
        if self._layout is None:
            self._layout = np.empty_like(x.value)
        return self._layout

    def blank(self, x: Var) -> Any:
        """Return an array of the shape and dtype of `x` without contents.

        It is recorded as the input of reads and writes, whose rules ask for no more. So they do not hold on to the contents,
        and the next write need not leave a copy behind.
        """
        if self._blank is None:
            self._blank = np.broadcast_to(np.zeros((), x.value.dtype), x.value.shape).view(Blank)
        return self._blank

    def is_shared(self, tape: Recording) -> bool:
        """Tell whether nodes may share one memory: not where contents are looked at later, or computed again elsewhere."""
        return type(tape) is Recording and (self.differs or not tape.abstract) and self.created >= border(tape)

    def read(self, x: Var, index: Any) -> Var:
        """Record ``x[index]``."""
        y = record_read(x, index, self.blank(x) if self.is_shared(x.tape) else x.value)
        if type(y.value) is ndarray and is_basic(index):
            self.viewed(x, y, getitem_p, {"index": index})
        return y

    def viewed(self, x: Var, y: Var, primitive: Primitive, settings: dict[str, Any]) -> None:
        """Take note of `y` as a view of `x`."""
        note(x, y, self.layout(x), ((primitive, settings),))

    def write(self, x: Var, index: Any, v: Any) -> None:
        """Record ``x[index] = v``, and move `x` to the new contents."""
        self.check(x)
        if type(index) is Var and index.dtype.kind == "b" and depends_on_abstract(index):
            y = put_where(x, index, v)
            x.index, x.value = y.index, y.value
            return self.refresh(x, ...)
        index, arrays = normal(index)
        v = FUNCTIONS[np.array](v) if isinstance(v, (list, tuple)) else v
        if arrays or not self.is_shared(x.tape):
            y = put(x, index, v, *arrays)
            x.index, x.value = y.index, y.value
            self.differs = self.differs or (bool(x.tape.abstract) and type(v) is Var and differs_by_example(v))
        else:
            self._write(x, index, v)
        self.refresh(x, index)

    def _write(self, x: Var, index: Any, v: Any) -> None:
        """Write where nobody looks at the old contents, or to a copy."""
        source = None
        if type(v) is Var:
            if v.tape is not x.tape:
                raise leaked(v)
            v, source = v.value, v.index
        elif type(v) not in PLAIN:
            v = constant(v, "put", 0)
        steps, blank = x.tape.steps, self.blank(x)
        forgets = x.index == self.created or steps[x.index][0] is put_p  # its rules do not ask for the output, as others may
        if forgets and _holders(x) == ALONE and x.value.base is None and x.value.flags.writeable:
            value = x.value
            value[index] = v
            steps[x.index] = (*steps[x.index][:4], blank)
        else:
            value = x.value.copy("K")
            value[index] = v
        steps.append((put_p, (source, x.index), (v, blank), {"index": index}, value))
        x.index, x.value = len(steps) - 1, value

    def replace(self, x: Var, y: Any) -> Var:
        """Move `x` to the contents `y`, which ``x += v`` computed; return it."""
        self.check(x)
        y = in_place(x, y)
        if type(y) is Var and type(y.value) is ndarray:
            x.index, x.value = y.index, y.value
            self.refresh(x, ...)
        else:
            self.write(x, ..., y)
        return x

    def check(self, x: Var) -> None:
        """Raise unless `x` can be written here and now."""
        if x.tape is not current():
            raise leaked(x)
        if self.created < border(x.tape):
            raise TypeError(
                f"an array of shape {x.shape}, made outside of a function under vmap, jit, checkpoint or a structured loop, "
                f"was written to inside of it, at {users_line()}. What such a function does is run again, so that all of it "
                f"must show in what it returns: make the array inside, or return what is to be written."
            )

    def refresh(self, x: Var, index: Any) -> None:
        """Read the views of what was written at `index` again."""
        if not self.views:
            return
        views, self.views = self.views, []
        whole = not is_basic(index) or ... in parts_of(index)
        written = self.layout(x) if whole else self.layout(x)[(*parts_of(index), ...)]
        for view in views:
            y = view()
            if y is None:
                continue
            self.views.append(view)
            if np.may_share_memory(y.link.where, written):
                z: Any = x
                for primitive, settings in y.link.path:
                    z = apply(primitive, z, **settings)
                y.index, y.value = z.index, z.value


@frozen(eq=False, repr=False)
class View:
    """What the handle of a view knows: the array that owns the memory, where in it the view lies, and how it is made."""

    root: Var
    where: Any
    path: Path

    def read(self, x: Var, index: Any) -> Var:
        """Record ``x[index]``."""
        y = record_read(x, index, x.value)
        if type(y.value) is ndarray and is_basic(index):
            self.viewed(x, y, getitem_p, {"index": index})
        return y

    def viewed(self, x: Var, y: Var, primitive: Primitive, settings: dict[str, Any]) -> None:
        """Take note of `y` as a view of `x`."""
        note(self.root, y, self.where, (*self.path, (primitive, settings)))

    def write(self, x: Var, index: Any, v: Any) -> None:
        """Record ``x[index] = v`` as a write to the array that owns the memory."""
        places = places_of(self)
        index, arrays = normal(index)
        if arrays:
            v, index = put(x, index, v, *arrays), ...
        self.root.link.write(self.root, tuple(place[index] for place in places), v)

    def replace(self, x: Var, y: Any) -> Var:
        """Write the contents `y`, which ``x += v`` computed, to the array that owns the memory; return `x`."""
        self.write(x, ..., in_place(x, y))
        return x


@frozen(eq=False, repr=False)
class Flat:
    """What the handle of ``x.flat`` knows: as `View` does, for elements in an order in which they need not lie in memory.

    What is read of it, or computed from it, is a copy; a write to it is one to the array that owns the memory.
    """

    root: Var
    where: Any
    path: Path

    def read(self, x: Var, index: Any) -> Var:
        """Record ``x[index]``."""
        return record_read(x, index, x.value)

    def viewed(self, x: Var, y: Var, primitive: Primitive, settings: dict[str, Any]) -> None:
        """Take note that `y` is a copy."""
        writable(y)

    def write(self, x: Var, index: Any, v: Any) -> None:
        """Record ``x[index] = v``, where `v` begins again if it has too few elements, and what it has too many is not used."""
        places, v = places_of(self), gathered(v)
        index, arrays = normal(index)
        if arrays:
            v, index = put(x, index, v, *arrays), ...
        elif np.ndim(v):
            if type(index) is int:
                np.zeros(1).flat[0] = np.zeros(np.shape(v))  # raises NumPy's error
            if not np.size(v):
                return
            v = FUNCTIONS[np.resize](v, np.arange(x.size)[index].shape)
        self.root.link.write(self.root, tuple([place.reshape(-1)[index] for place in places]), v)

    def replace(self, x: Var, y: Any) -> Var:
        """Write the contents `y`; return `x`."""
        self.write(x, ..., in_place(x, y))
        return x


def flat(x: Var, primitive: Primitive, **settings: Any) -> Var:
    """Return ``x.flat`` for a value that can be written, made by the given operation."""
    y: Var = apply(primitive, x, **settings)
    path = () if type(x.link) is Storage else x.link.path
    root = x if type(x.link) is Storage else x.link.root
    if type(y.link) is not View:
        root.link.views.append(ref(y))
    y.link = Flat(root, x.link.layout(x) if root is x else x.link.where, (*path, (primitive, settings)))
    return y


def note(root: Var, y: Var, around: Any, path: Path) -> None:
    """Take note of `y` as a view of the array that owns the memory, or as an array of its own where NumPy makes a copy.

    What the last step of the path was applied to lies, in that memory, where `around` does. Its value on the tape may lie
    closer together, so that it need not be copied where NumPy copies.
    """
    primitive, settings = path[-1]
    where = primitive.fn(around, **settings)
    if primitive is getitem_p or not where.size or np.may_share_memory(where, around):
        y.link = View(root, where, path)
        root.link.views.append(ref(y))
    else:
        writable(y)


def in_memory(x: Var) -> Any:
    """Return an array that lies in memory as `x` would in NumPy, whose contents nobody reads.

    The value of a view on the tape may be a copy that lies closer together.
    """
    link = x.link
    return link.layout(x) if type(link) is Storage else link.where if type(link) is View else np.asarray(x.value)


def own(x: Any) -> Any:
    """Return what is a copy in NumPy: one of a value that can be written or is a view of such, any other value as it is."""
    return x if type(x) is not Var or x.link is None else FUNCTIONS[np.copy](x)


def in_place(x: Var, y: Any) -> Any:
    """Return the contents that ``x += v`` computed, if `x` can hold them.

    Raises:
        ValueError: if their shape is another one.
        TypeError: if their dtype cannot be cast to that of `x`.
    """
    if np.shape(y) != x.shape:
        raise ValueError(
            f"non-broadcastable output operand with shape {x.shape} doesn't match the broadcast shape {np.shape(y)}"
        )
    if y.dtype == x.dtype:
        return y
    if not np.can_cast(y.dtype, x.dtype, "same_kind"):
        raise TypeError(f"Cannot cast ufunc output from {y.dtype!r} to {x.dtype!r} with casting rule 'same_kind'")
    return astype(y, x.dtype)


def places_of(link: View | Flat) -> tuple[Any, ...]:
    """Return, for each axis of the array that owns the memory, where along it the elements of a view lie.

    Raises:
        ValueError: if NumPy has the view read-only.
        TypeError: if it is one of parts of the elements.
    """
    layout = link.root.link.layout(link.root)
    if not link.where.flags.writeable:
        raise ValueError("assignment destination is read-only")
    if link.where.dtype != layout.dtype:
        raise TypeError(
            f"x[...] = v was written to the real or imaginary part of a traced array at {users_line()}: assign to the "
            f"array itself, as in x[...] = real + 1j * imag"
        )
    return places_in(layout, link.where)


def places_in(layout: Any, view: Any) -> tuple[Any, ...]:
    """Return, for each axis of an array that owns its memory, where along it the elements of a view lie."""
    start = view.__array_interface__["data"][0] - layout.__array_interface__["data"][0]
    offsets = np.full(view.shape, start if view.size else 0)
    for k, (n, stride) in enumerate(zip(view.shape, view.strides, strict=True)):
        offsets += (np.arange(n) * stride).reshape(-1, *(1,) * (view.ndim - k - 1))
    return tuple(
        [
            offsets // stride % n if n > 1 else np.zeros_like(offsets)
            for n, stride in zip(layout.shape, layout.strides, strict=True)
        ]
    )


def _holders(x: Var) -> int:
    return sys.getrefcount(x.value)


def _alone() -> int:
    """Return how many references there are to the contents of an array that only its handle and its node hold."""
    tape = Recording()
    tape.steps.append((root_p, (None,), (None,), NO_SETTINGS, np.empty(1)))
    return _holders(handle(tape, 0, tape.steps[0][4], root_p))


ALONE = _alone()
