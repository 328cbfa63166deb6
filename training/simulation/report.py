"""A simulation as one HTML file: what would change in words, charts with their tables, and what is asked for first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape

from training.report import drawn, write_page
from training.report_sections import Section
from training.simulation.charts import distribution_bars, grade_bars, group_bars, line_bars, score_dots
from training.simulation.groups import group_table
from training.simulation.simulation import Simulation
from training.simulation.tables import distribution_table, grade_table, line_table

SHORT = {
    "lines": ("Why", "原因"),
    "distribution": ("Distribution", "分布"),
    "units": ("Units", "各单位"),
    "groups": ("Groups", "分组"),
    "grades": ("Grades", "等级"),
}
"""What the list of contents calls each section."""
TABLE_ROWS = 500
"""Units in the table of the report, those that move most; `scores.csv` has all."""
TOLD = ("unit", "period", "before", "after", "difference", "grade_before", "grade_after", "rank_before", "rank_after")
"""Of each unit, beside the main reason."""


def write_report(simulation: Simulation, path: Path, *, note: str = "") -> None:
    """Write the report of a simulation; the page is complete in itself.

    Parameters
    ----------
    simulation : Simulation
    path : Path
        The HTML file.
    note : str
        Which policy stands for the present, and why.
    """
    environment = Environment(loader=PackageLoader("training"), autoescape=select_autoescape(default=True))
    about = simulation.setting.snapshot.description
    page = environment.get_template("simulation.html").render(
        title=about.title,
        versions=simulation.versions,
        change=None if simulation.change is None else simulation.change.kind.replace("_", " "),
        synthetic="synthetic" in f"{about.name} {about.title.en} {about.source}".lower(),
        present=note,
        cards=_cards(simulation),
        statements=simulation.statements,
        sections=drawn(_sections(simulation), SHORT),
        differences=simulation.differences,
        obligations=simulation.obligations,
        retraining=simulation.retraining,
        notes=simulation.notes,
    )
    write_page(page, path)


def _cards(simulation: Simulation) -> list[dict[str, object]]:
    compared = simulation.compared
    change = compared.difference[compared.both]
    count = len(change)
    mean = float(change.mean()) / 10 if count else float("nan")
    figures = [
        (f"{count:,}", ("scores compared", "个得分参与比较"), "plain"),
        (f"{int((change > 0).sum()):,}", ("gain", "个上升"), "good"),
        (f"{int((change < 0).sum()):,}", ("lose", "个下降"), "bad"),
        (f"{mean:+.2f}" if np.isfinite(mean) else "–", ("points on average", "分（平均变动）"), "plain"),
    ]
    if simulation.pool is not None:
        figures.append((f"{simulation.pool.extra:+,.0f}", ("bonus pool", "奖金总额变动"), "plain"))
    return [{"figure": figure, "label": label, "mark": mark} for figure, label, mark in figures]


def _sections(simulation: Simulation) -> list[Section]:
    compared = simulation.compared
    if not compared.both.any():
        return []
    lines, spread, groups, grades = (
        line_table(compared),
        distribution_table(compared),
        group_table(compared),
        grade_table(compared),
    )
    moving = lines[lines["size"] > 0]
    made = []
    if len(moving):
        made.append(
            Section(
                "lines",
                ("What moves scores", "得分变动的来源"),
                (
                    "Each bar is what a line of the scorecard, an adjustment or a gate did to the mean score; together "
                    "they are the mean change.",
                    "每根柱为一项指标、加减分或规则对平均得分的影响，合计等于平均变动。",
                ),
                line_bars(lines),
                moving[["kind", "line", "name_en", "name_zh", "mean", "gain", "lose"]],
            )
        )
    made.append(
        Section(
            "distribution",
            ("How scores are spread", "得分分布"),
            (
                "Scores in classes of five points, of units that have one on both sides.",
                "按五分一档统计变更前后均有得分的单位。",
            ),
            distribution_bars(spread),
            spread,
        )
    )
    scores = simulation.scores
    order = scores["difference"].abs().sort_values(ascending=False, kind="stable").index[:TABLE_ROWS]
    made.append(
        Section(
            "units",
            ("Unit by unit", "各单位"),
            (
                f"The last period. Above the dotted line a score gains. The table has the {TABLE_ROWS} that move most; "
                "ranks are within peer groups.",
                f"末期得分。虚线上方为上升。表中列变动最大的{TABLE_ROWS}个；排名仅在同组内。",
            ),
            score_dots(compared),
            scores.loc[order, [*TOLD, "main_reason_en", "main_reason_zh"]].astype(object),
        )
    )
    if groups["mean_change"].notna().any():
        made.append(
            Section(
                "groups",
                ("Who gains and who loses", "得失分组"),
                (
                    "The mean change by group. Groups of fewer than five units are not shown. Size and score are cut "
                    "into thirds within each period.",
                    "各组平均变动。少于五家单位的组不予显示；规模与得分按期三等分。",
                ),
                group_bars(groups),
                groups,
            )
        )
    if len(grades):
        names = [g.name for g in simulation.setting.before.grades]
        names += [g.name for g in simulation.setting.after.grades if g.name not in names]
        made.append(
            Section(
                "grades",
                ("Grades", "等级"),
                (
                    "Each column is a grade before; its parts are the grades after.",
                    "每列为变更前等级，色块为变更后等级。",
                ),
                grade_bars(grades, names),
                grades,
            )
        )
    return made
