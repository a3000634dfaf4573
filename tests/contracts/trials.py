"""What the contracts are tried on: every primitive, found by looking, and inputs for it."""

import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from attrs import evolve, frozen

from tapegrad.core.primitive import PRIMITIVES, Missing, Primitive, no_cotangent
from tapegrad.core.var import Var, apply
from tests.every_module import every_module

BY_WAY_OF_OTHERS = {"pick"}
"""Primitives whose input is the output of another one, and which are tried with every such one."""


def every_primitive() -> list[Primitive]:
    """Import every module of the package, and return all primitives by name.

    Left out are those of transforms (a checkpoint, a loop, a rule of the user's own): what they compute is a program that they
    carry, not an operation to draw numbers for. `tests/transforms` holds each against JAX, under every other transform. And
    `pick`, which takes a tuple: it is tried with each operation that has several outputs.
    """
    every_module()
    operations = [PRIMITIVES[name] for name in sorted(PRIMITIVES) if name != "pick"]
    return [p for p in operations if not (getattr(p.fn, "__module__", "") or "").startswith("tapegrad.transforms")]


@frozen(eq=False)
class Trial:
    """A primitive and one set of inputs for it."""

    primitive: Primitive
    args: tuple[Any, ...]
    settings: dict[str, Any]

    @property
    def moving(self) -> list[int]:
        """The inputs that have a derivative."""
        pulls = self.primitive.pulls
        return [k for k, x in enumerate(self.args) if kind_of(x) in "fc" and has_rule(pulls[k])]

    @property
    def movable(self) -> tuple[Any, ...]:
        return tuple(self.args[k] for k in self.moving)

    def value(self) -> Any:
        """Return what the primitive computes."""
        return self.primitive.fn(*self.args, **self.settings)

    def function(self) -> Callable[..., Any]:
        """Return the function from the inputs that have a derivative to the output, or the list of outputs."""

        def f(*xs: Any) -> Any:
            given = dict(zip(self.moving, xs, strict=True))
            args = [given.get(k, x) for k, x in enumerate(self.args)]
            return outputs(apply(self.primitive, *args, **self.settings))

        f.__name__ = self.primitive.name
        return f

    def cast(self, to: dict[str, type]) -> "Trial":
        """Return the trial with inputs, and dtypes among the settings, of other dtypes."""

        def visit(x: Any) -> Any:
            if isinstance(x, np.dtype) and x.name in to:
                return np.dtype(to[x.name])
            return x.astype(to[x.dtype.name]) if isinstance(x, (np.ndarray, np.generic)) and x.dtype.name in to else x

        settings = {name: visit(value) for name, value in self.settings.items()}
        return evolve(self, args=tuple(visit(x) for x in self.args), settings=settings)


def outputs(y: Any) -> Any:
    """Take apart the output of an operation that has several."""
    plain = y.value if type(y) is Var else y
    return [apply(PRIMITIVES["pick"], y, which=k) for k in range(len(plain))] if type(plain) is tuple else y


def has_rule(pull: Any) -> bool:
    """Tell whether the rule of an input is more than the statement that it has no derivative, or none that is known."""
    return pull is not no_cotangent and not isinstance(pull, Missing)


def kind_of(x: Any) -> str:
    """Return the kind of the dtype of an input; "O" for what is no array."""
    return x.dtype.kind if isinstance(x, (np.ndarray, np.generic)) else "f" if type(x) is float else "O"


def generator(primitive: Primitive) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(primitive.name.encode()))


def trials(primitive: Primitive, complex_: bool = False) -> list[Trial]:
    """Return trials in float64 (or complex128): the cases of a primitive, and if it is elementwise numbers from its domain.

    Raises:
        AssertionError: if there are neither.
    """
    random = generator(primitive)
    made = [Trial(primitive, drawn(random, case.inputs, complex_), dict(case.settings)) for case in primitive.cases]
    if has_domain(primitive):
        arity = len(primitive.domain)
        made += [elementwise(primitive, random, [shape] * arity, complex_) for shape in ((4,), ())]
    assert has_trials(primitive), f"the primitive '{primitive.name}' lists no cases to try it on"
    return made


