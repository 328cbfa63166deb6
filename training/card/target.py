"""The facts of a target model's card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from features.indicators import Title
from features.snapshot import Snapshot
from models.bundle import ModelBundle
from training.card.facts import CardFacts, Said
from training.card.gathered import around, gathered
from training.card.words import filled, title, title_of
from training.gating.gate import Gate, IndicatorEvidence

LEAVES = "leaves"
"""Name of the lowest level; see `models.levels`."""
_KEY = re.compile(r"(?P<code>\w+)\.(?P<level>[\w-]+)(?:\.rest(?P<rest>\d+))?")


def target_facts(
    snapshot: Snapshot,
    name: str,
    bundle: ModelBundle,
    *,
    evidence: Sequence[IndicatorEvidence],
    gates: Sequence[Gate] = (),
    methods: Mapping[str, str] | None = None,
    home: str | Path | None = None,
    **given: Any,
) -> CardFacts:
    """Gather what the card of a target model says.

    Parameters
    ----------
    snapshot : Snapshot
    name : str
        Of the model in the registry.
    bundle : ModelBundle
    evidence : sequence of IndicatorEvidence
    gates : sequence of Gate
    methods : Mapping, optional
        What serves a level, in words, by its key, where the bundle does not say.
    home : path, optional
        Whose `model-card.yaml` is read.
    **given
        What else is known; see `gathered.Around`.

    Raises
    ------
    LoadlineError
        Where the home's texts cannot be read.
    """
    from training.card.past_origins import by_group, by_year, kept_promises, past_origins

    origins = past_origins(bundle)
    codes = dict.fromkeys(key.split(".")[0] for key in bundle.meta["levels"])
    horizon = bundle.meta.get("horizon")
    return gathered(
        snapshot,
        name,
        bundle,
        gates,
        around(home, "target", **given),
        kind="target",
        indicators=list(codes),
        said={},
        data={"horizon": None if horizon is None else str(horizon)},
        part_title=lambda key: joined(*level_titles(snapshot, key)),
        tables={
            "by_indicator": _by_indicator(snapshot, bundle, evidence, methods or {}),
            "by_origin": by_year(origins),
            "by_group": by_group(bundle, snapshot.tree),
            "origins": origins,
            "promises": kept_promises(bundle),
        },
    )


def _by_indicator(
    snapshot: Snapshot, bundle: ModelBundle, evidence: Sequence[IndicatorEvidence], methods: Mapping[str, str]
) -> pd.DataFrame:
    rows = []
    for e in evidence:
        indicator, level = level_titles(snapshot, e.indicator)
        rows.append(
            {
                "indicator": indicator,
                "level": level,
                "served_by": _served_by(bundle, e.indicator) or methods.get(e.indicator),
                "origins": e.origins,
                "outcomes": e.outcomes,
                "loss_ratio": e.loss_ratio,
                "coverage": e.coverage,
                "low_evidence": e.low_evidence,
            }
        )
    return pd.DataFrame(rows)


def level_titles(snapshot: Snapshot, key: str) -> tuple[Title | str, Title | None]:
    """Name the indicator and the level that a key of `Level.key` stands for; the key itself where it is another."""
    found = _KEY.fullmatch(key)
    if found is None or found["code"] not in snapshot.indicators:
        return key, None
    depth = found["level"].removeprefix("depth-")
    level = title("leaves") if found["level"] == LEAVES else filled("depth", number=depth)
    if found["rest"] is not None:
        rest = filled("rest", periods=found["rest"])
        level = Title(en=f"{level.en}, {rest.en}", zh=f"{level.zh}，{rest.zh}")
    return snapshot.indicators[found["code"]].name, level


def joined(indicator: Title | str, level: Title | None) -> Said:
    """Name an indicator and its level in one."""
    if level is None or isinstance(indicator, str):
        return indicator
    return Title(en=f"{indicator.en}, {level.en}", zh=f"{indicator.zh}，{level.zh}")


def _served_by(bundle: ModelBundle, key: str) -> Title | None:
    """Name the learners of a level's blend with their shares."""
    from models.outcome.stacking import BLENDS

    wanted = bundle.meta["levels"].get(key, {}).get("blend")
    shares = next((blend.shares for blend in BLENDS if blend.name == wanted), None)
    if shares is None:
        return None
    named = [(title_of("learners", learner), share) for learner, share in shares.items()]
    if len(named) == 1:
        return named[0][0]
    return Title(
        en=", ".join(f"{title.en} {share:.0%}" for title, share in named),
        zh="，".join(f"{title.zh} {share:.0%}" for title, share in named),
    )
