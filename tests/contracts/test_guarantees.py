"""The contract is tested: a primitive that breaks one guarantee fails that one, and a right one passes all."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tapegrad.core.arrays import guard
from tapegrad.core.families import constant, elementwise, linear
from tapegrad.core.primitive import OUT, Into, Primitive, Slot, case
from tapegrad.core.var import apply, unary
from tests.contracts.guarantees import GUARANTEES
from tests.contracts.trials import takes_complex

pytestmark = pytest.mark.usefixtures("temporary")


def right() -> Primitive:
    return elementwise("test", lambda x: x * x, lambda g, y, x: g * (x + x))


def right_product() -> Primitive:
    return elementwise("test", lambda a, b: a * b, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)


def right_linear() -> Primitive:
    p = linear(
        "test",
        lambda x, axis: np.flip(x, axis),
        lambda g, y, x, axis: np.flip(g, axis) if type(g) is np.ndarray else apply(p, g, axis=axis),
        batch=lambda args, batched, axis: apply(p, args[0], axis=axis + 1),
        cases=(case((3, 2), axis=0), case((4,), axis=0)),
    )
    return p


@pytest.mark.parametrize("make", [right, right_product, right_linear])
@pytest.mark.parametrize("name", sorted(GUARANTEES))
def test_a_right_primitive_keeps_every_guarantee(name: str, make: Callable[[], Primitive]) -> None:
    primitive = make()
    if GUARANTEES[name].holds_for(primitive):
        GUARANTEES[name].check(primitive)


def fails(name: str, primitive: Primitive, match: str) -> None:
    """Check that a primitive breaks a guarantee that it should keep."""
    assert GUARANTEES[name].holds_for(primitive)
    with pytest.raises(Exception, match=match):
        GUARANTEES[name].check(primitive)


def square(**fields: Any) -> Primitive:
    """Return a square whose rules are right but for what is given."""
    given: dict[str, Any] = {
        "name": "test",
        "fn": lambda x: x * x,
        "pulls": (lambda g, y, x: g * (x + x),),
        "push": lambda tangents, y, x: tangents[0] * (x + x),
        "cases": (case((3,)), case((2, 3))),
    }
    return Primitive(**given | fields)


@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_push_off_by_a_thousandth(factor: float) -> None:
    p = square(push=lambda tangents, y, x: factor * tangents[0] * (x + x))
    fails("forward", p, "order 1, fwd")
    fails("transposed", p, "but <g, push")
    GUARANTEES["reverse"].check(p)


@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_pull_off_by_a_thousandth(factor: float) -> None:
    p = square(pulls=(lambda g, y, x: factor * g * (x + x),))
    fails("reverse", p, "order 1, rev")
    fails("transposed", p, "but <g, push")
    GUARANTEES["forward"].check(p)


def test_a_rule_whose_derivative_is_off_by_a_thousandth() -> None:
    cos = elementwise("test_cos", np.cos, lambda g, y, x: -1.001 * g * np.sin(x))
    p = elementwise("test", np.sin, lambda g, y, x: g * unary(cos, x))
    GUARANTEES["forward"].check(p)
    GUARANTEES["reverse"].check(p)
    fails("second-order", p, "order 2")


def test_a_rule_that_hides_its_value_from_the_second_order() -> None:
    fails("second-order", square(pulls=(lambda g, y, x: g * 2.0 * np.array(getattr(x, "value", x)),)), "order 2, .* of rev")


def test_a_rule_that_does_not_broadcast() -> None:
    wrong = elementwise("test", lambda a, b: a + b, lambda g, y, a, b: g, lambda g, y, a, b: g[..., :1] + 0.0 * g)
    fails("broadcasting", wrong, "order 1, fwd")


def test_a_rule_that_conjugates() -> None:
    p = square(pulls=(lambda g, y, x: g * 2.0 * np.conj(x) if x.dtype.kind == "c" else g * (x + x),))
    assert takes_complex(p)
    GUARANTEES["reverse"].check(p)
    fails("complex", p, "order 1, rev")


def test_a_real_operation_owes_nothing_to_complex_numbers() -> None:
    assert not takes_complex(elementwise("test", np.cbrt, lambda g, y, x: g))


def test_a_constant_that_is_none() -> None:
    fails("constant", constant("test", lambda x: x * x, cases=(case((3,)),)), "moves with its inputs")


def test_a_constant_with_a_rule() -> None:
    wrong = Primitive("test", np.floor, (lambda g, y, x: g,), lambda tangents, y, x: None, constant=True, cases=(case((3,)),))
    fails("constant", wrong, "a constant has a cotangent of input 0")


def test_a_rule_that_needs_elements() -> None:
    fails("no-elements", square(pulls=(lambda g, y, x: g * (x + x) * (x.flat[0] / x.flat[0]),)), "out of bounds|index 0")


@pytest.mark.parametrize(
    "slope", [lambda g, y, x: 0.5 * g / y, lambda g, y, x: g * (0.5 / np.sqrt(x))], ids=["quotient", "product"]
)
def test_an_unguarded_infinite_slope(slope: Callable[..., Any]) -> None:
    wrong = elementwise("test", np.sqrt, slope, domain=(0.2, 3.0), finite=True)
    fails("zero-cotangent", wrong, "is nan at")


def test_a_careful_rule_that_is_another_rule() -> None:
    fails("careful", square(careful=(lambda g, y, x: 1.001 * g * (x + x),)), "the careful cotangent of input 0")


def test_a_careful_rule_that_is_careful() -> None:
    def pull(g: Any, y: Any, x: Any) -> Any:
        return g * (x + x)

    good = square(careful=(lambda g, y, x: guard(pull(g, y, x), g),))
    GUARANTEES["zero-everywhere"].check(good)


def test_a_careless_rule_that_calls_itself_careful() -> None:
    wrong = square(careful=(lambda g, y, x: g * (x + x),))
    fails("zero-everywhere", wrong, "though what came in is 0")


def test_a_rule_that_widens() -> None:
    fails(
        "float32", square(pulls=(lambda g, y, x: g * np.asarray(2.0)[None] * x,)), "the cotangent of input 0 .* is of float64"
    )


def test_a_push_that_widens() -> None:
    fails("float32", square(push=lambda tangents, y, x: np.float64(2.0) * tangents[0] * x), "the tangent .* is of float64")


def test_an_operation_that_widens_a_python_float() -> None:
    wrong = elementwise("test", lambda a, b: a * np.asarray(b)[None][0], lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
    fails("weak-floats", wrong, "a Python float as input 1 gives float64")


def test_a_rule_that_writes_to_its_cotangent() -> None:
    def pull(g: Any, y: Any, x: Any) -> Any:
        g *= x + x
        return g

    fails("read-only", square(pulls=(pull,)), "read-only")


def test_a_rule_that_writes_to_the_output() -> None:
    def push(tangents: Any, y: Any, x: Any) -> Any:
        y += tangents[0] * (x + x)
        return y

    fails("read-only", square(push=push), "read-only")


def test_a_rule_that_trusts_the_layout() -> None:
    fails("layout", square(pulls=(lambda g, y, x: g * 2.0 * x.ravel("K").reshape(x.shape),)), "at ")


@pytest.mark.parametrize("wrong", [lambda x: x * x * 1.0001, lambda x: (x * x)[:, ::-1], lambda x: (x * x).astype(np.float32)])
def test_a_batch_rule_that_computes_something_else(wrong: Callable[..., Any]) -> None:
    fails("batch", square(batch=lambda args, batched: wrong(args[0])), "inputs .0. batched")


def test_a_batch_rule_that_forgets_an_unbatched_input() -> None:
    wrong = Primitive(
        "test",
        lambda a, b: a @ b,
        (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        lambda tangents, y, a, b: None,
        batch=lambda args, batched: np.einsum("ij,ij->i", np.atleast_2d(args[0]), np.atleast_2d(args[1])),
        cases=(case((3,), (3,)),),
    )
    GUARANTEES["batch"].check(wrong)  # einsum broadcasts here
    worse = Primitive(
        "worse",
        wrong.fn,
        wrong.pulls,
        wrong.push,
        batch=lambda args, batched: np.einsum("ij,ij->i", args[0], args[1]),
        cases=wrong.cases,
    )
    fails("batch", worse, "einstein sum|operand")


def test_a_batch_rule_that_is_not_recorded() -> None:
    fails(
        "batch-derivative",
        square(batch=lambda args, batched: (lambda x: x * x)(getattr(args[0], "value", args[0]))),
        "example 0",
    )


def test_an_expansion_that_is_something_else() -> None:
    fails("compiled", square(expand=lambda x: x * x * 1.001), "the value is another one compiled")


def test_a_call_that_is_something_else() -> None:
    fails(
        "compiled",
        square(into=lambda args, settings: Into(np.add, (Slot(0), Slot(0), OUT))),
        "the value is another one compiled",
    )


def test_a_primitive_without_cases() -> None:
    fails("forward", square(cases=()), "the primitive 'test' lists no cases to try it on")
