"""Rules of the user's own: `custom_vjp` and `custom_jvp`."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, ParamSpec, TypeVar

import numpy as np
from attrs import define, evolve, field

from tapegrad import tree
from tapegrad.core.doubt import has_nan, watched
from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import Primitive
from tapegrad.core.structure import pick_p
from tapegrad.core.var import Var, apply
from tapegrad.errors import RuleError
from tapegrad.transforms.batch import vmap
from tapegrad.transforms.outputs import check_function, kind_of
from tapegrad.transforms.packed import Same, axes_of, pack_p, shared, size_of, slots, spread
from tapegrad.transforms.pullback import vjp
from tapegrad.transforms.ruled import Custom, joined, parted

P = ParamSpec("P")
Out = TypeVar("Out")
R = TypeVar("R", bound=Callable[..., Any])

FORWARD: ContextVar[tuple[Any, ...]] = ContextVar("tapegrad.custom_vjp", default=())
"""The functions with a rule of their own whose forward function is running, the innermost last."""


@define(eq=False, slots=False, repr=False)
class custom_vjp(Custom[P, Out]):  # JAX's name: it is used as a decorator
    """A function whose reverse rule the user gives.

    ``forward(*args)`` returns the output and whatever the rule needs later, a pytree of residuals; it may call the function.
    ``backward(residuals, g)`` returns one cotangent for each argument, a tree like it (None where there is none).

    Args:
        f: the function.
        nondiff_argnums: positions of arguments that are no arrays, such as functions and numbers that say how to compute.
            `forward` takes all arguments as they are; `backward` takes these first, and returns no cotangent for them.

    It can be used under every transform: higher orders differentiate the two functions; forward mode transposes `backward`,
    which is linear in `g`; `vmap` batches both.

    Raises:
        TypeError: when it is called under a transform before `defvjp` was, or with a traced value at `nondiff_argnums`.
        RuleError: if `backward` returns another number of cotangents, another tree or other shapes than the arguments have.

    Example:
        >>> from tapegrad.transforms.reverse import grad
        >>> @custom_vjp
        ... def clipped(x):
        ...     return x * x
        >>> clipped.defvjp(lambda x: (x * x, x), lambda x, g: (np.clip(2 * x * g, -1, 1),))
        >>> grad(clipped)(3.0)
        np.float64(1.0)
    """

    forward: Callable[..., tuple[Any, Any]] | None = field(default=None, init=False)
    backward: Callable[..., Any] | None = field(default=None, init=False)

    def defvjp(self, forward: Callable[..., tuple[Any, Any]], backward: Callable[..., Any]) -> None:
        """Give the rule; see the class."""
        check_function("custom_vjp: the forward function", forward)
        check_function("custom_vjp: the backward function", backward)
        self.forward, self.backward = forward, backward

    def __call__(self, *args: P.args, **settings: P.kwargs) -> Out:
        if CURRENT.get() is None:
            return self.f(*args, **settings)
        name = self.name
        if self.forward is None or self.backward is None:
            raise TypeError(f"custom_vjp: {name} has no rule yet; give one with {name}.defvjp(forward, backward)")
        given = self.positional(args, settings)
        fixed, free = parted("custom_vjp", name, given, self.nondiff_argnums)
        leaves, structure = tree.flatten(free)
        running = FORWARD.get()
        if any(self is other for other in running):
            return self._within(given, name, fixed, leaves, structure)
        token = FORWARD.set((*running, self))
        try:
            made = self.forward(*given)
        finally:
            FORWARD.reset(token)
        if not isinstance(made, tuple) or len(made) != 2:
            raise RuleError(f"custom_vjp: the forward function of {name} must return (output, residuals)")
        results, out_structure = tree.flatten(made[0])
        residuals, residual_structure = tree.flatten(made[1])
        if not any(type(x) is Var for x in leaves):
            outputs = results
        else:
            outputs = own(
                custom_vjp_p,
                leaves,
                results,
                residuals,
                Rule(name, partial(self.backward, *fixed), structure, out_structure, residual_structure),
            )
        out: Out = tree.unflatten(out_structure, outputs)
        return out

    def _within(self, args: Any, name: str, fixed: Any, leaves: Sequence[Any], structure: "tree.Structure[Any]") -> Out:
        """Compute a call by the function's own forward function: what that would make of it is made when the rule is called."""
        f: Callable[..., Any] = self.f
        results, out_structure = tree.flatten(f(*args))
        if any(type(x) is Var for x in leaves):
            forward, backward, positions = self.forward, self.backward, self.nondiff_argnums

            def rule(free: Any, g: Any) -> Any:
                assert forward is not None and backward is not None  # the call that this one is within has looked
                return backward(*fixed, forward(*joined(fixed, free, positions))[1], g)

            results = own(custom_vjp_p, leaves, results, leaves, Rule(name, rule, structure, out_structure, structure))
        out: Out = tree.unflatten(out_structure, results)
        return out


