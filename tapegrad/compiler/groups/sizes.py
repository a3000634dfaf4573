"""From which sizes on it pays to go through arrays in blocks, as measured on two processors with a megabyte of cache each."""

LARGE = 2**15
"""Elements from which on arrays may be walked over in blocks."""

BLOCK = 2**16
"""Elements of a block, in a group that spends its time in slow ufuncs."""

QUICKER = 4
"""How many times as large the blocks of other groups are. Where ufuncs take a few microseconds, two threads stand in each
other's way, as each holds the interpreter's lock between two of them; what does not fit into the cache costs less than that."""

PAYS = 100_000.0
"""Nanoseconds of work from which on blocks and threads may pay. Waking a thread takes about as long."""

TALL = 2**11
"""Rows from which on products with a small matrix may go by rows."""

FEWEST = 8
"""Rows from which on arrays may be cut."""
