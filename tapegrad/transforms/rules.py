"""What a user's own primitive is to the replays: its rules, with everything that they return checked."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from attrs import field, frozen

from tapegrad.core.arrays import broadcast_to, dtype_of, guard, shape_of, sum_to
from tapegrad.core.doubt import has_nan, watched
from tapegrad.core.families import align
from tapegrad.core.primitive import FUNCTIONS, Primitive
from tapegrad.core.structure import astype, parts
from tapegrad.core.var import Var, apply
from tapegrad.errors import ConcretizationError, MissingRuleError, RuleError
from tapegrad.transforms import differences
from tapegrad.transforms.batch import vmap
from tapegrad.transforms.outputs import kind_of
from tapegrad.transforms.packed import axes_of, pack_p, shared, slots
from tapegrad.transforms.pullback import vjp

Settings = dict[str, Any]


@frozen(eq=False, slots=False)
class Rules:
    """The function and the rules as the user gave them, and how the missing ones follow from them.

    Arguments are a tuple of arrays, and so are outputs where there are several.
    """

    name: str
    function: Callable[..., Any]
    vjp: Callable[..., Any] | tuple[Callable[..., Any] | None, ...] | None
    jvp: Callable[..., Any] | None
    batch: Callable[..., Any] | None
    differs: bool
    step: float | None
    elementwise: bool
    owner: Any = None
    overs: dict[tuple[bool, ...], "Rules"] = field(init=False, factory=dict)  # what `over` has made, once and for all

    @cached_property
    def each(self) -> Primitive:
        """What is recorded: a node that has the arguments as its inputs, and for each a rule."""
        return Primitive(
            name=self.name,
            fn=lambda *args, **settings: self.value(args, settings),
            pulls=Pulls(self, False),
            careful=Pulls(self, True),
            push=lambda tangents, y, /, *args, **settings: self.tangent(self.seen(tangents), y, args, settings),
            batch=lambda args, batched, /, **settings: batch_of(self, list(args), list(batched), settings),
            owner=partial(each_of, self if self.owner is None else self.owner),
        )

    @cached_property
    def packed(self) -> Primitive:
        """What is recorded where one rule gives the cotangents of several arguments: a node with one input, all of them."""
        return Primitive(
            name=self.name,
            fn=lambda packed, /, **settings: self.value(packed, settings),
            pulls=(
                lambda g, y, packed, /, **settings: slots(
                    [unknown(x) for x in packed] if holds_nan(g) else self.cotangents(joined(g), y, packed, settings)
                ),
            ),
            careful=(lambda g, y, packed, /, **settings: slots(self.cotangents(joined(self.seen(g)), y, packed, settings)),),
            push=lambda tangents, y, packed, /, **settings: self.tangent(self.seen(tangents[0]), y, packed, settings),
            batch=lambda args, batched, /, **settings: batch_of(
                self, shared(args[0]), [axis == 0 for axis in axes_of(args[0])], settings
            ),
            owner=partial(packed_of, self if self.owner is None else self.owner),
        )

    def seen(self, given: Any) -> Any:
        """Return cotangents or tangents as rules take them: looked at for NaN that bare rules have left."""
        return watched(given) if isinstance(given, (list, tuple)) else watched([given])[0]

    # What it computes

    def value(self, args: Sequence[Any], settings: Settings) -> Any:
        """Call the function."""
        y = self.function(*args, **settings)
        if type(y) is not tuple:
            return self.array(y, "the function")
        if not y:
            raise TypeError(f"primitive '{self.name}': the function returned no output")
        return tuple([self.array(part, "the function") for part in y])

    def array(self, y: Any, who: str) -> Any:
        """Return one output as an array or a NumPy scalar."""
        if type(y) is np.ndarray and y.dtype.kind in "biufc":
            return y
        if not isinstance(y, (np.ndarray, np.generic, float, int, complex)):
            raise TypeError(f"primitive '{self.name}': {who} must return an array, or a tuple of arrays, got {kind_of(y)}")
        y = np.asarray(y)[()]
        if y.dtype.kind not in "biufc":
            raise TypeError(f"primitive '{self.name}': {who} must return numbers, got dtype {y.dtype}")
        return y

    # Reverse

    def cotangents(self, g: Any, y: Any, args: Sequence[Any], settings: Settings) -> list[Any]:
        """Return the cotangents of all arguments, by the one rule that gives them together."""
        assert callable(self.vjp)
        found = self.vjp(g, y, *args, **settings)
        if len(args) == 1 and not isinstance(found, (tuple, list)):
            found = (found,)
        if not isinstance(found, (tuple, list)) or len(found) != len(args):
            got = f"{len(found)} values" if isinstance(found, (tuple, list)) else kind_of(found)
            raise RuleError(
                f"primitive '{self.name}': its vjp rule must return {len(args)} cotangents, one for each argument, got {got}"
            )
        return [self.cotangent_like(c, x, y, k) for k, (c, x) in enumerate(zip(found, args, strict=True))]

    def cotangent(self, k: int, g: Any, y: Any, args: Sequence[Any], settings: Settings) -> Any:
        """Return the cotangent of argument `k`."""
        if not moves(args[k]):
            return None
        if callable(self.vjp):
            return self.cotangents(g, y, args, settings)[k]
        if self.vjp is not None:
            rule = self.vjp[k]
            return None if rule is None else self.cotangent_like(rule(g, y, *args, **settings), args[k], y, k)
        if self.differs:
            against = differences.slope if self.elementwise and type(y) is not tuple else differences.against
            c = against(self.call(settings), args, k, several(g), self.step)
            return self.cotangent_like(c, args[k], y, k)
        if self.jvp is None:
            raise self.missing()

        def pushed(t: Any) -> Any:
            return self.tangent([t if i == k else None for i in range(len(args))], y, args, settings)

        return self.transposed("vjp", "jvp", lambda: vjp(pushed, zeros(args[k]))[1](g)[0])

    def cotangent_like(self, c: Any, x: Any, y: Any, k: int) -> Any:
        """Return a cotangent that a rule has given for the argument `x`.

        Raises:
            RuleError: if its shape or dtype cannot be.
        """
        if c is None or not moves(x):
            return None
        where = f"primitive '{self.name}': its vjp rule returned for argument {k}"
        c = number(c, where)
        if self.elementwise and c.shape != shape_of(x) and c.shape == shape_of(y):
            c = sum_to(c, shape_of(x))
        complex_ = any(dtype_of(part).kind == "c" for part in (x, *several(y)))
        check_shape_and_dtype(where, c, shape_of(x), complex_)
        return c

    # Forward

    def tangent(self, tangents: Sequence[Any], y: Any, args: Sequence[Any], settings: Settings) -> Any:
        """Return the tangent of the output; None among the `tangents` is an argument at rest."""
        if self.jvp is not None:
            full = tuple([(zeros(x) if t is None else t) if moves(x) else None for t, x in zip(tangents, args, strict=True)])
            found = self.jvp(full, y, *args, **settings)
        elif self.differs:
            found = self.differenced(tangents, args, settings)
            found = tuple(found) if type(y) is tuple else found[0]
        elif self.vjp is None:
            raise self.missing()
        elif self.elementwise and not any(dtype_of(x).kind == "c" for x in (y, *args)):
            found = self.sloped(tangents, y, args, settings)
        else:
            found = self.transposed("jvp", "vjp", lambda: self.pushed(tangents, y, args, settings))
        if type(y) is not tuple:
            return self.tangent_like(found, y, "")
        if not isinstance(found, (tuple, list)) or len(found) != len(y):
            got = f"{len(found)} values" if isinstance(found, (tuple, list)) else kind_of(found)
            raise RuleError(
                f"primitive '{self.name}': its jvp rule must return {len(y)} tangents, one for each output, got {got}"
            )
        return tuple([self.tangent_like(t, part, f" for output {k}") for k, (t, part) in enumerate(zip(found, y, strict=True))])

    def differenced(self, tangents: Sequence[Any], args: Sequence[Any], settings: Settings) -> list[Any]:
        """Return the tangents of the outputs, each the sum of its differences by the arguments that move."""
        found: list[Any] | None = None
        for k, t in enumerate(tangents):
            if t is not None and moves(args[k]):
                new = differences.along(self.call(settings), args, k, t, self.step)
                found = new if found is None else [b if a is None else a + b for a, b in zip(found, new, strict=True)]
        assert found is not None
        return found

    def sloped(self, tangents: Sequence[Any], y: Any, args: Sequence[Any], settings: Settings) -> Any:
        """Return the tangent of an elementwise operation: a diagonal Jacobian is its own transpose."""
        found = None
        for k, t in enumerate(tangents):
            if t is None or not moves(args[k]):
                continue
            t = broadcast_to(t, shape_of(y))
            wide = [broadcast_to(asarray(x), shape_of(y)) for x in args]  # so that a cotangent is summed to no other shape
            new = self.cotangent(k, t, y, wide, settings)
            found = new if found is None else found if new is None else found + new
        return found

    def pushed(self, tangents: Sequence[Any], y: Any, args: Sequence[Any], settings: Settings) -> Any:
        """Return the tangent of the output by transposing the reverse rule, which is linear in the cotangent."""
        moving = [k for k, t in enumerate(tangents) if t is not None and moves(args[k])]
        outputs = [part for part in several(y) if moves(part)]

        def pulled(*given: Any) -> tuple[Any, ...]:
            waiting = iter(given)
            full = tuple([next(waiting) if moves(part) else zeros(part) for part in several(y)])
            g = full if type(y) is tuple else full[0]
            if callable(self.vjp):
                found = self.cotangents(g, y, args, settings)
            else:
                found = [self.cotangent(k, g, y, args, settings) if k in moving else None for k in range(len(args))]
            return tuple([zeros(args[k]) if found[k] is None else found[k] for k in moving])

        _, pull = vjp(pulled, *[zeros(part) for part in outputs])
        like = pulled(*[zeros(part) for part in outputs])
        pulled_back = iter(pull(tuple([cast(tangents[k], c) for k, c in zip(moving, like, strict=True)])))
        found = tuple([next(pulled_back) if moves(part) else None for part in several(y)])
        return found if type(y) is tuple else found[0]

    def tangent_like(self, t: Any, y: Any, which: str) -> Any:
        """Return a tangent that a rule has given for the output `y`.

        Raises:
            RuleError: if its shape or dtype cannot be.
        """
        if t is None or not moves(y):
            return None
        where = f"primitive '{self.name}': its jvp rule returned{which}"
        t = number(t, where)
        if self.elementwise and t.shape != shape_of(y) and len(t.shape) <= len(shape_of(y)):
            t = broadcast_to(t, shape_of(y))
        check_shape_and_dtype(where, t, shape_of(y), dtype_of(y).kind == "c")
        return cast(t, y)

    # What follows from what

    def call(self, settings: Settings) -> Callable[..., Any]:
        """Return the operation as a function of its arguments, recorded where they are traced."""
        return lambda *args: recorded(self, args, settings)

    def missing(self) -> MissingRuleError:
        return MissingRuleError(
            f"primitive '{self.name}' has no derivative rule; give it one with vjp= or jvp=, or declare "
            f"derivative='finite differences'"
        )

    def transposed(self, wanted: str, given: str, run: Callable[[], Any]) -> Any:
        """Run a rule that is made by transposing the other one.

        Raises:
            MissingRuleError: if that one is not NumPy code.
        """
        try:
            return run()
        except ConcretizationError as error:
            raise MissingRuleError(
                f"primitive '{self.name}' has no {wanted} rule, and its {given} rule, which is not NumPy code, cannot be "
                f"transposed; give it {wanted}= as well"
            ) from error

    def over(self, batched: Sequence[bool]) -> "Rules":
        """Return the operation on batches, its rules those of the examples, batched."""
        key = tuple(batched)
        if key not in self.overs:
            self.overs[key] = self.made_over(key)
        return self.overs[key]

    def made_over(self, batched: tuple[bool, ...]) -> "Rules":
        assert self.batch is not None
        axes = tuple([0 if is_batched else None for is_batched in batched])
        batch = self.batch

        def joint(g: Any, y: Any, *args: Any, **settings: Any) -> Any:
            found = vmap(lambda g, y, *args: self.cotangents(g, y, args, settings), (0, 0, *axes))(g, y, *args)
            return tuple([c if c is None or each else np.sum(c, axis=0) for c, each in zip(found, batched, strict=True)])

        def rule(k: int) -> Callable[..., Any]:
            def pull(g: Any, y: Any, *args: Any, **settings: Any) -> Any:
                c = vmap(lambda g, y, *args: self.cotangent(k, g, y, args, settings), (0, 0, *axes))(g, y, *args)
                return c if batched[k] or c is None else np.sum(c, axis=0)

            return pull

        def push(tangents: Any, y: Any, *args: Any, **settings: Any) -> Any:
            return vmap(lambda t, y, *args: self.tangent(t, y, args, settings), (axes, 0, *axes))(tangents, y, *args)

        return Rules(
            self.name,
            lambda *args, **settings: batch(list(args), list(batched), **settings),
            joint if callable(self.vjp) else tuple([rule(k) for k in range(len(batched))]),
            push,
            None,
            False,
            None,
            False,
        )


def each_of(owner: Any) -> Primitive:
    """Return the primitive of what `primitive` has made."""
    return getattr(owner, "rules", owner).each  # type: ignore[no-any-return]  # Rules, or what has them


def packed_of(owner: Any) -> Primitive:
    """Return its other primitive."""
    return getattr(owner, "rules", owner).packed  # type: ignore[no-any-return]  # Rules, or what has them


@frozen
class Pulls(Sequence[Any]):
    """The pulls of an operation, one for however many arguments there are."""

    rules: Rules
    careful: bool

    def __getitem__(self, k: Any) -> Any:
        def pull(g: Any, y: Any, /, *args: Any, **settings: Any) -> Any:
            rules = self.rules
            if not self.careful and holds_nan(g):
                return unknown(args[k])  # the user's rule may not be linear, or refuse NaN: it is asked by the careful replay
            c = rules.cotangent(k, joined(rules.seen(g)), y, args, settings)
            return guard(c, g) if self.careful and rules.elementwise and c is not None and c.shape == shape_of(g) else c

        return pull

    def __len__(self) -> int:
        return 1


def batch_of(rules: Rules, args: list[Any], batched: list[bool], settings: Settings) -> Any:
    """Apply an operation to batches: by the user's rule, as it is where it is elementwise, one after the other elsewhere."""
    size = next(shape_of(x)[0] for x, is_batched in zip(args, batched, strict=True) if is_batched)
    if rules.elementwise:
        return recorded(rules, align(args, batched), settings)
    if rules.batch is not None:
        y = recorded(rules.over(batched), args, settings)
        for part in several(y):
            if shape_of(part)[:1] != (size,):
                raise RuleError(
                    f"primitive '{rules.name}': its batch rule returned shape {shape_of(part)}, "
                    f"expected a leading axis of {size}"
                )
        return y
    rows = [
        recorded(rules, [x[i] if is_batched else x for x, is_batched in zip(args, batched, strict=True)], settings)
        for i in range(size)
    ]
    stack = FUNCTIONS[np.stack]
    return tuple([stack(column) for column in zip(*rows, strict=True)]) if type(rows[0]) is tuple else stack(rows)


