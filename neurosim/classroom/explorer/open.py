"""Open the explorer in a notebook, or say why its sliders cannot be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, short_repr
from neurosim.classroom.explorer.settings import Explorer, ExplorerSetting
from neurosim.model.firing.sites import TYPICAL_PERSON
from neurosim.simulation.scenario import Scenario

if TYPE_CHECKING:
    from neurosim.classroom.explorer.widgets import Sliders


def why_no_sliders() -> str:
    """Return the sentence why there can be no sliders here, or an empty text."""
    from importlib.util import find_spec

    if find_spec("ipywidgets") is None:
        return (
            "No sliders, because ipywidgets is not installed (pip install ipywidgets); the same "
            "as small pictures."
        )
    import sys

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        return (
            "No sliders, because no notebook is running ('neurosim lab' opens them in a browser); "
            "the same as small pictures."
        )
    return ""


@public
def explore(
    *,
    muscle: str = "foot_sole",
    seed: int = 1,
    person: int = TYPICAL_PERSON,
    axon: str = "ghk",
    sliders: bool | None = None,
    canvas: bool | None = None,
) -> Sliders | Any:
    """Move a body's salts, coffee, sleep, stress and illness, and see at once what it does.

    Every move runs `neurosim.simulate` for one person and 60 s: threshold and margin, discharges,
    force, and the twitch rate against the same person in health, with words below.

    Parameters
    ----------
    muscle : str
        Muscle to begin with.
    seed, person : int
        Which person.
    axon : str
        One of the axons that fit people's nerves: ``"ghk"``, ``"ohmic"``, ``"alternative"``.
    sliders : bool, optional
        Whether to give sliders; if omitted, where a notebook can show them.
    canvas : bool, optional
        Whether the picture is a canvas of ipympl rather than an image; if omitted, where ipympl
        is installed.

    Returns
    -------
    Sliders or Picture
        Sliders that a notebook shows; elsewhere small pictures of each slider low and high, with
        the reason in their ``alt_text``.

    Raises
    ------
    NeurosimError
        For a value that is not allowed, or sliders or a canvas that are not installed.

    Examples
    --------
    >>> picture = explore(muscle="calf", sliders=False)  # doctest: +SKIP
    No sliders, as asked; the same as small pictures.
    """
    for name, value in (("sliders", sliders), ("canvas", canvas)):
        if not isinstance(value, bool | None):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
            raise NeurosimError(f"{name} must be True, False or None, not {short_repr(value)}.")
    explorer = Explorer(seed, person, axon)
    start = ExplorerSetting(muscle=Scenario(muscle=muscle).muscle)
    why = why_no_sliders()
    if sliders is None:
        sliders = not why
    if sliders:
        from neurosim.classroom.explorer.widgets import Sliders

        return Sliders(explorer, start, canvas=canvas)
    from neurosim.classroom.explorer.plot import picture_settings

    why = why or "No sliders, as asked; the same as small pictures."
    print(why)
    return picture_settings(explorer, start, why)
