"""Minutes in the life of an axon: firing, loss of blood flow (ischaemia) and reperfusion.

Two concentrations change slowly around a membrane whose potential has settled: sodium inside and
potassium just outside. Sodium enters through channels and leak and with every discharge; the
pump removes it. What a discharge brings is concentrated under the membrane at first (the fast
store) and spreads along the axon within a minute; the rest fills the axon (the slow store). At a
steady potential as much positive charge leaves as enters, so the axon loses as much potassium as it
gains sodium. That potassium accumulates in the narrow space around the axon, from which flowing
blood washes it away. Rest, threshold and recovery follow from the two concentrations; none is set
by hand.

Potassium inside (155 mmol/L) is held constant: it would fall by as many mmol/L as sodium rises.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError, number_within
from neurosim.base.parameters import parameter
from neurosim.model.axon import axon as ax
from neurosim.model.axon import equations as eq
from neurosim.model.axon import ions
from neurosim.model.axon.conditions import (
    Conditions,
    document_changes,
    quantity,
    read_changes,
)

if TYPE_CHECKING:
    from neurosim.model.axon.axon import Axon

# Derivatives of sodium inside and potassium outside: of time, both, firing, whether ischaemic.
IonFlow = Callable[[float, np.ndarray, float, bool], list[float]]

LONGEST_MIN = 240.0
RELATIVE, ABSOLUTE_MMOL_L = 1e-5, 1e-4  # of the integration in time


@dataclass(frozen=True)
class AxonHistory:
    """Firing and ischaemia of an axon before it is examined; none by default.

    Firing and loss of blood flow end at the same moment; `after_min` minutes later the axon is
    examined.

    Attributes
    ----------
    {changes}

    Raises
    ------
    NeurosimError
        If a value is outside its range, or only one of rate and length of firing is set.
    """

    ischaemia_min: float = quantity(0.0, "minutes without blood flow", "min", 0.0, LONGEST_MIN)
    train_per_s: float = quantity(0.0, "discharges a second while it fired", "per s", 0.0, 200.0)
    train_min: float = quantity(0.0, "minutes of firing", "min", 0.0, LONGEST_MIN)
    after_min: float = quantity(
        0.0, "minutes since firing or ischaemia ended", "min", 0.0, LONGEST_MIN
    )

    def __post_init__(self) -> None:
        for name, c in read_changes(AxonHistory).items():
            value = number_within(name, getattr(self, name), c.low, c.high, c.unit)
            object.__setattr__(self, name, value)
        if (self.train_per_s > 0) != (self.train_min > 0):
            raise NeurosimError("Firing needs both train_per_s and train_min.")
        if self.after_min > 0 and self.start_min == 0:
            raise NeurosimError("after_min needs a train or ischaemia to come after.")

    @property
    def start_min(self) -> float:
        """Minutes from the first event to the end of firing and ischaemia."""
        return max(self.ischaemia_min, self.train_min)

    @property
    def length_min(self) -> float:
        """Minutes from the first event to the examination."""
        return self.start_min + self.after_min


document_changes(AxonHistory)


@dataclass(frozen=True)
class IonCourse:
    """Ion concentrations of an axon over time: arrays of equal length, one entry per time.

    Attributes
    ----------
    time_min : ndarray
        Minutes since the first event.
    sodium_in_mmol_l, potassium_out_mmol_l : ndarray
        Inside the axon, under its membrane, and just outside it.
    pump_scale : ndarray
        Strength of the pump as limited by its energy supply, 1 in health.
    base : Conditions
        The axon before the events.
    """

    time_min: np.ndarray
    sodium_in_mmol_l: np.ndarray
    potassium_out_mmol_l: np.ndarray
    pump_scale: np.ndarray
    base: Conditions

    def conditions(self) -> list[Conditions]:
        """Return the axon's conditions at each time."""
        parts = zip(self.sodium_in_mmol_l, self.potassium_out_mmol_l, self.pump_scale, strict=True)
        return [
            self.base.replace(
                sodium_in_mmol_l=float(na), potassium_out_mmol_l=float(k), pump_scale=float(pump)
            )
            for na, k, pump in parts
        ]


