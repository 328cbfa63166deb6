"""What is said of scores: gaps in their own units, signs, rules, and what is not there; in both languages."""

import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.indicators import Indicator, library
from models.measures import measure_words, measures
from models.policy.document import Policy
from models.scoring.engine import score_card
from models.scoring.facts import Facts
from models.scoring.gaps import AGAINST, Against, figure_text, gap_of, shown_decimals
from models.scoring.phrases import LANGUAGES, hundredths, points_text, say, sentences, words
from models.scoring.rule_words import adjustment_text, gate_text
from models.scoring.sentences import indicator_reason, item_text, rule_reason
from models.scoring.story import by_control, drags, lifts, period_text, score_story, trend_text

LIBRARY = library()
UNIT = {"en": "Beijing", "zh": "北京"}
CAUSAL = re.compile(r"(?i)because|due to|caus|drove|driven|led to|thanks to|因为|由于|导致|造成|使得|shap")


def title(text: str, zh: str) -> dict[str, str]:
    return {"en": text, "zh": zh}


def policy_of(**changed) -> Policy:
    rule = {"kind": "ratio"}
    items = [
        {"indicator": "P04", "weight": 30, "rule": rule},
        {"indicator": "R01", "weight": 40, "rule": rule},
        {"indicator": "P08", "weight": 30, "rule": rule, "against": "last_year", "growth": 5},
    ]
    audit = {"indicator": "C04", "above": 0}
    return Policy.model_validate(
        {
            "policy": 1,
            "id": "test",
            "version": "1",
            "title": title("Test", "测试"),
            "source": "made for a test",
            "effective": {"from": "2025-01-01"},
            "level": "internal",
            "scorecards": [
                {
                    "id": "all",
                    "title": title("All", "全部"),
                    "items": items,
                    "adjustments": [
                        {
                            "id": "audit",
                            "title": title("Audit findings", "审计扣分"),
                            "kind": "malus",
                            "when": audit,
                            "per": 1,
                            "points": 0.5,
                            "most": 3,
                        }
                    ],
                }
            ],
            "grades": [{"name": "A", "from": 80}, {"name": "B", "from": 65}, {"name": "C"}],
            "gates": [
                {"kind": "total_cap", "id": "cap", "title": title("Cap", "封顶"), "at": 120},
                {
                    "kind": "protection_floor",
                    "id": "new",
                    "title": title("New units", "新设机构"),
                    "at": 80,
                    "of": "new_units",
                    "months": 6,
                },
                {
                    "kind": "grade_ceiling",
                    "id": "npl",
                    "title": title("NPL ceiling", "不良降级"),
                    "grade": "B",
                    "when": {"indicator": "R01", "above": 5},
                },
                {
                    "kind": "veto",
                    "id": "veto",
                    "title": title("Audit veto", "审计否决"),
                    "when": {"indicator": "C04", "at_least": 10},
                },
            ],
            "missing": {"then": "rescale"},
        }
        | changed
    )


def scores_of(policy: Policy | None = None, **figures):
    kinds: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in ("actual", "last_year", "target", "peers")}
    usual = {
        "actual": {"P04": 90, "R01": 1.92, "P08": 12, "C04": 0, "R03": 1.926, "R04": 1.922},
        "last_year": {"P04": 80, "R01": 1.5, "P08": 10, "C04": 0, "R03": 1.523, "R04": 1.521},
        "target": {"P04": 100, "R01": 1.5},
        "peers": {"P04": 95, "R01": 1.52, "P08": 11, "C04": 0},
    }
    opened = figures.pop("opened", np.inf)
    for kind, values in usual.items():
        changed = values | figures.get(kind, {})
        kinds[kind] = {code: np.array([value], dtype=float) for code, value in changed.items()}
    policy = policy or policy_of()
    facts = Facts(
        1,
        kinds["actual"],
        last_year=kinds["last_year"],
        target=kinds["target"],
        peers=kinds["peers"],
        opened=np.array([opened], dtype=float),
        moved=np.array([np.inf]),
    )
    return score_card(policy, policy.scorecards[0], facts, LIBRARY)


def reason_of(code: str, cents: int, *, against: Against = "peers", **figures):
    now = scores_of(**figures)
    reference = score_card(now.policy, now.card, now.facts.with_actual(getattr(now.facts, against)), LIBRARY)
    return indicator_reason(code, cents, now=now, then=reference, row=0, against=against)


