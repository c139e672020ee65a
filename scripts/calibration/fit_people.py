"""Fit how axons differ between healthy people on the spread of the clinic's measures.

    python scripts/calibration/fit_people.py [--axon ghk] [--write]
                                             [--figure docs/figures/people.png]

Which spread of the axon's parameters gives the standard deviations (`trond_norms.json`, 280
records) and the correlations (`norm_correlations.json`, part of the same records) of the derived
measures? The measured covariance is taken to be

    J C J' + T T' + K K' + R

J, T and K are the responses of the measures to the parameters, to skin temperature (with its
recorded standard deviation) and to plasma potassium (assumed); R is the noise of the recording:
what scatters where nothing can differ between people (`NOISE`), carried through the formula of
every measure. C is the least spread that explains the rest: the misfit, each covariance in its
standard errors, plus `PENALTY` times the trace of C in units of `PARTS`. That is a convex problem
with one solution; the trace keeps what the measures do not see at zero and makes C low in rank,
of which `SCORES` directions are kept. Responses are not straight, so the covariance of axons drawn
and examined in full is held against the linear one, and the target moved by the difference,
`ROUNDS` times. About 3 minutes an axon on one core.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import numpy as np
from norm_correlations import MEASURES as RECORDED
from norm_correlations import rank_correlation, robust_sd
from scipy.optimize import minimize
from scipy.stats import norm, qmc

from neurosim.clinic.conditioning import te_delays
from neurosim.clinic.excitability import CHARGE_WIDTHS_MS, Curves, measure_curves
from neurosim.clinic.indices import (
    MEASURES,
    charge_measures,
    electrotonus_measures,
    iv_measures,
    recovery_measures,
)
from neurosim.clinic.norms import TE_CURVES, norms
from neurosim.model.axon import axon as ax
from neurosim.model.axon.axon import Conditions, axon_parameters


@dataclass(frozen=True)
class Part:
    """Parameters of the axon that differ together, and the unit in which their spread is counted.

    `scale` is in `unit`: ``ln`` for parameters that differ by a factor, else ``mV``.
    """

    label: str
    parameters: tuple[str, ...]
    unit: str
    scale: float


PARTS = (  # scales: assumed (expression of proteins 20 %, their kinetics 10 % and 1 mV)
    Part("sodium permeability", ("PNa",), "ln", 0.2),
    Part("persistent share of sodium", ("fNaP",), "ln", 0.2),
    Part("fast potassium", ("GKf_n", "GKf_i"), "ln", 0.2),
    Part("slow potassium", ("GKs_n", "GKs_i"), "ln", 0.2),
    Part("HCN", ("GH_i",), "ln", 0.2),
    Part("leak", ("GLk_n", "GLk_i"), "ln", 0.2),
    Part("reversal of the leak", ("eLk_n", "eLk_i"), "mV", 2.0),
    Part("pump of the node", ("Ip_n",), "ln", 0.2),
    Part("path between node and internode", ("GBB",), "ln", 0.2),
    Part("capacity of the node", ("Cn",), "ln", 0.1),
    Part("capacity of the myelin", ("Cmy",), "ln", 0.2),
    Part("capacity of the internode", ("Ci",), "ln", 0.2),
    Part("shift of sodium gates", ("dVm", "dVh"), "mV", 1.0),
    Part("shift of fast potassium gates", ("dVn",), "mV", 1.0),
    Part("shift of slow potassium gates", ("dVs",), "mV", 1.0),
    Part("shift of HCN gates", ("dVq",), "mV", 1.0),
    Part("slowness of sodium gates", ("tauNa",), "ln", 0.1),
    Part("speed of slow potassium gates", ("kKs",), "ln", 0.1),
)
SCORES = 6
PENALTY = 10.0
ROUNDS = 3
DRAWN = 256
POTASSIUM_SD_MMOL_L = 0.3  # assumed: a reference range of 3.5 to 5.0 less what serum adds
VARIANCE_ERROR = 0.1  # of a standard deviation from 280 records, doubled for the square
LEAST_ERROR = 0.05  # no correlation is asked for more closely

# The first follows from two others. Of axons that are still refractory the records have no
# refractoriness and the model a huge one: the relative refractory period says the same. Of the
# rest no correlations are at hand: a test of the fit.
NOT_FITTED = (
    "s2_accommodation_percent", "refractoriness_2_5_ms_percent", "refractoriness_2_ms_percent",
    "te_d20_10_20_percent", "te_d20_peak_percent", "te_h20_10_20_percent",
    "superexcitability_7_ms_percent",
)  # fmt: skip


def _packaged(name: str) -> dict:
    text = resources.files("neurosim").joinpath(f"clinic/{name}").read_text("utf-8")
    return json.loads(text)


def _noise_sd(curve: str, x: float) -> float:
    """Return the relative scatter at a point of the norms where people cannot differ."""
    curve_norm = norms()[curve]
    return float(curve_norm.sd[curve_norm.x == x][0]) / 100.0


NOISE = {  # SD of one threshold, as a share of it
    "steady": _noise_sd("threshold_iv", 0.0),  # threshold without current, 0 by definition
    "recovery": _noise_sd("recovery_cycle", 200.0),  # 0.2 s after a discharge: recovered
}


def targets() -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray, float]:
    """Return (measures, SDs, correlations, their errors, SD of skin temperature) of people."""
    published = _packaged("trond_norms.json")["measures"]["rows"]
    table = _packaged("norm_correlations.json")
    keys = [k for k in table["measures"] if k in published and k not in NOT_FITTED]
    index = [table["measures"].index(k) for k in keys]
    r, error = (
        np.array(table[n], float)[np.ix_(index, index)] for n in ("correlation", "standard_error")
    )
    error = np.maximum(error, LEAST_ERROR)
    np.fill_diagonal(error, VARIANCE_ERROR)
    skin = table["robust_sd"][table["measures"].index("skin_temperature_c")]
    return keys, np.array([published[k][1] for k in keys]), r, error, float(skin)


def change_parts(axon: str, changes: np.ndarray) -> ax.ParameterSet:
    """Return the axon whose parts differ by `changes` (in their units) from the mean one."""
    mean, values = axon_parameters(axon), {}
    for part, change in zip(PARTS, changes, strict=True):
        for name in part.parameters:
            by_factor = part.unit == "ln"
            values[name] = mean[name] * np.exp(change) if by_factor else mean[name] + change
    return mean.replace(**values).normalised_at_rest()


def examine_batch(axons, conditions) -> Curves:
    """Return the full examination of a batch."""
    return measure_curves(ax.at_rest(list(conditions), list(axons)), full=True)


def responses(axon: str) -> tuple[Curves, np.ndarray, np.ndarray]:
    """Return the mean axon's curves, and responses of all measures to parts and surroundings.

    Shapes (measures, parts) per `scale` of a part, and (measures, 2) per degree and mmol/L.
    """
    p, health = len(PARTS), Conditions()
    scale = np.array([part.scale for part in PARTS])
    steps = 0.4 * np.concatenate([np.diag(scale), -np.diag(scale)])
    axons = [axon, axon, axon, axon, axon, *(change_parts(axon, s) for s in steps)]
    warm, salt = 0.5, 0.1
    around = [
        health,
        health.replace(temperature_c=health.temperature_c + warm),
        health.replace(temperature_c=health.temperature_c - warm),
        health.replace(potassium_out_mmol_l=health.potassium_out_mmol_l + salt),
        health.replace(potassium_out_mmol_l=health.potassium_out_mmol_l - salt),
        *[health] * (2 * p),
    ]
    curves = examine_batch(axons, around)
    m = np.array([curves.measures[k.key] for k in MEASURES])
    surroundings = np.stack([m[:, 1] - m[:, 2], m[:, 3] - m[:, 4]], axis=1) / [2 * warm, 2 * salt]
    return curves, (m[:, 5 : 5 + p] - m[:, 5 + p :]) / 0.8, surroundings


def noise_covariance(mean: Curves, draws: int = 2000, seed: int = 1) -> np.ndarray:
    """Return the covariance of all measures by noise of the recording alone."""
    rng = np.random.default_rng(seed)
    steady, recovery = NOISE["steady"], NOISE["recovery"]
    widths = np.array(CHARGE_WIDTHS_MS)
    interval, current = norms()["recovery_cycle"].x, norms()["threshold_iv"].x

    def noisy(reduction, sd):  # a threshold reduction of y % is a threshold of 100 - y
        return reduction + (100.0 - reduction) * sd * rng.standard_normal(reduction.size)

    rows = []
    for _ in range(draws):
        threshold = mean.threshold_pa[0] * (1.0 + steady * rng.standard_normal(widths.size))
        measures = charge_measures(widths, widths * threshold)
        points = {}
        for level, curve, y in zip(TE_CURVES, TE_CURVES.values(), mean.te_percent[0], strict=True):
            x = norms()[curve].x
            y = y[np.isin(te_delays(), x)]
            points[level] = x, np.where(x < 10.0, y, noisy(y, steady))
        measures |= electrotonus_measures(points)
        measures |= recovery_measures(interval, -noisy(-mean.recovery_percent[0], recovery))
        measures |= iv_measures(current, noisy(mean.iv_percent[0], steady))
        rows.append([measures[m.key] for m in MEASURES])
    table = np.ma.masked_invalid(np.array(rows))
    return np.ma.cov(table, rowvar=False).filled(0.0)


def least_spread(target, error, J, fixed, penalty: float) -> np.ndarray:
    """Return the covariance C of the parts that explains `target` with the least trace.

    Minimises sum(((J C J' + known - target) / error)^2) + penalty tr(C) over covariances, as
    C = L L' with a square L, which has no local minima.
    """
    p, weight = J.shape[1], 1.0 / error**2

    def cost(x):
        L = x.reshape(p, p)
        A = J @ L
        miss = A @ A.T + fixed - target
        slope = 4.0 * J.T @ ((weight * miss) @ A) + 2.0 * penalty * L
        return float((weight * miss**2).sum() + penalty * (L**2).sum()), slope.ravel()

    start = 0.3 * np.eye(p).ravel()
    solution = minimize(
        cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 4000, "maxfun": 8000}
    )
    L = solution.x.reshape(p, p)
    return L @ L.T


def loadings_of(C: np.ndarray, J: np.ndarray, scores: int) -> np.ndarray:
    """Return loadings, shape (parts, scores): the directions of C that the measures see most."""
    value, vector = np.linalg.eigh(C)
    L = vector * np.sqrt(np.maximum(value, 0.0))
    _, _, turn = np.linalg.svd(J @ L, full_matrices=False)
    return (L @ turn.T)[:, :scores]


def draw(scores: int, n: int, seed: int = 5) -> np.ndarray:
    """Return evenly spread standard normal numbers, shape (n, scores)."""
    with np.errstate(all="ignore"):
        return norm.ppf(qmc.Sobol(scores, seed=seed).random(n))


def population(axon: str, loadings: np.ndarray, skin_sd: float, n: int = DRAWN):
    """Return the curves of `n` people, their skin temperature and potassium drawn, too."""
    z = draw(loadings.shape[1] + 2, n)
    scale = np.array([part.scale for part in PARTS])
    people = [change_parts(axon, scale * (loadings @ s)) for s in z[:, :-2]]
    health = Conditions()
    around = [
        health.replace(
            temperature_c=health.temperature_c + skin_sd * t,
            potassium_out_mmol_l=health.potassium_out_mmol_l + POTASSIUM_SD_MMOL_L * k,
        )
        for t, k in z[:, -2:]
    ]
    return examine_batch(people, around)


def covariance(curves: Curves, keys) -> np.ndarray:
    """Return the covariance of measures over a population, by the rules of the people's records.

    Values that cannot be (of a record) are left out, and correlations are those of ranks.
    """
    limits = {name: (low, high) for name, low, high in RECORDED.values()}
    table = np.array([curves.measures[k] for k in keys]).T
    low, high = np.array([limits[k] for k in keys]).T
    table = np.where((table >= low) & (table <= high), table, np.nan)
    sd = np.nanstd(table, axis=0, ddof=1)
    return rank_correlation(table) * np.outer(sd, sd)


@dataclass(frozen=True)
class Fit:
    """The fit of one axon: loadings per `scale`, and the population that they give."""

    axon: str
    keys: list[str]
    sd: np.ndarray
    correlation: np.ndarray
    error: np.ndarray
    loadings: np.ndarray
    fisher: np.ndarray
    linear: np.ndarray
    full: np.ndarray
    parts: dict[str, np.ndarray]
    people: Curves
    mean: Curves
    J: np.ndarray


def align_scores(result: Fit, other: Fit) -> Fit:
    """Return `result` with its scores turned so that they move the measures as those of `other`.

    A turn of the scores changes no covariance: the same person is then alike with either axon.
    """
    u, _, v = np.linalg.svd((result.J @ result.loadings).T @ (other.J @ other.loadings))
    return replace(result, loadings=result.loadings @ u @ v)


def fit(axon: str, penalty: float = PENALTY, scores: int = SCORES, rounds: int = ROUNDS) -> Fit:
    """Return the fit of one axon; print the misfit of every round."""
    keys, sd, r, error, skin = targets()
    index = [i for k in keys for i, m in enumerate(MEASURES) if m.key == k]
    mean, J, surroundings = responses(axon)
    J, surroundings = J[index] / sd[:, None], surroundings[index] / sd[:, None]
    noise = noise_covariance(mean)[np.ix_(index, index)] / np.outer(sd, sd)
    skin_part = skin**2 * np.outer(surroundings[:, 0], surroundings[:, 0])
    salt_part = POTASSIUM_SD_MMOL_L**2 * np.outer(surroundings[:, 1], surroundings[:, 1])
    fixed = skin_part + salt_part + noise
    target, full, linear = r, r, r
    C = L = np.zeros((len(PARTS), len(PARTS)))
    people = mean
    for i in range(rounds):
        C = least_spread(target, error, J, fixed, penalty)
        L = loadings_of(C, J, scores)
        linear = J @ L @ L.T @ J.T + fixed
        people = population(axon, L, skin, DRAWN if i == rounds - 1 else DRAWN // 2)
        full = covariance(people, keys) / np.outer(sd, sd) + noise
        print(
            f"  round {i + 1}: misfit of the linear model {misfit(linear, r, error):.2f}, "
            f"of axons drawn and examined in full {misfit(full, r, error):.2f} standard errors "
            f"(root mean square)",
            flush=True,
        )
        target = r + (linear - full)
    W = 1.0 / np.diag(error)
    sees = (J * W[:, None]).T @ (J * W[:, None])
    parts = {"skin": np.diag(skin_part), "potassium": np.diag(salt_part), "noise": np.diag(noise)}
    return Fit(
        axon,
        keys,
        sd,
        r,
        error,
        L,
        np.linalg.eigvalsh(sees)[::-1],
        linear,
        full,
        parts,
        people,
        mean,
        J,
    )


def misfit(covariances, target, error) -> float:
    """Return the root mean square misfit of covariances in their errors."""
    upper = np.triu_indices(len(target))
    return float(np.sqrt(np.mean(((covariances - target) / error)[upper] ** 2)))


def report(result: Fit) -> str:
    """Return the fit as tables in Markdown: spreads, and standard deviations against people's."""
    published = _packaged("trond_norms.json")["measures"]["rows"]
    lines = ["| parameter | SD between people |", "|---|---|"]
    for part, row in zip(PARTS, result.loadings * [[p.scale] for p in PARTS], strict=True):
        sd = float(np.sqrt((row**2).sum()))
        size = f"{100.0 * sd:.0f} %" if part.unit == "ln" else f"{sd:.1f} mV"
        lines.append(f"| {part.label} | {size} |")
    lines += [
        "",
        "| measure | SD, people | SD, drawn axons | by temperature, potassium, noise | "
        "mean shift |",
        "|---|---|---|---|---|",
    ]
    for i, key in enumerate(result.keys):
        sd, model_sd = result.sd[i], np.sqrt(result.full[i, i]) * result.sd[i]
        other = ", ".join(f"{100.0 * result.parts[n][i]:.0f}" for n in result.parts)
        x = result.people.measures[key]
        shift = (np.nanmedian(x) - result.mean.measures[key][0]) / sd
        lines.append(f"| {key} | {sd:.3g} | {model_sd:.3g} | {other} % | {shift:+.2f} SD |")
    for key in NOT_FITTED:
        sd, model_sd = published[key][1], robust_sd(result.people.measures[key])
        lines.append(
            f"| {key} (not fitted; without noise, robust) | {sd:.3g} | {model_sd:.3g} | | |"
        )
    upper = np.triu_indices(len(result.keys), 1)
    model_sds = np.sqrt(np.diag(result.full))
    r = (result.full / np.outer(model_sds, model_sds))[upper]
    difference = r - result.correlation[upper]
    main_ones = np.abs(result.correlation[upper]) >= 0.3
    same_sign = np.sign(r) == np.sign(result.correlation[upper])
    lines += [
        "",
        f"Correlations: root mean square difference {np.sqrt((difference**2).mean()):.2f} over "
        f"{r.size} pairs (standard error of people's {np.mean(result.error[upper]):.2f}); of the "
        f"{main_ones.sum()} of at least 0.3 in people, "
        f"{same_sign[main_ones].sum()} have their sign and "
        f"the model's are {np.polyfit(result.correlation[upper], r, 1)[0]:.2f} times as steep.",
        "",
        "Fisher information of the spreads' directions (1 = told to within one unit of the "
        "prior scale): " + ", ".join(f"{v:.2g}" for v in result.fisher) + ".",
    ]
    bad = int(np.isnan(result.people.threshold_pa[:, -1]).sum())
    rest = result.people.resting_potential_mv
    lines.append(
        f"Of {rest.size} drawn axons {bad} cannot fire; rest {rest.min():.1f} to "
        f"{rest.max():.1f} mV."
    )
    return "\n".join(lines)


def toml_of(fits: list[Fit]) -> str:
    """Return `people.toml`: SD of each parameter, its direction in the scores."""
    lines = [
        "# Written by scripts/calibration/fit_people.py; do not edit. value: standard deviation "
        "between healthy people,",
        "# along: its direction in the scores.",
    ]
    for result in fits:
        for part, row in zip(PARTS, result.loadings, strict=True):
            sd = float(np.sqrt((row**2).sum()))
            along = ", ".join(f"{v / sd:.5f}" for v in row)
            for name in part.parameters:
                lines += [
                    "",
                    f"[{result.axon}.{name}]",
                    f"value = {sd * part.scale:.5g}",
                    f'unit = "{part.unit}"',
                    'grade = "fitted"',
                    'source = "this-fit-people"',
                    f'note = "{part.label}"',
                    f"along = [{along}]",
                ]
    lines += [
        "",
        "[references]",
        'this-fit-people = "Fitted by scripts/calibration/fit_people.py on standard '
        "deviations (280 records) and correlations (norm_correlations.json) of the derived "
        "measures of healthy median motor nerves: open records published with the Nerve "
        'Norms web tool (Bell, J., kelvinejones/nerve-norms, MIT licence)."',
    ]
    return "\n".join(lines) + "\n"


def draw_figure(fits: list[Fit], path: str) -> None:
    """Draw standard deviations and correlations of drawn axons against people's."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6 * len(fits)), layout="constrained")
    for row, result in zip(figure.subplots(len(fits), 2, squeeze=False), fits, strict=True):
        model_sds = np.sqrt(np.diag(result.full))
        y = np.arange(model_sds.size)
        row[0].axvline(1.0, color="0.4", lw=1)
        row[0].barh(y, model_sds, color="#0072b2", height=0.7)
        row[0].set_yticks(
            y, [k.removesuffix("_percent").replace("_", " ") for k in result.keys], fontsize=7
        )
        row[0].invert_yaxis()
        row[0].set(xlabel="standard deviation of drawn axons / of people", title=result.axon)
        upper = np.triu_indices(model_sds.size, 1)
        r = (result.full / np.outer(model_sds, model_sds))[upper]
        row[1].axline((0, 0), slope=1, color="0.4", lw=1)
        row[1].errorbar(
            result.correlation[upper],
            r,
            xerr=result.error[upper],
            fmt="o",
            ms=3,
            color="#d55e00",
            ecolor="0.85",
        )
        row[1].set(
            xlim=(-1, 1),
            ylim=(-1, 1),
            aspect="equal",
            xticks=np.linspace(-1, 1, 5),
            yticks=np.linspace(-1, 1, 5),
            xlabel="correlation in people (118 records; bar: standard error)",
            ylabel="correlation in drawn axons",
        )
    figure.savefig(path, dpi=110)


def main() -> None:
    """Fit, print, and write with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axon", action="append", choices=ax.AXONS, help="default: every axon")
    parser.add_argument("--penalty", type=float, default=PENALTY)
    parser.add_argument(
        "--write", action="store_true", help="write neurosim/model/axon/people.toml"
    )
    parser.add_argument("--figure")
    options = parser.parse_args()
    fits: list[Fit] = []
    for axon in options.axon or ax.AXONS:
        print(axon, flush=True)
        result = fit(axon, options.penalty)
        fits.append(align_scores(result, fits[0]) if fits else result)
        print(report(fits[-1]), flush=True)
    if options.write:
        Path("neurosim/model/axon/people.toml").write_text(toml_of(fits), encoding="utf-8")
    if options.figure:
        draw_figure(fits, options.figure)


if __name__ == "__main__":
    main()
