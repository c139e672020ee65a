"""What a record tells of twitches, from force and electromyogram alone.

Nothing here knows who fired when. **Which electrode:** one record of potentials, best a needle's
in or beside the active unit. A potential on the skin lasts 5 to 20 ms and is smooth, so that a
doublet of 5 ms melts into one potential; a needle's has an edge of a millisecond, and every
interval of a burst can be read. The skin sees more units, but the force tells better how many pull;
`docs/events.md` has the confusion matrices of both electrodes.

**Potentials** (`sort_potentials`). Noise is the spread of the quietest parts of the record. The
largest potential not yet explained gives the first guess of a unit's shape; wherever that
shape fits, least squares over all those places give the whole shape, overlapped or not, and
matched filtering with it places the spikes anew, one by one, each subtracted before the next.
A potential of many phases is then one spike, since its phases keep their distance; and a
doublet two, since its interval varies, or since one shorter shape, laid down twice, explains all.

**Events** (`detect`). A run in which the potentials interfere without a pause, under a force that
holds, is a spasm. In the train of each unit spikes that follow closely are one event; kind and
origin follow from the intervals. Numbers: ``detect.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from neurosim import sources
from neurosim.errors import NeurosimError, number_within
from neurosim.muscle import anatomy
from neurosim.muscle.anatomy import Muscle

SAMPLING_HZ = (1000.0, 50_000.0)
FORCE_HZ = (100.0, 50_000.0)
_INNER_HZ = 20_000.0  # spikes are placed on this grid
_ROUNDS = 4  # of shape and places by turns


def _n(name: str) -> float:
    return sources.number("detect", name)


# --- Potentials ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Potentials:
    """Spikes found in an electromyogram, in order of time.

    Attributes
    ----------
    time_s : ndarray, shape (n,)
        Of the largest point of each potential.
    unit : ndarray of int, shape (n,)
        Which shape it has; 0 is the largest. Not a number of the muscle's units.
    shapes_uv : list of ndarray
        Shape of each, sampled at `inner_hz`.
    noise_uv : float
        Spread of the quiet record.
    busy_s : ndarray, shape (k, 2)
        Start and end of the stretches in which potentials interfere, which are not sorted.
    """

    time_s: np.ndarray
    unit: np.ndarray
    shapes_uv: list[np.ndarray]
    noise_uv: float
    busy_s: np.ndarray
    inner_hz: float


def noise_level(signal: np.ndarray, hz: float) -> float:
    """Return the spread of the quiet parts of a record.

    The median distance from zero over windows of 20 ms, their lower quartile, as the standard
    deviation of normal noise: neither potentials nor a long spasm raise it.
    """
    width = max(round(0.02 * hz), 8)
    if signal.size < 4 * width:
        return float(np.median(np.abs(signal))) / 0.6745
    windows = np.abs(signal[: signal.size // width * width]).reshape(-1, width)
    return float(np.quantile(np.median(windows, axis=1), 0.25)) / 0.6745


def _prepared(emg_uv: np.ndarray, hz: float) -> tuple[np.ndarray, float]:
    """Return the record without its slow waves, on a grid of about `_INNER_HZ`, and its rate."""
    from scipy.signal import butter, resample_poly, sosfiltfilt

    signal = emg_uv - np.median(emg_uv)
    low = butter(1, _n("slow_edge_hz"), "highpass", fs=hz, output="sos")
    if signal.size > 30:
        signal = sosfiltfilt(low, signal)
    up = max(1, round(_INNER_HZ / hz))
    if up > 1:
        signal = resample_poly(signal, up, 1)
    return np.asarray(signal), hz * up


def _stretches(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and ends of the True runs of a mask."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2]


def _widened(starts, ends, before, after, size):
    """Return runs widened by so many samples, those that then touch joined."""
    mask = np.zeros(size + 1, np.int64)
    np.add.at(mask, np.maximum(starts - before, 0), 1)
    np.add.at(mask, np.minimum(ends + after, size), -1)
    return _stretches(np.cumsum(mask)[:-1] > 0)


def _busy(loud: np.ndarray, hz: float) -> np.ndarray:
    """Return starts and ends, in samples, of the stretches where loud parts leave no pause."""
    width = round(_n("busy_window_ms") / 1000.0 * hz)
    share = np.diff(np.cumsum(np.r_[0, loud])[:: max(width // 10, 1)]) / max(width // 10, 1)
    if share.size < 10:
        return np.empty((0, 2), np.int64)
    step = max(width // 10, 1)
    mean = np.convolve(share, np.ones(10) / 10.0, "valid")  # of the window that starts there
    starts, ends = _stretches(mean > _n("busy_share"))
    starts, ends = _widened(starts * step, (ends - 1) * step + width, 0, 0, loud.size)
    long = ends - starts >= _n("spasm_least_s") * hz
    return np.stack([starts[long], ends[long]], axis=1)


def sort_potentials(emg_uv: Any, sampling_hz: float) -> Potentials:
    """Return the spikes of a record, sorted by the shape of their potentials.

    Parameters
    ----------
    emg_uv : array_like
        Record, uV, shape (n,).
    sampling_hz : float
        Samples per second, 1000 to 50 000.

    Raises
    ------
    NeurosimError
        If the record is no column of finite numbers, or the rate is not allowed.
    """
    hz = number_within("sampling_hz", sampling_hz, *SAMPLING_HZ, "per second")
    signal, rate = _prepared(_column("emg_uv", emg_uv), hz)
    noise = max(noise_level(signal, rate), 1e-4 * float(np.abs(signal).max(initial=0.0)))
    loud = np.abs(signal) > _n("threshold_noise") * noise
    starts, ends = _stretches(loud)
    margin = round(_n("margin_ms") / 1000.0 * rate)
    starts, ends = _widened(starts, ends, margin, margin, signal.size)
    active = np.zeros(signal.size, bool)
    for i, j in zip(starts.tolist(), ends.tolist(), strict=True):
        active[i:j] = True
    busy = _busy(active, rate)
    for i, j in busy.tolist():
        active[i:j] = False
    place, unit, shapes = _peel(signal, active, noise, rate)
    order = np.argsort(place, kind="stable")
    return Potentials(place[order] / rate, unit[order], shapes, noise, busy / rate, rate)


def _peel(signal, active, noise, rate):
    """Return places (samples), units and shapes of the spikes in the active parts."""
    room = round(_n("shape_after_ms") / 1000.0 * rate) + round(_n("shape_before_ms") / 1000 * rate)
    starts, ends = _stretches(active)
    kept = [np.r_[signal[i:j], np.zeros(room)] for i, j in zip(starts, ends, strict=True)]
    index = [np.r_[i:j, np.full(room, -1)] for i, j in zip(starts, ends, strict=True)]
    if not kept:
        return np.empty(0), np.empty(0, np.int64), []
    rest = np.concatenate([np.zeros(room), *kept])
    where = np.concatenate([np.full(room, -1), *index])
    trusted = np.full(rest.size, _n("threshold_noise") * noise)
    found = []
    while len(found) < round(_n("units_most")):
        over = np.abs(rest) - trusted
        if over.max() <= 0.0:
            break
        tries = [_Shape.learn(rest, seed, rate, noise) for seed in _seeds(rest, over, room, rate)]
        if not tries:
            break
        unit = max(tries, key=lambda u: u.explains(rest))
        made = unit.laid(rest.size)
        rest = rest - made
        trusted = np.maximum(trusted, _n("misfit_share") * _near_max(np.abs(made), rate))
        trusted[int(np.argmax(over))] = np.inf  # never twice for the same sample
        if unit.places.size:
            found.append(unit)
    found = _unlocked(found, rate)
    places = [where[u.places] for u in found]
    who = np.repeat(np.arange(len(found)), [p.size for p in places])
    at = np.concatenate([*places, np.empty(0)])
    return at[at >= 0], who[at >= 0], [u.shape for u in found]


def _seeds(rest: np.ndarray, over: np.ndarray, room: int, rate: float) -> list[int]:
    """Return samples to learn a unit from: the largest of all, and the first large ones of bursts.

    The largest may be two potentials on top of each other; the first of a burst often is free.
    """
    starts, ends = _stretches(_near_max(np.where(over > 0.0, 1.0, 0.0), rate * 10.0) > 0.0)
    top = np.array([over[i:j].max() for i, j in zip(starts, ends, strict=True)])
    seeds = {int(np.argmax(over))}
    for k in np.argsort(-top)[np.linspace(0, top.size - 1, min(top.size, 6)).astype(int)].tolist():
        part = np.abs(rest[starts[k] : ends[k]]) * (over[starts[k] : ends[k]] > 0.0)
        first = int(np.argmax(part > 0.5 * part.max()))
        stop = first + round(0.002 * rate)
        seeds.add(int(starts[k]) + first + int(np.argmax(part[first:stop])))
    return [s for s in sorted(seeds) if room <= s < rest.size - room]


def _near_max(size: np.ndarray, rate: float) -> np.ndarray:
    """Return the largest of the values within a millisecond."""
    from scipy.ndimage import maximum_filter1d

    return maximum_filter1d(size, 2 * round(0.001 * rate) + 1)


@dataclass(eq=False)
class _Shape:
    """A unit's potential, the sample of it that counts as its time, and where it was found."""

    shape: np.ndarray
    zero: int
    places: np.ndarray
    rate: float

    @classmethod
    def learn(cls, rest: np.ndarray, seed: int, rate: float, noise: float) -> _Shape:
        """Learn a unit from the neighbourhood of its largest point: shape and places by turns."""
        before, after = (round(_n(f"shape_{e}_ms") / 1000.0 * rate) for e in ("before", "after"))
        now = cls(rest[seed - before : seed + after], before, np.array([seed]), rate)
        now.places = now._cores(rest)
        for _ in range(_ROUNDS):
            now.shape = now._fitted(rest, before + after)
            old, now.places = now.places, now._matched(rest, noise)
            if not now.places.size:
                now.places = old
                break
            if np.array_equal(old, now.places):
                break
        now._split(rest, noise)
        return now

    def _cores(self, rest: np.ndarray) -> np.ndarray:
        """Return where the middle of the shape, its largest phase, is found again."""
        from scipy.signal import correlate, find_peaks

        level = 0.3 * abs(self.shape[self.zero])
        sign = np.sign(self.shape[self.zero])
        low = self.zero - int(np.argmax(sign * self.shape[self.zero :: -1] < level))
        high = self.zero + int(np.argmax(sign * self.shape[self.zero :] < level))
        core = self.shape[low : high + 1]
        energy = float(core @ core)
        score = correlate(rest, core, "valid") / energy
        size = np.sqrt(np.maximum(correlate(rest**2, np.ones(core.size), "valid"), 1e-300) / energy)
        alike = score > _n("alike") * size
        fits = alike & (np.abs(np.log(np.maximum(score, 1e-9))) < np.log(_n("size_ratio")))
        apart = round(_n("closest_ms") / 1000.0 * self.rate)
        peaks = find_peaks(np.where(fits, score, 0.0), distance=apart)[0] + self.zero - low
        keep = (peaks >= self.zero) & (peaks < rest.size - self.shape.size)
        return peaks[keep] if keep.any() else self.places

    def _fitted(self, rest: np.ndarray, size: int) -> np.ndarray:
        """Return the shape that, laid at the places, comes nearest to the record."""
        from scipy.linalg import solve_toeplitz

        train = np.zeros(rest.size)
        train[self.places] = 1.0
        lags = self.places[:, None] - self.places[None, :] if self.places.size < 3000 else 0
        column = np.bincount(np.abs(lags[(lags >= 0) & (lags < size)]), minlength=size) * 1.0
        column[0] *= 1.0 + 1e-3
        from_zero = self.places[:, None] + np.arange(-self.zero, size - self.zero)
        return solve_toeplitz(column, rest[np.clip(from_zero, 0, rest.size - 1)].sum(axis=0))

    def _matched(self, rest: np.ndarray, noise: float) -> np.ndarray:
        """Return the places of the shape, found one by one, each subtracted before the next.

        Wiener's filter turns each potential into a narrow peak of height 1, so that two that
        overlap are still two, though their phases may cancel.
        """
        from scipy.fft import irfft, next_fast_len, rfft

        size, reach = next_fast_len(rest.size + self.shape.size, real=True), self.shape.size - 1
        seen = rfft(self.shape, size)
        power = np.abs(seen) ** 2
        wiener = np.conj(seen) / (
            power + max(self.shape.size * noise**2, _n("misfit_power") * power.max())
        )
        own = irfft(seen * wiener, size)
        own, height = np.r_[own[-reach:], own[: reach + 1]] / own[0], own[0]
        score = irfft(rfft(rest, size) * wiener, size)[: rest.size] / height
        spread = noise / height * float(np.sqrt(np.mean(np.abs(wiener) ** 2)))

        def lay(at: int, sign: float) -> None:
            i, j = max(at - reach, 0), min(at + reach + 1, score.size)
            score[i:j] -= sign * own[i - at + reach : j - at + reach]

        apart, about = (round(_n(f"{e}_ms") / 1000.0 * self.rate) for e in ("closest", "about"))
        least = max(_n("least_height"), _n("threshold_noise") * spread)
        found: list[int] = []
        for _ in range(2):
            free = np.ones(score.size, bool)
            for at in found:
                free[max(at - apart, 0) : at + apart] = False
            while True:
                at = int(np.argmax(np.where(free, score, -np.inf)))
                if score[at] < least or not free[at]:
                    break
                found.append(at)
                lay(at, 1.0)
                free[max(at - apart, 0) : at + apart] = False
            order = sorted(found)
            for k, at in enumerate(order):  # each anew, with all others where they are
                lay(at, -1.0)
                low = max(at - about, order[k - 1] + apart if k else 0)
                high = min(at + about, order[k + 1] - apart if k + 1 < len(order) else score.size)
                order[k] = low + int(np.argmax(score[low : high + 1])) if high > low else at
                lay(order[k], 1.0)
            found = order
        return np.array(found, np.int64) + self.zero

    def laid(self, size: int) -> np.ndarray:
        """Return the record that the shape makes at its places."""
        out = np.zeros(size)
        for p in (self.places - self.zero).tolist():
            i, j = max(p, 0), min(p + self.shape.size, size)
            out[i:j] += self.shape[i - p : j - p]
        return out

    def explains(self, rest: np.ndarray) -> float:
        """Return by how much the energy of the record falls without the shape at its places."""
        return float(rest @ rest - np.sum((rest - self.laid(rest.size)) ** 2))

    def _split(self, rest: np.ndarray, noise: float) -> None:
        """If one shorter shape laid down twice explains the shape, take that for it.

        Where the interval never varied, as in a record with one doublet, least squares cannot know.
        """
        from scipy.linalg import solve_toeplitz

        if self.places.size > _n("split_most"):
            return
        noise = noise / np.sqrt(self.places.size)
        inside = np.flatnonzero(np.abs(self.shape) > 2.0 * noise)
        whole = self.shape[inside[0] : inside[-1] + 1] if inside.size else self.shape[:0]
        closest = round(_n("split_closest_ms") / 1000.0 * self.rate)
        step = max(round(self.rate / 1e4), 1)
        widest = min(round(_n("split_widest_ms") / 1000.0 * self.rate), whole.size - closest)
        best: tuple[float, int, np.ndarray] = (_n("split_misfit"), 0, whole)
        for d in range(widest, closest, -step):
            size = whole.size - d
            column = np.zeros(max(size, d + 1))
            column[[0, d]] = 2.0 + 1e-6, 1.0
            half = solve_toeplitz(column[:size], whole[:size] + whole[d:])
            left = whole.copy()
            left[:size] -= half
            left[d:] -= half
            allowed = 3.0 * d * noise**2 + _n("misfit_power") * float(whole @ whole)
            if best[1] - d > 4 * step:  # a third of an interval explains as well, with more phases
                break
            best = min(best, (float(left @ left) / allowed, d, half), key=lambda b: b[0])
        if best[1]:
            top = int(np.argmax(np.abs(best[2])))
            start = self.places[0] - self.zero + int(inside[0]) + top
            self._take(best[2], top, start, rest, noise)

    def _take(self, half: np.ndarray, top: int, start: int, rest: np.ndarray, noise: float) -> None:
        """Take a new shape whose largest point is at `top`, and place it again."""
        wide = np.r_[np.zeros(self.shape.size), half, np.zeros(self.shape.size)]
        first = self.shape.size + top - self.zero
        self.shape = wide[first : first + self.shape.size]
        found = self._matched(rest, noise)
        self.places = found if found.size else np.array([start])


