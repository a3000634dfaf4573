"""The careful program behind the hopeful one: it runs where NaN appeared, and only there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad import nn
from tapegrad.compiler.function import jit
from tapegrad.compiler.program import PASSES
from tapegrad.scipy.linalg import solve_discrete_lyapunov
from tests.compiler.tracing import NONE, PROGRAMS, agrees, traced


def root(x: Any) -> Any:
    return tnp.sum(tnp.where(x > 0, tnp.sqrt(x), 0.0))


def entropy(x: Any) -> Any:
    return tnp.sum(tnp.where(x > 0, x * tnp.log(x), 0.0) * x)


def padded(x: Any) -> Any:
    """A row whose cotangent is zero meets infinity in a matrix product."""
    weights = tnp.stack([x, 1.0 / x])
    return tnp.sum((tnp.ones((2, 2)) @ weights) * np.array([1.0, 0.0, 1.0]))


def normalised(x: Any) -> Any:
    return tnp.linalg.norm(x) + tnp.std(x) + tnp.linalg.norm(x) ** 2


def highest(x: Any) -> Any:
    """Nothing but NaN among which to choose, no NaN to speak of, and ties."""
    rows = tnp.stack([tnp.where(x > 0, x, np.nan), tnp.where(x > 2, 2 * x, np.nan), x], axis=1)
    return tnp.sum(tnp.nanmax(rows, axis=1) ** 2) + tnp.sum(tnp.nan_to_num(tnp.max(rows, axis=1, keepdims=True))) * tnp.max(x)


def bounded(x: Any) -> Any:
    """Ties, with numbers and with each other, and bounds that are traced."""
    y = tnp.clip(x, 1.0, tnp.sum(x)) + tnp.clip(1.0, x - 3.0, x) + tnp.maximum(x, 4.0) * tnp.minimum(x, x[::-1])
    return tnp.sum(y * y) + tnp.sum(tnp.fmax(x, 1.0 / x) * tnp.where(x > 0, 1.0, 0.0)) + tnp.sum(nn.relu(x - 4.0) * x)


CALM, WILD = np.array([1.0, 4.0, 9.0]), np.array([0.0, 4.0, 1.0])


@pytest.mark.parametrize("f", [root, entropy, padded, normalised, highest, bounded])
@pytest.mark.parametrize(
    "transform", [tg.grad, tg.value_and_grad, tg.jacfwd, tg.hessian, lambda f: tg.grad(lambda x: tnp.sum(tg.grad(f)(x) * x))]
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_both_programs_compute_the_derivatives(f: Callable[[Any], Any], transform: Callable[..., Any]) -> None:
    g = transform(f)
    compiled = jit(g)
    for x in (CALM, WILD, 0.0 * CALM, CALM):
        tg.testing.assert_trees_close(compiled(x), g(x), 1e-12, 1e-14)
    agrees(g, WILD)
    assert compiled.cache_info().programs == 1


def test_the_careful_program_is_made_when_it_is_needed() -> None:
    compiled: Any = jit(tg.grad(root))
    compiled(CALM)
    (program,) = compiled._cache.programs.values()
    assert program.careful is None
    compiled(WILD)
    careful = program.careful
    compiled(0.5 * WILD)
    assert program.careful is careful is not None


def test_what_the_user_does_with_nan_happens_after_it_was_looked_for() -> None:
    def filtered(x: Any) -> Any:
        return tnp.nan_to_num(tg.grad(root)(x), nan=7.0)

    def replaced(x: Any) -> Any:
        g = tg.grad(root)(x)
        return tnp.where(tnp.isnan(g), -1.0, g)

    def compared(x: Any) -> Any:
        return tg.grad(root)(x) > -1.0

    def greatest(x: Any) -> Any:
        return tnp.nanmax(tg.grad(root)(x))

    for f in (filtered, replaced, compared, greatest):
        agrees(f, WILD)


def test_a_nan_that_is_right_is_returned() -> None:
    g = tg.grad(lambda x: tnp.sum(x * x))
    compiled = jit(g)
    x = np.array([1.0, np.nan, 2.0])
    np.testing.assert_array_equal(compiled(x), g(x))
    np.testing.assert_array_equal(compiled(CALM), g(CALM))
    np.testing.assert_array_equal(jit(lambda x: tnp.log(x))(np.array([-1.0, 1.0])), [np.nan, 0.0])


def test_values_warn_of_nothing() -> None:
    np.testing.assert_array_equal(jit(lambda x: 1.0 / x)(np.zeros(2)), np.inf)


def test_the_first_arguments_may_be_the_wild_ones() -> None:
    compiled = jit(tg.value_and_grad(root))
    for x in (WILD, CALM, WILD):
        tg.testing.assert_trees_close(compiled(x), tg.value_and_grad(root)(x))


def test_maps_of_gradients() -> None:
    x = np.stack([CALM, WILD, 0.0 * CALM])
    agrees(tg.vmap(tg.grad(root)), x)
    agrees(tg.vmap(tg.hessian(root)), x)
    agrees(tg.vmap(tg.grad(padded)), x[:2])


ROW = np.array([0.0, 4.0, 1.0])


def steepness(x: Any) -> Any:
    """A gradient, and one at constants that calls for care: no look would find it in a program that runs later."""
    return tg.grad(root)(x) + tg.grad(root)(ROW)


BODIES: dict[str, Callable[[Any], Any]] = {
    "map": lambda x: tg.map(steepness, tnp.stack([x, 2 * x])),
    "map of a gradient": lambda x: tg.map(tg.grad(root), tnp.stack([x, 2 * x])),
    "checkpoint": lambda x: tg.checkpoint(steepness)(x),
    "cond": lambda x: tg.cond(x[1] > -1, steepness, lambda y: y, x),
    "switch": lambda x: tg.switch(0, [steepness], x),
    "fori_loop": lambda x: tg.fori_loop(0, 2, lambda i, y: steepness(x), x),
    "while_loop": lambda x: tg.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, steepness(x)), (0, x))[1],
}


@pytest.mark.parametrize("name", BODIES)
def test_batches_of_bodies_that_were_recorded_with_care_keep_their_guards(name: str) -> None:
    f, x = BODIES[name], np.stack([CALM, WILD])
    expected = np.stack([f(row) for row in x])
    assert np.all(np.isfinite(expected))
    for g in (tg.vmap(f), jit(tg.vmap(f))):
        tg.testing.assert_trees_close(g(x), expected)
    for g in (tg.vmap(tg.vmap(f)), jit(tg.vmap(tg.vmap(f)))):
        tg.testing.assert_trees_close(g(x[None])[0], expected)


def test_a_map_of_gradients_over_traced_rows_is_hopeful_and_gives_up_as_a_whole() -> None:
    def mapped(xs: Any) -> Any:
        return tg.map(tg.grad(root), xs)

    xs = np.stack([CALM, CALM])
    bodies = [settings["loop"].program for primitive, _, _, settings, _ in traced(mapped, xs).steps if primitive.name == "scan"]
    assert [
        name for body in bodies for name in ("guard", "watched") if name in {step[0].name for step in body.instructions}
    ] == ["watched"]
    for rows in (xs, np.stack([WILD, CALM])):
        agrees(mapped, rows)


def test_loops_give_up_as_a_whole() -> None:
    def body(carry: Any, x: Any) -> Any:
        return carry + tg.grad(root)(x), tg.grad(root)(carry)

    def scanned(xs: Any) -> Any:
        return tg.scan(body, np.zeros(3), xs)

    def total(xs: Any) -> Any:
        carry, ys = scanned(xs)
        return tnp.sum(carry) + tnp.sum(ys * ys)

    def branch(x: Any) -> Any:
        return tg.cond(x[0] < 1.0, tg.grad(root), lambda x: x, x)

    for xs in (np.stack([CALM, CALM]), np.stack([WILD, CALM])):
        agrees(scanned, xs)
        agrees(tg.grad(total), xs)
        agrees(branch, xs[0])


def test_a_gradient_that_is_not_wanted_is_not_looked_at() -> None:
    def f(x: Any) -> Any:
        tg.grad(root)(x)
        return x * 2.0

    compiled: Any = jit(f)
    np.testing.assert_array_equal(compiled(WILD), 2.0 * WILD)
    (program,) = compiled._cache.programs.values()
    assert program.careful is None


slopes = tg.grad(root)
ZERO = np.zeros(3)
AT_CONSTANTS: dict[str, Callable[[Any], Any]] = {
    "gradient": lambda x: x * 0.0 + slopes(ZERO),
    "derivative": lambda x: tg.jvp(lambda z: tnp.where(z > 0, tnp.sqrt(z), 0.0), (ZERO,), (ZERO,))[1] + 0.0 * x,
    "body of map": lambda x: tg.map(lambda row: row * 0.0 + slopes(ZERO), x),
    "body of scan": lambda x: tg.scan(lambda carry, row: (carry, slopes(ZERO)), x[0], x),
    "body of fori_loop": lambda x: tg.fori_loop(0, 2, lambda i, y: y * 0.0 + slopes(ZERO), x),
    "body of while_loop": lambda x: tg.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * 0.0 + slopes(ZERO)), (0, x)),
    "branch": lambda x: tg.cond(x[0, 0] > 0, lambda y: y * 0.0 + slopes(ZERO), lambda y: y, x),
    "branch of constants": lambda x: tg.cond(x[0, 0] > 0, slopes, lambda y: y, ZERO),
    "map of constants": lambda x: x * 0.0 + tg.map(slopes, np.zeros((5, 3))),
    "while_loop of constants": lambda x: (
        tg.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, slopes(s[1])), (0, ZERO))[1] + x
    ),
    "map in a map": lambda x: tg.map(lambda row: row + tg.map(slopes, np.zeros((5, 3)))[0], x),
    "vmap of constants": lambda x: x * 0.0 + tg.vmap(slopes)(np.zeros((5, 3))),
    "vmap of constants in a map": lambda x: tg.map(lambda row: row + tg.vmap(slopes)(np.zeros((2, 3)))[0], x),
    "checkpoint": lambda x: tg.checkpoint(lambda z: z * 0.0 + slopes(ZERO))(x),
    "checkpoint of constants": lambda x: x * 0.0 + tg.checkpoint(slopes)(ZERO),
    "gradient of a map": lambda x: tg.grad(lambda x: tnp.sum(tg.map(lambda row: row * slopes(ZERO), x)))(x),
}


@pytest.mark.parametrize("name", AT_CONSTANTS)
@pytest.mark.parametrize("passes", [PASSES, NONE], ids=["all", "none"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_gradients_at_constants_are_looked_at(name: str, passes: tuple[str, ...]) -> None:
    f, x = AT_CONSTANTS[name], np.ones((5, 3))
    assert all(np.all(np.isfinite(y)) for y in tg.tree.leaves(f(x)))
    agrees(f, x, passes=passes)


def sum_of_roots(x: Any) -> Any:
    return tnp.sum(tnp.sqrt(tnp.abs(x)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_gradient_is_looked_at_before_its_memory_is_used_again() -> None:
    """NaN in the first gradient, which decides something, and none in the second, which is computed in its place."""

    def chosen(x: Any) -> Any:
        which = tnp.where(tg.grad(sum_of_roots)(x * 2.0) == 0.0, 5.0, 2.0)
        return which, tg.grad(smooth)(x)

    def smooth(x: Any) -> Any:
        return tnp.sum(tnp.sin(x) * tnp.tanh(x) * x)

    def middle(x: Any) -> Any:
        return tnp.sum(tnp.median(tg.grad(sum_of_roots)(tnp.stack([x, 2.0 * x])), axis=0))

    for passes in PROGRAMS:
        compiled = jit(chosen, passes=passes)
        for x in (CALM, WILD):
            tg.testing.assert_trees_close(compiled(x), chosen(x))
    agrees(tg.value_and_grad(middle), WILD)


# What cannot be computed with NaN, or not in finite time


TABLE = np.arange(5.0)


def taken(x: Any) -> Any:
    """An index is made of a gradient: there is none for NaN."""
    return tnp.take(TABLE, tnp.floor(tnp.sum(tg.grad(root)(x))).astype(int)) * tnp.sum(x)


def taken_in_turns(x: Any) -> Any:
    return tg.scan(lambda c, _: (c, taken(c)), x, None, length=3)


def decomposed(x: Any) -> Any:
    """Eigenvalues and singular values of a matrix with NaN do not converge."""
    slopes = tg.grad(root)(x)
    h = tg.hessian(lambda x: root(x) * tnp.sum(x))(x)
    return tnp.linalg.eigvalsh(h + np.eye(3)), tnp.linalg.svd(tnp.outer(slopes, slopes) + np.eye(3))[1]


def solved(x: Any) -> Any:
    """SciPy's solver, which the rules call too, refuses NaN."""

    def loss(x: Any) -> Any:
        y = solve_discrete_lyapunov(0.1 * np.eye(3), tnp.outer(x, x) + np.eye(3))
        return tnp.sum(tnp.where(np.tri(3) > 0, y, tnp.sqrt(0.0 * y)))

    return tg.grad(loss)(x)


