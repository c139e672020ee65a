"""The counting of `tally`, compiled by Numba from the same lines."""

from numba import njit
from numba.extending import register_jitable

from neurosim.simulation import counting

register_jitable(counting.interpolate_knots)
register_jitable(counting.summation_gain)
register_jitable(counting.peak_force)
try:
    count_bursts = njit(cache=True)(counting.count_bursts)
except RuntimeError:  # no folder to keep machine code in
    count_bursts = njit(counting.count_bursts)
