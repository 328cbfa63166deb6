"""Random policies and nasty figures in words: nothing is left out, nothing breaks, everything shown adds up."""

import re
from decimal import Decimal

import numpy as np
import pytest
from scoring_cases import indicators, random_facts, random_policy

from models.scoring.attribution import attribute
from models.scoring.engine import score_card
from models.scoring.factor_words import told_chains
from models.scoring.facts import Facts
from models.scoring.gaps import AGAINST
from models.scoring.grade_words import change_text, next_grade_texts
from models.scoring.next_grade import FigureChange, Hold, NextGrade, Way, next_grade
from models.scoring.phrases import LANGUAGES
from models.scoring.references import reference_of
from models.scoring.rule_words import gate_text
from models.scoring.sentences import item_text, reasons_of
from models.scoring.story import missing_items, period_text, score_story

KNOWN = indicators()
UNIT = {"en": "Unit", "zh": "单位"}
ROWS = 12


def assert_told(text: dict[str, str]) -> None:
    assert set(text) == set(LANGUAGES)
    for language in LANGUAGES:
        assert text[language]
        assert not re.search(r"[{}]|\bnan\b|\binf\b|None", text[language]), text[language]


@pytest.mark.parametrize("seed", range(25))
def test_whatever_the_figures_everything_is_told_and_adds_up(seed):
    rng = np.random.default_rng(seed)
    policy = random_policy(rng, KNOWN)
    facts = random_facts(rng, policy, KNOWN, ROWS)
    for card in policy.scorecards:
        scores = score_card(policy, card, facts, KNOWN)
        for against in AGAINST:
            attribution = attribute(scores, reference_of(facts, against))
            for row in range(ROWS):
                explained = bool(attribution.explained[row])
                reasons = reasons_of(attribution, row) if explained else ()
                for reason in reasons:
                    assert_told(reason.text)
                    if reason.cents:
                        assert f"{abs(reason.cents) / 100:.2f}".rstrip("0").rstrip(".") in reason.text["zh"].replace(
                            ",", ""
                        )
                base = int(attribution.then.tenths[row]) if explained else None
                if explained:
                    difference = (int(scores.tenths[row]) - int(attribution.then.tenths[row])) * 10
                    assert sum(reason.cents for reason in reasons) == difference
                story = score_story(
                    scores,
                    row,
                    unit=UNIT,
                    period=period_text("2024"),
                    reference_tenths=base,
                    against=against,
                    reasons=reasons,
                )
                assert_told(story)
                assert ("no score" in story["en"]) is not bool(scores.scored[row])


@pytest.mark.parametrize("seed", range(25))
def test_every_item_and_gate_has_its_sentence(seed):
    rng = np.random.default_rng(1_000 + seed)
    policy = random_policy(rng, KNOWN)
    facts = random_facts(rng, policy, KNOWN, ROWS)
    for card in policy.scorecards:
        scores = score_card(policy, card, facts, KNOWN)
        for row in range(ROWS):
            for number in range(len(card.items)):
                text = item_text(scores, number, row)
                assert_told(text)
                if scores.state[number, row] == 0:
                    amount = Decimal(text["en"].rpartition(" = ")[2].replace(",", ""))
                    assert amount * 100 == int(scores.items[number, row])
            for number in range(len(policy.gates)):
                assert_told(gate_text(scores, number, row))
            assert len(missing_items(scores, row)) == int((scores.state[:, row] != 0).sum())


@pytest.mark.parametrize("seed", range(4))
def test_ways_to_the_next_grade_are_told_as_they_were_proved(seed):
    rng = np.random.default_rng(2_000 + seed)
    policy = random_policy(rng, KNOWN)
    facts = random_facts(rng, policy, KNOWN, 4)
    scores = score_card(policy, policy.scorecards[0], facts, KNOWN)
    for row in range(4):
        found = next_grade(scores, row)
        for text in next_grade_texts(found, scores):
            assert_told(text)


def simple_scores():
    rng = np.random.default_rng(5)
    policy = random_policy(rng, KNOWN)
    return score_card(policy, policy.scorecards[0], random_facts(rng, policy, KNOWN, 1), KNOWN)


def test_each_way_has_its_words():
    scores = simple_scores()
    gate = scores.policy.gates[0] if scores.policy.gates else None
    one = Way((FigureChange("DOWN1", 2.5, 2.1),), 901)
    other = Way((FigureChange("UP3", 1200.0, 1300.0),), 900)
    both = Way((*one.changes, *other.changes), 905)

    def told(*ways: Way, holds: tuple[Hold, ...] = (), obstacle=None, better: str | None = "A") -> str:
        found = NextGrade("B", better, 900, 57, holds, ways, obstacle)
        return "; ".join(text["en"] for text in next_grade_texts(found, scores))

    assert told(one) == (
        "grade A begins at 90.0, 5.7 away; with everything else unchanged, this would reach it: DOWN1 from 2.5% to 2.1%"
    )
    assert "any one of these would reach it: DOWN1 from 2.5% to 2.1%; UP3 from 1,200 to 1,300" in told(one, other)
    assert "no single figure would reach it; together these would: DOWN1 from 2.5% to 2.1%; UP3" in told(both)
    assert "no feasible change" in told(obstacle="out_of_reach")
    assert told(obstacle="best_grade", better=None) == "this is the best grade"
    assert told(obstacle="no_score", better=None) == ""
    if gate is not None:
        hold = Hold(gate.id, "DOWN1", 5.2, 5.0, controllable=True)
        assert "would first have to be cleared, with DOWN1 from 5.2% to 5%" in told(one, holds=(hold,))
        enough = told(one, holds=(Hold(gate.id, "DOWN1", 2.5, 2.1, controllable=True),))
        assert enough.endswith("DOWN1 from 2.5% to 2.1%; with everything else unchanged, that alone would reach it")


def test_a_figure_to_reach_is_never_rounded_to_one_that_does_not():
    scores = simple_scores()
    text = change_text(FigureChange("UP1", 12_345.67, 12_999.41), scores)
    assert text["en"] == "UP1 from 12,345.67 CNY m to 12,999.41 CNY m"


def test_factors_add_up_as_shown_to_the_gap_that_is_shown():
    rng = np.random.default_rng(8)
    for _ in range(50):
        now, then = rng.uniform(1, 500, (2, 3)).round(3)
        codes: list[str] = ["UP3", "DOWN2", "UP1"]
        figures = [dict(zip(codes, row[:, None], strict=True)) for row in (now, then)]
        facts = Facts(1, figures[0], last_year=figures[1])
        (chain,) = told_chains([codes], facts, KNOWN, row=0, against="last_year")
        shown = sum(Decimal(str(factor.amount)) for factor in chain.factors)
        gap = Decimal(str(round(float(now[2]), 2))) - Decimal(str(round(float(then[2]), 2)))
        assert shown == gap
        assert_told(chain.text)
        assert chain.factors[1].name["en"] == "DOWN2 / UP3"
        assert chain.factors[1].figure == pytest.approx(now[1] / now[0])


def test_chains_with_unknown_figures_are_left_out():
    facts = Facts(1, {"UP3": np.array([1.0]), "UP1": np.array([np.nan])}, last_year={"UP3": np.array([1.0])})
    assert told_chains([("UP3", "UP1")], facts, KNOWN, row=0, against="last_year") == []
