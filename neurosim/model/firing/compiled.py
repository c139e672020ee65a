"""The loop of `sampler`, compiled by Numba from the same lines."""

from numba import njit
from numba.extending import register_jitable

from neurosim.model.firing import sampler
from neurosim.model.firing.sampler import Sample

PART: dict = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
for part in (
    sampler.initial_state,
    sampler.grid_cell,
    sampler.knot_fraction,
    sampler.log_hazard,
    sampler.choose_site,
    sampler.pass_knots,
    sampler.enter_window,
    sampler.propose,
    sampler.emit_burst,
):
    register_jitable(**PART)(part)
# The loop creates no arrays: counting references to its tables would double its time.
# Every part is inlined, so that the records stay in registers.
sample: Sample
try:
    sample = njit(cache=True, _nrt=False)(sampler.sample)  # pyright: ignore[reportCallIssue]
except RuntimeError:  # no writable folder for machine code
    sample = njit(_nrt=False)(sampler.sample)  # pyright: ignore[reportCallIssue]
