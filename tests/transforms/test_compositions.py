"""Transforms compose: random towers of up to four of them agree with JAX's, up to the third order."""

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
    "trees": lambda lib, x: sum(kit(lib).tree.leaves(kit(lib).tree.map(lib.sin, {"a": x * x[0], "b": (x[::-1], [2.0 * x])}))),
    "indices": lambda lib, x: x[np.array([2, 0, 0])] * x[-1] + at(lib, x),
    "sorted": lambda lib, x: lib.sort(x * x) * lib.flip(lib.sort(x)) + x[lib.argmax(x)],
    "inverse": lambda lib, x: lib.linalg.solve(M + lib.diag(x * x + 1.0), x) * lib.linalg.det(M + lib.outer(x, x)),
    "fourier": lambda lib, x: lib.real(lib.fft.ifft(lib.fft.fft(x) ** 2)) + lib.abs(lib.fft.fft(x)[1]),
    "products": lambda lib, x: lib.einsum("i,ij,j->i", x, M, x * x) + lib.cumprod(x),
    "convolution": lambda lib, x: lib.convolve(x, x * x)[1:4] + lib.tensordot(M, x, 1),
    "scan": lambda lib, x: loops(lib).scan(lambda c, a: (lib.sin(c) * a, c + a), x[0], x)[1] * x,
    "scan of trees": lambda lib, x: scan_of_trees(lib, x),
    "cond": lambda lib, x: loops(lib).cond(x[1] < 0.0, lambda y: y * y[0], lambda y: lib.exp(y), x) + x,
    "switch": lambda lib, x: loops(lib).switch(1, [lambda y: y, lambda y: y**3, lambda y: -y], x),
    "turns": lambda lib, x: loops(lib).fori_loop(0, 3, lambda i, y: lib.tanh(y) * x + i, x),
    "map": lambda lib, x: loops(lib).map(lambda a: a * lib.cos(a * x[0]), x),
    "checkpoint": lambda lib, x: kit(lib).checkpoint(lambda y: {"a": lib.sin(y) * x})(x * x)["a"],
    "custom_vjp": lambda lib, x: rule_backward(lib)(x, 2.0 * x) * x,
    "custom_jvp": lambda lib, x: rule_forward(lib)(x) * x,
}


def kit(lib: Any) -> Any:
    return tg if lib is np else jax


def loops(lib: Any) -> Any:
    return tg if lib is np else jax.lax


def at(lib: Any, x: Any) -> Any:
    return (tg.numpy.at(x) if lib is np else x.at)[np.array([1, 1])].add(x[:2] ** 2)


def scan_of_trees(lib: Any, x: Any) -> Any:
    def body(carry: Any, row: Any) -> Any:
        state = {"s": lib.tanh(M @ carry["s"]) + row["a"], "n": carry["n"] + 1}
        return state, (state["s"] * row["b"], carry["n"])

    start = {"s": x, "n": 0 if lib is np else jnp.asarray(0)}
    last, (ys, counts) = loops(lib).scan(body, start, {"a": M * x, "b": x}, reverse=True)
    return last["s"] + lib.sum(ys, axis=0) + lib.sum(counts)


def rule_backward(lib: Any) -> Any:
    f = kit(lib).custom_vjp(lambda a, b: lib.sin(a) * b)
    f.defvjp(
        lambda a, b: (lib.sin(a) * b, {"a": a, "b": b}),
        lambda kept, g: (g * lib.cos(kept["a"]) * kept["b"], g * lib.sin(kept["a"])),
    )
    return f


def rule_forward(lib: Any) -> Any:
    f = kit(lib).custom_jvp(lambda a: lib.exp(a) * a)
    f.defjvp(lambda primals, tangents: (f(primals[0]), lib.exp(primals[0]) * (1.0 + primals[0]) * tangents[0]))
    return f


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


def of_custom_jvp(kit: Any, f: Function) -> Function:
    g = kit.custom_jvp(lambda x: f(x))
    g.defjvp(lambda primals, tangents: kit.jvp(f, primals, tangents))
    return g  # type: ignore[no-any-return]  # a function, in both libraries


def of_tree(kit: Any, f: Function) -> Function:
    """The gradient by a tree, put together again."""

    def g(x: Any) -> Any:
        parts = kit.grad(lambda t: (f(t["a"] * t["b"][0]) * C).sum())({"a": x, "b": (x[0], None)})
        return parts["a"] + parts["b"][0]

    return g


