"""Facts of model cards to lay out: a full one of each kind, and hardly any."""

from __future__ import annotations

import pandas as pd

from features.indicators import Title
from training.card.facts import CardFacts, CardTable, Signature
from training.gating.gate import Gate


def table(**columns: list) -> CardTable:
    found = CardTable.of(pd.DataFrame(columns))
    assert found is not None
    return found


def both(en: str, zh: str) -> Title:
    return Title(en=en, zh=zh)


BARE = CardFacts("target-bank", "0123456789ab", "target")
GATES = (
    Gate("beats_baseline", True, 0.94, (1.0,), {"en": "Better for 9.", "zh": "9 项更优。"}),
    Gate("coverage", False, 0.5, (0.65, 0.95), {"en": "Outside for NPL.", "zh": "不良率超出。"}),
    Gate("stable_explanations", False, 0.8, (0.9,), {"en": "80% alike.", "zh": "重合 80%。"}, "sign_off"),
)
TARGET = CardFacts(
    "target-bank",
    "0123456789ab",
    "target",
    texts={
        "decision": (both("A definition has changed.", "口径发生变更。"),),
        "limits": (both("Only six years.", "仅六年。"),),
    },
    pairs={
        "about": {"owner": both("Planning", "计划财务部")},
        "data": {
            "source": "core ledger",
            "as_of": "2023",
            "known_on": "2024-01-15",
            "figures": 12345,
            "checksum": "ab12",
        },
        "training": {"operator": "li.ming", "seed": "7", "run": "bank-1"},
        "versions": {"code_version": "0.1.0"},
    },
    tables={
        "by_indicator": table(
            indicator=[both("Deposits", "存款"), both("NPL ratio", "不良率")],
            level=[both("branches", "末级机构")] * 2,
            origins=[6, 2],
            loss_ratio=[0.93812, None],
            coverage=[0.815, 0.5],
            low_evidence=[False, True],
        ),
        "by_origin": table(year=[2022, 2023], loss_ratio=[0.9, 1.9], coverage=[0.8, 0.75]),
        "origins": table(key=["D", "D"], year=[2022, 2023], loss_ratio=[0.9, 1.9]),
        "promises": table(
            promised=[0.2, 0.8], attained=[0.25, 0.7], lowest=[0.1, 0.5], highest=[0.4, 0.9], years=[5, 5]
        ),
    },
    gates=GATES,
    signatures={"validator": Signature("Wang Fang", "2024-03-04", "see minutes", "signed"), "auditor": Signature()},
)
WARNING = CardFacts(
    "warning-bank",
    "ba9876543210",
    "warning",
    tables={
        "rankings": table(name=[both("this model", "本模型"), both("logit", "逻辑回归")], auc_within=[0.83, 0.79]),
        "reliability": table(rows=[60, 60], stated=[0.01, 0.2], happened=[0.0, 0.25]),
        "detectors": table(detector=[both("Surge", "激增")], fired=[12], share_right=[0.5]),
    },
    gates=GATES[:1],
)
EVERY = {"bare": BARE, "target": TARGET, "warning": WARNING}
