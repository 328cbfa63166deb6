"""Why a score changes under other rules, in a sentence, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass

from features.indicators import Title
from models.scoring.comparison import Line
from training.simulation.compared import AFTER_ONLY, BEFORE_ONLY, Compared

STAYS = Title(en="no change", zh="得分不变")
NO_SCORE = Title(en="no score on either side", zh="变更前后均无得分")
NEW_SCORE = Title(en="a score only after the change", zh="仅变更后有得分")
LOST_SCORE = Title(en="a score only before the change", zh="仅变更前有得分")


@dataclass(frozen=True)
class Moved:
    """One line of one score before and after, in points; None where the line is not on that side's scorecard."""

    before: float | None
    after: float | None
    weight_before: float
    weight_after: float

    @property
    def difference(self) -> float:
        """Give the change in points."""
        return (self.after or 0.0) - (self.before or 0.0)


def main_reason(compared: Compared, row: int) -> Title:
    """Say what moved a row's score most."""
    status = compared.status[row]
    if not compared.both[row]:
        return {BEFORE_ONLY: LOST_SCORE, AFTER_ONLY: NEW_SCORE}.get(status, NO_SCORE)
    number = int(compared.main_line[row])
    if number < 0:
        return STAYS
    line = compared.lines[number]
    return told(line, title_of(compared, line), moved_of(compared, number, row))


def title_of(compared: Compared, line: Line) -> Title:
    """Name a line."""
    return compared.after.titles.get(line) or compared.before.titles[line]


def moved_of(compared: Compared, number: int, row: int) -> Moved:
    """Give a line of a row on both sides."""
    old, new = compared.old, compared.new
    return Moved(
        before=float(old.cents[number, row]) / 100 if old.present[number, row] else None,
        after=float(new.cents[number, row]) / 100 if new.present[number, row] else None,
        weight_before=float(old.weights[number, row]) / 100,
        weight_after=float(new.weights[number, row]) / 100,
    )


def told(line: Line, title: Title, moved: Moved) -> Title:
    """Say what became of a line.

    >>> told(Line("item", "R01"), Title(en="NPL ratio", zh="不良贷款率"), Moved(12.0, 15.5, 16, 20)).en
    'NPL ratio +3.50: 12.00 -> 15.50 points, weight 16 -> 20'
    """
    change = f"{moved.difference:+.2f}"
    if line.kind == "item" and moved.before is None:
        return Title(
            en=f"{title.en} {change}: new, weight {moved.weight_after:g}",
            zh=f"{title.zh} {change}分：新增，权重{moved.weight_after:g}",
        )
    if line.kind == "item" and moved.after is None:
        return Title(
            en=f"{title.en} {change}: no longer counts, weight was {moved.weight_before:g}",
            zh=f"{title.zh} {change}分：不再计分，原权重{moved.weight_before:g}",
        )
    before, after = moved.before or 0.0, moved.after or 0.0
    en = f"{title.en} {change}: {before:.2f} -> {after:.2f} points"
    zh = f"{title.zh} {change}分：{before:.2f}→{after:.2f}"
    if moved.weight_before != moved.weight_after:
        en += f", weight {moved.weight_before:g} -> {moved.weight_after:g}"
        zh += f"，权重{moved.weight_before:g}→{moved.weight_after:g}"
    return Title(en=en, zh=zh)


def presence(before: bool, after: bool) -> str:
    """Say whether a line is on both scorecards."""
    return "" if before and after else "only before" if before else "only after"
