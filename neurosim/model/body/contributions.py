"""What a body changes in nerve and muscle: the list that explains why it twitches.

A factor may change a concentration, a temperature, a gain, a load, or how many units, endings
and hurt axons there are, never a twitch rate: the rate has to follow from the membrane (but for the
groups of a pinched nerve, which follow a rule). Every change is relative to the healthy body.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, finite_number, short_repr, unknown_name
from neurosim.base.parameters import GRADES, Value, load_group, parameter
from neurosim.model.body.blood import IONS, blood_steps, factor_label
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body

OPERATIONS = ("set", "add", "scale")
# The only parameters a factor may touch, by site, in plain words.
PARAMETERS = {
    "axon": {
        "sodium_out_mmol_l": "sodium outside the axon",
        "potassium_out_mmol_l": "potassium outside the axon",
        "calcium_out_mmol_l": "calcium outside the axon",
        "magnesium_out_mmol_l": "magnesium outside the axon",
        "sodium_in_mmol_l": "sodium inside the axon",
        "potassium_in_scale": "potassium inside the axon",
        "temperature_c": "temperature of the axon",
        "ph": "pH around the axon",
        "pump_scale": "strength of the sodium pump",
        "sodium_scale": "all sodium channels of the axon",
        "persistent_sodium_scale": "persistent sodium current of the axon",
        "fast_potassium_scale": "fast potassium channels of the axon",
        "slow_potassium_scale": "slow potassium channels of the axon",
        "inactivation_tau_scale": "time that fast sodium inactivation of the axon takes",
    },
    "terminal": {
        "fast_potassium_scale": "fast potassium channels of nerve endings",
        "exposed_per_unit": "nerve endings of each motor unit that antibodies reach",
        "sprouts_per_unit": "excitable sprouts of each motor unit",
        "sprout_sodium_excess": "mean excess of persistent sodium at sprouts",
    },
    "lesion": {
        "axons_share": "share of the pinched root's axons that are hurt",
        "sodium_excess": "mean excess of persistent sodium in the lesion",
        "myokymic_share": "share of those axons that fire in groups, by a rule",
    },
    "soma": {
        "sodium_out_mmol_l": "sodium around the motor neuron",
        "potassium_out_mmol_l": "potassium around the motor neuron",
        "calcium_out_mmol_l": "calcium around the motor neuron",
        "magnesium_out_mmol_l": "magnesium around the motor neuron",
        "pic_gain": "persistent inward current of the motor neuron",
        "synaptic_noise_scale": "synaptic noise of the motor neuron",
        "ahp_scale": "after-hyperpolarisation of the motor neuron",
        "drive_scale": "drive to the motor neuron",
        "tone_scale": "resting tone of the motor neuron",
    },
    "facial": {
        "sodium_out_mmol_l": "sodium around the lid's motor neuron",
        "potassium_out_mmol_l": "potassium around the lid's motor neuron",
        "calcium_out_mmol_l": "calcium around the lid's motor neuron",
        "magnesium_out_mmol_l": "magnesium around the lid's motor neuron",
        "pic_gain": "persistent inward current of the lid's motor neuron",
        "synaptic_noise_scale": "synaptic noise of the lid's motor neuron",
        "ahp_scale": "after-hyperpolarisation of the lid's motor neuron",
        "drive_scale": "drive to the lid's motor neuron",
        "tone_scale": "resting tone of the lid's motor neuron",
    },
    "lid": {"local_tone_mv": "depolarisation of one motor neuron of the lid, a hypothesis"},
    "junction": {
        "calcium_out_mmol_l": "calcium at the end plate",
        "magnesium_out_mmol_l": "magnesium at the end plate",
        "acetylcholinesterase_scale": "acetylcholinesterase at the end plate",
    },
    "muscle": {
        "force_scale": "twitch force of the muscle fibres",
        "contraction_time_scale": "contraction time of the muscle fibres",
        "units_scale": "living motor units",
        "fibres_scale": "fibres of each living motor unit",
    },
    "pool": {
        "pic_scale": "persistent inward current that can hold all motor neurons firing",
        "pic_lowered_mv": "how much lower the persistent inward current opens",
        "push_mv": "push of all motor neurons by stimulating the nerve",
        "stretch_mv": "inhibition of all motor neurons by the stretch",
    },
}


@dataclass(frozen=True)
class Contribution:
    """One change that a body makes to one parameter.

    Attributes
    ----------
    factor : str
        What brings it, such as ``"potassium low"``.
    site : str
        One of `PARAMETERS`.
    parameter, operation, change, unit
        What becomes of the healthy value: ``add`` the change, ``scale`` by it, or ``set`` it.
    grade, source : str
        How well the size is known (the weakest part counts), and the key of its citation.
    why : str
        One sentence.
    size : str
        Group and name of the parameter that sizes it, as ``"body.csf_transfer"``.
    """

    factor: str
    site: str
    parameter: str
    operation: str
    change: float
    unit: str
    grade: str
    source: str
    why: str
    size: str = ""

    def __post_init__(self) -> None:
        if self.site not in PARAMETERS:
            raise unknown_name("site", self.site, PARAMETERS)
        if self.parameter not in PARAMETERS[self.site]:
            raise unknown_name(f"{self.site} parameter", self.parameter, PARAMETERS[self.site])
        if self.operation not in OPERATIONS:
            raise unknown_name("operation", self.operation, OPERATIONS)
        if self.grade not in GRADES:
            raise unknown_name("grade", self.grade, GRADES)
        object.__setattr__(self, "change", finite_number("change", self.change))


def _effect_size(name: str) -> float:
    """Return a parameter that sizes a factor, of the group ``body`` or as ``pool.NAME``."""
    group, _, key = name.rpartition(".")
    return parameter(group or "body", key)


def _size_value(name: str) -> Value:
    group, _, key = name.rpartition(".")
    return load_group(group or "body")[key]


def _make_contribution(
    size: str, factor: str, where: str, operation: str, change: float, why: str
) -> Contribution:
    """Return a contribution whose grade and source are those of the parameter that sizes it.

    `where` is the site and the parameter, as in ``"axon temperature_c"``; `size` a parameter of
    the group ``body``, or of the pool as in ``"pool.cramp_gain"``.
    """
    site, target = where.split()
    value = _size_value(size)
    units = {"_mmol_l": "mmol/L", "_c": "degC", "_mv": "mV"}
    added = next((unit for end, unit in units.items() if target.endswith(end)), "1")
    unit = "1" if operation == "scale" else added
    return Contribution(
        factor,
        site,
        target,
        operation,
        change,
        unit,
        value.grade,
        value.source,
        why,
        size if "." in size else f"body.{size}",
    )


# What more of each ion does; less of it does the opposite.
ION_WHY = {
    ("sodium", "axon"): "Sodium outside drives the current through sodium channels.",
    ("potassium", "axon"): (
        "Potassium outside sets the resting potential: more of it depolarises the axon, less "
        "hyperpolarises it."
    ),
    ("calcium", "axon"): (
        "Calcium screens the charges of the membrane: with less of it the channels open more "
        "easily, with more of it less easily."
    ),
    ("magnesium", "axon"): (
        "Magnesium screens the charges of the membrane as calcium does, more weakly."
    ),
    ("calcium", "junction"): "Transmitter release rises steeply with calcium at the nerve ending.",
    ("magnesium", "junction"): "Magnesium competes with calcium for the release of transmitter.",
}
WATER_WHY = (
    "Water follows salt across every membrane: with less sodium outside the axon takes up water "
    "and its own ions are diluted, with more it loses water and they are concentrated."
)
CSF_WHY = "The barrier between blood and spinal fluid lets only a small part of the change pass."


def _ion_contributions(body: Body) -> list[Contribution]:
    """Return what the blood's ions change: the axon and end plate fully, the soma a little.

    First the entered blood values, then what the states of the body do to them.
    """
    changes: list[Contribution] = []
    for ion, name in IONS.items():
        delta = getattr(body, name) - FIELDS[name].healthy
        if delta:
            changes += _fluid_contributions(ion, delta, f"{ion} {'high' if delta > 0 else 'low'}")
    ions = {name: ion for ion, name in IONS.items()}
    for step in blood_steps(vars(body)):
        if step.value in ions and step.change:
            changes += _fluid_contributions(
                ions[step.value], step.change, step.factor, step.size, step.why
            )
        elif step.value == "ph":
            size, factor, change = step.size, step.factor, step.change
            changes.append(_make_contribution(size, factor, "axon ph", "add", change, step.why))
    return changes


def _fluid_contributions(
    ion: str, delta_mmol_l: float, factor: str, size: str = "", route: str = ""
) -> list[Contribution]:
    """Return what a change of one ion of the blood changes around axon, end plate and soma."""
    target = f"{ion}_out_mmol_l"
    share = f"interstitial_{ion}_per_plasma"
    change = delta_mmol_l * parameter("body", share)
    changes: list[Contribution] = []
    for site in ("axon", "junction"):
        if (ion, site) in ION_WHY:
            why = route or ION_WHY[ion, site]
            changes.append(
                _make_contribution(size or share, factor, f"{site} {target}", "add", change, why)
            )
    if ion == "sodium":
        changes += _water_contributions(factor, delta_mmol_l)
    change = delta_mmol_l * parameter("body", "csf_transfer")
    changes.append(
        _make_contribution("csf_transfer", factor, f"soma {target}", "add", change, CSF_WHY)
    )
    return changes


def _water_contributions(factor: str, delta_mmol_l: float) -> list[Contribution]:
    """Return what water that follows blood sodium makes of the ions inside the axon."""
    size = "internal_ions_per_sodium"
    scale = 1.0 + parameter("body", size) * delta_mmol_l / FIELDS["sodium_mmol_l"].healthy
    return [
        _make_contribution(size, factor, f"axon {inside}", "scale", scale, WATER_WHY)
        for inside in ("sodium_in_mmol_l", "potassium_in_scale")
    ]


def _temperature_contributions(body: Body) -> list[Contribution]:
    """Return what a warm or cold limb changes."""
    delta = body.limb_temperature_c - FIELDS["limb_temperature_c"].healthy
    if not delta:
        return []
    size = "nerve_temperature_per_limb"
    why = "Channels and pump work faster in a warm nerve and slower in a cold one."
    factor = f"limb {'warm' if delta > 0 else 'cold'}"
    change = delta * parameter("body", size)
    return [_make_contribution(size, factor, "axon temperature_c", "add", change, why)]


def adenosine_block(caffeine_umol_l: float) -> float:
    """Return the share of adenosine receptors, 0 to 1, that this plasma caffeine blocks.

    Raises
    ------
    NeurosimError
        If the level is no number or cannot be survived.
    """
    level = FIELDS["plasma_caffeine_umol_l"].check(caffeine_umol_l)
    return level / (level + parameter("body", "caffeine_half_block_umol_l"))


def _caffeine_contributions(body: Body) -> list[Contribution]:
    """Return what caffeine changes: the motor neuron only, not the axon, not the muscle."""
    if not body.plasma_caffeine_umol_l:
        return []
    block = adenosine_block(body.plasma_caffeine_umol_l)
    size = "caffeine_pic_gain_full_block"
    gain = 1.0 + (parameter("body", size) - 1.0) * block
    why = (
        "Caffeine blocks adenosine receptors, which may strengthen the persistent inward "
        "current; studies disagree."
    )
    return [_make_contribution(size, "caffeine", "soma pic_gain", "scale", gain, why)]


def _sleep_contributions(body: Body) -> list[Contribution]:
    """Return what missing sleep changes: the motor neuron's input, not the axon."""
    if not body.sleep_debt_h:
        return []
    size = "sleep_noise_rise"
    share = 1.0 - math.exp(-body.sleep_debt_h / parameter("body", "sleep_debt_half_h"))
    why = "Without sleep the cortex inhibits less, so the motor neuron's input is noisier."
    scale = 1.0 + parameter("body", size) * share
    return [
        _make_contribution(size, "lack of sleep", "soma synaptic_noise_scale", "scale", scale, why)
    ]


