"""Names of the axons that no norm tells from `ghk`, and where their numbers stand.

A member of the ensemble meets the people's norms as `ghk` does and differs in what they do not see:
where slow sodium inactivation stands, its midpoint and slope. `ensemble.toml` holds the numbers,
`scripts/calibration/make_ensemble.py` draws them. A member's name goes wherever an axon's does, but
no list offers it.
"""

from __future__ import annotations

from neurosim.base.parameters import load_group

ENSEMBLE = tuple(f"ensemble_{i}" for i in range(1, 9))
SHARED_AXON = "ghk"  # whose laws, tables and spread between people serve the ensemble


def parameter_key(axon: str, name: str) -> tuple[str, str]:
    """Return the group and the name of an axon's number, as `parameter` takes them.

    What the fit of a member of `ENSEMBLE` does not move stands in the file of `SHARED_AXON`.

    Examples
    --------
    >>> parameter_key("ensemble_3", "Vs"), parameter_key("ensemble_3", "Nao")
    (('ensemble', 'ensemble_3.Vs'), ('axon_ghk', 'Nao'))
    """
    if axon not in ENSEMBLE:
        return f"axon_{axon}", name
    of_member = f"{axon}.{name}"
    in_file = of_member in load_group("ensemble")
    return ("ensemble", of_member) if in_file else (f"axon_{SHARED_AXON}", name)


def calibrated_axon(axon: str) -> str:
    """Return the named set on which laws and tables were fitted that serve an axon.

    Those of a member of `ENSEMBLE` are `SHARED_AXON`'s: nothing was simulated again for it.

    Examples
    --------
    >>> calibrated_axon("ensemble_3"), calibrated_axon("ohmic")
    ('ghk', 'ohmic')
    """
    return SHARED_AXON if axon in ENSEMBLE else axon
