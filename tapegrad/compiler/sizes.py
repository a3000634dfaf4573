"""From which sizes on it pays to go through arrays in blocks, as measured on two processors with a megabyte of cache each."""

LARGE = 2**15
"""Elements from which on arrays may be walked over in blocks."""

BLOCK = 2**16
"""Elements of a block."""

PAYS = 100_000.0
"""Nanoseconds of work from which on blocks and threads may pay. Waking a thread takes about as long."""

FEWEST = 8
"""Rows from which on arrays may be cut."""
