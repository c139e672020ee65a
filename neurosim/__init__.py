"""From a blood value to a muscle twitch: put in a body, see where a twitch starts and how often.

    import neurosim as ns
    body = ns.Body(ionised_calcium_mmol_l=0.85)
    result = ns.simulate(body, muscle="eyelid", duration_s=600, seed=1)
    result.twitches; result.plot(); print(result)

A teaching model, not medical advice. Every name below is explained by ``help``; a name is
imported when it is first asked for. The rooms behind them, each importing only from those before
it, are base, model, clinic, simulation, view, article, classroom and validation, cli
(docs/architecture.md draws them).
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from neurosim.base.registry import register as _register

if TYPE_CHECKING:
    from neurosim.base.errors import NeurosimError
    from neurosim.classroom.explorer.open import explore
    from neurosim.classroom.mystery.desk import mystery
    from neurosim.clinic.excitability import examine
    from neurosim.clinic.panel import read_panel
    from neurosim.model.body.contributions import contributions
    from neurosim.model.body.state import Body
    from neurosim.model.muscle.anatomy import MUSCLES
    from neurosim.simulation.cohort import cohort
    from neurosim.simulation.replicate import replicate
    from neurosim.simulation.scenario import Scenario, catalogue, load_scenario
    from neurosim.simulation.sensitivity import sensitivity
    from neurosim.simulation.simulate import run, simulate
    from neurosim.simulation.sweep import sweep
    from neurosim.view.figures import picture_chain
    from neurosim.view.summary import describe

    __version__: str

_HOMES = {
    "base.errors": ("NeurosimError",),
    "classroom.explorer.open": ("explore",),
    "classroom.mystery.desk": ("mystery",),
    "clinic.excitability": ("examine",),
    "clinic.panel": ("read_panel",),
    "model.body.contributions": ("contributions",),
    "model.body.state": ("Body",),
    "model.muscle.anatomy": ("MUSCLES",),
    "simulation.cohort": ("cohort",),
    "simulation.replicate": ("replicate",),
    "simulation.scenario": ("Scenario", "catalogue", "load_scenario"),
    "simulation.sensitivity": ("sensitivity",),
    "simulation.simulate": ("run", "simulate"),
    "simulation.sweep": ("sweep",),
    "view.figures": ("picture_chain",),
    "view.summary": ("describe",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
__all__ = [
    "Body",
    "MUSCLES",
    "NeurosimError",
    "Scenario",
    "catalogue",
    "cohort",
    "contributions",
    "describe",
    "examine",
    "explore",
    "mystery",
    "picture_chain",
    "read_panel",
    "replicate",
    "load_scenario",
    "run",
    "sensitivity",
    "simulate",
    "sweep",
]

# What shows the objects of the rooms below (see `neurosim.base.viewable`): imports point one way.
_register("Body", html="neurosim.view.html_parts:body_html")
_register("Viewable", html="neurosim.view.html_parts:result_html")
_register(
    "Result",
    text="neurosim.view.save:result_text",
    headline="neurosim.view.summary:headline",
    plot="neurosim.view.save:draw_result",
    files="neurosim.view.save:result_files",
    table="neurosim.view.save:result_table",
    parameters="neurosim.view.describe:used_parameters",
)
_register(
    "People",
    text="neurosim.view.people:describe_people",
    headline="neurosim.view.people:people_headline",
    plot="neurosim.view.people:draw_people",
    files="neurosim.view.people:people_files",
    table="neurosim.view.export:people_columns",
    parameters="neurosim.view.people:people_parameters",
)
_register(
    "Sweep",
    text="neurosim.view.people:describe_sweep",
    headline="neurosim.view.people:sweep_headline",
    plot="neurosim.view.people:draw_sweep",
    files="neurosim.view.people:sweep_files",
    table="neurosim.view.people:sweep_columns",
    parameters="neurosim.view.people:sweep_parameters",
)
_register(
    "Cohort",
    text="neurosim.view.cohort_tables:describe_cohort",
    headline="neurosim.view.cohort_tables:cohort_headline",
    plot="neurosim.view.cohort_plot:picture_cohort",
    files="neurosim.view.cohort_plot:cohort_files",
    table="neurosim.view.cohort_tables:cohort_columns",
    parameters="neurosim.view.cohort_plot:cohort_parameters",
)
_register(
    "Sensitivity",
    text="neurosim.view.sensitivity:sensitivity_text",
    headline="neurosim.view.sensitivity:sensitivity_headline",
    plot="neurosim.view.sensitivity:picture_sensitivity",
    files="neurosim.view.sensitivity:sensitivity_files",
    table="neurosim.view.sensitivity:sensitivity_rows",
    parameters="neurosim.view.sensitivity:sensitivity_parameters",
)
_register(
    "Sources",
    text="neurosim.view.sources_table:describe_sources",
    headline="neurosim.view.sources_table:sources_headline",
    files="neurosim.view.sources_table:source_files",
    table="neurosim.view.sources_table:source_rows",
)


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
    elif name == "__version__":
        found = _version()
    else:
        raise AttributeError(f"module 'neurosim' has no attribute '{name}'")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
