"""NumPy's discrete Fourier transforms, typed and differentiable, under NumPy's own names and signatures."""

from tapegrad.numpy.fft.frequencies import fftfreq as fftfreq
from tapegrad.numpy.fft.frequencies import fftshift as fftshift
from tapegrad.numpy.fft.frequencies import ifftshift as ifftshift
from tapegrad.numpy.fft.frequencies import rfftfreq as rfftfreq
from tapegrad.numpy.fft.one_axis import fft as fft
from tapegrad.numpy.fft.one_axis import hfft as hfft
from tapegrad.numpy.fft.one_axis import ifft as ifft
from tapegrad.numpy.fft.one_axis import ihfft as ihfft
from tapegrad.numpy.fft.one_axis import irfft as irfft
from tapegrad.numpy.fft.one_axis import rfft as rfft
from tapegrad.numpy.fft.several_axes import fft2 as fft2
from tapegrad.numpy.fft.several_axes import fftn as fftn
from tapegrad.numpy.fft.several_axes import ifft2 as ifft2
from tapegrad.numpy.fft.several_axes import ifftn as ifftn
from tapegrad.numpy.fft.several_axes import irfft2 as irfft2
from tapegrad.numpy.fft.several_axes import irfftn as irfftn
from tapegrad.numpy.fft.several_axes import rfft2 as rfft2
from tapegrad.numpy.fft.several_axes import rfftn as rfftn
