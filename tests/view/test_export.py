"""Tables, sidecars and folders: whole files or none, one sentence for every mistake."""

import json
import os

import numpy as np
import pytest

from neurosim.base import files
from neurosim.base.errors import NeurosimError
from neurosim.simulation.simulate import simulate
from neurosim.view import export


def test_table_with_sidecar(tmp_path):
    columns = {"onset_s": np.array([0.5, 1e-7]), "kind": ["single", "doublet, x"],
               "visible": np.array([True, False]), "x_percent": [float("nan"), 2.0]}  # fmt: skip
    paths = export.write_table(tmp_path / "t.csv", columns, {"seed": 5})
    assert [p.name for p in paths] == ["t.csv", "t.json"]
    assert paths[0].read_text("utf-8") == (
        'onset_s,kind,visible,x_percent\n0.5,single,yes,\n1e-07,"doublet, x",no,2\n'
    )
    about = json.loads(paths[1].read_text("utf-8"))
    assert about["units"] == {"onset_s": "s", "kind": "1", "visible": "1", "x_percent": "%"}
    assert (about["seed"], about["rows"]) == (5, 2)
    assert sorted(os.listdir(tmp_path)) == ["t.csv", "t.json"]


def test_rows_are_a_table_too(tmp_path):
    export.write_table(tmp_path / "r.csv", [{"a_mv": 1.0, "b": "x"}, {"a_mv": 2.5, "b": "y"}])
    assert (tmp_path / "r.csv").read_text("utf-8") == "a_mv,b\n1,x\n2.5,y\n"


def test_unequal_columns_are_refused(tmp_path):
    with pytest.raises(NeurosimError, match="equal length"):
        export.write_table(tmp_path / "t.csv", {"a": [1], "b": [1, 2]})
    assert not os.listdir(tmp_path)


def test_nothing_new_is_left_when_a_file_cannot_be_written(tmp_path):
    with pytest.raises(NeurosimError, match="Cannot write"):
        files.write_files(tmp_path, {"good.txt": b"1", "no/such/folder.txt": b"2"})
    assert not os.listdir(tmp_path)


def test_folder_mistakes_are_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    for path, message in (
        (tmp_path / "file", "is a file, not a folder"),
        (tmp_path / "a" / "b", "is not a folder that exists"),
        (tmp_path / "file" / "b", "is not a folder that exists"),
        ("bad\0name", "Cannot write to the folder"),
    ):
        with pytest.raises(NeurosimError, match=message):
            files.prepare_folder(path)
    assert files.prepare_folder(tmp_path / "a" / "b", parents=True).is_dir()


def test_result_json_is_complete_and_strict():
    result = simulate("low_potassium", duration_s=30)
    about = json.loads(export.json_bytes(export.result_json(result)))
    for key in (
        "scenario",
        "seed",
        "person",
        "versions",
        "contributions",
        "conditions",
        "excitability",
        "rates",
        "sources",
    ):
        assert key in about, key
    assert about["scenario"]["body"]["potassium_mmol_l"] == 2.7
    counts = about["sources"]["counts"]
    assert sum(counts.values()) == len(about["sources"]["values"])
    assert counts["assumed"] > 0
