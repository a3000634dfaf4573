"""Neural networks as pure functions: parameters are frozen records, ``init_x`` makes them, ``x(params, ...)`` applies them."""

from tapegrad.nn.activations import log_softmax as log_softmax
from tapegrad.nn.activations import relu as relu
from tapegrad.nn.activations import sigmoid as sigmoid
from tapegrad.nn.activations import softmax as softmax
from tapegrad.nn.activations import tanh as tanh
from tapegrad.nn.linear import LinearParams as LinearParams
from tapegrad.nn.linear import init_linear as init_linear
from tapegrad.nn.linear import linear as linear
from tapegrad.nn.losses import cross_entropy as cross_entropy
from tapegrad.nn.losses import mse as mse