def _unlocked(found: list[_Shape], rate: float) -> list[_Shape]:
    """Return the units without what is left of larger ones: spikes only beside theirs."""
    kept: list[_Shape] = []
    reach = _n("leftover_ms") / 1000.0 * rate
    for unit in found:
        if not any(_beside(unit.places, other.places, reach) for other in kept):
            kept.append(unit)
    return kept


def _beside(places: np.ndarray, others: np.ndarray, reach: float) -> bool:
    """Return whether most of some places are close to others: what peeling left of them."""
    k = np.clip(np.searchsorted(others, places), 1, max(others.size - 1, 1))
    near = np.minimum(np.abs(places - others[k - 1]), np.abs(places - others[k % others.size]))
    return float(np.mean(near < reach)) > _n("leftover_share")


# --- Events ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Detected:
    """Events found in a record, in order of onset, as columns of shape (n,).

    Attributes
    ----------
    onset_s : ndarray
        Largest point of the first potential; of a spasm when its potentials begin.
    duration_s : ndarray
        Until the force is back under 5 % of the event's peak above where it began, or until the
        next event; of a spasm until its potentials pause.
    peak_mn : ndarray
        Largest force above that at the onset.
    unit : ndarray of int
        Which of the potentials' shapes it has; -1 for a spasm.
    spikes : ndarray of int
        Potentials in the event; 0 for a spasm, whose potentials cannot be told apart.
    rate_per_s : ndarray
        Inverse mean interval; NaN with one spike and for a spasm.
    kind : ndarray of str
        ``"single"``, ``"doublet"``, ``"multiplet"``, ``"myokymic_burst"``,
        ``"neuromyotonic_burst"`` or ``"spasm"``.
    origin : ndarray of str
        ``"axon"``, ``"terminal"``, ``"soma"`` or ``"lesion"``, by the intervals of its unit.
    visible : ndarray of bool
        Whether the peak is above the muscle's visible force.
    """

    onset_s: np.ndarray
    duration_s: np.ndarray
    peak_mn: np.ndarray
    unit: np.ndarray
    spikes: np.ndarray
    rate_per_s: np.ndarray
    kind: np.ndarray
    origin: np.ndarray
    visible: np.ndarray

    def __len__(self) -> int:
        return len(self.onset_s)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the columns by name, the unit at the end of the name, ready for a CSV."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        if not len(self):
            return "no events"
        names, counts = np.unique(self.kind, return_counts=True)
        parts = [f"{n} {name.replace('_', ' ')}" for name, n in zip(names, counts, strict=True)]
        seen = int(self.visible.sum()) or "none"
        return f"{len(self)} event{'s' * (len(self) > 1)}: {', '.join(parts)}; {seen} visible"


