"""The explorer without its widgets: the body of a slider setting, and the model's response.

An `ExplorerSetting` holds the positions of the sliders. Its body is simulated like any other, and
the sentences follow from the result. `plot` has the picture, `widgets` the sliders.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError, finite_number, number_within, unknown_name
from neurosim.base.parameters import parameter
from neurosim.model.body.fields import FIELDS, MEANINGS
from neurosim.model.body.state import Body
from neurosim.model.body.units import INPUT_UNITS
from neurosim.model.firing.sites import TYPICAL_PERSON
from neurosim.model.soma.soma import SomaConditions, margin_mv
from neurosim.simulation.scenario import Scenario, catalogue, load_scenario, title_in_sentence
from neurosim.simulation.simulate import simulate
from neurosim.view import describe_ratio
from neurosim.view.describe_body import count_ectopic_sites
from neurosim.view.parameter_use import count_assumptions
from neurosim.view.style import ADVICE, label_number, muscle_words, pluralize, time_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neurosim.simulation.result import Result

DURATION_S = 60.0  # long enough to see, short enough to follow a slider
HEALTH = "normal"
# Input name, plain name, and the step of one press of an arrow key.
_SLIDERS = (
    ("ionised_calcium_mmol_l", "ionised calcium", 0.05),
    ("potassium_mmol_l", "potassium", 0.1),
    ("ionised_magnesium_mmol_l", "ionised magnesium", 0.05),
    ("sodium_mmol_l", "sodium", 1.0),
    ("cups_of_coffee", "caffeine", 1.0),
    ("sleep_debt_h", "sleep debt", 1.0),
    ("stress", "stress", 0.05),
)
SEVERITY_STEP = 0.05
SMALL_CONDITIONS = (
    "isaacs", "pinched_nerve", "nerve_damage", "als", "serotonin_syndrome", "kidney_disease",
    "over_breathing", "cramp",
)  # fmt: skip


@dataclass(frozen=True)
class Slider:
    """One quantity of the body that a slider moves, in the unit of its input name.

    Attributes
    ----------
    input_name, label, unit : str
        Name under which a body takes it, plain name, and unit (empty for a scale).
    field : str
        Field of the body that it sets.
    healthy : float
        Value of a healthy adult.
    low, high : float
        Reference range.
    lowest, highest : float
        Limits of the body; of an ion, the survivable ones.
    step : float
    """

    input_name: str
    label: str
    unit: str
    field: str
    healthy: float
    low: float
    high: float
    lowest: float
    highest: float
    step: float

    def side(self, value: float) -> str:
        """Return ``"low"`` or ``"high"`` outside the reference range, otherwise an empty text."""
        return "low" if value < self.low else "high" if value > self.high else ""

    def format_value(self, value: float) -> str:
        """Return a value with its unit, with as many decimals as a step has."""
        places = max(0, -math.floor(math.log10(self.step) + 1e-9))
        return f"{value:.{places}f} {self.unit}".strip()

    def range_words(self) -> str:
        """Return the reference range in words."""
        if FIELDS[self.field].is_scale:
            return "0 none to 1 the strongest"
        if self.high <= self.low:
            return f"usual {self.format_value(self.low)}"
        if self.input_name != self.field:  # an intake, against the usual level in the blood
            return f"usual in plasma: up to {self.format_value(self.high)}' worth"
        places = max(0, -math.floor(math.log10(self.step) + 1e-9))
        return f"usual {self.low:.{places}f} to {self.format_value(self.high)}"


@cached()
def all_sliders() -> Mapping[str, Slider]:
    """Return the sliders by input name, in their order on the page."""
    return MappingProxyType(
        {name: _make_slider(name, label, step) for name, label, step in _SLIDERS}
    )


def _make_slider(name: str, label: str, step: float) -> Slider:
    """Return a slider with the limits of its field, in whole steps of its unit."""
    unit = INPUT_UNITS[name]
    f, factor = FIELDS[unit.target], unit.factor
    ends = f.lowest / factor, f.highest / factor
    if factor != 1.0:  # cups end where the last whole one can be survived
        ends = math.ceil(ends[0] / step) * step, math.floor(ends[1] / step) * step
    return Slider(
        name,
        label,
        unit.unit,
        unit.target,
        f.healthy / factor,
        f.low / factor,
        f.high / factor,
        ends[0],
        ends[1],
        step,
    )


@cached()
def explorer_conditions() -> Mapping[str, str]:
    """Return name and title of every scenario that touches no slider's field, health first."""
    slider_fields, healthy = {k.field for k in all_sliders().values()}, vars(Body())
    titles: dict[str, str] = {}
    for name in catalogue():
        scenario = load_scenario(name)
        changed = {f for f, value in vars(scenario.body).items() if value != healthy[f]}
        if scenario.course is None and not changed & slider_fields:
            titles[name] = scenario.title
    del titles[HEALTH]
    by_title = dict(sorted(titles.items(), key=lambda item: item[1].lower()))
    return MappingProxyType({HEALTH: "None (health)", **by_title})