def _arousal_contributions(body: Body) -> list[Contribution]:
    """Return what stress and the arousal of anxiety change in the motor neuron."""
    changes: list[Contribution] = []
    for factor in ("stress", "anxiety"):
        level = getattr(body, factor)
        for size, where, why in _AROUSAL if level else ():
            share = parameter("body", "anxiety_arousal") if factor == "anxiety" else 1.0
            scale = 1.0 + parameter("body", size) * level * share
            changes.append(_make_contribution(size, factor, where, "scale", scale, why))
    return changes


_AROUSAL = (
    ("stress_pic_gain_rise", "soma pic_gain",
     "Noradrenaline and serotonin strengthen the persistent inward current."),
    ("stress_synaptic_noise_rise", "soma synaptic_noise_scale",
     "An aroused nervous system sends the motor neuron more random input."),
)  # fmt: skip


def _slowing_contributions(body: Body) -> list[Contribution]:
    """Return how much more slowly a tired muscle contracts."""
    if not body.fatigue:
        return []
    lost = parameter("body", "fatigue_force_fall") * body.fatigue
    scale = 1.0 + parameter("body", "fatigue_slowing_per_force_lost") * lost
    # Its size leans on the assumed loss of force, so it is graded by that.
    why = "Tired muscle fibres contract more slowly."
    size = "fatigue_force_fall"
    return [
        _make_contribution(size, "fatigue", "muscle contraction_time_scale", "scale", scale, why)
    ]