def detect(
    emg_uv: Any,
    force_mn: Any,
    sampling_hz: float,
    muscle: str | Muscle,
    *,
    force_hz: float = 1000.0,
) -> Detected:
    """Return the events of a record, seen in its samples alone.

    Parameters
    ----------
    emg_uv : array_like
        Electromyogram, uV, of one electrode, best a needle in or beside the active unit.
    force_mn : array_like
        Force of the muscle, mN, over the same time.
    sampling_hz : float
        Samples of the electromyogram per second, 1000 to 50 000.
    muscle : str or Muscle
        Says how strong a twitch must be to be seen.
    force_hz : float
        Samples of the force per second, 100 to 50 000.

    Raises
    ------
    NeurosimError
        If a record is no column of finite numbers, the two differ in length by more than one
        tenth of a second, or a rate is not allowed.
    """
    m = anatomy.muscle(muscle)
    hz = number_within("force_hz", force_hz, *FORCE_HZ, "per second")
    force = _column("force_mn", force_mn)
    found = sort_potentials(emg_uv, sampling_hz)
    length_s = np.size(emg_uv) / float(sampling_hz)
    if abs(length_s - force.size / hz) > 0.1:
        raise NeurosimError(
            f"The electromyogram lasts {length_s:.4g} s and the force {force.size / hz:.4g} s: "
            "both must cover the same time (check sampling_hz and force_hz)."
        )
    pull = _Pull(force, hz)
    spasms, inside = _spasms(found, pull)
    rows = [_Row(a, b, -1, 0, np.nan, "spasm", "soma") for a, b in spasms]
    for unit in range(len(found.shapes_uv)):
        train = found.time_s[(found.unit == unit) & ~inside]
        rows += [row.of(unit) for row in read_train(train)]
    return _measured(sorted(rows, key=lambda r: r.start_s), pull, m)


