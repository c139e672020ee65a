"""Why the model is so steep in small ionic changes, and what could temper it.

    python scripts/verification/steepness.py [--people 40] [--figure docs/figures/steepness.png]

Prints and draws how fast the rate of twitches grows with blood potassium between 3.5 and 5.0
mmol/L (slope of ln rate) for one site, for a person's muscle and for all people together, and four
ways of softening it: slow noise of a site's persistent sodium (with the bounds that intervals and
within-day stability set on it), a wider tail of sites, fewer channels, and ions inside the
axon that follow those outside. A few minutes on one core.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.optimize import brentq

from neurosim.base.parameters import override, parameter
from neurosim.model.axon.axon import Conditions, at_rest
from neurosim.model.body.contributions import contributions
from neurosim.model.body.state import Body
from neurosim.model.firing.discharge import expected_bursts_per_min
from neurosim.model.firing.escape import escape_action
from neurosim.model.firing.hazard import burst_rate, hazard_table, site_rates
from neurosim.simulation import person_run, result
from neurosim.simulation import state as state_
from neurosim.simulation.scenario import Scenario
from neurosim.validation.surveys import survey_facts

LOW, NORMAL, HIGH = 3.5, 4.2, 5.0  # potassium, mmol/L
LARGEST_CV = 1.2  # of intervals beyond 100 ms, for a train told to be Poisson (Kleine 2008)
ICC = (0.44, 0.62)  # within-day stability of the rate, gastrocnemius (Bashford 2020)
FLOOR = 1e-5  # bursts a minute that count as silence
TAILS = (0.14, 0.1717, 0.22, 0.28, 0.35)


def muscle_rates(potassium: float, people: int, axon: str = "ghk") -> np.ndarray:
    """Return long-run twitches a minute of the soles of many people's feet."""
    scenario = Scenario(axon=axon)
    state = state_.state_from_contributions(contributions(Body(potassium_mmol_l=potassium)))
    rates = [
        expected_bursts_per_min(
            person_run.state_hazard(state, person_run.person_sites(scenario, p)[0], scenario)
        ).sum()
        for p in range(people)
    ]
    return np.maximum(np.array(rates) * result.reaches(state, axon), FLOOR)


def slope(low, high) -> float:
    """Return the slope of ln rate per mmol/L of potassium from rates at both ends."""
    return float(np.log(high / low) / (HIGH - LOW))


def site_slope(axon: str = "ghk") -> float:
    """Return the slope of a site that misfires once a minute in health, without load."""
    nu = np.array([hazard_table(Conditions(), axon).critical_multiplier])
    low, high = (
        float(site_rates(hazard_table(Conditions(potassium_out_mmol_l=k), axon), nu)[0, 0])
        for k in (LOW, HIGH)
    )
    return slope(low, high)


def muscle_slopes(people: int, axon: str = "ghk"):
    """Return the slope of the typical person and of all people's twitches together, and spread."""
    low, middle, high = (muscle_rates(k, people, axon) for k in (LOW, NORMAL, HIGH))
    typical = float(np.mean(np.log(high / low)) / (HIGH - LOW))
    return typical, slope(low.sum(), high.sum()), float(np.log(middle).std())


# --- slow noise -----------------------------------------------------------------------


def tempered_slope(spread: float, at_per_min: float, ceiling_per_min: float) -> float:
    """Return the slope of a site's mean rate under slow Gaussian noise, against its slope without.

    ln rate rises in proportion to the persistent sodium and saturates at the ceiling; `spread` is
    the deviation of ln rate that the noise makes far from it. Far below the ceiling the mean is
    exp(spread^2/2) times the rate without noise at *every* drive, so that the slope is unchanged.
    The mean rate is held at `at_per_min`.
    """
    z, w = np.polynomial.hermite_e.hermegauss(201)
    w = w / w.sum()

    def mean(drive):
        return float(w @ (1.0 / (np.exp(-(drive + spread * z)) + 1.0 / ceiling_per_min)))

    drive = float(brentq(lambda d: mean(d) - at_per_min, -80.0, 20.0))  # type: ignore[arg-type]
    step = 1e-3
    return float(np.log(mean(drive + step) / mean(drive - step)) / (2.0 * step))


