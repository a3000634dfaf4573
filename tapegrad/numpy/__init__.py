"""NumPy's functions, typed and differentiable, under NumPy's own names and signatures."""

from tapegrad.numpy.products import dot as dot
from tapegrad.numpy.products import einsum as einsum
from tapegrad.numpy.products import matmul as matmul

from tapegrad.numpy.reductions import amax as amax
from tapegrad.numpy.reductions import amin as amin
from tapegrad.numpy.reductions import max as max
from tapegrad.numpy.reductions import mean as mean
from tapegrad.numpy.reductions import min as min
from tapegrad.numpy.reductions import prod as prod
from tapegrad.numpy.reductions import sum as sum
from tapegrad.numpy.statistics import std as std
from tapegrad.numpy.statistics import var as var