@dataclass(frozen=True)
class _Row:
    """An event before its force is known: first and last spike, and what the intervals say."""

    start_s: float
    end_s: float
    unit: int
    spikes: int
    rate_per_s: float
    kind: str
    origin: str

    def of(self, unit: int) -> _Row:
        return replace(self, unit=unit)


class _Pull:
    """The force record, smoothed, and its noise."""

    def __init__(self, force_mn: np.ndarray, hz: float) -> None:
        from scipy.ndimage import uniform_filter1d

        self.hz = hz
        width = max(round(_n("force_smooth_ms") / 1000.0 * hz), 1)
        self.force = uniform_filter1d(force_mn, width, mode="nearest")
        steps = np.abs(np.diff(force_mn)) if force_mn.size > 1 else np.zeros(1)
        self.noise = float(np.median(steps)) / 0.6745 / np.sqrt(2.0 * width)

    def part(self, start_s: float, stop_s: float) -> np.ndarray:
        """Return the samples between two times, at least one."""
        first = min(max(round(start_s * self.hz), 0), self.force.size - 1)
        return self.force[first : max(round(stop_s * self.hz), first + 1)]


def _spasms(found: Potentials, pull: _Pull) -> tuple[list[tuple[float, float]], np.ndarray]:
    """Return start and end of each spasm, and which of the sorted spikes belong to one.

    A spasm goes on to both sides as long as potentials follow without a longer pause, and counts
    if the force held: the lowest force in its middle half is a good share of the highest.
    """
    pause, spasms = _n("pause_s"), []
    inside = np.zeros(found.time_s.size, bool)
    for a, b in found.busy_s.tolist():
        start, end = a, b
        for t in found.time_s[found.time_s < a][::-1]:
            if start - t > pause:
                break
            start = float(t)
        for t in found.time_s[found.time_s > b]:
            if t - end > pause:
                break
            end = float(t)
        middle = pull.part(a + 0.25 * (b - a), b - 0.25 * (b - a))
        rest = pull.part(start - 0.05, start).mean()
        if middle.min() - rest < _n("held_share") * (pull.part(a, b).max() - rest):
            continue
        if spasms and start - spasms[-1][1] <= pause:
            start = spasms.pop()[0]
        spasms.append((start, end))
        inside |= (found.time_s >= start) & (found.time_s <= end)
    return spasms, inside


