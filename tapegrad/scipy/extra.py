"""The extra that this room needs: without SciPy, importing it says how to install it."""

from tapegrad.errors import MissingExtraError

try:
    from scipy import __version__ as version
except ImportError as error:
    raise MissingExtraError("tapegrad.scipy needs SciPy, which is not installed: pip install 'tapegrad[scipy]'") from error

__all__ = ["version"]
