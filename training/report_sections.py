"""The parts of a backtest report: for each a title, what to see in it, a chart, and the same figures as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.judging.fairness import GAP, SLOPE
from training.backtest import EVERY_INDICATOR, Backtest, summarised
from training.question import LOADLINE, REFERENCE
from training.report_charts import (
    DIMENSION_NAMES,
    PROMISED,
    TERCILE_NAMES,
    attained_lines,
    coverage_dots,
    fairness_bars,
    loss_dots,
    pit_bars,
    ratchet_bars,
    reliability_panels,
    year_lines,
)
from training.report_words import base_level, name_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN_GROUPS = 40
"""Groups in the chart of groups, the largest; the table has all."""

ATTAINED_NAMES = {
    "attained_stretch": "stretch 20%",
    "attained_target": "target 60%",
    "attained_p70": "70%",
    "attained_floor": "floor 85%",
    "attained_p90": "90%",
}


SHORT = {
    "loss": ("Error", "误差"),
    "groups": ("Groups", "分组"),
    "coverage": ("Coverage", "覆盖率"),
    "attained": ("Promises", "承诺与达成"),
    "fairness": ("Fairness", "公平性"),
    "ratchet": ("Ratchet", "鞭打快牛"),
    "promises": ("Promises by year", "各年兑现"),
    "pit": ("Calibration", "校准"),
    "years": ("By year", "各年"),
}
"""What the list of contents calls each section."""


@dataclass(frozen=True)
class Section:
    """One part of the report: title and notes in both languages, a chart, and the same as a table."""

    key: str
    title: tuple[str, str]
    note: tuple[str, str]
    figure: go.Figure
    table: pd.DataFrame

    @property
    def axis_on_top(self) -> bool:
        """Tell whether the horizontal axis is above the picture, as long charts have it."""
        return self.figure.to_dict()["layout"].get("xaxis", {}).get("side") == "top"


def sections(backtest: Backtest) -> list[Section]:
    """Give the parts of the report that the backtest has figures for."""
    summary = backtest.summary()
    made = [_loss(summary), _groups(backtest), _coverage(summary), _attained(summary)]
    made += _fairness(backtest.fairness)
    made += _calibration(backtest.calibration)
    made.append(_years(backtest.metrics))
    return [section for section in made if section is not None]


def _loss(summary: pd.DataFrame) -> Section:
    shown = base_level(summary)
    return Section(
        "loss",
        ("Error by model and indicator", "各模型、各指标的预测误差"),
        (
            "Each dot is a model's error (pinball loss) over that of pooled growth, on the same units. Left of 1 is "
            "better. The lowest level of the tree; the others are in the table of all figures.",
            "每个点为该模型误差与历史平均增速误差之比（同一批机构）。小于 1 为优。图示最低层级，其余层级见全部结果。",
        ),
        loss_dots(shown, shown["indicator"]),
        _wide(shown, "indicator", "loss_ratio"),
    )


def _groups(backtest: Backtest) -> Section | None:
    if backtest.by_group.empty:
        return None
    rows = _without_twin(
        summarised(base_level(backtest.by_group), ["grouping", "group", "model"]), "grouping", "outcomes"
    )
    own = rows[rows["model"] == LOADLINE].sort_values("outcomes", ascending=False).head(SHOWN_GROUPS)
    if own.empty:
        return None
    shown = rows.merge(own[["grouping", "group"]]).sort_values(["grouping", "group"], kind="stable")
    shown = shown[shown["model"] != REFERENCE]
    label = shown["group"] + " (" + shown["grouping"].map({"peer_group": "peers", "region_type": "region"}) + ")"
    table = rows[rows["model"] == LOADLINE]
    table = table[["grouping", "group", "outcomes", "loss_ratio", "coverage", *ATTAINED_NAMES]]
    return Section(
        "groups",
        ("By peer group and region type", "按同类组与区域类型"),
        (
            "The same error ratio within each group, all indicators together. Groups of fewer than five units are not "
            "shown. The table gives Loadline's coverage and attained shares, too.",
            "各组内的误差比（全部指标合并）。少于五家机构的组不予显示。表中另列 Loadline 的覆盖率与达成率。",
        ),
        loss_dots(shown, label),
        table.rename(columns=ATTAINED_NAMES),
    )


def _coverage(summary: pd.DataFrame) -> Section:
    shown = base_level(summary)
    return Section(
        "coverage",
        ("Does the 80% band hold 80%?", "80% 区间是否名副其实"),
        (
            "The share of outcomes inside the band. Left of the shade the band is too narrow and promises more than it "
            "keeps; right of it, it is wider than need be.",
            "实际值落入区间的比例。低于阴影说明区间过窄、承诺过度；高于阴影说明区间过宽。",
        ),
        coverage_dots(shown, shown["indicator"]),
        _wide(shown, "indicator", "coverage"),
    )


def _attained(summary: pd.DataFrame) -> Section:
    shown = base_level(summary)
    means = shown.groupby("model")[list(PROMISED)].mean()
    table = means.rename(index=name_of, columns=ATTAINED_NAMES).reset_index()
    return Section(
        "attained",
        ("Attained against promised", "实际达成与承诺概率"),
        (
            "A target promised at 60% should be attained by 60% of units. On the dotted line a promise is kept; below "
            "it targets were harder than they were said to be.",
            "承诺概率 60% 的目标，应有 60% 的机构达成。落在虚线上即兑现；低于虚线说明目标比所称的更难。",
        ),
        attained_lines(means),
        table,
    )


def _fairness(fairness: pd.DataFrame) -> list[Section]:
    rows = fairness[(fairness["indicator"] == EVERY_INDICATOR) & (fairness["target_level"] == "target")]
    own = _without_twin(rows[rows["model"] == LOADLINE], "dimension", "n")
    if own.empty:
        return []
    promised = float(own.loc[~own["group"].isin([GAP, SLOPE]), "promised"].median())
    columns = ["dimension", "group", "years", "n", "promised", "attained", "versus_others", "low", "high"]
    ratchet = rows[(rows["dimension"] == "past_growth") & (rows["group"] == GAP)]
    named = own[columns].replace({"dimension": DIMENSION_NAMES, "group": TERCILE_NAMES})
    made = [
        Section(
            "fairness",
            ("Fairness: is the target as reachable for everyone?", "公平性：目标对各类机构是否同样可达"),
            (
                "The share of units in each group that attained its target, all indicators together. The whisker is a "
                "90% interval of the group's distance from the others, from resampling years. In the shade: within "
                "five points of the promise. Size, volatility and past growth are cut into thirds.",
                "各组机构达成目标的比例（全部指标合并）。横线为该组与其余机构差距的 90% 区间（按年度重抽样）。"
                "阴影为承诺概率上下五个百分点。规模、波动性、过往增速各分三等份。",
            ),
            fairness_bars(own, promised=promised),
            named,
        )
    ]
    if len(ratchet):
        made.append(
            Section(
                "ratchet",
                ("The ratchet: are fast growers asked too much?", "鞭打快牛：增长快者是否被要求过高"),
                (
                    "How much less often units of fast past growth attained the 60% target than units of slow past "
                    "growth, by model. Within the shade is fair; a bar to the right asks too much of those who did "
                    "well, one to the left too little.",
                    "按模型比较：过往增长快的机构，其 60% 目标达成率比增长慢者低多少。阴影内为公平；"
                    "柱形向右说明对快者要求过高，向左则要求过低。",
                ),
                ratchet_bars(ratchet),
                ratchet.assign(model=ratchet["model"].map(name_of))[["model", *columns[2:]]],
            )
        )
    return made


def _calibration(calibration: pd.DataFrame) -> list[Section]:
    rows = base_level(calibration) if len(calibration) else calibration
    if rows.empty:
        return []
    table = rows.assign(hits=rows["share"] * rows["n"]).groupby(["kind", "point", "year"])[["hits", "n"]].sum()
    shares = (table["hits"] / table["n"]).unstack("year")
    kept = shares.drop(index="pit", level="kind", errors="ignore").reset_index()
    return [
        Section(
            "promises",
            ("Are probabilities kept, year by year?", "各年度概率是否兑现"),
            (
                "Left: the share that attained a target promised at each probability; a thin line is a year. Years "
                "swing because units share their luck. Right: the same once the group's outcome of the year is known; "
                "what is left there is the units' own spread.",
                "左：各承诺概率下的实际达成比例，细线为单个年度；因各机构共享当年环境，年度间波动较大。"
                "右：已知当年全行结果之后的达成比例，只剩各机构自身的离散。",
            ),
            reliability_panels(rows),
            kept.rename(columns=str),
        ),
        Section(
            "pit",
            ("Where outcomes fell in their forecasts", "结果在预测分布中的位置"),
            (
                "Level bars: the forecast distribution is right. High ends: too narrow; a high middle: too wide; a "
                "slope: too low or too high. Lines are single years.",
                "柱形齐平说明分布准确；两端高说明过窄，中间高说明过宽，倾斜说明偏低或偏高。细线为单个年度。",
            ),
            pit_bars(rows),
            shares.loc[["pit"]].reset_index().rename(columns=str),
        ),
    ]


def _years(metrics: pd.DataFrame) -> Section:
    rows = base_level(metrics)
    logs = rows.assign(log=np.log(rows["loss_ratio"].where(rows["loss_ratio"] > 0)))
    ratios = logs.pivot_table(index="year", columns="model", values="log", aggfunc="mean").map(np.exp)
    table = ratios.rename(columns=name_of).reset_index()
    table["year"] = table["year"].astype(str)
    return Section(
        "years",
        ("By year", "各年表现"),
        (
            "The error ratio of each replayed year, the geometric mean over indicators.",
            "各回放年度的误差比（各指标的几何平均）。",
        ),
        year_lines(ratios),
        table,
    )


def _without_twin(rows: pd.DataFrame, column: str, count: str) -> pd.DataFrame:
    """Leave region types out where peer groups are the very same."""
    sizes = [
        set(part[["group", "model", count]].itertuples(index=False, name=None))
        for name in ("region_type", "peer_group")
        if not (part := rows[(rows[column] == name) & (rows["group"] != GAP)]).empty
    ]
    return rows[rows[column] != "region_type"] if len(sizes) == 2 and sizes[0] == sizes[1] else rows


def _wide(summary: pd.DataFrame, row: str, column: str) -> pd.DataFrame:
    """Put models across."""
    wide = summary.pivot_table(index=row, columns="model", values=column, sort=False)
    order = [LOADLINE, REFERENCE, *sorted(set(wide.columns) - {LOADLINE, REFERENCE})]
    return wide[[model for model in order if model in wide]].rename(columns=name_of).reset_index()