def read_train(time_s: Any) -> list[_Row]:
    """Return what the intervals of one unit say: its events with kind and origin.

    **Soma**: a run of more spikes than a myokymic burst has (10), at the rates of motor neurons
    and regular: each is a single twitch. **Lesion**: bursts of 2 to 10 at 5 to 62 per second,
    regular within, that hold most of the unit's spikes. **Terminal**: spikes within 20 ms of
    each other, more than three to a burst on average. **Axon**: all else; doublets now and then.
    """
    times = np.sort(np.asarray(time_s, float))
    rows: list[_Row] = []
    tonic = _tonic(np.diff(times))
    rows += [_Row(t, t, 0, 1, np.nan, "single", "soma") for t in times[tonic].tolist()]
    times = times[~tonic]
    if not times.size:
        return rows
    gaps = np.diff(times)
    limit = _burst_gap(gaps)
    origin = "lesion"
    if limit is None:
        limit = sources.number("muscle", "event_interval_ms") / 1000.0
        groups = 1 + int(np.sum(gaps > limit))
        many = times.size / groups > _n("terminal_spikes")
        origin = "terminal" if many else "axon"
    cuts = np.flatnonzero(gaps > limit) + 1
    for part in np.split(times, cuts):
        rate = (part.size - 1) / (part[-1] - part[0]) if part.size > 1 else np.nan
        kind = _kind(part.size, origin)
        rows.append(_Row(float(part[0]), float(part[-1]), 0, part.size, float(rate), kind, origin))
    return rows


