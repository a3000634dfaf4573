"""Optimizers as pure functions over pytrees: ``init(params)`` gives a state, ``update(grads, state, params)`` the next step."""

from tapegrad.optim.adam import Adam as Adam
from tapegrad.optim.adam import AdamState as AdamState
from tapegrad.optim.adam import adam as adam
from tapegrad.optim.optimizer import Optimizer as Optimizer
from tapegrad.optim.optimizer import apply_updates as apply_updates
from tapegrad.optim.sgd import Sgd as Sgd
from tapegrad.optim.sgd import SgdState as SgdState
from tapegrad.optim.sgd import sgd as sgd
