"""The model card."""

import re

import pytest

from training.card import BLANK, LIMITS, NOT_FOR, REFERENCES, SIGN_OFF, UNSTATED, model_card
from training.gates import IndicatorEvidence, check_gates

FACTS = {
    "model": "target",
    "version": "0123456789ab",
    "kind": "target",
    "materiality": "medium",
    "baseline": "pooled growth",
    "data": {
        "dataset": "us-banks",
        "source": "FDIC",
        "period": "2001-2024",
        "as_of": "2024",
        "known_on": "2025-03-01",
        "volume": 12345,
        "data_version": 3,
        "checksum": "ab12",
    },
    "training": {"code_version": "0.1.0", "seed": 7, "operator": "li.ming", "environment": {"python": "3.11"}},
    "metrics": [
        {
            "indicator": "D01",
            "method": "recipe",
            "origins": 6,
            "outcomes": 180,
            "loss_ratio": 0.93812,
            "low_evidence": False,
        },
        {"indicator": "R01", "method": "fallback", "origins": 2, "loss_ratio": float("nan"), "low_evidence": True},
    ],
    "calibration": [{"indicator": "D01", "coverage": 0.815}],
    "limits": ["Only six years."],
    "gates": [
        gate.as_dict()
        for gate in check_gates([IndicatorEvidence("D01", 6, 180, 1.4, 0.81, fallback=False, low_evidence=False)])
    ],
    "sign_off": {SIGN_OFF[1]: {"name": "Wang", "date": "2025-04-01"}, "Auditor": {}},
}


def sections(card: str) -> dict[str, str]:
    parts = re.split(r"^## (.*)$", card, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_every_heading_is_there_in_both_languages():
    titles = list(sections(model_card(FACTS)))
    assert [title.split(" · ")[0] for title in titles] == [
        "Purpose and materiality",
        "Not to be used for",
        "Training data",
        "Training",
        "Validation against pooled growth",
        "Calibration",
        "Limits",
        "Deployment and monitoring",
        "Review before launch",
        "Exit",
        "References",
    ]
    assert all(re.search(r" · [\u4e00-\u9fff]", title) for title in titles)


def test_the_facts_are_shown_where_they_belong():
    shown = sections(model_card(FACTS))
    data = shown["Training data · 训练数据"]
    assert row(data, "Volume")[1] == "12345"
    assert row(data, "Known on")[1] == "2025-03-01"
    assert row(data, "Checksum")[1] == "ab12"
    training = shown["Training · 训练过程"]
    assert row(training, "Random seed")[1] == "7"
    assert row(training, "Environment")[1] == "python 3.11"
    assert row(training, "Method")[1] == UNSTATED
    metrics = shown["Validation against pooled growth · 与基准对比验证"]
    assert row(metrics, "D01") == ["D01", "recipe", "6", "180", "0.9381", "no · 否"]
    assert row(metrics, "R01") == ["R01", "fallback", "2", UNSTATED, UNSTATED, "yes · 是"]
    assert row(shown["Calibration · 校准"], "D01") == ["D01", "0.815"]
    review = shown["Review before launch · 上线前审核"]
    assert row(review, r"beats\_baseline")[1] == "failed · 未通过"
    assert row(review, SIGN_OFF[1]) == [SIGN_OFF[1], "Wang", "2025-04-01"]
    assert "Auditor" in review


def test_what_it_must_not_be_used_for_always_stands():
    for facts in ({}, FACTS, {"not_for": ["Credit decisions."], "limits": ["More."]}):
        card = model_card(facts)
        for line in (*NOT_FOR, *LIMITS):
            assert line in card
    assert "Credit decisions." in card


def test_gaps_are_seen():
    shown = sections(model_card({}))
    for title, body in shown.items():
        if not title.startswith(("Not to be", "Limits", "References", "Review")):
            assert UNSTATED in body, title
    assert BLANK in shown["Review before launch · 上线前审核"]


def test_citations_can_be_replaced():
    card = model_card({"references": ["Our own rule 7"]})
    assert "Our own rule 7" in card
    assert REFERENCES[0] not in card
    assert REFERENCES[0] in model_card({})


@pytest.mark.parametrize(
    "hostile", ["a | b", "<script>x</script>", "line\n## Heading", "[x](javascript:y)", "`c` *b* _i_"]
)
def test_no_fact_can_add_markup(hostile):
    card = model_card({**FACTS, "model": hostile, "data": {"source": hostile}, "limits": [hostile], "exit": hostile})
    assert list(sections(card)) == list(sections(model_card(FACTS)))
    assert "<" not in card
    assert not re.search(r"(?<!\\)[`*]|(?<!\\)\]\(", card)
    assert len(re.split(r"(?<!\\)\|", next(line for line in card.splitlines() if line.startswith("| Source")))) == 4
