"""Programs that must not type-check: each line marked `# E:` is an error, for mypy and for pyright, with that in its message.

``# E: one || other`` gives the words of mypy and those of pyright.
"""

# fmt: off

import numpy as np
from attrs import frozen

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.typing import Array


@frozen
class Params:
    weight: Array
    bias: Array


@frozen
class Batch:
    inputs: Array


def loss(params: Params, batch: Batch, *, scale: float = 1.0) -> Array:
    return tnp.sum(batch.inputs @ params.weight + params.bias) * scale


def aux_loss(params: Params, batch: Batch) -> tuple[Array, int]:
    return loss(params, batch), 1


params = Params(np.ones(2), np.ones(2))
batch = Batch(np.ones(2))

# Arguments

tg.grad(loss)(batch, params)  # E: incompatible type "Batch"; expected "Params" || "Batch" is not assignable to "Params"
tg.grad(loss)(params, np.ones(2))  # E: expected "Batch" || is not assignable to "Batch"
tg.grad(loss)(params)  # E: Too few arguments || Argument missing for parameter "batch"
tg.grad(loss)()  # E: Too few arguments || Expected 1 more positional argument
tg.grad(loss)(params, batch, batch)  # E: Too many positional arguments || Expected 2 positional arguments
tg.grad(loss)(params, batch, scales=2.0)  # E: Unexpected keyword argument "scales" || No parameter named "scales"
tg.grad(loss)(params, batch, scale="2")  # E: expected "float" || is not assignable to "float"
tg.value_and_grad(loss)(params, 3)  # E: expected "Batch" || is not assignable to "Batch"
tg.grad(loss, 1)(params, params)  # E: expected "Batch" || is not assignable to "Batch"
tg.grad(loss, (0, 1))(params)  # E: Too few arguments || Expected 1 more positional argument

# What comes back

tg.grad(loss)(params, batch).wieght  # E: "Params" has no attribute "wieght" || Cannot access attribute "wieght" for class "Params"
tg.grad(loss, 1)(params, batch).weight  # E: "Batch" has no attribute "weight" || Cannot access attribute "weight" for class "Batch"
tg.value_and_grad(loss)(params, batch).weight  # E: has no attribute "weight" || Cannot access attribute "weight"
first: Batch = tg.grad(loss)(params, batch)  # E: expression has type "Params", variable has type "Batch" || "Params" is not assignable to "Batch"
second: Params = tg.grad(loss, (0, 1))(params, batch)  # E: variable has type "Params" || is not assignable to "Params"
third: Params = tg.value_and_grad(loss)(params, batch)  # E: variable has type "Params" || is not assignable to "Params"
fourth: tuple[Params, str] = tg.grad(aux_loss, has_aux=True)(params, batch)  # E: tuple[Params, int] || "int" is not assignable to "str"
tg.tree.map(np.zeros_like, params).wieght  # E: "Params" has no attribute "wieght" || Cannot access attribute "wieght" for class "Params"

# What is transformed


def text(params: Params) -> str:
    return "loss"


def pair(params: Params) -> tuple[Array, Array]:
    return params.weight, params.bias


def no_arguments() -> float:
    return 1.0


tg.grad(text)  # E: "S" of "grad" cannot be "str" || "str" is not assignable to type "Scalar"
tg.grad(pair)  # E: "S" of "grad" cannot be "tuple || is not assignable to type "Scalar"
tg.grad(loss, has_aux=True)  # E: No overload variant || No overloads for "grad" match
tg.grad(3.0)  # E: No overload variant || Argument of type "float" cannot be assigned
tg.grad(no_arguments)  # E: incompatible type "Callable[[], float]" || Function accepts too few positional parameters
tg.grad(loss, argnums="params")  # E: expected "int | Sequence[int]" || No overloads for "grad" match


@tg.grad
def slope(params: Params, batch: Batch) -> Array:
    return loss(params, batch)


slope(params)  # E: Missing positional argument "batch" || Argument missing for parameter "batch"
slope(params, batch).nothing  # E: "Params" has no attribute "nothing" || Cannot access attribute "nothing" for class "Params"


