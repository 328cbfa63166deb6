"""How a challenger did against the champion, kept with the run that trained it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from features.indicators import Title
from training.gating.losses import Losses
from training.gating.paired import NOTHING, Paired

COUNTED = ("year", "parts", "outcomes", "positives")
"""Columns of whole numbers; all others are shares and ratios, NaN where they are not known."""

How = Literal["first", "same", "replayed", "not_replayable"]
Over = Literal["replayed", "after"]


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """The difference on one group of units; `over` the replayed origins, or those after the champion had learned."""

    over: Over
    dimension: str
    group: str
    difference: Paired

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        told = {"over": self.over, "dimension": self.dimension, "group": self.group}
        return told | {"difference": self.difference.as_dict()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> GroupDifference:
        """Read what `as_dict` gave."""
        return cls(plain["over"], plain["dimension"], plain["group"], Paired.from_dict(plain["difference"]))


@dataclass(frozen=True, slots=True)
class Promise:
    """A target level, the probability of attaining that it promises, and how much oftener it was attained."""

    name: str
    promised: float
    gap: Paired

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return {"name": self.name, "promised": self.promised, "gap": self.gap.as_dict()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Promise:
        """Read what `as_dict` gave."""
        return cls(plain["name"], plain["promised"], Paired.from_dict(plain["gap"]))


@dataclass(frozen=True)
class Comparison:
    """What came of holding a challenger against the champion.

    Attributes
    ----------
    subject : str
        `target` or `warning`.
    champion : str or None
        Version of the champion; None where there was none to compare with.
    how : str
        `first` (no champion), `same` (both are the same procedure), `replayed` (both procedures at past origins),
        `not_replayable` (the champion was made by other code).
    replayed : Paired
        Difference of the procedures at past origins, each having learned from what was known then.
    after : Paired
        Difference on what came after the champion had learned: the champion as it is, and the challenger's procedure
        having learned at the champion's origin.
    groups : tuple of GroupDifference
    origins : tuple of Mapping
        A row a year: see `by_origin`.
    parts : tuple of Mapping
        A row an indicator and level: see `by_part`.
    promises : tuple of Promise
        Of the challenger, over its past origins; empty for warnings.
    notes : tuple of Title
        What a reader has to know.
    """

    subject: str
    champion: str | None
    how: How
    replayed: Paired = NOTHING
    after: Paired = NOTHING
    groups: tuple[GroupDifference, ...] = ()
    origins: tuple[Mapping[str, Any], ...] = ()
    parts: tuple[Mapping[str, Any], ...] = ()
    promises: tuple[Promise, ...] = ()
    notes: tuple[Title, ...] = ()

    def deciding(self, origins_after: int) -> tuple[Over, Paired]:
        """Choose what decides: the years after the champion had learned once there are so many, else the replay."""
        enough = self.after.basis in ("origins", "same") and self.after.origins >= origins_after
        return ("after", self.after) if enough or self.how == "not_replayable" else ("replayed", self.replayed)

    def by_origin(self) -> pd.DataFrame:
        """Give a row a year, ascending.

        Columns: `year`; of the challenger's own past origins `outcomes`, `loss_ratio` and more as its kind has it;
        `replayed_challenger`, `replayed_champion`, `replayed_difference` and `after_challenger`, `after_champion`,
        `after_difference` (losses over the baseline's; the difference in parts of the baseline's usual loss).
        """
        table = pd.DataFrame([dict(row) for row in self.origins])
        return table.astype({name: float for name in table if name not in COUNTED})

    def by_group(self) -> pd.DataFrame:
        """Give a row a group: `over, dimension, group, units, origins, difference, error, basis`."""
        rows = [
            {"over": one.over, "dimension": one.dimension, "group": one.group} | _row(one.difference)
            for one in self.groups
        ]
        columns = ["over", "dimension", "group", "units", "origins", "difference", "error", "basis"]
        return pd.DataFrame(rows, columns=columns)

    def by_part(self) -> pd.DataFrame:
        """Give a row an indicator and level: `part, over, units, origins, difference, error, basis`."""
        columns = ["part", "over", "units", "origins", "difference", "error", "basis"]
        return pd.DataFrame([dict(row) for row in self.parts], columns=columns)

    @property
    def text(self) -> Title:
        """Say in a sentence what came of it."""
        if self.how == "first":
            return Title(en="There is no champion to compare with.", zh="尚无在用模型可供对比。")
        after = told(self.after)
        if self.how == "same":
            en = f"The champion {self.champion} was trained by the same procedure, which would answer alike."
            return Title(en=en, zh=f"在用模型 {self.champion} 由同一方法训练，同样数据下结果相同。")
        if self.how == "not_replayable":
            return Title(
                en=f"The champion {self.champion} was made by other code and cannot be replayed; "
                f"on what came after it: {after.en}.",
                zh=f"在用模型 {self.champion} 由其他版本的程序训练，无法重放；其训练之后的年度：{after.zh}。",
            )
        found = told(self.replayed)
        return Title(
            en=f"Against the champion {self.champion} at past origins: {found.en}; after it had learned: {after.en}.",
            zh=f"与在用模型 {self.champion} 在历史起点对比：{found.zh}；其训练之后的年度：{after.zh}。",
        )

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return {
            "subject": self.subject,
            "champion": self.champion,
            "how": self.how,
            "replayed": self.replayed.as_dict(),
            "after": self.after.as_dict(),
            "groups": [one.as_dict() for one in self.groups],
            "origins": [dict(row) for row in self.origins],
            "parts": [dict(row) for row in self.parts],
            "promises": [one.as_dict() for one in self.promises],
            "notes": [note.model_dump() for note in self.notes],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Comparison:
        """Read what `as_dict` gave."""
        return cls(
            plain["subject"],
            plain["champion"],
            plain["how"],
            Paired.from_dict(plain["replayed"]),
            Paired.from_dict(plain["after"]),
            tuple(GroupDifference.from_dict(one) for one in plain["groups"]),
            tuple(plain["origins"]),
            tuple(plain["parts"]),
            tuple(Promise.from_dict(one) for one in plain["promises"]),
            tuple(Title(**note) for note in plain["notes"]),
        )


def told(found: Paired) -> Title:
    """Say a difference in a few words."""
    if found.mean is None:
        return Title(en="nothing to pair", zh="无可配对结果")
    if found.basis == "same":
        return Title(en="no difference", zh="无差异")
    percent = f"{abs(found.mean):.1%}"
    en, zh = ("worse", "差") if found.mean > 0 else ("better", "优")
    error = ("", "") if found.error is None else (f" (± {found.error:.1%})", f"（标准误 {found.error:.1%}）")
    weak = (", judged between units only, which is weak", "，仅按单位间差异判断，依据薄弱") if found.weak else ("", "")
    return Title(
        en=f"{percent} {en}{error[0]} over {found.origins} origins{weak[0]}",
        zh=f"{found.origins} 个起点平均{zh} {percent}{error[1]}{weak[1]}",
    )


def of_groups(losses: Losses, *, over: Over) -> tuple[GroupDifference, ...]:
    """Compare every group of every dimension."""
    return tuple(
        GroupDifference(over, dimension, label, found)
        for dimension in losses.groups
        for label, found in losses.by_group(dimension).items()
    )


def of_parts(losses: Losses, names: list[str], *, over: Over) -> tuple[dict[str, Any], ...]:
    """Compare every indicator and level."""
    return tuple({"part": names[part], "over": over} | _row(found) for part, found in losses.by_part().items())


def of_origins(own: Mapping[int, Mapping[str, Any]], replayed: Losses, after: Losses) -> tuple[dict[str, Any], ...]:
    """Lay the challenger's own record by year beside both comparisons; what is not known is None."""
    rows: dict[int, dict[str, Any]] = {year: {"year": year} | dict(row) for year, row in own.items()}
    for over, losses in (("replayed", replayed), ("after", after)):
        for row in losses.by_year():
            there = rows.setdefault(row["year"], {"year": row["year"]})
            there |= {f"{over}_{name}": row[name] for name in ("challenger", "champion", "difference")}
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    return tuple({name: rows[year].get(name) for name in columns} for year in sorted(rows))


def _row(found: Paired) -> dict[str, Any]:
    return {
        "units": found.units,
        "origins": found.origins,
        "difference": found.mean,
        "error": found.error,
        "basis": found.basis,
    }
