"""Check the sampler of discharges against the law it draws from.

    python scripts/verification/check_sampler.py [--seeds 60] [--hours 24]
                                                 [--figure docs/figures/sampler.png]

Six units of one to twelve sites with sodium load over minutes and over seconds, bursts, a ceiling,
and a drive that changes over the day, much of it within a minute. For every seed each of these
gives one p-value, which must be uniform over the seeds (one p-value alone proves nothing):

- silences: the hazard integrated over each silence (by quadrature on the tables themselves) is
  exponential with mean 1;
- drive: bursts follow what the drive does within a minute (they come where it is high by as much
  as the hazard says: a score test);
- short silences: those shorter than 200 ms are as many as the hazard says;
- further spikes: as many as the chances say; their intervals: distributed as they should be;
- sites: chosen by their shares at that load and time;
- sizes, counts, intervals: those of the same law stepped through time (`sample_by_time_steps`).

Sodium loads are followed by hand from the discharges alone. The figure shows the p-values, the
intervals of both ways, and the same checks on samplers that are wrong on purpose (`WRONG`): the
left is right if every line keeps to the diagonal, the right is right if every line leaves it.
The tests run the same with fewer hours.
"""

from __future__ import annotations

import argparse
import time
import types
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.interpolate import RegularGridInterpolator

from neurosim.base.parameters import parameter
from neurosim.model.firing import discharge, sampler
from neurosim.model.firing.discharge import (
    HazardCourse,
    UnitHazard,
    sample_by_time_steps,
    sample_firing,
    stream_discharges,
)

GRID = np.array([0.0, 0.7, 1.5, 2.5, 4.0, 6.0])
DEAD_S, SHORTEST_S, MEAN_S = (
    parameter("firing", f"burst_{name}_ms") / 1000.0
    for name in ("dead_time", "interval_shortest", "interval_mean_extra")
)
SHORT_S = 0.2
NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
# Source text of the sampler and its replacement, by name: the checks must detect each.
WRONG = {
    "no sodium load": {"slow += timing.per_spike": "slow += 0.0"},
    "no fast store": {"fast += timing.per_spike_fast": "fast += 0.0"},
    "sodium load stays": {"t + gap, slow * exp(gap * removal)": "t + gap, slow"},
    "fast store decays as the slow": {"-1.0 / timing.tau_fast\n": "-1.0 / timing.tau\n"},
    "branching 1 ms late": {"gap = timing.shortest + min": "gap = timing.shortest + 0.001 + min"},
    "drive held from knot to knot": {
        "return min((t - at_s[q]) / (at_s[q + 1] - at_s[q]), 1.0) if": "return 0.0 if",
    },
    "wait begun anew": {"wait = max(wait - gap / window.mean, 0.0)": "wait = wait * 1.0"},
    "waits of a window too long": {"mean = exp(-log_bound)": "mean = 1.3 * exp(-log_bound)"},
    "never refused": {"if wait >= 0.0:": "wait = abs(wait)\n    if wait >= 0.0:"},
    "no dead time": {"State(u, t + timing.dead, slow": "State(u, t + 1e-4, slow"},
    "first site always": {
        "s = choose_site(tables, u, rng.random(), slow + fast, a, q)": "s += 0",
    },
    "shares without load": {
        "w = min((load - grid[j]) / (grid[j + 1] - grid[j]), 1.0)": "w = 0.0",
    },
    "further spikes too likely": {"rng.random() >= chance:": "rng.random() >= chance + 0.03:"},
}  # fmt: skip
BY_MINUTES = "drive held within a minute"  # a wrong input to the sampler


# --- The law -----------------------------------------------------------------------------------