@tg.grad  # E: "S" of "grad" cannot be "str" || "str" is not assignable to type "Scalar"
def wrong(params: Params) -> str:
    return "loss"


# Jacobians, loops and tapes


def turn(carried: Array, x: Array) -> tuple[Array, Params]:
    return carried, Params(carried, x)


def as_batch(params: Params) -> Batch:
    return Batch(params.weight)


tg.jacrev(loss)(batch, batch)  # E: incompatible type "Batch"; expected "Params" || "Batch" is not assignable to "Params"
tg.hessian(loss)(params)  # E: Too few arguments || Argument missing for parameter "batch"
tg.record(loss, params)  # E: Missing positional argument "batch" || Argument missing for parameter "batch"
tg.record(loss, batch, batch)  # E: incompatible type "Batch"; expected "Params" || "Batch" is not assignable to "Params"
tg.scan(turn, params, params.weight)  # E: has incompatible type || No overloads for "scan" match
tg.scan(turn, params.weight, params.weight)[1].wieght  # E: has no attribute "wieght" || Cannot access attribute "wieght"
tg.fori_loop(0, "3", lambda k, params: params, params)  # E: has incompatible type "str" || is incompatible with protocol "SupportsIndex"
tg.cond(True, as_batch, as_batch, params).weight  # E: has no attribute "weight" || Cannot access attribute "weight"
tg.vjp(loss, params, batch)[1](params)  # E: incompatible type "Params" || "Params" is not assignable to
tnp.where(params.weight > 0.0, params.weight).shape  # E: No overload variant || No overloads for "where" match
tnp.linspace(0.0, 1.0, retstep=True).shape  # E: has no attribute "shape" || Cannot access attribute "shape"


# Compiled functions

compiled = tg.jit(loss, static_argnames="scale")
compiled(batch, batch)  # E: incompatible type "Batch"; expected "Params" || "Batch" is not assignable to "Params"
compiled(params)  # E: Missing positional argument "batch" || Argument missing for parameter "batch"
compiled(params, batch, scale="2")  # E: expected "float" || is not assignable to "float"
compiled(params, batch, power=2)  # E: Unexpected keyword argument "power" || No parameter named "power"
compiled(params, batch).nothing  # E: has no attribute "nothing" || Cannot access attribute "nothing"
compiled.lower(params)  # E: Missing positional argument "batch" || Argument missing for parameter "batch"
tg.jit(loss, "scale")  # E: No overload variant || No overloads for "jit" match
tg.jit(3.0)  # E: No overload variant || Argument of type "float" cannot be assigned
tg.jit(loss, static_argnames=1)  # E: No overload variant || cannot be assigned to parameter "static_argnames"


@tg.jit(static_argnames="power")
def powers(params: Params, *, power: int) -> Array:
    return params.weight**power


powers(params)  # E: Missing named argument "power" || Argument missing for parameter "power"
powers(params, power=2.0)  # E: expected "int" || is not assignable to "int"


@frozen
class Predictor:
    weight: Array

    @tg.jit
    def predict(self, x: Array, offset: float = 1.0) -> Array:
        return x * self.weight + offset

    @tg.jit(static_argnames="power")
    def raised(self, *, power: int) -> Array:
        return self.weight**power


predictor = Predictor(params.weight)
predictor.predict()  # E: Missing positional argument "x" || Argument missing for parameter "x"
predictor.predict(batch)  # E: incompatible type "Batch" || "Batch" is not assignable to
predictor.predict(params.weight, "1")  # E: expected "float" || is not assignable to "float"
predictor.predict(predictor, params.weight)  # E: incompatible type "Predictor" || "Predictor" is not assignable to
predictor.raised(2)  # E: Too many positional arguments || Expected 0 positional arguments
predictor.raised(power=2.0)  # E: expected "int" || is not assignable to "int"
predictor.predict(params.weight).nothing  # E: has no attribute "nothing" || Cannot access attribute "nothing"
predictor.predict.lower(batch)  # E: incompatible type "Batch" || "Batch" is not assignable to
predictor.predict.cache  # E: has no attribute "cache" || Cannot access attribute "cache"
Predictor.predict(params.weight)  # E: Missing positional argument "x" || Argument missing for parameter "x"