@define(eq=False, slots=False, repr=False)
class custom_jvp(Custom[P, Out]):  # JAX's name: it is used as a decorator
    """A function whose forward rule the user gives; the reverse rule is its transpose.

    ``rule(primals, tangents)``, tuples with one tree an argument, returns the output and its tangent; it is linear in the
    tangents.

    Args:
        f: the function.
        nondiff_argnums: positions of arguments that are no arrays, such as functions and numbers that say how to compute.
            `rule` takes these first, and they are not among the primals.

    Raises:
        TypeError: when it is called under a transform before `defjvp` was, or with a traced value at `nondiff_argnums`.
        RuleError: if the rule returns something else than an output and a tangent like it.

    Example:
        >>> from tapegrad.transforms.reverse import grad
        >>> @custom_jvp
        ... def safe(x):
        ...     return np.log1p(x)
        >>> @safe.defjvp
        ... def safe_jvp(primals, tangents):
        ...     return safe(primals[0]), tangents[0] / (1 + primals[0])
        >>> grad(safe)(1.0)
        np.float64(0.5)
    """

    rule: Callable[..., tuple[Any, Any]] | None = field(default=None, init=False)

    def defjvp(self, rule: R) -> R:
        """Give the rule, which is returned, so that this can be its decorator; see the class."""
        check_function("custom_jvp: the rule", rule)
        self.rule = rule
        return rule

    def __call__(self, *args: P.args, **settings: P.kwargs) -> Out:
        if CURRENT.get() is None:
            return self.f(*args, **settings)
        name = self.name
        if self.rule is None:
            raise TypeError(f"custom_jvp: {name} has no rule yet; give one with {name}.defjvp(rule)")
        given = self.positional(args, settings)
        fixed, free = parted("custom_jvp", name, given, self.nondiff_argnums)
        leaves, structure = tree.flatten(free)
        f: Callable[..., Any] = self.f
        results, out_structure = tree.flatten(f(*given))
        if not any(type(x) is Var for x in leaves):
            outputs = results
        else:
            rule = partial(self.rule, *fixed)
            outputs = own(custom_jvp_p, leaves, results, [], Rule(name, rule, structure, out_structure, tree.structure(())))
        out: Out = tree.unflatten(out_structure, outputs)
        return out


@define(eq=False, repr=False)
class Rule:
    """A user's rule, and the trees of what it takes and gives."""

    name: str
    function: Callable[..., Any]
    structure: "tree.Structure[Any]"
    out_structure: "tree.Structure[Any]"
    residual_structure: "tree.Structure[Any]"


def own(primitive: Primitive, leaves: Sequence[Any], results: Sequence[Any], residuals: Sequence[Any], rule: Rule) -> list[Any]:
    """Record the node of a function with a rule of its own: outputs as they are, arguments and residuals for the rule."""
    check_leaves(
        f"{primitive.name} of {rule.name}: an argument", leaves, "; if it is no array, name its place in nondiff_argnums"
    )
    check_leaves(f"{primitive.name} of {rule.name}: an output", results, "")
    way = "; arguments in nondiff_argnums are given to the backward function as they are"
    check_leaves(f"{primitive.name} of {rule.name}: a residual", residuals, way)
    packed = apply(pack_p, *leaves, *residuals, *results)
    node = apply(primitive, packed, rule=rule, counts=(len(leaves), len(residuals)))
    return [apply(pick_p, node, which=k) for k in range(len(results))]


def check_leaves(what: str, leaves: Sequence[Any], way: str) -> None:
    """Raise for the first leaf that is neither array nor number."""
    for x in leaves:
        if not isinstance(x, (Var, np.ndarray, np.generic, float, int, complex)):
            raise TypeError(f"{what} is {kind_of(x)}, expected an array or a number{way}")