def test_the_sentence_that_was_asked_for():
    reason = reason_of("R01", -180)
    assert reason.text == {
        "en": "NPL ratio 0.4 points above peers: -1.8",
        "zh": "不良贷款率较同组高0.4个百分点，扣1.8分",
    }
    assert (reason.gap, reason.side, reason.compared, reason.controllable) == (0.4, "worse", True, True)


@pytest.mark.parametrize(
    ("code", "now", "then", "against", "en", "zh"),
    [
        ("R01", 1.1, 1.52, "peers", "0.42 points below peers", "较同组低0.42个百分点"),
        ("R01", 1.92, 1.5, "target", "0.42 points above target", "较目标高0.42个百分点"),
        ("R01", 1.92, 1.5, "last_year", "0.42 points above last year", "较去年同口径高0.42个百分点"),
        ("R01", 1.5, 1.5, "peers", "level with peers", "与同组持平"),
        ("P08", 11, 10, "target", "10% (1 CNY m) above target", "较目标高10%（1百万元）"),
        ("P08", 9, 10, "last_year", "10% (1 CNY m) below last year", "较去年同口径低10%（1百万元）"),
        ("P08", 9, 10, "peers", "10% (1 CNY m) below the peers' pace", "较同组增速水平低10%（1百万元）"),
        ("P08", 5, 0, "last_year", "5 CNY m above last year", "较去年同口径高5百万元"),
        ("P08", 5, -2, "last_year", "7 CNY m above last year", "较去年同口径高7百万元"),
        ("P08", 500, 1, "last_year", "499 CNY m above last year", "较去年同口径高499百万元"),
        ("P01", 12_345.67, 12_000.4, "target", "2.9% (346 CNY m) above target", "较目标高2.9%（346百万元）"),
        ("U01", 230, 200, "target", "15% (30) above target", "较目标多15%（30户）"),
        ("U09", 3.5, 3, "peers", "0.5 days above peers", "较同组多0.5天"),
        ("U04", 0.35, 0.5, "peers", "0.15 below peers", "较同组低0.15"),
        ("U03", 45, 40, "last_year", "5 points above last year", "较去年同口径高5分"),
        ("C07", 0.0123, 0.012, "peers", "0.0003‱ above peers", "较同组高0.0003个万分点"),
        ("P18", 640, 600, "peers", "40 CNY k above peers", "较同组高40千元"),
        ("R01", 2.5, 1.5, "peers", "1 point above peers", "较同组高1个百分点"),
        ("STAFF", 12, 10, "target", "20% (2 persons) above target", "较目标多20%（2人）"),
    ],
)
def test_gaps_are_told_in_the_indicators_own_unit(code, now, then, against, en, zh):
    assert gap_of(LIBRARY[code], now, then, against).text == {"en": en, "zh": zh}


@pytest.mark.parametrize(
    ("code", "now", "then", "side"),
    [
        ("R01", 1.0, 2.0, "better"),
        ("R01", 2.0, 1.0, "worse"),
        ("P08", 2.0, 1.0, "better"),
        ("P19", 1.5, 2.0, "same"),
        ("P19", 3.3, 2.0, "worse"),
        ("P19", 2.0, 0.2, "better"),
    ],
)
def test_sides_follow_the_direction_and_a_band_has_no_better_inside(code, now, then, side):
    if code == "P19":
        assert LIBRARY[code].direction == "band"
        low, high = LIBRARY[code].band or (0, 0)
        assert low <= 1.5 < 2.0 <= high < 3.3
        assert low > 0.2
    assert gap_of(LIBRARY[code], now, then, "peers").side == side


FIGURES = st.floats(-1e9, 1e9).map(lambda value: round(value, 6))


@given(st.sampled_from(sorted(LIBRARY)), FIGURES, FIGURES, st.sampled_from(AGAINST))
def test_a_gap_is_the_difference_of_what_is_shown_and_never_hides_one(code, now, then, against):
    indicator = LIBRARY[code]
    gap = gap_of(indicator, now, then, against)
    decimals = shown_decimals(indicator, now, then)
    assert gap.amount == pytest.approx(round(now, decimals) - round(then, decimals), abs=1e-7, rel=1e-12)
    assert (gap.amount == 0) is (now == then)
    assert (gap.side == "same") is (now == then) or indicator.direction == "band"
    for text in gap.text.values():
        assert "{" not in text
        assert "nan" not in text


