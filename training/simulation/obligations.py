"""What a change asks for before it counts: who decides, what is worked out again, whether models learn again.

The list follows banks' practice of changing performance rules; each kind of change has an entry of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from features.indicators import Title
from models.policy.consequences import ON_RECORD
from models.policy.difference import Change
from models.policy.document import Policy
from training.simulation.change_file import AnyChange, Definition

MET, OPEN = "met", "open"
"""Whether what is asked for is there."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing that a change asks for; `state` is `MET` or `OPEN`."""

    code: str
    text: Title
    state: str = OPEN


@dataclass(frozen=True, slots=True)
class Retraining:
    """Whether models must learn again, and why: those of targets and risk, and those that predict scores."""

    models: bool
    score_models: bool
    why: Title


def _retraining(models: bool, en: str, zh: str) -> Retraining:
    return Retraining(models, True, Title(en=en, zh=zh))


RETRAINING: dict[str, Retraining] = {
    "rate_cap": _retraining(
        True,
        "Risk models are calibrated again: what a yield says about later losses is not what it was. Models of income "
        "targets learn again once figures under the cap have come in, with the flag of the regime; until then targets "
        "are moved by what the cap takes.",
        "风险模型须重新校准：利率与后续损失的关系已改变。收入类目标模型待新制度下的数据积累后、"
        "带制度标识重训；此前按上限影响幅度调整目标。",
    ),
    "npl_tolerance": _retraining(
        False,
        "Figures are what they were; only what they are held to moves. Models of targets and risk stay.",
        "数据未变，仅衡量标准调整；目标与风险模型不必重训。",
    ),
    "definition": _retraining(
        True,
        "Models learned what the indicator meant before; they learn again on the new definition.",
        "在用模型基于原口径，须按新口径重训。",
    ),
    "new_indicator": _retraining(
        False,
        "Models of other indicators stay. Its own model is learned when there are years enough; until then the peers' "
        "middle with a wide band answers, marked as low evidence.",
        "其他指标的模型不必重训；该指标待历史足够后建模，此前以同组中位数及较宽区间代替，并标注依据不足。",
    ),
    "merger": _retraining(
        False,
        "History is added up on the same basis, and models look at units through it; the next regular training takes "
        "the merged unit in.",
        "历史按同口径合并追溯，模型据此识别单位；下次例行训练时纳入合并后的单位。",
    ),
}

OWN: dict[str, tuple[Obligation, ...]] = {
    "rate_cap": (
        Obligation(
            "regime_flag",
            Title(
                en="Mark the periods from the cap on with a flag of the regime, for models and for readers.",
                zh="自上限生效期起设置制度标识，供模型与读者识别。",
            ),
        ),
        Obligation(
            "move_targets",
            Title(
                en="Move signed targets of income by the stated factor, or state that they stand.",
                zh="按所列系数调整已签订的收入类目标，或明确不作调整。",
            ),
        ),
        Obligation(
            "recalibrate_risk",
            Title(en="Calibrate risk models again before their next use.", zh="风险模型下次使用前重新校准。"),
        ),
    ),
    "npl_tolerance": (
        Obligation(
            "show_both",
            Title(
                en="Show the ratio with and without the tolerance: it eases what is held against a unit, not the loss.",
                zh="同时列示容忍度前后的结果：容忍度只调整考核，不改变实际损失。",
            ),
        ),
    ),
    "new_indicator": (
        Obligation(
            "observe",
            Title(
                en="Watch it at weight 0 for at least a year before it counts.",
                zh="计入考核前以零权重观察至少一年。",
            ),
        ),
        Obligation(
            "low_evidence",
            Title(
                en="Show its targets as resting on low evidence while history is short.",
                zh="历史不足期间，目标须标注“依据不足”。",
            ),
        ),
    ),
    "merger": (
        Obligation(
            "effective_dated_tree",
            Title(
                en="Enter the merger into units.csv with its day and the successor; nothing earlier is overwritten.",
                zh="在 units.csv 中按生效日登记合并及承接单位，不覆盖历史。",
            ),
        ),
        Obligation(
            "same_basis",
            Title(
                en="Compare with last year on the same basis, and give peers by the new groups.",
                zh="同比采用同口径，并按新的同组比较。",
            ),
        ),
    ),
}
RESTATE = (
    Obligation(
        "restate_history",
        Title(
            en="Bring the restated history as a new data version, with the day on which it became known.",
            zh="将重述后的历史作为新的数据版本入库，并注明知悉日期。",
        ),
    ),
)
BREAK = (
    Obligation(
        "mark_break",
        Title(
            en="Mark the break in indicators.yaml by the new definition version; growth across it is not shown.",
            zh="在 indicators.yaml 中以新口径版本标记断点，不列示跨口径增速。",
        ),
    ),
)
CLOSED = Obligation(
    "closed_periods",
    Title(
        en="Closed periods stay as they were scored; this replay has stored and changed no score.",
        zh="已关账期间维持原得分；本次模拟未存储、未改动任何得分。",
    ),
    MET,
)
IMPACT = Obligation(
    "impact_report",
    Title(en="An impact report: this one, for those who decide.", zh="影响报告：即本报告，供决策人审阅。"),
    MET,
)
SHADOW = Obligation(
    "champion_challenger",
    Title(
        en="Run the present version and the new one side by side for a period before the new one counts.",
        zh="新版本生效前与现行版本并行运行一期。",
    ),
)