def full_law(hours: float = 2.0, seed: int = 1) -> HazardCourse:
    """Return six units over some hours: sites, bursts, load, a ceiling, a changing drive."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(6), (1, 2, 3, 5, 8, 12))
    rates = np.array([8.0, 20.0, 40.0, 60.0, 150.0, 500.0])[unit]
    rates *= rng.dirichlet(np.ones(unit.size)) * 8.0 + 0.05
    slope = rng.uniform(0.2, 2.5, unit.size)
    gaps = rng.choice([7.0, 20.0, 45.0, 90.0, 300.0], 2000)
    at = np.append(0.0, np.cumsum(gaps))
    at = at[at < 3600.0 * hours]
    level = 0.6 * rng.standard_normal((at.size, 1)) + 0.5 * np.sin(at / 600.0)[:, None]
    level = np.exp(level + 0.4 * rng.standard_normal((at.size, unit.size)))
    knots = tuple(
        UnitHazard(
            GRID,
            (rates * f)[:, None] * np.exp(-np.multiply.outer(slope, GRID)),
            unit,
            np.arange(unit.size),
            np.clip(0.1 + 0.4 * rng.random(unit.size), 0, 0.6),
            6,
            0.03,
            240.0,
            200.0,
            np.full(6, 0.4),
            load_fast_share=0.6,
            load_fast_tau_s=20.0,
        )
        for f in level
    )
    return HazardCourse(at, knots)


class Tables:
    """The law as SciPy interpolates it: nothing here is the sampler's."""

    def __init__(self, course: HazardCourse, duration_s: float):
        first = course.knots[0]
        self.course, self.law = course, first
        each = np.stack([k.bursts_per_min for k in course.knots])
        at = np.append(course.at_s, duration_s + 1.0)
        self.at, self.bounds = at, np.searchsorted(first.unit, np.arange(first.units + 1))
        self.hazard, self.shares = [], []
        for u in range(first.units):
            unit_rates = each[:, self.bounds[u] : self.bounds[u + 1]]
            total = unit_rates.sum(axis=1)
            log = np.log(np.minimum(total, first.ceiling_per_min) / 60.0)
            last = [log, log[-1:]]
            self.hazard.append(RegularGridInterpolator((at, GRID), np.concatenate(last)))
            share = unit_rates / total[:, None]
            table = np.concatenate([share, share[-1:]]).transpose(0, 2, 1)
            self.shares.append(RegularGridInterpolator((at, GRID), table))
        pair = np.stack([k.pair for k in course.knots])
        self.pair = np.concatenate([pair, pair[-1:]])

    def rate(self, u: int, time_s, load):
        """Return bursts per second of a unit."""
        points = np.stack(np.broadcast_arrays(time_s, np.minimum(load, GRID[-1])), axis=-1)
        return np.exp(self.hazard[u](points))

    def chance(self, site, time_s):
        """Return the chance of a further spike of sites at times."""
        q = np.interp(time_s, self.at, np.arange(self.at.size))
        low = np.minimum(q.astype(int), self.at.size - 2)
        w = q - low
        return (1.0 - w) * self.pair[low, site] + w * self.pair[low + 1, site]

    def within_minutes(self, u: int, time_s):
        """Return by how much the log drive of a unit differs from its line over whole minutes."""
        drive = self.hazard[u].values[:, 0]
        first = np.unique(np.floor(self.at / 60.0), return_index=True)[1]
        slow = np.interp(time_s, self.at[first], drive[first])
        return np.interp(time_s, self.at, drive) - slow

    def integral(self, u: int, begin, end, load, weight=None):
        """Return the hazard integrated from begin to end, the loads decaying; cut at the knots.

        Loads of shape (n, 2): in both stores. Times a `weight` of time if there is one.
        """
        begin, end, load = (np.asarray(v, float) for v in (begin, end, load))
        first = np.searchsorted(self.at, begin, side="right")
        inside = np.searchsorted(self.at, end, side="left") - first
        interval = np.repeat(np.arange(begin.size), inside + 1)
        step = np.arange(interval.size) - np.repeat(np.cumsum(inside + 1) - inside - 1, inside + 1)
        knot = self.at[np.minimum(first[interval] + step, self.at.size - 1)]
        before = self.at[np.minimum(first[interval] + step - 1, self.at.size - 1)]
        a = np.where(step == 0, begin[interval], before)
        b = np.where(step == inside[interval], end[interval], knot)
        t = 0.5 * (b - a)[:, None] * (1.0 + NODES) + a[:, None]
        since = t - begin[interval, None]
        load_at_nodes = sum(
            load[interval, k, None] * np.exp(-since / tau) for k, tau in enumerate(taus_s(self.law))
        )
        rate = self.rate(u, t, load_at_nodes) * (1.0 if weight is None else weight(t))
        part = 0.5 * (b - a) * (rate * WEIGHTS).sum(axis=1)
        return np.bincount(interval, part, begin.size)


