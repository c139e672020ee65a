"""Two axons in contact: Kirchhoff, one axon alone, an independent integrator, what is recorded."""

import csv
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, override, parameter, read_toml
from neurosim.model.axon import chain as ch
from neurosim.model.axon import ephapse
from neurosim.model.axon import equations as eq
from neurosim.model.axon.axon import Conditions
from neurosim.model.body.contributions import contributions
from neurosim.model.body.state import Body
from neurosim.simulation.state import state_from_contributions

SCRIPT = Path(__file__).parents[3] / "scripts" / "calibration" / "make_ephapse.py"
spec = importlib.util.spec_from_file_location("make_ephapse", SCRIPT)
assert spec is not None and spec.loader is not None
ep = sys.modules["make_ephapse"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ep)

G = parameter("chain", "axial_ns")
WORST = ep.Contact(200.0, capacity=5.0, leak=5.0, lamellae=0.2, potassium_mv=15.0)


def inside_and_cleft(E, resistance_mohm):
    """Return potentials inside and of the cleft by Kirchhoff's law, every unknown written out."""
    n, r = E.size, resistance_mohm * 1e-3
    contact = [ep.PLACE, ep.UNITS + ep.PLACE]
    A, b = np.zeros((n + 1, n + 1)), np.zeros(n + 1)
    for u in range(n):  # inside minus outside is E
        A[u, u], b[u] = 1.0, E[u]
        A[u, n] = -1.0 if u in contact else 0.0
    A[n, n] = 1.0 / r
    for u in contact:  # what leaves the cleft is what enters both units from their neighbours
        for w in (u - 1, u + 1):
            A[n, w] -= G
            A[n, u] += G
    x = np.linalg.solve(A, b)
    return x[:n], x[n]