def split(packed: Any, counts: tuple[int, int]) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the arguments, residuals and outputs of a packed value."""
    parts = list(packed)
    leaves, residuals = counts
    return parts[:leaves], parts[leaves : leaves + residuals], parts[leaves + residuals :]


def cotangents(g: Sequence[Any], packed: Any, rule: Rule, counts: tuple[int, int]) -> list[Any]:
    """Run the user's backward function, and return one cotangent a leaf of the arguments."""
    args, residuals, outputs = split(packed, counts)
    complex_ = any(np.result_type(x).kind == "c" for x in map(plain, (*args, *outputs)))
    given = rule.function(tree.unflatten(rule.residual_structure, residuals), tree.unflatten(rule.out_structure, list(g)))
    wanted = tree.unflatten(rule.structure, args)
    if not isinstance(given, (tuple, list)) or len(given) != len(wanted):
        got = f"{len(given)} values" if isinstance(given, (tuple, list)) else f"a {type(given).__name__}"
        raise RuleError(
            f"custom_vjp: the backward function of {rule.name} must return a tuple of {len(wanted)} cotangents, got {got}"
        )
    found: list[Any] = []
    for k, (c, x) in enumerate(zip(given, wanted, strict=True)):
        if c is None:
            found += [None] * len(tree.leaves(x))
            continue
        if tree.structure(c) != tree.structure(x):
            raise RuleError(
                f"custom_vjp: the backward function of {rule.name} returned {tree.structure(c)} for argument {k}, "
                f"expected {tree.structure(x)}"
            )
        for leaf, primal, path in zip(tree.leaves(c), tree.leaves(x), tree.paths(x), strict=True):
            if np.shape(leaf) != np.shape(primal):
                raise RuleError(
                    f"custom_vjp: the backward function of {rule.name} returned shape {np.shape(leaf)} for argument {k}{path}, "
                    f"expected {np.shape(primal)}"
                )
            check_dtype(f"custom_vjp: the backward function of {rule.name} returned for argument {k}{path}", leaf, complex_)
            found.append(leaf)
    return found


def check_dtype(where: str, leaf: Any, complex_: bool) -> None:
    """Raise unless a leaf that a rule returned is of real numbers, or complex ones where such are around."""
    dtype = np.result_type(plain(leaf)) if isinstance(plain(leaf), (np.ndarray, np.generic, float, int, complex)) else None
    if dtype is None or dtype.kind not in ("biufc" if complex_ else "biuf"):
        what = f"dtype {dtype}" if dtype is not None else f"a {type(leaf).__name__}"
        raise RuleError(f"{where} {what}, expected {'numbers' if complex_ else 'real numbers'}")


def plain(x: Any) -> Any:
    return x.value if type(x) is Var else x


def _pull_vjp(g: Any, y: Any, packed: Any, rule: Rule, counts: tuple[int, int]) -> Any:
    return slots(cotangents(watched(g), packed, rule, counts))


def _hurried_pull_vjp(g: Any, y: Any, packed: Any, rule: Rule, counts: tuple[int, int]) -> Any:
    """Bare rules may leave NaN behind, and the user's function need not be linear: it is not shown that NaN, which goes on."""
    if any(map(has_nan, g)):
        args = split(packed, counts)[0]
        return slots([np.full_like(x, np.nan) if np.result_type(x).kind in "fc" else None for x in args])
    return _pull_vjp(g, y, packed, rule, counts)


def _push_vjp(tangents: Sequence[Any], y: Any, packed: Any, rule: Rule, counts: tuple[int, int]) -> Any:
    outputs = split(packed, counts)[2]
    moving = [k for k in range(counts[0]) if tangents[0][k] is not None]

    def transposed(*g: Any) -> tuple[Any, ...]:
        found = cotangents(g, packed, rule, counts)
        return tuple(np.zeros(np.shape(tangents[0][k])) if found[k] is None else found[k] for k in moving)

    _, pull = vjp(transposed, *[np.zeros(np.shape(y), y.dtype) for y in outputs])
    return tuple(pull(tuple(tangents[0][k] for k in moving)))


custom_vjp_p: Primitive = Primitive(
    name="custom_vjp",
    fn=lambda packed, rule, counts: tuple(packed[sum(counts) :]),
    pulls=(_hurried_pull_vjp,),
    careful=(_pull_vjp,),
    push=_push_vjp,
    batch=lambda args, batched, rule, counts: _batch(custom_vjp_p, args[0], counts, _vjp_over(args[0], rule, counts)),
)
"""The outputs of a function, with the reverse rule that the user gave."""


