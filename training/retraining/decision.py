"""What a request for training comes to: which models learn again, what scores and history need, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Literal

from features.definition_changes import definition_changes
from features.errors import LoadlineError
from features.indicators import Title
from features.snapshot import Snapshot
from models.bundle import ModelBundle
from training.retraining.change_grounds import change_grounds, change_of
from training.retraining.data_grounds import data_grounds, figures_since, grouped, told
from training.retraining.ground import Ground, Question
from training.retraining.policy_grounds import PolicyChange, policy_change, policy_grounds, score_grounds
from training.retraining.request import KINDS, TrainingRequest
from training.retraining.unit_changes import unit_grounds
from training.simulation.change_file import AnyChange, Definition

Subject = Literal["target", "warning", "scores", "history"]
What = Literal["retrain", "keep", "rescore", "replay_gates", "restated", "break", "none"]

SUBJECTS: Mapping[str, Title] = {
    "target": Title(en="Target model", zh="目标模型"),
    "warning": Title(en="Warning model", zh="预警模型"),
    "scores": Title(en="Scores", zh="得分"),
    "history": Title(en="History", zh="历史数据"),
}
WHATS: Mapping[str, Title] = {
    "retrain": Title(en="to be trained again", zh="重新训练"),
    "keep": Title(en="stays as it is", zh="保持不变"),
    "rescore": Title(en="to be worked out again in shadow", zh="并行试算"),
    "replay_gates": Title(en="only gates and limits to be replayed", zh="仅重新执行关口与限额规则"),
    "restated": Title(en="restated on the new basis", zh="已按新口径重述"),
    "break": Title(en="breaks off", zh="出现断点"),
    "none": Title(en="nothing to do", zh="无须处理"),
}


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done about one subject.

    Attributes
    ----------
    subject : str
        `target`, `warning`, `scores` or `history`.
    what : str
        Models are `retrain`ed or `keep`t, scores are `rescore`d in shadow, have their gates replayed (`replay_gates`)
        or are kept, history is `restated`, has a `break`, or there is nothing to do (`none`).
    why : tuple of Title
        Sentences, those that decide first.
    figures : Mapping
        Plain JSON. Scores have the marks of two policies, `before` and `after`, and perhaps `since`, the data version
        that the champion learned from; see `training.retraining.policy_marks`.
    """

    subject: Subject
    what: What
    why: tuple[Title, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> Title:
        """Say it in one line."""
        subject, what = SUBJECTS[self.subject], WHATS[self.what]
        return Title(
            en=f"{subject.en}: {what.en}. {' '.join(why.en for why in self.why)}".strip(),
            zh=f"{subject.zh}：{what.zh}。{''.join(why.zh for why in self.why)}",
        )

    def as_dict(self) -> dict[str, Any]:
        """Give the action as plain JSON."""
        return {
            "subject": self.subject,
            "what": self.what,
            "why": [{"en": why.en, "zh": why.zh} for why in self.why],
            "figures": dict(self.figures),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, subject by subject."""

    actions: tuple[Action, ...]

    def of(self, subject: str) -> Action:
        """Give what is to be done about a subject."""
        for action in self.actions:
            if action.subject == subject:
                return action
        raise LoadlineError(f"nothing is decided about {subject!r}", hint=f"Subjects: {', '.join(SUBJECTS)}.")

    @property
    def lines(self) -> tuple[Title, ...]:
        """Say it in a line each."""
        return tuple(action.line for action in self.actions)

    def as_dict(self) -> dict[str, Any]:
        """Give the decision as plain JSON."""
        return {"actions": [action.as_dict() for action in self.actions]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Decision:
        """Read what `as_dict` gave."""
        return cls(
            tuple(
                Action(one["subject"], one["what"], tuple(Title(**why) for why in one["why"]), one["figures"])
                for one in plain["actions"]
            )
        )


def decide(
    snapshot: Snapshot,
    home: str | Path,
    *,
    origin: int,
    latest: bool,
    kinds: Sequence[str],
    champions: Mapping[str, ModelBundle | None],
    request: TrainingRequest,
) -> Decision:
    """Compare what the models in service learned from with what there is now.

    Parameters
    ----------
    snapshot : Snapshot
        The data version that is asked about.
    home : Path
        Where policies are on record; only read.
    origin : int
        Last period (ordinal) that may be learned from.
    latest : bool
        Whether everything known by now about the periods up to `origin` is used.
    kinds : sequence of str
        Models that may be trained, of `training.retraining.request.KINDS`.
    champions : Mapping[str, ModelBundle or None]
        By kind; None where no model serves.
    request : TrainingRequest
        With the policy in force, the seed, and perhaps a change from outside.

    Raises
    ------
    LoadlineError
        Where the request names a change that cannot be read.
    """
    change = change_of(request.change)
    asked = {kind: Question(snapshot, Path(home), origin, latest, request, kind, champions.get(kind)) for kind in KINDS}
    policies = {kind: policy_change(one) for kind, one in asked.items()}
    reference = next((kind for kind in KINDS if champions.get(kind) is not None), KINDS[0])
    return Decision(
        (
            *(_model(asked[kind], policies[kind], change, wanted=kind in kinds) for kind in ("target", "warning")),
            _scores(asked[reference], policies[reference], change),
            _history(asked[reference], change),
        )
    )


def _model(asked: Question, policy: PolicyChange, change: AnyChange | None, *, wanted: bool) -> Action:
    subject: Subject = "target" if asked.kind == "target" else "warning"
    if not wanted:
        return Action(subject, "none", (Title(en="It is not asked for.", zh="本次未申请。"),))
    grounds = list(_grounds(asked, policy, change))
    deciding = [ground for ground in grounds if ground.asks]
    others = [ground for ground in grounds if not ground.asks]
    figures = {"grounds": [{"code": ground.code, "asks": ground.asks, **ground.figures} for ground in grounds]}
    if deciding:
        return Action(subject, "retrain", tuple(ground.text for ground in (*deciding, *others)), figures)
    stays = Title(
        en="Nothing that the model rests on has changed since it was trained.",
        zh="模型所依据的数据、口径与程序均未变化。",
    )
    return Action(subject, "keep", (*(ground.text for ground in others), stays), figures)


def _grounds(asked: Question, policy: PolicyChange, change: AnyChange | None) -> Iterator[Ground]:
    if asked.champion is None:
        yield Ground("first", True, Title(en="No model is in service yet.", zh="尚无在用模型。"))
    else:
        yield from data_grounds(asked)
        yield from _code(asked, asked.champion)
        yield from policy_grounds(policy)
        yield from unit_grounds(asked)
        yield from change_grounds(asked, change)
    if asked.request.attempt > 1:
        again = asked.request.attempt
        text = Title(en=f"It is asked for again (attempt {again}).", zh=f"再次申请训练（第 {again} 次）。")
        yield Ground("again", True, text, {"attempt": again})


def _code(asked: Question, champion: ModelBundle) -> Iterator[Ground]:
    """Compare the version of the program and the seed."""
    before, after = str(champion.meta["code_version"]), asked.request.code_version or installed("loadline")
    if before != after:
        text = Title(
            en=f"It was trained by version {before} of the program; now it is {after}.",
            zh=f"在用模型由程序版本 {before} 训练，现为 {after}。",
        )
        yield Ground("code", True, text, {"before": before, "after": after})
    seed = champion.meta["seed"]
    if seed != asked.request.seed:
        text = Title(
            en=f"Another seed is asked for: {asked.request.seed} in place of {seed}.",
            zh=f"随机种子由 {seed} 改为 {asked.request.seed}。",
        )
        yield Ground("seed", True, text, {"before": seed, "after": asked.request.seed})


def _scores(asked: Question, policy: PolicyChange, change: AnyChange | None) -> Action:
    grounds = list(score_grounds(policy))
    what: What = policy.scores
    figures: dict[str, Any] = {"before": policy.marks[0], "after": policy.marks[1]}
    if asked.champion is not None and asked.past is not None:
        restated = figures_since(asked)[1]
        units = [ground.text for ground in unit_grounds(asked)]
        if restated or units:
            figures["since"] = asked.past.about.version
        if restated:
            grounds.append(
                Ground(
                    "restated",
                    True,
                    Title(
                        en=f"{restated:,} figures are restated: points of past periods are worked out again beside "
                        "those on record; closed periods stay as they were scored.",
                        zh=f"{restated:,} 个数据被重述：对历史期间重新试算并与原得分对比；已关账期间维持原得分。",
                    ),
                )
            )
        grounds += [Ground("units", True, text) for text in units]
    if change is not None:
        figures["change"] = change.kind
        text = Title(
            en=f"A change from outside, {change.kind.replace('_', ' ')} from {change.start}, is replayed over the "
            "past.",
            zh=f"外部变化（{change.kind}，自 {change.start} 起）须回放历史得分。",
        )
        grounds.append(Ground("change", True, text))
    if policy.before is None:
        what = "keep"
    elif change is not None or "since" in figures:
        what = "rescore"
    same = Title(en="The policy and the figures scored are the same.", zh="考核制度与计分数据均未变化。")
    order = sorted(grounds, key=lambda ground: not ground.asks)
    return Action("scores", what, tuple(ground.text for ground in order) or (same,), figures | policy.figures)


def _history(asked: Question, change: AnyChange | None) -> Action:
    found = () if asked.past is None else definition_changes(asked.snapshot, since=asked.past.about.version)
    why = [told(group, asked.snapshot) for group in grouped(found)]
    treatments = {each.treatment for each in found}
    if isinstance(change, Definition):
        treatments.add("restated" if change.treatment == "restate" else "break")
        said = ("is restated", "按新口径重述") if change.treatment == "restate" else ("breaks off", "标记断点")
        why.append(
            Title(
                en=f"History of {change.indicator} {said[0]} at {change.start}, where definition {change.version} "
                "begins.",
                zh=f"{change.indicator} 自 {change.start} 起采用口径 {change.version}，此前历史{said[1]}。",
            )
        )
    what: What = "none" if not treatments else "break" if "break" in treatments else "restated"
    if not why:
        why.append(Title(en="No definition has changed.", zh="口径未变化。"))
    return Action("history", what, tuple(why), {"definitions": [each.as_dict() for each in found]})