def interval_cv(spread: float) -> float:
    """Return the coefficient of variation of intervals of a Poisson train of slowly moving rate.

    The rate is lognormal with deviation `spread` of its ln: CV^2 = 2 exp(spread^2) - 1, from
    E[interval] = 1/mean rate and E[interval^2] = 2 E[1/rate]/mean rate over events.
    """
    return float(np.sqrt(2.0 * np.exp(spread**2) - 1.0))


def simulated_cv(spread: float, seed: int = 1, tau_in_intervals: float = 300.0) -> float:
    """Return the same from simulated trains whose ln rate is an Ornstein-Uhlenbeck process."""
    rng = np.random.default_rng(seed)
    steps, dt = 2_000_000, 0.02  # time in mean intervals
    decay = np.exp(-dt / tau_in_intervals)
    from scipy.signal import lfilter

    kicks = rng.standard_normal(steps) * np.sqrt(1.0 - decay**2)
    x = lfilter([1.0], [1.0, -decay], kicks)
    rate = np.exp(spread * np.asarray(x) - 0.5 * spread**2)
    events = np.flatnonzero(rng.random(steps) < -np.expm1(-rate * dt))
    gaps = np.diff(events + rng.random(events.size))
    return float(gaps.std() / gaps.mean())


def largest_spread_by_cv() -> float:
    """Return the largest deviation of ln rate that intervals told to be Poisson allow."""
    return float(np.sqrt(np.log((LARGEST_CV**2 + 1.0) / 2.0)))


def largest_spread_by_icc(between: float, icc: float) -> float:
    """Return the deviation of ln rate within a day for a stability and spread between people."""
    return float(between * np.sqrt(1.0 / icc - 1.0))


# --- ions inside ------------------------------------------------------------------------


def critical_nu(axon: str = "ghk", **changes: float) -> float:
    """Return the persistent sodium at which a site misfires once a minute."""
    nu = np.arange(1.5, 6.0, 0.1)
    start = Conditions().replace(**changes)
    batch = at_rest([start.replace(persistent_sodium_scale=v) for v in nu], axon)
    action, _ = escape_action(batch)
    rate = np.where(
        np.isfinite(action), burst_rate(axon, np.nan_to_num(action), batch.rest_mv), 0.0
    )
    above = int(np.flatnonzero(rate >= 1.0)[0])
    y = np.log(np.maximum(rate[above - 1 : above + 1], 1e-9))
    return float(np.interp(0.0, y, nu[above - 1 : above + 1]))


OSMOTIC = {v: v / 144.2 for v in (120.0, 160.0)}
# Sodium is changed at the axon alone; the body (`neurosim.model.body.contributions`) also moves
# water.
INSIDE = (
    ("potassium 3.5", {"potassium_out_mmol_l": 3.5}),
    (
        "potassium 3.5, inside 6.7 % less (depletion)",
        {"potassium_out_mmol_l": 3.5, "potassium_in_scale": 0.933},
    ),
    (
        "potassium 3.5, sodium inside in balance with the pump",
        {"potassium_out_mmol_l": 3.5, "sodium_in_mmol_l": 9.41},
    ),
    *((f"sodium {v:g}", {"sodium_out_mmol_l": v}) for v in OSMOTIC),
    *(
        (
            f"sodium {v:g}, ions inside diluted or concentrated alike",
            {"sodium_out_mmol_l": v, "potassium_in_scale": s, "sodium_in_mmol_l": 9.0 * s},
        )
        for v, s in OSMOTIC.items()
    ),
)


# --- all of it --------------------------------------------------------------------------


def tails(people: int):
    """Return (tail, typical slope, share of people active, share of feet above 100/min) rows.

    The number of rogues is set so that as many people are active as in the survey.
    """
    goal = survey_facts(200)[0].goal
    rows = []
    for tail in TAILS:
        with override("firing", "rogue_tail", tail):
            low, high = np.log(0.05), np.log(400.0)
            for _ in range(9):
                middle = 0.5 * (low + high)
                with override("firing", "rogues_per_unit_foot_sole", float(np.exp(middle))):
                    active = survey_facts(200)[0].model
                low, high = (middle, high) if active < goal else (low, middle)
            with override("firing", "rogues_per_unit_foot_sole", float(np.exp(middle))):
                facts = survey_facts(200)
                rows.append((tail, muscle_slopes(people)[0], facts[0].model, facts[1].model))
                print(
                    "  tail",
                    *(f"{v:.3g}" for v in rows[-1]),
                    f"rogues {np.exp(middle):.3g}",
                    flush=True,
                )
    return rows


