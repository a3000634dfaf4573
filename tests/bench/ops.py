"""Each operation on 10,000 elements: output and cotangents, against the NumPy calls that they consist of.

By hand means: the operation, and its derivative as one writes it in NumPy for this operation alone. The aim is at most three
times that; rows above it are marked.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from attrs import frozen

import tapegrad as tg
from tapegrad.typing import Array
from tests.bench.timing import race

Back = Callable[..., Any]
RNG = np.random.default_rng(0)
V = RNG.normal(size=10_000)
U = RNG.uniform(0.2, 0.8, size=10_000)
M = RNG.normal(size=(100, 100))
N = RNG.normal(size=(100, 100))
S = M @ M.T + 100 * np.eye(100)
WHERE = RNG.integers(0, 10_000, size=10_000)
MASK = V > 0
KNOTS: Array = np.linspace(-5, 5, 50)
HEIGHTS: Array = RNG.normal(size=50)
LIMIT = 3.0
REPEAT = 10


@frozen
class Row:
    """An operation, its arguments, and by hand: ``back(g, y, *args)`` returns the cotangents."""

    name: str
    f: Callable[..., Any]
    args: tuple[Array, ...]
    back: Back

    def by_tape(self, g: Any) -> Any:
        return tg.vjp(lambda *args: [self.f(*args) for _ in range(REPEAT)], *self.args)[1]([g] * REPEAT)

    def by_hand(self, g: Any) -> Any:
        outputs = [self.f(*self.args) for _ in range(REPEAT)]
        total: list[Any] = []
        for y in reversed(outputs):
            c = self.back(g, y, *self.args)
            cs = c if type(c) is tuple else (c,)
            total = [a + b for a, b in zip(total, cs, strict=True)] if total else list(cs)
        return total


def scattered(g: Any, index: Any, x: Array) -> Array:
    c = np.zeros_like(x)
    np.add.at(c, index, g)
    return c


def placed(g: Any, index: Any, x: Array) -> Array:
    c = np.zeros_like(x)
    c[index] = g
    return c


def through_norm(g: Any, y: Any, x: Array) -> Array:
    c: Array = g * (x / y)
    return c


def through_cholesky(g: Array, y: Array, x: Array) -> Array:
    middle = np.tril(y.T @ g)
    middle[np.diag_indices(100)] /= 2
    solved = np.linalg.solve(y.T, np.linalg.solve(y.T, (middle + middle.T).T).T)
    return solved / 2


ELEMENTWISE: list[tuple[Any, Array, Back]] = [
    (np.negative, V, lambda g, y, x: -g),
    (np.abs, V, lambda g, y, x: g * np.sign(x)),
    (np.square, V, lambda g, y, x: g * (2 * x)),
    (np.sqrt, U, lambda g, y, x: g / (2 * y)),
    (np.cbrt, U, lambda g, y, x: g / (3 * y * y)),
    (np.reciprocal, U, lambda g, y, x: -g * y * y),
    (np.exp, V, lambda g, y, x: g * y),
    (np.exp2, V, lambda g, y, x: g * (y * np.log(2))),
    (np.expm1, V, lambda g, y, x: g * (y + 1)),
    (np.log, U, lambda g, y, x: g / x),
    (np.log2, U, lambda g, y, x: g / (x * np.log(2))),
    (np.log1p, U, lambda g, y, x: g / (1 + x)),
    (np.sin, V, lambda g, y, x: g * np.cos(x)),
    (np.cos, V, lambda g, y, x: -g * np.sin(x)),
    (np.tan, U, lambda g, y, x: g * (1 + y * y)),
    (np.arcsin, U, lambda g, y, x: g / np.sqrt(1 - x * x)),
    (np.arctan, V, lambda g, y, x: g / (1 + x * x)),
    (np.sinh, V, lambda g, y, x: g * np.cosh(x)),
    (np.tanh, V, lambda g, y, x: g * (1 - y * y)),
    (np.arcsinh, V, lambda g, y, x: g / np.sqrt(1 + x * x)),
    (np.arctanh, U, lambda g, y, x: g / (1 - x * x)),
]

BINARY: list[tuple[Any, Array, Array, Back]] = [
    (np.add, V, U, lambda g, y, a, b: (g, g)),
    (np.subtract, V, U, lambda g, y, a, b: (g, -g)),
    (np.multiply, V, U, lambda g, y, a, b: (g * b, g * a)),
    (np.divide, V, U, lambda g, y, a, b: (g / b, -g * y / b)),
    (np.power, U, V, lambda g, y, a, b: (g * b * a ** (b - 1), g * y * np.log(a))),
    (np.maximum, V, U, lambda g, y, a, b: (g * (a > b), g * (a <= b))),
    (np.arctan2, V, U, lambda g, y, a, b: (g * b / (a * a + b * b), -g * a / (a * a + b * b))),
    (np.hypot, V, U, lambda g, y, a, b: (g * a / y, g * b / y)),
    (np.logaddexp, V, U, lambda g, y, a, b: (g * np.exp(a - y), g * np.exp(b - y))),
    (np.fmod, V, U, lambda g, y, a, b: (g, -g * np.trunc(a / b))),
]

OTHERS: list[Row] = [
    Row("sum", np.sum, (V,), lambda g, y, x: np.full(x.shape, g)),
    Row("sum axis", lambda x: np.sum(x, axis=0), (M,), lambda g, y, x: np.broadcast_to(g, x.shape).copy()),
    Row("mean", np.mean, (V,), lambda g, y, x: np.full(x.shape, g / x.size)),
    Row("prod", np.prod, (1 + V / 1e4,), lambda g, y, x: g * y / x),
    Row("max", np.max, (V,), lambda g, y, x: g * (x == y)),
    Row("max axis", lambda x: np.max(x, axis=1), (M,), lambda g, y, x: g[:, None] * (x == y[:, None])),
    Row("var", np.var, (V,), lambda g, y, x: g * 2 / x.size * (x - x.mean())),
    Row("std", np.std, (V,), lambda g, y, x: g / (y * x.size) * (x - x.mean())),
    Row("ptp", np.ptp, (V,), lambda g, y, x: placed(g, x.argmax(), x) - placed(g, x.argmin(), x)),
    Row("nansum", np.nansum, (V,), lambda g, y, x: np.where(np.isnan(x), 0, g)),
    Row("median", np.median, (V,), lambda g, y, x: placed(g / 2, np.argpartition(x, (4999, 5000))[4999:5001], x)),
    Row("percentile", lambda x: np.percentile(x, 30), (V,), lambda g, y, x: placed(g, np.argpartition(x, 2999)[2999], x)),
    Row("cumsum", np.cumsum, (V,), lambda g, y, x: np.cumsum(g[::-1])[::-1]),
    Row("cumprod", np.cumprod, (1 + V / 1e4,), lambda g, y, x: np.cumsum((g * y)[::-1])[::-1] / x),
    Row("diff", np.diff, (V,), lambda g, y, x: np.concatenate([[0], g]) - np.concatenate([g, [0]])),
    Row("trapezoid", np.trapezoid, (V,), lambda g, y, x: np.pad(np.full(9_998, g), 1, constant_values=g / 2)),
    Row("sort", np.sort, (V,), lambda g, y, x: placed(g, np.argsort(x), x)),
    Row("logsumexp", lambda x: np.log(np.sum(np.exp(x))), (V,), lambda g, y, x: g * np.exp(x - y)),
    Row("reshape", lambda x: np.reshape(x, (100, 100)), (V,), lambda g, y, x: g.reshape(x.shape)),
    Row("transpose", lambda x: x.T * 1.0, (M,), lambda g, y, x: (g * 1.0).T),
    Row("concatenate", lambda a, b: np.concatenate([a, b]), (V, U), lambda g, y, a, b: (g[:10_000], g[10_000:])),
    Row("stack", lambda a, b: np.stack([a, b]), (V, U), lambda g, y, a, b: (g[0], g[1])),
    Row("tile", lambda x: np.tile(x, 3), (V,), lambda g, y, x: g.reshape(3, -1).sum(0)),
    Row("repeat", lambda x: np.repeat(x, 3), (V,), lambda g, y, x: g.reshape(-1, 3).sum(1)),
    Row("roll", lambda x: np.roll(x, 7), (V,), lambda g, y, x: np.roll(g, -7)),
    Row("flip", lambda x: np.flip(x) * 1.0, (V,), lambda g, y, x: (g * 1.0)[::-1]),
    Row("pad", lambda x: np.pad(x, 5), (V,), lambda g, y, x: g[5:-5].copy()),
    Row("slice", lambda x: x[10:9_000:2], (V,), lambda g, y, x: placed(g, slice(10, 9_000, 2), x)),
    Row("integer index", lambda x: x[WHERE], (V,), lambda g, y, x: scattered(g, WHERE, x)),
    Row("boolean index", lambda x: x[MASK], (V,), lambda g, y, x: placed(g, MASK, x)),
    Row("take_along_axis", lambda x: np.take_along_axis(x, np.argsort(M), 1), (M,), lambda g, y, x: _along(g, x)),
    Row("where", lambda a, b: np.where(MASK, a, b), (V, U), lambda g, y, a, b: (np.where(MASK, g, 0), np.where(MASK, 0, g))),
    Row("clip", lambda x: np.clip(x, -1, 1), (V,), lambda g, y, x: g * ((x > -1) & (x < 1))),
    Row("diagonal", np.diagonal, (M,), lambda g, y, x: placed(g, np.diag_indices(100), x)),
    Row("tril", np.tril, (M,), lambda g, y, x: np.tril(g)),
    Row("interp", lambda x: np.interp(x, KNOTS, HEIGHTS), (V,), lambda g, y, x: g * _slopes(x)),
    Row("dot", np.dot, (V, U), lambda g, y, a, b: (g * b, g * a)),
    Row("outer", np.outer, (V[:100], U[:100]), lambda g, y, a, b: (g @ b, a @ g)),
    Row("matmul", np.matmul, (M, N), lambda g, y, a, b: (g @ b.T, a.T @ g)),
    Row("einsum", lambda a, b: np.einsum("ij,jk->ik", a, b), (M, N), lambda g, y, a, b: (g @ b.T, a.T @ g)),
    Row("tensordot", lambda a, b: np.tensordot(a, b, 1), (M, N), lambda g, y, a, b: (g @ b.T, a.T @ g)),
    Row("kron", np.kron, (M[:10, :10], N[:10, :10]), lambda g, y, a, b: _through_kron(g, a, b)),
    Row("convolve", lambda a, b: np.convolve(a, b, "valid"), (V, U[:50]), lambda g, y, a, b: _through_convolve(g, a, b)),
    Row("solve", np.linalg.solve, (S, M), lambda g, y, a, b: (lambda c: (-c @ y.T, c))(np.linalg.solve(a.T, g))),
    Row("inv", np.linalg.inv, (S,), lambda g, y, x: -y.T @ g @ y.T),
    Row("slogdet", lambda x: np.linalg.slogdet(x)[1], (S,), lambda g, y, x: g * np.linalg.inv(x).T),
    Row("cholesky", np.linalg.cholesky, (S,), through_cholesky),
    Row("eigvalsh", lambda x: np.linalg.eigh(x)[0], (S,), lambda g, y, x: _through_eigvalsh(g, x)),
    Row("norm", np.linalg.norm, (V,), through_norm),
    Row("fft", lambda x: np.abs(np.fft.fft(x)), (V,), lambda g, y, x: _through_fft(g, x)),
    Row("rfft", lambda x: np.abs(np.fft.rfft(x)), (V,), lambda g, y, x: _through_fft(np.pad(g, (0, 4_999)), x)),
]


def _along(g: Array, x: Array) -> Array:
    c = np.zeros_like(x)
    np.put_along_axis(c, np.argsort(M), g, 1)
    return c


def _slopes(x: Array) -> Array:
    slopes: Array = np.diff(HEIGHTS) / np.diff(KNOTS)
    return slopes[np.clip(np.searchsorted(KNOTS, x) - 1, 0, 48)]


def _through_kron(g: Array, a: Array, b: Array) -> Any:
    blocks = g.reshape(10, 10, 10, 10)
    return np.einsum("ikjl,kl->ij", blocks, b), np.einsum("ikjl,ij->kl", blocks, a)


def _through_convolve(g: Array, a: Array, b: Array) -> Any:
    return np.convolve(g, b[::-1]), np.convolve(a[::-1], g, "valid")


def _through_eigvalsh(g: Array, x: Array) -> Array:
    v = np.linalg.eigh(x)[1]
    c: Array = (v * g) @ v.T
    return c


def _through_fft(g: Array, x: Array) -> Array:
    z = np.fft.fft(x)
    c: Array = np.fft.fft(g * np.conj(z) / np.abs(z)).real
    return c


def rows() -> list[Row]:
    """Return all rows of the table."""
    unary = [Row(f.__name__, f, (x,), back) for f, x, back in ELEMENTWISE]
    binary = [Row(f.__name__, f, (a, b), back) for f, a, b, back in BINARY]
    return unary + binary + OTHERS


def report(rounds: int) -> None:
    """Print the table, the slowest row first, and how many are above the limit."""
    found = []
    for row in rows():
        y = row.f(*row.args)
        g: Any = np.ones_like(y)[()]
        best = race({"tape": partial(row.by_tape, g), "hand": partial(row.by_hand, g)}, rounds)
        found.append((best["tape"] / best["hand"], row.name, best["tape"], best["hand"]))
    print(f"{'operation':<18}{'tapegrad':>12}{'by hand':>12}{'ratio':>9}")
    for ratio, name, tape, hand in sorted(found, reverse=True):
        mark = f"  above {LIMIT:.0f}x" if ratio > LIMIT else ""
        print(f"{name:<18}{tape * 1e6:>9.1f} us{hand * 1e6:>9.1f} us{ratio:>8.2f}x{mark}")
    above = sum(ratio > LIMIT for ratio, *_ in found)
    print(f"\n{len(found)} operations, {above} above {LIMIT:.0f}x")
