"""Fit the hazard law on the direct noise runs and write it into the package.

    python scripts/calibration/fit_hazard.py [--figure docs/figures/hazard_law.png]

Reads `neurosim/firing/hazard_runs_AXON.csv` (made by make_hazard_runs.py), computes
each site's action, and fits

    ln rate    = intercept + slope (action - 14) + rest slope (rest + 80 mV)/5
    rate       saturating at exp(ceiling + ceiling slope (rest + 80 mV)/5) bursts a minute
    P(propagates) = logistic((spike height - half) / width)
    P(second spike that propagates) = logistic(quadratic in rest, linear in ln nu and shift)

The error written beside it is of states left out one at a time. A minute on one core.
"""

from __future__ import annotations

import argparse
import csv

import numpy as np
from scipy.optimize import least_squares, minimize

from neurosim.model.axon import axon as ax
from neurosim.model.firing.escape import escape_action

FIELDS = ("state", "nu", "x20_percent", "seconds", "bursts", "first_over_10mv",
          "second_over_10mv")  # fmt: skip
LARGEST_LOAD = 14.5  # mmol/L; a unit's load never takes its internal sodium above this


def read(axon: str) -> dict[str, np.ndarray]:
    """Return the runs of one axon with each site's action, height, rest and gate shift."""
    with open(f"neurosim/firing/hazard_runs_{axon}.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [n for n in rows[0] if n in ax.Conditions.__dataclass_fields__]
    conditions = [
        ax.Conditions().replace(
            **{n: float(r[n]) for n in names if r[n]}, persistent_sodium_scale=float(r["nu"])
        )
        for r in rows
    ]
    batch = ax.at_rest(conditions, axon)
    data = {n: np.array([float(r[n]) for r in rows]) for n in FIELDS}
    data["action"], data["peak"] = escape_action(batch)
    data["rest"] = (batch.rest_mv + 80.0) / 5.0
    healthy = ax.at_rest(ax.Conditions(), axon)
    data["shift"] = (batch.P[0] - healthy.P[0, 0]) / 5.0
    keep = np.array([c.sodium_in_mmol_l <= LARGEST_LOAD for c in conditions])
    return {n: v[keep] for n, v in data.items()}


def rate(c, action_, rest):
    """Return bursts per minute for coefficients `c`."""
    log = c[0] + c[1] * (action_ - 14.0) + c[2] * rest
    return np.exp(-np.logaddexp(-(c[3] + c[4] * rest), -log))


def fit_rate(d, use):
    """Return the coefficients of the rate, robustly, counts weighted by their certainty."""
    a, e, n, t = (d[k][use] for k in ("action", "rest", "bursts", "seconds"))

    def residual(c):
        expected = rate(c, a, e) * t / 60.0
        return (np.log(expected + 0.7) - np.log(n + 0.7)) / np.sqrt(1.0 / (n + 1.0) + 0.05)

    return least_squares(residual, [2.0, -0.8, -2.0, 6.2, 0.2], loss="soft_l1", f_scale=2.0).x


def left_out_errors(d, use):
    """Return ln(predicted/found) of every run of every state, that state left out of the fit."""
    errors = np.full(use.size, np.nan)
    for state in np.unique(d["state"]):
        mine = use & (d["state"] == state)
        if not mine.any():
            continue
        c = fit_rate(d, use & (d["state"] != state))
        expected = rate(c, d["action"][mine], d["rest"][mine]) * d["seconds"][mine] / 60.0
        found = d["bursts"][mine]
        told = (found > 0) | (expected > 1)
        errors[np.flatnonzero(mine)[told]] = (np.log(expected + 0.7) - np.log(found + 0.7))[told]
    return errors


def fit_logistic(X, hits, trials):
    """Return the coefficients of a logistic regression on counts (overdispersion allowed for)."""
    weight = 1.0 / (1.0 + 0.05 * trials)

    def cost(c):
        z = X @ c
        misses = trials - hits
        return np.sum(weight * (hits * np.logaddexp(0, -z) + misses * np.logaddexp(0, z)))

    return minimize(cost, np.zeros(X.shape[1]), method="BFGS").x


def pair_features(rest, ln_nu, shift):
    """Return the columns of the doublet regression."""
    return np.stack([np.ones_like(rest), rest, rest * rest, ln_nu, shift], axis=-1)


def fit(axon: str):
    """Return (coefficients by name, data, errors) of one axon."""
    d = read(axon)
    propagating = d["first_over_10mv"] / np.maximum(d["bursts"], 1)
    use = np.isfinite(d["action"]) & ((propagating > 0.3) | (d["bursts"] == 0))
    c = fit_rate(d, use)
    errors = left_out_errors(d, use)
    per_min = d["bursts"] / d["seconds"] * 60.0
    some = np.isfinite(d["peak"]) & (d["bursts"] > 5) & (per_min < 250)
    X = np.stack([np.ones_like(d["peak"]), d["peak"]], axis=1)[some]
    p = fit_logistic(X, d["first_over_10mv"][some], d["bursts"][some])
    some &= (d["first_over_10mv"] > 20) & (per_min < 200)
    X = pair_features(d["rest"], np.log(d["nu"]), d["shift"])[some]
    q = fit_logistic(X, d["second_over_10mv"][some], d["first_over_10mv"][some])
    told = errors[np.isfinite(errors)]
    names = ("intercept", "action_slope", "rest_slope", "ln_ceiling", "ceiling_rest_slope")
    found = dict(zip(names, c, strict=True))
    found |= {"peak_half_mv": -p[0] / p[1], "peak_width_mv": 1.0 / p[1]}
    pair = ("pair_0", "pair_rest", "pair_rest2", "pair_ln_nu", "pair_shift")
    found |= dict(zip(pair, q, strict=True))
    by_state = [
        np.nanmean(errors[d["state"] == s])
        for s in np.unique(d["state"])
        if np.isfinite(errors[d["state"] == s]).any()
    ]
    found["left_out_median_error"] = float(np.median(np.abs(told)))
    found["left_out_rms_error"] = float(np.sqrt(np.mean(told**2)))
    found["state_error"] = float(np.std(by_state))
    return found, d, errors


def at_three_per_min(d, name) -> np.ndarray:
    """Return the value of one column at 3 bursts a minute in each state that reaches them."""
    found = []
    per_min = np.maximum(d["bursts"] / d["seconds"] * 60.0, 1e-3)
    for state in np.unique(d["state"]):
        i = np.flatnonzero((d["state"] == state) & np.isfinite(d["action"]))
        i = i[np.argsort(d["nu"][i])]
        up = np.flatnonzero((per_min[i][:-1] < 3.0) & (per_min[i][1:] >= 3.0))
        if up.size:
            pair = i[up[0] : up[0] + 2]
            found.append(np.interp(np.log(3.0), np.log(per_min[pair]), d[name][pair]))
    return np.array(found)


def print_errors(d, errors) -> None:
    """Print the error in left-out states by decade of the found rate, and what was left aside."""
    per_min = d["bursts"] / d["seconds"] * 60.0
    for low, high in ((0.3, 3.0), (3.0, 30.0), (30.0, 300.0), (300.0, 3000.0)):
        e = errors[np.isfinite(errors) & (per_min >= low) & (per_min < high)]
        print(
            f"  {low:g} to {high:g} a minute: median factor {np.exp(np.median(np.abs(e))):.2f}, "
            f"root mean square factor {np.exp(np.sqrt(np.mean(e**2))):.2f}, {e.size} runs"
        )
    aside = np.isnan(errors) & (d["bursts"] > 0)
    print(
        f"  set aside: {aside.sum()} of {errors.size} runs, where fewer than 30 % of spikes "
        "were high enough to leave or no course of noise fired the site"
    )


def carried(law: dict[str, float], d) -> np.ndarray:
    """Return ln(predicted/found) of one axon's runs below 300 a minute by the law of another."""
    share = d["first_over_10mv"] / np.maximum(d["bursts"], 1)
    use = np.isfinite(d["action"]) & ((share > 0.3) | (d["bursts"] == 0))
    c = [law[k] for k in list(law)[:5]]
    expected = rate(c, d["action"], d["rest"]) * d["seconds"] / 60.0
    use &= (d["bursts"] > 0) | (expected > 1)
    use &= d["bursts"] / d["seconds"] * 60.0 < 300.0
    return (np.log(expected + 0.7) - np.log(d["bursts"] + 0.7))[use]


def print_carried(results) -> None:
    """Print how well the law of each axon tells the runs of axons it was not fitted on."""
    for axon, (law, _, _) in results.items():
        for other, (_, d, _) in results.items():
            if axon != other:
                e = carried(law, d)
                print(
                    f"law of {axon} on the runs of {other} below 300 a minute: median factor "
                    f"{np.exp(np.median(np.abs(e))):.2f}, root mean square factor "
                    f"{np.exp(np.sqrt(np.mean(e**2))):.2f}, mean {np.exp(e.mean()):.2f}"
                )


UNITS = {"peak_half_mv": "mV", "peak_width_mv": "mV"}
WORDS = {
    "intercept": "ln bursts per minute at action 14 and a rest of -80 mV",
    "action_slope": "change of ln rate per unit of action; -1 would be the weak-noise limit",
    "rest_slope": "change of ln rate per 5 mV of rest at the same action",
    "ln_ceiling": "ln of the highest burst rate of a site at a rest of -80 mV",
    "ceiling_rest_slope": "change of that per 5 mV of rest",
    "peak_half_mv": "height in the noise-free model at which half of the spikes pass +10 mV",
    "peak_width_mv": "width of that logistic",
    "left_out_median_error": "median |ln(predicted/found)| in states left out of the fit",
    "left_out_rms_error": "the same, root mean square over runs",
    "state_error": "standard deviation of the mean ln error between states",
}


def write(fits: dict[str, dict[str, float]], path: str) -> None:
    """Write hazard.toml."""
    lines = [
        "# Written by scripts/calibration/fit_hazard.py from the direct noise runs; do not edit.",
        "",
    ]
    for axon, found in fits.items():
        for name, value in found.items():
            note = WORDS.get(name, "logit of the probability of a further spike that propagates")
            lines += [
                f"[{axon}.{name}]",
                f"value = {value:.6g}",
                f'unit = "{UNITS.get(name, "1")}"',
                'grade = "fitted"',
                'source = "direct-noise-runs"',
                f'note = "{note}"',
                "",
            ]
    lines += [
        "[references]",
        'direct-noise-runs = "Direct stochastic simulation of a small node (2500 sodium channels) '
        'in 55 body states by scripts/calibration/make_hazard_runs.py; fitted by scripts/calibration/fit_hazard.py."',
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def draw(results, path: str) -> None:
    """Draw burst rate against action, and predicted against found in states left out."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0 * len(results), 4.4), layout="constrained")
    panels = figure.subplots(1, len(results))
    for axes, (axon, (c, d, errors)) in zip(panels, results.items(), strict=True):
        per_min = d["bursts"] / d["seconds"] * 60.0
        told = np.isfinite(errors) & (d["bursts"] > 0)
        error = np.exp(c["left_out_median_error"])
        points = axes.scatter(
            d["action"][told], per_min[told], c=d["rest"][told] * 5 - 80, s=12, cmap="cividis"
        )
        x = np.linspace(0, 24, 200)
        law = [c[k] for k in list(c)[:5]]
        for rest, style in ((-0.8, ":"), (0.2, "-"), (1.2, "--")):
            label = f"law, rest {rest * 5 - 80:g} mV"
            axes.plot(x, rate(law, x, rest), "k" + style, lw=1, label=label)
        axes.set(
            yscale="log",
            ylim=(0.2, 2000),
            xlim=(0, 24),
            xlabel="action of the site (no unit)",
            ylabel="bursts per minute, direct simulation",
            title=f"{axon}: left-out states within x{error:.2f} (median)",
        )
        axes.legend(fontsize=8)
        figure.colorbar(points, ax=axes, label="resting potential (mV)")
    figure.savefig(path, dpi=130)


def main() -> None:
    """Fit every axon, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="neurosim/model/firing/hazard.toml")
    parser.add_argument("--figure", default=None)
    options = parser.parse_args()
    results = {}
    for axon in ax.AXONS:
        results[axon] = fit(axon)
        print(axon, *(f"{k} {v:.4g}" for k, v in results[axon][0].items()), sep="\n  ", flush=True)
        print_errors(*results[axon][1:])
        for name, words in (("x20_percent", "20-ms threshold, %"), ("action", "action")):
            v = at_three_per_min(results[axon][1], name)
            spread = v.std() / v.mean() * 100.0
            print(
                f"  at 3 bursts a minute: {words} {v[0]:.1f} in health, {v.min():.1f} to "
                f"{v.max():.1f} over {v.size} states, spread {spread:.0f} %"
            )
    print_carried(results)
    write({k: v[0] for k, v in results.items()}, options.out)
    if options.figure:
        draw(results, options.figure)


if __name__ == "__main__":
    main()
