"""The files a record may come in, and how its fit is told."""

import math

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.cli import main as cli
from neurosim.clinic import fit, mem
from neurosim.clinic.excitability import examine
from neurosim.clinic.record import read_record
from neurosim.clinic.space import Space
from neurosim.model.axon.axon import Conditions
from neurosim.view import export, fitted

FEW = ("persistent_sodium_scale", "fast_potassium_scale", "potassium_out_mmol_l", "leak_scale")


@pytest.fixture(scope="module")
def examination():
    return examine(Conditions(fast_potassium_scale=0.4))


@pytest.fixture(scope="module")
def files(examination, tmp_path_factory):
    """Return one examination as a MEM file and as the curves.csv of the command line."""
    folder = tmp_path_factory.mktemp("record")
    rows = export.curve_rows(examination, examination)
    (folder / "curves.csv").write_bytes(export.csv_bytes(export.to_columns(rows)))
    text = mem.mem_text(examination, "less fast potassium", "ghk", 33.0)
    (folder / "kf.mem").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def result(files):
    return fit.fit_record(read_record(files / "kf.mem"), space=Space.from_file("person", FEW))


def test_both_files_give_the_same_record(files, examination):
    from_mem, from_csv = read_record(files / "kf.mem"), read_record(files / "curves.csv")
    assert from_mem.simulated and from_csv.simulated
    assert from_mem.temperature_c == 33.0 and math.isnan(from_csv.temperature_c)
    assert from_mem.sdtc_ms == pytest.approx(examination.tau_sd_ms, abs=5.1e-4)
    assert from_csv.sdtc_ms == pytest.approx(examination.tau_sd_ms, rel=1e-4)
    for name in ("recovery", "iv"):
        for a, b in zip(getattr(from_mem, name), getattr(from_csv, name), strict=True):
            np.testing.assert_allclose(np.sort(a), np.sort(b), atol=1e-4)
    x, y = from_mem.electrotonus[40]
    at = dict(zip(*from_csv.electrotonus[40], strict=True))
    np.testing.assert_allclose(y, [at[delay] for delay in x], atol=1e-4)


def test_a_persons_table_is_no_simulation(tmp_path):
    path = tmp_path / "person.csv"
    path.write_text("curve;x;value\nrecovery_cycle;5;-20,5\nsdtc_ms;1;0,43\nthreshold_iv;10;\n")
    record = read_record(path)
    assert not record.simulated and record.sdtc_ms == 0.43
    assert [float(v[0]) for v in record.recovery] == [5.0, -20.5] and record.iv[0].size == 0


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", "curve,x,value\nrecovery_cycl,5,-20\n", "did you mean 'recovery_cycle'"),
        ("a.csv", "curve,x,value\nrecovery_cycle,five,-20\n", "line 2: 'five' and '-20' must"),
        ("a.csv", "name,x\n", "needs the columns curve, x and value"),
        ("a.csv", "", "needs the columns"),
        ("a.mem", "nothing here\n", "is no MEM file"),
        ("a.mem", " Temperature:\t20\n\nRC1.1\t5\t-20\n", "temperature is 20 °C"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, capsys, name, text, sentence):
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(NeurosimError, match=sentence):
        read_record(tmp_path / name)
    assert cli.main(["fit", str(tmp_path / name)]) == 2
    output = capsys.readouterr().err
    assert output.count("\n") == 1 and sentence.split(" and ")[0] in output


@pytest.mark.parametrize("name", ["none.csv", "none.mem"])
def test_a_missing_file_is_one_sentence(tmp_path, name):
    with pytest.raises(NeurosimError, match="Cannot read"):
        read_record(tmp_path / name)


def test_words_say_what_moved_and_what_rivals_it(result):
    sentences = fitted.describe_fit(result)
    assert "All together, moved: fast potassium current 0.4" in sentences
    assert "One change alone: fast potassium current 0.4" in sentences
    assert "removes 100 % of the discrepancy" in sentences and "not medical advice" in sentences
    table = fitted.fit_table(result)
    assert table.count("moved") == 1 and "fast potassium current" in table.splitlines()[2]
    assert table.splitlines()[7].startswith("fast potassium current")  # first of one alone


def test_words_for_a_record_of_health(result):
    healthy = fit.fit_record(fit.NerveRecord.from_norms(), space=Space.from_file("person", FEW))
    assert "Nothing moved" in fitted.describe_fit(healthy)
    assert "One change alone" not in fitted.describe_fit(healthy)


def test_rows_and_json_hold_both_answers(result):
    rows = fitted.fit_rows(result)
    assert [r["answer"] for r in rows] == ["all together"] * 4 + ["one alone"] * 4
    content = fitted.fit_json(result)
    assert len(content["points"]) == result.points.x.size
    assert np.shape(content["covariance_in_prior_sds"]) == (4, 4)
    export.json_bytes(content)  # everything in it can be written


def test_the_figure_shows_record_fit_and_health(result):
    figure = fitted.picture_fit(result)
    electrotonus, recovery, iv, alone = figure.axes
    assert [len(a.lines) for a in (electrotonus, recovery, iv)] == [12, 3, 3]
    drawn = recovery.lines[2].get_ydata()
    np.testing.assert_allclose(drawn, result.record.recovery[1], atol=1e-9)
    assert len(alone.patches) == 4 and alone.patches[-1].get_width() > 99


@pytest.mark.slow
def test_the_command_writes_its_files(files, tmp_path, capsys):
    out = tmp_path / "o"
    assert cli.main(["fit", str(files / "curves.csv"), "--out", str(out)]) == 0
    assert {p.name for p in out.iterdir()} == {"fit.csv", "fit.json", "fit.png", "fit.txt"}
    output = capsys.readouterr().out
    assert "One change alone: fast potassium current 0.4" in output
    assert output.split("\n\n")[1] in (out / "fit.txt").read_text("utf-8")
