"""`primitive`: an operation of the user's own."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal, ParamSpec, TypeVar, overload

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var
from tapegrad.transforms.outputs import check_function, kind_of
from tapegrad.transforms.rules import Rules, recorded
from tapegrad.transforms.wrapped import Transformed

P = ParamSpec("P")
Out = TypeVar("Out")
Rule = Callable[..., Any]
Differences = Literal["finite differences"]


@overload
def primitive(
    f: Callable[P, Out],
    *,
    vjp: Rule | Sequence[Rule | None] | None = None,
    jvp: Rule | None = None,
    batch: Rule | None = None,
    derivative: Differences | None = None,
    step: float | None = None,
    elementwise: bool = False,
    name: str | None = None,
) -> Callable[P, Out]: ...
@overload
def primitive(
    f: None = None,
    *,
    vjp: Rule | Sequence[Rule | None] | None = None,
    jvp: Rule | None = None,
    batch: Rule | None = None,
    derivative: Differences | None = None,
    step: float | None = None,
    elementwise: bool = False,
    name: str | None = None,
) -> Callable[[Callable[P, Out]], Callable[P, Out]]: ...
def primitive(
    f: Callable[..., Any] | None = None,
    *,
    vjp: Rule | Sequence[Rule | None] | None = None,
    jvp: Rule | None = None,
    batch: Rule | None = None,
    derivative: Differences | None = None,
    step: float | None = None,
    elementwise: bool = False,
    name: str | None = None,
) -> Any:
    """Make a function an operation of its own: one node on the tape, which transforms do not look into.

    The function is called with plain arrays, so that it may do what it likes: call foreign code, loop, fill buffers. What its
    derivative is, the rules say. One of `vjp` and `jvp` is enough: the other one is made by transposing it. Rules are NumPy
    code; what they do is differentiated for higher orders. A rule that calls foreign code has first derivatives only, unless
    it does so by a primitive of its own.

    Args:
        f: a function of arrays, given by position, that returns a new array or a tuple of them. What is given by keyword is a
            static setting, and is handed to the rules as well. Left out where `primitive` is used as a decorator.
        vjp: the reverse rule ``vjp(g, y, *args, **settings)``. From the cotangent `g` of the output `y` (tuples where there are
            several) it returns a tuple with one cotangent for each argument, of its shape; just the cotangent where there is
            one argument. Or a sequence of rules, one for each argument, so that only those that are needed run. None is a
            cotangent of zero. Integer arguments have none.
        jvp: the forward rule ``jvp(tangents, y, *args, **settings)``: from a tuple of tangents, one for each argument (zeros
            for one at rest, None for an integer one), the tangent of the output (a tuple where there are several).
        batch: the rule for `vmap`: ``batch(args, batched, **settings)``, where the arguments marked in `batched` have an extra
            leading axis, computes the output with a leading axis. Without it, `vmap` calls `f` on one example after the other.
        derivative: ``"finite differences"`` instead of `vjp` and `jvp`: forward mode calls `f` twice for each argument that
            moves, reverse mode twice for each element of an argument. Higher orders are differences of differences: in
            float64 nine digits of a first derivative are right, and six of a second.
        step: how far differences go, relative to an argument (to 1 where it is smaller); by default the third root of the
            rounding error, 6e-6 in float64.
        elementwise: each element of the output depends only on the elements of the arguments at its place, and the arguments
            broadcast. There is a batching rule then, differences take two calls for each argument however large it is, and
            rules may return cotangents and tangents before they are summed or broadcast to their shape.
        name: what it is called on the tape; by default the name of `f`.

    Returns:
        A function like `f`; two of them may have the same name.

    Raises:
        TypeError: if rules and differences are both given; when it is called: if an argument is not an array, a setting is
            traced, or `f` returns something else than arrays.
        MissingRuleError: when a derivative is needed that was not given.
        RuleError: if a rule returns something of the wrong number, shape or dtype.

    Example:
        >>> @primitive(vjp=lambda g, y, x: g / (1 + abs(x)) ** 2, elementwise=True)
        ... def softsign(x):
        ...     return x / (1 + abs(x))
        >>> tg.grad(lambda x: softsign(x).sum())(np.array([0.0, 1.0, 3.0]))
        array([1.    , 0.25  , 0.0625])
        >>> import math
        >>> foreign = primitive(lambda x: math.gamma(x), derivative="finite differences", name="gamma")
        >>> print(f"{tg.grad(foreign)(5.0):.5f}")
        36.14682
    """

    def define(f: Callable[..., Any]) -> Own:
        check_function("primitive", f)
        called = str(name or getattr(f, "__name__", type(f).__name__))
        check_rules(called, vjp, jvp, batch, derivative, step)
        return Own(f, called, plain_vjp(vjp), jvp, batch, derivative, step, elementwise)

    return define if f is None else define(f)


@frozen(eq=False, slots=False, repr=False)
class Own(Transformed):
    """What `primitive` returns."""

    name: str
    vjp: Rule | tuple[Rule | None, ...] | None = None
    jvp: Rule | None = None
    batch: Rule | None = None
    derivative: Differences | None = None
    step: float | None = None
    elementwise: bool = False

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        differs = self.derivative is not None
        self.__dict__["rules"] = Rules(
            self.name, self.f, self.vjp, self.jvp, self.batch, differs, self.step, self.elementwise, self
        )

    def __repr__(self) -> str:
        return f"primitive({self.name})"

    def __call__(self, *args: Any, **settings: Any) -> Any:
        args = tuple([gathered(x) if isinstance(x, (list, tuple)) else x for x in args])
        if not any(type(x) is Var for x in args) and not any(type(x) is Var for x in settings.values()):
            return self.f(*args, **settings)
        self.check_call(args, settings)
        rules: Rules = self.__dict__["rules"]
        y = recorded(rules, args, settings)
        return tuple([seen(part) for part in y]) if type(y) is tuple else seen(y)

    def check_call(self, args: Sequence[Any], settings: dict[str, Any]) -> None:
        """Raise unless arguments are arrays, settings are static, and there are as many rules as arguments."""
        for key, value in settings.items():
            if type(value) is Var:
                raise TypeError(f"primitive '{self.name}': the setting '{key}' is a traced value; pass it by position")
        for k, x in enumerate(args):
            if not isinstance(x, (Var, np.ndarray, np.generic, float, int, complex, list, tuple)):
                raise TypeError(
                    f"primitive '{self.name}': argument {k} is {kind_of(x)}, expected an array or a number; pass "
                    f"static settings by keyword"
                )
        if isinstance(self.vjp, tuple) and len(self.vjp) != len(args):
            raise TypeError(f"primitive '{self.name}': called with {len(args)} arguments, but it has {len(self.vjp)} vjp rules")


def seen(y: Any) -> Any:
    """Return an output that has no derivative as a plain value, where values may be looked at."""
    return y.value if type(y) is Var and y.dtype.kind not in "fc" and not y.tape.abstract else y


def gathered(x: Any) -> Any:
    """Return a list with traced values in it as one traced array, and anything else as it is."""
    return FUNCTIONS[np.array](x) if any(type(leaf) is Var for leaf in tree.leaves(x)) else x


def plain_vjp(vjp: Any) -> Any:
    return vjp if vjp is None or callable(vjp) else tuple(vjp)


def check_rules(name: str, vjp: Any, jvp: Any, batch: Any, derivative: Any, step: Any) -> None:
    """Raise unless rules are functions, and are not given besides differences."""
    rules = {"jvp": jvp, "batch": batch}
    if isinstance(vjp, (list, tuple)):
        rules |= {f"vjp[{k}]": rule for k, rule in enumerate(vjp)}
    else:
        rules["vjp"] = vjp
    for key, rule in rules.items():
        if rule is not None and not callable(rule):
            raise TypeError(f"primitive '{name}': {key} must be a function, got {kind_of(rule)}")
        if rule is not None:
            check_takes(name, key, rule)
    if derivative not in (None, "finite differences"):
        raise ValueError(f"primitive '{name}': derivative is 'finite differences' or left out, got {derivative!r}")
    if derivative is not None and (vjp is not None or jvp is not None):
        raise TypeError(f"primitive '{name}': it has a rule and finite differences; give one of them")
    if step is not None and (derivative is None or not step > 0):
        raise TypeError(f"primitive '{name}': step is a positive number, for derivative='finite differences'")


FIRST = {"jvp": "tangents, y, ", "batch": "args, batched"}
"""What rules are called with before the arguments; reverse rules with ``g, y``."""

MOST = 32
"""Fewer arguments than these are thought of."""


def check_takes(name: str, key: str, rule: Any) -> None:
    """Raise for a rule that could not be called, however many arguments the function has.

    Raises:
        TypeError: if it takes too few.
    """
    try:
        signature = inspect.signature(rule)
    except (TypeError, ValueError):  # code in C may not tell
        return
    first = FIRST.get(key, "g, y, ")
    asked = {
        parameter.name: None
        for parameter in signature.parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    }
    for count in range(key != "batch", MOST):  # settings may be taken by position, too
        try:
            signature.bind(*[None] * (2 + count), **asked)
        except TypeError:
            continue
        return
    call = first if key == "batch" else f"{first}*args"
    raise TypeError(f"primitive '{name}': {key} is called as {key}({call}, **settings), but its signature is {signature}")
