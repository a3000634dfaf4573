"""What a compiled function says about wrong arguments, and how it keeps its programs."""

import gc
import warnings
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import field, frozen

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler import cache
from tapegrad.compiler.function import jit
from tapegrad.errors import LeakedVarError

x = np.arange(3.0)


def step(params: Any, x: Any, *, name: Any = 1.0) -> Any:
    return params["w"] * x * name


# Wrong arguments


def test_leaves_that_are_no_numbers() -> None:
    compiled = jit(step)
    for wrong, what in (
        ("relu", "type str"),
        (np.array(["a"]), "dtype <U1"),
        (np.array([None]), "dtype object"),
        (object(), "type object"),
        (np.datetime64("2020-01-01"), r"dtype datetime64\[D\]"),
        (10**30, "type int"),
    ):
        with pytest.raises(TypeError, match=rf"jit of step: the leaf params\['w'\] has {what}; .* static_argnames"):
            compiled({"w": wrong}, x)
        with pytest.raises(TypeError, match=rf"jit of step: the leaf name has {what}; "):
            compiled({"w": x}, x, name=wrong)


def test_results_that_are_no_numbers() -> None:
    with pytest.raises(TypeError, match="jit of <lambda>: the function must return arrays or numbers, got a str"):
        jit(lambda x: [x, "done"])(x)


class Unregistered:
    """A class that is no pytree."""


class Converts:
    """What NumPy can make an array of."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.ones(3)


def test_leaves_are_refused_with_what_to_do() -> None:
    compiled = jit(step)
    for wrong, what in (
        ("relu", "type str; .* Name the argument in static_argnames if the function is to be traced anew for each"),
        (10**30, "type int; .* An integer must fit into 64 bits: pass a float, or name the argument in static_argnames"),
        (Unregistered(), r"type Unregistered; .* a pytree, .* tapegrad\.tree\.register\), or name params in static_argnames"),
        (Converts(), r"type Converts; .* Pass numpy\.asarray\(x\), or name the argument in static_argnames"),
    ):
        with pytest.raises(TypeError, match=rf"jit of step: the leaf params\['w'\] has {what}"):
            compiled({"w": wrong}, x)


def test_arrays_of_other_libraries_are_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"the leaf x has type Tensor; .* Pass numpy\.asarray\(x\)"):
        jit(step)({"w": x}, torch.ones(3))


def test_a_traced_value_that_was_kept_is_no_argument_and_no_result() -> None:
    kept = []

    def loss(x: Any) -> Any:
        kept.append(x)
        return tnp.sum(x)

    tg.grad(loss)(x)
    with pytest.raises(LeakedVarError, match="outside the transform"):
        jit(lambda x: x * 2.0)(kept[0])
    with pytest.raises(LeakedVarError, match="outside the transform"):
        jit(lambda x: (x, kept[0]))(x)


class Marked(np.ndarray[Any, Any]):
    """A class of arrays that computes as plain ones do."""


class Metres(np.ndarray[Any, Any]):
    """One that does not."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return NotImplemented


def test_arrays_with_an_arithmetic_of_their_own_are_refused() -> None:
    compiled = jit(step)
    masked = np.ma.masked_array(x, mask=[False, True, False])
    for wrong, what in (
        (masked, r"numpy\.ma(\.core)?\.MaskedArray, .*Pass x\.filled\(value\), or x\.data and x\.mask as two"),
        (x.reshape(1, 3).view(np.matrix), r"numpy(\.matrixlib\.defmatrix)?\.matrix, .*Pass numpy\.asarray\(x\)"),
        (x.view(Metres), r"tests\.compiler\.test_calls\.Metres, .*Pass numpy\.asarray\(x\)"),
    ):
        for _ in range(2):
            with pytest.raises(TypeError, match=rf"jit of step: the leaf params\['w'\] is a {what}"):
                compiled({"w": wrong}, x)
            compiled({"w": x}, x)
        with pytest.raises(TypeError, match=f"the leaf name is a {what}"):
            compiled({"w": x}, x, name=wrong)
        with pytest.raises(TypeError, match=f"the leaf w is a {what}"):
            jit(lambda w: w * 2.0, donate_argnames="w")(wrong)


