"""What the clinic's test finds in 280 healthy people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.clinic.indices import (
    MEASURES,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

TE_CURVES = MappingProxyType(
    {
        40: "depolarising_40",
        -40: "hyperpolarising_40",
        20: "depolarising_20",
        -20: "hyperpolarising_20",
    }
)


@dataclass(frozen=True)
class NormCurve:
    """One curve of the 280 people, point by point: arrays of equal length."""

    x: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    n: np.ndarray
    median: np.ndarray


@cache
def _norm_file() -> dict[str, Any]:
    text = resources.files("neurosim").joinpath("clinic/trond_norms.json").read_text("utf-8")
    return json.loads(text)


@cache
def norms() -> Mapping[str, NormCurve]:
    """Return mean, SD, number and median of each point of 280 human median motor nerves.

    Curves: ``charge_duration`` (mA ms against ms), ``recovery_cycle`` (% against ms),
    ``threshold_iv`` (% against %) and the four of `TE_CURVES` (% against ms). Source: the
    open records of the Nerve Norms web tool (kelvinejones/nerve-norms, MIT licence).
    """
    file = _norm_file()
    rows: dict[str, Any] = {
        n: file[n]["rows"] for n in ("charge_duration", "recovery_cycle", "threshold_iv")
    }
    rows |= {name: file["threshold_electrotonus"][name] for name in TE_CURVES.values()}
    curves = {name: NormCurve(*np.array(table, float).T) for name, table in rows.items()}
    for curve in curves.values():
        for array in vars(curve).values():
            array.setflags(write=False)
    return MappingProxyType(curves)


@cache
def norm_measures() -> Mapping[str, tuple[float, float]]:
    """Return mean and SD of those derived measures of 280 people that were published."""
    rows: dict[str, Any] = _norm_file()["measures"]["rows"]
    return MappingProxyType({m.key: tuple(rows[m.key][:2]) for m in MEASURES if m.key in rows})