def sodium_currents_pa(conditions: Conditions, axon: Axon = "ghk") -> tuple[float, float]:
    """Return the sodium current of channels and leak at rest, and the pump's current, pA.

    Node and internode together; outward is positive. In health the pump removes what enters: the
    first is minus three times the second (3:2 pump). All current of the ohmic axon's sodium
    channels counts as sodium, as it does where the leak is split by ion.
    """
    a, c = ax.axon_parameters(axon), conditions
    axons = ax.at_rest(c, axon)
    p: dict[str, float] = dict(zip(eq.PARAMETERS, axons.P[:, 0].tolist(), strict=True))
    e, ei, m, h, persistent, _, _, _, _, q = axons.rest[:, 0]
    kt = ions.thermal_mv(c.temperature_c)
    e_na = kt * math.log(c.sodium_out_mmol_l / c.sodium_in_mmol_l)
    if a["ohm"] > 0:
        force = a["ohm"] * (e - p["ohm_reversal"])
    else:
        out, inside = a["selNa"] * c.sodium_out_mmol_l, a["selNa"] * c.sodium_in_mmol_l
        force = float(cast("Any", eq).ghk(np.array(e), 1.0 / kt, out, inside)[0])
    sodium_pa = p["P_na"] * (m**3 * h + p["f_nap"] * persistent**3) * force
    share = (p["E_h"] - p["E_k"]) / (e_na - p["E_k"])
    sodium_pa += share * p["g_h"] * q * (ei - e_na)
    for g, leak, v in (("g_lk", "E_lk", e), ("gi_lk", "Ei_lk", ei)):
        sodium_pa += p[g] * (p[leak] - p["E_k"]) / (e_na - p["E_k"]) * (v - e_na)
    return float(sodium_pa), float(p["I_pump"] + c.bias_current_pa + p["Ii_pump"])


def turnover_mmol_l_per_min(axon: Axon = "ghk") -> float:
    """Return the sodium influx of the healthy axon, which the pump balances, mmol/L per minute.

    It follows from the time constant of the removal of a small load, `load_tau_min`: with
    half-saturation n the pump's relative slope in internal sodium is 3 n / (Na (Na + n)).
    """
    a = ax.axon_parameters(axon)
    half = parameter("membrane", "pump_na_half")
    steepness = 3.0 * half / (a["Nai"] * (a["Nai"] + half))
    return 1.0 / (steepness * parameter("firing", "load_tau_min"))


def net_gain_mmol_l_per_min(conditions: Conditions, axon: Axon = "ghk") -> float:
    """Return how fast sodium gathers in the resting axon under `conditions`."""
    sodium, pump = sodium_currents_pa(conditions, axon)
    return -turnover_mmol_l_per_min(axon) * (sodium + 3.0 * pump) / (3.0 * _healthy_pump_pa(axon))


@cached()
def _healthy_pump_pa(axon: Axon) -> float:
    return sodium_currents_pa(Conditions(), axon)[1]


def _pump_supply(history: AxonHistory, time_min: float) -> float:
    """Return the pump's strength at a time: it fades without blood flow and then recovers."""
    began = history.start_min - history.ischaemia_min
    fade, back = (parameter("membrane", f"{n}_pump_tau_min") for n in ("ischaemia", "release"))
    without = min(max(time_min - began, 0.0), history.ischaemia_min)
    supply = math.exp(-without / fade)
    since = max(time_min - history.start_min, 0.0)
    return 1.0 - (1.0 - supply) * math.exp(-since / back)


def _fast_load_mmol_l(history: AxonHistory, time_min: float) -> float:
    """Return the sodium under the membrane above that of the axon, in closed form."""
    tau = parameter("firing", "load_fast_tau_min")
    added = parameter("firing", "load_per_discharge_mmol_l") * parameter(
        "firing", "load_fast_share"
    )
    firing = min(max(time_min - (history.start_min - history.train_min), 0.0), history.train_min)
    since = max(time_min - history.start_min, 0.0)
    steady = added * history.train_per_s * 60.0 * tau
    return -steady * math.expm1(-firing / tau) * math.exp(-since / tau)


