"""History scored under a policy, in memory: nothing is stored, no closed period changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from features.indicators import Indicator, Title
from features.store import Snapshot
from models.policy.document import Policy
from models.scoring.comparison import LIMITS, ROUNDING, Line, ScoreLines, all_lines, lines_of
from training.scoring.network import Network, score_network

DESCRIBED = ("name", "name_zh", "level", "region_type", "peer_group", "business_line")

GATE_TITLES = {
    "total_cap": Title(en="Cap on the total", zh="总分封顶"),
    "protection_floor": Title(en="Protection floor", zh="保护期保底"),
    "grade_ceiling": Title(en="Grade ceiling", zh="降级封顶"),
    "veto": Title(en="Veto", zh="一票否决"),
}
LIMITS_TITLE = Title(en="Limits on bonus and malus", zh="加减分限额")
ROUNDING_TITLE = Title(en="Rounding to one decimal", zh="四舍五入")


@dataclass(frozen=True, eq=False)
class Replay:
    """The scores of N rows, units in periods, under one policy.

    Attributes
    ----------
    policy : Policy
    about : pd.DataFrame
        N rows: `unit, period` (ordinal), `name, name_zh, level, region_type, peer_group, business_line`, and `size`,
        the figure of the first volume on the scorecards (NaN without one).
    lines : ScoreLines
    titles : Mapping[Line, Title]
    networks : tuple of Network
        What was scored.
    notes : tuple of str
    """

    policy: Policy
    about: pd.DataFrame
    lines: ScoreLines
    titles: Mapping[Line, Title]
    networks: tuple[Network, ...]
    notes: tuple[str, ...]


def replay(
    snapshot: Snapshot,
    policy: Policy,
    periods: Sequence[int],
    *,
    targets: pd.DataFrame | None = None,
    known_on: date | None = None,
) -> Replay:
    """Score some periods under a policy; see `training.scoring.network.score_network`, also for what it refuses."""
    network = score_network(snapshot, policy, periods, targets=targets, known_on=known_on)
    return replay_of(network, snapshot.indicators)


def replay_of(network: Network, indicators: Mapping[str, Indicator]) -> Replay:
    """Lay out the scores of a network for comparing."""
    figures = network.figures
    described = figures.tree.attributes.iloc[figures.unit]
    about = pd.DataFrame({"unit": figures.tree.codes[figures.unit].to_numpy(), "period": figures.period})
    for column in DESCRIBED:
        about[column] = described[column].astype(object).to_numpy()
    about["size"] = _sizes(network, indicators)
    lines = lines_of(network.scores, len(about))
    titles = titles_of(network.policy, indicators)
    return Replay(network.policy, about, lines, titles, (network,), network.notes)


def joined(parts: Sequence[Replay]) -> Replay:
    """Put replays of different periods together; the policy is that of the last."""
    if len(parts) == 1:
        return parts[0]
    lines = all_lines(*(part.lines.lines for part in parts))
    laid = [part.lines.on(lines) for part in parts]

    def side_by_side(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in laid], axis=-1)

    names = ("cents", "present", "weights", "tenths", "scored", "grade", "card")
    return replace(
        parts[-1],
        about=pd.concat([part.about for part in parts], ignore_index=True),
        lines=ScoreLines(lines, **{name: side_by_side(name) for name in names}),
        titles={line: title for part in parts for line, title in part.titles.items()},
        networks=tuple(network for part in parts for network in part.networks),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def titles_of(policy: Policy, indicators: Mapping[str, Indicator]) -> dict[Line, Title]:
    """Name the lines of a policy's scores."""
    titles = {LIMITS: LIMITS_TITLE, ROUNDING: ROUNDING_TITLE}
    titles |= {Line("gate", kind): title for kind, title in GATE_TITLES.items()}
    for card in policy.scorecards:
        titles |= {Line("item", item.indicator): indicators[item.indicator].name for item in card.items}
        titles |= {Line("adjustment", adjustment.id): adjustment.title for adjustment in card.adjustments}
    return titles


def _sizes(network: Network, indicators: Mapping[str, Indicator]) -> np.ndarray:
    codes = dict.fromkeys(item.indicator for card in network.policy.scorecards for item in card.items)
    volumes = [code for code in codes if indicators[code].kind in ("flow", "stock")]
    facts = network.figures.facts
    return facts.of("actual", volumes[0]) if volumes else np.full(facts.rows, np.nan)
