"""`jit`: a function that is traced once for each kind of arguments, and afterwards runs as a program."""

import inspect
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, overload

import numpy as np
from attrs import define, field, frozen

from tapegrad import tree
from tapegrad.compiler.interface import DONATED, MISS
from tapegrad.compiler.lowered import Lowered
from tapegrad.compiler.program import PASSES, Compiled, Task
from tapegrad.compiler.trace import NUMBERS, name_of, path_names
from tapegrad.core.node import CURRENT
from tapegrad.core.watch import WATCH
from tapegrad.errors import TraceError
from tapegrad.transforms.wrapped import Transformed

P = ParamSpec("P")
Out = TypeVar("Out")

current = CURRENT.get
watch = WATCH.get

CAPACITY = 64
"""How many programs a function keeps."""

RECENT = 4
"""How many of them are tried, the latest first, before the arguments are looked at closely."""

HANDFUL = 8
"""How many programs a function may need before it is worth a warning."""


class CacheInfo(NamedTuple):
    """What `Jitted.cache_info` returns: calls that met a program, traces, programs kept, and bytes of their buffers."""

    hits: int
    misses: int
    programs: int
    nbytes: int


class Static:
    """A static argument, in place of which the tree of arguments has a leaf (which a record would not be)."""

    def __init__(self, value: Any) -> None:
        self.value = value


@define(eq=False)
class Cache:
    """The programs of one function: all of them by kind of arguments, and the recent ones."""

    programs: "OrderedDict[Any, Compiled]" = field(factory=OrderedDict)
    recent: tuple[Compiled, ...] = ()
    hits: int = 0
    misses: int = 0
    lock: Any = field(factory=threading.RLock)

    def remember(self, key: Any, program: Compiled) -> None:
        with self.lock:
            self.programs[key] = program
            self.programs.move_to_end(key)
            while len(self.programs) > CAPACITY:
                self.programs.popitem(last=False)
            others = [p for p in self.recent if p is not program]
            self.recent = (program, *others[: RECENT - 1])


