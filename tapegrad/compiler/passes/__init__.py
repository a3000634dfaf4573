"""Passes: from a trace to one that computes the same in fewer, larger or simpler steps."""