@given(st.integers(-(10**6), 10**6))
def test_points_are_written_exactly(cents):
    text = hundredths(cents)
    assert Decimal(text.replace(",", "")) == Decimal(cents) / 100
    assert 1 <= len(text.partition(".")[2]) <= 2
    if cents:
        told = points_text(cents)
        assert told["en"] == ("+" if cents > 0 else "") + text
        assert told["zh"] == ("加" if cents > 0 else "扣") + text.removeprefix("-") + "分"


def test_no_difference_is_said_in_words():
    assert reason_of("R01", 0).text["en"] == "NPL ratio 0.4 points above peers: no difference in points"
    assert reason_of("R01", 0).text["zh"] == "不良贷款率较同组高0.4个百分点，得分无差异"


@pytest.mark.parametrize(
    ("against", "en", "zh"),
    [
        ("peers", "not compared, fewer than five peers have a figure", "同组有数据的单位不足五家，不作比较"),
        ("last_year", "not compared, there is no figure of last year", "去年同口径无数据，不作比较"),
        ("target", "not compared, no target is set", "未设目标，不作比较"),
    ],
)
def test_what_cannot_be_compared_says_why_and_shows_nothing(against, en, zh):
    if against == "target":
        reason = reason_of("P08", 0, against=against)
    else:
        reason = reason_of("R01", 0, against=against, **{against: {"R01": np.nan}})
    assert reason.text["en"].endswith(en)
    assert reason.text["zh"].endswith(zh)
    assert reason.reference is None
    assert reason.gap is None
    assert not reason.compared


def test_a_volume_without_a_past_has_no_pace_to_be_compared_with():
    reason = reason_of("P08", 0, against="peers", peers={"P08": np.nan}, last_year={"P08": np.nan})
    assert "there is no figure of last year" in reason.text["en"]


def test_an_item_that_was_not_scored_says_why():
    assert reason_of("R01", 0, actual={"R01": np.nan}).text["zh"] == "不良贷款率：无数据，未计分"
    scores = scores_of(target={"P04": np.nan}, last_year={"P08": np.nan}, actual={"R01": -1})
    assert item_text(scores, 0, 0)["en"] == "Loan origination: not scored, no target is set"
    assert item_text(scores, 1, 0)["en"].startswith("NPL ratio: not scored, a ratio says nothing")
    assert item_text(scores, 2, 0)["zh"] == "中间业务收入：去年同口径无数据，未计分"


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"indicator": "R01", "rule": {"kind": "efficacy"}}, "fewer than five peers had a figure a year before"),
        ({"indicator": "R01", "rule": {"kind": "levels"}}, "no target is set"),
        ({"indicator": "S01", "rule": {"kind": "two_increase", "all_loans": "P05"}}, "there is no growth of all loans"),
        ({"indicator": "R01", "rule": {"kind": "ratio"}, "against": "peers"}, "fewer than five peers have a figure"),
        ({"indicator": "P08", "rule": {"kind": "efficacy"}}, "there is no figure of last year"),
        ({"indicator": "P08", "rule": {"kind": "ratio"}, "against": "peers"}, "there is no figure of last year"),
    ],
)
def test_each_rule_says_what_it_lacks(item, why):
    card = {"id": "all", "title": title("All", "全部"), "items": [item | {"weight": 100}]}
    policy = policy_of(scorecards=[card], gates=[])
    nothing = {"R01": np.nan, "P08": np.nan}
    scores = scores_of(policy, actual={"S01": 10}, target=nothing, peers=nothing, last_year={"P08": np.nan})
    assert item_text(scores, 0, 0)["en"].endswith(f"not scored, {why}")


def test_names_in_latin_letters_are_set_apart_in_chinese():
    assert story_of(scores_of(), unit={"en": "Brazil", "zh": "Brazil"})["zh"].startswith("Brazil 2024年9月得分")
    assert story_of(scores_of())["zh"].startswith("北京2024年9月得分")


def test_items_say_weight_times_points():
    # 100 x 1.5 / 1.92 = 78.125 -> 78.13; 40 x 78.13 / 100 = 31.252 -> 31.25
    assert item_text(scores_of(), 1, 0) == {
        "en": "NPL ratio: weight 40 x 78.13 points = 31.25",
        "zh": "不良贷款率：权重40%×得分78.13=31.25分",
    }


def test_a_rule_that_deducts_says_so():
    rule = {"kind": "two_increase", "all_loans": "P05"}
    item = {"indicator": "S01", "weight": 100, "rule": rule, "against": "fixed", "value": 10}
    card = {"id": "all", "title": title("All", "全部"), "items": [item]}
    scores = scores_of(
        policy_of(scorecards=[card], gates=[]),
        actual={"S01": 1, "P05": 5},
        last_year={"S01": 1, "P05": 5},
    )
    assert item_text(scores, 0, 0)["en"].endswith("weight 100 x 0.0 points, less 3.0 = -3.0")
    assert item_text(scores, 0, 0)["zh"].endswith("权重100%×得分0.0，另扣3.0分，计-3.0分")


