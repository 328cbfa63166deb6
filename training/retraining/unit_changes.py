"""What has become of the units between two data versions: merged, split, moved, regrouped, new or closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from features.indicators import Title
from features.snapshot import Snapshot
from features.units import UnitTree
from training.retraining.ground import Ground, Question

GROUPING = ("level", "region_type", "peer_group", "business_line")
"""Columns by which units are compared with one another."""
WORDS: Mapping[str, tuple[str, str]] = {
    "merged": ("merged", "合并"),
    "split": ("split", "拆分"),
    "moved": ("moved", "划转"),
    "regrouped": ("put into another group", "调整分组"),
    "new": ("new", "新设"),
    "closed": ("closed", "撤销"),
}


@dataclass(frozen=True, slots=True)
class UnitChanges:
    """Codes of units, by what became of them; see `WORDS`."""

    found: Mapping[str, tuple[str, ...]]

    def __bool__(self) -> bool:
        return any(self.found.values())

    @property
    def figures(self) -> dict[str, int]:
        """Count them."""
        return {name: len(codes) for name, codes in self.found.items() if codes}


def unit_changes(before: Snapshot, after: Snapshot) -> UnitChanges:
    """Compare the units of two data versions of one dataset."""
    old, new = before.tree, after.tree
    was, now = (set(_texts(tree)) for tree in (old, new))
    heirs, had = _successors(new), _successors(old)
    ended = {unit: codes for unit, codes in heirs.items() if had.get(unit) != codes}
    places, before_places = _places(new), _places(old)
    open_now, open_then = (_open(tree, snapshot) for tree, snapshot in ((new, after), (old, before)))
    attributes = [tree.attributes[list(GROUPING)].astype(str) for tree in (old, new)]
    common = sorted(was & now)
    regrouped = (attributes[0].loc[common] != attributes[1].loc[common]).any(axis=1)
    return UnitChanges(
        {
            "merged": tuple(sorted(unit for unit, codes in ended.items() if len(codes) == 1)),
            "split": tuple(sorted(unit for unit, codes in ended.items() if len(codes) > 1)),
            "moved": tuple(unit for unit in common if places[unit] - before_places[unit]),
            "regrouped": tuple(regrouped.index[regrouped].astype(str)),
            "new": tuple(sorted(now - was)),
            "closed": tuple(sorted((open_then - open_now) - set(ended))),
        }
    )


def unit_grounds(asked: Question) -> Iterator[Ground]:
    """Say what became of the units; the models look at them through a history on the same basis, and stay."""
    if asked.past is None:
        return
    changes = unit_changes(asked.past, asked.snapshot)
    if not changes:
        return
    en = ", ".join(f"{count:,} {WORDS[name][0]}" for name, count in changes.figures.items())
    zh = "、".join(f"{WORDS[name][1]} {count:,} 家" for name, count in changes.figures.items())
    yield Ground(
        "units",
        False,
        Title(
            en=f"Of the units {en}: history is added up on the same basis and peers are worked out again; the next "
            "regular training takes the units in as they are now.",
            zh=f"单位变动：{zh}；历史按同口径追溯，同组重新划分，下次例行训练纳入变动后的单位。",
        ),
        dict(changes.figures),
    )


def _texts(tree: UnitTree) -> list[str]:
    return [str(code) for code in tree.codes]


def _successors(tree: UnitTree) -> dict[str, tuple[str, ...]]:
    codes = _texts(tree)
    return {codes[unit]: tuple(codes[heir] for heir in heirs) for unit, heirs in tree.successors.items()}


def _places(tree: UnitTree) -> dict[str, set[str]]:
    """Give the units above each unit, at any time."""
    codes, found = _texts(tree), {}
    for unit, parent in zip(tree.spells["unit"].tolist(), tree.spells["parent"].tolist(), strict=True):
        found.setdefault(codes[unit], set()).add("" if parent < 0 else codes[parent])
    return found


def _open(tree: UnitTree, snapshot: Snapshot) -> set[str]:
    return {str(code) for code in tree.codes[tree.valid(snapshot.span[1])]}
