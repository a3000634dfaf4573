"""Checks of derivatives and of trees, for this library's tests and for those of its users.

`check_grads` trusts nothing but the function itself: it moves the arguments a little, and compares how far the output moves
with what forward and reverse mode say. Higher orders are the same check on the derivative that the first order has proved.
"""

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.node import argument_names
from tapegrad.errors import TreeError
from tapegrad.transforms.forward import jvp
from tapegrad.transforms.outputs import kind_of
from tapegrad.transforms.pullback import vjp
from tapegrad.typing import Array

P = ParamSpec("P")

PRECISION = {"float16": (1e-1, 5e-2), "float32": (5e-3, 2e-3), "float64": (1e-5, 1e-5), "longdouble": (1e-6, 1e-7)}
"""By dtype: the step of the differences, near the cube root of the rounding error, and the relative error that they make."""


def check_grads(
    f: Callable[P, Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Check derivatives of `f` at `args` against central finite differences along random directions.

    Each leaf of the arguments is moved by itself, and all are moved together. The directions are the same at every call.

    Args:
        f: a function of pytrees of arrays that returns a pytree of arrays; it must be smooth around `args`.
        args: its arguments, pytrees of real or complex floating-point arrays.
        order: how many times to differentiate; each order in each mode, on top of each mode of the order before.
        modes: ``"fwd"`` for `jvp`, ``"rev"`` for `vjp`.
        eps: the step of the differences; by default 1e-5, or what the least precise dtype involved allows.
        rtol: the relative error allowed; by default 1e-5 (2e-3 where float32 is involved).
        atol: the absolute error allowed; by default what rounding does to the differences.

    Raises:
        AssertionError: if a derivative or a value differs; names order, mode, the paths of the leaves, and both numbers.
        TypeError: if `args` is no tuple, a leaf of it is not a floating-point array, or no leaf of the output is one.
        ValueError: if there is no such mode, `order` is not 1 or more, or `eps` not more than 0.

    Example:
        >>> check_grads(lambda x: np.sin(x) * x, (np.array([0.3, 1.0]),))
        >>> check_grads(lambda x: tg.stop_gradient(x) * x, (2.0,), modes=("rev",))
        Traceback (most recent call last):
        ...
        AssertionError: check_grads of <lambda>: order 1, rev: the derivative of the output by x, ... give -0.066...
    """
    if isinstance(modes, str) or not modes or set(modes) - {"fwd", "rev"}:
        raise ValueError(f"check_grads: modes are 'fwd' and 'rev', a tuple of one or both, got {modes!r}")
    if not isinstance(args, (tuple, list)):
        raise TypeError(f"check_grads: args must be a tuple of the arguments, got {kind_of(args)}")
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"check_grads: order must be an integer of 1 or more, got {order!r}")
    if eps is not None and not (isinstance(eps, (int, float)) and eps > 0):
        raise ValueError(f"check_grads: eps must be a number greater than 0, got {eps!r}")
    vjp(f, *args)  # raises for leaves that are not floating-point, in the words of the transform
    call: Callable[..., Any] = f
    names = argument_names(f, tuple(range(len(args))))
    inputs = [name + path for name, arg in zip(names, args, strict=True) for path in tree.paths(arg)]
    leaves, structure = tree.flatten(tuple(args))
    out = call(*args)
    wanted = [np.asarray(y).dtype.kind in "fc" for y in tree.leaves(out)]
    if not any(wanted):
        raise TypeError(f"check_grads: {getattr(f, '__name__', f)} returns no floating-point number that could be checked")
    outputs = [f"the output{path}" for path, is_wanted in zip(tree.paths(out), wanted, strict=True) if is_wanted]

    def flat(xs: list[Any]) -> list[Any]:
        found = tree.leaves(call(*tree.unflatten(structure, xs)))
        return [y for y, is_wanted in zip(found, wanted, strict=True) if is_wanted]

    default_eps, default_rtol = _precision([*leaves, *flat(leaves)])
    check = Check(
        f"check_grads of {getattr(f, '__name__', f)}",
        tuple(modes),
        default_eps if eps is None else eps,
        default_rtol if rtol is None else rtol,
        atol,
    )
    check.run(Flat(flat, inputs, outputs), leaves, order, ())


def assert_trees_close(actual: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-8) -> None:
    """Assert that two pytrees have the same containers, and leaves of equal shapes and close values.

    Args:
        actual: a pytree of arrays or numbers.
        expected: what it should be.
        rtol: the error allowed in an element, relative to the expected one.
        atol: the error allowed in addition. NaN is close to NaN.

    Raises:
        AssertionError: naming the path of the first leaf that differs, and its worst element.

    Example:
        >>> assert_trees_close({"a": np.ones(2)}, {"a": np.array([1.0, 1.5])})
        Traceback (most recent call last):
        ...
        AssertionError: at ['a'][1]: 1.0, expected 1.5
    """
    pairs: list[tuple[Any, Any]] = []
    try:
        tree.map(lambda a, b: pairs.append((a, b)), actual, expected)
    except TreeError as error:
        raise AssertionError(f"the trees differ {error}") from None
    for path, (a, b) in zip(tree.paths(expected), pairs, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            raise AssertionError(f"at {path or 'the root'}: shape {a.shape}, expected {b.shape}")
        if not np.allclose(a, b, rtol, atol, equal_nan=True):
            at = _worst(a, b, rtol * np.abs(b) + atol)
            raise AssertionError(f"at {path + _index(at) or 'the root'}: {a[at]}, expected {b[at]}")


@frozen(eq=False)
class Flat:
    """A function from a list of arrays to a list of arrays, and what those are called."""

    f: Callable[[list[Any]], list[Any]]
    inputs: list[str]
    outputs: list[str]

    def pushed(self) -> "Flat":
        """Return the function from inputs and their tangents to the tangents of the outputs."""
        n = len(self.inputs)
        return Flat(
            lambda xs: jvp(self.f, (xs[:n],), (xs[n:],))[1],
            self.inputs + [f"the tangent of {name}" for name in self.inputs],
            [f"the tangent of {name}" for name in self.outputs],
        )

    def pulled(self) -> "Flat":
        """Return the function from inputs and cotangents of the outputs to the cotangents of the inputs."""
        n = len(self.inputs)
        return Flat(
            lambda xs: vjp(self.f, xs[:n])[1](xs[n:])[0],
            self.inputs + [f"the cotangent of {name}" for name in self.outputs],
            [f"the cotangent of {name}" for name in self.inputs],
        )


@frozen(eq=False)
class Check:
    """One call of `check_grads`: what it allows, and where it stands."""

    name: str
    modes: tuple[str, ...]
    eps: float
    rtol: float
    atol: float | None

    def run(self, function: Flat, xs: list[Any], order: int, done: tuple[str, ...]) -> None:
        """Check the derivatives of `function`, and theirs in turn; `done` are the modes that led to it."""
        random = np.random.default_rng(len(done))
        ts = [_like(random, x) for x in xs]
        gs = [_like(random, np.asarray(y)[()]) for y in function.f(xs)]
        for mode in self.modes:
            where = f"{self.name}: order {len(done) + 1}, {' of '.join((mode, *reversed(done)))}"
            compare = self.forward if mode == "fwd" else self.reverse
            compare(where, function, xs, ts, gs)
            if order > 1:
                derivative, more = (function.pushed(), ts) if mode == "fwd" else (function.pulled(), gs)
                self.run(derivative, xs + more, order - 1, (*done, mode))

    def forward(self, where: str, function: Flat, xs: list[Any], ts: list[Any], gs: list[Any]) -> None:
        """Compare tangents of the outputs, element by element."""
        everything = " and ".join(function.inputs)
        for moving, name in ((None, everything), *enumerate(function.inputs)):
            moved, expected = self.differences(function, xs, ts, moving)
            ys, found = jvp(function.f, (xs,), (moved,))
            self.values(where, function, xs, ys)
            for output, y, t, fd in zip(function.outputs, ys, found, expected, strict=True):
                allowed = self.noise(y) + self.rtol * np.abs(fd)
                if not np.all(np.abs(t - fd) <= allowed):  # so that NaN fails
                    at = _worst(np.asarray(t), fd, allowed)
                    self.fail(where, output + _index(at), name, np.asarray(t)[at], fd[at])

    def reverse(self, where: str, function: Flat, xs: list[Any], ts: list[Any], gs: list[Any]) -> None:
        """Compare, for each input, its cotangent times its tangent with the output's cotangent times its tangent."""
        ys, pull = vjp(function.f, xs)
        self.values(where, function, xs, ys)
        (cotangents,) = pull(gs)
        for k, name in enumerate(function.inputs):
            moved, expected = self.differences(function, xs, ts, k)
            found = _inner(cotangents[k], moved[k])
            fd = sum(_inner(g, t) for g, t in zip(gs, expected, strict=True))
            noise = sum(self.noise(y) * float(np.linalg.norm(g)) for y, g in zip(ys, gs, strict=True))
            if not abs(found - fd) <= noise + self.rtol * abs(fd):
                self.fail(where, " and ".join(function.outputs), name, found, fd)

    def differences(self, function: Flat, xs: list[Any], ts: list[Any], moving: int | None) -> tuple[list[Any], list[Any]]:
        """Return the directions as rounding left them, and the central differences of the outputs along them."""
        h = self.eps
        steps = [h * t if moving is None or moving == k else 0 * t for k, t in enumerate(ts)]
        after = [_moved(x, step) for x, step in zip(xs, steps, strict=True)]
        before = [_moved(x, -step) for x, step in zip(xs, steps, strict=True)]
        directions = [_as(x, _half_difference(a, b, h)) for x, a, b in zip(xs, after, before, strict=True)]
        return directions, [_half_difference(a, b, h) for a, b in zip(function.f(after), function.f(before), strict=True)]

    def noise(self, y: Any) -> float:
        """Return how far the differences of an output may be off by rounding alone."""
        if self.atol is not None:
            return self.atol
        y = np.asarray(y)
        largest = float(np.max(np.abs(y), initial=1.0))
        return 20 * float(np.finfo(y.dtype).eps) * largest / self.eps

    def values(self, where: str, function: Flat, xs: list[Any], ys: list[Any]) -> None:
        """Check that a transform returns the value that the function returns without it."""
        for name, y, plain in zip(function.outputs, ys, function.f(xs), strict=True):
            y, plain = np.asarray(y), np.asarray(plain)
            if y.dtype != plain.dtype or y.shape != plain.shape or not np.allclose(y, plain, self.rtol, equal_nan=True):
                raise AssertionError(
                    f"{where}: {name} under the transform is {y.dtype}{list(y.shape)} {y}, without it {plain.dtype}"
                    f"{list(plain.shape)} {plain}"
                )

    def fail(self, where: str, output: str, by: str, found: Any, expected: Any) -> None:
        """Raise the error that names both numbers."""
        raise AssertionError(
            f"{where}: the derivative of {output} by {by}, along a random direction, is {found}, but finite differences give "
            f"{expected}"
        )


def _precision(values: list[Any]) -> tuple[float, float]:
    """Return step and relative error for the least precise dtype among `values`."""
    reals = [np.zeros((), getattr(x, "dtype", float)).real.dtype for x in values]
    return max((PRECISION.get(dtype.name, PRECISION["longdouble"]) for dtype in reals), default=PRECISION["float64"])


def _like(random: np.random.Generator, x: Any) -> Any:
    """Return random normal numbers of the shape, dtype and type of `x`."""
    if type(x) is float:
        return float(random.normal())
    if x.dtype.kind == "c":
        return _as(x, random.normal(size=x.shape) + 1j * random.normal(size=x.shape))
    return _as(x, random.normal(size=x.shape))


def _as(x: Any, value: Any) -> Any:
    """Return `value` as what `x` is: a Python float, a NumPy scalar or an array of its dtype."""
    if type(x) is float:
        return float(value)
    return np.asarray(value, x.dtype) if isinstance(x, np.ndarray) else x.dtype.type(value)


def _moved(x: Any, step: Any) -> Any:
    return _as(x, x + step)


def _half_difference(a: Any, b: Any, h: float) -> Array:
    wide = np.result_type(a, np.float64)
    difference: Array = np.asarray(np.subtract(a, b, dtype=wide) / (2 * h))
    return difference


def _inner(a: Any, b: Any) -> float:
    return float(np.sum(np.multiply(a, b)).real)


def _worst(a: Array, b: Array, allowed: Array) -> tuple[int, ...]:
    """Return the index at which two arrays are furthest apart, measured by what is allowed; a NaN is further than any."""
    with np.errstate(all="ignore"):
        apart = np.where(np.isnan(a) == np.isnan(b), np.abs(a - b) / np.maximum(allowed, 1e-300), np.inf)
    apart = np.where(np.isnan(apart), 0.0, apart)
    return tuple(int(i) for i in np.unravel_index(np.argmax(apart), apart.shape))


def _index(at: tuple[int, ...]) -> str:
    return f"[{', '.join(str(i) for i in at)}]" if at else ""
