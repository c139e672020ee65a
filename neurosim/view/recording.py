"""A run as a clinic records it: needle electromyogram and force, drawn, told, and to listen to.

A notebook shows a `Recording` as a player that waits to be started, at a modest loudness, with the
same in words beside it for whoever cannot hear.
"""

from __future__ import annotations

import html
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError, number_within
from neurosim.clinic import emg, unit_potentials
from neurosim.view.emg_plot import FORCE_HZ, plot_discharges, plot_signal, plot_stretch
from neurosim.view.sound import Sound, busiest_s, wav_bytes
from neurosim.view.style import (
    ADVICE,
    add_titles,
    house_style,
    label_number,
    new_figure,
    pluralize,
    safe_label,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.model.muscle.events import Twitches
    from neurosim.simulation.result import Result

NEEDLE_HZ = 10_000.0
NEEDLE_OFFSET_MM = 1.0  # of the needle from the middle of the busiest unit
LOUDNESS = 0.3  # of full loudness, reached by the largest potential
SWEEP_MS = 120.0
MAX_LISTED = 12  # events told one by one
CROWDED_DISCHARGES = 1000  # discharges, drawn smaller if more
SOUND_WORDS = {
    "single": "tap", "doublet": "ta-tap", "multiplet": "trrr", "myokymic_burst": "tap tap tap",
    "neuromyotonic_burst": "trrr",
}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """A stretch of one run, as needle and force transducer record it.

    Attributes
    ----------
    name : str
    result : Result
    start_s, length_s : float
        Which stretch of the run.
    unit : int
        The motor unit that the needle is beside.
    emg_uv : ndarray, shape (length_s x NEEDLE_HZ,)
    force_mn : ndarray, shape (length_s x FORCE_HZ,)
    """

    name: str
    result: Result
    start_s: float
    length_s: float
    unit: int
    emg_uv: np.ndarray
    force_mn: np.ndarray

    @property
    def end_s(self) -> float:
        """When in the run it ends."""
        return self.start_s + self.length_s

    @property
    def events(self) -> np.ndarray:
        """Which of the run's twitches and spasms begin in it, or last into it: indices."""
        t = self.result.twitches
        ends = t.onset_s + t.duration_s
        return np.flatnonzero((t.onset_s < self.end_s) & (ends > self.start_s))

    @property
    def shown_event(self) -> int | None:
        """Which event the close look shows (an index), if any.

        That of most discharges: a spasm, or one of the unit beside the needle.
        """
        t, events = self.result.twitches, self.events
        near = events[(t.unit[events] == self.unit) | t.painful[events]]
        return int(near[t.discharges[near].argmax()]) if near.size else None

    def sound(self) -> tuple[bytes, Sound]:
        """Return the needle's potential as a WAV file at a modest loudness, and how it was made."""
        largest = max(float(np.abs(self.emg_uv).max()), 1.0)
        return wav_bytes(self.emg_uv, NEEDLE_HZ, largest / LOUDNESS)

    def __str__(self) -> str:
        t, events = self.result.twitches, self.events
        heard = [sound_label(t, i, self.end_s) for i in events[:MAX_LISTED]]
        more = f", and so on ({events.size} in all)" if events.size > MAX_LISTED else ""
        sounds = f"{', '.join(heard)}{more}" if heard else "nothing but a faint hiss"
        return (
            f"{self.name}, {self.length_s:.3g} seconds. Heard: {sounds}. The needle sees up to "
            f"{label_number(float(np.abs(self.emg_uv).max()))} µV; the muscle pulls with up to "
            f"{label_number(float(self.force_mn.max()))} mN."
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        file, _ = self.sound()
        caption = html.escape(str(self))
        label = html.escape(f"Sound of the muscle: {self.name}", quote=True)
        return (
            f'<figure><audio controls preload="metadata" aria-label="{label}" '
            f'src="data:audio/wav;base64,{b64encode(file).decode("ascii")}"></audio>'
            f"<figcaption>{caption}</figcaption></figure>"
        )


def sound_label(twitches: Twitches, event: int, end_s: float = np.inf) -> str:
    """Return how one event sounds, in letters, to somebody who listens until a time of the run.

    A tap is one discharge, ``ta-tap`` two, ``trrr`` three and more.
    """
    kind = str(twitches.kind[event])
    if kind != "spasm":
        return SOUND_WORDS[kind]
    start, lasts = twitches.onset_s[event], twitches.duration_s[event]
    if start + lasts > end_s:
        return "a roar that goes on to the end"
    return f"a roar of {lasts:.0f} seconds"


def make_recording(
    result: Result, name: str = "", length_s: float = 10.0, start_s: float | None = None
) -> Recording:
    """Return a stretch of a run as a needle beside the busiest motor unit records it.

    Parameters
    ----------
    result : Result
    name : str
        What it is called; the scenario's title if empty.
    length_s : float
        0.5 to 60 s, or the whole of a shorter run.
    start_s : float, optional
        When in the run it begins; by default where it has the most discharges.

    Raises
    ------
    NeurosimError
        For a stretch that is not within the run.
    """
    scenario, firing = result.scenario, result.firing
    length = min(number_within("length_s", length_s, 0.5, 60.0, "s"), scenario.duration_s)
    if start_s is None:
        start, _ = busiest_s(firing.time_s, scenario.duration_s, length)
    else:
        start = number_within("start_s", start_s, 0.0, scenario.duration_s - length, "s")
    moment = int(result.trajectory.nearest(np.array(start)))
    state, near = result.trajectory.states[moment], np.zeros(firing.time_s.size, bool)
    if result.reached[moment] > 0:
        near = (firing.time_s > start - 1.0) & (firing.time_s < start + length)
    units, muscle, seed = firing.unit[near], scenario.muscle, (scenario.seed, result.person)
    busiest = int(np.bincount(units).argmax()) if units.size else 0
    x, y, _ = unit_potentials.territories_mm(muscle, seed)[busiest]
    signal = emg.emg_uv(
        firing.time_s[near] - start,
        units,
        muscle,
        length,
        unit_potentials.needle_electrode(muscle, x - NEEDLE_OFFSET_MM, max(y, 0.6)),
        unit_potentials.EmgSettings(
            NEEDLE_HZ,
            seed,
            scale_of_units=state.transmission,
            fibres_scale=state.fibres_scale,
        ),
    )
    first = round(start * FORCE_HZ)
    force = result.force_mn(FORCE_HZ)[first : first + round(length * FORCE_HZ)]
    return Recording(name or scenario.title, result, start, length, busiest, signal, force)


@house_style
def picture_recordings(recordings: Sequence[Recording]) -> Any:
    """Draw recordings side by side: who fires, the needle's potential, a close look, the force.

    Potential and force of each have a scale of their own, with the largest value in words.

    Parameters
    ----------
    recordings : sequence of Recording
        1 to 4.

    Raises
    ------
    NeurosimError
        For none or too many.
    """
    if not 1 <= len(recordings) <= 4:
        raise NeurosimError(f"1 to 4 recordings fit side by side, not {len(recordings)}.")
    fig = new_figure()
    axes = fig.subplots(4, len(recordings), squeeze=False, height_ratios=(0.9, 1, 1, 1))
    for column, recording in zip(axes.T, recordings, strict=True):
        _draw_recording(column, recording)
    for ax in axes[:, 1:].ravel():
        ax.set_ylabel("")
    fig.align_ylabels(axes[:, 0])
    title = "What the needle hears and the muscle does"
    add_titles(fig, title, "Simulated. Each column has scales of its own.")
    fig.alt_text = f"{describe_recordings(recordings)} {ADVICE}"
    return fig


def describe_recordings(recordings: Sequence[Recording]) -> str:
    """Return the words that stand for the picture of recordings."""
    return " ".join(f"{recording} {_firing_units_words(recording)}" for recording in recordings)


def _firing_units_words(recording: Recording) -> str:
    firing = recording.result.firing
    inside = (firing.time_s >= recording.start_s) & (firing.time_s < recording.end_s)
    n, units = int(inside.sum()), np.unique(firing.unit[inside]).size
    return f"{pluralize(n, 'discharge')} of {pluralize(units, 'motor unit')}."


def close_look_s(recording: Recording) -> float:
    """Return where the close look begins, s of the run."""
    if recording.shown_event is None:
        return recording.start_s
    t = recording.result.twitches
    start = float(max(t.onset_s[recording.shown_event], recording.start_s)) - 0.02
    if t.painful[recording.shown_event]:  # its middle: at its ends few units take part
        start += 0.5 * min(float(t.duration_s[recording.shown_event]), recording.length_s)
    return float(np.clip(start, recording.start_s, recording.end_s - SWEEP_MS / 1000.0))


def _draw_recording(axes: Sequence[Any], recording: Recording) -> None:
    """Draw one recording on four axes, from top to bottom."""
    raster, wave, close, pull = axes
    firing = recording.result.firing
    inside = (firing.time_s >= recording.start_s) & (firing.time_s < recording.end_s)
    plot_discharges(firing.time_s[inside] - recording.start_s, firing.unit[inside], raster)
    if int(inside.sum()) > CROWDED_DISCHARGES:
        raster.lines[0].set(markersize=3, markeredgewidth=0.4)
    raster.set_ylim(0, max(int(firing.unit.max(initial=1)) + 2, 45))
    raster.set_title(f"{safe_label(recording.name)}\n{_firing_units_words(recording)}", fontsize=12)
    plot_signal(recording.emg_uv, NEEDLE_HZ, "needle, µV", wave, lw=0.6)
    largest = float(np.abs(recording.emg_uv).max())
    wave.set_title(f"up to {label_number(largest)} µV", fontsize=12, fontweight="normal")
    look = round(close_look_s(recording) - recording.start_s, 2)
    plot_stretch(recording.emg_uv, NEEDLE_HZ, look, SWEEP_MS, close)
    close.set_ylabel("close look, µV")
    plot_signal(recording.force_mn, FORCE_HZ, "force, mN", pull, lw=1.4)
    most = float(recording.force_mn.max())
    pull.set_title(f"up to {label_number(most)} mN", fontsize=12, fontweight="normal")
    pull.set_ylim(bottom=0)
    for ax in (raster, wave, pull):
        ax.set_xlim(0, recording.length_s)
    for ax in (raster, wave):
        ax.set_xlabel("")
