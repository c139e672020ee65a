"""The loop of `sampler`, compiled by Numba from the same lines."""

from numba import njit
from numba.extending import register_jitable

from neurosim.model.firing import sampler

register_jitable(sampler.grid_cell)
register_jitable(sampler.knot_fraction)
register_jitable(sampler.log_hazard)
register_jitable(sampler.choose_site)
try:
    sample = njit(cache=True)(sampler.sample)
except RuntimeError:  # no writable folder for machine code
    sample = njit(sampler.sample)
