"""Histograms under NumPy's names. Counts and edges have no derivative; sums of weights are linear in the weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import concrete, plain
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.count import bincount_p
from tapegrad.typing import Array, ArrayLike


def known(x: Any, name: str) -> Any:
    """Return an argument that is looked at, with plain values in place of traced ones."""
    return type(x)([concrete(part, name) for part in x]) if isinstance(x, (list, tuple)) else concrete(x, name)


def places(sample: Any, edges: Any) -> Any:
    """Return the bin of each element, 0 for one below the edges and the last one for one above."""
    found = np.searchsorted(edges, sample, "right")
    return found - (sample == edges[-1])


def weighted(samples: Sequence[Any], edges: Sequence[Any], weights: Any) -> Any:
    """Return the traced weights summed up in the bins of a grid."""
    if weights.dtype.kind == "c":
        return weighted(samples, edges, np.real(weights)) + 1j * weighted(samples, edges, np.imag(weights))
    shape = [len(edge) + 1 for edge in edges]
    found = [places(sample, edge) for sample, edge in zip(samples, edges, strict=True)]
    bins = np.ravel_multi_index(found, shape)
    sums = apply(bincount_p, weights, bins=bins, length=int(np.prod(shape)))
    return np.reshape(sums, shape)[(slice(1, -1),) * len(shape)]


def as_density(sums: Any, edges: Sequence[Any]) -> Any:
    """Return sums divided by their total and by the volumes of their bins."""
    volume: Any = 1.0
    for k, edge in enumerate(edges):
        volume = volume * np.diff(edge).reshape([-1 if i == k else 1 for i in range(len(edges))])
    return sums / volume / np.sum(sums)


@stands_for(np.histogram)
def histogram(
    a: ArrayLike,
    bins: int | ArrayLike | str = 10,
    range: tuple[float, float] | None = None,
    density: bool | None = None,
    weights: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Histogram of all elements of an array.

    Args:
        a: array of any shape.
        bins: how many bins of equal width, or their edges, or the name of a rule for their number.
        range: where the bins begin and end; at the extremes of `a` by default.
        density: divide by the widths of the bins and the total.
        weights: what each element counts, of the shape of `a`; 1 by default. The derivative by the weights is exact.

    Returns:
        The counts, or sums of weights, of shape ``(bins,)``, and the edges, of shape ``(bins + 1,)``.

    Raises:
        ValueError: if bins, range or weights do not fit.
        ConcretizationError: under `vmap` and `jit`, if `a` depends on the example.

    Example:
        >>> histogram(np.array([1.0, 2.0, 2.5]), bins=[0.0, 2.0, 4.0])[0]
        array([1, 2])
    """
    sample, limits = known(gathered(a), "histogram"), known(bins, "histogram")
    w: Any = gathered(weights)
    if type(w) is not Var:
        hist, edges = np.histogram(sample, limits, range, density=density, weights=w)
        return hist, edges
    sample = np.asarray(sample)
    if w.shape != sample.shape:
        raise ValueError("weights should have the same shape as a.")
    edges = np.histogram_bin_edges(sample, limits, range)
    sums = astype(weighted([sample.ravel()], [edges], np.ravel(w)), w.dtype)
    return as_density(sums, [edges]) if density else sums, edges


@stands_for(np.histogram_bin_edges)
def histogram_bin_edges(
    a: ArrayLike,
    bins: int | ArrayLike | str = 10,
    range: tuple[float, float] | None = None,
    weights: ArrayLike | None = None,
) -> Array:
    """Edges of the bins of a histogram.

    Args:
        a: array of any shape.
        bins: as for `histogram`.
        range: as for `histogram`.
        weights: not used by any rule.

    Returns:
        The edges, of shape ``(bins + 1,)``.

    Example:
        >>> histogram_bin_edges(np.array([1.0, 3.0]), bins=2)
        array([1., 2., 3.])
    """
    w = concrete(gathered(weights), "histogram_bin_edges")
    sample, limits = known(gathered(a), "histogram_bin_edges"), known(bins, "histogram_bin_edges")
    return plain(np.histogram_bin_edges, sample, limits, range, w)


@stands_for(np.histogramdd)
def histogramdd(
    sample: ArrayLike,
    bins: int | Sequence[Any] = 10,
    range: Sequence[Any] | None = None,
    density: bool | None = None,
    weights: ArrayLike | None = None,
) -> tuple[Array, tuple[Array, ...]]:
    """Histogram of points in several dimensions.

    Args:
        sample: points, of shape ``(n, dimensions)``, or a sequence with an array of shape ``(n,)`` for each dimension.
        bins: how many bins of equal width there are in each dimension, or a sequence with that, or edges, for each.
        range: where the bins begin and end in each dimension; at the extremes by default.
        density: divide by the volumes of the bins and the total.
        weights: what each point counts, of shape ``(n,)``; 1 by default. The derivative by the weights is exact.

    Returns:
        The counts, or sums of weights, of the shape of the grid, and the edges in each dimension.

    Raises:
        ValueError: if bins, range or weights do not fit.
        ConcretizationError: under `vmap` and `jit`, if `sample` depends on the example.

    Example:
        >>> histogramdd(np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.9]]), bins=2)[0]
        array([[1., 0.],
               [0., 2.]])
    """
    points, limits = known(sample, "histogramdd"), known(bins, "histogramdd")
    w: Any = gathered(weights)
    if type(w) is not Var:
        hist, found = np.histogramdd(points, limits, range, density=density, weights=w)
        return hist, tuple(found)
    edges = tuple(np.histogramdd(points, limits, range)[1])
    columns = list(points.T) if isinstance(points, np.ndarray) and points.ndim == 2 else list(np.atleast_2d(points))
    if w.shape != columns[0].shape:
        raise ValueError("The weights and list don't have the same length.")
    sums = weighted(columns, edges, w)
    return as_density(sums, edges) if density else sums, edges


@stands_for(np.histogram2d)
def histogram2d(
    x: ArrayLike,
    y: ArrayLike,
    bins: int | Sequence[Any] = 10,
    range: Sequence[Any] | None = None,
    density: bool | None = None,
    weights: ArrayLike | None = None,
) -> tuple[Array, Array, Array]:
    """Histogram of points in the plane.

    Args:
        x: first coordinates, of shape ``(n,)``.
        y: second coordinates, of shape ``(n,)``.
        bins: how many bins of equal width, or edges, for both dimensions; or a pair with that for each.
        range: where the bins begin and end in each dimension; at the extremes by default.
        density: divide by the areas of the bins and the total.
        weights: what each point counts, of shape ``(n,)``; 1 by default. The derivative by the weights is exact.

    Returns:
        The counts, or sums of weights, of the shape of the grid, and the edges in both dimensions.

    Raises:
        ValueError: if the lengths of `x` and `y` differ, or bins, range or weights do not fit.

    Example:
        >>> histogram2d(np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.9]), bins=2)[0]
        array([[1., 0.],
               [0., 2.]])
    """
    first, second = (known(gathered(part), "histogram2d") for part in (x, y))
    if len(first) != len(second):
        raise ValueError("x and y must have the same length.")
    limits: Any = known(bins, "histogram2d")
    if np.ndim(limits) == 1 and len(limits) not in (1, 2):
        limits = [np.asarray(limits)] * 2
    hist, edges = histogramdd([first, second], limits, range, density, weights)
    return hist, edges[0], edges[1]