def recorded(rules: Rules, args: Sequence[Any], settings: Settings) -> Any:
    """Apply an operation, as a node where an argument is traced."""
    if not any(type(x) is Var for x in args):
        return rules.value(args, settings)
    if callable(rules.vjp) and len(args) > 1:
        y = apply(rules.packed, apply(pack_p, *args), **settings)
    else:
        y = apply(rules.each, *args, **settings)
    return parts(y) if type(y.value) is tuple else y


# Small things


def several(y: Any) -> tuple[Any, ...]:
    """Return the outputs as a tuple, also where there is one."""
    return y if type(y) is tuple else (y,)


def joined(g: Any) -> Any:
    """Return the cotangents of several outputs as a tuple."""
    return tuple(g) if type(g) is list else g


def holds_nan(g: Any) -> bool:
    """Tell whether there is NaN in what came to a rule in a hurried replay: a cotangent, or one for each output."""
    return any(map(has_nan, g if type(g) is list else (g,)))


def unknown(x: Any) -> Any:
    """Return NaN for a cotangent that calls for care; None where there is no cotangent."""
    return np.full_like(x, np.nan) if moves(x) else None


def moves(x: Any) -> bool:
    """Tell whether a value has a derivative."""
    return dtype_of(x).kind in "fc"


def zeros(x: Any) -> Any:
    return np.zeros(shape_of(x), dtype_of(x))[()]