# --- One seed --------------------------------------------------------------------------------


def taus_s(law: UnitHazard):
    """Return the time constants of the slow and the fast store."""
    return np.array([law.load_tau_s, law.load_fast_tau_s])


def added_mmol_l(law: UnitHazard):
    """Return what a discharge adds to the slow and the fast store."""
    return law.load_per_spike_mmol_l * np.array([1.0 - law.load_fast_share, law.load_fast_share])


def loads_at_start(law: UnitHazard, u: int):
    """Return what steady firing has left in both stores of a unit."""
    steady = added_mmol_l(law) * taus_s(law)
    return law.start_load_mmol_l[u] * steady / steady.sum()


def loads_by_hand(law: UnitHazard, time_s, begin):
    """Return both loads just before each discharge of one unit, from the times alone."""
    loads, load, last = np.empty((time_s.size, 2)), begin, 0.0
    for i, t in enumerate(time_s):
        load = load * np.exp(-(t - last) / taus_s(law))
        loads[i], last = load, t
        load = load + added_mmol_l(law)
    return loads


def uniform_of_count(count: int, chances) -> float:
    """Return a uniform for so many of independent events (normal, with half a count)."""
    chances = np.asarray(chances)
    spread = np.sqrt((chances * (1.0 - chances)).sum())
    return float(stats.norm.cdf((count - chances.sum()) / max(spread, 1e-12)))


def one_seed(course: HazardCourse, tables: Tables, duration_s: float, seed: int) -> dict:
    """Return the p-value of each check for one seed."""
    rng, law = np.random.default_rng([seed, 1]), tables.law
    pieces = [r.copy() for r in stream_discharges(course, duration_s, np.random.default_rng(seed))]
    time_s, unit, site, place, load = np.concatenate(pieces, axis=1)
    unit, site = unit.astype(int), site.astype(int)
    waits, short, chances, further, gaps, sites, off = [], [], [], [], [], [], 0.0
    score = np.zeros(2)
    for u in range(law.units):
        rows = np.flatnonzero(unit == u)
        t, p, s = time_s[rows], place[rows], site[rows]
        in_stores = loads_by_hand(law, t, loads_at_start(law, u))
        by_hand = in_stores.sum(axis=1)
        off = max(off, np.abs(by_hand - load[rows]).max())
        first = np.flatnonzero(p == 0)
        last = np.append(first[1:] - 1, t.size - 1)
        after = in_stores[last] + added_mmol_l(law)
        start = np.append(0.0, t[last] + DEAD_S)[: first.size]
        after *= np.exp(-DEAD_S / taus_s(law))
        begin = np.vstack([loads_at_start(law, u), after])[: first.size]
        complete = slice(0, int(0.7 * first.size))  # no silence is cut off by the end
        waits.append(tables.integral(u, start[complete], t[first][complete], begin[complete]))
        drive = partial(tables.within_minutes, u)
        silence = u, start[complete], t[first][complete], begin[complete]
        expected_drive = tables.integral(*silence, drive).sum()
        score += (
            drive(t[first][complete]).sum() - expected_drive,
            tables.integral(*silence, lambda t, drive=drive: drive(t) ** 2).sum(),
        )
        soon = tables.integral(u, start[complete], start[complete] + SHORT_S, begin[complete])
        short.append((t[first][complete] - start[complete] < SHORT_S, -np.expm1(-soon)))
        burst = np.cumsum(p == 0) - 1
        chance = tables.chance(s, t[first][burst])
        going = np.append(p[1:] > 0, False)
        countable = (np.arange(t.size) < last[-1]) & (p < sampler.LONGEST - 1)
        chances.append(chance[countable])
        further.append(going[countable])
        gaps.append(np.diff(t)[p[1:] > 0])
        share = tables.shares[u](np.stack([t[first], np.minimum(by_hand[first], 6.0)], axis=1))
        top = np.cumsum(share, axis=1)[np.arange(first.size), s[first] - tables.bounds[u]]
        site_share = share[np.arange(first.size), s[first] - tables.bounds[u]]
        if share.shape[1] > 1:
            sites.append(top - site_share * rng.random(first.size))
    was_short, expected = (np.concatenate(v) for v in zip(*short, strict=True))
    return {
        "silences": _uniform(stats.kstest(np.concatenate(waits), "expon")),
        "drive": float(stats.norm.cdf(score[0] / np.sqrt(score[1]))),
        "short silences": uniform_of_count(was_short.sum(), expected),
        "further spikes": uniform_of_count(np.concatenate(further).sum(), np.concatenate(chances)),
        "their intervals": _uniform(
            stats.kstest(_interval_uniforms(np.concatenate(gaps), rng), "uniform")
        ),
        "sites": _uniform(stats.kstest(np.concatenate(sites), "uniform")),
        "load": float(off < 1e-9),
    }


