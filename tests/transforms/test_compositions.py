"""Transforms compose: random towers of up to four of them agree with JAX's, on functions of three numbers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg

jax = pytest.importorskip("jax")
jnp = jax.numpy
jax.config.update("jax_enable_x64", True)

X = np.array([0.3, -0.7, 1.1])
V = np.array([1.0, -0.5, 0.25])
C = np.array([0.5, 2.0, -1.0])
M = np.array([[0.2, -0.1, 0.4], [0.3, 0.5, -0.2], [-0.6, 0.1, 0.3]])

Function = Callable[[Any], Any]

BASES: dict[str, Callable[[Any, Any], Any]] = {
    "sines": lambda lib, x: lib.sin(x) * x,
    "mixed": lambda lib, x: lib.tanh(M @ x) + x[0] * x[::-1],
    "powers": lambda lib, x: x**3 - 2.0 * x * lib.exp(-x),
    "shapes": lambda lib, x: lib.concatenate([x[1:] * x[:1], lib.reshape(x, (3, 1))[0] ** 2]),
    "where": lambda lib, x: lib.where(x > 0, lib.sqrt(lib.where(x > 0, x, 1.0)), x * x),
    "sums": lambda lib, x: lib.cumsum(x) * lib.max(x) + lib.mean(x * x),
    "softmax": lambda lib, x: lib.exp(x - lib.max(x)) / lib.sum(lib.exp(x - lib.max(x))),
}


def of_checkpoint(kit: Any, f: Function) -> Function:
    return kit.checkpoint(f)  # type: ignore[no-any-return]  # a function, in both libraries


def of_scan(kit: Any, f: Function) -> Function:
    scan = kit.scan if kit is tg else jax.lax.scan
    lib = np if kit is tg else jnp
    return lambda x: scan(lambda c, k: (f(c) * 0.5, c * k), x, lib.array([1.0, 2.0]))[1].sum(0)


def of_cond(kit: Any, f: Function) -> Function:
    cond = kit.cond if kit is tg else jax.lax.cond
    return lambda x: cond(x[0] > 0.1, lambda y: f(y), lambda y: y * y, x)


def of_custom_vjp(kit: Any, f: Function) -> Function:
    g = kit.custom_vjp(lambda x: f(x))
    g.defvjp(lambda x: (f(x), x), lambda x, c: (kit.vjp(f, x)[1](c)[0],))
    return g  # type: ignore[no-any-return]  # a function, in both libraries


TRANSFORMS: dict[str, Callable[[Any, Function], Function]] = {
    "grad": lambda kit, f: kit.grad(lambda x: (f(x) * C).sum()),
    "value_and_grad": lambda kit, f: lambda x: kit.value_and_grad(lambda y: (f(y) * x).sum())(x)[1],
    "jvp": lambda kit, f: lambda x: kit.jvp(f, (x,), (V * x,))[1],
    "vjp": lambda kit, f: lambda x: kit.vjp(f, x)[1](C * x)[0],
    "linearize": lambda kit, f: lambda x: kit.linearize(f, x)[1](V),
    "vmap": lambda kit, f: lambda x: kit.vmap(lambda a: f(x * a))(C).sum(0),
    "vmap out": lambda kit, f: lambda x: kit.vmap(f, 1, 1)(M * x[:, None])[:, 1],
    "jacrev": lambda kit, f: lambda x: kit.jacrev(f)(x) @ V,
    "jacfwd": lambda kit, f: lambda x: V @ kit.jacfwd(f)(x),
    "checkpoint": of_checkpoint,
    "scan": of_scan,
    "cond": of_cond,
    "custom_vjp": of_custom_vjp,
}


def tower(kit: Any, lib: Any, base: str, names: list[str]) -> Function:
    f: Function = partial(BASES[base], lib)
    for name in names:
        f = TRANSFORMS[name](kit, f)
    return f


FORWARD = {"jvp", "linearize", "jacfwd"}


def jax_has_it(names: list[str]) -> bool:
    """JAX has no forward mode through its custom_vjp; tapegrad has."""
    return "custom_vjp" not in names or not FORWARD & set(names[names.index("custom_vjp") :])


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_transform_agrees_with_jax(base: str, name: str) -> None:
    np.testing.assert_allclose(tower(tg, np, base, [name])(X), tower(jax, jnp, base, [name])(X), rtol=1e-9, atol=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(BASES)), st.lists(st.sampled_from(sorted(TRANSFORMS)), min_size=2, max_size=4).filter(jax_has_it))
def test_towers_of_transforms_agree_with_jax(base: str, names: list[str]) -> None:
    expected = jax.jit(tower(jax, jnp, base, names))(X)
    np.testing.assert_allclose(tower(tg, np, base, names)(X), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("names", [["custom_vjp", mode] for mode in sorted(FORWARD)])
def test_forward_mode_goes_through_a_reverse_rule(names: list[str]) -> None:
    np.testing.assert_allclose(tower(tg, np, "mixed", names)(X), tower(jax, jnp, "mixed", names[1:])(X), rtol=1e-9)
