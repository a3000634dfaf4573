"""Recursive filters: differentiable in their coefficients, in the signal and in the state that they start from."""

from typing import Any, Literal

import numpy as np
import scipy.signal

from tapegrad.core.arrays import shape_of
from tapegrad.core.primitive import Fn
from tapegrad.core.var import apply
from tapegrad.numpy.shapes import plain
from tapegrad.ops.scipy_signal_filter import lfilter_p
from tapegrad.scipy.arguments import ArrayFn, refused, traced
from tapegrad.typing import Array, ArrayLike

scipy_lfilter: Fn = scipy.signal.lfilter
scipy_lfilter_zi: ArrayFn = scipy.signal.lfilter_zi
scipy_filtfilt: ArrayFn = scipy.signal.filtfilt
scipy_sosfilt: Fn = scipy.signal.sosfilt


def lfilter(b: ArrayLike, a: ArrayLike, x: ArrayLike, axis: int = -1, zi: ArrayLike | None = None) -> Any:
    """Return a signal filtered along an axis: ``a[0] y[n] = b[0] x[n] + b[1] x[n - 1] + ... - a[1] y[n - 1] - ...``.

    Args:
        b: the coefficients of the numerator, a vector.
        a: the coefficients of the denominator, a vector; ``a[0]`` is not 0.
        x: the signal, an array of any rank.
        axis: the axis of time.
        zi: the state of the delays at the beginning, of length ``max(len(a), len(b)) - 1`` along `axis`; at rest by default.

    Returns:
        The filtered signal, in the shape of `x`; if `zi` is given also the state at the end, in the shape of `zi`.

    Raises:
        ValueError: if a coefficient array is no vector, ``a[0]`` is 0, or `zi` has another shape.

    Example:
        >>> lfilter([1.0], [1.0, -0.5], np.array([1.0, 0.0, 0.0]))
        array([1.  , 0.5 , 0.25])
        >>> tg.grad(lambda a: lfilter([1.0], a, np.array([1.0, 0.0, 0.0]))[2])(np.array([1.0, -0.5]))
        array([-0.75, -1.  ])
    """
    arrays = traced(b, a, x, zi)
    if arrays is None:
        return scipy_lfilter(b, a, x, axis, zi)
    top, bottom, signal, state = arrays
    top, bottom = np.atleast_1d(top), np.atleast_1d(bottom)
    if top.ndim != 1 or bottom.ndim != 1 or not -signal.ndim <= axis < signal.ndim or plain(bottom)[0] == 0:
        refused(scipy_lfilter, top, bottom, signal, axis)
    axis %= signal.ndim
    return _filter(top, bottom, signal, axis) if state is None else _continued(top, bottom, signal, axis, state)


def lfilter_zi(b: ArrayLike, a: ArrayLike) -> Array:
    """Return the state of `lfilter` after a long time of input 1: the start that avoids a transient.

    Args:
        b: the coefficients of the numerator, a vector.
        a: the coefficients of the denominator, a vector.

    Returns:
        A vector of length ``max(len(a), len(b)) - 1``.

    Raises:
        ValueError: if an argument is no vector, or `a` is all 0.

    Example:
        >>> lfilter_zi([1.0], [1.0, -0.5])
        array([1.])
    """
    arrays = traced(b, a)
    if arrays is None:
        return scipy_lfilter_zi(b, a)
    top, bottom = (np.atleast_1d(x) for x in arrays)
    if top.ndim != 1 or bottom.ndim != 1 or not np.any(plain(bottom)):
        refused(scipy_lfilter_zi, top, bottom)
    bottom = bottom[int(np.flatnonzero(plain(bottom))[0]) :]
    n = max(len(bottom), len(top))
    if n == 1:
        refused(scipy_lfilter_zi, top, bottom)
    top, bottom = _longer(top / bottom[0], n), _longer(bottom / bottom[0], n)
    # (I - companion(a)^T) z = b[1:] - a[1:] b[0], by substitution
    source = top[1:] - bottom[1:] * top[0]
    first = np.sum(source) / np.sum(bottom)
    sums, totals = np.cumsum(bottom[:-1]), np.cumsum(np.concatenate([np.zeros(1, source.dtype), source[:-1]]))
    state: Array = sums * first - totals
    return state