def draw(results, path: str) -> None:
    """Draw the four ways of tempering."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 4.2), layout="constrained")
    slope_axes, noise_axes, tail_axes = figure.subplots(1, 3)
    names = ("one site", "a person's muscle\n(typical)", "all people\ntogether")
    slope_axes.bar(names, results["slopes"], color=("#d55e00", "#0072b2", "#56b4e9"))
    slope_axes.set(
        ylabel="slope of ln rate per mmol/L potassium", title="Mixing of sites and people softens"
    )
    spread = np.linspace(0.0, 5.0, 26)
    for per_min, style in ((0.1, ":"), (1.0, "-"), (10.0, "--")):
        noise_axes.plot(
            spread,
            [tempered_slope(s, per_min, results["ceiling"]) for s in spread],
            "k" + style,
            label=f"site at {per_min:g} a minute",
        )
    noise_axes.axvline(
        results["cv"], color="#d55e00", label=f"most that intervals allow ({results['cv']:.2f})"
    )
    noise_axes.axvspan(
        *results["icc"], color="#0072b2", alpha=0.2, label="within-day stability allows"
    )
    noise_axes.axhline(0.5, color="0.6", lw=1)
    noise_axes.set(
        xlabel="slow noise: deviation of a site's ln rate",
        ylim=(0, 1.05),
        ylabel="slope against that without noise",
        title="Slow noise: none or too much",
    )
    noise_axes.legend(fontsize=8)
    rows = np.array(results["tails"])
    tail_axes.plot(rows[:, 1], 100 * rows[:, 3], "o-", color="#0072b2")
    for tail, x, _, y in rows:
        tail_axes.annotate(f" tail {tail:g}", (x, 100 * y), fontsize=8)
    tail_axes.axhspan(0.5, 15.0, color="0.85", label="surveyed")
    tail_axes.set(
        xlabel="slope of the typical muscle per mmol/L",
        ylabel="feet above 100 a minute, %",
        title="A wider tail: too many busy feet",
    )
    tail_axes.legend(fontsize=8)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--figure", default=None)
    options = parser.parse_args()
    results = {}
    typical, together, between = muscle_slopes(options.people)
    results["slopes"] = (site_slope(), typical, together)
    print(
        f"slope per mmol/L: site {results['slopes'][0]:.2f}, typical muscle {typical:.2f}, all "
        f"people together {together:.2f}; ln rate varies by {between:.2f} between people"
    )
    results["ceiling"] = float(np.exp(parameter("hazard", "ghk.ln_ceiling")))
    results["cv"] = largest_spread_by_cv()
    results["icc"] = sorted(largest_spread_by_icc(between, i) for i in ICC)
    needed = brentq(lambda s: tempered_slope(s, 1.0, results["ceiling"]) - 0.5, 0.5, 8.0)
    print(
        f"slow noise: halving needs a deviation of ln rate of {needed:.2f}; intervals allow "
        f"{results['cv']:.2f}, stability within a day {results['icc'][0]:.1f} to "
        f"{results['icc'][1]:.1f}"
    )
    for s in (0.3, results["cv"], 1.0):
        print(
            f"  deviation {s:.2f}: CV of intervals {interval_cv(s):.2f}, simulated "
            f"{simulated_cv(s):.2f}"
        )
    for channels in (2500.0, 1250.0, 625.0):
        with override("firing", "noise_channels", channels):
            print(
                f"channels {channels:g}: site {site_slope():.2f}, typical muscle "
                f"{muscle_slopes(options.people)[0]:.2f}",
                flush=True,
            )
    for axon in ("ghk", "ohmic"):
        healthy = critical_nu(axon)
        for name, changes in INSIDE:
            change = critical_nu(axon, **changes) - healthy
            print(f"{axon}: {name}: nu at one a minute {change:+.2f} of {healthy:.2f}", flush=True)
    print("tail, typical slope, people active, feet above 100 a minute:")
    results["tails"] = tails(options.people)
    if options.figure:
        draw(results, options.figure)


if __name__ == "__main__":
    main()