def _kind(spikes: int, origin: str) -> str:
    if origin == "lesion" and spikes > 1:
        return "myokymic_burst"
    if origin == "terminal" and spikes > 2:
        return "neuromyotonic_burst"
    return ("single", "doublet", "multiplet")[min(spikes, 3) - 1]


def _tonic(gaps: np.ndarray) -> np.ndarray:
    """Return which spikes of a train fire on and on at a motor neuron's rate, regularly."""
    low, high = 1.0 / _n("tonic_high_hz"), 1.0 / _n("tonic_low_hz")
    tonic = np.zeros(gaps.size + 1, bool)
    for i, j in zip(*_stretches((gaps > low) & (gaps < high)), strict=True):
        part = gaps[i:j]
        if part.size >= _n("tonic_spikes") and part.std() < _n("tonic_cv") * part.mean():
            tonic[i : j + 1] = True
    return tonic


def _burst_gap(gaps: np.ndarray) -> float | None:
    """Return the interval that parts myokymic bursts, None if the train is none of theirs.

    Intervals are cut in two at the widest step of their logarithms; the shorter ones must be of
    myokymia's rates, regular, and hold most of the spikes.
    """
    if gaps.size < 2:
        return None
    fast, slow = 1.0 / _n("myokymia_high_hz"), 1.0 / _n("myokymia_low_hz")
    order = np.sort(np.log(np.maximum(gaps, 1e-6)))
    steps = np.diff(order)
    steps = np.where(order[:-1] < np.log(slow * 1.5), steps, 0.0)
    k = int(np.argmax(steps))
    short = np.exp(order[: k + 1])
    limit = float(np.exp(0.5 * (order[k] + order[k + 1])))
    cuts = np.flatnonzero(gaps > limit) + 1
    sizes = np.diff(np.r_[0, cuts, gaps.size + 1])
    held = sizes[sizes > 1].sum() / sizes.sum()
    regular = short.std() < _n("myokymia_cv") * short.mean()
    at_rate = fast / 1.3 < np.median(short) < slow * 1.3
    few = sizes.max() <= _n("myokymia_spikes") + 1
    return limit if at_rate and regular and few and held > _n("myokymia_share") else None


