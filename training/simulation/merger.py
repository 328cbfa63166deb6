"""A merger that has not happened: units become one from a period on, with history and peers on the same basis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Indicator, Title
from features.units import FOREVER, UnitTree
from training.simulation.change_file import Merger
from training.simulation.replay import Replay
from training.simulation.reworked import Reworked
from training.simulation.setting import Effect, Setting
from training.simulation.tables import periods_of


def simulate_merger(setting: Setting, change: Merger) -> Effect:
    """Replay with units merged; from then on figures that were reported apart are added up.

    Returns
    -------
    Effect
        With the table `merged`: the scores of the units that were merged and of the one that they became.

    Raises
    ------
    LoadlineError
        Where the units cannot become one, or the change begins after all periods replayed.
    """
    start = setting.starting(change.start)
    since = setting.since(start)
    other = Reworked.of(setting.snapshot, tree=merged_tree(setting.snapshot.tree, change, start))
    before = setting.present()
    targets = None if setting.asked is None else merged_targets(setting.asked, change, other.indicators)
    later = setting.replayed(setting.after, since, snapshot=other, targets=targets)
    after = setting.with_earlier(later, start)
    table = _table(before, after, change, since)
    others = _others_moved(before, after, change, since)
    told, told_zh = ", ".join(change.units), "、".join(change.units)
    said = Title(
        en=f"{told} become {change.into} from {change.start}. Its history is theirs added up, on the same basis; peers "
        f"are worked out anew, by which {others:,} scores of other units change.",
        zh=f"自{change.start}起{told_zh}并为{change.into}，历史数据按同口径合并追溯；同组重新划定，"
        f"其他单位有{others:,}个得分随之变化。",
    )
    return Effect(before, after, {"merged": table}, (said,))


def merged_tree(tree: UnitTree, change: Merger, start: int) -> UnitTree:
    """Give the tree in which units end before a period, with the one that they become as their successor.

    A new unit stands for all the history that it takes over, so no protection of new units begins with it. Units below
    one that ends move to the one that it becomes.

    Raises
    ------
    LoadlineError
        Where a unit does not exist then, or the units are of different levels.
    """
    numbers = [tree.number(code) for code in change.units]
    alive = tree.valid(start - 1) & tree.valid(start)
    for code, number in zip(change.units, numbers, strict=True):
        if not alive[number]:
            written = tree.calendar.format(start)
            raise LoadlineError(
                f"{code} does not exist both before and in {written}", where="units", hint="Name units that do."
            )
    levels = tree.attributes["level"].iloc[numbers].unique()
    depths = np.unique(tree.depths(start - 1)[numbers])
    if len(levels) > 1 or len(depths) > 1:
        raise LoadlineError("the units are of different levels", where="units", hint="Name units of one level.")
    fresh = change.into not in change.units
    if fresh and change.into in tree.codes:
        hint = "Name one of the merged units, or a new code."
        raise LoadlineError(f"{change.into} is another unit", where="into", hint=hint)
    heir = len(tree) if fresh else tree.number(change.into)
    ended = [number for number in numbers if number != heir]
    spells = _ended(tree.spells, ended, heir, start)
    codes, attributes = tree.codes, tree.attributes
    if fresh:
        parent, first = int(tree.parents(start)[numbers[0]]), tree.spells["first"].to_numpy()
        begins = int(first[np.isin(tree.spells["unit"].to_numpy(), numbers)].min())
        row = pd.DataFrame({"unit": [heir], "parent": [parent], "first": [begins], "last": [FOREVER]})
        spells = pd.concat([spells, row], ignore_index=True)
        codes = codes.append(pd.Index([change.into], dtype=object)).rename(codes.name)
        like = attributes.iloc[[numbers[0]]].copy()
        like.index = pd.Index([change.into], dtype=object)
        like["name"] = change.name.en if change.name is not None else " + ".join(change.units)
        like["name_zh"] = change.name.zh if change.name is not None else "、".join(change.units)
        attributes = pd.concat([attributes, like])
    successors = dict(tree.successors) | dict.fromkeys(ended, (heir,))
    return replace(tree, codes=codes, spells=spells, attributes=attributes, successors=successors)


def merged_targets(targets: pd.DataFrame, change: Merger, indicators: Mapping[str, Indicator]) -> pd.DataFrame:
    """Add up the targets of the units that are merged; targets of ratios are no sums, so only the heir's own stay."""
    columns = [name for name in ("floor", "target", "stretch") if name in targets]
    volumes = {code for code in targets["indicator"].unique() if indicators[code].kind in ("flow", "stock")}
    named = targets["unit"].isin([*change.units, change.into])
    summed = targets[named & targets["indicator"].isin(volumes)]
    summed = summed.groupby(["indicator", "year"])[columns].sum(min_count=len(change.units)).reset_index()
    own = targets[named & (targets["unit"] == change.into) & ~targets["indicator"].isin(volumes)]
    return pd.concat([targets[~named], own, summed.assign(unit=change.into)], ignore_index=True)


def _ended(spells: pd.DataFrame, ended: list[int], heir: int, start: int) -> pd.DataFrame:
    """End spells of units before a period, and move those below them to the heir from then on."""
    own = spells["unit"].isin(ended)
    kept = spells[~(own & (spells["first"] >= start))].copy()
    own = kept["unit"].isin(ended)
    kept.loc[own, "last"] = np.minimum(kept.loc[own, "last"], start - 1)
    below = kept["parent"].isin(ended) & (kept["last"] >= start) & ~own
    moved = kept[below].assign(parent=heir, first=np.maximum(kept.loc[below, "first"], start))
    kept.loc[below, "last"] = start - 1
    kept = kept[kept["first"] <= kept["last"]]
    return pd.concat([kept, moved], ignore_index=True)


def _table(before: Replay, after: Replay, change: Merger, since: list[int]) -> pd.DataFrame:
    named = list(dict.fromkeys([*change.units, change.into]))
    parts = []
    for side, replayed in (("before", before), ("after", after)):
        shown = replayed.about["unit"].isin(named) & replayed.about["period"].isin(since)
        rows = np.flatnonzero(shown)
        parts.append(
            pd.DataFrame(
                {
                    "unit": replayed.about["unit"].to_numpy()[rows],
                    "period": replayed.about["period"].to_numpy()[rows],
                    side: np.where(replayed.lines.scored[rows], replayed.lines.tenths[rows] / 10, np.nan),
                    f"grade_{side}": replayed.lines.grade[rows],
                }
            ).set_index(["unit", "period"])
        )
    table = parts[0].join(parts[1], how="outer").sort_index(level="period").reset_index()
    return table.assign(period=periods_of(table["period"], before.networks[0].calendar.format))


def _others_moved(before: Replay, after: Replay, change: Merger, since: list[int]) -> int:
    """Count the scores of units that are not merged, and change."""
    sides = []
    for side in (before, after):
        kept = (
            side.lines.scored
            & side.about["period"].isin(since)
            & ~side.about["unit"].isin([*change.units, change.into])
        )
        index = pd.MultiIndex.from_frame(side.about.loc[kept, ["unit", "period"]])
        sides.append(pd.Series(side.lines.tenths[kept], index=index))
    both = sides[0].index.intersection(sides[1].index)
    return int((sides[0][both].to_numpy() != sides[1][both].to_numpy()).sum())
