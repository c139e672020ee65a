"""The sampler of `sampler`, compiled by Numba from the same lines."""

from numba import njit
from numba.extending import register_jitable

from neurosim.model.firing import sampler

register_jitable(sampler.cell_of)
register_jitable(sampler.now)
register_jitable(sampler.log_hazard)
register_jitable(sampler.pick)
try:
    sample = njit(cache=True)(sampler.sample)
except RuntimeError:  # no folder to keep machine code in
    sample = njit(sampler.sample)
