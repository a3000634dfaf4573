"""Pytrees: nested containers of arrays, taken apart into leaves and put together again."""

from tapegrad.tree.containers import PLAIN_LEAVES as PLAIN_LEAVES
from tapegrad.tree.containers import container_of as container_of
from tapegrad.tree.containers import register as register
from tapegrad.tree.containers import static as static
from tapegrad.tree.functions import Structure as Structure
from tapegrad.tree.functions import flatten as flatten
from tapegrad.tree.functions import leaves as leaves
from tapegrad.tree.functions import map as map
from tapegrad.tree.functions import paths as paths
from tapegrad.tree.functions import ravel as ravel
from tapegrad.tree.functions import rebuild as rebuild
from tapegrad.tree.functions import reduce as reduce
from tapegrad.tree.functions import refill as refill
from tapegrad.tree.functions import structure as structure
from tapegrad.tree.functions import unflatten as unflatten
