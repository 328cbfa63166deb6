"""What a warning model must show before it may be promoted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.gates import Gate
from training.warning.fitting import LEAST_POSITIVES, LEAST_WAVES, Fitted
from training.warning.forward_chain import LOGIT, MODEL, SINGLE, ForwardChain

NAMES = (MODEL, SINGLE, LOGIT)
MEASURES = ("auc_within", "average_precision")
NOT_WORSE_BY = 0.02
"""Points by which the model may trail a simple one in both measures. Over a few years their sampling error is larger,
and which of them will be better in a given year cannot be seen before. Ahead in one of the two is not behind."""
LEAST_YEARS = 2
"""Years that must have been replayed before the comparison says anything; one year is one shock."""
CALIBRATION_RATIO = (0.5, 2.0)
"""Stated over happened, all years together: units share the shock of their year, so no tighter limit could be kept."""


def check_warning_gates(found: Fitted, chain: ForwardChain) -> tuple[Gate, ...]:
    """Check a model: enough cases, skill on cases unseen, not behind the simple ones out of time, and calibrated."""
    table = chain.table().set_index("name") if chain.years else pd.DataFrame()
    return _enough(found), _skill(found), _beats(table, chain), _calibrated(chain)


def _enough(found: Fitted) -> Gate:
    passed = found.positives >= LEAST_POSITIVES and found.waves >= LEAST_WAVES
    text = {
        "en": f"Unit-periods followed by deterioration: {found.positives}, in {found.waves} waves.",
        "zh": f"恶化样本 {found.positives} 个，共 {found.waves} 轮。",
    }
    return Gate("enough_cases", passed, float(found.positives), (float(LEAST_POSITIVES), float(LEAST_WAVES)), text)


def _skill(found: Fitted) -> Gate:
    passed = found.answers
    text = {
        "en": "On cases it had not seen it " + ("beat" if passed else "did not beat") + " the base rate.",
        "zh": "对未见样本的判断" + ("优于" if passed else "未优于") + "基准比率。",
    }
    return Gate("skill", passed, None, (), text)


def _beats(table: pd.DataFrame, chain: ForwardChain) -> Gate:
    if len(chain.years) < LEAST_YEARS:
        text = {
            "en": f"Only {len(chain.years)} past years could be replayed; the comparison on the training data stands.",
            "zh": f"仅能回放 {len(chain.years)} 个年度，以训练样本内部的对比为准。",
        }
        return Gate("beats_simple", True, None, (NOT_WORSE_BY,), text)
    within, precision = ({name: float(table[column][name]) for name in NAMES} for column in MEASURES)
    behind = {
        name: max(within[MODEL] - within[name], precision[MODEL] - precision[name]) for name in NAMES if name != MODEL
    }
    worst = min(behind.values())
    words = {name: f"{within[name]:.3f} ({precision[name]:.3f})" for name in NAMES}
    text = {
        "en": f"Within-period AUC (average precision) over {len(chain.years)} replayed years: {words[MODEL]}; "
        f"best single indicator {words[SINGLE]}, logit {words[LOGIT]}.",
        "zh": f"回放 {len(chain.years)} 个年度的期内 AUC（平均精确率）为 {words[MODEL]}；"
        f"最佳单一指标 {words[SINGLE]}，逻辑回归 {words[LOGIT]}。",
    }
    return Gate("beats_simple", worst >= -NOT_WORSE_BY, worst if np.isfinite(worst) else None, (-NOT_WORSE_BY,), text)


def _calibrated(chain: ForwardChain) -> Gate:
    bins = chain.calibration()
    low, high = CALIBRATION_RATIO
    happened = float((bins["happened"] * bins["rows"]).sum()) if len(bins) else 0.0
    if len(chain.years) < LEAST_YEARS or happened == 0:
        text = {"en": "Too few past years to check the probabilities.", "zh": "历史年度过少，无法检验概率。"}
        return Gate("calibration", True, None, CALIBRATION_RATIO, text)
    ratio = float((bins["stated"] * bins["rows"]).sum()) / happened
    text = {
        "en": f"Stated probabilities came to {ratio:.2f} times what happened (allowed: {low} to {high}).",
        "zh": f"预测概率合计为实际发生的 {ratio:.2f} 倍（允许 {low} 至 {high}）。",
    }
    return Gate("calibration", low <= ratio <= high, ratio, CALIBRATION_RATIO, text)
