"""``python -m tests.bench [group ...] [--rounds N]``: each workload in every installed library, in one process.

``networks`` and ``loops`` print, for each workload, the time of tapegrad and how many times that the others take; ``ops``, each
operation against the NumPy calls that it consists of; ``vmap``, the gradients of each example against one of the batch;
``memory``, the peak memory of a long recurrence with and without checkpoints.
"""

import argparse
import platform
import sys

import numpy as np

from tests.bench import batches, compiled, memory, ops
from tests.bench.loops import loops
from tests.bench.networks import networks
from tests.bench.timing import race
from tests.bench.workload import Workload

GROUPS = {"networks": networks, "loops": loops}
REPORTS = {"jit": compiled.report, "ops": ops.report, "vmap": batches.report, "memory": memory.report}
COLUMNS = ("numpy", "torch", "autograd", "jax", "jax.jit")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "groups",
        nargs="*",
        metavar="group",
        help=f"what to run: {', '.join((*GROUPS, *REPORTS))} (by default {', '.join(GROUPS)})",
    )
    parser.add_argument("--rounds", type=int, default=20, help="how often each library has its turn (default 20)")
    given = parser.parse_args(argv)
    unknown = sorted(set(given.groups) - {*GROUPS, *REPORTS})
    if unknown:
        parser.error(f"unknown group {unknown[0]!r}; expected one of {', '.join((*GROUPS, *REPORTS))}")
    for name in given.groups:
        if name in REPORTS:
            REPORTS[name](given.rounds)
    groups = [group for group in given.groups or GROUPS if group in GROUPS]
    if not groups:
        return
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, float32, value and gradient")
    print("best of interleaved rounds; a column says how many times as long as tapegrad the library takes\n")
    print(f"{'workload':<10}{'tapegrad':>12}" + "".join(f"{name:>10}" for name in COLUMNS) + "   by hand")
    for group in groups:
        for workload in GROUPS[group]():
            report(workload, given.rounds)


def report(workload: Workload, rounds: int) -> None:
    """Race one workload and print its line."""
    workload.check()
    best = race(dict(workload.calls), rounds)
    own = best["tapegrad"]
    ratios = "".join(f"{best[name] / own:>9.2f}x" if name in best else f"{'-':>10}" for name in COLUMNS)
    print(f"{workload.name:<10}{own * 1e6:>9.1f} us{ratios}   tapegrad = {own / best['numpy']:.2f}x NumPy by hand", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
