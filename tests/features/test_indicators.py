"""The indicator schema and the built-in library, checked against the catalogue it was made from."""

from __future__ import annotations

import csv
import re
import time
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import features
from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet, library
from features.yaml_loader import parse_yaml

DOCS = Path(__file__).resolve().parents[2].parent / "shared" / "docs"
LIBRARY_TEXT = (Path(features.__file__).parent / "indicators.yaml").read_text(encoding="utf-8")

CATALOGUE_SIZES = {"P": 22, "R": 16, "C": 7, "U": 9, "H": 2, "S": 4}
PERSPECTIVES = {"P": "performance", "R": "risk", "C": "compliance", "U": "customer", "H": "people", "S": "social"}
DIRECTIONS = {"↑": "higher", "≥": "higher", "↓": "lower", "≤": "lower", "≈": "band"}
KINDS = {"S": "stock", "F": "flow", "R": "ratio"}
ENTITY_ONLY = {"R08", "R09", "R10", "P13"}
MONITORED = {"P20"}

OWN_BASIS = {
    "不良资产处置效率": "NPL_DISPOSAL",  # a percentage, where R15 is an amount
    "旬平均存款": "DEPOSITS_TEN_DAY",  # ten-day readings, where P01 is daily
    "案件/资产损失": "CASE_LOSSES",  # an amount, where C05 is a percentage
    "客户保留率": "CUSTOMER_RETENTION",  # higher is better, where for U05 lower is
}
"""Rows filed under a code but measured in another unit, direction or on another basis: no alias, but an own entry."""

DETECTOR_ROLES = [
    *("loans", "delinquency", "npl", "npl_amount", "migration", "special_mention", "overdue_90", "extension"),
    *("collection", "profit", "provisions", "coverage", "npl_formation", "deposit_deviation", "deposits"),
    *("pledged_deposits", "bills", "complaints", "new_accounts", "products_per_customer", "activation", "sales"),
    *(
        "sales_compliance",
        "cancellations",
        "persistency",
        "turnover",
        "concentration",
        "top3_growth",
        "yield",
        "rating",
    ),
    *("inclusive_growth", "ticket_bunching", "late_share", "incidents", "audit_findings", "churn", "fees", "volume"),
]
"""What the twenty warning patterns look at."""