def descended(x: Any) -> Any:
    """The condition holds as long as it is not refuted, which NaN never does."""
    return tg.while_loop(
        lambda x: tnp.logical_not(tnp.sum(tg.grad(entropy)(x) ** 2) <= 30.0), lambda x: x - 0.01 * tg.grad(entropy)(x), x
    )


def halved(x: Any) -> Any:
    """The loop begins with NaN, and another gradient is looked at after it."""
    start = tnp.sum(tg.grad(root)(x))
    scale = tg.while_loop(lambda s: tnp.logical_not(s < 0.1), lambda s: s * 0.5, start)
    return scale, tg.grad(root)(x * scale)


@pytest.mark.parametrize("f", [taken, taken_in_turns, decomposed, solved, descended, halved])
@pytest.mark.parametrize("first", [CALM, WILD])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_refuses_nan_is_computed_with_care(f: Callable[[Any], Any], first: Any) -> None:
    """Bare rules leave NaN where there is none: what raises on it, or runs for ever, must not do so."""
    tg.testing.assert_trees_close(jit(f)(first), f(first), 1e-12, 1e-14)
    compiled, batch = jit(f), np.stack([first, WILD, CALM])
    for x in (first, CALM, WILD, CALM):
        tg.testing.assert_trees_close(compiled(x), f(x), 1e-12, 1e-14)
    rows = [f(x) for x in batch]
    for found in (tg.vmap(f)(batch), jit(tg.vmap(f))(batch)):
        tg.testing.assert_trees_close(found, tg.tree.map(lambda *parts: np.stack(parts), *rows), 1e-12, 1e-14)


def test_what_is_refused_anyway_raises_what_it_raises_uncompiled() -> None:
    """What was donated is not lost by it, if nothing was written there yet."""

    def f(x: Any) -> Any:
        return tnp.linalg.inv(tnp.outer(x, x)), tg.grad(entropy)(x)

    compiled = jit(f, donate_argnames="x")
    x = np.array([1.0, 1.0, 1.0])
    for _ in range(2):
        with pytest.raises(np.linalg.LinAlgError):
            compiled(x)
        assert x.tolist() == [1.0, 1.0, 1.0]
