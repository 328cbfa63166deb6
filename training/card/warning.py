"""The facts of a warning model's card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.indicators import Title
from features.matrix import parse_column
from features.snapshot import Snapshot
from models.bundle import ModelBundle
from training.card.facts import CardFacts, Said
from training.card.gathered import around, gathered
from training.card.words import title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from training.gating.gate import Gate
    from training.warning.fitting import Fitted
    from training.warning.forward_chain import ForwardChain
    from training.warning.labels import Labels
    from training.warning.looking import Looked
    from training.warning.material import Material

HELD = ("auc_within", "auc", "average_precision", "precision", "recall", "brier")
"""Figures of a replayed year that are shown."""
LEAST_SHARE = 0.005
"""Of a blend, below which a learner is not named: it would be shown as 0%."""


def warning_facts(
    snapshot: Snapshot,
    name: str,
    bundle: ModelBundle,
    *,
    found: Fitted,
    chain: ForwardChain,
    gates: Sequence[Gate] = (),
    home: str | Path | None = None,
    detectors: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
    **given: Any,
) -> CardFacts:
    """Gather what the card of a warning model says.

    Parameters
    ----------
    snapshot : Snapshot
    name : str
        Of the model in the registry.
    bundle : ModelBundle
    found : Fitted
    chain : ForwardChain
        Past years, replayed.
    gates : sequence of Gate
    home : path, optional
        Whose `model-card.yaml` is read.
    detectors : pd.DataFrame, optional
        Each pattern's own record; see `detector_record`.
    groups : pd.DataFrame, optional
        How groups of units fared; see `warning_groups`.
    **given
        What else is known; see `gathered.Around`.

    Raises
    ------
    LoadlineError
        Where the home's texts cannot be read.
    """
    codes = dict.fromkeys(code for column in found.names if (code := parse_column(column)[1]) is not None)
    data: dict[str, Said] = {
        "labelled": found.rows,
        "positives": found.positives,
        "waves": found.waves,
        "labels": found.source,
    }
    return gathered(
        snapshot,
        name,
        bundle,
        gates,
        around(home, "warning", **given),
        kind="warning",
        indicators=list(codes),
        said={"limits": (found.note,), "method": _learners(found)},
        data=data,
        part_title=lambda key: title_of("kind_names", key),
        tables={
            "rankings": _rankings(chain.table()) if chain.years else None,
            "by_year": by_replayed_year(chain),
            "by_group": groups,
            "reliability": chain.calibration() if chain.years else None,
            "detectors": None if detectors is None else _detectors(detectors),
        },
    )


def detector_record(looked: Looked, known: Labels, leaves: np.ndarray) -> pd.DataFrame:
    """Give each pattern's own record by labels (P, U) known by a day, of leaves; see `track_record`."""
    from models.detectors.catalogue import DETECTORS
    from training.warning.track_record import track_record

    fired = {code: finding.met for code, finding in looked.findings.items()}
    lags = {detector.code: detector.lag for detector in DETECTORS}
    return track_record(fired, known, leaves=leaves, lags={code: lags[code] for code in fired})


def warning_groups(material: Material, chain: ForwardChain) -> pd.DataFrame:
    """Judge the model on groups of units over the replayed years: `dimension`, `group`, `units`, `rows`, `positives`,
    `stated` and `happened` (means), `auc_within`; groups of fewer than five units are left out.
    """
    import numpy as np

    from models.judging.fairness import SMALLEST_GROUP, TERCILES
    from training.gating.warning_comparison import groups_of_units
    from training.warning.evaluation import auc_within
    from training.warning.forward_chain import MODEL

    answers, asked = chain.scores[MODEL], np.isfinite(chain.scores[MODEL]) & np.isfinite(chain.judged)
    rows = []
    for dimension, labels in groups_of_units(material).items():
        named = [label for label in dict.fromkeys(labels.tolist()) if label]
        thirds = [label for label in TERCILES if label in named] or sorted(named)
        for label in thirds if len(thirds) > 1 else ():
            at = asked & (labels == label)[None, :]
            if at.any(axis=0).sum() < SMALLEST_GROUP:
                continue
            period, y = np.nonzero(at)[0], chain.judged[at]
            rows.append(
                {
                    "dimension": title_of("dimensions", dimension),
                    "group": title_of("groups", str(label)),
                    "units": int(at.any(axis=0).sum()),
                    "rows": int(at.sum()),
                    "positives": int((y == 1).sum()),
                    "stated": float(answers[at].mean()),
                    "happened": float(y.mean()),
                    "auc_within": auc_within(answers[at], y, period)[0],
                }
            )
    return pd.DataFrame(rows)


def by_replayed_year(chain: ForwardChain) -> pd.DataFrame:
    """Judge the model on each replayed year by itself: `year` and the figures of `evaluation.Skill`."""
    from training.warning.forward_chain import MODEL

    frames = [part.loc[part["name"] == MODEL].assign(year=year) for year, part in chain.by_year().items()]
    if not frames:
        return pd.DataFrame()
    return pd.concat(frames, ignore_index=True)[["year", "rows", "positives", "hits", "false_alarms", "missed", *HELD]]


def _rankings(table: pd.DataFrame) -> pd.DataFrame:
    columns = ["name", "rows", "positives", "periods", "hits", "false_alarms", "missed", *HELD]
    named: list[Any] = [title_of("rankings", name) for name in table["name"]]
    return table[columns].assign(name=named)


def _detectors(record: pd.DataFrame) -> pd.DataFrame:
    """Give the patterns' records, those that fired most first, named in words."""
    from models.detectors.catalogue import DETECTORS

    titles: Mapping[str, Title] = {detector.code: detector.title for detector in DETECTORS}
    ordered = record.sort_values(["fired", "detector"], ascending=[False, True], kind="stable")
    verdicts = zip(ordered["verdict_en"], ordered["verdict_zh"], strict=True)
    return pd.DataFrame(
        {
            "detector": [titles.get(code, code) for code in ordered["detector"]],
            "fired": ordered["fired"].to_numpy(),
            "matured": ordered["matured"].to_numpy(),
            "hits": ordered["hits"].to_numpy(),
            "share_right": ordered["precision"].to_numpy(),
            "low": ordered["low"].to_numpy(),
            "high": ordered["high"].to_numpy(),
            "base_rate": ordered["base_rate"].to_numpy(),
            "lift": ordered["lift"].to_numpy(),
            "lead_months": ordered["lead_months"].to_numpy(),
            "verdict": [Title(en=en, zh=zh) for en, zh in verdicts],
        }
    )


def _learners(found: Fitted) -> tuple[Title, ...]:
    """Name the learners with their shares, as the model's own record has them."""
    if found.model is None:
        return ()
    record = found.model.record
    if record["replaced_by"]:
        alone = title_of("contenders", record["replaced_by"])
        return (Title(en=f"Serving: {alone.en} (nothing beat it).", zh=f"采用：{alone.zh}（未有更优者）。"),)
    shares = sorted(((one["share"], name) for name, one in record["contenders"].items()), reverse=True)
    named = [(title_of("contenders", name), share) for share, name in shares if share >= LEAST_SHARE]
    return (
        Title(
            en=f"Serving: {', '.join(f'{title.en} {share:.0%}' for title, share in named)}.",
            zh=f"采用：{'，'.join(f'{title.zh} {share:.0%}' for title, share in named)}。",
        ),
    )
