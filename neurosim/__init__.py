"""From a blood value to a muscle twitch: put in a body, see where a twitch starts and how often.

    import neurosim as ns
    body = ns.Body(ionised_calcium_mmol_l=0.85)
    result = ns.simulate(body, muscle="eyelid", duration_s=600, seed=1)
    result.twitches; result.plot(); print(result)

A teaching model, not medical advice. Every name below is explained by ``help``; the rooms
behind them are body, membrane, firing, muscle, study and show, and imports run in that
order only.
"""

from importlib import metadata as _metadata

from neurosim import show, sources
from neurosim.body.factors import contributions
from neurosim.body.state import Body
from neurosim.errors import NeurosimError
from neurosim.membrane.excitability import examine
from neurosim.muscle.anatomy import MUSCLES
from neurosim.show.describe import describe
from neurosim.show.plot import plot_chain
from neurosim.study.run import simulate
from neurosim.study.scenario import Scenario, catalogue, scenario
from neurosim.study.tally import replicate

try:
    __version__ = _metadata.version("neurosim")
except _metadata.PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0+unknown"

__all__ = [
    "Body",
    "MUSCLES",
    "NeurosimError",
    "Scenario",
    "catalogue",
    "contributions",
    "describe",
    "examine",
    "plot_chain",
    "replicate",
    "scenario",
    "show",
    "simulate",
    "sources",
]
