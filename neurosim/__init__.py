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

from contextlib import suppress as _suppress
from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from neurosim.base.registry import register as _register

if TYPE_CHECKING:
    from neurosim.article.trial import article
    from neurosim.base.errors import NeurosimError
    from neurosim.base.viewable import sources
    from neurosim.classroom.explorer.open import explore
    from neurosim.classroom.lab import lab
    from neurosim.classroom.lessons.build import lessons
    from neurosim.classroom.mystery.desk import mystery
    from neurosim.classroom.mystery.key import key
    from neurosim.clinic.detect import detect
    from neurosim.clinic.panel import read_panel
    from neurosim.clinic.record import read_record
    from neurosim.model.body.contributions import contributions
    from neurosim.model.body.state import Body
    from neurosim.model.muscle.anatomy import MUSCLES
    from neurosim.simulation.cohort import cohort
    from neurosim.simulation.examine import excitability, fit
    from neurosim.simulation.replicate import replicate
    from neurosim.simulation.scenario import Scenario, catalogue, load_scenario
    from neurosim.simulation.sensitivity import sensitivity
    from neurosim.simulation.simulate import run, simulate
    from neurosim.simulation.sweep import sweep
    from neurosim.validation.validate import validate

    __version__: str

_HOMES = {
    "article.trial": ("article",),
    "base.errors": ("NeurosimError",),
    "base.viewable": ("sources",),
    "classroom.explorer.open": ("explore",),
    "classroom.lab": ("lab",),
    "classroom.lessons.build": ("lessons",),
    "classroom.mystery.desk": ("mystery",),
    "classroom.mystery.key": ("key",),
    "clinic.detect": ("detect",),
    "clinic.panel": ("read_panel",),
    "clinic.record": ("read_record",),
    "model.body.contributions": ("contributions",),
    "model.body.state": ("Body",),
    "model.muscle.anatomy": ("MUSCLES",),
    "simulation.cohort": ("cohort",),
    "simulation.examine": (
        "excitability",
        "fit",
    ),
    "simulation.replicate": ("replicate",),
    "simulation.scenario": (
        "Scenario",
        "catalogue",
        "load_scenario",
    ),
    "simulation.sensitivity": ("sensitivity",),
    "simulation.simulate": (
        "run",
        "simulate",
    ),
    "simulation.sweep": ("sweep",),
    "validation.validate": ("validate",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
__all__ = [
    "MUSCLES",
    "Body",
    "NeurosimError",
    "Scenario",
    "article",
    "catalogue",
    "cohort",
    "contributions",
    "detect",
    "excitability",
    "explore",
    "fit",
    "key",
    "lab",
    "lessons",
    "load_scenario",
    "mystery",
    "read_panel",
    "read_record",
    "replicate",
    "run",
    "sensitivity",
    "simulate",
    "sources",
    "sweep",
    "validate",
]

# A room's folder that has the name of a public function: Python sets the folder as an attribute of
# the package when it is first loaded. It is loaded now (it holds one line), and the name freed.
with _suppress(ModuleNotFoundError):  # an installation without that application
    _import_module("neurosim.article")
globals().pop("article", None)

# What shows the objects of the rooms below (see `neurosim.base.viewable`): imports point one way.
_register("Body", html="neurosim.view.notebook:body_html")
_register("Viewable", html="neurosim.view.notebook:result_html")
_register(
    "Mystery",
    text="neurosim.classroom.mystery.desk:describe_mystery",
    headline="neurosim.classroom.mystery.desk:mystery_headline",
    plot="neurosim.classroom.mystery.desk:newest_picture",
    files="neurosim.classroom.mystery.files:mystery_files",
    table="neurosim.classroom.mystery.files:mystery_table",
)
_register(
    "TeacherKey",
    text="neurosim.classroom.mystery.key_phrases:describe_key",
    headline="neurosim.classroom.mystery.key_phrases:key_headline",
    files="neurosim.classroom.mystery.files:key_files",
    table="neurosim.classroom.mystery.key_phrases:key_rows",
)
_register(
    "Result",
    text="neurosim.view.save:result_text",
    headline="neurosim.view.summary:headline",
    plot="neurosim.view.save:draw_result",
    files="neurosim.view.save:result_files",
    table="neurosim.view.save:result_table",
)
_register(
    "Examination",
    text="neurosim.view.examination:describe_examination",
    headline="neurosim.view.examination:examination_headline",
    plot="neurosim.view.examination:picture_examination",
    files="neurosim.view.examination:examination_files",
    table="neurosim.view.examination:examination_rows",
)
_register(
    "Fit",
    text="neurosim.view.fitted:print_fit",
    headline="neurosim.view.fitted:fit_headline",
    plot="neurosim.view.fitted:picture_fit",
    files="neurosim.view.fitted:fit_files",
    table="neurosim.view.fitted:fit_rows",
)
_register(
    "Detection",
    text="neurosim.view.detection:describe_detection",
    headline="neurosim.view.detection:detection_headline",
    plot="neurosim.view.detection_figure:picture_detection",
    files="neurosim.view.detection_figure:detection_files",
    table="neurosim.view.detection:potential_columns",
)
_register(
    "Article",
    text="neurosim.article.phrases:verdict_table",
    headline="neurosim.article.phrases:article_headline",
    plot="neurosim.article.plot:picture_verdicts",
    files="neurosim.article.report:article_files",
    table="neurosim.article.tables:verdict_rows",
)
_register(
    "Validation",
    text="neurosim.validation.views:describe_validation",
    headline="neurosim.validation.views:validation_headline",
    plot="neurosim.validation.plot:picture_targets",
    files="neurosim.validation.views:validation_files",
    table="neurosim.validation.views:target_rows",
)
_register(
    "People",
    text="neurosim.view.people:describe_people",
    headline="neurosim.view.people:people_headline",
    plot="neurosim.view.people:draw_people",
    files="neurosim.view.people:people_files",
    table="neurosim.view.export:people_columns",
)
_register(
    "Sweep",
    text="neurosim.view.people:describe_sweep",
    headline="neurosim.view.people:sweep_headline",
    plot="neurosim.view.people:draw_sweep",
    files="neurosim.view.people:sweep_files",
    table="neurosim.view.people:sweep_columns",
)
_register(
    "Cohort",
    text="neurosim.view.cohort_tables:describe_cohort",
    headline="neurosim.view.cohort_tables:cohort_headline",
    plot="neurosim.view.cohort_plot:picture_cohort",
    files="neurosim.view.cohort_plot:cohort_files",
    table="neurosim.view.cohort_tables:cohort_columns",
)
_register(
    "Sensitivity",
    text="neurosim.view.sensitivity:sensitivity_text",
    headline="neurosim.view.sensitivity:sensitivity_headline",
    plot="neurosim.view.sensitivity:picture_sensitivity",
    files="neurosim.view.sensitivity:sensitivity_files",
    table="neurosim.view.sensitivity:sensitivity_rows",
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
