"""`jit`: a function that is traced once for each kind of arguments, and afterwards runs as a program."""

import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.compiler.cache import HANDFUL, Cache, changed, kind_of
from tapegrad.compiler.interface import DONATED, MISS
from tapegrad.compiler.leaves import check_fields, refuse, refuse_static
from tapegrad.compiler.lowered import Lowered
from tapegrad.compiler.memory import CacheInfo, memory_of
from tapegrad.compiler.method import Method
from tapegrad.compiler.program import PASSES, Task
from tapegrad.compiler.signature import check_names, names_of, positional_names
from tapegrad.compiler.trace import NUMBERS, name_of, path_names
from tapegrad.core.arrays import has_own_arithmetic
from tapegrad.core.complaints import leaked
from tapegrad.core.node import CURRENT
from tapegrad.core.var import Var
from tapegrad.core.watch import WATCH
from tapegrad.errors import HOME
from tapegrad.transforms.outputs import check_function
from tapegrad.transforms.record import watched_call
from tapegrad.transforms.wrapped import Transformed

P = ParamSpec("P")
Out = TypeVar("Out")
Rest = ParamSpec("Rest")

current = CURRENT.get
watch = WATCH.get


class Static:
    """A static argument, in place of which the tree of arguments has a leaf (which a record would not be)."""

    def __init__(self, value: Any) -> None:
        self.value = value