# What each condition changes: size, place, operation (``scale`` by 1 + size x the body's value, or
# ``add`` size x that), sign, and why.
_LINEAR = {
    "fatigue": (
        ("fatigue_sodium_load_mmol_l", "axon sodium_in_mmol_l", "add", 1.0,
         "Firing leaves sodium in the axon; pumping it out hyperpolarises the axon for minutes."),
        ("fatigue_drive_fall", "soma drive_scale", "scale", -1.0,
         "After a strong effort the motor neuron receives less drive."),
        ("fatigue_ahp_rise", "soma ahp_scale", "scale", 1.0,
         "After long firing each spike is followed by a deeper after-hyperpolarisation."),
        ("fatigue_force_fall", "muscle force_scale", "scale", -1.0,
         "Tired muscle fibres give less force."),
    ),
    "serotonin_excess": (
        ("serotonin_pic_gain_rise", "soma pic_gain", "scale", 1.0,
         "Serotonin strengthens the persistent inward current of the motor neuron."),
        ("serotonin_ahp_fall", "soma ahp_scale", "scale", -1.0,
         "Serotonin weakens the after-hyperpolarisation."),
    ),
    "beta2_agonist": (
        ("beta2_pic_gain_rise", "soma pic_gain", "scale", 1.0,
         "Monoamine-like medicines may strengthen the persistent inward current."),
    ),
    "sodium_channel_blocker": (
        ("blocker_persistent_sodium_fall", "axon persistent_sodium_scale", "scale", -1.0,
         "The medicine blocks the persistent sodium current, which starts misfires."),
        ("blocker_sodium_fall", "axon sodium_scale", "scale", -1.0,
         "It blocks some of all sodium channels."),
    ),
    "oxaliplatin": (
        ("oxaliplatin_inactivation_slowing", "axon inactivation_tau_scale", "scale", 1.0,
         "The medicine slows the fast inactivation of sodium channels."),
    ),
    "gabapentinoid": (
        ("gabapentinoid_noise_fall", "soma synaptic_noise_scale", "scale", -1.0,
         "Less transmitter is released onto the motor neuron."),
    ),
    "poor_nutrition": (
        ("nutrition_sprouts_per_unit", "terminal sprouts_per_unit", "add", 1.0,
         "Lack of vitamins B1 and B12 damages nerve endings, which sprout."),
    ),
    "nerve_damage": (
        ("damage_units_lost", "muscle units_scale", "scale", -1.0,
         "Damaged motor neurons die, and their muscle fibres lose their nerve."),
        ("damage_sprouts_per_unit", "terminal sprouts_per_unit", "add", 1.0,
         "Living axons send out new endings, which are excitable."),
    ),
    "isaacs": (
        ("isaacs_fast_potassium_lost", "terminal fast_potassium_scale", "scale", -1.0,
         "Antibodies take fast potassium channels from nerve endings, where the barrier between "
         "blood and nerve is open; an impulse that arrives then comes back as a burst."),
    ),
    "pinched_nerve": (
        ("pinched_axons_share", "lesion axons_share", "add", 1.0,
         "A disc hurts some axons of the root, which carries only some of a muscle's."),
        ("pinched_sodium_excess", "lesion sodium_excess", "add", 1.0,
         "Where myelin is lost, sodium channels gather and the margin is smaller."),
        ("pinched_myokymic_share", "lesion myokymic_share", "add", 1.0,
         "Some hurt axons fire in groups; how is not known, so these groups are drawn as needles "
         "record them."),
    ),
    "als": (
        ("als_persistent_sodium_rise", "axon persistent_sodium_scale", "scale", 1.0,
         "Axons in ALS have more persistent sodium current."),
        ("als_potassium_fall", "axon fast_potassium_scale", "scale", -1.0,
         "They also have fewer potassium channels."),
        ("als_potassium_fall", "axon slow_potassium_scale", "scale", -1.0,
         "They also have fewer potassium channels."),
        ("als_sprouts_per_unit", "terminal sprouts_per_unit", "add", 1.0,
         "Living axons send out new endings, which are excitable."),
        ("als_units_lost", "muscle units_scale", "scale", -1.0,
         "Motor neurons die, and their muscle fibres lose their nerve."),
    ),
    "cholinesterase_inhibition": (
        ("cholinesterase_lost", "junction acetylcholinesterase_scale", "scale", -1.0,
         "With less of the enzyme transmitter keeps the end plate open; where that outlasts the "
         "fibre's refractory time, one impulse makes it fire again."),
    ),
    "cramp_proneness": (
        ("pool.prone_shift_mv", "pool pic_lowered_mv", "add", 1.0,
         "In people who cramp easily the persistent inward current opens earlier."),
    ),
    "eyelid_proneness": (
        ("facial.prone_tone_mv", "lid local_tone_mv", "add", 1.0,
         "One motor neuron of the lid lies nearer to its persistent inward current; what puts it "
         "there is not known."),
    ),
    "nerve_stimulation_per_s": (
        ("pool.reflex_mv", "pool push_mv", "add", 1.0,
         "Stimulating the nerve excites the motor neurons by reflex."),
    ),
    "stretch": (
        ("pool.stretch_mv", "pool stretch_mv", "add", 1.0,
         "Stretching the muscle inhibits its motor neurons."),
        ("stretch_tone_fall", "soma tone_scale", "scale", -1.0,
         "As long as the stretch is held, tendon organs calm the resting motor neuron."),
    ),
}  # fmt: skip


