"""Freed memory stays with the process: what is resident, and the page faults that it costs to get more."""

import mmap
import os
import subprocess
import sys

import pytest

import tapegrad as tg
from tapegrad.core.heap import HEAP, gnu_library

PROGRAM = """
import resource
import numpy as np
import tapegrad as tg

x = np.ones(2**18, np.float32)


def f(x):
    y = x
    for _ in range(20):
        y = y * 1.01 + x
    return y.sum()


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])


def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tg.grad(f)(x)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


tg.grad(lambda x: (x * x).sum())(x)
start = resident()
tg.grad(f)(x)
print(resident() - start, faults(), tg.config.kept_memory())
tg.config.set_kept_memory(0)
print(resident() - start)
tg.grad(f)(x)
print(resident() - start, tg.config.kept_memory())
"""
PAGES = 20 * 2**20 // mmap.PAGESIZE
"""At least so many pages a gradient of the program fills."""


def ran(**environment: str) -> list[str]:
    """Return what the program prints under some environment variables."""
    outside = {name: value for name, value in os.environ.items() if "MALLOC" not in name and name != "GLIBC_TUNABLES"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**outside, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.skipif(gnu_library() is None, reason="another C library")
def test_the_memory_of_a_gradient_is_there_for_the_next_one_and_can_be_given_back() -> None:
    kept, faults, count, given_back, again, less = map(int, ran())
    assert kept > PAGES / 2
    assert faults < PAGES / 20
    assert count == 2**30
    assert given_back < PAGES / 10
    assert again < PAGES / 10
    assert less == 0


@pytest.mark.skipif(gnu_library() is None, reason="another C library")
@pytest.mark.parametrize(
    "environment", [{"MALLOC_TRIM_THRESHOLD_": "131072"}, {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=131072"}]
)
def test_what_the_user_told_the_c_library_holds(environment: dict[str, str]) -> None:
    kept, _, count, *_, less = ran(**environment)
    assert int(kept) < PAGES / 10
    assert count == less == "None"


def test_kept_memory_is_a_number_of_bytes() -> None:
    before = tg.config.kept_memory()
    with pytest.raises(TypeError, match=r"set_kept_memory: the number of bytes must be an integer or None, got '1 GB'"):
        tg.config.set_kept_memory("1 GB")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ValueError, match=r"set_kept_memory: the number of bytes must be 0 or more, got -1"):
        tg.config.set_kept_memory(-1)
    assert tg.config.kept_memory() == before == HEAP.kept