def along(packed: Any, rule: Rule, counts: tuple[int, int], tangents: Sequence[Any]) -> tuple[Any, ...]:
    """Run the user's forward rule along tangents of all arguments, and return the tangents of the outputs."""
    args, _, outputs = split(packed, counts)
    made = rule.function(tree.unflatten(rule.structure, args), tree.unflatten(rule.structure, list(tangents)))
    if not isinstance(made, tuple) or len(made) != 2 or tree.structure(made[1]) != rule.out_structure:
        raise RuleError(
            f"custom_jvp: the rule of {rule.name} must return (output, tangent), the tangent a tree like the output"
        )
    found = tree.leaves(made[1])
    for t, y in zip(found, outputs, strict=True):
        if np.shape(t) != np.shape(y):
            raise RuleError(
                f"custom_jvp: the rule of {rule.name} returned a tangent of shape {np.shape(t)}, expected {np.shape(y)}"
            )
        check_dtype(f"custom_jvp: the rule of {rule.name} returned a tangent of", t, np.result_type(plain(y)).kind == "c")
    return tuple(found)


def _push_jvp(tangents: Sequence[Any], y: Any, packed: Any, rule: Rule, counts: tuple[int, int]) -> Any:
    args = split(packed, counts)[0]
    full = [np.zeros_like(x) if t is None else t for x, t in zip(args, tangents[0], strict=False)]
    return along(packed, rule, counts, watched(full))


def _pull_jvp(g: Any, y: Any, packed: Any, rule: Rule, counts: tuple[int, int]) -> Any:
    args = split(packed, counts)[0]
    zeros = [np.zeros(np.shape(x), np.result_type(plain(x))) for x in args]
    moving = [k for k, zero in enumerate(zeros) if zero.dtype.kind in "fc"]

    def pushed(*given: Any) -> tuple[Any, ...]:
        full = list(zeros)
        for k, t in zip(moving, given, strict=True):
            full[k] = t
        return along(packed, rule, counts, full)

    _, pull = vjp(pushed, *[zeros[k] for k in moving])
    found = dict(zip(moving, pull(tuple(g)), strict=True))
    return slots([found.get(k) for k in range(len(args))])


custom_jvp_p: Primitive = Primitive(
    name="custom_jvp",
    fn=lambda packed, rule, counts: tuple(packed[sum(counts) :]),
    pulls=(_pull_jvp,),
    push=_push_jvp,
    batch=lambda args, batched, rule, counts: _batch(custom_jvp_p, args[0], counts, _jvp_over(args[0], rule, counts)),
)
"""The outputs of a function, with the forward rule that the user gave."""


# Batches


def _batch(primitive: Primitive, parts: Sequence[Any], counts: tuple[int, int], over: Rule) -> Any:
    packed = apply(pack_p, *shared(parts[: sum(counts)]), *spread(parts[sum(counts) :], size_of(parts)))
    node = apply(primitive, packed, rule=over, counts=counts)
    if type(node) is not Var:
        return node
    return tuple(apply(pick_p, node, which=k) for k in range(len(node.value)))


def _vjp_over(parts: Sequence[Any], rule: Rule, counts: tuple[int, int]) -> Rule:
    """Return the backward function on batches; the cotangent of what all examples share is the sum of theirs."""
    size = size_of(parts)
    args, residuals, outputs = split(parts, counts)
    axes = (*axes_of(residuals), *[0] * len(outputs))

    def one(*flat: Any) -> Any:
        kept, g = flat[: len(residuals)], flat[len(residuals) :]
        return rule.function(tree.unflatten(rule.residual_structure, kept), tree.unflatten(rule.out_structure, g))

    def backward(kept: Any, g: Any) -> Any:
        given = vmap(one, in_axes=axes, axis_size=size)(*tree.leaves(kept), *tree.leaves(g))
        if not isinstance(given, (tuple, list)) or len(given) != len(rule.structure.children):
            return given
        of_leaves = iter(args)
        found = []
        for c, like in zip(given, rule.structure.children, strict=True):
            own_parts = [next(of_leaves) for _ in range(like.count)]
            if c is not None and tree.structure(c) == like:
                leaves = zip(tree.leaves(c), own_parts, strict=True)
                c = tree.unflatten(like, [np.sum(leaf, axis=0) if type(x) is Same else leaf for leaf, x in leaves])
            found.append(c)
        return tuple(found)

    return evolve(rule, function=backward)


def _jvp_over(parts: Sequence[Any], rule: Rule, counts: tuple[int, int]) -> Rule:
    """Return the forward rule on batches."""
    size = size_of(parts)
    axes = axes_of(split(parts, counts)[0])

    def one(*flat: Any) -> Any:
        primals, tangents = flat[: len(axes)], flat[len(axes) :]
        return rule.function(tree.unflatten(rule.structure, primals), tree.unflatten(rule.structure, tangents))

    def forward(primals: Any, tangents: Any) -> Any:
        return vmap(one, in_axes=(*axes, *axes), axis_size=size)(*tree.leaves(primals), *tree.leaves(tangents))

    return evolve(rule, function=forward)
