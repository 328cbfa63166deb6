"""The charts of a backtest report: one function a picture, from the backtest's tables to a Plotly figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.judging.fairness import GAP, SLOPE, TERCILES
from models.judging.reliability import PIT_BINS
from training.question import LOADLINE, REFERENCE
from training.report_words import HONEST_COVERAGE, RATCHET_LIMIT, name_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = {
    LOADLINE: "#0b5cad",
    REFERENCE: "#d97a00",
    "own_drift": "#7a9e3f",
    "auto_ets": "#8a6fb0",
    "auto_arima": "#b07a9a",
}
"""The models to compare by eye; the others are grey."""
OTHERS = "#8494a5"
SYMBOLS = {"last_year_plus": "diamond-open", "uniform_uplift": "square-open", "market_share": "triangle-up-open"}
DASHES = {"last_year_plus": "dash", "uniform_uplift": "dot", "market_share": "dashdot"}
"""What tells the grey ones apart."""
LINE, SHADE = "#5a6b7b", "rgba(11,92,173,0.09)"

PROMISED = {"attained_stretch": 0.20, "attained_target": 0.60, "attained_p70": 0.70, "attained_floor": 0.85}
PROMISED = PROMISED | {"attained_p90": 0.90}
"""Promised probabilities by the column of what came."""

DIMENSION_NAMES = {
    "region_type": "region type · 区域类型",
    "peer_group": "peer group · 同类组",
    "size": "size · 规模",
    "volatility": "volatility · 波动性",
    "past_growth": "past growth · 过往增速",
}
TERCILE_NAMES = {"low": "low · 低", "middle": "middle · 中", "high": "high · 高"}

CLIPPED = (0.5, 1.6)
"""Losses beyond are drawn at the edge: one runaway rule would squeeze all others together. The tables have them."""

ROW = 26
"""Height of a row, in pixels."""


def loss_dots(summary: pd.DataFrame, label: pd.Series, *, column: str = "loss_ratio") -> go.Figure:
    """Draw each model's loss ratio, a row for each label; the shaded half is better than pooled growth."""
    figure = _figure()
    for model in drawn(summary):
        rows = summary["model"] == model
        value = summary.loc[rows, column]
        figure.add_scatter(
            x=value.clip(*CLIPPED), y=label[rows], customdata=value, mode="markers", name=name_of(model),
            marker=_marker(model), hovertemplate="%{y}: %{customdata:.3f}",
        )  # fmt: skip
    figure.add_vrect(x0=CLIPPED[0], x1=1, fillcolor=SHADE, line_width=0, layer="below")
    figure.add_vline(x=1, line_color=LINE, line_width=1)
    figure.update_xaxes(range=[CLIPPED[0] - 0.02, CLIPPED[1] + 0.02], title="error ratio · 误差比", side="top")
    return _rows(figure, label)


def coverage_dots(summary: pd.DataFrame, label: pd.Series) -> go.Figure:
    """Draw how much of the outcomes each model's 80% band held; the shaded range is honest."""
    figure = _figure()
    for model in drawn(summary):
        rows = summary["model"] == model
        figure.add_scatter(
            x=summary.loc[rows, "coverage"], y=label[rows], mode="markers", name=name_of(model),
            marker=_marker(model), hovertemplate="%{y}: %{x:.0%}",
        )  # fmt: skip
    figure.add_vrect(*HONEST_COVERAGE, fillcolor=SHADE, line_width=0, layer="below")
    figure.add_vline(x=0.8, line_color=LINE, line_width=1)
    figure.update_xaxes(tickformat=".0%", range=[0, 1.02], title="held · 覆盖率", side="top")
    return _rows(figure, label)


