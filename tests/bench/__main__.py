"""``python -m tests.bench [networks] [loops] [ops] [--rounds N]``: each workload in every installed library, in one process.

Prints, for each workload, the time of tapegrad and how many times that the others take; for ``ops``, each operation against the
NumPy calls that it consists of.
"""

import argparse
import platform
import sys

import numpy as np

from tests.bench import ops
from tests.bench.loops import loops
from tests.bench.networks import networks
from tests.bench.timing import race
from tests.bench.workload import Workload

GROUPS = {"networks": networks, "loops": loops}
COLUMNS = ("numpy", "torch", "autograd", "jax", "jax.jit")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "groups", nargs="*", metavar="group", help=f"what to run: {', '.join((*GROUPS, 'ops'))} (all but ops by default)"
    )
    parser.add_argument("--rounds", type=int, default=20, help="how often each library has its turn (default 20)")
    given = parser.parse_args(argv)
    unknown = sorted(set(given.groups) - {*GROUPS, "ops"})
    if unknown:
        parser.error(f"unknown group {unknown[0]!r}; expected one of {', '.join((*GROUPS, 'ops'))}")
    if "ops" in given.groups:
        ops.report(given.rounds)
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
