"""SciPy's distributions, one module each: densities and probabilities that are differentiable in values and parameters.

The names and the order of arguments are SciPy's: ``tapegrad.scipy.stats.norm.logpdf(x, loc, scale)``. Single precision is kept,
where SciPy widens it.
"""

from tapegrad.scipy.stats import bernoulli as bernoulli
from tapegrad.scipy.stats import beta as beta
from tapegrad.scipy.stats import binom as binom
from tapegrad.scipy.stats import cauchy as cauchy
from tapegrad.scipy.stats import chi2 as chi2
from tapegrad.scipy.stats import dirichlet as dirichlet
from tapegrad.scipy.stats import expon as expon
from tapegrad.scipy.stats import gamma as gamma
from tapegrad.scipy.stats import geom as geom
from tapegrad.scipy.stats import laplace as laplace
from tapegrad.scipy.stats import logistic as logistic
from tapegrad.scipy.stats import lognorm as lognorm
from tapegrad.scipy.stats import multinomial as multinomial
from tapegrad.scipy.stats import multivariate_normal as multivariate_normal
from tapegrad.scipy.stats import nbinom as nbinom
from tapegrad.scipy.stats import norm as norm
from tapegrad.scipy.stats import pareto as pareto
from tapegrad.scipy.stats import poisson as poisson
from tapegrad.scipy.stats import t as t
from tapegrad.scipy.stats import uniform as uniform
