"""A unit's score beside that of a year before: the change split exactly into figures, policy and targets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.scoring.change import ScoreChange as Split
from models.scoring.change import change_between
from models.scoring.gates import STATED_STEP
from models.scoring.phrases import Text, hundredths, joined, say, sentences, tenths
from models.scoring.story import period_text
from serving.score_basis import ScoreBasis
from serving.score_lines import points, sentence
from serving.score_schemas import ScoreChange


def score_change(present: ScoreBasis, earlier: ScoreBasis, unit: str) -> ScoreChange:
    """Split the change of a unit's score between two periods.

    Both periods' figures are scored under both policies and with both sets of targets, in all eight combinations.

    Raises
    ------
    LoadlineError
        Where a period cannot be scored under the other's policy.
    """
    bases = {True: present, False: earlier}

    def evaluate(data: bool, policy: bool, model: bool) -> np.ndarray:
        return np.array([_cents(bases[data], bases[policy], bases[model], unit)])

    split = change_between(evaluate)
    names = {"before": earlier.network.policy.label, "after": present.network.policy.label}
    known = bool(split.known[0])
    before, after = (_stated(basis, unit) for basis in (earlier, present))
    rounding = _rounding(split, before, after) if known else 0
    text = sentences(_told(split, present, earlier, before=before, after=after, rounding=rounding))
    parts = {name: points(int(getattr(split, name)[0])) if known else None for name in ("data", "policy", "model")}
    return ScoreChange(
        unit=unit,
        earlier=earlier.period,
        period=present.period,
        before=None if before is None else before / 10,
        after=None if after is None else after / 10,
        rounding=points(rounding) if known else None,
        policy_before=names["before"],
        policy_after=names["after"],
        text=sentence(text),
        **parts,
    )


def _cents(data: ScoreBasis, policy: ScoreBasis, model: ScoreBasis, unit: str) -> float:
    """Score one basis's figures under another's policy, with a third one's targets: cents, NaN without a score."""
    from training.scoring.network import score_network

    network = data.network
    if policy is not data or model is not data:
        targets = _of_year(model.scores.targets, _year(model), as_year=_year(data))
        known_on = network.versions.known_on if data.scores.known_on_given else None
        network = score_network(
            data.snapshot, policy.network.policy, [data.ordinal], targets=targets, known_on=known_on
        )
    number = network.figures.tree.number(unit)
    for scores in network.scores:
        place = np.flatnonzero(network.figures.unit[scores.rows] == number)
        if len(place) and scores.scored[place[0]]:
            return float(scores.gated[place[0]])
    return np.nan


def _of_year(targets: pd.DataFrame | None, year: int, *, as_year: int) -> pd.DataFrame | None:
    """Take the targets of one year as if they had been set for another."""
    if targets is None:
        return None
    mine = targets[targets["year"] == year]
    return None if mine.empty else mine.assign(year=as_year)


def _year(basis: ScoreBasis) -> int:
    return int(basis.network.calendar.year(basis.ordinal))


def _stated(basis: ScoreBasis, unit: str) -> int | None:
    scores = basis.row(unit)
    return int(scores.tenths[0]) if scores is not None and scores.scored[0] else None


def _rounding(split: Split, before: int | None, after: int | None) -> int:
    assert before is not None
    assert after is not None
    return (after - before) * STATED_STEP - int(split.after[0] - split.before[0])


def _told(
    split: Split, present: ScoreBasis, earlier: ScoreBasis, *, before: int | None, after: int | None, rounding: int
) -> list[Text]:
    periods = {"earlier": period_text(earlier.period), "period": period_text(present.period)}
    if not split.known[0] or before is None or after is None:
        return [say("change.unknown", **periods)]
    amounts = {name: int(getattr(split, name)[0]) for name in ("data", "policy", "model")} | {"rounding": rounding}
    parts = [
        say(f"change.{name}", amount=_signed(cents)) for name, cents in amounts.items() if cents or name != "rounding"
    ]
    told = [say("change.whole", before=tenths(before), after=tenths(after), parts=joined(parts), **periods)]
    old, new = earlier.network.policy.label, present.network.policy.label
    return told if old == new else [*told, say("change.policies", before=old, after=new)]


def _signed(cents: int) -> str:
    return "0" if cents == 0 else ("+" if cents > 0 else "") + hundredths(cents)
