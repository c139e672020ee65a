"""MEM files: the model's examination survives the round trip, recorded layouts are read."""

import math

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.clinic.conditioning import LONG_LEVELS
from neurosim.clinic.excitability import examine
from neurosim.clinic.indices import MEASURES
from neurosim.clinic.mem import LABELS, MA_PER_PA, mem_text, read_mem
from neurosim.clinic.norms import TE_CURVES, norms
from neurosim.model.axon.axon import Conditions

# lines as recorded: tabs, blank places, a comma, two recordings at one level, latin-1
RECORDED = (
    " File:              \tn:\\x.QZD\n Name:              \tSHORTY\n Temperature:       \t33.5 \n"
    " Comments:          \t33 \xb0C\n\n STIMULUS-RESPONSE DATA (2.4-1.9m)\n\n"
    "Values are those recorded\n\n Max CMAP  1 ms =  1.161296 mV\n\n"
    "                    \t% Max               \tStimulus(2)\n"
    "SR.2                \t 2                  \t 3.915578\n"
    "SR.4                \t 4                  \t 4.073214\n\n"
    "  CHARGE DURATION DATA (2.4-3.5m)\n\n"
    "QT.1                \t .2                 \t 9,790961           \t 1.958192\n\n"
    "  THRESHOLD ELECTROTONUS DATA (3.5-8.8m)\n  \n"
    "TE1.1               \t 9                  \t0                   \t0.00\n"
    "TE1.2               \t 10                 \t40                  \t40.02\n  \n"
    "TE2.1               \t 10                 \t-40                 \t-39.34\n\n"
    "  RECOVERY CYCLE DATA (11.1-15.3m)\n\n"
    "RC1.1               \t                 \t\n"
    "RC1.2               \t 2.5                \t27.82\n\n"
    "  THRESHOLD I/V DATA (8.9-11m)\n\nIV1.1               \t 50                 \t49.28\n\n"
    "  DERIVED EXCITABILITY VARIABLES\n\nProgram = QTracP 9/12/2016\n\n"
    " 3.                 \t0.287               \tStrength-duration\\time constant (ms)\n"
    " 18.                \t1                   \tSex (M=1, F=2)\n\n"
    "  EXTRA VARIABLES (add here as required, e.g. Potassium = 4.5)\n\nTEd20(10-20ms) = 30.8\n"
    "MRCsumscore                  \t=  23.7\n"
)


@pytest.mark.parametrize(
    "change", [{}, {"persistent_sodium_scale": 4.0}, {"potassium_out_mmol_l": 12.0}]
)
def test_round_trip(change, tmp_path):
    examination = examine(Conditions(**change), "ohmic")
    path = tmp_path / "a.mem"
    path.write_text(mem_text(examination, "a title", "ohmic", 33.0), "utf-8")
    back = read_mem(path)
    assert back.simulated and "no person" in back.header["Simulated"]
    assert back.header["Comments"] == "a title" and back.header["Temperature"] == "33"
    assert back.other["Temperature ( C)"] == 33
    for m in MEASURES:
        value = examination.measures[m.key]
        assert back.measures.get(m.key, math.nan) == pytest.approx(value, abs=1e-4, nan_ok=True)
    x, y = examination.recovery_interval_ms, examination.recovery_change_percent
    known = ~np.isnan(y)
    np.testing.assert_allclose(
        back.recovery_cycle, np.column_stack([x, y])[known].reshape(-1, 2), atol=1e-4
    )
    iv = np.column_stack([examination.iv_current_percent, examination.iv_reduction_percent])[::-1]
    np.testing.assert_allclose(back.threshold_iv, iv[~np.isnan(iv[:, 1])].reshape(-1, 2), atol=1e-4)
    if examination.blocked:
        assert not back.electrotonus and not len(back.charge_duration)
        return
    charge = back.charge_duration
    np.testing.assert_allclose(charge[:, 2] / MA_PER_PA, examination.charge_pa_ms, rtol=1e-4)
    np.testing.assert_allclose(charge[:, 1] * charge[:, 0], charge[:, 2], rtol=1e-4)
    assert back.stimulus_response.shape == (1, 2)
    assert back.stimulus_response[0, 1] / MA_PER_PA == pytest.approx(examination.threshold_1ms_pa)
    assert set(back.electrotonus) == {*TE_CURVES, *LONG_LEVELS}
    for level, name in TE_CURVES.items():
        in_protocol = np.isin(examination.te_delay_ms, norms()[name].x)
        y = examination.te_reduction_percent[level][in_protocol]
        np.testing.assert_allclose(back.electrotonus[level][:, 2], y[~np.isnan(y)], atol=1e-4)
    for level in LONG_LEVELS:
        delay, current, y = back.electrotonus[level].T
        written = examination.te_long_reduction_percent[level]
        np.testing.assert_allclose(y, written[~np.isnan(written)], atol=1e-4)
        np.testing.assert_array_equal(current, np.where((delay >= 10) & (delay < 210), level, 0))


def test_a_recorded_file_is_read(tmp_path):
    path = tmp_path / "r.MEM"
    path.write_bytes(RECORDED.replace("\n", "\r\n").encode("latin-1"))
    examination = read_mem(path)
    assert not examination.simulated
    assert examination.header["Name"] == "SHORTY" and examination.header["Comments"] == "33 \xb0C"
    np.testing.assert_array_equal(examination.stimulus_response, [[2, 3.915578], [4, 4.073214]])
    np.testing.assert_array_equal(examination.charge_duration, [[0.2, 9.790961, 1.958192]])
    np.testing.assert_array_equal(examination.electrotonus[40], [[9, 0, 0], [10, 40, 40.02]])
    np.testing.assert_array_equal(examination.electrotonus[-40], [[10, -40, -39.34]])
    np.testing.assert_array_equal(examination.recovery_cycle, [[2.5, 27.82]])
    np.testing.assert_array_equal(examination.threshold_iv, [[50, 49.28]])
    assert examination.measures == {"sdtc_ms": 0.287, "te_d20_10_20_percent": 30.8}
    assert examination.other == {"Sex (M=1, F=2)": 1, "MRCsumscore": 23.7}


def test_labels_cover_every_measure():
    assert set(LABELS) == {m.key for m in MEASURES}


def test_mistakes_are_one_sentence(tmp_path):
    with pytest.raises(NeurosimError, match="Cannot read"):
        read_mem(tmp_path / "none.mem")
    (tmp_path / "a.txt").write_text("hello\n")
    with pytest.raises(NeurosimError, match="no MEM file"):
        read_mem(tmp_path / "a.txt")
