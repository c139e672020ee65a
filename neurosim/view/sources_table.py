"""Parameters of the model in words and as a table, with their citations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.base.parameters import references
from neurosim.view import export

if TYPE_CHECKING:
    from neurosim.base.files import Content
    from neurosim.base.viewable import Sources


def source_rows(sources: Sources) -> list[dict[str, Any]]:
    """Return one row a parameter: value, unit, range, grade, source, citation and note."""
    return [
        {
            "room": group,
            "name": v.name,
            "value": float(v),
            "unit": v.unit,
            "low": v.low,
            "high": v.high,
            "grade": v.grade,
            "source": v.source,
            "citation": references().get(v.source, ""),
            "note": v.note,
        }
        for group, v in sources.entries
    ]


def describe_sources(sources: Sources) -> str:
    """Return every parameter in a line, then the citations, then the counts of the grades."""
    lines: list[str] = []
    for group, v in sources.entries:
        span = "" if v.low != v.low else f" ({v.low:g} to {v.high:g})"
        lines.append(f"{group}.{v.name} = {float(v):g} {v.unit}{span}, {v.grade}, {v.source}")
    lines += ["", "References:", *(f"  {key}: {text}" for key, text in sources.citations.items())]
    return "\n".join([*lines, "", f"{sources_headline(sources)}."])


def sources_headline(sources: Sources) -> str:
    """Return how many parameters there are of each grade."""
    counts = ", ".join(f"{count} {grade}" for grade, count in sources.grades.items())
    return f"{len(sources)} numbers: {counts}"


def source_files(sources: Sources) -> dict[str, Content]:
    """Return the table as ``sources.csv``."""
    return {"sources.csv": export.csv_bytes(export.to_columns(source_rows(sources)))}
