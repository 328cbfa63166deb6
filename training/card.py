"""The model card: one page of Markdown in English and Chinese, from plain facts.

The headings cover what model-risk guidance, the rules on assessing workers and JR/T 0221-2021 ask to be kept on file:
purpose and materiality; time, source, volume and checksum of the data; scripts, operator and environment; validation,
limits, deployment, monitoring, review before launch and exit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_MARKUP = re.compile(r"[\\`*_\[\]>|#~]")
BLANK = "........"  # to be signed on paper
UNSTATED = "not stated · 未说明"

DATA = {
    "dataset": "Dataset · 数据集",
    "source": "Source · 来源",
    "period": "Time covered · 时间范围",
    "as_of": "As of · 截至",
    "known_on": "Known on · 数据知悉日",
    "volume": "Volume · 数据量",
    "data_version": "Data version · 数据版本",
    "checksum": "Checksum · 校验值",
}
TRAINING = {
    "method": "Method · 方法",
    "code_version": "Script and code version · 脚本与代码版本",
    "policy_version": "Policy version · 制度版本",
    "seed": "Random seed · 随机种子",
    "operator": "Operator · 操作人",
    "trained_at": "Trained at · 训练时间",
    "environment": "Environment · 运行环境",
}
METRICS = {
    "indicator": "Indicator · 指标",
    "method": "Served by · 采用方法",
    "origins": "Origins · 预测起点",
    "outcomes": "Outcomes · 结果数",
    "loss": "Pinball loss · 分位损失",
    "baseline_loss": "Baseline loss · 基准损失",
    "loss_ratio": "Ratio · 比值",
    "low_evidence": "Low evidence · 依据不足",
}
CALIBRATION = {
    "indicator": "Indicator · 指标",
    "coverage": "Coverage of the 80% band · 80% 区间覆盖率",
    "p_floor": "Attained floor · 基础达成率",
    "p_target": "Attained target · 目标达成率",
    "p_stretch": "Attained stretch · 挑战达成率",
}

PURPOSE = (
    "Suggests targets for regions and branches, each with the probability of attaining it. It assists judgement; every "
    "suggestion can be overridden with a reason and reproduced on appeal. · "
    "为区域与分支机构提供目标建议及其达成概率；仅供决策参考，均可说明理由后调整，并可在申诉时复现。"
)
NOT_FOR = (
    "No automatic decision on pay, rank, appointment or dismissal. · 不得用于薪酬、排名、任免或解聘的自动决定。",
    "Units only: never applied to individual employees. · 仅适用于机构层面，不得用于评价员工个人。",
    "No claim of cause: drivers say what the model used, not what would help. · "
    "不表示因果：驱动因素只说明模型依据，不代表改进措施。",
)
LIMITS = (
    "It knows only what the data held on the day stated; events after that are not in it. · "
    "仅反映上述日期已知的数据，不含此后事件。",
    "Structural breaks, mergers and new units widen the bands and may be missed. · "
    "口径变化、机构合并与新设会加大区间，也可能未被识别。",
)
SIGN_OFF = ("Developer · 开发", "Validator · 独立验证", "Business owner · 业务负责人", "Approver · 审批")
REFERENCES = (
    "SR 26-2 (2026), model risk management · 模型风险管理指引",
    "EU AI Act, Annex III · 欧盟《人工智能法》附件三",
    "JR/T 0221-2021 · 《人工智能算法金融应用评价规范》",
)


def model_card(facts: Mapping[str, Any]) -> str:
    """Write the card of a model, each heading and label in both languages.

    Parameters
    ----------
    facts : Mapping
        All optional; what is missing is shown as not stated, so that a gap is seen.

        - `model`, `version`, `kind`, `materiality`, `purpose`: text
        - `data`, `training`: mappings with the keys of `DATA` and `TRAINING`
        - `baseline`: the name of what the model is measured against
        - `metrics`, `calibration`: lists of mappings, one an indicator, with the keys of `METRICS` and `CALIBRATION`
        - `metric_labels`, `calibration_labels`: keys and headings of these, where they are others
        - `limits`, `not_for`: further sentences; the standing ones always stay
        - `deployment`, `monitoring`, `exit`: text
        - `gates`: results as `Gate.as_dict` gives them
        - `sign_off`: by role, a mapping with `name` and `date`
        - `references`: sentences, in place of the standing ones

    Returns
    -------
    str
        Markdown; whatever comes from the facts is escaped, so that no name can add markup.
    """
    heading = f"Model card · 模型卡: {_escaped(facts.get('model'))} {_escaped(facts.get('version'))}"
    baseline = _escaped(facts.get("baseline"))
    sections = [
        ("Purpose and materiality · 用途与重要性", _purpose(facts)),
        ("Not to be used for · 禁止用途", _bullets(NOT_FOR, facts.get("not_for"))),
        ("Training data · 训练数据", _pairs(DATA, facts.get("data"))),
        ("Training · 训练过程", _pairs(TRAINING, facts.get("training"))),
        (
            f"Validation against {baseline} · 与基准对比验证",
            _table(facts.get("metric_labels") or METRICS, facts.get("metrics")),
        ),
        ("Calibration · 校准", _table(facts.get("calibration_labels") or CALIBRATION, facts.get("calibration"))),
        ("Limits · 局限", _bullets(LIMITS, facts.get("limits"))),
        (
            "Deployment and monitoring · 部署与监测",
            _lines(facts, deployment="Deployment · 部署", monitoring="Monitoring · 监测"),
        ),
        ("Review before launch · 上线前审核", _review(facts)),
        ("Exit · 退出", _escaped(facts.get("exit"))),
        ("References · 依据", _bullets((), facts.get("references") or REFERENCES)),
    ]
    return "\n\n".join([f"# {heading}", *(f"## {title}\n\n{body}" for title, body in sections)]) + "\n"


def _purpose(facts: Mapping[str, Any]) -> str:
    purpose = _escaped(facts["purpose"]) if facts.get("purpose") else PURPOSE
    return f"{purpose}\n\n" + _lines(facts, kind="Kind · 类型", materiality="Materiality · 重要性")


def _review(facts: Mapping[str, Any]) -> str:
    gates = [
        (gate["name"], "passed · 通过" if gate["passed"] else "failed · 未通过", " · ".join(gate["text"].values()))
        for gate in facts.get("gates") or ()
    ]
    signed = facts.get("sign_off") or {}
    signatures = [
        (role, *(signed.get(role, {}).get(key) or BLANK for key in ("name", "date")))
        for role in dict.fromkeys((*SIGN_OFF, *signed))
    ]
    return "\n\n".join(
        [
            _grid(("Gate · 关口", "Result · 结果", "Finding · 说明"), gates),
            _grid(("Role · 角色", "Name · 姓名", "Date · 日期"), signatures),
        ]
    )


def _lines(facts: Mapping[str, Any], **labels: str) -> str:
    return "\n".join(f"- {label}: {_escaped(facts.get(key))}" for key, label in labels.items())


def _bullets(standing: Sequence[str], further: Sequence[str] | None) -> str:
    return "\n".join(f"- {line}" for line in (*standing, *map(_escaped, further or ())))


def _pairs(labels: Mapping[str, str], values: Mapping[str, Any] | None) -> str:
    return _grid(("Item · 项目", "Value · 内容"), [(label, (values or {}).get(key)) for key, label in labels.items()])


def _table(labels: Mapping[str, str], rows: Sequence[Mapping[str, Any]] | None) -> str:
    """Lay rows out, leaving away the columns of which nothing is stated."""
    stated = [key for key in labels if any(row.get(key) is not None for row in rows or ())]
    return _grid([labels[key] for key in stated], [[row.get(key) for key in stated] for row in rows or ()])


def _grid(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows or not head:
        return UNSTATED
    cells = [list(head), ["---"] * len(head), *([_escaped(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def _escaped(value: Any) -> str:
    """Write a value so that Markdown shows it as it stands, on one line."""
    if value is None or value == "":
        return UNSTATED
    if isinstance(value, bool):
        return "yes · 是" if value else "no · 否"
    if isinstance(value, float):
        return UNSTATED if value != value else f"{value:.4g}"
    text = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, Mapping) else str(value)
    text = " ".join(text.split())
    return _MARKUP.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))