def obligations_of(change: AnyChange | None, policy: Policy | None) -> tuple[Obligation, ...]:
    """List what a change from outside, or a new policy, asks for.

    Parameters
    ----------
    change : AnyChange or None
    policy : Policy or None
        The new policy, where one is compared.
    """
    start = change.start if change is not None else str(policy.effective.start) if policy is not None else ""
    approver = None if change is None else change.approver
    rollback = None if change is None else change.rollback
    own = () if change is None else OWN.get(change.kind, ())
    if isinstance(change, Definition):
        own = RESTATE if change.treatment == "restate" else BREAK
    return (
        Obligation(
            "effective_date",
            Title(en=f"An effective date: {start}.", zh=f"生效日期：{start}。"),
            MET if start else OPEN,
        ),
        Obligation(
            "approver",
            Title(
                en=f"An approver: {approver}." if approver else "An approver, by name: none is given yet.",
                zh=f"批准人：{approver}。" if approver else "批准人：尚未填写。",
            ),
            MET if approver else OPEN,
        ),
        IMPACT,
        SHADOW,
        Obligation(
            "rollback",
            Title(
                en=f"A way back: {rollback}." if rollback else "A way back, should the change not hold: none is given.",
                zh=f"回退方案：{rollback}。" if rollback else "回退方案：尚未填写。",
            ),
            MET if rollback else OPEN,
        ),
        CLOSED,
        *own,
    )


def retraining_of(change: AnyChange | None, differences: Sequence[Change]) -> Retraining:
    """Say whether models must learn again, for a change from outside and for the differences of two policies."""
    of_policy = Retraining(
        any(found.retrain for found in differences),
        any(found.consequence.retrain_scores for found in differences),
        _why(differences),
    )
    if change is None:
        return of_policy
    own = RETRAINING[change.kind]
    if not differences:
        return own
    why = Title(en=f"{own.why.en} {of_policy.why.en}", zh=f"{own.why.zh}{of_policy.why.zh}")
    return Retraining(own.models or of_policy.models, own.score_models or of_policy.score_models, why)


def _why(differences: Sequence[Change]) -> Title:
    asked = {found.consequence.code: found.consequence.text for found in differences}
    if len(asked) > 1:
        asked.pop(ON_RECORD.code, None)
    texts = list(asked.values())
    if not texts:
        return Title(en="The policies are the same.", zh="两项制度相同。")
    return Title(en=" ".join(text.en for text in texts), zh="".join(text.zh for text in texts))
