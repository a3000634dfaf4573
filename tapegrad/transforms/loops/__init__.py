"""Structured control flow: one node on the tape for a whole loop or branch."""

from tapegrad.transforms.loops.branch import cond as cond
from tapegrad.transforms.loops.branch import switch as switch
from tapegrad.transforms.loops.repeat import fori_loop as fori_loop
from tapegrad.transforms.loops.repeat import while_loop as while_loop
from tapegrad.transforms.loops.scan import map as map
from tapegrad.transforms.loops.scan import scan as scan