def test_arrays_of_a_class_that_computes_as_arrays_do_are_arrays(tmp_path: Path) -> None:
    compiled = jit(lambda x: x * 2.0)
    on_disk = np.memmap(tmp_path / "x", np.float64, "w+", shape=(3,))
    on_disk[:] = x
    for y in (x.view(Marked), on_disk, x.view(np.recarray)):
        found = compiled(y)
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, 2.0 * x)
        np.testing.assert_array_equal(found, tg.vjp(lambda x: x * 2.0, y)[0])
    assert compiled.cache_info().misses == 1


def test_arguments_that_do_not_fit_the_signature() -> None:
    compiled: Any = jit(step)
    for run in (compiled, compiled.lower):
        with pytest.raises(TypeError, match=r"step\(\) missing 2 required positional arguments: 'params' and 'x'"):
            run()
        with pytest.raises(TypeError, match=r"step\(\) takes 2 positional arguments but 3 were given"):
            run({"w": x}, x, x)
        with pytest.raises(TypeError, match=r"step\(\) got an unexpected keyword argument 'nme'"):
            run({"w": x}, x, nme=1.0)
        with pytest.raises(TypeError, match=r"step\(\) got multiple values for argument 'x'"):
            run({"w": x}, x, x=x)


def test_names_that_are_none() -> None:
    with pytest.raises(ValueError, match="static_argnames names 'n', but step has the parameters params, x, name"):
        jit(step, static_argnames="n")
    with pytest.raises(ValueError, match="donate_argnames names 'n', but step has the parameters params, x, name"):
        jit(step, donate_argnames=["params", "n"])
    with pytest.raises(ValueError, match="donate_argnames names 'x', but <lambda> has the parameters none"):
        jit(lambda: 1.0, donate_argnames="x")
    for passes in ("fusion", ("fuse", "fusion")):
        with pytest.raises(ValueError, match="there is no pass named fusion; there are expand, "):
            jit(step, passes=passes)
    np.testing.assert_array_equal(jit(step, passes="fold")({"w": x}, x), x * x)
    for what in ("static_argnames", "donate_argnames"):
        for wrong in ((1,), 1, [None], b"x"):
            with pytest.raises(TypeError, match=f"{what} must be the name of an argument, or several, got "):
                jit(step, **{what: wrong})  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(TypeError, match="passes must be the name of a pass, or several, got 3"):
        jit(step, passes=3)  # type: ignore[call-overload]  # likewise


def test_any_number_of_arguments_cannot_be_named_as_one() -> None:
    def f(x: Any, *rest: Any, **more: Any) -> Any:
        return x

    for name, shown in (("rest", r"\*rest"), ("more", r"\*\*more")):
        with pytest.raises(ValueError, match=f"static_argnames names '{name}', but {shown} of f are any number of arguments"):
            jit(f, static_argnames=name)
        with pytest.raises(ValueError, match=f"donate_argnames names '{name}', but {shown} of f are any number of arguments"):
            jit(f, donate_argnames=name)
    assert jit(f, static_argnames="other")(1.0, other="one of **more") == 1.0
    with pytest.raises(ValueError, match="static_argnames names 'other', but g has the parameters x, rest"):

        @jit(static_argnames="other")
        def g(x: Any, *rest: Any) -> Any:
            return x


def test_an_argument_cannot_be_static_and_donated() -> None:
    with pytest.raises(ValueError, match=r"jit of step: 'params' is in static_argnames and in donate_argnames, .* Take it out"):
        jit(step, static_argnames=("name", "params"), donate_argnames="params")


