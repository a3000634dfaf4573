"""The contract: what every primitive guarantees, each guarantee a function that raises AssertionError where it is broken."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen

from tapegrad import tree
from tapegrad.compiler.function import jit
from tapegrad.core.arrays import sum_to
from tapegrad.core.pending import Scatter, Slots
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import apply
from tapegrad.testing import assert_trees_close, check_grads
from tapegrad.transforms.forward import jvp
from tapegrad.transforms.pullback import vjp
from tapegrad.transforms.reverse import grad
from tests.contracts.trials import (
    BY_WAY_OF_OTHERS,
    Trial,
    broadcasting,
    empty,
    generator,
    has_domain,
    has_rule,
    kind_of,
    outputs,
    quiet,
    takes_complex,
    trials,
)

SINGLE = {"float64": np.float32, "complex128": np.complex64}
SPECIAL = (0.0, 1.0, -1.0, np.inf, -np.inf, np.nan)
CUTS = {"stop_gradient", "shared"}
"""Constants by decree: they move with their inputs, and have no derivative all the same."""

BATCH = 5
"""The length of the axis in trials of batch rules: one that no case has."""


@frozen
class Guarantee:
    """One thing that primitives guarantee, and which primitives do."""

    check: Callable[[Primitive], None]
    holds_for: Callable[[Primitive], bool]


def differentiable(primitive: Primitive) -> bool:
    return not primitive.constant and primitive.name not in BY_WAY_OF_OTHERS


def elementwise(primitive: Primitive) -> bool:
    return has_domain(primitive) and differentiable(primitive)


# Derivatives


def forward(primitive: Primitive) -> None:
    """Tangents agree with finite differences."""
    for trial in trials(primitive):
        check_grads(trial.function(), trial.movable, 1, ("fwd",))


def reverse(primitive: Primitive) -> None:
    """Cotangents agree with finite differences."""
    for trial in trials(primitive):
        check_grads(trial.function(), trial.movable, 1, ("rev",))


def transposed(primitive: Primitive) -> None:
    """Forward and reverse rules are transposes of each other, to rounding."""
    random = generator(primitive)
    for trial in trials(primitive):
        check_transposed(trial, random, 1e-10)


def check_transposed(trial: Trial, random: np.random.Generator, rtol: float) -> None:
    y, pull = vjp(trial.function(), *trial.movable)
    ts = tuple(like(random, x) for x in trial.movable)
    gs = tree.map(lambda part: like(random, part), y)
    cs = pull(gs)
    _, pushed = jvp(trial.function(), trial.movable, ts)
    left = sum(inner(c, t) for c, t in zip(cs, ts, strict=True))
    terms = [inner(g, t) for g, t in zip(tree.leaves(gs), tree.leaves(pushed), strict=True)]
    scale = 1.0 + sum(float(np.sum(np.abs(np.multiply(c, t)))) for c, t in zip(cs, ts, strict=True))
    assert abs(left - sum(terms)) <= rtol * scale, f"<pull(g), t> is {left}, but <g, push(t)> is {sum(terms)}"


def second_order(primitive: Primitive) -> None:
    """Each mode differentiates each mode."""
    for trial in trials(primitive):
        check_grads(trial.function(), trial.movable, 2)


def broadcast(primitive: Primitive) -> None:
    """Inputs of different shapes have derivatives of their own shapes."""
    for trial in broadcasting(primitive):
        check_grads(trial.function(), trial.movable, 1)
        check_transposed(trial, generator(primitive), 1e-10)


def complex_numbers(primitive: Primitive) -> None:
    """What accepts complex numbers has derivatives in both parts."""
    for trial in trials(primitive, complex_=True):
        check_grads(trial.function(), trial.movable, 2)


def no_derivative(primitive: Primitive) -> None:
    """A constant stands still when its inputs move a little, and its rules say so."""
    random = generator(primitive)
    for trial in trials(primitive):
        y = trial.value()
        for k, pull in enumerate(primitive.pulls):
            c = pull(like(random, y), y, *trial.args, **trial.settings)
            assert c is None, f"a constant has a cotangent of input {k}: {c}"
        t = primitive.push(trial.args, y, *trial.args, **trial.settings)
        assert t is None, f"a constant has a tangent: {t}"
        if primitive.name in CUTS:
            continue
        for sign in (1e-7, -1e-7):
            moved = [x + sign * like(random, x) if kind_of(x) in "fc" else x for x in trial.args]
            found = primitive.fn(*moved, **trial.settings)
            assert np.array_equal(found, y), f"a constant moves with its inputs: from {y} to {found}"


# Values at the edge


def no_elements(primitive: Primitive) -> None:
    """Arrays without elements have derivatives of their shapes."""
    for trial in empty(primitive):
        check_grads(trial.function(), trial.movable, 1)


def zero_cotangent(primitive: Primitive) -> None:
    """A zero cotangent or tangent contributes nothing, whatever the slope; nor does it in the second order."""
    rules = primitive.careful or primitive.pulls
    arity = len(primitive.domain)
    edges = [sorted({*SPECIAL, *domain}, key=str) for domain in primitive.domain]
    points = np.array(list(itertools.product(*edges))).T if arity <= 2 else np.tile(np.array(SPECIAL), (arity, 1))
    args = [np.ascontiguousarray(x) for x in points]
    with quiet():
        y = primitive.fn(*args)
        zero = np.zeros_like(y)
        for k, rule in enumerate(rules):
            if not has_rule(rule):
                continue
            c = np.asarray(rule(zero, y, *args))
            assert_all_zero(c, args, f"the cotangent of input {k}")
            for x in points.T:  # scalars take another way
                assert_all_zero(
                    np.asarray(rule(np.float64(0.0), primitive.fn(*x), *x)), list(x), f"the cotangent of scalar {k}"
                )
            t = primitive.push([np.zeros_like(x) if i == k else None for i, x in enumerate(args)], y, *args)
            assert_all_zero(np.asarray(t), args, f"the tangent by input {k}")
        trial = Trial(primitive, tuple(args), {})
        f, xs = trial.function(), trial.movable
        second = vjp(lambda *xs: vjp(f, *xs)[1](zero), *xs)[1](tuple(np.ones_like(x) for x in xs))
        for k, c in enumerate(second):
            assert_all_zero(c, args, f"the second derivative by input {k}")


def assert_all_zero(c: Any, args: Sequence[Any], what: str) -> None:
    wrong = np.flatnonzero(c != 0)
    if wrong.size:
        at = [float(np.broadcast_to(x, np.shape(c)).flat[wrong[0]]) for x in args]
        raise AssertionError(f"{what} is {np.ravel(c)[wrong[0]]} at {at}, though what came in is 0")


def careful(primitive: Primitive) -> None:
    """Careful rules agree with bare ones where all is finite."""
    assert primitive.careful is not None
    random = generator(primitive)
    for trial in [
        *trials(primitive),
        *(broadcasting(primitive) if has_domain(primitive) and len(primitive.domain) > 1 else ()),
    ]:
        y = trial.value()
        g = cotangent(random, y)
        for k in trial.moving:
            bare, found = (
                dense(rules[k](g, y, *trial.args, **trial.settings)) for rules in (primitive.pulls, primitive.careful)
            )
            bare, found = (
                c if np.shape(c) == np.shape(trial.args[k]) else sum_to(c, np.shape(trial.args[k])) for c in (bare, found)
            )
            assert np.allclose(bare, found, rtol=1e-12, atol=1e-14), (
                f"the careful cotangent of input {k} is {found}, the bare one {bare}"
            )


def zero_everywhere(primitive: Primitive) -> None:
    """Careful rules make nothing of a cotangent that is nothing, whatever the inputs hold."""
    assert primitive.careful is not None
    for trial in trials(primitive):
        for k, special in itertools.product(trial.moving, SPECIAL):
            x = np.array(trial.args[k])
            x.flat[: x.size // 2 + 1] = special
            args = [*trial.args[:k], x[()], *trial.args[k + 1 :]]
            with quiet():
                y = primitive.fn(*args, **trial.settings)
                for i in trial.moving:
                    c = primitive.careful[i](zeros_like(y), y, *args, **trial.settings)
                    assert np.all(dense(c) == 0), (
                        f"the cotangent of input {i} is {dense(c)} at {args}, though what came in is 0"
                    )


# Dtypes and memory


def single_precision(primitive: Primitive) -> None:
    """float32 in, float32 out, as NumPy has it, from every rule; and the numbers are those of float64, less exact."""
    random = generator(primitive)
    for trial in trials(primitive):
        double = trial.cast({})
        single = trial.cast(SINGLE)
        y, exact = single.value(), double.value()
        if any(x.dtype.name in SINGLE for x in tree.leaves(y) if kind_of(x) in "fc"):
            continue  # float_power and its like: NumPy itself answers in double precision
        assert_single(y, exact, "the output")
        g = cotangent(random, exact)
        ts = [like(random, x) if k in trial.moving else None for k, x in enumerate(trial.args)]
        with quiet():
            for k in trial.moving:
                c = primitive.pulls[k](to_single(g), y, *single.args, **single.settings)
                assert_single(c, primitive.pulls[k](g, exact, *double.args, **double.settings), f"the cotangent of input {k}")
            t = primitive.push(to_single(ts), y, *single.args, **single.settings)
            assert_single(t, primitive.push(ts, exact, *double.args, **double.settings), "the tangent")


def to_single(x: Any) -> Any:
    return tree.map(lambda part: part.astype(SINGLE[part.dtype.name]) if kind_of(part) in "fc" else part, x)


def assert_single(found: Any, exact: Any, what: str) -> None:
    parts, expected = (tree.leaves(parts_of(x)) for x in (found, exact))
    for a, b in zip(parts, expected, strict=True):
        if kind_of(np.asarray(b)) in "fc":
            dtype = np.asarray(a).dtype
            assert np.finfo(dtype).dtype == np.float32, f"{what} of float32 inputs is of {dtype}"
            scale = float(np.max(np.abs(b), initial=1.0))
            assert np.shape(a) == np.shape(b), f"{what} has shape {np.shape(a)}, in float64 {np.shape(b)}"
            assert np.allclose(a, b, rtol=2e-3, atol=1e-4 * scale), f"{what} is {a}, in float64 {b}"


def weak_floats(primitive: Primitive) -> None:
    """Python floats do not widen what they meet, and have derivatives as any other input."""
    trial = trials(primitive)[-1]
    for k in trial.moving:
        args = [float(np.ravel(x)[0]) if i == k else np.asarray(x).astype(np.float32) for i, x in enumerate(trial.args)]
        weak = Trial(primitive, tuple(args), trial.settings)
        y, pull = vjp(weak.function(), *weak.movable)
        if len(args) > 1 and np.asarray(trial.cast(SINGLE).value()).dtype == np.float32:
            assert kind_of(np.asarray(y)) != "f" or y.dtype == np.float32, f"a Python float as input {k} gives {y.dtype}"
        assert np.shape(dict(zip(weak.moving, pull(np.ones_like(y)), strict=True))[k]) == ()
        check_grads(weak.function(), weak.movable, 2)


def nothing_is_written(primitive: Primitive) -> None:
    """Rules write to nothing that they are given."""
    random = generator(primitive)
    for trial in trials(primitive):
        args = [frozen_copy(x) for x in trial.args]
        y = tree.map(frozen_copy, primitive.fn(*args, **trial.settings))
        g = tree.map(frozen_copy, cotangent(random, y))
        ts = [frozen_copy(like(random, x)) if k in trial.moving else None for k, x in enumerate(args)]
        with quiet():
            for rules in (primitive.pulls, primitive.careful or ()):
                for k in trial.moving if rules else ():
                    rules[k](g, y, *args, **trial.settings)
            primitive.push(ts, y, *args, **trial.settings)


def frozen_copy(x: Any) -> Any:
    """Return a copy that must not be written to, of another layout in memory: the axes are in Fortran's order."""
    if not isinstance(x, np.ndarray):
        return x
    copy = np.array(x, order="F")
    copy.flags.writeable = False
    return copy


