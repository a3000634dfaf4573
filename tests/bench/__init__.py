"""Benchmarks against hand-written NumPy and the peers that are installed: ``python -m tests.bench``."""