def test_only_functions_are_compiled() -> None:
    for wrong, what in ((3, "an int"), ("relu", "a str"), (x, r"an array of shape \(3,\)")):
        with pytest.raises(TypeError, match=f"jit: expected a function, got {what}"):
            jit(wrong)  # type: ignore[call-overload]  # the point of the test
        with pytest.raises(TypeError, match=f"jit: expected a function, got {what}"):
            jit(static_argnames="n")(wrong)  # type: ignore[arg-type]  # likewise
    with pytest.raises(TypeError, match="jit: expected a function, got None"):
        jit()(None)  # type: ignore[arg-type]  # likewise
    decorators: Any = (staticmethod, classmethod)
    for decorator in decorators:
        with pytest.raises(TypeError, match=f"write @{decorator.__name__} above @jit, not below it"):
            jit(decorator(step))


def test_static_arguments_that_cannot_be_hashed() -> None:
    with pytest.raises(
        TypeError, match=r"jit of step: a static argument must be hashable, got a list for name.*: pass a tuple"
    ):
        jit(step, static_argnames="name")({"w": x}, x, name=[1])
    with pytest.raises(TypeError, match=r"must be hashable, got a ndarray for x.*: trace it"):
        jit(step, static_argnames="x")({"w": x}, x)
    with pytest.raises(TypeError, match="must be hashable, got a dict for params"):
        jit(step, static_argnames=["params"]).lower({"w": x}, x)


def test_static_fields_that_cannot_be_hashed() -> None:
    @frozen
    class Layer:
        weight: Any
        sizes: Any = field(default=(), metadata={"tapegrad.static": True})

    with pytest.raises(
        TypeError, match=r"jit of .*: static fields must be hashable, but one of Layer holds a list.*pass a tuple"
    ):
        jit(lambda layers: layers[0].weight)([Layer(x, [1])])
    assert np.array_equal(jit(lambda layers: layers[0].weight)([Layer(x, (1,))]), x)


def test_errors_of_numpy_come_from_the_trace() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        jit(lambda x, y: x + y)(x, np.ones(4))


def test_errors_of_a_program_are_those_of_numpy_and_leave_it_usable() -> None:
    compiled = jit(lambda a: np.linalg.cholesky(a))
    np.testing.assert_allclose(compiled(np.eye(2) * 4.0), np.eye(2) * 2.0)
    for _ in range(3):
        with pytest.raises(np.linalg.LinAlgError):
            compiled(-np.eye(2))
    np.testing.assert_allclose(compiled(np.eye(2) * 4.0), np.eye(2) * 2.0)


# Programs that are kept


def test_a_program_for_each_kind_of_arguments() -> None:
    compiled = jit(lambda x: x * 2)
    given: list[Any] = [x, x.astype(np.float32), x[:2], 1.0, 1, np.float32(1.0), np.array(1.0)]
    for y in given * 2:
        found = compiled(y)
        assert np.result_type(found) == np.result_type(y * 2)
    assert compiled.cache_info()[:3] == (7, 7, 7)
    compiled.clear_cache()
    assert compiled.cache_info() == (0, 0, 0, 0)
    np.testing.assert_array_equal(compiled(x), x * 2)


@pytest.mark.filterwarnings("ignore:jit of:RuntimeWarning")
def test_the_programs_that_are_kept_are_bounded() -> None:
    compiled = jit(lambda x: tnp.sum(tnp.exp(x)))
    for n in range(cache.CAPACITY + 10):
        compiled(np.ones(n))
    assert compiled.cache_info().programs == cache.CAPACITY
    np.testing.assert_allclose(compiled(np.ones(3)), 3 * np.e)
    misses = compiled.cache_info().misses
    compiled(np.ones(cache.CAPACITY + 9))  # the latest
    assert compiled.cache_info().misses == misses


