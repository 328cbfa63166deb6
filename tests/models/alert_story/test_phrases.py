import re
import typing
from pathlib import Path

import models.alert_story
from features.sets import FEATURES
from models.alert_story.drivers import FEATURES_OF, KIND_OF, SIDES
from models.alert_story.phrases import as_clause, one_in, percent, words
from models.detectors.detector import Family
from models.scoring.phrases import LANGUAGES

CAUSAL = re.compile(
    r"becaus|caus|due to|thanks to|led to|lead to|result(s|ed) in|owing|导致|造成|因为|由于|因此|使得", re.I
)
ACCUSING = re.compile(r"fraud|guilty|culprit|cheat|造假|违规|舞弊|责任人", re.I)


def test_every_phrase_is_there_in_both_languages_claims_no_cause_and_accuses_nobody():
    for key, text in words().items():
        assert set(text) == set(LANGUAGES), key
        fields = [set(re.findall(r"\{(\w+)\}", text[language])) for language in LANGUAGES]
        assert fields[0] == fields[1], key
        for language in LANGUAGES:
            assert isinstance(text[language], str), key
            assert not CAUSAL.search(text[language]), key
            assert not ACCUSING.search(text[language]), key
            assert "SHAP" not in text[language].upper(), key
        assert not re.search(r"[\u4e00-\u9fff]", text["en"]), key


def test_every_phrase_is_used():
    folder = Path(models.alert_story.__file__).parent
    served = folder.parents[1] / "serving"
    code = "".join(path.read_text(encoding="utf-8") for path in [*folder.glob("*.py"), *served.glob("alert_*.py")])
    made = {f"look.{family}" for family in typing.get_args(Family)}
    made |= {f"driver.{kind}" for kind in (*FEATURES_OF, *SIDES.values(), "other", "prior", "others")}
    made |= {f"record.{verdict}" for verdict in ("silent", "unlabelled", "too_few")}
    made |= {f"severity.{severity}" for severity in ("amber", "red", "none")}
    made |= {f"reference.{kind}" for kind in ("peers", "all", "last_year")}
    unused = [key for key in words() if f'"{key}"' not in code and key not in made]
    assert unused == []


def test_every_family_of_patterns_has_something_to_look_at_next():
    assert {f"look.{family}" for family in typing.get_args(Family)} <= set(words())


def test_every_feature_of_the_catalogue_belongs_to_one_kind():
    assert {feature.name for feature in FEATURES} <= set(KIND_OF)
    named = [name for names in FEATURES_OF.values() for name in names]
    assert len(named) == len(set(named))


def test_shares_and_chances_are_written_as_people_read_them():
    assert [percent(share) for share in (0.5, 0.0995, 0.0994, 0.001, -0.2, 1.0)] == [
        "50%",
        "10%",
        "9.9%",
        "0.10%",
        "-20%",
        "100%",
    ]
    assert one_in(0.5)["en"] == "nothing out of the ordinary"
    assert "about 1 in 20 " in one_in(0.05)["en"]
    assert "about 1 in 730 " in one_in(1 / 734)["en"]
    assert "fewer than 1 in 1,000 " in one_in(1e-9)["en"]
    assert one_in(None) == one_in(float("nan"))
    assert "too little" in one_in(None)["en"]


def test_a_sentence_becomes_part_of_another():
    assert as_clause({"en": "A loan went.", "zh": "一笔贷款。"}) == {"en": "a loan went", "zh": "一笔贷款"}
    assert as_clause({"en": "NPL fall.", "zh": "不良下降"})["en"] == "NPL fall"
