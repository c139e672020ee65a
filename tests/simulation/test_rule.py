"""The rule: a factor may change membrane, drive, anatomy or transmission, never a twitch rate."""

import ast
import inspect
import itertools
import re
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.model.axon.axon import Conditions
from neurosim.model.body import contributions as factors
from neurosim.model.body.contributions import PARAMETERS, contributions
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.model.firing.discharge import expected_bursts_per_min
from neurosim.model.firing.disease import Lesion, Terminal
from neurosim.model.soma.cramp import Cramping
from neurosim.model.soma.facial import Lid
from neurosim.model.soma.soma import SomaConditions, misfires_per_min
from neurosim.simulation import person_run
from neurosim.simulation.person_run import (
    person_sites,
    sites_in_state,
    state_hazard,
    state_other_sources,
)
from neurosim.simulation.scenario import Scenario, catalogue, load_scenario
from neurosim.simulation.state import TissueState, state_from_contributions

OTHERS = tuple(f"neurosim.model.{folder}" for folder in ("axon", "soma", "firing", "muscle"))
RATE = re.compile(r"(^|_)(rates?|hazards?|misfires?|bursts?|twitches|frequency|per_min)($|_)")
ALLOWED = {
    "axon": {f.name for f in fields(Conditions)},
    "soma": {f.name for f in fields(SomaConditions)},
    "junction": {"calcium_out_mmol_l", "magnesium_out_mmol_l", "acetylcholinesterase_scale"},
    "muscle": {"force_scale", "contraction_time_scale", "units_scale", "fibres_scale"},
    "terminal": {f.name for f in fields(Terminal)},
    "lesion": {f.name for f in fields(Lesion)},
    "pool": {f.name for f in fields(Cramping)},
    "facial": {f.name for f in fields(SomaConditions)},
    "lid": {f.name for f in fields(Lid)},
}


def bodies():
    """Yield bodies that move every field both ways, alone and together."""
    ends = {
        "sodium_mmol_l": (120.0, 160.0), "potassium_mmol_l": (2.7, 6.0),
        "ionised_calcium_mmol_l": (0.8, 1.75), "ionised_magnesium_mmol_l": (0.25, 2.0),
        "limb_temperature_c": (29.0, 36.0), "plasma_caffeine_umol_l": (0.0, 200.0),
        "paco2_mmhg": (20.0, 60.0), "bicarbonate_mmol_l": (16.0, 32.0),
        "mass_loss_percent": (0.0, 6.0), "plain_water_l": (0.0, 2.0), "rehydration_l": (0.0, 2.0),
        "sleep_debt_h": (0.0, 16.0), "nerve_stimulation_per_s": (0.0, 60.0),
        **{name: (0.0, 1.0) for name, field in FIELDS.items() if field.is_scale},
    }  # fmt: skip
    assert set(ends) == {f.name for f in fields(Body)}
    yield Body()
    for name, pair in ends.items():
        for value in pair:
            yield Body(**{name: value})
    for side in itertools.product((0, 1), repeat=3):
        signs = list(itertools.islice(itertools.cycle(side), len(ends)))
        # a third of the way, as nobody survives all of it at once
        whole = {n: pair[s] for (n, pair), s in zip(ends.items(), signs, strict=True)}
        healthy = vars(Body())
        yield Body(**{n: healthy[n] + 0.3 * (v - healthy[n]) for n, v in whole.items()})


def bare(items):
    """Return contributions without factor, source or reason: place, name and change alone."""
    return [
        SimpleNamespace(site=c.site, parameter=c.parameter, operation=c.operation, change=c.change)
        for c in items
    ]


def test_a_state_follows_from_names_and_changes_alone():
    for body in bodies():
        items = contributions(body)
        told, anonymous = state_from_contributions(items), state_from_contributions(bare(items))
        for name in {f.name for f in fields(TissueState)} - {"contributions"}:
            assert getattr(told, name) == getattr(anonymous, name)