@pytest.mark.parametrize("resistance", [0.05, 10.0, 1e6])
def test_no_current_is_lost(resistance):
    E = np.random.default_rng(1).uniform(-90.0, 30.0, 2 * ep.UNITS)
    M, row = ep.coupling_matrix(resistance)
    inside, cleft = inside_and_cleft(E, resistance)
    J = -M @ E
    for u in range(2 * ep.UNITS):
        sides = [w for w in (u - 1, u + 1) if w // ep.UNITS == u // ep.UNITS and w >= 0]
        expected = sum(G * (inside[w] - inside[u]) for w in sides)
        assert J[u] == pytest.approx(expected, abs=1e-6)
    assert row @ E == pytest.approx(cleft, rel=1e-9)
    out = J[[ep.PLACE, ep.UNITS + ep.PLACE]].sum()
    assert out == pytest.approx(cleft / resistance * 1e3, rel=1e-6)
    assert J.sum() == pytest.approx(0.0, abs=1e-6)  # axial currents end inside the axons
    assert np.allclose(M, M.T) and np.linalg.eigvalsh(M).min() > -1e-9


def test_a_weak_field_reaches_the_neighbour_as_in_a_ladder():
    """Passive, steady: V into a ladder of conductances, the flanks up by V sinh(d)/cosh(D)."""
    units = [ep.Contact(0.0).unit(Conditions())] * ep.UNITS
    chain = ch.build_chain([units], G)
    L, s = ep.axial_laplacian(1), ep.cleft_mask(1)
    slope = 1e-3
    field = np.full(4000, slope)
    push = -(L @ s)[None, :, None] * field[:, None, None]
    trace = ep.run_coupled(chain.rest[:, :, 0], chain.P[:, :, 0], L[None], push, dt=0.1)
    deflection = (trace[-1] - trace[0])[:, 0]
    alone = ch.build_chain([[units[0]]], G)
    state = alone.start()
    ch.run_chain(
        alone, 400.0, state=state, stimulus=ch.Stimulus(0.05), settings=ch.RunSettings(dt=0.02)
    )
    g = 0.05 / (state.S[0, 0, 0] - alone.rest[0, 0, 0])
    expected = np.linalg.solve(L + g * np.eye(ep.UNITS), -(L @ s) * slope)
    np.testing.assert_allclose(deflection, expected, rtol=5e-3, atol=slope * 1e-4)
    assert deflection[ep.PLACE] < 0.0 < deflection[ep.PLACE - 1]


def test_without_a_cleft_the_neighbour_knows_nothing_and_the_axon_is_the_chain():
    contact = replace(ep.lesion_contact(), resistance_mohm=0.0)
    chain, _, trace, cleft = ep._run_pair(contact, Conditions(), "ghk", [0.0], True)
    pulse = np.zeros((ep.UNITS, 1))
    pulse[0] = ep.PULSE_PA
    _, alone = ch.run_chain(
        chain,
        ep.DURATION_MS,
        stimulus=ch.Stimulus(pulse, ep.PULSE_MS),
        settings=ch.RunSettings(dt=ep.DT_MS, every=1),
    )
    np.testing.assert_allclose(trace[1:, : ep.UNITS, 0], alone[:, :, 0], atol=1e-4)
    assert alone.max() > 20.0 and np.ptp(trace[:, ep.UNITS :, 0], axis=0).max() < 1e-6
    assert not cleft.any()


def test_against_an_independent_integrator():
    """LSODA on `equations.flow`, the circuit solved by Kirchhoff at every instant."""
    contact = replace(WORST, resistance_mohm=30.0)
    chain, rest, trace, cleft = ep._run_pair(contact, Conditions(), "ghk", [30.0], True)
    P = np.concatenate([chain.P[:, :, 0]] * 2, axis=1)
    det = (P[34] + P[35]) * (P[36] + P[35]) - P[35] ** 2
    sides = np.array([[u - 1, u + 1] for u in range(2 * ep.UNITS)])

    def flow(t, y):
        S = y.reshape(10, -1)
        inside, _ = inside_and_cleft(S[0], 30.0)
        J = np.zeros(2 * ep.UNITS)
        for k in (0, 1):
            w = np.clip(sides[:, k], 0, 2 * ep.UNITS - 1)
            same = (w // ep.UNITS == np.arange(2 * ep.UNITS) // ep.UNITS) & (w == sides[:, k])
            J += np.where(same, G * (inside[w] - inside), 0.0)
        J[0] += ep.PULSE_PA * (t < ep.PULSE_MS)
        out = eq.flow(S, P)
        out[0] += (P[36] + P[35]) * J / det
        out[1] += P[35] * J / det
        return out.ravel()

    y, e = rest[:, :, 0].ravel(), [rest[0, :, 0]]
    for begin, end in ((0.0, ep.PULSE_MS), (ep.PULSE_MS, 2.0)):
        times = np.arange(round(begin / ep.DT_MS) + 1, round(end / ep.DT_MS) + 1) * ep.DT_MS
        solution = solve_ivp(flow, (begin, times[-1]), y, "LSODA", times, rtol=1e-7, atol=1e-7)
        y = solution.y[:, -1]
        e += list(solution.y[: 2 * ep.UNITS].T)
    e = np.array(e)
    assert e[:, ep.UNITS :].max() > 20.0  # the neighbour fires
    potentials = trace[: len(e), :, 0]
    for u in (ep.PLACE, ep.UNITS + ep.PLACE - 1, 2 * ep.UNITS - 1):
        when = [np.argmax(x > -20.0) * ep.DT_MS for x in (e[:, u], potentials[:, u])]
        assert when[1] == pytest.approx(when[0], abs=0.03)  # a step is 3 % of the delay long
        assert potentials[:, u].max() == pytest.approx(e[:, u].max(), abs=2.0)
    assert cleft[0, 0] == pytest.approx(inside_and_cleft(e[0], 30.0)[1], abs=1e-9)


def test_a_healthy_neighbour_feels_less_than_a_hundredth_and_in_three_phases():
    """Katz & Schmitt 1940: a fifth of the threshold at most; down, up, down."""
    for axon in ("ghk", "ohmic", "alternative"):
        effect = ep.crosstalk(None, ep.healthy_contact(), axon)
        assert 0.0 < effect.share < 0.01 and not effect.fires and effect.arrives
        assert np.isnan(effect.delay_ms)
    c = ep.healthy_contact()
    trace = ep._run_pair(c, Conditions(), "ghk", [c.resistance_mohm], False)[2]
    e = trace[:, ep.UNITS + ep.PLACE, 0] - trace[0, ep.UNITS + ep.PLACE, 0]
    low, high = np.argmin(e), np.argmax(e)
    assert low < high and e[low] < -0.05 < 0.05 < e[high] and e[high:].min() < 0.0
    insulated = ep.crosstalk(None, ep.Contact(1e6))
    assert insulated.share < 1.0 and not insulated.fires  # myelin is enough by itself


def test_the_share_tells_whether_the_neighbour_fires():
    """Of the field of a far spike, whichever resistance: about 1 where it begins to fire."""
    base = replace(WORST, resistance_mohm=1.0)
    critical_mohm = ep.critical_resistance_mohm(None, base)
    assert 5.0 < critical_mohm < 50.0
    below, above = (
        ep.crosstalk(None, replace(base, resistance_mohm=critical_mohm * f)) for f in (0.5, 1.5)
    )
    assert below.share < above.share and not below.fires and above.fires
    assert 0.9 < ep.crosstalk_share(None, replace(base, resistance_mohm=critical_mohm)) < 1.4
    effect = ep.crosstalk(None, WORST)
    assert 10.0 < effect.depolarisation_mv < 40.0  # without a spike of its own
    assert effect.fires and 0.1 < effect.delay_ms < 0.6  # Rasminsky 1980: 0.1 to 0.24 at 26-28 degC


FACTORS = {
    "low calcium": {"ionised_calcium_mmol_l": 0.9},
    "high potassium": {"potassium_mmol_l": 6.0},
    "caffeine": {"plasma_caffeine_umol_l": 50.0},
    "stress": {"stress": 1.0},
    "fatigue": {"fatigue": 1.0},
}


def test_a_body_alone_makes_no_contact():
    healthy = ep.crosstalk_share(None, ep.healthy_contact())
    lesion = ep.crosstalk_share()
    assert lesion > 50.0 * healthy
    for name, values in FACTORS.items():
        body = state_from_contributions(contributions(Body(**values))).axon
        effect = ep.crosstalk(body, ep.healthy_contact())
        assert not effect.fires and effect.share < 0.01, name
        if name == "caffeine":
            assert body == Conditions() and ep.crosstalk_share(body) == lesion
    calcium = state_from_contributions(contributions(Body(**FACTORS["low calcium"]))).axon
    # Nielsen 1984: over-breathing provoked the contractions of hemifacial spasm
    assert ep.crosstalk_share(calcium) > lesion


def test_a_lesion_changes_what_it_says():
    body = Conditions(temperature_c=31.0, potassium_out_mmol_l=5.0)
    sick = ep.Contact(1.0, capacity=2.0, leak=3.0, lamellae=0.4, potassium_mv=8.0, sodium=0.5)
    units = [[c.unit(body)] for c in (ep.Contact(1.0), sick)]
    healthy, changed = ch.build_chain(units, G).P[:, 0].T
    ratio = dict(zip(eq.PARAMETERS, changed / np.where(healthy, healthy, 1.0), strict=True))
    assert [ratio[k] for k in ("C_n", "C_my", "g_bb", "g_lk", "gi_lk", "C_i")] == pytest.approx(
        [2.0, 2.5, 2.5, 3.0, 3.0, 1.0]
    )
    row = eq.ROW["E_k"]
    assert changed[row] - healthy[row] == pytest.approx(8.0)
    assert ratio["P_na"] < 0.5  # half, and slow inactivation of what is depolarised


def test_what_cannot_be_is_named():
    with pytest.raises(NeurosimError, match="lamellae must be above 0, not 0"):
        ep.Contact(1.0, lamellae=0.0)
    with pytest.raises(NeurosimError, match="resistance_mohm must be 0 or more, not -1"):
        ep.Contact(-1.0)
    assert {v.grade for v in load_group("ephapse").values()} == {"assumed"}


# --- the table ------------------------------------------------------------------------------------

ERROR = read_toml("model/axon/ephapse.toml")["held_out_error"]
CELLS = list(csv.DictReader((ep.FOLDER / "ephapse.csv").read_text("utf-8").splitlines()))


def test_the_table_has_the_cells_of_the_script():
    cells = [(c.axon, c.contact, axis, value) for axis, value, c in ep.table_cells()]
    assert cells == [(r["axon"], r["contact"], r["axis"], float(r["value"])) for r in CELLS]


@pytest.mark.parametrize("row", CELLS[7::45], ids=lambda r: f"{r['axon']}-{r['axis']}")
def test_a_cell_is_what_the_script_simulates_and_the_package_reads(row):
    cell = ep.Cell(row["axon"], row["contact"], ((row["axis"], float(row["value"])),))
    assert cell.share() == pytest.approx(float(row["share"]), rel=1e-5)
    assert cell.table_share() == pytest.approx(float(row["share"]), rel=1e-9)


@pytest.mark.parametrize("contact", ephapse.CONTACTS)
@pytest.mark.parametrize("axon", ["ghk", "ohmic", "alternative"])
def test_off_the_table_the_error_is_the_stored_one(axon, contact):
    for kind, held_out, index in (
        ("bodies", ep.held_out_bodies, (3, 6)),
        ("anything", ep.held_out_anything, (0, 5)),
    ):
        cells = list(held_out(axon, contact))
        error = max(abs(cells[i].share() - cells[i].table_share()) for i in index)
        assert error <= ERROR[f"{axon}_{contact}_{kind}"] * 1.001


def test_the_table_follows_a_number_of_the_contact():
    with override("ephapse", "lesion_resistance_mohm", 200.0):
        wide = ephapse.crosstalk_share()
    assert wide > 2.0 * ephapse.crosstalk_share()


def test_what_the_table_does_not_hold_is_named():
    with pytest.raises(NeurosimError, match="holds no other temperature_c, only sodium_out"):
        ephapse.crosstalk_share(Conditions(temperature_c=31.0))
    with pytest.raises(NeurosimError, match="ph = 6.5 is outside the tabulated range 7.1 to 7.7"):
        ephapse.crosstalk_share(Conditions(ph=6.5))
    with override("chain", "axial_ns", 2.0 * G), pytest.raises(NeurosimError, match="axial_ns"):
        ephapse.crosstalk_share()
    with pytest.raises(NeurosimError, match="contact 'lesoin'.*lesion"):
        ephapse.crosstalk_share(contact="lesoin")
    with pytest.raises(NeurosimError, match="axon"):
        ephapse.crosstalk_share(axon="squid")