@dataclass(frozen=True)
class ExplorerSetting:
    """The positions of the sliders and menus.

    Attributes
    ----------
    values : mapping
        Values by the names of `all_sliders`; the others are healthy.
    condition : str
        One of `explorer_conditions`.
    severity : float
        How much of the condition: 0 none to 1 as the catalogue has it.
    muscle : str

    Raises
    ------
    NeurosimError
        For an unknown name, or a value outside the limits of its slider.
    """

    values: Mapping[str, float] = field(default_factory=dict[str, float])
    condition: str = HEALTH
    severity: float = 1.0
    muscle: str = "foot_sole"

    def __post_init__(self) -> None:
        checked: dict[str, float] = {}
        for name, value in self.values.items():
            if name not in all_sliders():
                raise unknown_name("slider", name, all_sliders())
            k = all_sliders()[name]
            meaning = MEANINGS[FIELDS[k.field].kind]
            checked[name] = number_within(name, value, k.lowest, k.highest, k.unit, meaning)
        if self.condition not in explorer_conditions():
            raise unknown_name("condition", self.condition, explorer_conditions())
        object.__setattr__(self, "values", MappingProxyType(checked))
        object.__setattr__(self, "severity", number_within("severity", self.severity, 0.0, 1.0))

    @property
    def moved_sliders(self) -> tuple[str, ...]:
        """Names of the sliders that are not at the healthy value."""
        return tuple(n for n, k in all_sliders().items() if self._value(n) != k.healthy)

    @property
    def has_condition(self) -> bool:
        """Whether an illness is chosen with a severity above 0."""
        return self.condition != HEALTH and self.severity > 0.0

    def _value(self, name: str) -> float:
        """Return a slider's value; one that differs from health by rounding alone is healthy."""
        k = all_sliders()[name]
        value = self.values.get(name, k.healthy)
        return k.healthy if math.isclose(value, k.healthy, abs_tol=k.step / 1000) else value

    def body(self) -> Body:
        """Return the body of this setting.

        Raises
        ------
        NeurosimError
            If it cannot be survived.
        """
        parts = {name: self._value(name) for name in self.moved_sliders}
        if self.has_condition:
            healthy, ill = vars(Body()), vars(load_scenario(self.condition).body)
            for name, value in ill.items():
                if value != healthy[name]:
                    parts[name] = healthy[name] + self.severity * (value - healthy[name])
        return Body(**parts)

    def describe(self) -> str:
        """Return what differs from health, in a few words."""
        parts: list[str] = []
        for name in self.moved_sliders:
            k, value = all_sliders()[name], self._value(name)
            side = "" if FIELDS[k.field].is_scale or k.high <= k.low else k.side(value)
            parts.append(f"{k.label} {k.format_value(value)}" + (f" ({side})" if side else ""))
        if self.has_condition:
            title = title_in_sentence(explorer_conditions()[self.condition])
            size = "" if self.severity == 1.0 else f" at {self.severity * 100:.0f} % of its size"
            parts.append(title + size)
        return ", ".join(parts) if parts else "all as in health"


