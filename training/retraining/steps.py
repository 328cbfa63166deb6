"""The steps of a run, one after the other, and when each is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from features.errors import LoadlineError
from features.indicators import Title
from training.promote import champion_digest
from training.retraining.context import Context
from training.retraining.decision import SUBJECTS, WHATS, decide
from training.retraining.outcome import outcome
from training.retraining.policy_marks import marked_policy, policy_day
from training.retraining.request import KINDS
from training.retraining.shadow import shadow_scores
from training.retraining.target_trainee import TargetTrainee
from training.retraining.trainee import Done, Trainee
from training.retraining.warning_trainee import WarningTrainee

TRAINEES: dict[str, type[Trainee]] = {"target": TargetTrainee, "warning": WarningTrainee}
STAGES: dict[str, Title] = {
    "features": Title(en="put together what is learned from", zh="准备训练数据"),
    "tune": Title(en="choose settings", zh="选择参数"),
    "fit": Title(en="learn", zh="训练"),
    "judge": Title(en="hold against the past and the champion", zh="与历史结果及在用模型对比"),
    "gates": Title(en="check against the rules", zh="关口检验"),
    "card": Title(en="write the model card", zh="生成模型卡"),
    "register": Title(en="register", zh="登记"),
    "promote": Title(en="promote, or say what it waits for", zh="上线，或说明等待事项"),
}


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes
    ----------
    code : str
    title : Title
    work : callable
        Does it, and says what came of it. Done twice, it leaves what it leaves done once.
    needed : callable
        Tells whether it is to be done, asked when its turn comes.
    """

    code: str
    title: Title
    work: Callable[[Context], Done]
    needed: Callable[[Context], bool] = lambda context: True


def trainee(context: Context, kind: str) -> Trainee:
    """Give a kind of model within a run, the same one all along a process."""
    found = context.memory.get(f"trainee-{kind}")
    if found is None:
        found = context.memory[f"trainee-{kind}"] = TRAINEES[kind](context)
    return found


def _read(context: Context) -> Done:
    """Note where the run starts from: the champions, and the data."""
    champions: dict[str, str | None] = {}
    for kind in KINDS:
        try:
            champions[kind] = champion_digest(context.home, trainee(context, kind).name)
        except LoadlineError as error:
            champions[kind] = None
            if kind in context.request.kinds:
                _give_up(context, kind, error)
    if not context.has("start"):  # a second time, a champion may be of this run's own making
        context.keep("start", {"champions": champions})
    about, request = context.snapshot.about, context.request
    if about.fingerprint != request.fingerprint:
        what = f"data version {about.version} is not the one that was asked for: it was stored anew"
        raise LoadlineError(what, where=request.dataset, hint="Ask again.")
    context.snapshot.description.calendar.parse(request.as_of)
    text = Title(
        en=f"Data version {about.version} of {about.dataset}, as of {request.as_of}: {about.units:,} units, "
        f"{about.indicators} indicators, {about.first_period} to {about.last_period}.",
        zh=f"{about.dataset} 数据版本 {about.version}，截至 {request.as_of}：{about.units:,} 个单位、"
        f"{about.indicators} 项指标，{about.first_period} 至 {about.last_period}。",
    )
    return Done(text, {"data_version": about.version, "fingerprint": about.fingerprint, "policy": request.policy})


def _decide(context: Context) -> Done:
    """Decide what must be done, from what has changed since the champions were trained."""
    request = context.request
    decision = decide(
        context.snapshot,
        context.home,
        origin=context.origin,
        latest=request.latest,
        kinds=request.kinds,
        champions={kind: trainee(context, kind).champion for kind in KINDS},
        request=request,
    )
    context.keep("decision", decision.as_dict())
    for action in decision.actions:
        figures = {"subject": action.subject, "what": action.what}
        context.run.say("decided", action.line, step="decide", figures=figures)
    done = {action.subject: action.what for action in decision.actions}
    titles = [(SUBJECTS[subject], WHATS[what]) for subject, what in done.items()]
    text = Title(
        en="; ".join(f"{subject.en}: {what.en}" for subject, what in titles) + ".",
        zh="；".join(f"{subject.zh}：{what.zh}" for subject, what in titles) + "。",
    )
    return Done(text, done)


