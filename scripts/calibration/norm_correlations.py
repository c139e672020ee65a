"""Tabulate how the derived measures of healthy people go together.

    python scripts/calibration/norm_correlations.py PO.json CA.json [--out FILE.json]

The files are those of `res/data` of the Nerve Norms web tool (kelvinejones/nerve-norms on
GitHub, MIT licence): a list of records, each with a ``header`` (name, age, sex, temperature,
normalControl, srSites) and ``exVars`` (the recorder's excitability variables by number). A
table with one record a row (CSV; columns name, temperature, e3, e7, ...) is read, too. Only
aggregates are written: for every pair of measures the number of records that have both, their
correlation, and its standard error by bootstrap over records.

The correlation is Spearman's rank correlation, turned into that of a normal distribution
(2 sin(pi rho / 6)): a wrong record counts no more than any other. Values that cannot be are
left out first (`POSSIBLE`), and imputed ones.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from pathlib import Path

import numpy as np

MEASURES = {  # number of the recorder's variable -> measure, least and greatest value that can be
    3: ("sdtc_ms", 0.1, 1.2),
    7: ("resting_iv_slope", 0.1, 1.5),
    8: ("minimum_iv_slope", 0.02, 1.0),
    10: ("relative_refractory_period_ms", 1.5, 6.0),
    11: ("te_h_90_100_percent", -300.0, -40.0),
    12: ("te_d_10_20_percent", 30.0, 100.0),
    13: ("superexcitability_percent", -60.0, 10.0),
    14: ("subexcitability_percent", -5.0, 50.0),
    20: ("te_d_40_60_percent", 20.0, 80.0),
    21: ("te_d_90_100_percent", 20.0, 80.0),
    22: ("te_h_10_20_percent", -130.0, -40.0),
    23: ("te_d_undershoot_percent", -45.0, 0.0),
    24: ("te_h_overshoot_percent", 0.0, 50.0),
    25: ("te_d_peak_percent", 40.0, 100.0),
    26: ("s2_accommodation_percent", 0.0, 50.0),
    27: ("accommodation_half_time_ms", 15.0, 80.0),
    28: ("hyperpolarising_iv_slope", 0.02, 1.5),
    29: ("refractoriness_2_5_ms_percent", -60.0, 200.0),
    30: ("te_h_20_40_percent", -180.0, -50.0),
    31: ("te_h_slope_101_140_percent_per_ms", 0.5, 5.0),
    32: ("refractoriness_2_ms_percent", -40.0, 300.0),
}
SKIN_C = (25.0, 40.0)
BOOTSTRAPS = 1000
LEAST_PAIRS = 20  # fewer records than this tell nothing


def possible(value, low: float, high: float) -> float:
    """Return `value` if it is a number from `low` to `high`, else NaN."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if low <= number <= high else math.nan


def row_of(temperature, values) -> list[float]:
    """Return skin temperature and every measure of one record, NaN where it has none."""
    found = [possible(values.get(k), low, high) for k, (_, low, high) in MEASURES.items()]
    return [possible(temperature, *SKIN_C), *found]


def read_json(path: Path) -> dict[str, list[float]]:
    """Return the rows of the records of one file by name and date."""
    rows = {}
    for record in json.loads(path.read_text("utf-8")):
        header = record["header"]
        values = {v["id"]: v["value"] for v in record["exVars"] if not v.get("wasImputed")}
        key = f"{header['name']} {header.get('date', '')} {header.get('StartTime', '')}"
        rows[key] = row_of(header.get("temperature"), values)
    return rows