def asarray(x: Any) -> Any:
    return x if type(x) is Var else np.asarray(x)


def cast(t: Any, x: Any) -> Any:
    """Return `t` with the dtype of `x`."""
    return (
        t if t.dtype == dtype_of(x) else astype(t.real if t.dtype.kind == "c" and dtype_of(x).kind == "f" else t, dtype_of(x))
    )


def number(c: Any, where: str) -> Any:
    """Return what a rule has given as an array, a NumPy scalar or a traced value.

    Raises:
        RuleError: if it is none.
    """
    if type(c) is Var:
        return c
    if not isinstance(c, (np.ndarray, np.generic, float, int, complex)):
        raise RuleError(f"{where} {kind_of(c)}, expected an array")
    return np.asarray(c)[()]


def check_shape_and_dtype(where: str, c: Any, shape: tuple[int, ...], complex_: bool) -> None:
    """Raise unless a cotangent or tangent has the shape that it must have, and is of real numbers, or complex if allowed."""
    if c.shape != shape:
        raise RuleError(f"{where} shape {c.shape}, expected {shape}")
    if c.dtype.kind not in ("biufc" if complex_ else "biuf"):
        raise RuleError(f"{where} dtype {c.dtype}, expected {'numbers' if complex_ else 'real numbers'}")