def _stage(kind: str, stage: str) -> Callable[[Context], Done]:
    def work(context: Context) -> Done:
        try:
            return getattr(trainee(context, kind), stage)()
        except LoadlineError as error:
            return _give_up(context, kind, error)

    return work


def _give_up(context: Context, kind: str, error: LoadlineError) -> Done:
    """Note that there will be no warning model: what stands of the target model is not lost over it.

    Raises
    ------
    LoadlineError
        The error itself, where it is the target model's, or no other model is trained.
    """
    if kind == KINDS[0] or context.request.kinds == (kind,):
        raise error
    text = Title(en=f"No warning model: {error}", zh=f"未得到预警模型：{error}")
    context.keep(f"{kind}/failed", {"note": {"en": str(error), "zh": str(error)}})
    return Done(text, {"failed": True})


def _wanted(kind: str, stage: str) -> Callable[[Context], bool]:
    def wanted(context: Context) -> bool:
        if context.decision.of(kind).what != "retrain" or context.has(f"{kind}/failed"):
            return False
        found = trainee(context, kind)
        after_fitting = stage not in ("features", "tune", "fit")
        return not (after_fitting and isinstance(found, WarningTrainee) and not found.learned)

    return wanted


def _shadow(context: Context) -> Done:
    """Score in shadow: the past under the present and the new rules, side by side."""
    figures, day = context.decision.of("scores").figures, policy_day(context.snapshot, context.origin)
    before, after = (
        marked_policy(context.snapshot, context.home, figures[side], day=day) for side in ("before", "after")
    )
    if before is None or after is None:
        lost = figures["before"] if before is None else figures["after"]
        text = Title(
            en=f"The policy {lost} is not on record any more: nothing was scored in shadow.",
            zh=f"考核制度 {lost} 已无记录，未作并行试算。",
        )
        return Done(text, {"lost": lost})
    try:
        found = shadow_scores(
            context.snapshot,
            context.home,
            context.path("shadow"),
            before=before,
            after=after,
            origin=context.origin,
            since=figures.get("since"),
            change=context.request.change,
            progress=context.progress("scores.shadow"),
        )
    except LoadlineError as error:  # a model that was promoted before stands
        text = Title(en=f"Nothing was scored in shadow: {error.what}.", zh=f"未作并行试算：{error.what}。")
        context.keep("shadow_missing", {"text": text.model_dump()})
        return Done(text, {"missing": True})
    context.keep("shadow", found)
    return Done(Title(**found["text"]), {key: value for key, value in found.items() if key != "text"})


def _close(context: Context) -> Done:
    """Put together what came of the run."""
    result = outcome(context)
    context.run.end(result)
    return Done(Title(**result["text"]), {})


STEPS: tuple[Step, ...] = (
    Step("read", Title(en="Read the data version", zh="读取数据版本"), _read),
    Step("decide", Title(en="Decide what must be done", zh="判断所需工作"), _decide),
    *(
        Step(
            f"{kind}.{stage}",
            Title(en=f"{SUBJECTS[kind].en}: {title.en}", zh=f"{SUBJECTS[kind].zh}：{title.zh}"),
            _stage(kind, stage),
            _wanted(kind, stage),
        )
        for kind in KINDS
        for stage, title in STAGES.items()
    ),
    Step(
        "scores.shadow",
        Title(en="Score in shadow under the new rules", zh="按新规则并行试算得分"),
        _shadow,
        lambda context: context.decision.of("scores").what in ("rescore", "replay_gates"),
    ),
    Step("close", Title(en="Put together what came of it", zh="汇总结果"), _close),
)
"""All steps in their order."""
