"""What past origins showed of a target model, read from its bundle: by indicator and year, by year, by promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.indicators import Title
from features.units import UnitTree
from models.bundle import ModelBundle
from models.judging.fairness import TERCILES
from models.judging.reliability import PROMISES
from training.card.words import title, title_of

NAMED_AT_MOST = 3
"""Peer groups that are named where small ones were put together."""


def past_origins(bundle: ModelBundle) -> pd.DataFrame:
    """Give a row an indicator, level and year: `key`, `year`, `outcomes`, `loss_ratio`, `coverage`; NaN where unknown.

    The record is of the chosen blends, before their width was calibrated. Older bundles hold none.
    """
    rows = [
        {"key": key, **{name: one[name] for name in ("year", "outcomes", "loss_ratio", "coverage")}}
        for key, one in _records(bundle)
    ]
    frame = pd.DataFrame(rows, columns=["key", "year", "outcomes", "loss_ratio", "coverage"])
    return frame.astype({"loss_ratio": float, "coverage": float})


def by_year(origins: pd.DataFrame) -> pd.DataFrame:
    """Average over indicators and levels: `year`, `levels`, `outcomes`, `loss_ratio`, `worst_ratio`, `coverage`.

    Loss ratios by their geometric mean, coverage by outcomes.
    """
    rows = []
    for year, part in origins.groupby("year"):
        ratios, seen = part["loss_ratio"].dropna(), part.dropna(subset=["coverage"])
        weight = seen["outcomes"].sum()
        rows.append(
            {
                "year": int(year),  # type: ignore[arg-type]
                "levels": len(part),
                "outcomes": int(part["outcomes"].sum()),
                "loss_ratio": float(np.exp(np.log(ratios).mean())) if len(ratios) else None,
                "worst_ratio": float(ratios.max()) if len(ratios) else None,
                "coverage": float((seen["coverage"] * seen["outcomes"]).sum() / weight) if weight else None,
            }
        )
    return pd.DataFrame(rows)


def group_names(tree: UnitTree) -> Mapping[tuple[str, str], Title | str]:
    """Name the peer groups that a target model knows by number: by what their units' `peer_group` says."""
    numbers, labels = tree.peer_groups(), tree.attributes["peer_group"].astype(str).to_numpy()
    names: dict[tuple[str, str], Title | str] = {}
    for number in np.unique(numbers[numbers >= 0]):
        within = sorted({label for label in labels[numbers == number].tolist() if label})
        more = f" (+{len(within) - NAMED_AT_MOST})" if len(within) > NAMED_AT_MOST else ""
        named = ", ".join(within[:NAMED_AT_MOST]) + more
        names["peer_group", str(number)] = named or title("unnamed_group")
    return names


def by_group(bundle: ModelBundle, tree: UnitTree) -> pd.DataFrame:
    """Average groups of units over indicators and levels: `dimension`, `group`, `levels`, `outcomes`, `loss_ratio`,
    `coverage`; nothing of a dimension that has a single group.
    """
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for meta in bundle.meta["levels"].values():
        for one in meta.get("test", {}).get("by_group", ()):
            found.setdefault((one["dimension"], one["group"]), []).append(one)
    names = group_names(tree)
    order = {name: place for place, name in enumerate(TERCILES)}
    rows = []
    for (dimension, group), each in sorted(
        found.items(), key=lambda item: (item[0][0], order.get(item[0][1], 0), item[0])
    ):
        ratios = [one["loss_ratio"] for one in each if one["loss_ratio"] is not None]
        held = [(one["outcomes"], one["coverage"]) for one in each if one["coverage"] is not None]
        if sum(other == dimension for other, _ in found) < 2:
            continue
        rows.append(
            {
                "dimension": title_of("dimensions", dimension),
                "group": names.get((dimension, group)) or title_of("groups", group),
                "levels": len(each),
                "outcomes": sum(one["outcomes"] for one in each),
                "loss_ratio": float(np.exp(np.log(ratios).mean())) if ratios else None,
                "coverage": sum(n * share for n, share in held) / sum(n for n, _ in held) if held else None,
            }
        )
    return pd.DataFrame(rows)


def kept_promises(bundle: ModelBundle) -> pd.DataFrame:
    """Hold promised probabilities against attained shares: `promised`, `attained`, `lowest`, `highest`, `years`.

    Each year has one vote, as its units share its luck; `lowest` and `highest` are the shares of single years.
    """
    rows: dict[int, list[tuple[int, list[float | None]]]] = {}
    for _, one in _records(bundle):
        rows.setdefault(one["year"], []).append((one["outcomes"], one["attained"]))
    out = []
    for place, promise in enumerate(PROMISES):
        years = []
        for found in rows.values():
            known = [(count, shares[place]) for count, shares in found if shares[place] is not None]
            weight = sum(count for count, _ in known)
            if weight:
                years.append(sum(count * share for count, share in known if share is not None) / weight)
        if years:
            out.append((promise, float(np.mean(years)), min(years), max(years), len(years)))
    return pd.DataFrame(out, columns=["promised", "attained", "lowest", "highest", "years"])


def _records(bundle: ModelBundle) -> list[tuple[str, dict]]:
    return [
        (key, one) for key, meta in bundle.meta["levels"].items() for one in meta.get("test", {}).get("by_origin", ())
    ]