def _linear_contributions(body: Body) -> list[Contribution]:
    """Return what the conditions change in proportion to their scale."""
    changes: list[Contribution] = []
    for name, rows in _LINEAR.items():
        scale, factor = getattr(body, name), factor_label(name)
        for size, where, operation, sign, why in rows if scale else ():
            change = sign * scale * _effect_size(size)
            base = 1.0 if operation == "scale" else 0.0
            changes.append(_make_contribution(size, factor, where, operation, base + change, why))
    return changes


def _exposure_contributions(body: Body) -> list[Contribution]:
    """Return how many nerve endings antibodies reach: the same at any severity."""
    if not body.isaacs:
        return []
    size = "isaacs_ends_per_unit"
    why = "The barrier is open at endings, not along the nerve."
    where = "terminal exposed_per_unit"
    return [
        _make_contribution(size, "Isaacs' syndrome", where, "add", parameter("body", size), why)
    ]


def _sprouting_contributions(body: Body) -> list[Contribution]:
    """Return how excitable sprouts of damaged nerves are: the same at any severity."""
    if not body.nerve_damage:
        return []
    size, where = "sprout_sodium_excess", "terminal sprout_sodium_excess"
    why = "New nodes at sprouts have young sodium channels, with more persistent current."
    return [
        _make_contribution(
            size, factor_label("nerve_damage"), where, "set", parameter("body", size), why
        )
    ]


