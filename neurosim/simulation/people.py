"""The same people under several scenarios, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.base.errors import NeurosimError
from neurosim.base.viewable import Viewable

if TYPE_CHECKING:
    import numpy as np

    from neurosim.base.parameters import Key
    from neurosim.simulation.scenario import Scenario


@dataclass(frozen=True, repr=False)
class People(Viewable):
    """The same people under several scenarios; rows are scenarios, columns people.

    Attributes
    ----------
    scenarios : tuple of Scenario
    twitches, visible, doublets, active_units : ndarray of int, shape (scenarios, people)
        Counts within `duration_s`, spasms left out; `doublets` of events of two discharges and
        more, `active_units` of units that discharge.
    expected_per_min : ndarray, shape (scenarios, people)
        Long-run twitch rate of each person from their hazards.
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read.
    """

    scenarios: tuple[Scenario, ...]
    twitches: np.ndarray
    visible: np.ndarray
    doublets: np.ndarray
    active_units: np.ndarray
    expected_per_min: np.ndarray
    parameters: frozenset[Key] = frozenset()

    @property
    def per_min(self) -> np.ndarray:
        """Twitches per minute, shape (scenarios, people)."""
        return self.twitches / self.scenarios[0].duration_s * 60.0

    def row(self, name: str) -> int:
        """Return the row of a scenario by name.

        Raises
        ------
        NeurosimError
            If it was not run.
        """
        names = [s.name for s in self.scenarios]
        if name not in names:
            raise NeurosimError(f"Scenario '{name}' is not among {', '.join(names)}.")
        return names.index(name)