@frozen(eq=False, slots=False, repr=False)
class Jitted(Transformed, Generic[P, Out]):
    """``jit(f)``; see `jit`."""

    static_argnames: tuple[str, ...] = ()
    donate_argnames: tuple[str, ...] = ()
    passes: tuple[str, ...] = PASSES

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        check_names(self.f, self.static_argnames, self.donate_argnames)
        unknown = set(self.passes) - set(PASSES)
        if unknown:
            raise ValueError(f"jit: there is no pass named {', '.join(sorted(unknown))}; there are {', '.join(PASSES)}")
        self.__dict__["_cache"] = Cache()
        self.__dict__["_positions"] = dict(enumerate(positional_names(self.f)))

    def __call__(self, *args: P.args, **settings: P.kwargs) -> Out:
        if current() is not None:  # traced into
            return self.f(*args, **settings)  # type: ignore[no-any-return]  # f is held as Any
        if watch() is not None:  # to be watched step by step (`tapegrad.debug`)
            return watched_call(self.f, args, settings)  # type: ignore[no-any-return]  # likewise
        cache = self.__dict__["_cache"]
        for program in cache.recent:
            out = program(args, settings)
            if out is not MISS:
                cache.hits += 1
                return out  # type: ignore[no-any-return]  # what f returns
        return self._slowly(args, settings)  # type: ignore[no-any-return]  # likewise

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> "Jitted[P, Out]": ...
    @overload
    def __get__(
        self: "Jitted[Concatenate[Any, Rest], Out]", instance: object, owner: type | None = None
    ) -> "Method[Rest, Out]": ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else Method(self, instance)

    def lower(self, *args: P.args, **settings: P.kwargs) -> Lowered:
        """Trace and compile the function for arguments like these, and return all stages to be looked at.

        Nothing is kept of it, and `args` are not donated.

        Args:
            args: arguments as in a call, of any shapes.
            settings: others, by name.

        Returns:
            What was traced, what the passes left of it, the source, the sizes of buffers in bytes, and estimates of the
            floating-point operations and bytes of a call; printed, all of them.

        Raises:
            Exception: whatever a call would raise that traces the function; see `jit`.

        Example:
            >>> scale = tg.jit(lambda x: np.sin(x) * 2.0)
            >>> print(scale.lower(np.ones(3)).after)
            %0 = x                 float64[3]
            %1 = sin(%0)           float64[3]
            %2 = multiply(%1, 2.0) float64[3]
            return %2
        """
        return self._task(*self._take_apart(args, settings)).first()[1]()

    def cache_info(self) -> CacheInfo:
        """Return how often a program was found and made, and what the programs take.

        Returns:
            ``hits``, calls for which there was a program; ``misses``, programs made; ``programs``, those that are kept, at
            most `CAPACITY`; ``nbytes``, bytes of memory that they hold between calls: buffers, scratch arrays of threads,
            and constants. Arguments and results are not among them.

        Example:
            >>> total = tg.jit(lambda x: np.sum(np.sin(x)))
            >>> _ = total(np.ones(4)), total(np.zeros(4)), total(np.ones(2))
            >>> total.cache_info()  # sin(x) has a buffer in each program
            CacheInfo(hits=1, misses=2, programs=2, nbytes=48)
        """
        cache: Cache = self.__dict__["_cache"]
        with cache.lock:
            programs = list(cache.programs.values())
        return CacheInfo(cache.hits, cache.misses, len(programs), memory_of({*programs, *cache.recent}))

    def clear_cache(self) -> None:
        """Forget all programs and counts, and free their memory. The next call traces anew.

        Example:
            >>> double = tg.jit(lambda x: x * 2.0)
            >>> _ = double(np.ones(2))
            >>> double.clear_cache()
            >>> double.cache_info()
            CacheInfo(hits=0, misses=0, programs=0, nbytes=0)
        """
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
        given: list[Any] = []
        if self.donate_argnames:  # programs write to arrays whose elements lie in a row; of others copies are donated
            given = [x for k, x in enumerate(self._marked(args, settings)[0]) if k not in fixed]
            leaves = [x if type(x) is not np.ndarray or x.flags.carray else x.copy() for x in leaves]
        args, settings = self._put_together(leaves, structure, fixed)
        out = program(args, settings)
        if out is MISS:  # what is equal, and yet not the same: True and 1, as static arguments or fields
            program = self._task(leaves, structure, fixed).compiled()
            cache.misses += 1
            cache.remember(key, program)
            out = program(args, settings)
        for x, y in zip(given, leaves, strict=False):
            if x is not y and y.dtype.names == (DONATED,):  # what the user has, if it is not what was donated
                x.dtype = y.dtype
        return out

    def _take_apart(self, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Return the traced leaves of the arguments, their structure, and the static ones by their place among all leaves."""
        found, structure = self._marked(args, settings)
        leaves: list[Any] = []
        fixed: dict[int, Any] = {}
        for k, x in enumerate(found):
            if type(x) is Static:
                fixed[k] = x.value
            elif type(x) is Var:
                raise leaked(x)
            elif type(x) is np.ndarray and x.dtype.kind in "biufc":
                leaves.append(x)
            elif isinstance(x, np.ndarray) and x.dtype.kind in "biufc" and not has_own_arithmetic(x):
                leaves.append(np.asarray(x))
            elif isinstance(x, NUMBERS) and not isinstance(x, np.ndarray) and np.asarray(x).dtype.kind in "biufc":
                leaves.append(x)
            else:
                refuse(self.f, self._leaf_path(args, settings, k), x)
        for k, x in fixed.items():
            try:
                hash(x)
            except TypeError:
                refuse_static(self.f, self._leaf_path(args, settings, k), x)
        try:
            hash(structure)
        except TypeError:
            check_fields(self.f, structure)
            raise
        return leaves, structure, fixed

    def _marked(self, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Return all leaves of the arguments, of which each static one is a leaf, and their structure."""
        static, positions = self.static_argnames, self.__dict__["_positions"]
        marked = tuple([Static(x) if positions.get(k) in static else x for k, x in enumerate(args)]) if static else args
        named = {k: Static(x) if k in static else x for k, x in settings.items()}
        return tree.flatten((marked, named))

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
        return [path for k, path in enumerate(self._all_paths(structure)) if k not in fixed]

    def _all_paths(self, structure: Any) -> list[str]:
        args, settings = tree.unflatten(structure, [0.0] * structure.count)
        return path_names(self.f, args, settings)

    def _leaf_path(self, args: tuple[Any, ...], settings: dict[str, Any], k: int) -> str:
        """Return the path of one leaf of the arguments, of which each static one is a leaf."""
        static, positions = self.static_argnames, self.__dict__["_positions"]
        shown = tuple([0 if positions.get(i) in static else arg for i, arg in enumerate(args)])
        return path_names(self.f, shown, {n: 0 if n in static else arg for n, arg in settings.items()})[k]

    def _complain(self, key: Any) -> None:
        """Warn when programs become too many, and say what keeps changing."""
        cache: Cache = self.__dict__["_cache"]
        if cache.misses < HANDFUL or cache.misses & (cache.misses - 1):
            return
        what = changed(next(reversed(cache.programs)), key, self._all_paths(key[0]))
        level, frame = 1, sys._getframe()
        while frame.f_back is not None and frame.f_code.co_filename.startswith(HOME):
            level, frame = level + 1, frame.f_back
        if what.startswith("the static argument"):
            way = "Each value of it costs a trace; numbers and arrays can be traced (take it out of static_argnames)"
        elif what.startswith("the tree"):
            way = "Each new kind of arguments costs a trace; give trees of one structure"
        else:
            way = "Each new kind of arguments costs a trace; pad arrays to a common shape"
        warnings.warn(
            f"jit of {name_of(self.f)} has traced {cache.misses} times: {what}. {way}, or leave this function uncompiled",
            RuntimeWarning,
            stacklevel=level,
        )


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

    ``@classmethod`` and ``@staticmethod`` are written above it. Type checkers do not follow there, and report a wrong number of
    arguments for each call of a class method, and for that of a static one through an object: what a descriptor that is no
    function becomes under the two is not in their rules. Let a method that is not compiled call a compiled function.

    Args:
        f: a function of pytrees of arrays and numbers, that returns such a pytree. It must not look at values: use `cond` or
            ``where`` in place of ``if``. Without it, a decorator is returned.
        static_argnames: arguments that are not traced: for each of their values (hashable) there is a program of its own.
            In the body of a class ``self`` is an argument like others: its class is a pytree, or ``self`` is named here.
        donate_argnames: arguments whose arrays are given away: results are written into their memory where they fit, and to use
            one of these arrays afterwards raises. For parameters and the state of an optimizer.
        passes: the passes to run; see `tapegrad.compiler.program.PASSES`.

    Returns:
        A function like `f`, with the methods ``lower(*args)``, which shows the program; ``cache_info()``; ``clear_cache()``.

    Raises:
        ValueError: if a name is that of no argument, is both static and donated, or there is no such pass.
        ConcretizationError: when it is called: if `f` looks at a value, naming the line.
        TypeError: if `f` is no function; or when it is called: if a leaf of the arguments is neither array nor number (or an
            array with an arithmetic of its own, as a masked one), naming its path; or a static one is not hashable.
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
    static, donated, wanted = (
        names_of("static_argnames", static_argnames),
        names_of("donate_argnames", donate_argnames),
        names_of("passes", passes),
    )

    def made(f: Any) -> Any:
        if isinstance(f, (staticmethod, classmethod)):
            raise TypeError(f"jit: got a {type(f).__name__}: write @{type(f).__name__} above @jit, not below it")
        check_function("jit", f)
        return Jitted(f, static, donated, wanted)

    return made if f is None else made(f)