def filtfilt(
    b: ArrayLike,
    a: ArrayLike,
    x: ArrayLike,
    axis: int = -1,
    padtype: Literal["odd", "even", "constant"] | None = "odd",
    padlen: int | None = None,
    method: Literal["pad", "gust"] = "pad",
    irlen: int | None = None,
) -> Array:
    """Return a signal filtered forwards and then backwards in time, which leaves phases as they are.

    Args:
        b: the coefficients of the numerator, a vector.
        a: the coefficients of the denominator, a vector.
        x: the signal, an array of any rank.
        axis: the axis of time.
        padtype: how the signal is continued at both ends; None: not at all.
        padlen: by how many elements, ``3 * max(len(a), len(b))`` by default.
        method: ``"pad"``; Gustafsson's method, ``"gust"``, has no derivative here.
        irlen: length of the impulse response, for ``"gust"``.

    Returns:
        The filtered signal, of the shape of `x`.

    Raises:
        ValueError: if the signal is not longer than `padlen`.
        NotImplementedError: for ``method="gust"`` on traced values.

    Example:
        >>> filtfilt([0.5, 0.5], [1.0], np.arange(8.0)).round(6)
        array([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    arrays = traced(b, a, x)
    if arrays is None:
        return scipy_filtfilt(b, a, x, axis, padtype, padlen, method, irlen)
    top, bottom, signal = np.atleast_1d(arrays[0]), np.atleast_1d(arrays[1]), arrays[2]
    if method == "gust":
        raise NotImplementedError("filtfilt: Gustafsson's method has no derivative; use method='pad'")
    edge = 0 if padtype is None else 3 * max(len(bottom), len(top)) if padlen is None else padlen
    fits = method == "pad" and padtype in ("odd", "even", "constant", None) and -signal.ndim <= axis < signal.ndim
    if not fits or signal.shape[axis] <= edge:
        refused(scipy_filtfilt, top, bottom, signal, axis, padtype, padlen, method, irlen)
    axis %= signal.ndim
    longer = _extended(signal, edge, axis, padtype)
    state = lfilter_zi(top, bottom).reshape(-1, *(1,) * (signal.ndim - axis - 1))
    y, _ = lfilter(top, bottom, longer, axis, state * _part(longer, axis, 0, 1))
    y, _ = lfilter(top, bottom, _part(y, axis, None, None, -1), axis, state * _part(y, axis, -1, None))
    whole: Array = _part(y, axis, None, None, -1)
    return _part(whole, axis, edge, -edge) if edge else whole


def sosfilt(sos: ArrayLike, x: ArrayLike, axis: int = -1, zi: ArrayLike | None = None) -> Any:
    """Return a signal filtered along an axis by one section of second order after the other.

    Args:
        sos: shape ``(sections, 6)``: for each section three coefficients of the numerator and three of the denominator, the
            first of which is 1.
        x: the signal, an array of any rank.
        axis: the axis of time.
        zi: the state of the sections at the beginning, shape ``(sections, ..., 2, ...)``, with 2 for the length of `axis`.

    Returns:
        The filtered signal, in the shape of `x`; if `zi` is given also the state at the end, in the shape of `zi`.

    Raises:
        ValueError: if `sos` or `zi` has another shape, or a section's fourth coefficient is not 1.

    Example:
        >>> sosfilt(np.array([[1.0, 0.0, 0.0, 1.0, -0.5, 0.0]]), np.array([1.0, 0.0, 0.0]))
        array([1.  , 0.5 , 0.25])
    """
    arrays = traced(sos, x, zi)
    if arrays is None:
        return scipy_sosfilt(sos, x, axis, zi)
    sections, y, start = arrays
    scipy_sosfilt(np.ascontiguousarray(plain(sections)), plain(y), axis, plain(start))  # raises SciPy's errors
    axis %= y.ndim
    states = []
    for k in range(len(sections)):
        top, bottom = sections[k, :3], sections[k, 3:]
        if start is None:
            y = _filter(top, bottom, y, axis)
        else:
            y, state = _continued(top, bottom, y, axis, start[k])
            states.append(state)
    return y if start is None else (y, np.stack(states))


# Helpers


def _filter(b: Any, a: Any, x: Any, axis: int) -> Any:
    return apply(lfilter_p, x, b, a, axis=axis)


def _continued(b: Any, a: Any, x: Any, axis: int, zi: Any) -> tuple[Any, Any]:
    """Return the filtered signal and the last state, from a first state.

    The state is what the past adds to the next few elements of ``B x``; what is left of it after the end is the last state.
    """
    count, length = max(len(a), len(b)) - 1, x.shape[axis]
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if zi.ndim != x.ndim or any(n != m and n != 1 for n, m in zip(zi.shape, shape, strict=True)) or zi.shape[axis] != count:
        refused(scipy_lfilter, b, a, x, axis, zi)
    zi = np.broadcast_to(zi, shape)
    if not count:
        return _filter(b, a, x, axis), zi
    one = np.ones(1, np.result_type(b.dtype, a.dtype))
    rest = np.zeros(shape, x.dtype)
    source = _filter(b, one, np.concatenate([x, rest], axis), axis)
    source = source + a[0] * np.concatenate([zi, np.zeros_like(plain(x))], axis)
    y = _filter(one, a, _part(source, axis, 0, length), axis)
    left = source - _filter(a, one, np.concatenate([y, rest], axis), axis)
    return y, _part(left, axis, length, None) / a[0]


def _longer(x: Any, n: int) -> Any:
    """Return a vector with zeros at its end, up to length `n`."""
    short = n - len(x)
    return np.concatenate([x, np.zeros(short, x.dtype)]) if short else x


def _part(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


def _extended(x: Any, n: int, axis: int, padtype: str | None) -> Any:
    """Return a signal continued by `n` elements at both ends."""
    if padtype is None or not n:
        return x
    first, last = _part(x, axis, 0, 1), _part(x, axis, -1, None)
    if padtype == "constant":
        shape = (*shape_of(x)[:axis], n, *shape_of(x)[axis + 1 :])
        return np.concatenate([np.broadcast_to(first, shape), x, np.broadcast_to(last, shape)], axis)
    before, after = _part(x, axis, n, 0, -1), _part(x, axis, -2, -(n + 2), -1)
    if padtype == "odd":
        before, after = 2 * first - before, 2 * last - after
    return np.concatenate([before, x, after], axis)