def read_csv(path: Path) -> dict[str, list[float]]:
    """Return the rows of one table by name and place in the table."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            f"{i} {line['name']}": row_of(
                line.get("temperature"), {k: line.get(f"e{k}") for k in MEASURES}
            )
            for i, line in enumerate(csv.DictReader(file))
        }


def read(paths) -> np.ndarray:
    """Return all records, shape (records, 1 + measures); temperature is the first column."""
    rows: dict[str, list[float]] = {}
    for path in map(Path, paths):
        found = read_csv(path) if path.suffix == ".csv" else read_json(path)
        rows.update({f"{path.stem} {name}": row for name, row in found.items()})
    table = np.array(list(rows.values()), float)
    return table[np.isfinite(table[:, 1:]).sum(axis=1) >= len(MEASURES) // 2]


def ranked(table: np.ndarray) -> np.ndarray:
    """Return the rank of every value in its column, less the mean rank; 0 where it is NaN."""
    from scipy.stats import rankdata

    known = np.isfinite(table)
    ranks = np.where(known, rankdata(np.where(known, table, np.inf), axis=0), 0.0)
    return np.where(known, ranks - ranks.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)


def rank_correlation(table: np.ndarray) -> np.ndarray:
    """Return the correlations, (columns, columns), of a normal distribution.

    It has the Spearman correlations of the table, each over the records that have both.
    """
    ranks, known = ranked(table), np.isfinite(table).astype(float)
    square = ranks.T**2 @ known  # of each column, over the records that have the other
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = ranks.T @ ranks / np.sqrt(square * square.T)
    return 2.0 * np.sin(np.pi * rho / 6.0)


def correlations(table: np.ndarray, seed: int = 1, bootstraps: int = BOOTSTRAPS):
    """Return (correlation, number of records, bootstrap standard error), each (columns, columns).

    NaN where fewer than `LEAST_PAIRS` records have both.
    """
    rng = np.random.default_rng(seed)
    known = np.isfinite(table).astype(int)
    number = known.T @ known
    few = number < LEAST_PAIRS
    drawn = [
        rank_correlation(table[rng.integers(0, len(table), len(table))]) for _ in range(bootstraps)
    ]
    with np.errstate(invalid="ignore"):
        error = np.std(drawn, axis=0, ddof=1)
    return np.where(few, np.nan, rank_correlation(table)), number, np.where(few, np.nan, error)


def robust_sd(x: np.ndarray) -> float:
    """Return the standard deviation of a normal distribution with the middle half of `x`."""
    low, high = np.nanpercentile(x, [25.0, 75.0])
    return float((high - low) / 1.349)


def summary(table: np.ndarray, seed: int = 1, bootstraps: int = BOOTSTRAPS) -> dict:
    """Return the table that is written, as plain lists."""
    r, number, error = correlations(table, seed, bootstraps)

    def rows(matrix, digits):
        return [[None if v != v else round(float(v), digits) for v in line] for line in matrix]

    names = ["skin_temperature_c", *(name for name, _, _ in MEASURES.values())]
    return {
        "about": "How derived measures of single healthy human median motor nerves go together: "
        "rank correlations as of a normal distribution, number of records of each pair, bootstrap "
        "standard error. Aggregated from open records published with the Nerve Norms web tool "
        "(kelvinejones/nerve-norms on GitHub, MIT licence); no single record is kept here.",
        "records": len(table),
        "measures": names,
        "median": [round(float(v), 4) for v in np.nanmedian(table, axis=0)],
        "robust_sd": [round(robust_sd(column), 4) for column in table.T],
        "correlation": rows(r, 3),
        "standard_error": rows(error, 3),
        "n": [[int(v) for v in line] for line in number],
    }


def text_of(found: dict) -> str:
    """Return the table as JSON, one line a row of a matrix."""
    lines = []
    for key, value in found.items():
        if isinstance(value, list) and isinstance(value[0], list):
            inner = ",\n".join("    " + json.dumps(row) for row in value)
            lines.append(f'  "{key}": [\n{inner}\n  ]')
        else:
            lines.append(f'  "{key}": {json.dumps(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments=None) -> None:
    """Read, tabulate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", help="PO.json, CA.json (or tables of them, .csv)")
    parser.add_argument("--out", default="neurosim/clinic/norm_correlations.json")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bootstraps", type=int, default=BOOTSTRAPS)
    options = parser.parse_args(arguments)
    table = read(options.files)
    found = summary(table, options.seed, options.bootstraps)
    found["files"] = [Path(p).stem for p in options.files]
    Path(options.out).write_text(text_of(found), encoding="utf-8")
    print(f"{len(table)} records from {len(options.files)} files -> {options.out}")


if __name__ == "__main__":
    main()