class Sentence(NamedTuple):
    """One sentence and what it is on; an empty topic for one on all of it."""

    topic: str
    text: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.text}" if self.topic else self.text

    def html(self) -> str:
        """Return the sentence as HTML, its topic in bold."""
        topic = f"<b>{html.escape(self.topic)}:</b> " if self.topic else ""
        return topic + html.escape(self.text)


@dataclass(frozen=True)
class Response:
    """The model's response to a setting: one person's result, and the same person in health."""

    setting: ExplorerSetting
    result: Result
    healthy: Result

    def sentences(self) -> list[Sentence]:
        """Return the response in a few sentences, each with its topic."""
        s = self.result.scenario
        lean = count_assumptions(self.result.parameters).words()
        return [
            Sentence("Body", f"{self.setting.describe()}, in the {muscle_words(s.muscle)}."),
            threshold_sentence(self.result),
            margin_sentence(self.result, self.healthy),
            twitch_sentence(self.result, self.healthy),
            Sentence("", f"{lean}. {ADVICE}"),
        ]

    def text(self) -> str:
        """Return the response as one text, for a picture's alt text."""
        return " ".join(map(str, self.sentences()))

    def html(self) -> str:
        """Return the response as HTML, the topic of each sentence in bold."""
        return "<br>".join(sentence.html() for sentence in self.sentences())


class Explorer:
    """Simulates one person under slider settings; the healthy baseline is computed once.

    Parameters
    ----------
    seed, person : int
        Which person it is.
    axon : str
        One of `neurosim.model.axon.axon.AXONS`.

    Raises
    ------
    NeurosimError
        For a value that is not allowed.
    """

    def __init__(self, seed: int = 1, person: int = TYPICAL_PERSON, axon: str = "ghk") -> None:
        self._base = Scenario(name="explore", duration_s=DURATION_S, seed=seed, axon=axon)
        if (
            isinstance(person, bool)
            or not isinstance(person, int)  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
            or person < 0
        ):
            raise NeurosimError(
                f"person = {finite_number('person', person):g} must be a whole number from 0."
            )
        self._person = person
        self._healthy: dict[str, Result] = {}

    def respond(self, setting: ExplorerSetting) -> Response:
        """Simulate a setting.

        Raises
        ------
        NeurosimError
            If the body cannot be survived.
        """
        body, muscle = setting.body(), setting.muscle
        if muscle not in self._healthy:
            self._healthy[muscle] = self._run(ExplorerSetting(muscle=muscle), Body())
        healthy = self._healthy[muscle]
        result = healthy if body == Body() else self._run(setting, body)
        return Response(setting, result, healthy)

    def _run(self, setting: ExplorerSetting, body: Body) -> Result:
        title = setting.describe()
        scenario = self._base.replace(
            title=title[:1].upper() + title[1:], body=body, muscle=setting.muscle
        )
        return simulate(scenario, person=self._person)


def threshold_sentence(result: Result) -> Sentence:
    """Return how much current the axon needs, in per cent of health."""
    part = result.excitability.relative_to(result.healthy)
    short, long = part["threshold_1ms_percent"], part["threshold_20ms_percent"]
    if math.isnan(short) or math.isnan(long):
        return Sentence(
            "Threshold", "the nerve fibre is blocked, no pulse makes a full action potential."
        )
    mean = 0.5 * (short + long)
    easier = "easier to fire" if mean < 99.5 else "harder to fire"
    if max(abs(short - 100.0), abs(long - 100.0)) < 0.5:
        easier = "as easy to fire as in health"
    elif (short - 100.0) * (long - 100.0) < 0:
        short_pulse, long_pulse = ("easier", "harder") if short < 100.0 else ("harder", "easier")
        easier = f"{short_pulse} to fire by a short pulse, {long_pulse} by a long one"
    return Sentence(
        "Threshold",
        f"a 1-ms pulse needs {short:.0f} % of the healthy current, a 20-ms pulse "
        f"{long:.0f} %: {easier}.",
    )


