"""The table of how measures go together: made again from a tiny file in the tool's layout."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts" / "calibration"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPTS / "norm_correlations.py"))


def record(name, temperature, values):
    return {
        "header": {
            "name": name,
            "age": 40,
            "sex": 1,
            "temperature": temperature,
            "srSites": "Median Wr-APB",
        },
        "exVars": [{"id": k, "value": v} for k, v in values.items()],
    }


def table(script, rng, n, r):
    """Return records whose first two measures have a normal correlation `r`."""
    ids = list(script["MEASURES"])
    z = rng.standard_normal((n, len(ids)))
    z[:, 1] = r * z[:, 0] + np.sqrt(1 - r * r) * z[:, 1]
    records = []
    for i, row in enumerate(z):
        limits = [script["MEASURES"][k][1:] for k in ids]
        values = {
            k: 0.5 * (low + high) + 0.05 * (high - low) * v
            for k, (low, high), v in zip(ids, limits, row, strict=True)
        }
        records.append(record(f"p{i}", 32.0 + 0.1 * z[i, 2], values))
    return records


def test_a_known_correlation_comes_back_within_its_error(script, tmp_path):
    records = table(script, np.random.default_rng(1), 300, -0.7)
    parts = tmp_path / "PO.json", tmp_path / "CA.json"
    for path, half in zip(parts, (records[:150], records[150:]), strict=True):
        path.write_text(json.dumps(half), encoding="utf-8")
    out = tmp_path / "out.json"
    script["main"]([*map(str, parts), "--out", str(out), "--bootstraps", "200"])
    summary = json.loads(out.read_text("utf-8"))
    assert summary["records"] == 300 and summary["n"][1][2] == 300
    r, error = summary["correlation"][1][2], summary["standard_error"][1][2]
    assert r == pytest.approx(-0.7, abs=0.1)
    assert error == pytest.approx((1 - 0.49) / np.sqrt(300), rel=0.5)  # of a normal distribution
    assert "p17" not in out.read_text("utf-8")


def test_wrong_values_do_not_count(script, tmp_path):
    records = table(script, np.random.default_rng(2), 120, 0.6)
    first, second = list(script["MEASURES"])[:2]
    clean = script["rank_correlation"](
        np.array([[v["value"] for v in r["exVars"] if v["id"] in (first, second)] for r in records])
    )[0, 1]
    for i in (3, 40):
        next(v for v in records[i]["exVars"] if v["id"] == first)["value"] = 1e6
    next(v for v in records[7]["exVars"] if v["id"] == second)["wasImputed"] = True
    path = tmp_path / "PO.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    r, number, _ = script["correlations"](script["read"]([path]), bootstraps=5)
    assert number[1, 2] == 117 and number[1, 1] == 118
    assert r[1, 2] == pytest.approx(clean, abs=0.03)


def test_a_pair_that_few_records_have_tells_nothing(script):
    table = np.full((60, 3), np.nan)
    table[:, 0] = np.arange(60.0)
    table[:, 1] = np.sin(np.arange(60.0))
    table[:12, 2] = np.arange(12.0)
    r, number, _ = script["correlations"](table, bootstraps=5)
    assert np.isnan(r[0, 2]) and number[0, 2] == 12 and np.isfinite(r[0, 1])


def test_the_shipped_table_is_of_people(script):
    path = SCRIPTS.parents[1] / "neurosim/clinic/norm_correlations.json"
    summary = json.loads(path.read_text("utf-8"))
    r = np.array(summary["correlation"], float)
    assert np.allclose(r, r.T) and np.allclose(np.diag(r), 1.0) and (np.abs(r) <= 1.0).all()
    norms = json.loads((path.parent / "trond_norms.json").read_text("utf-8"))["measures"]["rows"]
    for key, median, sd in zip(
        summary["measures"], summary["median"], summary["robust_sd"], strict=True
    ):
        if key in norms:  # the same records in part: same middle, same spread
            assert abs(median - norms[key][0]) < 0.5 * norms[key][1], key
            assert 0.7 < sd / norms[key][1] < 1.35, key
