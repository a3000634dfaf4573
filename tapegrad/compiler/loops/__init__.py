"""Loops in a program: made of `scan` and `while_loop`, rewritten, and written down as Python's own."""