def _adoption_contributions(body: Body) -> list[Contribution]:
    """Return how living units grow: they share what they adopt of the fibres of lost ones."""
    changes: list[Contribution] = []
    for name, prefix in (("als", "als"), ("nerve_damage", "damage")):
        if not getattr(body, name):
            continue
        lost = parameter("body", f"{prefix}_units_lost") * getattr(body, name)
        size = f"{prefix}_fibres_adopted"
        scale = 1.0 + parameter("body", size) * lost / (1.0 - lost)
        why = "Sprouts of the living axons take over muscle fibres that lost their nerve."
        changes.append(
            _make_contribution(size, factor_label(name), "muscle fibres_scale", "scale", scale, why)
        )
    return changes


def _shortening_contributions(body: Body) -> list[Contribution]:
    """Return what a shortened muscle makes of the current that holds a plateau."""
    if not body.shortened_muscle:
        return []
    size = "pool.cramp_gain"
    scale = 1.0 + (_effect_size(size) - 1.0) * body.shortened_muscle
    why = "In a shortened muscle less inhibition holds the persistent inward current back."
    return [_make_contribution(size, "shortened muscle", "pool pic_scale", "scale", scale, why)]


# Which share of what acts on a limb's motor neuron acts on the lid's, by the size of the limb's.
_FACIAL_SHARES = {
    "body.csf_transfer": "ion_share",
    "body.caffeine_pic_gain_full_block": "caffeine_share",
    "body.sleep_noise_rise": "sleep_share",
    "body.stress_pic_gain_rise": "stress_pic_share",
    "body.stress_synaptic_noise_rise": "stress_noise_share",
    "body.serotonin_pic_gain_rise": "serotonin_share",
    "body.serotonin_ahp_fall": "serotonin_share",
    "body.beta2_pic_gain_rise": "serotonin_share",
    "body.fatigue_drive_fall": "fatigue_share",
    "body.fatigue_ahp_rise": "fatigue_share",
    "body.gabapentinoid_noise_fall": "gabapentinoid_share",
    "body.stretch_tone_fall": "stretch_share",
}


