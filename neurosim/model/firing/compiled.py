"""The loop of `sampler`, compiled by Numba from the same lines."""

from numba import njit
from numba.extending import register_jitable

from neurosim.model.firing import sampler

for part in (
    sampler.closed_window,
    sampler.grid_cell,
    sampler.knot_fraction,
    sampler.log_hazard,
    sampler.choose_site,
    sampler.pass_knots,
    sampler.enter_window,
    sampler.end_window,
    sampler.emit_burst,
):
    register_jitable(part)
# The loop creates no arrays: counting references to its tables would double its time.
try:
    sample = njit(cache=True, _nrt=False)(sampler.sample)
except RuntimeError:  # no writable folder for machine code
    sample = njit(_nrt=False)(sampler.sample)