def any_layout(primitive: Primitive) -> None:
    """The layout of arrays in memory changes nothing."""
    random = generator(primitive)
    for trial in trials(primitive):
        y, pull = vjp(trial.function(), *trial.movable)
        g = tree.map(lambda part: like(random, part), y)
        spaced = evolve(trial, args=tuple(spread_out(x) for x in trial.args))
        found, spaced_pull = vjp(spaced.function(), *spaced.movable)
        assert_trees_close(found, y, 1e-12, 1e-12)
        assert_trees_close(spaced_pull(tree.map(spread_out, g)), pull(g), 1e-10, 1e-12)


def spread_out(x: Any) -> Any:
    """Return an equal array whose elements lie apart in memory, the last axis backwards, the axes in Fortran's order."""
    if not isinstance(x, np.ndarray) or x.ndim == 0:
        return x
    return np.asfortranarray(np.repeat(np.flip(x, -1), 2, axis=-1))[..., ::-2]


# Batches


def batches(primitive: Primitive) -> None:
    """The batch rule computes what a loop computes, whichever inputs have the axis."""
    assert primitive.batch is not None
    random = generator(primitive)
    for trial in [
        *trials(primitive),
        *(broadcasting(primitive) if has_domain(primitive) and len(primitive.domain) > 1 else ()),
    ]:
        arrays = [k for k, x in enumerate(trial.args) if isinstance(x, (np.ndarray, np.generic))]
        subsets = [set(some) for n in range(1, len(arrays) + 1) for some in itertools.combinations(arrays, n)]
        for batched in subsets if len(subsets) <= 7 else [{k} for k in arrays] + [set(arrays)]:
            stacked, rows = batch_of(trial, batched, random)
            found = primitive.batch(stacked, [k in batched for k in range(len(stacked))], **trial.settings)
            loop = [primitive.fn(*row, **trial.settings) for row in rows]
            what = f"inputs {sorted(batched)} batched"
            if type(loop[0]) is tuple:
                for part, expected in zip(found, zip(*loop, strict=True), strict=True):
                    assert_stacked(part, expected, what)
            else:
                assert_stacked(found, loop, what)


