"""From which sizes on it pays to go through arrays in blocks, as measured on two processors with a megabyte of cache each."""

LARGE = 2**15
"""Elements from which on arrays may be walked over in blocks."""

BLOCK = 2**18
"""Bytes of the arrays of a block."""

TOGETHER = 2
"""How many blocks several threads take at a time, in a group of quick ufuncs. Where ufuncs take a few microseconds, two threads
stand in each other's way, as each holds the interpreter's lock between two of them; what does not fit into the cache costs less
than that. A thread that is alone takes one after the other."""

ROW = 2**17
"""Elements of the longest row that goes into a block."""

PAYS = 100_000.0
"""Nanoseconds of work from which on blocks and threads may pay. Waking a thread takes about as long."""

SPILLS = 2**21
"""Elements of a product from which on it may go by rows: several such arrays do not fit into the cache of a processor any more.
Below, BLAS on several threads is up to twice as fast, and what it has written is still at hand."""

STACKS = 2**18
"""Elements from which on products of stacks may be part of a group: threads wait for each other where steps are shorter."""

FEWEST = 8
"""Rows from which on arrays may be cut."""