def test_adjustments_say_their_condition_and_amount():
    scores = scores_of(actual={"C04": 3})
    assert adjustment_text(scores, 0, 0) == {
        "en": "Audit findings: Audit findings 3, above 0: -1.5",
        "zh": "审计扣分：审计发现3个，高于0个，扣1.5分",
    }
    assert adjustment_text(scores_of(), 0, 0) is None
    assert "not judged" in (adjustment_text(scores_of(actual={"C04": np.nan}), 0, 0) or {})["en"]


def test_gates_say_what_they_ask_why_and_what_they_do():
    scores = scores_of(actual={"R01": 5.2, "P04": 130, "P08": 13.65}, target={"R01": 5.2})
    # 39 + 40 + 39 = 118, held below the start of A: 79.9
    assert [gate_text(scores, number, 0)["en"] for number in range(4)] == [
        "Cap: capped at 120: not reached",
        "New units: does not apply",
        "NPL ceiling: no better grade than B (NPL ratio 5.2%, above 5%): -38.1",
        "Audit veto: does not apply (Audit findings 0, the limit is 10)",
    ]
    assert gate_text(scores, 2, 0)["zh"] == "不良降级：等级最高为B（不良贷款率5.2%，高于5%），扣38.1分"
    vetoed = scores_of(actual={"C04": 10})
    assert "the score is set to 0 (Audit findings 10, at or above 10): -" in gate_text(vetoed, 3, 0)["en"]
    assert "一票否决，得分记为0（审计发现10个，达到或高于10个），扣" in gate_text(vetoed, 3, 0)["zh"]
    young = scores_of(actual={"P04": 0}, opened=3)
    assert gate_text(young, 1, 0)["en"].startswith("New units: protected, not below 80 (opened 3 months ago): +")
    assert gate_text(young, 1, 0)["zh"].startswith("新设机构：保护期内不低于80分（设立3个月），加")
    blind = scores_of(actual={"C04": np.nan})
    assert gate_text(blind, 3, 0)["en"] == "Audit veto: not judged, there is no figure of Audit findings"


@pytest.mark.parametrize(
    ("condition", "en", "zh"),
    [
        (
            {"indicator": "P04", "of": "attainment", "below": 95},
            "Loan origination at 90% of its target, below 95%",
            "90%",
        ),
        (
            {"indicator": "R01", "of": "change", "above": 0.4},
            "NPL ratio +0.42 points on last year, above +0.4 points",
            "+0.42",
        ),
        # 1.926 - 1.523 = 0.403 and 1.93 - 1.52 = 0.41: as the figures are shown, and on the right side of the limit
        (
            {"indicator": "R03", "of": "change", "above": 0.4},
            "Special-mention share +0.41 points on last year",
            "+0.41",
        ),
        ({"indicator": "R04", "of": "change", "above": 0.4}, "Overdue ratio +0.401 points on last year", "+0.401"),
        ({"indicator": "R01", "at_most": 1.92}, "NPL ratio 1.92%, at or below 1.92%", "达到或低于1.92%"),
        ({"indicator": "R01", "above": "1.919999"}, "NPL ratio 1.92%, above 1.919999%", "高于1.919999%"),
    ],
)
def test_conditions_of_every_kind_show_what_they_are_judged_by(condition, en, zh):
    veto = {"kind": "veto", "id": "v", "title": title("V", "否决"), "when": condition}
    text = gate_text(scores_of(policy_of(gates=[veto])), 0, 0)
    assert en in text["en"]
    assert zh in text["zh"]


def test_rules_that_stand_differently_in_the_reference_are_named():
    reason = reason_of("R01", -1530, actual={"R01": 5.2})
    assert "(with NPL ceiling): -15.3" in reason.text["en"]
    assert "（触发不良降级），扣15.3分" in reason.text["zh"]
    assert reason_of("C04", -150, actual={"C04": 3}).text["zh"].endswith("（触发审计扣分），扣1.5分")
    cleared = reason_of("R01", 1530, against="last_year", last_year={"R01": 5.2})
    assert "(without NPL ceiling): +15.3" in cleared.text["en"]
    assert "（未触发不良降级），加15.3分" in cleared.text["zh"]
    assert rule_reason("rounding", -2).text == {
        "en": "Rounding to one decimal: -0.02",
        "zh": "四舍五入至一位小数，扣0.02分",
    }