def batch_of(trial: Trial, batched: set[int], random: np.random.Generator) -> tuple[list[Any], list[list[Any]]]:
    """Return stacked arguments and, for each example, its own; what has a derivative differs from example to example."""
    rows = [list(trial.args) for _ in range(BATCH)]
    for k in batched:
        for row in rows[1:]:
            if k in trial.moving:
                row[k] = nearby(random, trial, k)
    return [np.stack([row[k] for row in rows]) if k in batched else x for k, x in enumerate(trial.args)], rows


def nearby(random: np.random.Generator, trial: Trial, k: int) -> Any:
    """Return another value for an input: from the domain of an elementwise operation, moved a little otherwise."""
    x = np.asarray(trial.args[k])
    if has_domain(trial.primitive):
        return np.asarray(random.uniform(*trial.primitive.domain[k], x.shape), x.dtype)[()]
    return x[()] + 0.01 * like(random, x)


def assert_stacked(found: Any, expected: Sequence[Any], what: str) -> None:
    stacked = np.stack(expected)
    found = np.asarray(found)
    assert found.shape == stacked.shape, f"{what}: the batch has shape {found.shape}, a loop gives {stacked.shape}"
    assert found.dtype == stacked.dtype, f"{what}: the batch has dtype {found.dtype}, a loop gives {stacked.dtype}"
    assert np.allclose(found, stacked, rtol=1e-9, atol=1e-11, equal_nan=True), (
        f"{what}: the batch is {found}, a loop gives {stacked}"
    )


