"""Compare the model's channel noise with channels that open and close one by one.

    python scripts/verification/check_noise.py [--axon ghk] [--seconds 100]

The package adds a Langevin term to the gates m, h and p (Fox & Lu 1994), its size set by one
number of channels. Here the same membrane has whole channels instead: each transient one with
three gates m and one h, each persistent one with three gates p, every gate flipping on its own
with its exact probability over a step (the counts in each state by binomial draws). Printed for
both: the relative spread of the 1-ms threshold against the number of channels, the deviation of the
resting potential of a site, the numbers of real channels that one Langevin channel stands for by
either measure, and the rate at which a site fires by itself at the latter. About five minutes of
one core per axon.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import ndtr

from neurosim.base.parameters import parameter
from neurosim.model.axon import axon as ax
from neurosim.model.axon import equations as eq
from neurosim.model.axon import kernel
from neurosim.model.firing.escape import escape_action
from neurosim.model.firing.hazard import burst_rate

DT_MS = 0.02
FACTORS = 16  # amplitudes of the pulse, in thresholds
SETTLE_MS, AFTER_MS = 5.0, 4.0
TRUNK_SPREAD, TRUNK_LOW, TRUNK_HIGH = 0.0165, 0.010, 0.025  # single human motor axons
NUMBERS = (2500, 5000, 10000, 25000, 50000)


def flips(rates, phi, dt):
    """Return the probabilities that a shut gate is open after `dt`, and an open one shut."""
    a, b = rates
    relaxed = -np.expm1(-(a + b) * phi * dt) / (a + b)
    return a * relaxed, b * relaxed


def three_gates(opening, closing):
    """Return P(k of three gates open after the step | j open before), shape (4, 4, n)."""
    gate_chances = np.array([[1.0 - opening, opening], [closing, 1.0 - closing]])  # shut/open row
    chances = np.zeros((4, 4, np.size(opening)))
    for j in range(4):
        spread = np.zeros((4, np.size(opening)))
        spread[0] = 1.0
        for gate in range(3):
            row = gate_chances[int(gate < j)]
            shifted = np.concatenate([np.zeros((1, spread.shape[1])), spread[:-1]])
            spread = spread * row[0] + shifted * row[1]
        chances[j] = spread
    return chances / chances.sum(axis=1, keepdims=True)


class Channels:
    """Axons whose sodium channels open and close one by one, the rest as in the package.

    Parameters
    ----------
    axons : Axons
        At rest.
    channels : int
        Transient channels of each; `noise_persistent_share` of that are persistent.
    seed : int or SeedSequence
    """

    def __init__(self, axons: ax.Axons, channels: int, seed) -> None:
        self.P, self.S = axons.P, axons.rest.copy()
        self.rng = np.random.default_rng(seed)
        self.channels = channels
        self.persistent = round(channels * parameter("membrane", "noise_persistent_share"))
        m, h, p = self.S[2:5]
        open_m, open_p = (
            np.stack([(1 - y) ** 3, 3 * y * (1 - y) ** 2, 3 * y * y * (1 - y), y**3])
            for y in (m, p)
        )
        uninactivated = self.rng.binomial(channels, h)
        self.transient = np.stack(
            [  # [inactivated or not, number of gates m open, axon]
                self.rng.multinomial(k, open_m.T).T
                for k in (channels - uninactivated, uninactivated)
            ]
        )
        self.lasting = self.rng.multinomial(self.persistent, open_p.T).T

    def _draw(self, counts, chances):
        """Return the counts after every channel moved by `chances` [from, to, axon]."""
        return sum(self.rng.multinomial(n, c.T).T for n, c in zip(counts, chances, strict=True))

    def step(self, current, dt=DT_MS) -> None:
        """Move every axon by `dt`: channels at the potential in the middle, then potentials."""
        S, P, rng = self.S, self.P, self.rng
        E, Ei = S[0], S[1]
        up, down = flips(eq.rates_h(E + P[2]), P[3], dt)
        shut, free = self.transient
        freed, lost = rng.binomial(shut, up), rng.binomial(free, down)
        shut, free = shut - freed + lost, free + freed - lost
        chances = three_gates(*flips(eq.rates_m(E + P[0]), P[1], dt))
        self.transient = np.stack([self._draw(shut, chances), self._draw(free, chances)])
        chances = three_gates(*flips(eq.rates_m(E + P[4]), P[5], dt))
        self.lasting = self._draw(self.lasting, chances)
        S[2] = np.cbrt(self.transient[1, 3] / self.channels)
        S[3] = 1.0
        S[4] = np.cbrt(self.lasting[3] / self.persistent)
        S[5] = eq.gate_n(E, S[5], P[6], P[8], dt)
        S[6] = eq.gate_s(E, S[6], P[9], P[10], dt)
        S[7] = eq.gate_n(Ei, S[7], P[7], P[8], dt)
        S[8] = eq.gate_s(Ei, S[8], P[9], P[10], dt)
        S[9] = eq.gate_q(Ei, S[9], P[11], P[12], dt)
        outward, g = eq.node_current(E, *S[2:7], *P[13:26])
        inner = (P[k] for k in (26, 27, 22, 28, 29, 30, 31, 32))
        outward_i, g_i = eq.internode_current(Ei, *S[7:10], *inner)
        S[0], S[1] = eq.solve(
            E, Ei, outward, g, outward_i, g_i, current, P[33], P[34], P[35], P[36], dt
        )

    def run(self, current, ms, dt=DT_MS):
        """Move on by `ms` and return the spikes of each axon: list of (axon, time ms, peak mV)."""
        spikes, open_spike = [], {}
        above = self.S[0] > -20.0
        for t in range(round(ms / dt)):
            self.step(current, dt)
            E = self.S[0]
            for j in np.flatnonzero((E > -20.0) & ~above):
                open_spike[j] = len(spikes)
                spikes.append([int(j), (t + 1) * dt, E[j]])
            above = (above & (E >= -35.0)) | (E > -20.0)
            for j in list(open_spike):
                if above[j]:
                    spikes[open_spike[j]][2] = max(spikes[open_spike[j]][2], E[j])
                else:
                    del open_spike[j]
        return spikes


def spread_of(factor, fired) -> tuple[float, float, float]:
    """Return middle, relative spread and its error of a cumulative Gaussian fitted to P(fire)."""
    start = (1.0, (factor[-1] - 1.0) / 3.0)
    (m, s), cov = curve_fit(lambda x, m, s: ndtr((x - m) / s), factor, fired, start)
    return float(m), float(s / m), float(np.sqrt(cov[1, 1]) / m)


def _block(axon, widest, repeats, conditions):
    axons = ax.at_rest(conditions, axon)
    threshold = float(ax.threshold_pa(axons, 1.0, dt=DT_MS)[0])
    factor = np.linspace(1.0 - widest, 1.0 + widest, FACTORS)
    return (
        axons.take(np.zeros(FACTORS * repeats, int)),
        factor,
        np.tile(factor, repeats) * threshold,
    )


def langevin_spread(axon, channels, repeats=400, seed=1, conditions=ax.Conditions()):  # noqa: B008
    """Return (middle, relative spread, error) of the 1-ms threshold with Langevin noise."""
    batch, factor, pulse = _block(axon, 9.0 / np.sqrt(channels), repeats, conditions)
    batch = batch.with_noise(channels)
    S, off = batch.rest.copy(), np.zeros(pulse.size)
    count = np.zeros(pulse.size, int)
    seeds = np.random.SeedSequence(seed).spawn(3)
    for ms, current, s in zip((SETTLE_MS, 1.0, AFTER_MS), (off, pulse, off), seeds, strict=True):
        spikes = kernel.noisy_spikes(S, batch.P, current, round(ms / DT_MS), DT_MS, s, 2)[2]
        count += spikes * (ms != SETTLE_MS)
    return spread_of(factor, (count > 0).reshape(repeats, FACTORS).mean(axis=0))


def markov_spread(axon, channels, repeats=100, seed=1, conditions=ax.Conditions()):  # noqa: B008
    """Return the same as `langevin_spread`, with channels one by one."""
    batch, factor, pulse = _block(axon, 18.0 / np.sqrt(channels), repeats, conditions)
    membrane = Channels(batch, channels, seed)
    membrane.run(0.0 * pulse, SETTLE_MS)
    spikes = membrane.run(pulse, 1.0) + membrane.run(0.0 * pulse, AFTER_MS)
    fired = np.zeros(pulse.size)
    fired[[j for j, _, _ in spikes]] = 1.0
    return spread_of(factor, fired.reshape(repeats, FACTORS).mean(axis=0))


def bursts(spikes) -> int:
    """Return the number of bursts among (axon, time, peak): a spike 20 ms after none."""
    last, n = {}, 0
    for j, t, _ in spikes:
        n += t - last.get(j, -np.inf) > 20.0
        last[j] = t
    return n


def langevin_rate(axon, conditions, channels, seconds, copies=16, seed=5) -> float:
    """Return bursts per minute of one site with Langevin noise."""
    batch = ax.at_rest(conditions, axon).take(np.zeros(copies, int)).with_noise(channels)
    steps = round(seconds / copies * 1000.0 / DT_MS)
    times, _peaks, counts = kernel.noisy_spikes(
        batch.rest.copy(), batch.P, np.zeros(copies), steps, DT_MS, seed, 65536
    )
    spikes = [(j, t, 0.0) for j in range(copies) for t in times[j, : counts[j]]]
    return bursts(spikes) * 60.0 / seconds


def markov_rate(axon, conditions, channels, seconds, copies=512, seed=5) -> float:
    """Return bursts per minute of one site with channels one by one."""
    batch = ax.at_rest(conditions, axon).take(np.zeros(copies, int))
    membrane = Channels(batch, channels, seed)
    membrane.run(np.zeros(copies), 20.0)
    return bursts(membrane.run(np.zeros(copies), seconds / copies * 1000.0)) * 60.0 / seconds


WANTED_PER_MIN = 20.0  # of the site whose rate is compared
COPIES = 256
FIELDS = ("axon", "what", "channels", "form", "value", "error")


def site_nu(axon: str) -> float:
    """Return the persistent sodium multiplier at which the law says `WANTED_PER_MIN` in health."""
    nu = np.arange(1.5, 6.0, 0.1)
    batch = ax.at_rest([ax.Conditions(persistent_sodium_scale=v) for v in nu], axon)
    action, _ = escape_action(batch)
    rate = np.where(
        np.isfinite(action), burst_rate(axon, np.nan_to_num(action), batch.rest_mv), 0.0
    )
    above = int(np.flatnonzero(rate >= WANTED_PER_MIN)[0])
    y = np.log(np.maximum(rate[above - 1 : above + 1], 1e-9))
    return round(float(np.interp(np.log(WANTED_PER_MIN), y, nu[above - 1 : above + 1])), 3)


def resting_deviation(batch, noise, pieces=20) -> float:
    """Return the deviation of E at rest (mV, robust) of a silent site under `noise(ms)` -> E."""
    noise(40.0)
    e = np.array([noise(2.0) for _ in range(pieces)])
    return float(np.median(np.abs(e - np.median(e))) / 0.6745)


def resting_deviations(axon: str, nu: float):
    """Yield (channels, form, deviation of E) with Langevin noise, its parts, and real channels."""
    site = ax.at_rest(ax.Conditions(persistent_sodium_scale=nu), axon)
    batch, still = site.take(np.zeros(COPIES, int)), np.zeros(COPIES)
    effective = parameter("firing", "noise_channels")
    for form, off in (
        ("langevin", ()),
        ("langevin m, h", ("noise_p",)),
        ("langevin p", ("noise_mh",)),
    ):
        noisy = batch.with_noise(effective)
        for name in off:
            noisy.P[eq.ROW[name]] = 0.0
        S, seeds = noisy.rest.copy(), iter(np.random.SeedSequence(2).spawn(100))

        def langevin(ms, S=S, P=noisy.P, seeds=seeds):
            kernel.noisy_spikes(S, P, still, round(ms / DT_MS), DT_MS, next(seeds), 4)
            return S[0].copy()

        yield effective, form, resting_deviation(noisy, langevin)
    for channels in (5000, 20000):
        membrane = Channels(batch, channels, 3)

        def markov(ms, membrane=membrane):
            membrane.run(still, ms)
            return membrane.S[0].copy()

        yield channels, "markov", resting_deviation(batch, markov)


def compare(axon: str, seconds: float):
    """Yield rows of `FIELDS`: spreads by number of channels, resting noise, and rates."""
    constants = {"langevin": [], "markov": []}
    for channels in NUMBERS:
        for form, spread in (("langevin", langevin_spread), ("markov", markov_spread)):
            if form == "markov" and channels not in NUMBERS[::2]:
                continue
            _, s, error = spread(axon, channels)
            constants[form].append(s * np.sqrt(channels))
            yield axon, "spread of the 1-ms threshold", channels, form, s, error
    each = {form: float(np.mean(v)) for form, v in constants.items()}
    for form, k in each.items():
        trunk = (k / TRUNK_SPREAD) ** 2
        yield axon, "channels of a trunk axon", round(trunk), form, TRUNK_SPREAD, 0.0
    ratio = (each["markov"] / each["langevin"]) ** 2
    yield axon, "real channels for a Langevin one, by spread", 0, "markov", ratio, 0.0
    nu, effective = site_nu(axon), parameter("firing", "noise_channels")
    deviations = list(resting_deviations(axon, 0.85 * nu))
    for channels, form, deviation in deviations:
        name = f"deviation of E at rest in mV, nu {0.85 * nu:.3g}"
        yield axon, name, channels, form, deviation, deviation / np.sqrt(2.0 * COPIES)
    equal = [
        n * (d / deviations[0][2]) ** 2 / effective for n, form, d in deviations if form == "markov"
    ]
    yield (
        axon,
        "real channels for a Langevin one, at rest",
        0,
        "markov",
        np.mean(equal),
        np.ptp(equal),
    )
    where, matched = ax.Conditions(persistent_sodium_scale=nu), round(effective * np.mean(equal))
    for form, rate_of, n in (
        ("langevin", langevin_rate, round(effective)),
        ("markov", markov_rate, matched),
    ):
        r = rate_of(axon, where, n, seconds)
        yield axon, f"bursts per minute, nu {nu:g}", n, form, r, np.sqrt(r * 60.0 / seconds)


def main() -> None:
    """Compare both forms, print and write."""
    import csv

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axon", action="append", choices=ax.AXONS)
    parser.add_argument("--seconds", type=float, default=100.0)
    parser.add_argument("--out", default=None, help="CSV file")
    options = parser.parse_args()
    began, rows = time.time(), []
    for axon in options.axon or ax.AXONS:
        for row in compare(axon, options.seconds):
            rows.append(row)
            print(
                f"{time.time() - began:6.0f} s ",
                *row[:4],
                f"{row[4]:.4g} +- {row[5]:.2g}",
                flush=True,
            )
    if options.out is None:
        return
    with open(options.out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows([*row[:4], f"{row[4]:.6g}", f"{row[5]:.3g}"] for row in rows)


if __name__ == "__main__":
    main()
