"""The counting of `tally`, compiled by Numba from the same lines."""

from numba import njit
from numba.extending import register_jitable

from neurosim.simulation import counting

register_jitable(counting.along)
register_jitable(counting.gain)
register_jitable(counting._peak)
try:
    counted = njit(cache=True)(counting.counted)
except RuntimeError:  # no folder to keep machine code in
    counted = njit(counting.counted)
