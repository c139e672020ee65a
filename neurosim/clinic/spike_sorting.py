"""The potentials of single units in an electromyogram, found and sorted by their shape.

Noise is the spread of the quietest parts of the record. The largest potential not yet explained
gives the first guess of a unit's shape; wherever that fits, least squares over all those places
give the whole shape, overlapped or not, and Wiener's filter made from it places the spikes anew,
each subtracted before the next. A potential of many phases is then one spike, since its phases
keep their distance; and a doublet two, since its interval varies, or, where it came but once or
twice, since one shorter shape laid down twice explains it all. What is left is asked again.

Every potential of a unit is taken to have the same shape and size. Numbers: ``detect.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base import parameters
from neurosim.base.errors import NeurosimError, number_within
from neurosim.clinic import filters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from neurosim.clinic.filters import Floats, Mask, Places

SAMPLING_HZ = (1000.0, 50_000.0)
_INNER_HZ = 20_000.0  # spikes are placed on about this grid
_ROUNDS = 4  # of shape and places by turns


def _param(name: str) -> float:
    return parameters.parameter("detect", name)


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
    inner_hz : float
        Samples per second of the shapes.
    """

    time_s: Floats
    unit: Places
    shapes_uv: list[Floats]
    noise_uv: float
    inner_hz: float