def test_many_traces_are_worth_a_warning_that_names_the_leaf() -> None:
    compiled = jit(step)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(cache.HANDFUL - 1):
            compiled({"w": np.ones(n)}, 1.0)
    with pytest.warns(
        RuntimeWarning, match=r"jit of step has traced 8 times: params\['w'\] changed from float64\[6\] to float64\[50\]\. "
    ) as found:
        compiled({"w": np.ones(50)}, 1.0)
    assert found[0].filename == __file__
    compiled = jit(step)
    with pytest.warns(
        RuntimeWarning, match=r"the tree of the arguments changed from .*'k6'.* to .*'k7'.*of one structure, or leave"
    ):
        for n in range(cache.HANDFUL):
            compiled({"w": x, f"k{n}": x}, x)


def test_many_values_of_a_static_argument_are_worth_a_warning_that_names_it() -> None:
    def power(x: Any, n: int, *, name: Any = "sin", scale: Any = 1.0) -> Any:
        return getattr(tnp, name)(x) ** n * scale

    def retraced(what: str, call: Any) -> None:
        with pytest.warns(RuntimeWarning, match=what) as found:
            for k in range(cache.HANDFUL):
                call(jit_power, k)
        assert found[0].filename == __file__

    jit_power = jit(power, static_argnames=("n", "name"))
    retraced(r"jit of power has traced 8 times: the static argument n changed from 6 to 7\. Each", lambda f, k: f(x, k))
    jit_power.clear_cache()
    names = ("sin", "cos", "exp", "abs", "sign", "square", "tanh", "arctan")
    retraced("times: the static argument name changed from 'tanh' to 'arctan'", lambda f, k: f(x, n=2, name=names[k]))
    jit_power.clear_cache()
    retraced(r"Each value of it costs a trace; numbers and arrays can be traced \(take it out of", lambda f, k: f(x, k))
    jit_power.clear_cache()
    retraced(
        "the static argument n changed from 6 to 7; the static argument name changed from 'tanh' to 'arctan'; "
        r"x changed from float64\[7\] to float64\[8\]\. ",
        lambda f, k: f(np.ones(k + 1), k, name=names[k]),
    )


def test_a_long_static_argument_is_shown_in_part() -> None:
    compiled = jit(lambda x, shape: x * len(shape), static_argnames="shape")
    with pytest.warns(
        RuntimeWarning, match=r"the static argument shape changed from \(6, 7, .{85,95}\.\.\. to \(7, 8, .{85,95}\.\.\.\. Each"
    ):
        for k in range(cache.HANDFUL):
            compiled(x, tuple(range(k, 100 + k)))


def test_a_warning_about_a_method_names_the_line_of_its_call() -> None:
    @frozen
    class Model:
        weight: Any

        @jit
        def predict(self, x: Any) -> Any:
            return x * self.weight

    with pytest.warns(
        RuntimeWarning, match=r"jit of predict .*: self\.weight changed from float64\[7\] to float64\[8\]"
    ) as found:
        for k in range(cache.HANDFUL):
            Model(np.ones(k + 1)).predict(2.0)
    assert found[0].filename == __file__


def test_arguments_are_not_kept_alive() -> None:
    compiled = jit(tg.grad(lambda x: tnp.sum(tnp.sqrt(x))))
    y = np.ones(3)
    compiled(y)
    alive = weakref.ref(y)
    del y
    gc.collect()
    assert alive() is None


def test_other_arguments_do_not_change_a_program() -> None:
    compiled = jit(lambda x, n: x**n)
    for n in (2, 3, 0, 1):
        np.testing.assert_allclose(compiled(x, n), x**n)
        np.testing.assert_allclose(compiled(x, float(n)), x ** float(n))
    assert compiled.cache_info().misses == 2


def test_a_side_effect_happens_when_it_is_traced() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(x.shape)
        return x

    compiled = jit(f)
    for y in (x, x, x[:2], x, x[:2]):
        compiled(y)
    assert seen == [(3,), (2,)]