def of_fori_loop(kit: Any, f: Function) -> Function:
    fori_loop = kit.fori_loop if kit is tg else jax.lax.fori_loop
    lib = np if kit is tg else jnp
    return lambda x: fori_loop(0, 2, lambda i, y: lib.sin(f(y)) + x, x)


def of_map(kit: Any, f: Function) -> Function:
    apply = kit.map if kit is tg else jax.lax.map
    return lambda x: apply(lambda a: f(x * a), C if kit is tg else jnp.asarray(C)).sum(0)


def of_hvp(kit: Any, f: Function) -> Function:
    def product(x: Any) -> Any:
        if kit is tg:
            return tg.hvp(lambda y: (f(y) * C).sum())(x, V)
        return jax.jvp(jax.grad(lambda y: (f(y) * C).sum()), (x,), (jnp.asarray(V),))[1]

    return product


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
    "custom_jvp": of_custom_jvp,
    "tree": of_tree,
    "fori_loop": of_fori_loop,
    "map": of_map,
    "hessian": lambda kit, f: lambda x: kit.hessian(lambda y: (f(y) * C).sum())(x) @ V,
    "hvp": of_hvp,
    "two axes": lambda kit, f: lambda x: kit.vmap(kit.vmap(f, 0, 1), 1)(M[:, :2, None] * x).sum((0, 1)),
}

ORDER = {"grad", "value_and_grad", "jvp", "vjp", "linearize", "jacrev", "jacfwd", "tree"}
"""Transforms that add an order of differentiation; `SECOND` add two."""

SECOND = {"hessian", "hvp"}


def tower(kit: Any, lib: Any, base: str, names: list[str]) -> Function:
    f: Function = partial(BASES[base], lib)
    for name in names:
        f = TRANSFORMS[name](kit, f)
    return f


FORWARD = {"jvp", "linearize", "jacfwd", "hessian", "hvp", "custom_jvp"}


def order(names: list[str]) -> int:
    return sum(name in ORDER for name in names) + 2 * sum(name in SECOND for name in names)


def loops_in(names: list[str]) -> int:
    return sum(name in ("scan", "fori_loop", "map") for name in names)


def jax_has_it(base: str, names: list[str]) -> bool:
    """JAX has no forward mode through its custom_vjp; tapegrad has."""
    names = [base, *names]
    return "custom_vjp" not in names or not FORWARD & set(names[names.index("custom_vjp") :])


@st.composite
def towers(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a function and two to four transforms of it, of the third order at most, which JAX has as well."""
    base = draw(st.sampled_from(sorted(BASES)))
    names = draw(
        st.lists(st.sampled_from(sorted(TRANSFORMS)), min_size=2, max_size=4).filter(
            lambda names: order(names) <= 3 and loops_in(names) <= 2 and jax_has_it(base, names)
        )
    )
    return base, names


PLAIN = ("sines", "mixed", "powers", "shapes", "where", "sums", "softmax")
"""Functions that are no transform or loop themselves: each is tried under every transform."""

ONCE = [(base, [name]) for base in PLAIN for name in TRANSFORMS] + [
    (base, names) for base in BASES for names in (["hessian"], ["grad", "vmap"])
]


@pytest.mark.parametrize(("base", "names"), [(base, names) for base, names in ONCE if jax_has_it(base, names)])
def test_each_transform_and_each_function_agrees_with_jax(base: str, names: list[str]) -> None:
    agrees(base, names, 1e-9)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(towers())
def test_towers_of_transforms_agree_with_jax(tower: tuple[str, list[str]]) -> None:
    agrees(*tower, 1e-7)


def agrees(base: str, names: list[str], rtol: float) -> None:
    expected = np.asarray(jax.jit(tower(jax, jnp, base, names))(X))
    scale = 1.0 + float(np.max(np.abs(expected)))
    np.testing.assert_allclose(tower(tg, np, base, names)(X), expected, rtol=rtol, atol=min(rtol, 1e-9 * scale))


@pytest.mark.parametrize("names", [["custom_vjp", mode] for mode in sorted(FORWARD)])
def test_forward_mode_goes_through_a_reverse_rule(names: list[str]) -> None:
    np.testing.assert_allclose(tower(tg, np, "mixed", names)(X), tower(jax, jnp, "mixed", names[1:])(X), rtol=1e-9)
