"""What another policy asks for, by what its differences are: score in shadow, replay gates, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from features.indicators import Title
from models.policy.consequences import FROM_THEN_ON, ON_RECORD, Consequence
from models.policy.difference import Change, differences
from models.policy.document import Policy
from training.retraining.ground import Ground, Question, listed
from training.retraining.policy_marks import DEFAULT, mark_of, marked_policy, policy_day

SCORED_AGAIN = ("shadow", "observe", "reassign")
"""Consequences that points of items change with."""
GATES_AGAIN = ("replay_gates",)


@dataclass(frozen=True)
class PolicyChange:
    """The policy that the champion was trained under, and the one that counts now.

    Attributes
    ----------
    before : Policy or None
        None where it is not on record any more.
    after : Policy
    marks : tuple of str
        By which both are found again.
    differences : tuple of Change
    """

    before: Policy | None
    after: Policy
    marks: tuple[str, str]
    differences: tuple[Change, ...]

    @property
    def consequences(self) -> tuple[Consequence, ...]:
        """List what the differences ask for, each once."""
        return tuple({change.consequence.code: change.consequence for change in self.telling}.values())

    @property
    def telling(self) -> tuple[Change, ...]:
        """List the differences that ask for something; another name, version or day does not."""
        silent = (ON_RECORD.code, FROM_THEN_ON.code)
        return tuple(change for change in self.differences if change.consequence.code not in silent)

    @property
    def scores(self) -> Literal["rescore", "replay_gates", "keep"]:
        """Tell what scores need."""
        codes = {consequence.code for consequence in self.consequences}
        if codes & set(SCORED_AGAIN):
            return "rescore"
        return "replay_gates" if codes & set(GATES_AGAIN) else "keep"

    @property
    def figures(self) -> dict[str, Any]:
        """Give the marks, and how many differences there are of each kind."""
        kinds = [change.kind for change in self.telling]
        counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
        return {"before": self.marks[0], "after": self.marks[1], "differences": counts}


def policy_change(asked: Question) -> PolicyChange:
    """Find the policies of the champion and of now; the same one where there is no champion."""
    snapshot, home = asked.snapshot, asked.home
    day = policy_day(snapshot, asked.origin)
    after = marked_policy(snapshot, home, asked.request.policy, day=day)
    if after is None:
        after = marked_policy(snapshot, home, "", day=day)
    assert after is not None
    new = mark_of(after)
    if asked.champion is None:
        return PolicyChange(after, after, (new, new), ())
    mark = str(asked.champion.meta.get("policy_version", ""))
    before = marked_policy(asked.past or snapshot, home, mark, day=policy_day(snapshot, asked.learned_to))
    if before is None:
        return PolicyChange(None, after, (mark, new), ())
    marks = (mark_of(before), new)
    if marks == (DEFAULT, DEFAULT) and before.label != after.label:  # equal weights of other indicators
        marks = (before.label, after.label)
    return PolicyChange(before, after, marks, differences(before, after))


def policy_grounds(change: PolicyChange) -> Iterator[Ground]:
    """Say what the differences of the policies mean for a model."""
    if change.before is None or not change.telling:
        return
    asks = any(found.retrain for found in change.differences)
    where = [found.where for found in change.telling]
    versions = f"{change.before.label} → {change.after.label}"
    stays = Title(
        en="they change points and rules, not the figures that the model learns from.",
        zh="仅涉及计分与规则，不改变模型学习的数据。",
    )
    again = Title(en="the model must learn again.", zh="模型须重训。")
    end = again if asks else stays
    yield Ground(
        "policy",
        asks,
        Title(
            en=f"The policy has {len(where):,} differences ({versions}: {listed(where)}): {end.en}",
            zh=f"考核制度有 {len(where):,} 处不同（{versions}：{listed(where, joint='、')}）：{end.zh}",
        ),
        change.figures,
    )


def score_grounds(change: PolicyChange) -> Iterator[Ground]:
    """Say what the differences of the policies mean for scores."""
    if change.before is None:
        text = Title(
            en=f"The policy {change.marks[0]} of the model in service is not on record any more; scores cannot be set "
            "side by side.",
            zh=f"在用模型对应的考核制度 {change.marks[0]} 已无记录，无法进行新旧对比。",
        )
        yield Ground("policy_lost", False, text, change.figures)
        return
    for consequence in change.consequences:
        moved = [found.where for found in change.telling if found.consequence.code == consequence.code]
        yield Ground(
            consequence.code,
            consequence.code in (*SCORED_AGAIN, *GATES_AGAIN),
            Title(
                en=f"{len(moved):,} differences of the policy ({listed(moved)}): {consequence.text.en}",
                zh=f"考核制度 {len(moved):,} 处不同（{listed(moved, joint='、')}）：{consequence.text.zh}",
            ),
            {"where": moved},
        )