def width_free(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def catalogue() -> list[dict[str, str]]:
    path = DOCS / "domain.md"
    if not path.exists():
        pytest.skip("the domain brief is not beside this checkout")
    columns = ("code", "en", "zh", "formula", "unit", "direction", "kind", "view", "line", "range", "seed")
    rows = re.findall(r"^\|([PRCUHS]\d\d)\|(.+)\|$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [dict(zip(columns, (code, *rest.split("|")), strict=True)) for code, rest in rows]


def kpi_rows() -> list[dict[str, str]]:
    path = DOCS / "domain-kpis.csv"
    if not path.exists():
        pytest.skip("the list of indicators is not beside this checkout")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def entry(**changes: object) -> dict[str, object]:
    plain = {"code": "X", "name": {"en": "X", "zh": "某"}, "unit": "%", "direction": "higher", "kind": "ratio"}
    return {**plain, "perspective": "risk", **changes}


# --- the library as a whole -----------------------------------------------------------------------------------------


def test_every_code_of_the_catalogue_is_there() -> None:
    counts = Counter(code[0] for code in library() if re.fullmatch(r"[A-Z]\d\d", code))
    assert counts == CATALOGUE_SIZES


def test_codes_are_unique_in_the_file() -> None:
    codes = [item["code"] for item in parse_yaml(LIBRARY_TEXT)["indicators"]]
    assert [code for code, n in Counter(codes).items() if n > 1] == []
    assert len(codes) == len(library())


def test_a_name_or_alias_belongs_to_one_indicator() -> None:
    owners: dict[str, list[str]] = {}
    for indicator in library().values():
        for name in {width_free(indicator.name.en), width_free(indicator.name.zh), width_free(indicator.code)}:
            owners.setdefault(name, []).append(indicator.code)
        for alias in indicator.aliases:
            owners.setdefault(width_free(alias), []).append(indicator.code)
    assert {name: codes for name, codes in owners.items() if len(codes) > 1} == {}


def test_every_text_has_both_languages() -> None:
    def is_chinese(text: str) -> bool:
        return bool(re.search(r"[一-鿿]", text))

    assert [i.code for i in library().values() if not is_chinese(i.name.zh)] == []
    assert [i.code for i in library().values() if is_chinese(i.name.en)] == []
    assert [i.code for i in library().values() if i.owner and not is_chinese(i.owner)] == []


def test_numerators_and_denominators_exist_and_add_up() -> None:
    known = library()
    for indicator in known.values():
        for part in filter(None, (indicator.numerator, indicator.denominator)):
            assert part in known, f"{indicator.code} names {part}"
            assert known[part].kind in ("flow", "stock"), f"{indicator.code} names {part}, which does not add up"


def test_scale_agrees_with_the_unit() -> None:
    for indicator in library().values():
        if not indicator.numerator:
            assert indicator.scale is None, indicator.code
            continue
        assert indicator.denominator is not None
        top, bottom = library()[indicator.numerator], library()[indicator.denominator]
        if indicator.unit in ("%", "‱"):
            assert indicator.scale is None, indicator.code
            assert top.unit == bottom.unit or {top.unit, bottom.unit} <= {"n", "persons"}, indicator.code
            assert indicator.ratio_scale == {"%": 100, "‱": 10_000}[indicator.unit]
        elif indicator.unit == "CNY k":
            assert top.unit == "CNY m", indicator.code
            assert indicator.ratio_scale == 1000


@pytest.mark.parametrize(("code", "scale"), [("R01", 100), ("C07", 10_000), ("U04", 10_000), ("C03", 100), ("U07", 1)])
def test_known_scales(code: str, scale: float) -> None:
    assert library()[code].ratio_scale == scale


def test_bounds_are_possible() -> None:
    for indicator in library().values():
        low, high = indicator.limits
        if indicator.band:
            assert low <= indicator.band[0] < indicator.band[1] <= high, indicator.code
        if "growth" in indicator.name.en.casefold() and indicator.unit == "%" and indicator.code != "TOP3_GROWTH_SHARE":
            assert high == float("inf"), indicator.code
    for code in ("R05", "R08", "R10", "R12", "P10", "P15", "ATTAINMENT"):
        assert library()[code].limits[1] == float("inf"), code
    assert library()["U03"].limits == (-100, 100)


@pytest.mark.parametrize(("code", "basis"), [("P01", "daily"), ("P07", "daily"), ("DEPOSITS_TEN_DAY", "ten_day")])
def test_averaging_basis(code: str, basis: str) -> None:
    assert library()[code].averaging == basis


def test_volumes_at_one_point_in_time_are_no_targets() -> None:
    for code in ("DEPOSITS", "LOANS", "DEMAND_DEPOSITS", "SME_LOANS", "BILLS", "ASSETS"):
        assert library()[code].averaging == "point"
        assert not library()[code].is_target


def test_what_is_no_target_is_not_core_and_context_is_neither() -> None:
    assert [i.code for i in library().values() if i.core and not i.is_target] == []
    context = [i for i in library().values() if i.perspective == "context"]
    wanted = {"GDP_GROWTH", "CPI", "UNEMPLOYMENT", "HOUSE_PRICE_INDEX", "POLICY_RATE", "POPULATION"}
    assert wanted | {"LOCAL_DEPOSITS", "LOCAL_LOANS"} == {i.code for i in context}
    assert not any(i.is_target or i.controllable for i in context)


def test_core_indicators_cover_volume_profit_and_risk() -> None:
    assert {"P01", "P07", "P12", "PROFIT", "R01", "R08", "R09"} <= {i.code for i in library().values() if i.core}


def test_roles_are_those_listed_at_the_top_of_the_file() -> None:
    listed = re.findall(r"^#   (\w+) {2,}\S", LIBRARY_TEXT, flags=re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == {i.role for i in library().values() if i.role}


@pytest.mark.parametrize("role", DETECTOR_ROLES)
def test_every_warning_pattern_finds_its_evidence(role: str) -> None:
    assert library().with_role(role)


def test_only_volume_is_played_by_several() -> None:
    counts = Counter(i.role for i in library().values() if i.role)
    assert {role for role, n in counts.items() if n > 1} == {"volume"}


def test_it_loads_in_well_under_a_second() -> None:
    start = time.perf_counter()
    assert len(library.__wrapped__()) == len(library())
    assert time.perf_counter() - start < 1.0


# --- the library against its sources --------------------------------------------------------------------------------


def test_catalogue_is_kept_to() -> None:
    rows = catalogue()
    assert Counter(row["code"][0] for row in rows) == CATALOGUE_SIZES
    for row in rows:
        indicator = library()[row["code"]]
        monitored = "⊘" in row["en"]
        for name in (row["en"].replace("⊘", "").strip(), row["zh"]):
            assert library().find(name).code == row["code"], name
        assert indicator.unit == row["unit"], row["code"]
        assert indicator.direction == DIRECTIONS[row["direction"]], row["code"]
        assert indicator.kind == KINDS[row["kind"]], row["code"]
        assert indicator.perspective == PERSPECTIVES[row["view"]], row["code"]
        assert indicator.formula, row["code"]
        assert indicator.owner, row["code"]
        assert indicator.target_allowed is not monitored, row["code"]
        assert indicator.entity_only is (row["code"] in ENTITY_ONLY), row["code"]


def test_typical_values_lie_within_bounds() -> None:
    for row in catalogue():
        limits = re.fullmatch(r"(−?[\d.]+)[–-](−?[\d.]+)", row["range"])
        assert limits, row["range"]
        low, high = (float(limit.replace("−", "-")) for limit in limits.groups())
        smallest, largest = library()[row["code"]].limits
        assert smallest <= low < high <= largest, row["code"]
        band = library()[row["code"]].band
        assert band is None or low <= band[0] < band[1] <= high, row["code"]


def test_every_listed_indicator_is_found_by_both_names() -> None:
    rows = [row for row in kpi_rows() if not row["fit"].startswith("out")]
    assert len(rows) > 150
    for row in rows:
        found = {library().find(name).code for name in (row["zh"], row["en"])}
        expected = OWN_BASIS.get(row["zh"], row["brief_code"])
        assert len(found) == 1, row["zh"]
        assert not expected or found == {expected}, row["zh"]


JOINT_NAMES = [
    *(
        "首贷率",
        "信用贷占比",
        "存款市场份额",
        "贷款市场份额",
        "资本利润率",
        "净资产收益率",
        "利润增长率",
        "净利润增长率",
    ),
    *("网点活动率", "网均件数", "交易笔数", "拜访次数", "人均成本", "人力成本", "税前利润", "税后利润", "处理错误率"),
    *("贷款转化率", "培训参与率", "核心员工离职率", "网上银行交易量", "手机银行交易量", "个险产能", "银保产能"),
    *("10年以上交期占比", "13个月继续率", "基础设施贷款占比", "基础设施贷款增长", "民营企业贷款新增占比", "合同签订率"),
    *("项目承揽", "被服务部门满意度", "网络故障次数", "参与国际竞争", "风险价值量", "绿色金融专项任务完成率"),
]


@pytest.mark.parametrize("name", JOINT_NAMES)
def test_a_part_of_a_joint_name_is_found(name: str) -> None:
    assert library().find(name)


def test_monitored_and_entity_rows_are_flagged() -> None:
    for row in kpi_rows():
        if row["fit"] == "monitor":
            assert not library().find(row["zh"]).target_allowed, row["zh"]
        elif row["fit"] == "entity":
            assert library().find(row["zh"]).entity_only, row["zh"]
        elif row["fit"] == "core":
            assert library().find(row["zh"]).target_allowed, row["zh"]


def test_units_and_directions_agree_with_the_list() -> None:
    better = {"up": "higher", "floor": "higher", "down": "lower", "cap": "lower", "band": "band"}
    for row in kpi_rows():
        if row["fit"].startswith("out") or row["brief_code"]:
            continue
        assert library().find(row["zh"]).direction == better.get(row["direction"], "higher"), row["zh"]
        if row["unit"] == "%":
            assert library().find(row["zh"]).unit == "%", row["zh"]


def test_nothing_about_individuals_is_there() -> None:
    rows = [row for row in kpi_rows() if row["fit"].startswith("out")]
    assert len(rows) > 15
    for row in rows:
        for name in (row["zh"], row["en"]):
            with pytest.raises(LoadlineError):
                library().find(name)


# --- the schema -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"direction": "band"}, "band"),
        ({"band": [1, 2]}, "band"),
        ({"direction": "band", "band": [2, 1]}, "first limit"),
        ({"bounds": [5, 5]}, "bounds"),
        ({"kind": "flow", "denominator": "LOANS"}, "kind: ratio"),
        ({"numerator": "NPL"}, "needs its denominator"),
        ({"scale": 0}, "scale"),
        ({"code": "no spaces"}, "code"),
        ({"name": {"en": "only English"}}, "zh"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_an_inconsistent_indicator_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Indicator.model_validate(entry(**changes))


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({}, 0.01),
        ({"unit": "n"}, 0.01),
        ({"unit": "n", "kind": "flow"}, 1.0),
        ({"unit": "persons", "kind": "stock"}, 1.0),
        ({"unit": "n", "kind": "flow", "decimals": 1}, 0.1),
    ],
)
def test_smallest_unit(changes: dict[str, object], step: float) -> None:
    assert Indicator.model_validate(entry(**changes)).smallest_unit == pytest.approx(step)


@given(st.sampled_from(list(library().values())), st.sampled_from([str.upper, str.lower, " {} ".format]))
def test_find_minds_neither_case_nor_blanks(indicator: Indicator, spelling) -> None:
    for name in (indicator.code, indicator.name.en, indicator.name.zh, *indicator.aliases):
        assert library().find(spelling(name)) == indicator


def test_find_minds_no_full_width_signs() -> None:
    assert library().find("存款余额（时点）").code == "DEPOSITS"
    assert library().find("ＮＰＬ").code == "NPL"


def test_a_code_goes_before_another_indicators_alias() -> None:
    first = Indicator.model_validate(entry(code="FIRST", aliases=["second"]))
    second = Indicator.model_validate(entry(code="SECOND"))
    assert IndicatorSet([first, second]).find("second") is second


def test_an_unknown_name_says_what_is_known() -> None:
    with pytest.raises(LoadlineError) as caught:
        library().find("nothing of the kind")
    assert "nothing of the kind" in caught.value.what
    assert "P01" in caught.value.hint
