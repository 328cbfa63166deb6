import numpy as np
import pytest

from models.alert_story.patterns import PastRecord, patterns_of, record_text
from models.detectors.detector import Finding

NOW, UNIT = 5, 1
GOOD = {
    "fired": 40,
    "episodes": 31,
    "matured": 31,
    "hits": 12,
    "precision": 12 / 31,
    "low": 0.24,
    "high": 0.56,
    "base_rate": 0.21,
    "lead_months": 6.0,
    "verdict": "holds",
    "verdict_en": "better than chance here",
    "verdict_zh": "在本数据中优于随机",
}
NOTHING = {"precision": np.nan, "low": np.nan, "high": np.nan, "base_rate": np.nan, "lead_months": np.nan}


def finding(p: float, *, met_at: int | None = None, then: float = 0.01, leg: float | None = None) -> Finding:
    risk = np.full((8, 3), p, dtype=np.float32)
    met = np.zeros((8, 3), dtype=bool)
    if met_at is not None:
        met[met_at, UNIT] = True
        risk[met_at, UNIT] = then
    return Finding(None if leg is None else np.full((8, 3), leg, dtype=np.float32), risk, met, ())


def found(findings, recent=None, records=None):
    recent = recent or {code: each.met for code, each in findings.items()}
    return patterns_of(findings, recent, row=NOW, unit=UNIT, records=records or {})


def test_what_was_met_comes_first_then_the_more_unusual():
    told = found({"W01": finding(0.001), "W03": finding(0.9, met_at=NOW, then=0.2), "W05": finding(0.5)})
    assert [pattern.detector.code for pattern in told] == ["W03", "W01", "W05"]
    assert [pattern.met for pattern in told] == [True, False, False]


def test_of_what_was_met_the_generic_comes_last():
    told = found({"G02": finding(0.9, met_at=NOW, then=0.001), "W03": finding(0.9, met_at=NOW, then=0.2)})
    assert [pattern.detector.code for pattern in told] == ["W03", "G02"]


def test_a_pattern_that_was_met_is_never_told_as_nothing():
    (told,) = found({"W06": finding(0.9, met_at=NOW, then=0.8)})
    assert "not rare" in told.strength["en"]
    assert "nothing out of the ordinary" in found({"W06": finding(0.9)})[0].strength["en"]


def test_what_was_met_within_the_quarter_is_told_as_of_then():
    each = finding(0.7, met_at=NOW - 2, then=0.004)
    recent = np.zeros((8, 3), dtype=bool)
    recent[NOW - 2 : NOW + 1, UNIT] = True
    (told,) = found({"W01": each}, {"W01": recent})
    assert (told.met, told.ago) == (True, 2)
    assert told.p == pytest.approx(0.004)
    assert "about 1 in 250" in told.strength["en"]


def test_nothing_later_is_looked_at():
    assert found({"W01": finding(0.3, met_at=NOW + 1)})[0].met is False
    (told,) = found({"W01": finding(0.3, met_at=NOW, then=0.02)})
    assert told.ago == 0
    again = finding(0.3, met_at=NOW - 1, then=0.02)
    again.met[NOW + 1, UNIT] = True
    (told,) = found({"W01": again}, {"W01": np.ones((8, 3), dtype=bool)})
    assert told.ago == 1


def test_a_pattern_that_says_nothing_of_the_unit_is_left_out():
    assert found({"W01": finding(np.nan)}) == ()
    (told,) = found({"W01": finding(0.02, leg=0.3)})
    assert told.p == pytest.approx(0.3)
    assert (told.performance_p, told.risk_p) == (pytest.approx(0.3), pytest.approx(0.02))
    assert found({"W01": finding(0.02)})[0].performance_p is None


def test_a_record_is_told_with_its_interval_and_the_base_rate():
    told = record_text(PastRecord.of(GOOD))
    assert told["en"] == (
        "met in 31 episodes on this data; of 31 with a known outcome 12 were followed by deterioration (39%, 24% to "
        "56%), against 21% of all units: better than chance here; median lead time 6 months"
    )
    assert "（39%，区间24%至56%），全体单位为21%：在本数据中优于随机；提前量中位数6个月" in told["zh"]
    without = record_text(PastRecord.of(GOOD | {"lead_months": np.nan}))
    assert "lead time" not in without["en"]


@pytest.mark.parametrize(
    ("verdict", "said"), [("silent", "not been met"), ("unlabelled", "no outcome"), ("too_few", "too few cases to say")]
)
def test_where_a_record_says_nothing_it_says_so(verdict, said):
    record = PastRecord.of(GOOD | NOTHING | {"verdict": verdict, "matured": 4})
    assert said in record_text(record)["en"]
    assert "%" not in record_text(record)["en"]
    assert not record.judged
    assert PastRecord.of(GOOD).judged


def test_a_pattern_without_a_record_says_so():
    assert "no record" in record_text(None)["en"]
    (told,) = found({"W01": finding(0.02)}, records={"W01": PastRecord.of(GOOD)})
    assert told.record == PastRecord.of(GOOD)
    assert told.record_text == record_text(told.record)
