"""What the detector tells of a record: in words, as tables, and which parameters it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.clinic.detect import KINDS, DetectedChannel, DetectedUnit, Detection, event_kind
from neurosim.view.style import ADVICE, label_number, muscle_words, pluralize, safe_label

if TYPE_CHECKING:
    from neurosim.clinic.trains import TrainEvent

LIMITS = (
    "Limits: shapes are told apart by one electrode, so that a unit here is a shape that comes "
    "again, not a proven motor unit; potentials of ever changing shape are torn into several, and "
    "artefacts (movement, stimulus, pulse) are counted as any potential. Nothing here tells a "
    "benign twitch from a disease."
)
KIND_WORDS = {
    "single": "single discharge",
    "doublet": "doublet",
    "multiplet": "multiplet",
    "myokymic_burst": "myokymic burst",
    "neuromyotonic_burst": "neuromyotonic burst",
    "tonic": "tonic discharge",
}


def describe_detection(detection: Detection) -> str:
    """Return the lines that `neurosim detect` prints."""
    d = detection
    samples = max(channel.signal_uv.size for channel in d.channels)
    lines = [
        f"{d.title}: {samples / d.sampling_hz:.4g} s at {label_number(d.sampling_hz)} samples per "
        f"second, {pluralize(len(d.channels), 'channel')}."
    ]
    if d.ignored:
        lines.append(f"Not read: {', '.join(d.ignored)[:200]}.")
    for channel in d.channels:
        lines += ["", *_channel_lines(channel, d.muscle)]
    return "\n".join([*lines, "", LIMITS, ADVICE])


def _channel_lines(channel: DetectedChannel, muscle: str | None) -> list[str]:
    """Return what is told of one channel."""
    c = channel
    lines = [f"{c.name}: {_count_words(c)}", *_noise_lines(c, muscle), *_flaw_lines(c)]
    if c.units:
        kinds = [pluralize(c.count(kind), KIND_WORDS[kind]) for kind in KINDS if c.count(kind)]
        lines.append(f"Events by unit and interval: {', '.join(kinds)}.")
        if c.count("tonic"):
            lines.append("Tonic discharges come on and on, regularly, as by will.")
        lines.append(_interval_words(c))
        lines += ["", unit_table(c)]
    return lines


def _count_words(c: DetectedChannel) -> str:
    """Return how many potentials and events there are, and how many a minute."""
    if not c.watched_s:
        return "interference throughout; no potential can be told from another."
    _, low, high = c.rate_per_min(0)
    if not c.potentials:
        return (
            f"no potentials in {c.watched_s:.4g} s: fewer than {high:.2g} a minute (95 %, if they "
            "come at random)."
        )
    rate, low, high = c.rate_per_min(len(c.events))
    return (
        f"{pluralize(c.potentials, 'potential')} of {pluralize(len(c.units), 'unit')} in "
        f"{c.watched_s:.4g} s, {c.rate_per_min(c.potentials)[0]:.3g} a minute; "
        f"{pluralize(len(c.events), 'event')}, {rate:.3g} a minute (95 % interval {low:.3g} to "
        f"{high:.3g}, if they come at random)."
    )


def _noise_lines(c: DetectedChannel, muscle: str | None) -> list[str]:
    """Return what the noise is and what it hides."""
    if not c.noise_uv:
        return ["The record is a flat line."]
    lines = [
        f"Noise: {c.noise_uv:.2g} µV (root mean square of the quiet parts, above 80 Hz). A "
        f"lone potential whose largest phase is below {c.least_uv:.2g} µV would be missed."
    ]
    if c.share_seen:
        where = muscle_words(muscle or "")
        lines.append(
            f"In the model's {where} {100 * c.share_seen['surface']:.0f} % of the motor units are "
            "above that under a surface pair over its middle, "
            f"{100 * c.share_seen['needle']:.0f} % under a needle in its middle."
        )
    return lines


def _flaw_lines(c: DetectedChannel) -> list[str]:
    """Return hum, gaps, saturation and interference, as far as there are any."""
    lines: list[str] = []
    if c.hum.mains_hz:
        lines.append(f"Hum of {c.hum.mains_hz:g} Hz mains, {c.hum.rms_uv:.2g} µV, was removed.")
    if c.missing_s:
        lines.append(f"{c.missing_s:.3g} s are missing.")
    if c.saturated:
        lines.append(
            f"Saturated: {pluralize(c.saturated, 'sample')} at the end of the amplifier's range; "
            "the largest potentials are larger than told."
        )
    if c.interference:
        total = sum(end - start for start, end in c.interference)
        lines.append(
            f"Interference for {total:.3g} s in {pluralize(len(c.interference), 'stretch')} (a "
            "cramp, a contraction by will, or more units than can be told apart): not sorted and "
            "not counted."
        )
    return lines


def _interval_words(c: DetectedChannel) -> str:
    """Return the shortest and the usual interval within units."""
    gaps = np.concatenate([unit.intervals_ms for unit in c.units])
    if not gaps.size:
        return "No unit came twice."
    return f"Intervals within units: shortest {gaps.min():.3g} ms, median {np.median(gaps):.3g} ms."


_COLUMNS = (
    ("unit", ""),
    ("potentials", ""),
    ("a minute", ""),
    ("95 % interval", ""),
    ("amplitude", "µV"),
    ("duration", "ms"),
    ("phases", ""),
    ("what it does", ""),
)


def unit_table(channel: DetectedChannel) -> str:
    """Return one channel's units in aligned columns."""
    rows = [tuple(f"{name}, {unit}" if unit else name for name, unit in _COLUMNS)]
    for unit in channel.units:
        rate, low, high = channel.rate_per_min(unit.time_s.size)
        rows.append(
            (
                str(unit.number),
                str(unit.time_s.size),
                f"{rate:.3g}",
                f"{low:.3g} to {high:.3g}",
                f"{unit.size.amplitude_uv:.3g}",
                f"{unit.size.duration_ms:.3g}",
                str(unit.size.phases),
                pattern_words(unit),
            )
        )
    widths = [max(len(row[k]) for row in rows) for k in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if k in (0, 7) else cell.rjust(w)
            for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def pattern_words(unit: DetectedUnit) -> str:
    """Return what most of a unit's events are."""
    kinds = [event_kind(event) for event in unit.events]
    counts = {kind: kinds.count(kind) for kind in KINDS if kind in kinds}
    if unit.is_tonic:
        return "a steady train, as by will"
    words = [
        f"{n} {kind.replace('_', ' ')}" + "s" * (n > 1 and kind not in ("single", "tonic"))
        for kind, n in counts.items()
    ]
    return ", ".join(words)


def detection_headline(detection: Detection) -> str:
    """Return the record and how much was found in it."""
    potentials = sum(channel.potentials for channel in detection.channels)
    units = sum(len(channel.units) for channel in detection.channels)
    title = safe_label(detection.title)
    title = title if len(title) <= 40 else f"{title[:40]}..."
    return f"{title}: {pluralize(potentials, 'potential')} of {pluralize(units, 'unit')}"


def potential_columns(detection: Detection) -> dict[str, list[Any]]:
    """Return one row a potential, in order of channel and time, as in ``potentials.csv``."""
    names = ("channel", "time_s", "unit", "event", "event_kind", "interval_before_ms")
    rows = [row for channel in detection.channels for row in _potential_rows(detection, channel)]
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}


