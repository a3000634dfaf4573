"""Comparisons, tests, and the logic of bits: outputs without derivative."""

import numpy as np

from tapegrad.core.families import batch_elementwise, constant
from tapegrad.core.primitive import case

equal_p = constant("equal", np.equal)
not_equal_p = constant("not_equal", np.not_equal)
less_p = constant("less", np.less)
less_equal_p = constant("less_equal", np.less_equal)
greater_p = constant("greater", np.greater)
greater_equal_p = constant("greater_equal", np.greater_equal)

logical_and_p = constant("logical_and", np.logical_and)
logical_or_p = constant("logical_or", np.logical_or)
logical_xor_p = constant("logical_xor", np.logical_xor)
logical_not_p = constant("logical_not", np.logical_not)

isfinite_p = constant("isfinite", np.isfinite)
isinf_p = constant("isinf", np.isinf)
isnan_p = constant("isnan", np.isnan)
signbit_p = constant("signbit", np.signbit)

INTEGERS = case(np.array([12, 5, 6]), np.array([4, 3, 1]))

bitwise_and_p = constant("bitwise_and", np.bitwise_and, cases=(INTEGERS,))
bitwise_or_p = constant("bitwise_or", np.bitwise_or, cases=(INTEGERS,))
bitwise_xor_p = constant("bitwise_xor", np.bitwise_xor, cases=(INTEGERS,))
invert_p = constant("invert", np.invert, cases=(case(np.array([12, 5, 6])),))
left_shift_p = constant("left_shift", np.left_shift, cases=(INTEGERS,))
right_shift_p = constant("right_shift", np.right_shift, cases=(INTEGERS,))
bitwise_count_p = constant("bitwise_count", np.bitwise_count, cases=(case(np.array([12, 5, 6])),))
gcd_p = constant("gcd", np.gcd, cases=(INTEGERS,))
lcm_p = constant("lcm", np.lcm, cases=(INTEGERS,))

isclose_p = constant(
    "isclose", np.isclose, arity=2, batch=batch_elementwise("isclose"), cases=(case((3,), (3,)), case((3,), (), rtol=0.5))
)
isposinf_p = constant("isposinf", np.isposinf, batch=batch_elementwise("isposinf"), cases=(case((3,)),))
isneginf_p = constant("isneginf", np.isneginf, batch=batch_elementwise("isneginf"), cases=(case((3,)),))