def batched_derivatives(primitive: Primitive) -> None:
    """The batch rule can be differentiated: on traced values it records."""
    assert primitive.batch is not None
    random = generator(primitive)
    for trial in trials(primitive):
        batched = set(trial.moving)
        if not batched:
            continue
        stacked, rows = batch_of(trial, batched, random)

        def together(*xs: Any, trial: Trial = trial, stacked: list[Any] = stacked) -> Any:
            args = list(stacked)
            for k, x in zip(trial.moving, xs, strict=True):
                args[k] = x
            y = primitive.batch(args, [k in trial.moving for k in range(len(args))], **trial.settings)  # type: ignore[misc]  # not None
            return list(y) if type(y) is tuple else outputs(y)

        y, pull = vjp(together, *[stacked[k] for k in trial.moving])
        g = tree.map(lambda part: like(random, part), y)
        found = pull(g)
        for i, row in enumerate(rows):
            one = evolve(trial, args=tuple(row))
            expected = vjp(one.function(), *one.movable)[1](tree.map(lambda part, i=i: part[i], g))
            for a, b in zip(found, expected, strict=True):
                assert np.allclose(a[i], b, rtol=1e-8, atol=1e-10), f"example {i}: {a[i]}, by itself {b}"


# Programs


def compiled(primitive: Primitive) -> None:
    """What `jit` makes of an operation and of its gradient computes the same, with the same dtypes, twice in a row."""
    random = generator(primitive)
    for trial in [*trials(primitive), *(empty(primitive) if differentiable(primitive) else ())]:
        f, xs = trial.function(), trial.movable
        y = f(*xs)
        assert_compiled(f, xs, "the value")
        if not xs or not differentiable(primitive):
            continue
        weights = tree.map(lambda part: like(random, part), y)

        def total(*xs: Any, f: Callable[..., Any] = f, weights: Any = weights) -> Any:
            pairs = zip(tree.leaves(f(*xs)), tree.leaves(weights), strict=True)
            return sum((np.real(np.sum(w * part)) for part, w in pairs if kind_of(w) in "fc"), 0.0)

        if any(kind_of(part) in "fc" for part in tree.leaves(weights)):
            assert_compiled(grad(total, tuple(range(len(xs)))), xs, "the gradient")


