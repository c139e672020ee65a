"""The article's tables: verdicts, remedies, rates and signs of alarm, a row each."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.article import phrases
from neurosim.article.verdict import Verdict
from neurosim.base.parameters import parameter
from neurosim.model.axon.axon import AXONS
from neurosim.model.body.remedies import remedy
from neurosim.view import export

if TYPE_CHECKING:
    from neurosim.article.matrix import RemedyMatrix

VERDICT_FIELDS = tuple(
    f.name
    for f in fields(Verdict)
    if f.name not in ("axon_ratios", "share_ratios", "changes", "lean", "lid", "reason")
)


def verdict_rows(article: Any) -> list[dict[str, Any]]:
    """Return a row for each verdict: every field, the ratio with each axon, and words on it."""
    rows: list[dict[str, Any]] = []
    for v in article.verdicts:
        ratios = {article.base.axon: v.rate_ratio, **v.axon_ratios}
        row = {name: getattr(v, name) for name in VERDICT_FIELDS}
        row |= {f"{c}_in": " ".join(v.changed(c)) for c in ("more", "same", "fewer")}
        row |= {"leans_on": phrases.lean_words(v), "flips_at": phrases.flip_words(v)}
        row |= {"turns": v.turns if v.lean else ""}
        row |= {f"rate_ratio_{name}": ratios.get(name, float("nan")) for name in AXONS}
        ends = sorted(v.share_ratios) or [math.nan, math.nan]
        row |= {
            f"rate_ratio_{end}_event_share": v.share_ratios.get(share, math.nan)
            for end, share in zip(("low", "high"), ends, strict=True)
        }
        row |= {
            "turns_with_axon": " ".join(v.turns_with),
            "assumed_sizes": " ".join(phrases.assumed_sizes(v.kind, v.factor)),
            "note": phrases.note_words(v),
            "says": phrases.phrase(v, article),
            **_lid_cells(v),
        }
        rows.append(row)
    return rows


def _lid_cells(v: Verdict) -> dict[str, Any]:
    """Return what stands of a prone eyelid in the row of a verdict; nothing where it has no say."""
    lid = v.lid
    return {
        "lid_outcome": lid.outcome if lid else "",
        "lid_ratio": lid.ratio if lid else math.nan,
        "lid_low": lid.low if lid else math.nan,
        "lid_high": lid.high if lid else math.nan,
        "lid_turned_by": " ".join(lid.turned_by) if lid else "",
        "lid_chosen": " ".join(lid.chosen) if lid else "",
    }


def remedy_rows(matrix: RemedyMatrix) -> list[dict[str, Any]]:
    """Return a row for each remedy on each cause: ratio, interval, and whom it helps."""
    rows: list[dict[str, Any]] = []
    for i, cause in enumerate(matrix.causes):
        for j, name in enumerate(matrix.remedies):
            word, ratio = phrases.remedy_cell(matrix, i, j)
            rows.append(
                {
                    "cause": cause,
                    "remedy": name,
                    "remedy_words": remedy(name).label,
                    "applies": bool(matrix.applies[i, j]),
                    "effect": word,
                    "rate_ratio": ratio.value,
                    "ci_low": ratio.low,
                    "ci_high": ratio.high,
                    "people": ratio.people,
                    "helped_share": phrases.share_helped(matrix, i, j),
                }
            )
    return rows


def rate_rows(article: Any) -> list[dict[str, Any]]:
    """Return a row for each state: median and quartiles of people's rates, and who is silent."""
    rows: list[dict[str, Any]] = []
    for name, per_min in article.rates.items():
        quartiles = np.quantile(per_min, (0.25, 0.5, 0.75))
        keys = ("quartile1_per_min", "median_per_min", "quartile3_per_min")
        silent = float((per_min <= parameter("study", "rate_floor")).mean())
        rows.append(
            {
                "scenario": name,
                "people": per_min.size,
                **dict(zip(keys, map(float, quartiles), strict=True)),
                "silent_share": silent,
            }
        )
    return rows


def table_files(article: Any) -> dict[str, bytes]:
    """Return the tables as files; the sidecar of the verdicts says where all of them come from."""
    about = export.provenance(
        article.base,
        counts=phrases.count_outcomes(article.verdicts),
        diaries={"people": len(article.alarms.diaries), "weeks": article.alarms.weeks},
    )
    files = export.table_files("verdicts", verdict_rows(article), about)
    others = {
        "remedies": remedy_rows(article.matrix),
        "rates": rate_rows(article),
        "alarms": article.alarms.rows(),
    }
    return files | {
        f"{stem}.csv": export.csv_bytes(export.to_columns(rows)) for stem, rows in others.items()
    }
