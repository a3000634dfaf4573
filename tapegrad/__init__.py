"""Exact derivatives of NumPy code: fast, typed, pure Python on NumPy.

Operations on traced arrays are recorded on one tape; `grad`, `jvp` and the other transforms replay it.
"""

from typing import TYPE_CHECKING

from tapegrad.core.node import Node as Node
from tapegrad.core.tape import Tape as Tape
from tapegrad.transforms.batch import vmap as vmap
from tapegrad.transforms.forward import jvp as jvp
from tapegrad.transforms.forward import linearize as linearize
from tapegrad.transforms.jacobian import hessian as hessian
from tapegrad.transforms.jacobian import hvp as hvp
from tapegrad.transforms.jacobian import jacfwd as jacfwd
from tapegrad.transforms.jacobian import jacobian as jacobian
from tapegrad.transforms.jacobian import jacrev as jacrev
from tapegrad.transforms.pullback import vjp as vjp
from tapegrad.transforms.record import record as record
from tapegrad.transforms.record import stop_gradient as stop_gradient
from tapegrad.transforms.reverse import grad as grad
from tapegrad.transforms.reverse import value_and_grad as value_and_grad

if TYPE_CHECKING:
    from tapegrad import config as config
    from tapegrad import debug as debug
    from tapegrad import nn as nn
    from tapegrad import numpy as numpy
    from tapegrad import optim as optim
    from tapegrad import random as random
    from tapegrad import scipy as scipy
    from tapegrad import testing as testing
    from tapegrad import tree as tree
    from tapegrad.compiler.function import jit as jit
    from tapegrad.transforms.checkpoint import checkpoint as checkpoint
    from tapegrad.transforms.custom import custom_jvp as custom_jvp
    from tapegrad.transforms.custom import custom_vjp as custom_vjp
    from tapegrad.transforms.loops.branch import cond as cond
    from tapegrad.transforms.loops.branch import switch as switch
    from tapegrad.transforms.loops.repeat import fori_loop as fori_loop
    from tapegrad.transforms.loops.repeat import while_loop as while_loop
    from tapegrad.transforms.loops.scan import map as map
    from tapegrad.transforms.loops.scan import scan as scan
    from tapegrad.transforms.primitive import primitive as primitive
else:  # the same names, imported when they are used for the first time
    from tapegrad.rooms import named as named

    __getattr__, __dir__ = named(
        __name__,
        ("config", "debug", "nn", "numpy", "optim", "random", "testing", "tree"),
        extras=("scipy",),
        functions={
            "tapegrad.transforms.checkpoint": ("checkpoint",),
            "tapegrad.transforms.custom": ("custom_jvp", "custom_vjp"),
            "tapegrad.compiler.function": ("jit",),
            "tapegrad.transforms.loops.branch": ("cond", "switch"),
            "tapegrad.transforms.loops.repeat": ("fori_loop", "while_loop"),
            "tapegrad.transforms.loops.scan": ("map", "scan"),
            "tapegrad.transforms.primitive": ("primitive",),
        },
    )