def margin_sentence(result: Result, healthy: Result) -> Sentence:
    """Return how far nerve and cell body are from firing by themselves."""
    count, healthy_count = count_ectopic_sites(result), count_ectopic_sites(healthy)
    margin, at_rest = margin_mv(result.state.soma), margin_mv(SomaConditions())
    cell = f"the cell body rests {margin:.1f} mV below its threshold"
    if abs(margin - at_rest) >= 0.05:
        cell += f" (health {at_rest:.1f})"
    total = label_number(result.sites.sodium_multiplier.size)
    fire = "is ectopic, firing by itself" if count == 1 else "are ectopic, firing by themselves"
    return Sentence(
        "Margin",
        f"{label_number(count) if count else 'none'} of {total} sites of the nerve {fire} "
        f"(health {healthy_count}); {cell}.",
    )


def rate_words(per_min: float) -> str:
    """Return a long-run rate in words, rare ones as a time between two.

    Examples
    --------
    >>> rate_words(254.7), rate_words(1.57), rate_words(0.01), rate_words(0.0)
    ('255 per minute', '1.6 per minute', 'one in 100 minutes', 'none')
    """
    if per_min < describe_ratio.SILENT_PER_MIN:
        return "none"
    if per_min < 0.1:
        return f"one in {time_words(60.0 / float(f'{per_min:.2g}'))}"
    rounded = f"{per_min:.2g}" if per_min < 10 else f"{round(per_min):.3g}"
    return f"{label_number(float(rounded))} per minute"


def twitch_sentence(result: Result, healthy: Result) -> Sentence:
    """Return the long-run twitch rate against health, and where the twitches start."""
    rate, healthy_rate = result.expected_per_min, healthy.expected_per_min
    spasms = int((result.twitches.kind == "spasm").sum())
    end = f"; and {pluralize(spasms, 'spasm')} in this minute" if spasms else ""
    if result is healthy:
        return Sentence("Twitches", f"{rate_words(rate)} over a long time, in health{end}.")
    ratio = describe_ratio.person_ratio(result, healthy)
    start = f"{rate_words(rate)} over a long time, {rate_words(healthy_rate)} in health"
    if not result.reaches and result.firing.time_s.size:
        why = f"the nerve fires, but {_block_reason(result)}"
    else:
        source = describe_ratio.origin_of_increase(result, ratio)
        why = ", ".join(filter(None, (describe_ratio.ratio_band(ratio), source)))
    return Sentence("Twitches", f"{start}: {why}{end}.")


def _block_reason(result: Result) -> str:
    """Return why no discharge moves the muscle."""
    if result.state.transmission < parameter("study", "smallest_transmission"):
        return "too few muscle fibres follow it across the end plate"
    return "its fibres do not conduct"


def small_settings(start: ExplorerSetting) -> list[ExplorerSetting]:
    """Return the settings of the small pictures: health, each slider low and high, conditions.

    The low and high values are those of the catalogue's scenarios.
    """
    alone: dict[str, list[float]] = {scenario_name: [] for scenario_name in all_sliders()}
    healthy = vars(Body())
    for scenario_name in catalogue():
        scenario = load_scenario(scenario_name)
        changed = [f for f, value in vars(scenario.body).items() if value != healthy[f]]
        for name, k in all_sliders().items():
            if scenario.course is None and changed == [k.field]:
                value = getattr(scenario.body, k.field) / INPUT_UNITS[name].factor
                alone[name].append(float(np.clip(value, k.lowest, k.highest)))
    settings = [start]
    for name, values in alone.items():
        settings += [ExplorerSetting({name: v}, muscle=start.muscle) for v in sorted(values)]
    settings += [
        ExplorerSetting(condition=scenario_name, muscle=start.muscle)
        for scenario_name in SMALL_CONDITIONS
    ]
    return settings
