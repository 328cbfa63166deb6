"""Tables of a card that every kind of model has, from what rules, tuning and comparisons say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.snapshot import Snapshot
from training.card.facts import Kind, Said
from training.card.words import title, title_of

if TYPE_CHECKING:
    from training.gating.rules import GateRules
    from training.gating.stability import Overlap
    from training.monitoring.rules import CheckRules
    from training.tuning.tuned import Tuned


THIRDS = ("low", "middle", "high")
"""Groups that have an order."""


def definitions_table(snapshot: Snapshot, codes: Sequence[str]) -> pd.DataFrame:
    found = [snapshot.indicators[code] for code in codes if code in snapshot.indicators]
    return pd.DataFrame(
        {
            "code": [one.code for one in found],
            "indicator": [one.name for one in found],
            "version": [one.definition_version for one in found],
            "unit": [one.unit for one in found],
            "direction": [title_of("directions", one.direction) for one in found],
        }
    )


def settings_table(tuned: Tuned[Any]) -> pd.DataFrame:
    """Give each setting beside its usual value."""
    chosen, usual = _flat(tuned.settings.as_dict()), _flat(type(tuned.settings)().as_dict())
    return pd.DataFrame(
        [{"setting": name, "value": _told(value), "usual": _told(usual.get(name))} for name, value in chosen.items()]
    )


def tried_table(tuned: Tuned[Any]) -> pd.DataFrame:
    """Give what was tried, the settings that differ from trial to trial in one column."""
    rows = [
        {
            "trial": number,
            "value": title("usual_settings")
            if one["usual"]
            else ", ".join(f"{name} {_told(value)}" for name, value in one["knobs"].items()),
            "loss": one["loss"],
            "taken": bool(one["chosen"]),
        }
        for number, one in enumerate(tuned.tried)
    ]
    return pd.DataFrame(rows)


def rules_table(rules: GateRules, kind: Kind) -> pd.DataFrame:
    rows = [
        {
            "gate": rule.title,
            "thresholds": ", ".join(f"{name} {value:g}" for name, value in rule.thresholds.items()) or "–",
            "effect": title_of("effects", rule.effect),
            "reason": rule.reason,
        }
        for rule in rules.rules
        if rule.subject == kind
    ]
    return pd.DataFrame(rows)


def checks_table(checks: CheckRules, kind: Kind) -> pd.DataFrame:
    rows = [
        {
            "check": rule.title,
            "threshold": " – ".join(f"{limit:g}" for limit in rule.threshold),
            "least_sample": rule.least,
            "reason": rule.reason,
        }
        for rule in checks
        if rule.model == kind
    ]
    return pd.DataFrame(rows)


def against_table(table: pd.DataFrame) -> pd.DataFrame | None:
    """Keep what is about the champion; nothing where there was none."""
    wanted = [name for name in table.columns if name.startswith(("replayed_", "after_"))]
    there = table[wanted].notna().any(axis=1) if wanted else pd.Series(dtype=bool)
    return table.loc[there, ["year", *wanted]] if len(there) and bool(there.any()) else None


def groups_table(table: pd.DataFrame) -> pd.DataFrame:
    """Name ranges, dimensions, thirds and bases in words; a bank's own groups keep their names."""
    rank = {third: place for place, third in enumerate(THIRDS)}
    table = table.sort_values("group", key=lambda column: column.map(rank).fillna(len(rank)), kind="stable")
    table = table.sort_values([name for name in ("over", "dimension") if name in table], kind="stable")
    places = {"over": "over", "dimension": "dimensions", "group": "groups", "basis": "basis"}
    named: dict[str, Any] = {
        column: [title_of(place, one) for one in table[column]] for column, place in places.items() if column in table
    }
    return table.assign(**named)


def overlap_table(overlap: Overlap, part_title: Callable[[str], Said]) -> pd.DataFrame:
    table = overlap.table()
    return pd.DataFrame(
        {
            "indicator": [part_title(part) for part in table["part"]],
            "explanations": table["rows"].to_numpy(),
            "overlap": table["share"].to_numpy(),
        }
    )


def _flat(plain: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in plain.items():
        out |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return out


def _told(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
