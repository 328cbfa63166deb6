"""The record of a warning model: what is logged beside it, and its card."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version as installed
from typing import Any

import pandas as pd

from features.snapshot import Snapshot
from models.bundle import ModelBundle
from training.card import model_card
from training.gates import Gate
from training.record import LIBRARIES
from training.track import Tracker
from training.warning.fitting import Fitted
from training.warning.forward_chain import ForwardChain

PURPOSE = (
    "States for regions and branches how likely a deterioration of risk is in the time ahead, so that risk staff know "
    "where to look first. It changes no score and no target. · "
    "给出各区域与分支机构未来风险恶化的概率，供风险人员确定核查先后；不改变任何得分与目标。"
)
METRICS = {
    "name": "Ranking · 排序依据",
    "rows": "Rows · 样本",
    "positives": "Deteriorated · 恶化",
    "auc_within": "AUC within a period · 期内 AUC",
    "auc": "AUC pooled · 合并 AUC",
    "average_precision": "Average precision · 平均精确率",
    "hits": "Hits · 命中",
    "false_alarms": "False alarms · 误报",
    "precision": "Precision at budget · 预算内精确率",
    "recall": "Recall at budget · 预算内召回率",
}
CALIBRATION = {
    "rows": "Rows · 样本",
    "stated": "Stated probability · 预测概率",
    "happened": "Happened · 实际比率",
}
LIMITS = (
    "Labels mature late: nothing of the last months is in it. · 标签到期较晚，最近数月的情况不在其中。",
    "A deterioration of a kind that never happened in the data is not foreseen. · 数据中从未出现过的风险类型无法预见。",
)


def record_warning_run(name: str, bundle: ModelBundle, chain: ForwardChain, card: str, *, tracker: Tracker) -> int:
    """Log a run with its metrics and its card, and register the model as challenger; give its number there."""
    meta = bundle.meta
    params = {key: meta[key] for key in ("dataset", "data_version", "fingerprint", "as_of", "seed")}
    with tracker.run(name, f"{meta['as_of']} data version {meta['data_version']}", params=params) as run:
        for row in chain.table().to_dict("records") if chain.years else []:
            kind = str(row["name"]).replace(" ", "_")
            figures = {
                key: float(row[key]) for key in ("auc_within", "auc", "average_precision", "precision", "recall")
            }
            run.log_metrics({f"{kind}.{key}": value for key, value in figures.items() if value == value})
        run.log_text(card, "model_card.md")
        return tracker.register(name, run, bundle, alias="challenger")


def warning_card(
    snapshot: Snapshot,
    name: str,
    bundle: ModelBundle,
    found: Fitted,
    chain: ForwardChain,
    gates: Sequence[Gate],
    *,
    by: str,
    at: datetime,
) -> str:
    """Write the model card."""
    about, meta = snapshot.about, bundle.meta
    environment = ", ".join(f"{library} {installed(library)}" for library in LIBRARIES)
    return model_card(
        {
            "model": name,
            "version": bundle.version,
            "kind": bundle.kind,
            "purpose": PURPOSE,
            "baseline": "the best single indicator and a logistic regression, years replayed forward",
            "data": {
                "dataset": f"{about.dataset}: {snapshot.description.title.en} · {snapshot.description.title.zh}",
                "source": snapshot.description.source,
                "period": f"{about.first_period} - {about.last_period}",
                "as_of": meta["as_of"],
                "known_on": meta["known_on"],
                "volume": f"{about.units:,} units; {found.rows:,} labelled unit-periods, {found.positives:,} followed "
                f"by deterioration in {found.waves} waves",
                "data_version": about.version,
                "checksum": about.fingerprint,
            },
            "training": {
                "method": "" if found.model is None else found.model.method,
                "code_version": meta["code_version"],
                "seed": meta["seed"],
                "operator": by,
                "trained_at": at.isoformat(timespec="seconds"),
                "environment": f"Python {platform.python_version()}, {environment}",
            },
            "metric_labels": METRICS,
            "metrics": _rows(chain.table()) if chain.years else [],
            "calibration_labels": CALIBRATION,
            "calibration": _rows(chain.calibration()) if chain.years else [],
            "limits": [*LIMITS, f"{found.note.en} · {found.note.zh}"],
            "gates": [gate.as_dict() for gate in gates],
            "deployment": "A verified local copy; the promotion record names the champion.",
            "monitoring": "Hits and false alarms of past years, with each year of labels that matures.",
            "exit": "Roll back to the champion before; without a model the patterns alone rank the units.",
        }
    )


def _rows(table: pd.DataFrame) -> list[Mapping[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
