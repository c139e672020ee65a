"""Diseased ends of motor axons as chains of nodes, with the parameters of `chain.toml`.

`scripts/calibration/fit_chain.py` fits these parameters and writes them; none is set by hand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.axon.chain import ChainUnit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHANNELS = 2500.0  # of a sick last node; `firing.noise_channels` is the same number
TRUNK_CHANNELS = 25000.0  # of a node in the trunk: its 1-ms threshold spreads by 1.6 %
REMYELINATED = 0.2  # length of a remyelinated internode against the ordinary one
HEALTHY = ChainUnit()


def terminal_chain(nu: float, length: float, channels: float = CHANNELS) -> list[ChainUnit]:
    """Return four healthy units and a sick last one.

    Parameters
    ----------
    nu : float
        Persistent sodium of the last node against the ordinary one.
    length : float
        Length of its internode against the ordinary one; the path through and under the myelin
        scales with it (`docs/model.md` shows what follows if it does not).
    channels : float
        Number of noisy sodium channels there; infinite for no noise.
    """
    membrane = Conditions(persistent_sodium_scale=nu)
    return [HEALTHY] * 4 + [ChainUnit(membrane, internode=length, bridge=length, channels=channels)]


def isaacs_chain(
    x: Mapping[str, float], fast_potassium: float, channels: float = np.inf
) -> list[ChainUnit]:
    """Return three healthy units and two that have little fast potassium.

    Parameters
    ----------
    x : mapping
        The eight parameters that `fitted_isaacs` reads.
    fast_potassium : float
        Fast potassium conductance of both against the ordinary one.
    channels : float
        Number of noisy sodium channels at both; infinite for no noise.
    """
    slow = {"outward_pa_per_spike": x["outward_pa"], "outward_tau_ms": x["outward_tau_ms"]}
    before, last = (
        Conditions(
            persistent_sodium_scale=x[f"nu{end}"],
            fast_potassium_scale=fast_potassium,
            slow_potassium_scale=x[f"slow_potassium{end}"],
        )
        for end in ("_before", "")
    )
    size = x["internode"]
    return [
        *[HEALTHY] * 3,
        ChainUnit(before, channels=channels, **slow),
        ChainUnit(last, internode=size, bridge=size, node=x["node"], channels=channels, **slow),
    ]


def place_in_body(units: Sequence[ChainUnit], body: Conditions) -> list[ChainUnit]:
    """Return a chain in a body, all of whose axons have the conditions `body`.

    Each unit keeps its local changes: its scales multiply the body's, its gate shift and bias
    current are added to the body's, and its fluids are replaced by the body's.
    """
    placed: list[ChainUnit] = []
    for unit in units:
        unit_conditions = vars(unit.membrane)
        merged = dict(vars(body))
        for name, value in unit_conditions.items():
            if name.endswith("_scale"):
                merged[name] *= value
            elif name in ("gate_shift_sodium_mv", "bias_current_pa"):
                merged[name] += value
        placed.append(replace(unit, membrane=Conditions(**merged)))
    return placed


def remyelinated_chain(
    nu: float, outward_pa: float, outward_tau_ms: float, channels: float = TRUNK_CHANNELS
) -> list[ChainUnit]:
    """Return two short units between two healthy ones on either side.

    Parameters
    ----------
    nu : float
        Persistent sodium of both.
    outward_pa, outward_tau_ms : float
        Outward current that every spike adds at them, and its decay time constant.
    channels : float
        Number of noisy sodium channels at both; infinite for no noise.
    """
    unit = ChainUnit(
        Conditions(persistent_sodium_scale=nu),
        internode=REMYELINATED,
        channels=channels,
        outward_pa_per_spike=outward_pa,
        outward_tau_ms=outward_tau_ms,
    )
    return [HEALTHY] * 2 + [unit] * 2 + [HEALTHY] * 2


def fitted_myokymia(
    axon: str = "ghk", channels: float = TRUNK_CHANNELS, outward: bool = True
) -> list[ChainUnit]:
    """Return the lesion that fires grouped bursts, with or without its outward current."""
    nu, pa, tau = (
        parameter("chain", f"{axon}.myokymia.{name}")
        for name in ("nu", "outward_pa", "outward_tau_ms")
    )
    return remyelinated_chain(nu, pa * outward, tau, channels)


def fitted_terminal(site: str, axon: str = "ghk", channels: float = CHANNELS) -> list[ChainUnit]:
    """Return the chain whose last node starts 20 bursts a minute.

    Parameters
    ----------
    site : str
        ``"short"``, ``"middling"`` or ``"long"``: the last internode is half, three quarters
        or all of the ordinary one.
    axon : str
        ``"ghk"`` or ``"ohmic"``.
    channels : float
        Number of noisy sodium channels there; infinite for no noise.

    Raises
    ------
    NeurosimError
        If that site was not fitted for that axon.
    """
    known = load_group("chain")
    if f"internode_{site}" not in known or f"{axon}.{site}.nu" not in known:
        sites = [name.removeprefix("internode_") for name in known if name.startswith("internode_")]
        raise NeurosimError(f"No terminal '{site}' with the axon '{axon}': choose from {sites}.")
    length = parameter("chain", f"internode_{site}")
    return terminal_chain(parameter("chain", f"{axon}.{site}.nu"), length, channels)


def fitted_isaacs(
    fast_potassium: float = 0.1,
    axon: str = "ghk",
    channels: float = np.inf,
    by_itself: bool = False,
) -> list[ChainUnit]:
    """Return the chain of Isaacs' syndrome.

    Parameters
    ----------
    fast_potassium : float
        Remaining share of fast potassium channels at the last two nodes, 0 to 1.
    axon : str
        ``"ghk"`` or ``"ohmic"``.
    channels : float
        Number of noisy sodium channels at both; infinite for no noise.
    by_itself : bool
        Whether to raise persistent sodium until noise starts 20 bursts a minute; otherwise a burst
        only follows an arriving impulse.
    """
    x = {
        name: parameter("chain", f"{axon}.isaacs.{name}")
        for name in (
            "nu",
            "nu_before",
            "slow_potassium",
            "slow_potassium_before",
            "internode",
            "node",
            "outward_pa",
            "outward_tau_ms",
        )
    }
    if by_itself:
        factor = parameter("chain", f"{axon}.isaacs.noise_factor")
        x |= {name: x[name] * factor for name in ("nu", "nu_before")}
    return isaacs_chain(x, fast_potassium, channels)
