"""What a change of policy asks for: what is worked out again, and which models learn again.

The catalogue follows banks' practice of changing performance rules: new weights are scored in shadow, gates are
replayed, a new indicator is watched before it counts, and a closed period stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from features.indicators import Title

Kind = Literal[
    "identity",
    "period",
    "evaluation_level",
    "wording",
    "acceptance",
    "weights",
    "items",
    "new_indicator",
    "rule",
    "reference",
    "class",
    "adjustments",
    "limits",
    "gates",
    "grades",
    "scorecards",
    "selectors",
    "missing",
    "target_levels",
    "level_points",
    "calibration",
    "ratchet",
    "flagged",
    "alerts",
    "factors",
]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a kind of change asks for.

    Attributes
    ----------
    code : str
    text : Title
        What to do, in a sentence.
    retrain : bool
        Whether the models of targets and of risk must learn again. They learn from figures, which no change of a
        policy alone moves; changes of definitions do.
    retrain_scores : bool
        Whether models that predict scores must.
    """

    code: str
    text: Title
    retrain: bool = False
    retrain_scores: bool = False


def _consequence(code: str, en: str, zh: str, *, scores: bool = False) -> Consequence:
    return Consequence(code, Title(en=en, zh=zh), retrain_scores=scores)


SHADOW = _consequence(
    "shadow",
    "Score in shadow beside the present version and compare before it counts; the models of targets stay as they are, "
    "models that predict scores learn again.",
    "先与现行版本并行试算并对比，再正式启用；目标模型不必重训，预测得分的模型须重训。",
    scores=True,
)
OBSERVE = _consequence(
    "observe",
    "The indicator is new to the policy: watch it at weight 0 first, since its targets rest on little evidence until "
    "there is history. Models of other targets stay as they are, models that predict scores learn again.",
    "该指标首次纳入考核：积累历史数据之前目标依据不足，宜先以零权重观察。其他目标模型不必重训，预测得分的模型须重训。",
    scores=True,
)
REPLAY_GATES = _consequence(
    "replay_gates",
    "Replay limits and gates on the points on record; points of items stay as they are, and no model learns again.",
    "仅以已有得分重新执行加减分限额与封顶、保护、降级、否决规则；各项得分不变，模型不必重训。",
)
REASSIGN = _consequence(
    "reassign",
    "Units move between scorecards: check that every unit has exactly one, score in shadow, and do not compare ranks "
    "across the change; models that predict scores learn again.",
    "单位适用的计分卡有变：须确认每个单位适用且仅适用一张，先并行试算，变更前后的排名不作比较；预测得分的模型须重训。",
    scores=True,
)
SUGGEST_AGAIN = _consequence(
    "suggest_again",
    "Targets suggested from now on change, and so does how hard they are to attain; targets already signed stay, and "
    "no model learns again.",
    "此后测算的目标及其达成难度随之变化；已签订的目标不变，模型不必重训。",
)
PLAN_AGAIN = _consequence(
    "plan_again",
    "The next plan and the next calibration follow the new limit; what was agreed stays, and no model learns again.",
    "下一次目标分解与季度校准按新限额执行；已确定的事项不变，模型不必重训。",
)
ALERT_AGAIN = _consequence(
    "alert_again",
    "Another share of units is put forward for review from the next period on; no model learns again.",
    "自下一期起提示复核的单位占比改变；模型不必重训。",
)
EXPLAIN_AGAIN = _consequence(
    "explain_again",
    "Explanations are laid out differently; no score changes.",
    "仅影响解释的展开方式，得分不变。",
)
CHECK_AGAIN = _consequence(
    "check_again",
    "Other rules of the supervisor or the owner are checked: run the check again before it is activated.",
    "适用的监管或出资人规则不同：启用前须重新校验。",
)
FROM_THEN_ON = _consequence(
    "from_then_on",
    "Periods in its days are scored under it; a closed period never changes.",
    "仅对有效期内的期间计分；已关账期间不作变动。",
)
ON_RECORD = _consequence(
    "on_record",
    "Nothing is worked out again.",
    "无须重新计算。",
)

CONSEQUENCES: dict[Kind, Consequence] = {
    "identity": ON_RECORD,
    "wording": ON_RECORD,
    "acceptance": ON_RECORD,
    "period": FROM_THEN_ON,
    "evaluation_level": CHECK_AGAIN,
    "class": CHECK_AGAIN,
    "weights": SHADOW,
    "items": SHADOW,
    "new_indicator": OBSERVE,
    "rule": SHADOW,
    "reference": SHADOW,
    "adjustments": SHADOW,
    "missing": SHADOW,
    "level_points": SHADOW,
    "limits": REPLAY_GATES,
    "gates": REPLAY_GATES,
    "grades": REPLAY_GATES,
    "scorecards": REASSIGN,
    "selectors": REASSIGN,
    "target_levels": SUGGEST_AGAIN,
    "calibration": PLAN_AGAIN,
    "ratchet": PLAN_AGAIN,
    "flagged": PLAN_AGAIN,
    "alerts": ALERT_AGAIN,
    "factors": EXPLAIN_AGAIN,
}
"""What each kind of change asks for. Weights and rules of items change points, gates only what is made of them."""
