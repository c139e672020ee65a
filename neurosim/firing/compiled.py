"""The sampler of `discharge`, compiled by Numba from the same lines."""

from numba import njit
from numba.extending import register_jitable

from neurosim.firing import discharge

register_jitable(discharge._between)
register_jitable(discharge._now)
register_jitable(discharge._rate)
register_jitable(discharge._hazard)
register_jitable(discharge._pick)
try:
    sample = njit(cache=True)(discharge._sample)
except RuntimeError:  # no folder to keep machine code in
    sample = njit(discharge._sample)