def assert_compiled(f: Callable[..., Any], xs: Sequence[Any], what: str) -> None:
    with quiet():
        expected = f(*xs)
        program = jit(f)
        for found in (program(*xs), program(*xs)):
            try:
                assert_trees_close(found, expected, 1e-9, 1e-11)
            except AssertionError as error:
                raise AssertionError(f"{what} is another one compiled: {error}") from None
            for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
                assert np.asarray(a).dtype == np.asarray(b).dtype, f"{what} has dtype {a.dtype} compiled, {b.dtype} otherwise"


# Helpers


def like(random: np.random.Generator, x: Any) -> Any:
    """Return random normal numbers of the shape and dtype of `x`; zeros where it has no derivative."""
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        return np.zeros(x.shape, x.dtype)[()]
    made = random.normal(size=x.shape) + (1j * random.normal(size=x.shape) if x.dtype.kind == "c" else 0.0)
    return np.asarray(made, x.dtype)[()]


def cotangent(random: np.random.Generator, y: Any) -> Any:
    """Return a cotangent as the replay gives it to a pull: a list where there are several outputs."""
    return [like(random, part) for part in y] if type(y) is tuple else like(random, y)


def zeros_like(y: Any) -> Any:
    return [np.zeros_like(part) for part in y] if type(y) is tuple else np.zeros_like(y)


def inner(a: Any, b: Any) -> float:
    return float(np.sum(np.multiply(a, b)).real)


def dense(c: Any) -> Any:
    """Return a cotangent with the sums that are still pending written out."""
    return c.settle(apply) if type(c) is Scatter else c


def parts_of(c: Any) -> Any:
    return list(c.parts.values()) if type(c) is Slots else dense(c)


GUARANTEES = {
    "forward": Guarantee(forward, differentiable),
    "reverse": Guarantee(reverse, differentiable),
    "transposed": Guarantee(transposed, differentiable),
    "second-order": Guarantee(second_order, differentiable),
    "broadcasting": Guarantee(broadcast, lambda p: elementwise(p) and len(p.domain) > 1),
    "complex": Guarantee(complex_numbers, takes_complex),
    "constant": Guarantee(no_derivative, lambda p: p.constant),
    "no-elements": Guarantee(no_elements, differentiable),
    "careful": Guarantee(careful, lambda p: differentiable(p) and p.careful is not None),
    "zero-cotangent": Guarantee(zero_cotangent, elementwise),
    "zero-everywhere": Guarantee(zero_everywhere, lambda p: not p.broadcasts and p.careful is not None),
    "float32": Guarantee(single_precision, differentiable),
    "weak-floats": Guarantee(weak_floats, elementwise),
    "read-only": Guarantee(nothing_is_written, differentiable),
    "layout": Guarantee(any_layout, differentiable),
    "batch": Guarantee(batches, lambda p: p.batch is not None and p.name not in BY_WAY_OF_OTHERS),
    "batch-derivative": Guarantee(batched_derivatives, lambda p: p.batch is not None and differentiable(p)),
    "compiled": Guarantee(compiled, lambda p: p.name not in BY_WAY_OF_OTHERS),
}
"""Every guarantee by name."""
