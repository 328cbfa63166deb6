"""The backtest as one HTML file: a verdict in words, charts with their tables, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape

from features.store import Snapshot
from training.backtest import Backtest
from training.question import LOADLINE
from training.report_sections import SHORT, Section, sections
from training.report_words import SAME, cautions, name_of, verdict

FONT = 'system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif'


LEGEND = {True: {"yanchor": "top", "y": -0.02}, False: {"yanchor": "bottom", "y": 1.02}}
"""Places the legend away from the horizontal axis, which long charts have at the top."""


def write_report(backtest: Backtest, snapshot: Snapshot, path: Path) -> None:
    """Write the report of a backtest; the page is complete in itself.

    Parameters
    ----------
    backtest : Backtest
    snapshot : Snapshot
        For titles and versions.
    path : Path
        The HTML file.
    """
    environment = Environment(loader=PackageLoader("training"), autoescape=select_autoescape(default=True))
    about = snapshot.description
    page = environment.get_template("report.html").render(
        title=about.title,
        version=snapshot.about,
        as_of=backtest.as_of,
        years=sorted(backtest.metrics["year"].unique().tolist()),
        synthetic="synthetic" in f"{about.name} {about.title.en} {about.source}".lower(),
        statements=verdict(backtest),
        cautions=cautions(backtest),
        sections=drawn(sections(backtest), SHORT),
        matrix=_matrix(backtest.summary()),
        own=name_of(LOADLINE),
        skipped=backtest.skipped,
        notes=backtest.notes,
    )
    write_page(page, path)


def write_page(page: str, path: Path) -> None:
    """Write a page; it appears whole or not at all."""
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)


def _matrix(summary: pd.DataFrame) -> dict[str, list]:
    """Give all figures, each row marked as better or worse than pooled growth or the same."""
    rows = []
    for record in summary.to_dict(orient="records"):
        ratio = float(record["loss_ratio"])
        mark = "better" if ratio < 1 - SAME else "worse" if ratio > 1 + SAME else "same"
        cells = [name_of(str(v)) if k == "model" else _text(v) for k, v in record.items()]
        rows.append({"mark": mark, "own": record["model"] == LOADLINE, "cells": cells})
    return {"columns": list(summary.columns), "rows": rows}


def _text(value: object) -> str:
    """Write a figure as a reader wants it.

    >>> _text(0.12345), _text(1200), _text(float("nan"))
    ('0.123', '1,200', '–')
    """
    if isinstance(value, (float, np.floating)):
        return f"{value:.3f}" if np.isfinite(value) else "–"
    return f"{value:,}" if isinstance(value, (int, np.integer)) else str(value)


def drawn(made: Sequence[Section], short: Mapping[str, tuple[str, str]]) -> list[dict[str, object]]:
    """Turn sections into HTML; the first chart brings the drawing library along."""
    out = []
    for number, section in enumerate(made):
        section.figure.update_layout(
            template="plotly_white",
            margin={"l": 10, "r": 16, "t": 60, "b": 50},
            legend={"orientation": "h", "title": None, "x": 0} | LEGEND[section.axis_on_top],
            font={"family": FONT, "size": 13, "color": "#1c2733"},
            hoverlabel={"font": {"family": FONT}},
        )
        section.figure.update_yaxes(automargin=True)
        config = {"displaylogo": False, "responsive": True, "displayModeBar": False}
        html = section.figure.to_html(full_html=False, include_plotlyjs=number == 0, config=config)
        table = {
            "columns": list(section.table.columns),
            "rows": [[_text(v) for v in row] for row in section.table.itertuples(index=False, name=None)],
        }
        out.append(
            {
                "key": section.key,
                "short": short[section.key],
                "title": section.title,
                "note": section.note,
                "html": html,
                "table": table,
            }
        )
    return out
