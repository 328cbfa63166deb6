"""The charts of a simulation: one function a picture, from the tables of a comparison to a Plotly figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.report_charts import DIMENSION_NAMES, LINE, ROW, TERCILE_NAMES
from training.simulation.compared import Compared

if TYPE_CHECKING:
    import plotly.graph_objects as go

BEFORE, AFTER = "#8494a5", "#0b5cad"
BETTER, WORSE = "#1f7a4d", "#b3402a"
MOST_DOTS = 4_000
"""Dots of the scatter: more only blacken it."""
DIMENSIONS = DIMENSION_NAMES | {
    "business_line": "business line · 业务条线",
    "level": "level · 层级",
    "score": "score before · 变更前得分",
}


def distribution_bars(table: pd.DataFrame) -> go.Figure:
    """Draw how many scores lie in each class, before and after."""
    figure = _figure()
    classes = [f"{low:g}-{high:g}" for low, high in zip(table["from"], table["to"], strict=True)]
    for column, name, colour in (("before", "before · 变更前", BEFORE), ("after", "after · 变更后", AFTER)):
        figure.add_bar(x=classes, y=table[column], name=name, marker_color=colour)
    figure.update_xaxes(title="score · 得分", type="category")
    figure.update_yaxes(title="count · 个数", rangemode="tozero")
    return figure.update_layout(height=380, barmode="group")


def score_dots(compared: Compared) -> go.Figure:
    """Draw each score of the last period before against after; above the line it gains."""
    figure = _figure()
    period = compared.about["period"].to_numpy()
    rows = np.flatnonzero(compared.both & (period == period[compared.both].max()))[:MOST_DOTS]
    before, after = compared.old.tenths[rows] / 10, compared.new.tenths[rows] / 10
    ends = [float(min(before.min(), after.min())), float(max(before.max(), after.max()))]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"dash": "dot", "color": LINE}, showlegend=False, hoverinfo="skip"
    )
    groups = compared.about["peer_group"].astype(str).to_numpy()[rows]
    for group in sorted(set(groups)):
        here = groups == group
        figure.add_scatter(
            x=before[here], y=after[here], mode="markers", name=group or "–", marker={"size": 6, "opacity": 0.65},
            customdata=compared.about["unit"].to_numpy()[rows][here],
            hovertemplate="%{customdata}: %{x:.1f} → %{y:.1f}",
        )  # fmt: skip
    figure.update_xaxes(title="before · 变更前")
    figure.update_yaxes(title="after · 变更后")
    return figure.update_layout(height=460)


def group_bars(table: pd.DataFrame) -> go.Figure:
    """Draw the mean change of each group that may be shown."""
    figure = _figure()
    shown = table[table["mean_change"].notna()]
    names = [TERCILE_NAMES.get(group, group) for group in shown["group"]]
    figure.add_bar(
        x=shown["mean_change"], y=[[DIMENSIONS[d] for d in shown["dimension"]], names], orientation="h",
        marker_color=_colours(shown["mean_change"]), customdata=shown[["units", "gain", "lose"]],
        hovertemplate="%{x:+.2f}; %{customdata[0]} units, %{customdata[1]} gain, %{customdata[2]} lose<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="mean change, points · 平均变动（分）", zeroline=True, zerolinecolor=LINE, side="top")
    figure.update_yaxes(autorange="reversed")
    return figure.update_layout(height=140 + ROW * len(shown), showlegend=False)


def line_bars(table: pd.DataFrame) -> go.Figure:
    """Draw what each line of the score did on average."""
    figure = _figure()
    shown = table[table["size"] > 0]
    names = [f"{r.name_en} · {r.name_zh}" for r in shown.itertuples()]
    figure.add_bar(
        x=shown["mean"], y=names, orientation="h", marker_color=_colours(shown["mean"]),
        customdata=shown[["gain", "lose"]],
        hovertemplate="%{x:+.2f}; lifts %{customdata[0]}, lowers %{customdata[1]}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="points a score · 平均每个得分（分）", zeroline=True, zerolinecolor=LINE, side="top")
    figure.update_yaxes(autorange="reversed")
    return figure.update_layout(height=140 + ROW * len(shown), showlegend=False)


def grade_bars(table: pd.DataFrame, names: list[str]) -> go.Figure:
    """Draw how many of each grade before have which grade after."""
    figure = _figure()
    for name in names:
        part = table[table["grade_after"] == name].set_index("grade_before")["count"].reindex(names, fill_value=0)
        figure.add_bar(x=names, y=part, name=name, hovertemplate="%{x} → " + name + ": %{y}<extra></extra>")
    figure.update_xaxes(title="grade before · 变更前等级", type="category")
    figure.update_yaxes(title="count, by grade after · 个数（按变更后等级）")
    return figure.update_layout(height=380, barmode="stack")


def _colours(values: pd.Series) -> list[str]:
    return [BETTER if value >= 0 else WORSE for value in values]


def _figure() -> go.Figure:
    import plotly.graph_objects as go

    return go.Figure()
