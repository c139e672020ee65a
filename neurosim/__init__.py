"""From a blood value to a muscle twitch: put in a body, see where a twitch starts and how often.

    import neurosim as ns
    body = ns.Body(ionised_calcium_mmol_l=0.85)
    result = ns.simulate(body, muscle="eyelid", duration_s=600, seed=1)
    result.twitches; result.plot(); print(result)

A teaching model, not medical advice. Every name below is explained by ``help``; the rooms
behind them are body, membrane, firing, muscle, study and show, and imports run in that
order only. A name is imported when it is first asked for.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from neurosim.views import VIEWS as _VIEWS

if TYPE_CHECKING:
    from neurosim import show, sources
    from neurosim.body.factors import contributions
    from neurosim.body.state import Body
    from neurosim.errors import NeurosimError
    from neurosim.membrane.excitability import examine
    from neurosim.muscle.anatomy import MUSCLES
    from neurosim.show.describe import describe
    from neurosim.show.explore import explore
    from neurosim.show.mystery_desk import mystery
    from neurosim.show.plot import picture_chain
    from neurosim.study.run import simulate
    from neurosim.study.scenario import Scenario, catalogue, scenario
    from neurosim.study.tally import replicate

    __version__: str

__all__ = [
    "Body",
    "MUSCLES",
    "NeurosimError",
    "Scenario",
    "catalogue",
    "contributions",
    "describe",
    "examine",
    "explore",
    "mystery",
    "picture_chain",
    "replicate",
    "scenario",
    "show",
    "simulate",
    "sources",
]
_HOMES = {
    "body.factors": ("contributions",),
    "body.state": ("Body",),
    "errors": ("NeurosimError",),
    "membrane.excitability": ("examine",),
    "muscle.anatomy": ("MUSCLES",),
    "show.describe": ("describe",),
    "show.explore": ("explore",),
    "show.mystery_desk": ("mystery",),
    "show.plot": ("picture_chain",),
    "study.run": ("simulate",),
    "study.scenario": ("Scenario", "catalogue", "scenario"),
    "study.tally": ("replicate",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_VIEWS |= {
    "plot": "neurosim.show.plot:picture_chain",
    "describe": "neurosim.show.describe:describe",
}


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("neurosim")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "0+unknown"


def __getattr__(name: str):
    """Return a public name, imported now."""
    if name in _HOME:
        found = getattr(_import_module(f"neurosim.{_HOME[name]}"), name)
    elif name in ("show", "sources"):
        found = _import_module(f"neurosim.{name}")
    elif name == "__version__":
        found = _version()
    else:
        raise AttributeError(f"module 'neurosim' has no attribute '{name}'")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