def _ion_flow(history: AxonHistory, base: Conditions, axon: Axon) -> IonFlow:
    """Return the time derivative of sodium inside and potassium outside, for `solve_ivp`."""
    load = parameter("firing", "load_per_discharge_mmol_l") * history.train_per_s * 60.0
    load *= 1.0 - parameter("firing", "load_fast_share")
    tau = parameter("firing", "load_tau_min")
    ratio, wash = (parameter("membrane", n) for n in ("potassium_space_ratio", "washout_tau_min"))
    # a body that is not healthy is taken to be in balance before
    resting = net_gain_mmol_l_per_min(base, axon)

    def flow(t: float, y: np.ndarray, firing: float, is_ischaemic: bool) -> list[float]:
        fast = _fast_load_mmol_l(history, t)
        conditions = base.replace(
            sodium_in_mmol_l=y[0] + fast,
            potassium_out_mmol_l=y[1],
            pump_scale=base.pump_scale * _pump_supply(history, t),
        )
        gain = net_gain_mmol_l_per_min(conditions, axon)
        out = 0.0 if is_ischaemic else (y[1] - base.potassium_out_mmol_l) / wash
        potassium = ratio * (gain - resting + load * firing) - out
        # what the pump takes of the fast store is part of that store's decay
        return [gain - resting + load * firing + fast / tau, potassium]

    return flow


def _stretches(history: AxonHistory) -> Iterator[tuple[float, float, bool, bool]]:
    """Yield (begin, end, fires, is ischaemic) of the stretches of a history, in minutes."""
    end, train = history.length_min, history.start_min - history.train_min
    ischaemia = history.start_min - history.ischaemia_min
    edges = sorted(t for t in {0.0, end, history.start_min, ischaemia, train} if t <= end)
    for low, high in itertools.pairwise(edges):
        middle = 0.5 * (low + high)
        fires = train < middle < history.start_min
        yield low, high, fires, ischaemia < middle < history.start_min


def ion_course(
    history: AxonHistory,
    conditions: Conditions | None = None,
    axon: Axon = "ghk",
    times_min: np.ndarray | None = None,
) -> IonCourse:
    """Return the course of sodium inside and potassium outside during and after `history`.

    Parameters
    ----------
    history : AxonHistory
    conditions : Conditions, optional
        The axon before; its `potassium_out_mmol_l` is the blood's throughout.
    axon : str or ParameterSet
        An axon by name, or a parameter set.
    times_min : ndarray, optional
        Times to report, rising, in minutes since the first event; the end alone if omitted.
    """
    from scipy.integrate import solve_ivp  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

    base = conditions or Conditions()
    times = np.array([history.length_min]) if times_min is None else np.asarray(times_min, float)
    flow = _ion_flow(history, base, axon)
    start = np.array([base.sodium_in_mmol_l, base.potassium_out_mmol_l])
    amounts = np.empty((times.size, 2))
    amounts[times <= 0.0] = start
    for low, high, fires, is_ischaemic in _stretches(history):
        part: Any = cast("Any", solve_ivp)(
            flow,
            (low, high),
            start,
            "LSODA",
            args=(float(fires), is_ischaemic),
            dense_output=True,
            rtol=RELATIVE,
            atol=ABSOLUTE_MMOL_L,
        )
        inside = (times > low) & (times <= high)
        amounts[inside] = part.sol(times[inside]).T if inside.any() else 0.0
        start = part.y[:, -1]
    pump = np.array([base.pump_scale * _pump_supply(history, t) for t in times])
    under = np.array([_fast_load_mmol_l(history, t) for t in times])
    return IonCourse(times, amounts[:, 0] + under, amounts[:, 1], pump, base)


def conditions_after(
    history: AxonHistory, conditions: Conditions | None = None, axon: Axon = "ghk"
) -> Conditions:
    """Return the conditions of an axon after `history`."""
    base = conditions or Conditions()
    return ion_course(history, base, axon).conditions()[-1] if history.length_min > 0 else base