def _facial_contributions(body: Body, items: Iterable[Contribution]) -> list[Contribution]:
    """Return what a body changes in a lid's motor neuron that can hold itself firing.

    That is a share of what it changes in a limb's, and the noise of tiredness; nothing where the
    lid has no such neuron.
    """
    if not body.eyelid_proneness:
        return []
    changes: list[Contribution] = []
    for c in items:
        if c.site == "soma":
            size = f"facial.{_FACIAL_SHARES[c.size]}"
            healthy = 1.0 if c.operation == "scale" else 0.0
            change = healthy + _effect_size(size) * (c.change - healthy)
            where = f"facial {c.parameter}"
            changes.append(_make_contribution(size, c.factor, where, c.operation, change, c.why))
    if body.fatigue:
        size = "facial.tiredness_noise_rise"
        why = "A tired cortex inhibits less, as it does without sleep."
        scale, where = 1.0 + _effect_size(size) * body.fatigue, "facial synaptic_noise_scale"
        changes.append(_make_contribution(size, "fatigue", where, "scale", scale, why))
    return changes


@public
def contributions(body: Body) -> tuple[Contribution, ...]:
    """Return every change that a body makes to nerve and muscle; none for a healthy body.

    Raises
    ------
    NeurosimError
        If `body` is not a `Body`.
    """
    if not isinstance(body, Body):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(f"contributions needs a Body, not {short_repr(body)}.")
    parts = (
        _ion_contributions,
        _temperature_contributions,
        _caffeine_contributions,
        _sleep_contributions,
        _arousal_contributions,
        _linear_contributions,
        _slowing_contributions,
        _exposure_contributions,
        _sprouting_contributions,
        _adoption_contributions,
        _shortening_contributions,
    )
    items = [item for part in parts for item in part(body)]
    return (*items, *_facial_contributions(body, items))


def describe_contributions(items: Iterable[Contribution]) -> list[str]:
    """Return one plain sentence for each change, with its size, grade and reason.

    Raises
    ------
    NeurosimError
        If something else than a `Contribution` is among them.
    """
    if not isinstance(items, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(f"describe_contributions needs Contributions, not {short_repr(items)}.")
    return [_describe_one(item) for item in items]


def _describe_one(item: Contribution) -> str:
    if not isinstance(item, Contribution):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(f"describe_contributions needs Contributions, not {short_repr(item)}.")
    label = PARAMETERS[item.site][item.parameter]
    unit = {"1": "", "degC": " °C"}.get(item.unit, f" {item.unit}")
    size = {
        "add": f"{item.change:+.3g}{unit}",
        "scale": f"times {item.change:.3g}",
        "set": f"set to {item.change:.3g}{unit}",
    }[item.operation]
    return f"{item.factor}: {label} {size} ({item.grade}). {item.why}"
