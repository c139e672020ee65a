"""The lid's motor neuron that can hold itself firing: its pattern, its edge, what ends it."""

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override, parameter
from neurosim.model.soma import facial, pool
from neurosim.model.soma.soma import SomaConditions

HEALTHY = SomaConditions()


def prone():
    return parameter("facial", "prone_tone_mv")


@pytest.fixture(scope="module")
def ill():
    """Return the spikes of two hours of a prone lid that blinks."""
    return facial.run_unit(facial.Lids([HEALTHY], prone()), 7200.0, seed=5)


def test_a_prone_lid_fires_as_published(ill):
    p = facial.measure_pattern(ill, 7200.0)
    assert p.episodes >= 6
    assert 3.0 <= p.rate_hz <= 8.0
    assert p.interval_cv < 0.35
    assert p.within_share >= 0.8
    assert p.duration_s[0] > 2.0 and p.duration_s[2] < 600.0
    assert p.lone < 10 * p.episodes


def test_the_average_lid_blinks_and_is_quiet():
    tone = parameter("facial", "tone_mean_mv")
    run = facial.run_unit(facial.Lids([HEALTHY], tone), 7200.0, seed=6)
    p = facial.measure_pattern(run, 7200.0)
    assert p.episodes == 0 and p.lone < 20
    blinks = 7200.0 * parameter("facial", "blinks_per_min") / 60.0
    assert run.size >= blinks, "a blink fires the unit"


def test_a_blink_begins_every_episode(ill):
    own = facial.spontaneous(ill)
    episode = facial.number_episodes(own)
    begins = np.array([own[episode == i][0] for i in range(episode.max() + 1)])
    assert np.median(facial.since_blink_s(begins)) < 1.0
    still = facial.run_unit(facial.Lids([HEALTHY], prone(), blinks=False), 7200.0, seed=5)
    assert facial.measure_pattern(still, 7200.0, blinks=False).episodes == 0


def test_a_quick_current_lets_blinks_start_it():
    lid = facial.Lids([HEALTHY], prone() - 0.5)
    slow = facial.measure_pattern(facial.run_unit(lid, 1200.0, seed=7), 1200.0)
    with override("facial", "pic_tau_ms", 100.0):
        quick = facial.measure_pattern(facial.run_unit(lid, 1200.0, seed=7), 1200.0)
    assert quick.episodes + 10 * quick.share_on > 10 + 5 * slow.episodes


def test_the_limb_pool_has_no_part_in_it():
    P = facial.unit_parameters(HEALTHY, 1.0)
    limb = pool.unit_parameters(pool.build_pool(1), HEALTHY)
    names = dict(zip(pool.ROWS, P[:, 0], strict=True))
    assert P.shape == limb.shape and names["half"] == parameter("facial", "pic_half_mv")
    with override("pool", "pic_half_mv", 12.0):
        assert np.array_equal(facial.unit_parameters(HEALTHY, 1.0), P)
    with override("facial", "pic_half_mv", 12.0):
        assert np.array_equal(pool.unit_parameters(pool.build_pool(1), HEALTHY), limb)


def test_ions_move_threshold_and_current_alike():
    low = HEALTHY.replace(calcium_out_mmol_l=1.0)
    names = list(pool.ROWS)
    change = (facial.unit_parameters(low) - facial.unit_parameters(HEALTHY))[:, 0]
    assert change[names.index("half")] == change[names.index("rested")] < 0.0
    assert facial.lift_mv(low) == pytest.approx(-change[names.index("half")])
    assert facial.lift_mv(HEALTHY.replace(potassium_out_mmol_l=4.3)) > 0.0


def test_the_law_is_that_of_direct_runs(ill):
    p = facial.measure_pattern(ill, 7200.0)
    expected = float(facial.onset_per_h(HEALTHY, prone())) * 2.0 * (1.0 - p.share_on)
    assert abs(p.episodes - expected) < 3.0 * np.sqrt(expected) + 1.0
    usual = float(facial.onset_per_h(HEALTHY, prone()))
    assert facial.onset_per_h(HEALTHY.replace(pic_gain=1.1), prone()) > 1.5 * usual
    assert facial.onset_per_h(HEALTHY.replace(synaptic_noise_scale=1.1), prone()) > usual
    assert facial.onset_per_h(HEALTHY.replace(ahp_scale=1.2), prone()) == usual
    rates = facial.onset_per_h(HEALTHY, np.linspace(0.0, prone() + 5.0, 50))
    assert (np.diff(rates) >= 0.0).all(), "more tone, more episodes"


def test_inhibition_ends_it_and_closing_the_lid_does_not():
    shares = facial.ending_shares(lids=24, seed=3)
    assert shares["nothing"] > 0.6
    assert shares["inhibition"] < 0.4
    assert shares["short closure"] > 0.8 and shares["long closure"] > 0.5


def test_the_same_seed_gives_the_same_spikes_and_another_others(ill):
    lid = facial.Lids([HEALTHY], prone())
    again = facial.run_unit(lid, 600.0, seed=5)
    assert np.array_equal(again, ill[ill <= 600.0])
    assert not np.array_equal(facial.run_unit(lid, 600.0, seed=6), again)


def test_numpy_and_machine_code_agree(monkeypatch):
    lid = facial.Lids([HEALTHY], prone(), input_mv=np.full(2000, 8.0))
    compiled = facial.run_unit(lid, 2.0, seed=8)
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    plain = facial.run_unit(lid, 2.0, seed=8)
    assert plain.size > 5 and np.allclose(plain, compiled)


def test_what_changes_in_time_acts_from_then_on():
    calm = HEALTHY.replace(drive_scale=0.0)
    excited = HEALTHY.replace(drive_scale=3.0)
    lid = facial.Lids([calm, excited], 0.0, begin_s=[0.0, 20.0], blinks=False)
    run = facial.run_unit(lid, 40.0, seed=1)
    assert run.size > 40 and run.min() > 20.0


def test_episodes_by_hand():
    steady = np.arange(10.0, 15.0, 0.25)
    train = np.concatenate([[1.0], steady, [20.0, 20.1], [30.0, 30.1, 30.2, 30.3, 30.4, 30.5]])
    episode = facial.number_episodes(train)
    assert (episode[1:21] == 0).all() and (np.delete(episode, np.s_[1:21]) == -1).all()
    p = facial.measure_pattern(train, 100.0, blinks=False)
    assert (p.episodes, p.lone, p.rate_hz, p.within_share) == (1, 9, 4.0, 1.0)
    assert p.duration_s[1] == pytest.approx(4.75) and p.interval_cv == pytest.approx(0.0)
    assert facial.number_episodes(np.empty(0)).size == 0
    assert facial.spontaneous(np.array([4.05, 4.2, 8.01])).tolist() == [4.2]


def test_a_duration_that_cannot_be_is_refused():
    with pytest.raises(NeurosimError, match="duration_s"):
        facial.run_unit(facial.Lids([HEALTHY], 0.0), 1e9, seed=1)