def _uniform(test) -> float:
    return float(test.pvalue)


def _interval_uniforms(gaps, rng):
    """Return uniforms for intervals within bursts: exponential beyond the shortest, then cut."""
    most = -np.expm1(-(DEAD_S - SHORTEST_S) / MEAN_S)
    uniforms = -np.expm1(-np.maximum(gaps - SHORTEST_S, 0.0) / MEAN_S)
    cut = gaps > DEAD_S - 1e-9
    return np.where(cut, most + (1.0 - most) * rng.random(gaps.size), uniforms)


# --- Against the clock -----------------------------------------------------------------------


def quick_law(copies: int) -> HazardCourse:
    """Return three busy units, so many times over, for the stepped clock."""
    at = np.array([0.0, 5.0, 5.5, 15.0])
    rates = np.array(
        [
            [30.0, 60.0, 200.0, 100.0],
            [90.0, 60.0, 60.0, 200.0],
            [150.0, 30.0, 90.0, 20.0],
            [60.0, 90.0, 200.0, 100.0],
        ]
    )
    unit = np.array([0, 0, 1, 2])[None] + 3 * np.arange(copies)[:, None]
    slope, origin = np.tile([0.5, 1.5, 1.0, 0.8], copies), np.tile([0, 1, 2, 3], copies)
    falling = np.exp(-np.multiply.outer(slope, GRID))
    return HazardCourse(
        at,
        tuple(
            UnitHazard(
                GRID,
                np.tile(row, copies)[:, None] * falling,
                unit.ravel(),
                origin,
                np.tile([p, 0.3, 0.4, 0.2], copies),
                3 * copies,
                0.3,
                8.0,
                260.0,
            )
            for row, p in zip(rates, (0.5, 0.2, 0.1, 0.5), strict=True)
        ),
    )


EDGES_S = np.concatenate([np.arange(0.0035, 0.0205, 0.003), np.geomspace(0.022, 12.0, 14)])