@frozen(eq=False, slots=False, repr=False)
class Jitted(Transformed, Generic[P, Out]):
    """``jit(f)``; see `jit`."""

    static_argnames: tuple[str, ...] = ()
    donate_argnames: tuple[str, ...] = ()
    passes: tuple[str, ...] = PASSES

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        names = parameter_names(self.f)
        for what, given in (("static_argnames", self.static_argnames), ("donate_argnames", self.donate_argnames)):
            for name in given:
                if names is not None and name not in names:
                    raise ValueError(
                        f"jit: {what} names '{name}', but {name_of(self.f)} has the parameters {', '.join(names) or 'none'}"
                    )
        unknown = set(self.passes) - set(PASSES)
        if unknown:
            raise ValueError(f"jit: there is no pass named {', '.join(sorted(unknown))}; there are {', '.join(PASSES)}")
        self.__dict__["_cache"] = Cache()
        self.__dict__["_positions"] = dict(enumerate(positional_names(self.f)))

    def __call__(self, *args: P.args, **settings: P.kwargs) -> Out:
        if current() is not None or watch() is not None:  # traced into, or to be watched step by step (`tapegrad.debug`)
            return self.f(*args, **settings)  # type: ignore[no-any-return]  # f is held as Any
        cache = self.__dict__["_cache"]
        for program in cache.recent:
            out = program(args, settings)
            if out is not MISS:
                cache.hits += 1
                return out  # type: ignore[no-any-return]  # what f returns
        return self._slowly(args, settings)  # type: ignore[no-any-return]  # likewise

    def lower(self, *args: P.args, **settings: P.kwargs) -> Lowered:
        """Trace and compile the function for arguments like these, and return all stages to be looked at."""
        return self._task(*self._take_apart(args, settings)).source(hopeful=True)[1]()

    def cache_info(self) -> CacheInfo:
        """Return how often a program was found, how often one was made, how many there are, and their memory in bytes."""
        cache: Cache = self.__dict__["_cache"]
        return CacheInfo(cache.hits, cache.misses, len(cache.programs), sum(p.nbytes() for p in cache.programs.values()))

    def clear_cache(self) -> None:
        """Forget all programs."""
        self.__dict__["_cache"] = Cache()

    # The way of arguments that no recent program was made for

    def _slowly(self, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        cache: Cache = self.__dict__["_cache"]
        leaves, structure, fixed = self._take_apart(args, settings)
        key = (structure, tuple([kind_of(x) for x in leaves]), tuple(fixed.items()))
        program = cache.programs.get(key)
        if program is None:
            with cache.lock:
                program = cache.programs.get(key)
                if program is None:
                    program = self._task(leaves, structure, fixed).compiled()
                    cache.misses += 1
                    self._complain(key)
                    cache.remember(key, program)  # while others wait, who would compile it once more
        else:
            cache.hits += 1
        cache.remember(key, program)
        given = leaves
        if self.donate_argnames:  # programs write to arrays whose elements lie in a row; of others copies are donated
            leaves = [x if type(x) is not np.ndarray or x.flags.carray else x.copy() for x in leaves]
        args, settings = self._put_together(leaves, structure, fixed)
        out = program(args, settings)
        if out is MISS:  # what is equal, and yet not the same: True and 1, as static arguments or fields
            program = self._task(leaves, structure, fixed).compiled()
            cache.misses += 1
            cache.remember(key, program)
            out = program(args, settings)
        for x, y in zip(given, leaves, strict=True):
            if x is not y and y.dtype.names == (DONATED,):
                x.dtype = y.dtype
        return out

    def _take_apart(self, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Return the traced leaves of the arguments, their structure, and the static ones by their place among all leaves."""
        static, positions = self.static_argnames, self.__dict__["_positions"]
        marked = tuple([Static(x) if positions.get(k) in static else x for k, x in enumerate(args)]) if static else args
        named = {k: Static(x) if k in static else x for k, x in settings.items()}
        found, structure = tree.flatten((marked, named))
        leaves: list[Any] = []
        fixed: dict[int, Any] = {}
        for k, x in enumerate(found):
            if type(x) is Static:
                fixed[k] = x.value
            elif type(x) is np.ndarray and x.dtype.kind in "biufc":
                leaves.append(x)
            elif isinstance(x, np.ndarray) and x.dtype.kind in "biufc":
                leaves.append(np.asarray(x))
            elif isinstance(x, NUMBERS) and not isinstance(x, np.ndarray) and np.asarray(x).dtype.kind in "biufc":
                leaves.append(x)
            else:
                self._refuse(args, settings, k, x)
        for x in fixed.values():
            try:
                hash(x)
            except TypeError:
                raise TypeError(
                    f"jit of {name_of(self.f)}: a static argument must be hashable, got a {type(x).__name__}"
                ) from None
        return leaves, structure, fixed

    def _put_together(self, leaves: list[Any], structure: Any, fixed: dict[int, Any]) -> Any:
        given = iter(leaves)
        return tree.unflatten(structure, [fixed[k] if k in fixed else next(given) for k in range(structure.count)])

    def _task(self, leaves: list[Any], structure: Any, fixed: dict[int, Any]) -> Task:
        paths = self._traced_paths(structure, fixed)
        owners = [path.split(".")[0].split("[")[0] for path in paths]
        donated = [k for k, owner in enumerate(owners) if owner in self.donate_argnames]
        return Task(
            self.f,
            leaves,
            lambda args, settings: self._take_apart(args, settings)[0],
            lambda traced: self._put_together(traced, structure, fixed),
            structure,
            fixed,
            donated,
            self.passes,
            paths,
        )

    def _traced_paths(self, structure: Any, fixed: dict[int, Any]) -> list[str]:
        """Return the paths of the leaves that are traced."""
        args, settings = tree.unflatten(structure, [0.0] * structure.count)
        return [path for k, path in enumerate(path_names(self.f, args, settings)) if k not in fixed]

    def _refuse(self, args: tuple[Any, ...], settings: dict[str, Any], k: int, x: Any) -> None:
        """Raise the error for a leaf that cannot be traced."""
        what = f"dtype {x.dtype}" if hasattr(x, "dtype") else f"type {type(x).__name__}"
        static, positions = self.static_argnames, self.__dict__["_positions"]
        shown = tuple([0 if positions.get(i) in static else arg for i, arg in enumerate(args)])
        path = path_names(self.f, shown, {n: 0 if n in static else arg for n, arg in settings.items()})[k]
        if hasattr(x, "dtype") and x.dtype.names == (DONATED,):
            raise TraceError(f"jit of {name_of(self.f)}: {path} was donated before; use what the function returned instead")
        raise TypeError(
            f"jit of {name_of(self.f)}: the leaf {path} has {what}; arguments are arrays and numbers. "
            f"Name the argument in static_argnames if the function is to be traced anew for each of its values"
        )

    def _complain(self, key: Any) -> None:
        """Warn when programs become too many, and say what keeps changing."""
        cache: Cache = self.__dict__["_cache"]
        if cache.misses < HANDFUL or cache.misses & (cache.misses - 1):
            return
        what = changed(next(reversed(cache.programs)), key, self._traced_paths(key[0], dict(key[2])))
        warnings.warn(
            f"jit of {name_of(self.f)} has traced {cache.misses} times: {what}. Each "
            f"new kind of arguments costs a trace; pad arrays to a common shape, or leave this function uncompiled",
            RuntimeWarning,
            stacklevel=4,
        )


def changed(before: Any, now: Any, paths: list[str]) -> str:
    """Say in what two keys of a cache differ; `paths` are those of the traced leaves."""
    (structure, kinds, fixed), (new_structure, new_kinds, new_fixed) = before, now
    if structure != new_structure:
        return f"the tree of the arguments changed from {structure} to {new_structure}"
    if fixed != new_fixed:
        return f"a static argument changed from {dict(fixed)!r} to {dict(new_fixed)!r}"
    parts = [f"{n} changed from {shown(a)} to {shown(b)}" for n, a, b in zip(paths, kinds, new_kinds, strict=True) if a != b]
    return "; ".join(parts) or "programs were dropped for want of room"


def shown(kind: Any) -> str:
    """Return what `kind_of` found, as users write it."""
    return kind if isinstance(kind, str) else f"{np.dtype(kind[0])}[{', '.join(map(str, kind[1]))}]"


def kind_of(x: Any) -> Any:
    """Return what a program depends on in a leaf."""
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape
    return type(x).__name__


def parameter_names(f: Callable[..., Any]) -> list[str] | None:
    """Return the names that arguments of a function can be given by, or None if they are not known."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters):
        return None
    return [p.name for p in parameters]


def positional_names(f: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments that can be given by position."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def names_of(what: str, given: str | Iterable[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    names = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"jit: {what} must be the name of an argument, or several, got {given!r}")
    return names


@overload
def jit(
    f: Callable[P, Out],
    *,
    static_argnames: str | Iterable[str] = (),
    donate_argnames: str | Iterable[str] = (),
    passes: Iterable[str] = PASSES,
) -> "Jitted[P, Out]": ...
@overload
def jit(
    *, static_argnames: str | Iterable[str] = (), donate_argnames: str | Iterable[str] = (), passes: Iterable[str] = PASSES
) -> "Callable[[Callable[P, Out]], Jitted[P, Out]]": ...
def jit(
    f: Callable[..., Any] | None = None,
    *,
    static_argnames: str | Iterable[str] = (),
    donate_argnames: str | Iterable[str] = (),
    passes: Iterable[str] = PASSES,
) -> Any:
    """Return a function that computes what `f` computes, as a program.

    It is traced once for each kind of arguments: their tree, shapes and dtypes, and the values of static ones. The program is
    straight-line NumPy code over buffers that are allocated once; it is written by rewriting what was traced, and large arrays
    are walked over in blocks, on several threads. Results are those of `f` to rounding.

    What `f` does besides computing (printing, changing a list) is done when it is traced, and not again; arrays that it takes
    from outside are constants, as they were then. Under another transform, and under `tapegrad.debug`, `f` itself is called.

    Args:
        f: a function of pytrees of arrays and numbers, that returns such a pytree. It must not look at values: use `cond` or
            ``where`` in place of ``if``. Without it, a decorator is returned.
        static_argnames: arguments that are not traced: for each of their values (hashable) there is a program of its own.
        donate_argnames: arguments whose arrays are given away: results are written into their memory where they fit, and to use
            one of these arrays afterwards raises. For parameters and the state of an optimizer.
        passes: the passes to run; see `tapegrad.compiler.program.PASSES`.

    Returns:
        A function like `f`, with the methods ``lower(*args)``, which shows the program; ``cache_info()``; ``clear_cache()``.

    Raises:
        ValueError: if a name is that of no argument, or there is no such pass.
        ConcretizationError: when it is called: if `f` looks at a value, naming the line.
        TypeError: if a leaf of the arguments is neither array nor number, naming its path; or a static one is not hashable.
        TraceError: if `f` draws from a global generator of random numbers, or an argument was donated before.

    Example:
        >>> @jit
        ... def step(w, x):
        ...     return w - 0.1 * (x @ w)
        >>> step(np.ones(2), np.eye(2))
        array([0.9, 0.9])
        >>> step.cache_info().programs
        1

    References:
        R. Frostig, M. J. Johnson, C. Leary, "Compiling machine learning programs via high-level tracing", SysML 2018 (tracing
        to a program).
    """
    if f is None:
        return lambda f: jit(f, static_argnames=static_argnames, donate_argnames=donate_argnames, passes=passes)
    return Jitted(f, names_of("static_argnames", static_argnames), names_of("donate_argnames", donate_argnames), tuple(passes))