def has_domain(primitive: Primitive) -> bool:
    """Tell whether a primitive can be tried on real numbers of any shapes; some elementwise ones take integers only."""
    if not primitive.broadcasts:
        return False
    return computes(elementwise(primitive, np.random.default_rng(0), [()] * len(primitive.domain)))


def has_trials(primitive: Primitive) -> bool:
    return has_domain(primitive) or bool(primitive.cases)


def drawn(random: np.random.Generator, inputs: Sequence[Any], complex_: bool = False) -> tuple[Any, ...]:
    """Return the inputs of a case: normal numbers where a shape is given, what is there otherwise."""
    return tuple(normal(random, x, complex_) if is_shape(x) else x for x in inputs)


def is_shape(x: Any) -> bool:
    return type(x) is tuple and all(type(n) is int for n in x)


def normal(random: np.random.Generator, shape: tuple[int, ...], complex_: bool) -> Any:
    x = np.asarray(random.normal(size=shape))
    return (x + 1j * random.normal(size=shape))[()] if complex_ else x[()]


def elementwise(
    primitive: Primitive, random: np.random.Generator, shapes: Sequence[tuple[int, ...]], complex_: bool = False
) -> Trial:
    """Return a trial of an elementwise primitive, from its domain."""
    args = []
    for (low, high), shape in zip(primitive.domain, shapes, strict=True):
        x = random.uniform(low, high, shape)
        args.append((x + 1j * random.uniform(0.1, 0.9, shape) if complex_ else np.asarray(x))[()])
    return Trial(primitive, tuple(args), {})


def broadcasting(primitive: Primitive) -> list[Trial]:
    """Return trials of an elementwise primitive of several inputs in which NumPy broadcasts."""
    random = generator(primitive)
    pairs = [((2, 3), (3,)), ((2, 1), (1, 3)), ((), (3,)), ((2, 3), ()), ((1,), (3,)), ((1, 1), ())]
    rest = [(3,)] * (len(primitive.domain) - 2)
    made = [elementwise(primitive, random, [*pair, *rest]) for pair in pairs]
    made += [elementwise(primitive, random, [(3,), *pair, *rest[1:]]) for pair in pairs if rest]
    return made + [evolve(trial, args=trial.args[::-1]) for trial in made if len(set(primitive.domain)) == 1]


def empty(primitive: Primitive) -> list[Trial]:
    """Return trials on arrays without elements, as far as NumPy computes the operation on them."""
    random = generator(primitive)
    if has_domain(primitive):
        shapes: list[list[tuple[int, ...]]] = [[(0,), (0,)], [(2, 0), (1, 1)], [(0,), ()], [(0, 3), (3,)]]
        arity = len(primitive.domain)
        return [elementwise(primitive, random, (some + [()] * arity)[:arity]) for some in shapes]
    made = []
    for case in primitive.cases:
        if not all(is_shape(x) for x in case.inputs) or any(mentions_lengths(*item) for item in case.settings.items()):
            continue
        for gone in sorted({n for shape in case.inputs for n in shape}):
            without = [tuple(0 if n == gone else n for n in shape) for shape in case.inputs]
            trial = Trial(primitive, drawn(random, without), dict(case.settings))
            if computes(trial):
                made.append(trial)
    return made


def mentions_lengths(name: str, setting: Any) -> bool:
    """Tell whether a setting may fit arrays of certain shapes only."""
    return name not in ("axis", "axes") and not isinstance(setting, (bool, int, float, str, type(None)))


def computes(trial: Trial) -> bool:
    """Tell whether NumPy computes an operation on the inputs of a trial, without a warning."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            trial.value()
    except Exception:
        return False
    return True


def takes_complex(primitive: Primitive) -> bool:
    """Tell whether an operation, which is promised a derivative then, accepts complex numbers."""
    if primitive.constant or primitive.name in BY_WAY_OF_OTHERS:
        return False
    return has_trials(primitive) and all(computes(trial) for trial in trials(primitive, complex_=True))


@contextmanager
def quiet() -> Iterator[None]:
    """Let NumPy compute with infinities and NaN, as replays do."""
    with np.errstate(all="ignore"):
        yield