def shapes(firing, copies: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return burst sizes and intervals, as counts in cells, and bursts of each copy.

    Bursts early and late: each copy is a sample, since refractoriness and sodium load make
    counts vary less than those of independent events.
    """
    order = np.lexsort((firing.time_s, firing.unit))
    gaps = np.diff(firing.time_s[order])[np.diff(firing.unit[order]) == 0]
    cells = {
        "sizes": np.bincount(np.minimum(np.bincount(firing.episode), 6), minlength=7)[1:],
        "intervals": np.histogram(gaps, EDGES_S)[0],
    }
    first = firing.place == 0
    late = firing.time_s[first] > 0.4 * firing.duration_s
    copy = firing.unit[first] // 3
    early, later = (np.bincount(copy[late == when], minlength=copies) for when in (False, True))
    return cells, {"early bursts": early, "late bursts": later, "change": later - early}


def compare_with_clock(seed: int, copies: int = 60, duration_s: float = 20.0, dt_s: float = 2e-3):
    """Return the p-value of each comparison with the clock, and the interval counts of both."""
    law = quick_law(copies)
    clock = sample_by_time_steps(law, duration_s, np.random.default_rng([seed, 2]), dt_s)
    exact = sample_firing(law, duration_s, np.random.default_rng([seed, 3]))
    (a, counts), (b, others) = shapes(clock, copies), shapes(exact, copies)
    p_values = {}
    for name in a:
        table = np.stack([a[name], b[name]])
        table = table[:, table.sum(axis=0) > 10]
        p_values[name] = float(stats.chi2_contingency(table).pvalue)
    for name in counts:
        p_values[name] = float(stats.ttest_ind(counts[name], others[name]).pvalue)
    return p_values, a["intervals"], b["intervals"]


# --- Wrong on purpose ---------------------------------------------------------------------------


@contextmanager
def mutated_sampler(changes: dict[str, str]):
    """Draw with a sampler whose source is changed in some places, in plain Python."""
    source = Path(sampler.__file__).read_text("utf-8")
    for text, instead in changes.items():
        if text not in source:
            raise ValueError(f"The sampler has no line {text!r}.")
        source = source.replace(text, instead)
    module = types.ModuleType("wrong")
    exec(compile(source, "wrong", "exec"), module.__dict__)
    right = discharge.backends
    discharge.backends = types.SimpleNamespace(loop=lambda name: module.sample)
    try:
        yield
    finally:
        discharge.backends = right


def by_minutes(course: HazardCourse) -> HazardCourse:
    """Return a course without the knots within a minute of the one before."""
    first = np.unique(np.floor(course.at_s / 60.0), return_index=True)[1]
    return HazardCourse(course.at_s[first], tuple(course.knots[i] for i in first))


def check_mutant(name: str, hours: float = 2.0, seeds=range(20)) -> list[dict]:
    """Return the p-values of the checks on a sampler that is wrong by name."""
    if name == BY_MINUTES:
        return check_seeds(hours, seeds, distort=by_minutes)
    with mutated_sampler(WRONG[name]):
        return check_seeds(hours, seeds)


def verdict(rows: list[dict]) -> dict[str, float]:
    """Return for each check how well its p-values keep to uniform: a p-value of p-values."""
    return {
        name: float(stats.kstest([row[name] for row in rows], "uniform").pvalue)
        for name in rows[0]
        if name != "load"
    } | ({"load": min(row["load"] for row in rows)} if "load" in rows[0] else {})


def check_seeds(hours: float, seeds, distort=lambda course: course) -> list[dict]:
    """Return the p-values of every check, seed by seed; `distort` changes what the sampler gets."""
    course, duration = full_law(hours), 3600.0 * hours
    tables = Tables(course, duration)
    return [one_seed(distort(course), tables, duration, seed) for seed in seeds]


# --- The figure ----------------------------------------------------------------------------------


def draw(rows, clock, histograms, mutants, path: Path) -> None:
    """Draw p-values of the sampler, intervals of both ways, and p-values of wrong samplers."""
    import matplotlib

    matplotlib.use("Agg")
    from neurosim.view import style

    figure = style.new_figure(13.0, 4.6)
    p_axes, interval_axes, mutant_axes = figure.subplots(1, 3)
    n = len(rows)
    rank = (np.arange(n) + 0.5) / n
    low, high = (stats.beta.ppf(q, np.arange(n) + 1, n - np.arange(n)) for q in (0.0005, 0.9995))
    for ax in (p_axes, mutant_axes):
        ax.fill_between(rank, low, high, color=style.PALE, lw=0)
        ax.plot([0, 1], [0, 1], color=style.GREY, lw=1)
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="rank among the seeds")
    colours = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILION, style.PURPLE, style.SKY)
    marks = "os^vD*Px"
    values = {k: [r[k] for r in rows] for k in rows[0] if k != "load"}
    values |= {f"{k}, against the clock": [r[k] for r in clock] for k in clock[0]}
    for i, (name, p) in enumerate(values.items()):
        p_axes.plot(
            rank,
            np.sort(p),
            ls="none",
            marker=marks[i % 8],
            ms=3.5,
            color=colours[i % 6],
            label=name,
        )
    p_axes.set(ylabel="p-value", title="Right if on the diagonal, within the band")
    p_axes.legend(fontsize=7, loc="upper left", frameon=False)
    a, b = histograms
    centre = np.sqrt(EDGES_S[1:] * EDGES_S[:-1])
    per = np.diff(np.log(EDGES_S))
    interval_axes.step(
        centre, a / a.sum() / per, where="mid", color=style.BLACK, lw=1.5, label="clock"
    )
    interval_axes.plot(
        centre, b / b.sum() / per, "o", ms=4, color=style.VERMILION, label="event-driven"
    )
    interval_axes.set(
        xscale="log",
        yscale="log",
        xlabel="interval, s",
        ylabel="density per log interval",
        title="Right if the dots are on the line",
    )
    interval_axes.legend(fontsize=8, frameon=False)
    for i, (name, p_rows) in enumerate(mutants.items()):
        worst = min(
            (k for k in p_rows[0] if k != "load"),
            key=lambda k: stats.kstest([r[k] for r in p_rows], "uniform").pvalue,
        )
        p = np.sort([r[worst] for r in p_rows])
        mutant_rank = (np.arange(p.size) + 0.5) / p.size
        mutant_axes.plot(
            mutant_rank,
            p,
            marker=marks[i % 8],
            ms=3,
            lw=0.8,
            color=colours[i % 6],
            label=f"{name}: {worst}",
        )
    mutant_axes.set(title="Wrong on purpose: right if off the diagonal")
    mutant_axes.legend(fontsize=6, loc="upper left", frameon=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Run all seeds, print the verdicts and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--figure", type=Path, default=Path("docs/figures/sampler.png"))
    args = parser.parse_args()
    begun = time.process_time()
    rows = check_seeds(args.hours, range(args.seeds))
    clock, histograms = [], np.zeros((2, EDGES_S.size - 1))
    for seed in range(args.seeds):
        p, a, b = compare_with_clock(seed, 200)
        clock.append(p)
        histograms += [a, b]
    print(f"{args.seeds} seeds of {args.hours:g} h; p-values of the p-values (all above 0.001?)")
    right = verdict(rows) | {f"{k}, against the clock": v for k, v in verdict(clock).items()}
    for name, p in right.items():
        print(f"  {name:<32} {p:.3g}")
    mutants = {}
    print("Wrong on purpose (the least of them, below 1e-6?)")
    for name in (*WRONG, BY_MINUTES):
        mutants[name] = check_mutant(name)
        least = verdict(mutants[name])
        which = min(least, key=least.__getitem__)
        print(f"  {name:<32} {least[which]:.1g} ({which})")
    draw(rows, clock, histograms, mutants, args.figure)
    print(f"{(time.process_time() - begun) / 60.0:.0f} minutes of processor time; {args.figure}")


if __name__ == "__main__":
    main()