def attained_lines(means: pd.DataFrame) -> go.Figure:
    """Draw the share attained against the promised one: models down, columns of `PROMISED` across."""
    figure = _figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="as promised · 完全兑现", line={"dash": "dot", "color": LINE}
    )
    for model in drawn(means.reset_index()):
        figure.add_scatter(
            x=list(PROMISED.values()), y=means.loc[model, list(PROMISED)], mode="lines+markers", name=name_of(model),
            line=_line(model), hovertemplate="%{x:.0%} → %{y:.0%}",
        )  # fmt: skip
    figure.update_xaxes(tickformat=".0%", range=[0, 1], title="promised · 承诺概率")
    figure.update_yaxes(tickformat=".0%", range=[0, 1], title="attained · 实际达成")
    return figure.update_layout(height=430)


def fairness_bars(rows: pd.DataFrame, *, promised: float) -> go.Figure:
    """Draw the share of each group that attained its target, with the interval of its distance from the others."""
    figure = _figure()
    shown = rows[~rows["group"].isin([GAP, SLOPE])]
    order = {name: place for place, name in enumerate([*DIMENSION_NAMES])}
    shown = shown.sort_values(
        ["dimension", "group"],
        key=lambda column: column.map(order if column.name == "dimension" else _group_place),
        kind="stable",
    )
    for dimension, part in shown.groupby("dimension", sort=False):
        names = [TERCILE_NAMES.get(group, group) for group in part["group"]]
        errors = {
            "type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": LINE,
            "array": part["high"] - part["versus_others"], "arrayminus": part["versus_others"] - part["low"],
        }  # fmt: skip
        figure.add_scatter(
            x=part["attained"], y=[[DIMENSION_NAMES[str(dimension)]] * len(part), names], error_x=errors,
            mode="markers", marker={"size": 10, "color": COLOURS[LOADLINE]}, showlegend=False,
            customdata=part["n"], hovertemplate="%{x:.0%}, n = %{customdata:,}<extra></extra>",
        )  # fmt: skip
    figure.add_vrect(promised - RATCHET_LIMIT, promised + RATCHET_LIMIT, fillcolor=SHADE, line_width=0, layer="below")
    figure.add_vline(x=promised, line_color=LINE, line_width=1)
    figure.update_xaxes(tickformat=".0%", title="attained · 实际达成", side="top")
    figure.update_yaxes(autorange="reversed")
    return figure.update_layout(height=120 + ROW * len(shown))


def ratchet_bars(rows: pd.DataFrame) -> go.Figure:
    """Draw by model how much less often units of fast past growth attained than units of slow past growth."""
    figure = _figure()
    rows = rows.sort_values("versus_others", key=np.abs, ascending=False)
    errors = {
        "type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": LINE,
        "array": rows["high"] - rows["versus_others"], "arrayminus": rows["versus_others"] - rows["low"],
    }  # fmt: skip
    figure.add_bar(
        x=rows["versus_others"], y=[name_of(model) for model in rows["model"]], orientation="h", error_x=errors,
        marker_color=[COLOURS.get(model, OTHERS) for model in rows["model"]], hovertemplate="%{x:.1%}<extra></extra>",
    )  # fmt: skip
    figure.add_vrect(-RATCHET_LIMIT, RATCHET_LIMIT, fillcolor=SHADE, line_width=0, layer="below")
    figure.update_xaxes(tickformat="+.0%", title="slow less fast · 慢者减快者", zeroline=True, zerolinecolor=LINE)
    return figure.update_layout(height=120 + ROW * len(rows), showlegend=False)


def pit_bars(calibration: pd.DataFrame) -> go.Figure:
    """Draw the histogram of where outcomes fell in their distributions, all years as bars and each year as a line."""
    figure = _figure()
    rows = calibration[calibration["kind"] == "pit"]
    weighted = rows.assign(hits=rows["share"] * rows["n"])
    middles = [f"{k / PIT_BINS:.0%}-{(k + 1) / PIT_BINS:.0%}" for k in range(PIT_BINS)]
    every = weighted.groupby("point")[["hits", "n"]].sum()
    figure.add_bar(
        x=middles,
        y=every["hits"] / every["n"],
        name="all years · 各年合计",
        marker_color=COLOURS[LOADLINE],
        opacity=0.8,
    )
    for year, part in weighted.groupby("year"):
        sums = part.groupby("point")[["hits", "n"]].sum()
        figure.add_scatter(x=middles, y=sums["hits"] / sums["n"], name=str(year), mode="lines", line={"width": 1.2})
    figure.add_hline(y=1 / PIT_BINS, line_color=LINE, line_width=1)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", title="share of outcomes · 占比")
    figure.update_xaxes(title="place in the forecast, from its low to its high end · 在预测分布中的位置（由低到高）")
    return figure.update_layout(height=380)