@pytest.mark.parametrize("name", catalogue())
def test_rates_follow_from_names_and_changes_alone(name):
    asked = load_scenario(name)
    items = contributions(asked.body)
    sites, _ = person_sites(asked, 0)
    found = []
    for given in (items, bare(items)):
        state = state_from_contributions(given)
        mine = sites_in_state(state, sites, asked, 0)
        beside = state_other_sources(state, mine, asked, 0)[1]
        found.append([*expected_bursts_per_min(state_hazard(state, mine, asked)), *beside])
    assert np.array_equal(*found)


def test_the_rate_depends_on_the_state_only():
    # Two bodies that make the same membranes make the same rates: a body that is not asked
    # about and the conditions written down by hand.
    asked, body = Scenario(), Body(ionised_calcium_mmol_l=1.0, potassium_mmol_l=4.8)
    _sites, _ = person_sites(asked, 3)
    by_factors = state_from_contributions(contributions(body))
    healthy = state_from_contributions(())
    by_hand = Conditions(
        calcium_out_mmol_l=healthy.axon.calcium_out_mmol_l + 1.0 - Body().ionised_calcium_mmol_l,
        potassium_out_mmol_l=healthy.axon.potassium_out_mmol_l + 4.8 - Body().potassium_mmol_l,
    )
    assert vars(by_factors.axon) == pytest.approx(vars(by_hand))


def test_a_healthy_body_is_the_healthy_membrane():
    state = state_from_contributions(contributions(Body()))
    assert state.axon == Conditions() and state.soma == SomaConditions()
    assert (state.force_scale, state.contraction_time_scale) == (1.0, 1.0)
    assert (state.units_scale, state.fibres_scale) == (1.0, 1.0)
    assert (state.terminal, state.lesion, state.pool) == (Terminal(), Lesion(), Cramping())
    assert state.transmission > 0.9


def test_contributions_target_nothing_but_what_is_allowed():
    for body in bodies():
        for c in contributions(body):
            assert c.parameter in PARAMETERS[c.site]
            assert c.parameter in ALLOWED[c.site]


def test_what_is_allowed_are_places_that_exist_and_no_rates():
    assert set(PARAMETERS) == set(ALLOWED)
    for site, names in PARAMETERS.items():
        assert set(names) <= ALLOWED[site], site
        assert not any(RATE.search(name) for name in names)


def test_the_factors_know_no_rate():
    tree = ast.parse(inspect.getsource(factors))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node)
    }
    words = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            if " " not in node.value.strip():
                words.add(node.value)
            else:
                words.update(node.value.split() if node.value.count(" ") == 1 else ())
        elif isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.arg):
            words.add(node.arg)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
    assert not {word for word in words if RATE.search(word)}
    imports = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not any(m.startswith(OTHERS) for m in imports)


@pytest.mark.parametrize("site", PARAMETERS)
@pytest.mark.parametrize("name", ["bursts_per_min", "rate", "hazard_scale"])
def test_a_rate_is_no_parameter_of_any_place(site, name):
    wrong = SimpleNamespace(site=site, parameter=name, operation="scale", change=2.0)
    with pytest.raises(NeurosimError):
        state_from_contributions([wrong])


def test_operations_and_their_order():
    def at(operation, change, parameter="calcium_out_mmol_l", site="axon"):
        return SimpleNamespace(site=site, parameter=parameter, operation=operation, change=change)

    state = state_from_contributions([at("set", 2.0), at("add", 0.5), at("scale", 2.0)])
    assert state.axon.calcium_out_mmol_l == 5.0 and state.soma == SomaConditions()
    low = state_from_contributions([at("set", 0.2, site="junction")])
    assert low.transmission < 0.5 and low.axon == Conditions()
    tired = state_from_contributions([at("scale", 0.7, "force_scale", "muscle")] * 2)
    assert tired.force_scale == pytest.approx(0.49)


def test_more_synaptic_noise_makes_the_soma_misfire_through_its_own_equations():
    calm, aroused = (
        state_from_contributions(()),
        state_from_contributions(contributions(Body(stress=1.0))),
    )
    assert misfires_per_min(aroused.soma) > misfires_per_min(calm.soma)
    assert "misfires_per_min" not in inspect.getsource(factors)
    assert "contributions" not in inspect.getsource(person_run.state_hazard).split('"""')[2]
