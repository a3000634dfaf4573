"""What a compiled function says about wrong arguments, and how it keeps its programs."""

import gc
import warnings
import weakref
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler import function
from tapegrad.compiler.function import jit

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


def test_arguments_that_do_not_fit_the_signature() -> None:
    compiled: Any = jit(step)
    with pytest.raises(TypeError, match="step"):
        compiled()
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        compiled({"w": x}, x, nme=1.0)


def test_names_that_are_none() -> None:
    with pytest.raises(ValueError, match="static_argnames names 'n', but step has the parameters params, x, name"):
        jit(step, static_argnames="n")
    with pytest.raises(ValueError, match="there is no pass named fusion; there are expand, "):
        jit(step, passes=("fusion",))
    with pytest.raises(TypeError, match="must be the name of an argument"):
        jit(step, static_argnames=(1,))  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(TypeError, match="jit"):
        jit(3)  # type: ignore[call-overload]  # likewise


def test_static_arguments_that_cannot_be_hashed() -> None:
    with pytest.raises(TypeError, match="jit of step: a static argument must be hashable, got a list"):
        jit(step, static_argnames="name")({"w": x}, x, name=[1])


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
    for n in range(function.CAPACITY + 10):
        compiled(np.ones(n))
    assert compiled.cache_info().programs == function.CAPACITY
    np.testing.assert_allclose(compiled(np.ones(3)), 3 * np.e)
    misses = compiled.cache_info().misses
    compiled(np.ones(function.CAPACITY + 9))  # the latest
    assert compiled.cache_info().misses == misses


def test_many_traces_are_worth_a_warning_that_names_the_leaf() -> None:
    compiled = jit(step)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(function.HANDFUL - 1):
            compiled({"w": np.ones(n)}, 1.0)
    with pytest.warns(
        RuntimeWarning, match=r"jit of step has traced 8 times: params\['w'\] changed from float64\[6\] to float64\[50\]\. "
    ) as found:
        compiled({"w": np.ones(50)}, 1.0)
    assert found[0].filename == __file__
    compiled = jit(step, static_argnames="name")
    with pytest.warns(RuntimeWarning, match="a static argument changed from .*6.* to .*7"):
        for n in range(function.HANDFUL):
            compiled({"w": x}, x, name=n)
    compiled = jit(step)
    with pytest.warns(RuntimeWarning, match=r"the tree of the arguments changed from .*'k6'.* to .*'k7'"):
        for n in range(function.HANDFUL):
            compiled({"w": x, f"k{n}": x}, x)


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
