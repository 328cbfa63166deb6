"""The backtest as one HTML file: charts and all figures, nothing fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape

from features.store import Snapshot
from training.backtest import LOADLINE, REFERENCE, Backtest

if TYPE_CHECKING:
    import plotly.graph_objects as go

PROMISED = {"attained_floor": 0.85, "attained_target": 0.60, "attained_stretch": 0.20}
COLOURS = {LOADLINE: "#0b5cad", REFERENCE: "#e08a00"}
OTHERS = "#9aa7b4"


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
    summary = backtest.summary()
    shown = summary.map(lambda value: f"{value:.3f}" if isinstance(value, float) else value)
    environment = Environment(loader=PackageLoader("training"), autoescape=select_autoescape(default=True))
    about = snapshot.description
    page = environment.get_template("report.html").render(
        title=about.title,
        version=snapshot.about,
        as_of=backtest.as_of,
        years=sorted(backtest.metrics["year"].unique().tolist()),
        synthetic="synthetic" in f"{about.name} {about.title.en} {about.source}".lower(),
        charts=_charts(summary, backtest.metrics),
        columns=list(summary.columns),
        rows=shown.to_dict(orient="records"),
        own=LOADLINE,
        skipped=backtest.skipped,
    )
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)


def _charts(summary: pd.DataFrame, metrics: pd.DataFrame) -> list[dict[str, Any]]:
    figures = [
        (
            "Loss against pooled growth · 相对基准的预测误差",
            "Left of 1 is better. · 小于 1 为优。",
            _dots(summary, "loss_ratio", reference=1.0),
        ),
        (
            "Coverage of the 80% band · 80% 区间覆盖率",
            "The share of outcomes inside the band; near 0.8 is honest. · 实际值落入区间的比例，越接近 0.8 越可信。",
            _dots(summary, "coverage", reference=0.8),
        ),
        (
            "Attained against promised · 实际达成率与承诺概率",
            "Floor, target and stretch are to be attained by 85, 60 and 20%. · "
            "基础、目标、挑战三档的承诺达成概率为 85%、60%、20%。",
            _attained(summary),
        ),
        (
            "By origin · 各年表现",
            "Years differ: units share the year's luck. · 年份之间有差异：各机构共享当年环境。",
            _by_year(metrics),
        ),
    ]
    charts = []
    for number, (title, note, figure) in enumerate(figures):
        figure.update_layout(template="plotly_white", margin={"l": 10, "r": 10, "t": 10, "b": 40}, legend_title=None)
        html = figure.to_html(full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False})
        charts.append({"title": title, "note": note, "html": html})
    return charts


def _dots(summary: pd.DataFrame, column: str, *, reference: float) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    labels = summary["indicator"] + " · " + summary["level"]
    for model in _models(summary):
        rows = summary["model"] == model
        marker = {"size": 11 if model in COLOURS else 7, "color": COLOURS.get(model, OTHERS)}
        symbol = "circle" if model in COLOURS else "circle-open"
        figure.add_scatter(
            x=summary.loc[rows, column], y=labels[rows], mode="markers", name=model, marker=marker | {"symbol": symbol}
        )
    figure.add_vline(x=reference, line_dash="dash", line_color="#5a6b7b")
    figure.update_layout(height=160 + 28 * labels.nunique(), yaxis={"autorange": "reversed"})
    return figure


def _attained(summary: pd.DataFrame) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    for model in _models(summary):
        means = summary.loc[summary["model"] == model, list(PROMISED)].mean()
        figure.add_scatter(
            x=list(PROMISED.values()), y=means, mode="lines+markers", name=model,
            line={"color": COLOURS.get(model, OTHERS), "width": 3 if model in COLOURS else 1},
        )  # fmt: skip
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="promised", line={"dash": "dash", "color": "#5a6b7b"})
    figure.update_layout(height=420, xaxis_title="promised · 承诺", yaxis_title="attained · 实际")
    return figure


def _by_year(metrics: pd.DataFrame) -> go.Figure:
    import plotly.graph_objects as go

    losses = metrics.pivot_table(index=["indicator", "level", "year"], columns="model", values="loss")
    ratio = losses.div(losses[REFERENCE], axis=0).groupby(level="year").median()
    figure = go.Figure()
    for model in _models(metrics):
        figure.add_scatter(
            x=ratio.index.astype(str), y=ratio[model], mode="lines+markers", name=model,
            line={"color": COLOURS.get(model, OTHERS), "width": 3 if model in COLOURS else 1},
        )  # fmt: skip
    figure.update_layout(height=360, yaxis_title="loss ratio, median · 误差比（中位数）", xaxis={"type": "category"})
    return figure


def _models(frame: pd.DataFrame) -> list[str]:
    """List the models, those to look at last so that they are drawn on top."""
    every = sorted(frame["model"].unique())
    return [model for model in every if model not in COLOURS] + [
        model for model in (REFERENCE, LOADLINE) if model in every
    ]