def reliability_panels(calibration: pd.DataFrame) -> go.Figure:
    """Draw attained against promised, year by year: as it was, and once the group's outcome is taken as known."""
    from plotly.subplots import make_subplots

    titles = ("as promised at the start · 年初承诺", "given the group's outcome · 已知全行结果")
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.06)
    for column, kind in enumerate(("attained", "attained_given_group"), start=1):
        rows = calibration[calibration["kind"] == kind]
        weighted = rows.assign(hits=rows["share"] * rows["n"])
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": LINE}, showlegend=False, row=1, col=column
        )
        for year, part in weighted.groupby("year"):
            sums = part.groupby("point")[["hits", "n"]].sum()
            figure.add_scatter(
                x=sums.index, y=sums["hits"] / sums["n"], mode="lines", name=str(year), showlegend=False,
                line={"width": 1, "color": OTHERS}, row=1, col=column,
            )  # fmt: skip
        every = weighted.groupby("point")[["hits", "n"]].sum()
        figure.add_scatter(
            x=every.index, y=every["hits"] / every["n"], mode="lines+markers", name="all years · 各年合计",
            line=_line(LOADLINE), showlegend=False, row=1, col=column,
        )  # fmt: skip
    figure.update_xaxes(tickformat=".0%", range=[0, 1], title="promised · 承诺概率")
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title="attained · 实际达成", col=1)
    return figure.update_layout(height=430)


def year_lines(ratios: pd.DataFrame) -> go.Figure:
    """Draw the loss ratio year by year: years down, models across."""
    figure = _figure()
    for model in drawn(pd.DataFrame({"model": ratios.columns})):
        figure.add_scatter(
            x=ratios.index.astype(str), y=ratios[model].clip(*CLIPPED), customdata=ratios[model], mode="lines+markers",
            name=name_of(model), line=_line(model), hovertemplate="%{x}: %{customdata:.3f}",
        )  # fmt: skip
    figure.add_hline(y=1, line_color=LINE, line_width=1)
    figure.update_xaxes(type="category")
    figure.update_yaxes(title="error ratio · 误差比")
    return figure.update_layout(height=380)


def drawn(frame: pd.DataFrame) -> list[str]:
    """List the models, those to look at last so that they are drawn on top."""
    every = sorted(frame["model"].unique())
    return [m for m in every if m not in COLOURS] + [m for m in reversed(COLOURS) if m in every]


def _figure() -> go.Figure:
    import plotly.graph_objects as go

    return go.Figure()


def _marker(model: str) -> dict[str, object]:
    bold = model in (LOADLINE, REFERENCE)
    return {
        "size": 12 if model == LOADLINE else 9,
        "color": COLOURS.get(model, OTHERS),
        "symbol": "circle" if bold else SYMBOLS.get(model, "circle-open"),
        "line": {"width": 1.5},
    }


def _line(model: str) -> dict[str, object]:
    width = 3 if model in (LOADLINE, REFERENCE) else 1.2
    return {"color": COLOURS.get(model, OTHERS), "width": width, "dash": DASHES.get(model, "solid")}


def _rows(figure: go.Figure, label: Sequence[str] | pd.Series) -> go.Figure:
    """Lay out a chart that has a row for each label, in the order they come."""
    order = list(dict.fromkeys(label))
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=order)
    return figure.update_layout(height=130 + ROW * len(order))


def _group_place(group: str) -> str:
    return str(TERCILES.index(group)) if group in TERCILES else group
