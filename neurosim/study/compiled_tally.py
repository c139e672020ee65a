"""The counting of `tally`, compiled by Numba from the same lines."""

from numba import njit
from numba.extending import register_jitable

from neurosim.study import tally

register_jitable(tally.along)
register_jitable(tally.gain)
register_jitable(tally._peak)
try:
    counted = njit(cache=True)(tally.counted)
except RuntimeError:  # no folder to keep machine code in
    counted = njit(tally.counted)
