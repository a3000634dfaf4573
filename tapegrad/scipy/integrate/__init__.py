"""`scipy.integrate`, differentiable: integrals of samples, by their values and by the points where they were taken."""

from tapegrad.scipy.integrate.parabolas import cumulative_simpson as cumulative_simpson
from tapegrad.scipy.integrate.parabolas import romb as romb
from tapegrad.scipy.integrate.parabolas import simpson as simpson
from tapegrad.scipy.integrate.trapezoids import cumulative_trapezoid as cumulative_trapezoid
from tapegrad.scipy.integrate.trapezoids import trapezoid as trapezoid