def _measured(rows: list[_Row], pull: _Pull, m: Muscle) -> Detected:
    """Return the events with their forces."""
    edge = sources.number("muscle", "event_edge_fraction")
    n, tail = len(rows), _n("twitch_tail_s")
    duration, peak = np.zeros(n), np.zeros(n)
    starts = np.array([r.start_s for r in rows])
    for k, row in enumerate(rows):
        later = starts[starts > row.end_s + 0.005]
        stop = min(row.end_s + tail, float(later[0]) if later.size else np.inf)
        part = pull.part(row.start_s - _n("force_smooth_ms") / 1000.0, stop)
        above = part - part[0]
        top = int(np.argmax(above))
        peak[k] = max(float(above[top]), 0.0)
        under = above[top:] < max(edge * peak[k], 3.0 * pull.noise)
        back = top + int(np.argmax(under)) if under.any() else above.size
        duration[k] = max(back / pull.hz, row.end_s - row.start_s)
        if row.kind == "spasm":
            duration[k] = row.end_s - row.start_s
    return Detected(
        onset_s=starts, duration_s=duration, peak_mn=peak,
        unit=np.array([r.unit for r in rows], np.int64),
        spikes=np.array([r.spikes for r in rows], np.int64),
        rate_per_s=np.array([r.rate_per_s for r in rows], float),
        kind=np.array([r.kind for r in rows], "U19"), origin=np.array([r.origin for r in rows], "U8"),
        visible=peak > m.visible_force_mn,
    )  # fmt: skip


def _column(name: str, given: Any) -> np.ndarray:
    """Return a checked column of samples."""
    try:
        column = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise NeurosimError(f"{name} must be a column of numbers.") from None
    if column.ndim != 1 or not column.size:
        raise NeurosimError(f"{name} must be a column of samples, not of shape {column.shape}.")
    if not np.isfinite(column).all():
        raise NeurosimError(f"{name} must hold finite numbers only.")
    return column