def story_of(scores, reasons=(), base: int | None = 800, **more):
    given = {"unit": UNIT, "period": period_text("2024-09"), "reference_tenths": base, "against": "peers"}
    return score_story(scores, 0, reasons=list(reasons), **given | more)


def test_the_story_tells_score_grade_sum_reasons_and_rules():
    scores = scores_of(actual={"C04": 3})
    reasons = [reason_of("R01", -180), reason_of("P04", -50), reason_of("P08", 40), reason_of("C04", -150)]
    text = story_of(scores, reasons, base=958)
    tenths = int(scores.tenths[0]) / 10
    assert text["en"].startswith(f"Beijing scores {tenths} in 2024-09, grade A. It is made of ")
    assert text["zh"].startswith(f"北京2024年9月得分{tenths}分，等级A。构成为：3项指标")
    assert "with its peers' medians it would come to 95.8; the score is 4.8 lower" in text["en"].lower()
    assert text["en"].index("NPL ratio") < text["en"].index("Loan origination")  # the largest first
    assert "加减分-1.5分" in text["zh"]
    assert text["en"].endswith("assists judgement and replaces none.")


def test_a_story_without_score_says_what_is_missing_and_nothing_else():
    scores = scores_of(actual={"R01": np.nan, "P04": np.nan})
    text = story_of(scores, base=None)
    assert text["en"] == (
        "Beijing has no score in 2024-09. Items of 30 of 100 could be assessed, and the policy wants at least 60. "
        "Not scored: Loan origination (there is no figure), NPL ratio (there is no figure)."
    )
    assert "没有得分" in text["zh"]
    strict = scores_of(policy_of(missing={"then": "withhold"}), actual={"P04": np.nan})
    assert "wants every item assessed" in story_of(strict, base=None)["en"]


def test_weights_that_were_scaled_up_are_told():
    text = story_of(scores_of(actual={"P04": np.nan}))
    assert "Items of 70 of 100 could be assessed, and their weights are scaled up to 100" in text["en"]
    assert "可计分指标权重合计70%" in text["zh"]


def test_order_and_control():
    environmental = Indicator.model_validate(LIBRARY["R01"].model_dump() | {"controllable": False, "code": "X"})
    assert not environmental.controllable
    reasons = [reason_of("R01", -180), reason_of("P04", 50), reason_of("P08", 60), rule_reason("rounding", 3)]
    assert [reason.code for reason in lifts(reasons)] == ["P08", "P04"]
    assert [reason.code for reason in drags(reasons)] == ["R01"]
    assert by_control(reasons) == (-70, 0)


def test_the_trend_names_each_period():
    assert trend_text([({"en": "2024", "zh": "2024年"}, 801)]) is None
    course = [(period_text("2023-Q3"), 801), (period_text("2023-Q4"), 812)]
    assert trend_text(course) == {
        "en": "the last scores were 80.1 in 2023-Q3, 81.2 in 2023-Q4",
        "zh": "近期得分：2023年3季度80.1分、2023年4季度81.2分",
    }


def test_every_phrase_is_there_in_both_languages_and_claims_no_cause():
    for key, text in words().items():
        assert set(text) == set(LANGUAGES), key
        fields = [set(re.findall(r"\{(\w+)\}", text[language])) for language in LANGUAGES]
        assert fields[0] == fields[1], key
        for language in LANGUAGES:
            assert not CAUSAL.search(text[language]), key
        assert not re.search(r"[\u4e00-\u9fff]", text["en"]), key


def test_every_unit_of_the_library_has_words():
    assert {indicator.unit for indicator in LIBRARY.values()} <= set(measures())
    for indicator in LIBRARY.values():
        for use in ("alone", "after", "gap"):
            assert not re.search("[A-Za-z]", measure_words(indicator, use)["zh"]), indicator.code
    assert figure_text(LIBRARY["P08"], 1234.56) == {"en": "1,234.6 CNY m", "zh": "1,234.6百万元"}
    odd = Indicator.model_validate(LIBRARY["P08"].model_dump() | {"unit": "furlong"})
    assert figure_text(odd, 2.0)["zh"] == "2 furlong"


def test_sentences_are_ended_and_begun():
    assert sentences([say("story.level")])["en"] == "No item makes a difference in points."
    assert sentences([say("story.level"), say("story.level")])["zh"] == "各项得分均无差异。各项得分均无差异。"