def noise_level(signal: Floats, hz: float) -> float:
    """Return the spread of the quiet parts of a record.

    The median distance from zero over windows of a tenth of a second, their lowest fiftieth, as
    the standard deviation of normal noise: neither potentials nor a spasm of almost all of the
    record raise it.
    """
    width = max(round(0.1 * hz), 8)
    if signal.size < 4 * width:
        return float(np.median(np.abs(signal))) / 0.6745
    windows = np.abs(signal[: signal.size // width * width]).reshape(-1, width)
    return float(np.quantile(np.median(windows, axis=1), 0.02)) / 0.6745


def _high_pass(emg_uv: Floats, hz: float) -> tuple[Floats, float]:
    """Return the record without its slow waves, on a grid of about `_INNER_HZ`, and its rate."""
    up = max(1, round(_INNER_HZ / hz))
    signal = filters.high_pass(emg_uv - np.median(emg_uv), _param("slow_edge_hz"), hz)
    return filters.upsample(signal, up), hz * up


def true_runs(mask: Mask) -> tuple[Places, Places]:
    """Return the starts and ends of the True runs of a mask."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2]


@dataclass(frozen=True, eq=False)
class EmgRecord:
    """An electromyogram made ready.

    Attributes
    ----------
    signal_uv : ndarray, shape (n,)
        Without slow waves, sampled at `rate_hz`.
    rate_hz : float
    noise_uv : float
        Spread of its quiet parts.
    active : ndarray of bool, shape (n,)
        Where potentials stand out of the noise, and a few milliseconds to both sides.
    """

    signal_uv: Floats
    rate_hz: float
    noise_uv: float
    active: Mask


def prepare_record(emg_uv: ArrayLike, sampling_hz: float, missing: Mask | None = None) -> EmgRecord:
    """Return a record made ready for sorting.

    Parameters
    ----------
    emg_uv : array_like
        Record, uV, shape (n,).
    sampling_hz : float
        Samples per second, 1000 to 50 000.
    missing : ndarray of bool, shape (n,), optional
        Samples that only fill a gap: neither noise nor potentials are looked for in them.

    Raises
    ------
    NeurosimError
        If the record is no column of finite numbers, or the rate is not allowed.
    """
    hz = number_within("sampling_hz", sampling_hz, *SAMPLING_HZ, "per second")
    signal, rate = _high_pass(check_samples("emg_uv", emg_uv), hz)
    gap = np.zeros(signal.size, bool)
    if missing is not None:
        gap = np.repeat(missing, signal.size // missing.size)
    noise = max(noise_level(signal[~gap], rate), 1e-4 * float(np.abs(signal).max(initial=0.0)))
    margin = round(_param("margin_ms") / 1000.0 * rate)
    loud = (np.abs(signal) > _param("threshold_noise") * noise) & ~filters.widen_mask(gap, margin)
    return EmgRecord(signal, rate, noise, filters.widen_mask(loud, margin) & ~gap)


def busy_stretches(record: EmgRecord) -> list[tuple[float, float]]:
    """Return start and end, s, of each stretch in which potentials interfere for a second or more.

    A stretch is busy where potentials fill most of every half second, and goes on to both sides
    as long as they follow each other without a longer pause.
    """
    rate = record.rate_hz
    step = round(_param("busy_window_ms") / 10_000.0 * rate)
    activity = record.active[: record.active.size // step * step].reshape(-1, step).mean(axis=1)
    if activity.size < 10:
        return []
    mean = np.convolve(activity, np.ones(10) / 10.0, "valid")  # of the window that starts there
    core = np.zeros(activity.size, bool)
    for i in np.flatnonzero(mean > _param("busy_share")).tolist():
        core[i : i + 10] = True
    linked = filters.widen_mask(record.active, round(_param("pause_s") / 2.0 * rate))
    stretches: list[tuple[float, float]] = []
    starts, ends = true_runs(linked)
    for i, j in np.column_stack(true_runs(core)).tolist():
        if (j - i) * step < _param("spasm_least_s") * rate:
            continue
        k = int(np.searchsorted(starts, int(i) * step, "right")) - 1
        part: Places = int(starts[k]) + np.flatnonzero(record.active[starts[k] : ends[k]])
        span = (int(part[0]) / rate, int(part[-1]) / rate)
        if span not in stretches:
            stretches.append(span)
    return stretches


def sort_potentials(
    record: EmgRecord, leave_out_s: Sequence[tuple[float, float]] = ()
) -> Potentials:
    """Return the spikes of a record, sorted by the shape of their potentials.

    Parameters
    ----------
    record : Record
    leave_out_s : sequence of (start, end)
        Stretches that are not looked at, s.
    """
    active, rate = record.active.copy(), record.rate_hz
    for start, end in leave_out_s:
        active[max(round(start * rate), 0) : round(end * rate) + 1] = False
    place, unit, shapes = _peel_units(record.signal_uv, active, record.noise_uv, rate)
    order = np.argsort(place, kind="stable")
    return Potentials(place[order] / rate, unit[order], shapes, record.noise_uv, rate)


def _peel_units(
    signal: Floats, active: Mask, noise: float, rate: float
) -> tuple[Floats, Places, list[Floats]]:
    """Return places (samples), units and shapes of the spikes in the active parts."""
    gap = round(_param("shape_after_ms") / 1000.0 * rate) + round(
        _param("shape_before_ms") / 1000 * rate
    )
    starts, ends = true_runs(active)
    parts = [np.r_[signal[i:j], np.zeros(gap)] for i, j in zip(starts, ends, strict=True)]
    index = [np.r_[i:j, np.full(gap, -1)] for i, j in zip(starts, ends, strict=True)]
    if not parts:
        return np.empty(0), np.empty(0, np.intp), []
    rest = np.concatenate([np.zeros(gap), *parts])
    where = np.concatenate([np.full(gap, -1), *index])
    trusted = np.full(rest.size, _param("threshold_noise") * noise)
    units: list[_UnitShape] = []
    for _ in range(2 * round(_param("units_most"))):
        over = np.abs(rest) - trusted
        if over.max() <= 0.0:
            break
        tries = [
            _learn_unit(rest, seed, rate, noise) for seed in _seed_samples(rest, over, gap, rate)
        ]
        if not tries:
            break
        unit = _choose_simplest(tries)
        unit.places = _drop_twins(unit.find_places(rest, noise), rate)
        explained = unit.render(rest.size)
        rest = rest - explained
        trusted = np.maximum(
            trusted,
            _param("misfit_share") * filters.moving_max(np.abs(explained), round(0.001 * rate)),
        )
        top, near = int(np.argmax(over)), round(0.002 * rate)
        trusted[max(top - near, 0) : top + near] = np.inf  # never twice for the same potential
        if unit.places.size:
            units.append(unit)
        if len(units) >= _param("units_most"):
            break
    units = _drop_locked(units, rate)
    places = [where[u.places] for u in units]
    owner = np.repeat(np.arange(len(units)), [p.size for p in places])
    samples = np.concatenate([*places, np.empty(0)])
    return samples[samples >= 0], owner[samples >= 0], [u.shape for u in units]


def _choose_simplest(tries: list[tuple[_UnitShape, float]]) -> _UnitShape:
    """Return the shape that explains most; or one that explains as much by far fewer spikes."""
    best, most = max(tries, key=lambda t: t[1])
    fewer = [t for t in tries if t[1] > 0.97 * most and t[0].places.size < 0.6 * best.places.size]
    return max(fewer, key=lambda t: t[1])[0] if fewer else best


def _learn_unit(rest: Floats, seed: int, rate: float, noise: float) -> tuple[_UnitShape, float]:
    """Return a unit learned within seconds of a sample, and what energy it explains there."""
    half = round(_param("learn_s") / 2.0 * rate)
    first = max(seed - half, 0)
    part = rest[first : seed + half]
    unit = _UnitShape.learn(part, seed - first, rate, noise)
    return unit, float(part @ part - np.sum((part - unit.render(part.size)) ** 2))


def _seed_samples(rest: Floats, over: Floats, gap: int, rate: float) -> list[int]:
    """Return samples to learn a unit from: the largest of all, and the first large ones of bursts.

    The largest may be two potentials on top of each other; the first of a burst often is free.
    """
    starts, ends = true_runs(filters.widen_mask(over > 0.0, round(0.01 * rate)))
    top = np.array([over[i:j].max() for i, j in zip(starts, ends, strict=True)])
    seeds = {int(np.argmax(over))}
    for k in np.argsort(-top)[np.linspace(0, top.size - 1, min(top.size, 6)).astype(int)].tolist():
        part = np.abs(rest[starts[k] : ends[k]]) * (over[starts[k] : ends[k]] > 0.0)
        first = int(np.argmax(part > 0.5 * part.max()))
        stop = first + round(0.002 * rate)
        seeds.add(int(starts[k]) + first + int(np.argmax(part[first:stop])))
    return [s for s in sorted(seeds) if gap <= s < rest.size - gap]


@dataclass(eq=False)
class _UnitShape:
    """A unit's potential, the sample of it that counts as its time, and where it was found."""

    shape: Floats
    zero: int
    places: Places
    rate: float

    @classmethod
    def learn(cls, rest: Floats, seed: int, rate: float, noise: float) -> _UnitShape:
        """Learn a unit from the neighbourhood of its largest point: shape and places by turns."""
        before, after = (
            round(_param(f"shape_{e}_ms") / 1000.0 * rate) for e in ("before", "after")
        )
        unit = cls(rest[seed - before : seed + after], before, np.array([seed]), rate)
        unit.places = _drop_twins(unit._cores(rest), rate)
        for _ in range(_ROUNDS):
            unit.shape = unit._fit_shape(rest, before + after)
            old, unit.places = unit.places, _drop_twins(unit.find_places(rest, noise), rate)
            if not unit.places.size:
                unit.places = old
                break
            if np.array_equal(old, unit.places):
                break
        unit._split(rest, noise)
        return unit

    def _cores(self, rest: Floats) -> Places:
        """Return where the middle of the shape, its largest phase, is found again."""
        level = 0.3 * abs(self.shape[self.zero])
        sign = np.sign(self.shape[self.zero])
        low = self.zero - int(np.argmax(sign * self.shape[self.zero :: -1] < level))
        high = self.zero + int(np.argmax(sign * self.shape[self.zero :] < level))
        core = self.shape[low : high + 1]
        energy = float(core @ core)
        score = filters.correlate_valid(rest, core) / energy
        size = np.sqrt(
            np.maximum(filters.correlate_valid(rest**2, np.ones(core.size)), 1e-300) / energy
        )
        alike = score > _param("alike") * size
        fits = alike & (np.abs(np.log(np.maximum(score, 1e-9))) < np.log(_param("size_ratio")))
        apart = round(_param("closest_ms") / 1000.0 * self.rate)
        peaks = filters.find_peaks(np.where(fits, score, 0.0), apart) + self.zero - low
        keep = (peaks >= self.zero) & (peaks < rest.size - self.shape.size)
        return peaks[keep] if keep.any() else self.places

    def _fit_shape(self, rest: Floats, size: int) -> Floats:
        """Return the shape that, laid at the places, comes nearest to the record."""
        column = np.zeros(size)
        column[0] = self.places.size
        for step in range(1, self.places.size):
            lags = self.places[step:] - self.places[:-step]
            if lags.min() >= size:
                break
            column += np.bincount(lags[lags < size], minlength=size)
        column[0] *= 1.0 + 1e-3
        from_zero = self.places[:, None] + np.arange(-self.zero, size - self.zero)
        return filters.solve_toeplitz(
            column, rest[np.clip(from_zero, 0, rest.size - 1)].sum(axis=0)
        )

    def find_places(self, rest: Floats, noise: float) -> Places:
        """Return the places of the shape, found one by one, each subtracted before the next."""
        score = _MatchScore.of_shape(rest, self.shape, noise, self.rate)
        places = np.empty(0, np.intp)
        for _ in range(2):
            places = np.r_[places, score.take_peaks(places)]
            places.sort()
            score.settle(places, round(_param("about_ms") / 1000.0 * self.rate))
        return self._select_fitting(rest, places + self.zero)

    def _select_fitting(self, rest: Floats, places: Places) -> Places:
        """Return those places at which the shape really lies: not where it hits another's.

        Without the spike the record must be worse by most of the shape's energy, and beside it
        what is left must be less than the shape itself.
        """
        energy = float(self.shape @ self.shape)
        places = places[(places >= self.zero) & (places <= rest.size - self.shape.size)]
        while places.size:
            left = rest - replace(self, places=places).render(rest.size)
            around = left[places[:, None] + np.arange(-self.zero, self.shape.size - self.zero)]
            gain = 2.0 * around @ self.shape + energy
            wrong = np.maximum(_param("least_gain") - gain / energy, 0.0)
            wrong += np.maximum((around**2).sum(axis=1) / energy - _param("most_left"), 0.0)
            if not wrong.any():
                break
            places = places[wrong < max(0.5 * wrong.max(), 1e-12)]
        return places

    def render(self, size: int) -> Floats:
        """Return the record that the shape makes at its places."""
        out = np.zeros(size)
        for p in (self.places - self.zero).tolist():
            i, j = max(p, 0), min(p + self.shape.size, size)
            out[i:j] += self.shape[i - p : j - p]
        return out

    def _split(self, rest: Floats, noise: float) -> None:
        """If one shorter shape laid down twice explains the shape, take that for it.

        Where the interval never varied, as in a record with one doublet, least squares cannot know.
        """
        if self.places.size > _param("split_most"):
            return
        noise = noise / np.sqrt(self.places.size)
        inside = np.flatnonzero(np.abs(self.shape) > 2.0 * noise)
        active = self.shape[inside[0] : inside[-1] + 1] if inside.size else self.shape[:0]
        closest = round(_param("split_closest_ms") / 1000.0 * self.rate)
        step = max(round(self.rate / 1e4), 1)
        widest = min(round(_param("split_widest_ms") / 1000.0 * self.rate), active.size - closest)
        best: tuple[float, int, Floats] = (_param("split_misfit"), 0, active)
        for d in range(widest, closest, -step):
            size = active.size - d
            column = np.zeros(max(size, d + 1))
            column[[0, d]] = 2.0 + 1e-6, 1.0
            half = filters.solve_toeplitz(column[:size], active[:size] + active[d:])
            left = active.copy()
            left[:size] -= half
            left[d:] -= half
            allowed = 3.0 * d * noise**2 + _param("misfit_power") * float(active @ active)
            if best[1] - d > 4 * step:  # a third of an interval explains as well, with more phases
                break
            best = min(best, (float(left @ left) / allowed, d, half), key=lambda b: b[0])
        if best[1]:
            top = int(np.argmax(np.abs(best[2])))
            start = self.places[0] - self.zero + int(inside[0]) + top
            self._take(best[2], top, start, rest, noise)

    def _take(self, half: Floats, top: int, start: int, rest: Floats, noise: float) -> None:
        """Take a new shape whose largest point is at `top`, and place it again."""
        wide = np.r_[np.zeros(self.shape.size), half, np.zeros(self.shape.size)]
        first = self.shape.size + top - self.zero
        self.shape = wide[first : first + self.shape.size]
        places = self.find_places(rest, noise)
        self.places = places if places.size else np.array([start])


@dataclass(eq=False)
class _MatchScore:
    """How well a shape fits a record, beginning at each sample; what is found is subtracted.

    Wiener's filter turns each potential into a narrow peak of height 1, so that two that overlap
    are still two, though their phases may cancel.

    Attributes
    ----------
    score : ndarray, shape (n,)
    pulse : ndarray, shape (2 reach + 1,)
        What one potential draws in the score.
    least : float
        Height of the lowest peak that counts.
    apart : int
        Samples within which no two potentials are.
    """

    score: Floats
    pulse: Floats
    least: float
    apart: int

    @classmethod
    def of_shape(cls, rest: Floats, shape: Floats, noise: float, rate: float) -> _MatchScore:
        """Filter a record by a shape."""
        from numpy.fft import irfft, rfft

        size, reach = filters.next_fast_size(rest.size + shape.size), shape.size - 1
        seen = rfft(shape, size)
        power = np.abs(seen) ** 2
        allowed = max(shape.size * noise**2, _param("misfit_power") * float(power.max()))
        wiener = np.conj(seen) / (power + allowed)
        pulse = irfft(seen * wiener, size)
        height = float(pulse[0])
        score = irfft(rfft(rest, size) * wiener, size)[: rest.size] / height
        spread = noise / height * float(np.sqrt(np.mean(np.abs(wiener) ** 2)))
        return cls(
            score,
            np.r_[pulse[-reach:], pulse[: reach + 1]] / height,
            max(_param("least_height"), _param("threshold_noise") * spread),
            round(_param("closest_ms") / 1000.0 * rate),
        )

    @property
    def reach(self) -> int:
        """Samples to either side over which a potential is seen."""
        return self.pulse.size // 2

    def _lay(self, place: int, sign: float) -> None:
        """Subtract a potential at a place, or with -1 put it back."""
        i, j = max(place - self.reach, 0), min(place + self.reach + 1, self.score.size)
        part = self.pulse[i - place + self.reach : j - place + self.reach]
        self.score[i:j] -= sign * part

    def settle(self, places: Places, about: int) -> None:
        """Move each crowded place to where the score is highest with all others where they are."""
        size, apart = self.score.size, self.apart
        crowd = np.minimum(np.diff(places, prepend=-self.reach), np.diff(places, append=size))
        for k in np.flatnonzero(crowd < self.reach).tolist():
            place = int(places[k])
            self._lay(place, -1.0)
            low = max(place - about, int(places[k - 1]) + apart if k else 0)
            high = place + about
            high = min(high, int(places[k + 1]) - apart if k + 1 < places.size else size)
            if high > low:
                places[k] = low + int(np.argmax(self.score[low : high + 1]))
            self._lay(int(places[k]), 1.0)

    def take_peaks(self, known: Places) -> Places:
        """Return new places where the score is highest, and subtract them: those apart at once."""
        hidden = np.zeros(self.score.size, bool)
        for place in known.tolist():
            hidden[max(place - self.apart, 0) : place + self.apart] = True
        new: list[int] = []
        while True:
            high = np.flatnonzero(np.where(hidden, -np.inf, self.score) > self.least)
            if not high.size:
                return np.array(new, np.intp)
            open_score = np.where(hidden, 0.0, self.score)
            peaks = filters.find_peaks(open_score, self.reach, self.least)
            if not peaks.size:
                peaks = high[[int(np.argmax(self.score[high]))]]
            for place in peaks.tolist():
                self._lay(place, 1.0)
                hidden[max(place - self.apart, 0) : place + self.apart] = True
            new += peaks.tolist()


def _drop_twins(places: Places, rate: float) -> Places:
    """Return places without the second of each pair, if all come in pairs of one interval.

    Two phases of one potential keep their distance; two spikes do not.
    """
    gaps = np.diff(places)
    close = gaps[gaps < _param("twin_longest_ms") / 1000.0 * rate]
    if close.size < 3:
        return places
    same = np.abs(gaps - np.median(close)) < _param("twin_jitter_ms") / 1000.0 * rate
    if 2 * same.sum() < _param("twin_share") * places.size:
        return places
    return np.delete(places, 1 + np.flatnonzero(same))


def _drop_locked(units: list[_UnitShape], rate: float) -> list[_UnitShape]:
    """Return the units without what is left of larger ones: spikes only beside theirs."""
    free_units: list[_UnitShape] = []
    reach = _param("leftover_ms") / 1000.0 * rate
    for unit in units:
        if not any(_are_close(unit.places, other.places, reach) for other in free_units):
            free_units.append(unit)
    return free_units


def _are_close(places: Places, others: Places, reach: float) -> bool:
    """Return whether most of some places are close to others: what peeling left of them."""
    k = np.clip(np.searchsorted(others, places), 1, max(others.size - 1, 1))
    near = np.minimum(np.abs(places - others[k - 1]), np.abs(places - others[k % others.size]))
    return float(np.mean(near < reach)) > _param("leftover_share")


def check_samples(name: str, values: ArrayLike, *, gaps: bool = False) -> Floats:
    """Return a checked column of samples; only finite ones unless `gaps` may be NaN."""
    try:
        samples = np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise NeurosimError(f"{name} must be a column of numbers.") from None
    if samples.ndim != 1 or not samples.size:
        raise NeurosimError(f"{name} must be a column of samples, not of shape {samples.shape}.")
    if not gaps and not np.isfinite(samples).all():
        raise NeurosimError(f"{name} must hold finite numbers only.")
    return samples
