"""`scipy.signal`, differentiable: convolution, correlation, filters."""

from tapegrad.scipy.signal.convolution import convolve as convolve
from tapegrad.scipy.signal.convolution import convolve2d as convolve2d
from tapegrad.scipy.signal.convolution import correlate as correlate
from tapegrad.scipy.signal.convolution import correlate2d as correlate2d
from tapegrad.scipy.signal.convolution import fftconvolve as fftconvolve
from tapegrad.scipy.signal.convolution import oaconvolve as oaconvolve
from tapegrad.scipy.signal.filters import filtfilt as filtfilt
from tapegrad.scipy.signal.filters import lfilter as lfilter
from tapegrad.scipy.signal.filters import lfilter_zi as lfilter_zi
from tapegrad.scipy.signal.filters import sosfilt as sosfilt
from tapegrad.scipy.signal.smoothing import detrend as detrend
from tapegrad.scipy.signal.smoothing import savgol_filter as savgol_filter
from tapegrad.scipy.signal.spectral import hilbert as hilbert
from tapegrad.scipy.signal.spectral import resample as resample
