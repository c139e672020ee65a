"""Published targets of motor units: bursts, cramps, junction, force, fatigue, electromyogram.

Called by `validate`. Parameters that were published and entered the model are graded `fitted`:
their rows show only that they still stand there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.clinic import unit_potentials
from neurosim.model.body.contributions import contributions
from neurosim.model.body.state import Body
from neurosim.model.firing.bursts import site_bursts
from neurosim.model.muscle import anatomy, junction
from neurosim.model.muscle.force import muscle_force_mn, tetanic_fraction, twitch_mn
from neurosim.model.soma import cramp, pool, trains
from neurosim.model.soma.soma import SomaConditions
from neurosim.simulation.replicate import replicate
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.state import state_from_contributions
from neurosim.validation import fatigue
from neurosim.validation.target import INF, Row

ALS_PEOPLE = 60
PEOPLE, UNITS = 12, 24  # of each threshold of cramps; nothing was fitted on these people
NOT_COMPUTABLE = (
    ("V38", "twitching in ALS against benign twitching", "those who twitch in health are one in "
     "thirty upper arms here: too few for a ratio"),
    ("V35", "spread of one axon's threshold", "asked by scripts/verification/check_noise.py, in "
     "minutes"),
    ("V36n", "that spread against the axon's diameter", "frog; one diameter here"),
    ("V37n", "conduction velocity", "the axon of a run has no length"),
    ("V38n", "absolute refractory period", "asked as the shortest interval of V42"),
    ("V40", "seconds of needle to see one potential in ALS", "a record of patients' rates, which "
     "the model takes and does not predict"),
    ("V41", "stability of rates within a day in ALS", "rates here have no slow wander"),
    ("V45", "benign against ALS rate by needle", "contested: the opposite of V38"),
    ("V46", "which unit fasciculates in ALS", "which motor neurons are ill first is not modelled"),
    ("V49", "lone units that discharge on and on", "rare, cause not known; no mechanism here"),
    ("V51", "rates and sizes of myokymic bursts", "drawn by the published ranges themselves; what "
     "the chain of nodes does instead is told in docs/limits.md"),
    ("V55n", "mexiletine and cramps in ALS", "the motor neurons have no persistent sodium current"),
)  # fmt: skip
THOMAS = "Thomas 1991, doi 10.1152/jn.1991.65.6.1509"
MINETTO = "Minetto 2009 J Neurophysiol 102:1890"
MILLER = "Miller & Knight 2009, doi 10.1002/mus.21170"
POTVIN = "Potvin & Fuglevand 2017, authors' code"
SICA = "Sica & McComas 1971 JNNP 34:113"
RECALLED = "recalled"


def motor_rows() -> list[Row]:
    """Return the rows of V39 to V68 and V74 that the model can compute, and of the junction."""
    return [
        *_als_rows(),
        *_burst_rows(),
        *_cramp_rows(),
        *_pool_rows(),
        *_anatomy_rows(),
        *_force_rows(),
        *_fatigue_rows(),
        *_surface_rows(),
        *_needle_rows(),
        *_junction_rows(),
    ]


def _als_rows() -> list[Row]:
    """V39: twitches in ALS. Which units are ill is given, how often they fire is not."""
    als = Scenario(name="als", body=Body(als=1.0))
    people = replicate([als], ALS_PEOPLE, muscle="upper_arm", duration_s=1.0)
    targets = (
        ("V39", "median twitch rate", "1/min", f"ALS, upper arm, {ALS_PEOPLE} people", 10.6, 79.4,
         float(np.median(people.expected_per_min)), "assumed",
         "Bashford 2020 Clin Neurophysiol 131:265: 40.5, quartiles 10.6 to 79.4, also calves"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def _burst_rows() -> list[Row]:
    """V43 and V50: multiplets of Isaacs' syndrome, as the chain of nodes gives them."""
    table, where = site_bursts("isaacs"), "nerve ending without fast potassium"
    possible = np.flatnonzero(table.size_share[1:] > 0.0)
    gaps = table.interval_ms[: possible[-1] + 1]
    rates = 1000.0 / gaps
    isaacs = "Maddison 2006 Clin Neurophysiol 117:2118"
    targets = (
        ("V43", "last interval of a burst against its first", "1", where, 1.0, INF,
         float(gaps[-1] / gaps[0]), "measured", "Kleine 2008, doi 10.1002/mus.20849: longer"),
        ("V50", "slowest median rate by place in the burst", "1/s", where, 30.0, 300.0,
         float(rates.min()), "measured", isaacs),
        ("V50", "fastest median rate by place in the burst", "1/s", where, 30.0, 300.0,
         float(rates.max()), "measured", isaacs),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def _cramp_rows() -> list[Row]:
    """V52 to V54: what starts a cramp and how units fire in it; people and seeds not fitted on."""
    people, sample = range(20, 20 + PEOPLE), f"{PEOPLE} people, {UNITS} units each"
    dry = state_from_contributions(contributions(Body(mass_loss_percent=3.0))).soma

    def mean_hz(prone: bool, soma: SomaConditions | None = None) -> float:
        thresholds_hz = cramp.cramp_threshold_hz(people, UNITS, prone, seed=60, conditions=soma)
        return float(np.nanmean(thresholds_hz)) if np.isfinite(thresholds_hz).any() else np.nan

    usual = mean_hz(False)
    rows = [
        Row("V52", "rate of stimuli that starts a cramp", "1/s", f"not prone; {sample}", 22.4, 28.6,
            usual, "fitted", f"{MILLER}: 25.5 (SE 1.6), 1.96 SE"),
        Row("V52", "rate of stimuli that starts a cramp", "1/s", f"cramp-prone; {sample}", 12.4,
            17.4, mean_hz(True), "fitted", f"{MILLER}: 14.9 (SE 1.3), 1.96 SE"),
        Row("V54", "change of that rate", "1/s", f"3 % of body mass lost; {sample}", -6.2, 1.4,
            mean_hz(False, dry) - usual, "measured",
            "Miller 2010, doi 10.1249/MSS.0b013e3181dd5e3a: -2.4, P 0.12; width from the two SEs; "
            "blood sodium moves nothing at the model's soma"),
    ]  # fmt: skip
    return [*rows, *_cramp_unit_rows()]


def _cramp_unit_rows() -> list[Row]:
    """V53: means of units in a cramp, and how they differ, as they were published."""
    plateaus, _ = cramp.plateau_census(3, 30, cramp.Stimulation(40.0), seed=100)
    limits = (("mean_per_s", "1/s", 14.5, 5.1), ("least_per_s", "1/s", 6.0, 0.8),
              ("largest_per_s", "1/s", 25.0, 8.0), ("duration_s", "s", 23.6, 16.2))  # fmt: skip
    values = {key: np.array([getattr(p, key) for p in plateaus]) for key, *_ in limits}
    where = "cramp of a shortened muscle; 3 people, 30 units each"
    rows: list[Row] = []
    for key, unit, mean, sd in limits:
        model, source = float(values[key].mean()), f"{MINETTO}: {mean} +- {sd}"
        low, high = mean - sd, mean + sd
        rows.append(Row("V53", f"mean of {key}", unit, where, low, high, model, "fitted", source))
    source = f"{MINETTO}; half to twice, chosen here"
    for key, unit, _, sd in (limits[0], limits[3]):
        name, model = f"SD over units of {key}", float(values[key].std(ddof=1))
        rows.append(Row("V53", name, unit, where, 0.5 * sd, 2.0 * sd, model, "measured", source))
    return rows


def _pool_rows() -> list[Row]:
    """V56, V57 and V74: rates, their regularity and hysteresis under voluntary drive."""
    units, up = pool.build_pool(120), pool.ramp_input(10.0, 0.0, 0.1)
    drive: Any = pool.join_inputs(up, up[::-1])
    runs = [
        pool.run_pool(units, pool.PoolInput(excitation=drive), seed=s).trains_s() for s in (31, 32)
    ]
    first = [trains.first_rate_per_s(t[t >= trains.recruitment_s(t)[0]]) for r in runs for t in r]
    pairs = [
        trains.delta_f_per_s(r[c], r[t])
        for r in runs
        for c in range(0, 110, 5)
        for t in range(c + 6, 118, 7)
    ]
    some = units.subset(np.arange(0, 120, 17))
    full = pool.run_pool(some, pool.PoolInput(excitation=1.0, duration_s=4.0), seed=31).trains_s()
    most = [trains.rate_per_s(t, 1.0, 4.0) for t in full]
    held = pool.run_pool(
        units, pool.PoolInput(excitation=0.08, duration_s=30.0), seed=31
    ).trains_s()
    cv = [trains.interval_cv(t[t > 1.0]) for t in held if trains.rate_per_s(t, 1.0, 30.0) > 9.0]
    pushed = some.subset(0)
    push: Any = pool.join_inputs(
        pool.hold_input(1.0, 3.5), pool.hold_input(0.5, 11.5), pool.hold_input(3.0, 3.5)
    )
    plateau = pool.run_pool(
        pushed, pool.PoolInput(input_mv=push), SomaConditions(), seed=31, noise=False
    )
    later = plateau.time_s > 2.5
    where = "pool of 120 under voluntary drive"
    targets = (
        ("V56", "rate at recruitment, median", "1/s", where, 6.0, 8.0, float(np.nanmedian(first)),
         "fitted", RECALLED),
        ("V56", "rate at full drive, slowest unit", "1/s", where, 25.0, 50.0, min(most), "fitted",
         RECALLED),
        ("V56", "rate at full drive, fastest unit", "1/s", where, 25.0, 50.0, max(most), "fitted",
         RECALLED),
        ("V57", "coefficient of variation of intervals, median", "1", where, 0.10, 0.25,
         float(np.median(cv)), "measured", RECALLED),
        ("V74", "hysteresis by paired units", "1/s", where, 3.0, 6.0, float(np.nanmedian(pairs)),
         "fitted", "Gorassini 2002, recalled"),
        ("V74", "rate kept up after a push", "1/s", "smallest unit held under its threshold", 1.0,
         INF, float(later.sum() / 2.0), "assumed", "bistability: sign only"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def _anatomy_rows() -> list[Row]:
    """V58 to V61: published numbers that are parameters of the model."""
    units = (
        ("foot_sole", 20.0, 70.0, "Johns & Fuglevand 2011: 43"),
        ("shin", 91.0, 226.0, "McNeil 2005: 153"), ("thumb", 200.0, 340.0, RECALLED),
        ("upper_arm", 110.0, 770.0, RECALLED), ("calf", 300.0, 1000.0, "about 580, recalled"),
    )  # fmt: skip
    rows: list[Row] = []
    for name, low, high, source in units:
        count = float(anatomy.muscle(name).units)
        rows.append(Row("V58", "motor units", "units", name, low, high, count, "fitted", source))
    for name, mean in (("upper_arm", 209.0), ("shin", 329.0)):
        quantity, source = "fibres of a unit, mean", f"{mean:g} by EMG; half to twice, chosen here"
        low, high, model = 0.5 * mean, 2.0 * mean, float(unit_potentials.fibre_counts(name).mean())
        rows.append(Row("V59", quantity, "fibres", name, low, high, model, "fitted", source))
    spans = (
        ("V60", "contraction time", "ms", "foot_sole", anatomy.contraction_times_ms, 35.0, 98.0,
         SICA),
        ("V60", "contraction time", "ms", "thumb", anatomy.contraction_times_ms, 35.0, 80.0,
         RECALLED),
        ("V61", "twitch force", "mN", "foot_sole", anatomy.twitch_forces_mn, 20.0, 140.0, SICA),
        ("V61", "twitch force", "mN", "thumb", anatomy.twitch_forces_mn, 3.0, 35.0, RECALLED),
    )  # fmt: skip
    for target, quantity, unit, name, values_of, low, high, source in spans:
        values, low, high = values_of(name), low - 1e-9, high + 1e-9
        for end, value in (("least", values.min()), ("largest", values.max())):
            limit, model = f"{quantity}, {end}", float(value)
            rows.append(Row(target, limit, unit, name, low, high, model, "fitted", source))
    return rows


RATES = np.concatenate([np.arange(2.0, 20.0, 1.0), np.arange(20.0, 101.0, 5.0)])


def thenar_curves(every: int = 25) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean force and how far twitches have fused, of thenar units at the rates `RATES`.

    Returns
    -------
    units : ndarray of int
        Every so many units of the thumb, the smallest first.
    force_mn : ndarray, shape (units, rates)
        Mean force of a long train.
    fused : ndarray, shape (units, rates)
        Least over largest force between its last stimuli: 0 apart, 1 smooth.
    """
    m, hz = anatomy.muscle("thumb"), 1000.0
    units = np.arange(0, m.units, every)
    force, fused = np.empty((2, units.size, RATES.size))
    for i, unit in enumerate(units):
        for j, rate in enumerate(RATES):
            seconds = 1.0 + 6.0 / rate
            times = np.arange(0.0, seconds, 1.0 / rate)
            total = muscle_force_mn(times, np.full(times.size, unit), m, seconds, hz)
            end = round(times[-1] * hz)
            last = total[end - round(4.0 / rate * hz) : end]
            force[i, j], fused[i, j] = last.mean(), last.min() / last.max()
    return units, force, fused


def _crossing(x: np.ndarray, curve: np.ndarray, level: float) -> float:
    """Return where a rising curve reaches a level, by a straight line between points."""
    first = int(np.argmax(curve >= level))
    at = slice(max(first - 1, 0), first + 1)
    return float(np.interp(level, curve[at], x[at]))


def _force_rows() -> list[Row]:
    """V62 to V65: force against rate, of thenar units as trains give it, and the closed forms."""
    units, force, fused = thenar_curves()
    share = force / force[:, -1:]
    half, most = (np.array([_crossing(RATES, s, level) for s in share]) for level in (0.5, 0.95))
    begins = np.array([_crossing(RATES, f, 0.1) for f in fused])
    x = np.linspace(0.1, 3.0, 5001)
    curve = np.asarray(tetanic_fraction(x))
    t = np.linspace(0.0, 0.4, 40_001)
    twitch = twitch_mn(t, 1.0, 50.0)
    falls = t[(t > 0.05) & (twitch <= 0.5)][0] / 0.05 - 1.0
    ratio = anatomy.twitch_forces_mn("thumb")[units] / force[:, -1]
    where = f"{units.size} units of the thumb"
    targets = (
        ("V62", "rate at which fusion begins, mean", "1/s", where, 5.0, 8.0, float(begins.mean()),
         "measured", f"{THOMAS}; a tenth of the peak is left between stimuli, chosen here"),
        ("V62", "rate of half the largest force, mean", "1/s", where, 8.0, 16.0, float(half.mean()),
         "measured", f"{THOMAS}: 12 +- 4"),
        ("V62", "rate of half the largest force, SD", "1/s", where, 2.0, 8.0,
         float(half.std(ddof=1)), "measured", f"{THOMAS}: 4; half to twice, chosen here"),
        ("V62", "rate of the largest force, least", "1/s", where, 30.0, 100.0, float(most.min()),
         "measured", f"{THOMAS}; 95 % of it, chosen here"),
        ("V62", "rate of the largest force, most", "1/s", where, 30.0, 100.0, float(most.max()),
         "measured", f"{THOMAS}; 95 % of it, chosen here"),
        ("V63", "half-relaxation over contraction time", "1", "twitch", 1.0, 1.7, float(falls),
         "assumed", RECALLED),
        ("V64", "twitch over tetanus", "1", where, 0.1, 0.25, float(ratio.mean()), "assumed",
         RECALLED),
        ("V65", "contraction time x rate at half of the tetanus", "1", "any unit", 0.695, 0.709,
         _crossing(x, curve, 0.5), "assumed", "Fuglevand 1993"),
        ("V65", "contraction time x rate at nine tenths", "1", "any unit", 1.038, 1.058,
         _crossing(x, curve, 0.9), "assumed", "Fuglevand 1993"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def _fatigue_rows() -> list[Row]:
    """V66: how long forces can be held without recovery, and what a tiring unit does."""
    rows = [
        Row(
            "V66",
            "endurance",
            "s",
            f"{percent:g} % of the largest force",
            0.95 * s,
            1.05 * s,
            fatigue.longest_hold_s(percent, 700.0),
            "fitted",
            f"{POTVIN}: {s:g} s, 5 %",
        )
        for percent, s in ((20.0, 512.0), (50.0, 95.0), (80.0, 15.0))
    ]
    units = fatigue.build_units()
    fresh, later, tired = (fatigue.rates_per_s(units, 67.0, s)[-1] for s in (0.0, 22.0, 1e6))
    left = 1.0 - float((later - tired) / (fresh - tired))
    targets = (
        ("V66", "share of the fall of rate after 22 s", "1", "last unit at full drive", 0.622,
         0.642, left, "fitted", f"{POTVIN}: 1 - 1/e"),
        ("V66", "slowing for all force lost", "1", "any unit", 0.379 - 1e-9, 0.379 + 1e-9,
         parameter("fatigue", "slowing"), "fitted", POTVIN),
    )  # fmt: skip
    return [*rows, *(Row(*target) for target in targets)]


def _surface_rows() -> list[Row]:
    """V67: sizes of the potentials of single units at the skin, every few of them."""
    rows: list[Row] = []
    source = "text cut at 50 uV in van der Heijden 1994; recalled"
    for name, every in (("shin", 10), ("thumb", 20), ("foot_sole", 4)):
        units = np.arange(0, anatomy.muscle(name).units, every)
        sizes = np.ptp(unit_potentials.unit_potentials(name, "surface", units=units), axis=1)
        where = f"{name}, {units.size} units"
        for which, size in (("median", np.median(sizes)), ("largest", sizes.max())):
            quantity, uv = f"surface potential of a unit, {which}", float(size)
            rows.append(Row("V67", quantity, "uV", where, 20.0, 500.0, uv, "measured", source))
    return rows


def _needle_rows() -> list[Row]:
    """V68 and V44: shapes of the potentials of single units at a needle, every few of them."""
    shapes: dict[str, list[unit_potentials.PotentialShape]] = {}
    for name, every in (("shin", 10), ("upper_arm", 10)):
        units = range(0, anatomy.muscle(name).units, every)
        shapes[name] = [_needle_shape(name, unit) for unit in units]
    where = {
        name: f"{name}, needle 1 mm off the middle of {len(potentials)} units"
        for name, potentials in shapes.items()
    }
    limits = (("size", "uV", "amplitude_uv", 200.0, 2000.0),
              ("duration", "ms", "duration_ms", 5.0, 15.0),
              ("phases", "1", "phases", 1.0, 4.0))  # fmt: skip
    rows: list[Row] = []
    for name, potentials in shapes.items():
        for what, unit, key, low, high in limits:
            quantity = f"needle potential, median {what}"
            median = float(np.median([getattr(s, key) for s in potentials]))
            target = ("V68", quantity, unit, where[name], low, high, median, "measured", RECALLED)
            rows.append(Row(*target))
    published = (("size", "uV", "amplitude_uv", 561.0, 367.0),
                 ("duration", "ms", "duration_ms", 12.6, 4.4))  # fmt: skip
    for what, unit, key, mean, sd in published:
        quantity = f"fasciculation, mean {what}"
        model = float(np.mean([getattr(s, key) for s in shapes["shin"]]))
        source = f"de Carvalho & Swash, tibialis anterior in ALS: {mean} +- {sd}"
        target = ("V44", quantity, unit, where["shin"], mean - sd, mean + sd, model, "measured",
                  source)  # fmt: skip
        rows.append(Row(*target))
    return rows


def _needle_shape(name: str, unit: int, hz: float = 20_000.0) -> unit_potentials.PotentialShape:
    """Return the shape of a unit's potential at a needle 1 mm off the middle of its territory."""
    x, y, _ = unit_potentials.territories_mm(name)[unit]
    near = unit_potentials.needle_electrode(name, x - 1.0, y)
    return unit_potentials.measure_shape(
        unit_potentials.unit_potentials(name, near, unit_potentials.EmgSettings(hz), unit)[0], hz
    )


def _junction_rows() -> list[Row]:
    """Safety factor, block, and inhibition of acetylcholinesterase at the end plate."""
    magnesium = np.arange(0.5, 6.0, 0.25)
    blocked = 1.0 - np.array([junction.transmit(1.2, mg).share for mg in magnesium])
    spikes_per_impulse = {
        hz: junction.train_response(hz, n, None, 0.2)[:, 0] for hz, n in ((3.0, 3), (30.0, 9))
    }
    poisoned = "a fifth of the enzyme left"
    clinic = "Wadia 1987 JNNP 50:1442"
    targets = (
        ("junction", "safety factor", "1", "health", 2.0, 4.0,
         junction.transmit(1.2, 0.55).safety_factor, "assumed", RECALLED),
        ("junction", "fibres that follow", "share", "ionised calcium 0.8", 0.5, 1.0,
         junction.transmit(0.8, 0.55).share, "fitted", "tetany and no weakness; half, chosen here"),
        ("junction", "fibres that follow", "share", "ionised calcium 0.6", 0.5, 1.0,
         junction.transmit(0.6, 0.55).share, "assumed",
         "tetany is full below 0.7; half, chosen here"),
        ("junction", "ionised magnesium that blocks half of the fibres", "mmol/L",
         "calcium healthy", 1.5, 3.9, _crossing(magnesium, blocked, 0.5), "assumed",
         "reflexes lost at 2.3 to 5, breathing at 3.3 to 6 in total, 0.65 ionised; recalled"),
        ("junction", "spikes of a fibre for one impulse", "1", poisoned, 2.0, INF,
         float(spikes_per_impulse[3.0][0]), "measured", f"{clinic}: repetitive"),
        ("junction", "impulses lost in three at 3 per second", "1", poisoned, 0.0, 0.0,
         float((spikes_per_impulse[3.0] == 0).sum()), "measured", f"{clinic}: no decrement"),
        ("junction", "impulses lost in nine at 30 per second", "1", poisoned, 1.0, 9.0,
         float((spikes_per_impulse[30.0] == 0).sum()), "measured", f"{clinic}: decrement"),
    )  # fmt: skip
    return [Row(*target) for target in targets]