def _potential_rows(detection: Detection, channel: DetectedChannel) -> list[tuple[Any, ...]]:
    number = {id(event): k + 1 for k, event in enumerate(channel.events)}
    rows: list[tuple[Any, ...]] = []
    for unit in channel.units:
        before = np.diff(unit.time_s, prepend=np.nan) * 1000.0
        for time, gap in zip(unit.time_s.tolist(), before.tolist(), strict=True):
            event = _event_at(unit, time)
            kind = event_kind(event)
            at = round(detection.start_s + time, 6)
            rows.append((channel.name, at, unit.number, number[id(event)], kind, gap))
    return sorted(rows, key=lambda row: row[1])


def _event_at(unit: DetectedUnit, time_s: float) -> TrainEvent:
    """Return the event of a unit that a potential belongs to."""
    return next(e for e in unit.events if e.start_s <= time_s <= e.end_s and _is_of(e, time_s))


def _is_of(event: TrainEvent, time_s: float) -> bool:
    """Return whether a tonic single, or any other event, holds a time."""
    return event.spikes > 1 or event.start_s == time_s


def unit_rows(detection: Detection) -> list[dict[str, Any]]:
    """Return one row a unit, as in ``units.csv``."""
    rows: list[dict[str, Any]] = []
    for channel in detection.channels:
        for unit in channel.units:
            gaps = unit.intervals_ms if unit.time_s.size > 1 else np.array([np.nan])
            rate, low, high = channel.rate_per_min(unit.time_s.size)
            kinds = [event_kind(event) for event in unit.events]
            rows.append(
                {
                    "channel": channel.name,
                    "unit": unit.number,
                    "potentials": unit.time_s.size,
                    "potentials_per_min": rate,
                    "low_95_per_min": low,
                    "high_95_per_min": high,
                    "amplitude_uv": unit.size.amplitude_uv,
                    "duration_ms": unit.size.duration_ms,
                    "phases": unit.size.phases,
                    "shortest_interval_ms": float(gaps.min()),
                    "median_interval_ms": float(np.median(gaps)),
                    "events": len(unit.events),
                    **{f"{kind}_events": kinds.count(kind) for kind in KINDS},
                }
            )
    return rows


def detection_json(detection: Detection) -> dict[str, Any]:
    """Return the record's quality and counts as a mapping."""
    from neurosim.simulation.provenance import versions

    def about(c: DetectedChannel) -> dict[str, Any]:
        rate, low, high = c.rate_per_min(len(c.events))
        return {
            "channel": c.name,
            "watched_s": c.watched_s,
            "missing_s": c.missing_s,
            "noise_uv": c.noise_uv,
            "least_potential_uv": c.least_uv,
            "mains_hz": c.hum.mains_hz,
            "hum_uv": c.hum.rms_uv,
            "saturated_samples": c.saturated,
            "interference_s": [list(stretch) for stretch in c.interference],
            "potentials": c.potentials,
            "units": len(c.units),
            "events": {kind: c.count(kind) for kind in KINDS},
            "events_per_min": rate,
            "events_per_min_95": [low, high],
            "share_of_model_units_seen": c.share_seen,
        }

    return {
        "record": detection.title,
        "muscle": detection.muscle,
        "sampling_hz": detection.sampling_hz,
        "start_s": detection.start_s,
        "columns_not_read": list(detection.ignored),
        "channels": [about(channel) for channel in detection.channels],
        "versions": versions(),
        "limits": LIMITS,
        "advice": ADVICE,
    }
