"""Programs that type-check: gradients have the types of what they are gradients of."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, assert_type

import numpy as np
from attrs import frozen

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.typing import Array


@frozen
class AttrsParams:
    weight: Array
    bias: Array


@dataclass
class DataParams:
    weight: Array


class TupleParams(NamedTuple):
    weight: Array
    bias: Array


@frozen
class Batch:
    inputs: Array
    targets: Array


# Any pytree class


def attrs_loss(params: AttrsParams, batch: Batch) -> Array:
    return tnp.mean((batch.inputs @ params.weight + params.bias - batch.targets) ** 2)


def data_loss(params: DataParams, x: Array) -> Array:
    return tnp.sum(x @ params.weight)


def tuple_loss(params: TupleParams, x: Array) -> Array:
    return tnp.sum(x @ params.weight + params.bias)


def dict_loss(params: dict[str, Array], x: Array) -> Array:
    return tnp.sum(params["w"] * x)


def nested_loss(params: list[tuple[Array, Array | None]]) -> Array:
    return tnp.sum(params[0][0])


def array_loss(x: Array) -> Array:
    return tnp.sum(x)


attrs_params = AttrsParams(np.ones((2, 1)), np.zeros(1))
batch = Batch(np.ones((3, 2)), np.ones((3, 1)))
x = np.ones((3, 2))

assert_type(tg.grad(attrs_loss)(attrs_params, batch), AttrsParams)
assert_type(tg.grad(attrs_loss)(attrs_params, batch).weight, Array)
assert_type(tg.grad(data_loss)(DataParams(x), x), DataParams)
assert_type(tg.grad(tuple_loss)(TupleParams(x, x), x), TupleParams)
assert_type(tg.grad(dict_loss)({"w": x}, x), dict[str, Array])
assert_type(tg.grad(nested_loss)([(x, None)]), list[tuple[Array, Array | None]])
assert_type(tg.grad(array_loss)(x), Array)

# Losses as Array, NumPy scalar or float


def floating_loss(params: AttrsParams, scale: float) -> np.floating[Any]:
    return np.float64(scale)


def float64_loss(params: AttrsParams) -> np.float64:
    return np.float64(1.0)


def float_loss(params: AttrsParams, scale: float = 1.0) -> float:
    return scale


assert_type(tg.grad(floating_loss)(attrs_params, 2.0), AttrsParams)
assert_type(tg.grad(float64_loss)(attrs_params), AttrsParams)
assert_type(tg.grad(float_loss)(attrs_params), AttrsParams)
assert_type(tg.value_and_grad(attrs_loss)(attrs_params, batch), tuple[Array, AttrsParams])
assert_type(tg.value_and_grad(float64_loss)(attrs_params), tuple[np.float64, AttrsParams])
assert_type(tg.value_and_grad(float_loss)(attrs_params, scale=2.0), tuple[float, AttrsParams])

# argnums


def three(a: AttrsParams, b: dict[str, Array], c: float, *, power: int = 2) -> float:
    return c


assert_type(tg.grad(three, 1)(attrs_params, {}, 1.0), dict[str, Array])
assert_type(tg.grad(three, argnums=2)(attrs_params, {}, 1.0, power=3), float)
assert_type(tg.grad(three, (0,))(attrs_params, {}, 1.0), tuple[AttrsParams])
assert_type(tg.grad(three, (0, 1))(attrs_params, {}, 1.0), tuple[AttrsParams, dict[str, Array]])
assert_type(tg.grad(three, (1, 2))(attrs_params, {}, 1.0), tuple[dict[str, Array], float])
assert_type(tg.grad(three, (0, 2))(attrs_params, {}, 1.0), tuple[AttrsParams, float])
assert_type(tg.grad(three, (0, 1, 2))(attrs_params, {}, 1.0), tuple[AttrsParams, dict[str, Array], float])
assert_type(tg.value_and_grad(three, 1)(attrs_params, {}, 1.0), tuple[float, dict[str, Array]])
assert_type(tg.value_and_grad(three, (0, 1))(attrs_params, {}, 1.0), tuple[float, tuple[AttrsParams, dict[str, Array]]])

# has_aux


def with_aux(params: AttrsParams, batch: Batch) -> tuple[Array, dict[str, int]]:
    return tnp.sum(params.weight), {"n": 3}


def two_with_aux(a: AttrsParams, b: DataParams) -> tuple[float, str]:
    return 1.0, "aux"


assert_type(tg.grad(with_aux, has_aux=True)(attrs_params, batch), tuple[AttrsParams, dict[str, int]])
assert_type(tg.value_and_grad(with_aux, has_aux=True)(attrs_params, batch), tuple[tuple[Array, dict[str, int]], AttrsParams])
assert_type(tg.grad(two_with_aux, 1, has_aux=True)(attrs_params, DataParams(x)), tuple[DataParams, str])
assert_type(
    tg.grad(two_with_aux, (0, 1), has_aux=True)(attrs_params, DataParams(x)), tuple[tuple[AttrsParams, DataParams], str]
)
assert_type(
    tg.value_and_grad(two_with_aux, (0, 1), has_aux=True)(attrs_params, DataParams(x)),
    tuple[tuple[float, str], tuple[AttrsParams, DataParams]],
)

# Decorators, methods, partial


@tg.grad
def slope(params: AttrsParams, batch: Batch) -> Array:
    return attrs_loss(params, batch)


@tg.value_and_grad
def both(params: AttrsParams, batch: Batch) -> Array:
    return attrs_loss(params, batch)


assert_type(slope(attrs_params, batch), AttrsParams)
assert_type(both(attrs_params, batch), tuple[Array, AttrsParams])


class Model:
    def loss(self, params: AttrsParams, scale: float) -> Array:
        return params.weight * scale


assert_type(tg.grad(Model().loss)(attrs_params, 2.0), AttrsParams)
assert_type(tg.grad(Model().loss)(attrs_params, scale=2.0), AttrsParams)
tg.grad(partial(dict_loss, x=x))({"w": x})

# Lambdas, and argnums that are known at run time only

tg.grad(lambda x: x * x)(2.0)
tg.grad(lambda a, b: a * b, argnums=1)(2.0, 3.0)
tg.grad(lambda a, b: (a * b, a), argnums=(0, 1), has_aux=True)(2.0, 3.0)


def chosen(k: int, several: tuple[int, ...]) -> None:
    tg.grad(three, k)(attrs_params, {}, 1.0)
    tg.grad(three, several)(attrs_params, {}, 1.0, power=3)


# Second order, and the other transforms


def curve(x: float) -> float:
    return x**3


assert_type(tg.grad(tg.grad(curve))(2.0), float)
assert_type(tg.vmap(tg.grad(array_loss))(x), Array)
y, pull = tg.vjp(attrs_loss, attrs_params, batch)
assert_type(y, Array)
assert_type(pull(y), tuple[Any, ...])
y, pushed = tg.jvp(array_loss, (x,), (x,))
assert_type(pushed, Array)
value, push = tg.linearize(array_loss, x)
assert_type(push(x), Array)


def with_count(x: Array) -> tuple[Array, int]:
    return array_loss(x), len(x)


assert_type(tg.jvp(with_count, (x,), (x,), has_aux=True), tuple[Array, Array, int])
assert_type(tg.linearize(with_count, x, has_aux=True)[2], int)
assert_type(tg.stop_gradient(attrs_params), AttrsParams)


# Loops and branches have the types of what their functions return


def turn(carried: Array, x: Array) -> tuple[Array, AttrsParams]:
    return carried + x, AttrsParams(carried, x)


def summed(carried: Array, x: Array) -> tuple[Array, float]:
    return carried + x, 1.0


def as_data(params: AttrsParams) -> DataParams:
    return DataParams(params.weight)


assert_type(tg.scan(turn, tnp.ones(2), x), tuple[Array, AttrsParams])
assert_type(tg.scan(summed, tnp.ones(2), x)[1], Array)
assert_type(tg.scan(lambda total, x: (total + x, None), tnp.ones(2), x, reverse=True)[1], None)
assert_type(tg.map(as_data, attrs_params), DataParams)
assert_type(tg.map(float64_loss, attrs_params), Array)
assert_type(tg.cond(True, as_data, as_data, attrs_params), DataParams)
assert_type(tg.switch(0, [as_data, as_data], attrs_params), DataParams)
tg.cond(True, tnp.sin, lambda x: x * 2.0, x)
assert_type(tg.fori_loop(0, tnp.argmax(x), lambda k, params: params, attrs_params), AttrsParams)

# Jacobians keep the arguments; what is made of a lambda can be given to all that take a function

tg.jacrev(turn)(x, x)
tg.hessian(attrs_loss, argnums=(0, 1))(attrs_params, batch=batch)
tg.hvp(lambda p: tg.numpy.sum(p.weight * p.weight))(attrs_params, attrs_params)
tg.vjp(tg.grad(lambda x: tnp.sum(x**3)), x)
tg.jvp(tg.vmap(lambda x: tnp.sum(x**3)), (x,), (x,))
tg.linearize(tg.checkpoint(lambda x: tnp.sum(x**3)), x)
tg.jacfwd(tg.value_and_grad(lambda x: tnp.sum(x**3)))(x)
tg.record(tg.grad(lambda x: tnp.sum(x**3)), x)
tg.testing.check_grads(tg.grad(lambda x: tnp.sum(x**3)), (x,))

# Functions that return something else where a flag is set say what

assert_type(tnp.where(x > 0.0, x, 0.0), Array)
assert_type(tnp.where(x > 0.0), tuple[Array, ...])
assert_type(tnp.clip(x, 0.0, 1.0), Array)
assert_type(tnp.all(tnp.isclose(x, x)), Array)
assert_type(tnp.allclose(x, x), bool)
assert_type(tnp.real(x), Array)
assert_type(tnp.round(x, 2), Array)
assert_type(tnp.trace(x), Array)
assert_type(tnp.linspace(0.0, 1.0, 5), Array)
assert_type(tnp.linspace(0.0, 1.0, 5, retstep=True), tuple[Array, Array])
assert_type(tnp.average(x, 0), Array)
assert_type(tnp.average(x, returned=True), tuple[Array, Array])
assert_type(tnp.atleast_2d(x), Array)
assert_type(tnp.atleast_2d(x, x), tuple[Array, ...])
assert_type(tnp.unique(x), Array)
assert_type(tnp.intersect1d(x, x, return_indices=True), tuple[Array, Array, Array])
assert_type(tnp.polyfit(x[:, 0], x[:, 1], 2), Array)
assert_type(tnp.linalg.qr(x).R, Array)
assert_type(tnp.linalg.qr(x, "r"), Array)
assert_type(tg.scipy.linalg.svd(x), tuple[Array, Array, Array])
assert_type(tg.scipy.linalg.svd(x, compute_uv=False), Array)
assert_type(tg.scipy.linalg.eigh(x), tuple[Array, Array])
assert_type(tg.scipy.linalg.eigh(x, eigvals_only=True), Array)
assert_type(tg.scipy.linalg.pinv(x), Array)
assert_type(tg.scipy.linalg.pinvh(x, return_rank=True), tuple[Array, int])
assert_type(tg.scipy.linalg.eigh_tridiagonal(x[0], x[0]), tuple[Array, Array])

# Trees

leaves, structure = tg.tree.flatten(attrs_params)
assert_type(tg.tree.unflatten(structure, leaves), AttrsParams)
assert_type(tg.tree.map(np.zeros_like, attrs_params), AttrsParams)
vector, unravel = tg.tree.ravel(attrs_params)
assert_type(vector, Array)
assert_type(unravel(vector), AttrsParams)


def training_step(params: AttrsParams, batch: Batch, rate: float) -> AttrsParams:
    gradient = tg.grad(attrs_loss)(params, batch)
    return tg.tree.map(lambda p, g: p - rate * g, params, gradient)


def takes_a_gradient(f: Callable[[AttrsParams, Batch], AttrsParams]) -> None: ...


takes_a_gradient(tg.grad(attrs_loss))

# Compiled functions have the signature of the function


@tg.jit
def compiled_step(params: AttrsParams, batch: Batch, rate: float = 0.1) -> AttrsParams:
    return training_step(params, batch, rate)


@tg.jit(static_argnames="power", donate_argnames=("params",))
def compiled_power(params: AttrsParams, *, power: int) -> tuple[Array, AttrsParams]:
    return params.weight**power, params


assert_type(compiled_step(attrs_params, batch), AttrsParams)
assert_type(compiled_step(attrs_params, batch, rate=0.2), AttrsParams)
assert_type(compiled_power(attrs_params, power=2), tuple[Array, AttrsParams])
assert_type(tg.jit(attrs_loss)(attrs_params, batch), Array)
assert_type(tg.jit(tg.grad(attrs_loss))(attrs_params, batch), AttrsParams)
assert_type(tg.jit(tg.value_and_grad(attrs_loss))(attrs_params, batch), tuple[Array, AttrsParams])
assert_type(tg.jit(training_step, static_argnames=("rate",))(attrs_params, batch, 0.1), AttrsParams)
assert_type(tg.grad(tg.jit(attrs_loss))(attrs_params, batch), AttrsParams)
assert_type(tg.vmap(tg.jit(array_loss))(x), Array)
assert_type(tg.jit(tg.jit(array_loss))(x), Array)
assert_type(compiled_step.cache_info().misses, int)
assert_type(str(compiled_step.lower(attrs_params, batch)), str)
takes_a_gradient(tg.jit(tg.grad(attrs_loss)))

# And methods have that of the function without the object


@frozen
class Predictor:
    weight: Array

    @tg.jit
    def predict(self, x: Array, offset: float = 1.0) -> Array:
        return x * self.weight + offset

    @tg.jit(static_argnames="power", donate_argnames="self")
    def raised(self, *, power: int) -> tuple[Array, "Predictor"]:
        return self.weight**power, self

    @staticmethod
    @tg.jit
    def double(x: Array) -> Array:
        return x * 2.0


predictor = Predictor(np.ones(2))
assert_type(predictor.predict(x), Array)
assert_type(predictor.predict(x, offset=2.0), Array)
assert_type(predictor.raised(power=2), tuple[Array, Predictor])
assert_type(Predictor.predict(predictor, x), Array)
assert_type(predictor.predict.lower(x).flops, int)
assert_type(predictor.predict.cache_info().misses, int)
assert_type(tg.vmap(predictor.predict)(x), Array)
assert_type(tg.jit(predictor.predict)(x), Array)
assert_type(Predictor.double(x), Array)
