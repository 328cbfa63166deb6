from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policies import policies

from features.breaches import TableError
from features.errors import Breach
from features.indicators import library
from features.yaml_loader import parse_yaml
from models.policy.document import Policy
from models.policy.reading import policy_digest, policy_from, read_policy, write_policy
from models.policy.rules import Ratio, Tiers
from models.policy.shipped import shipped
from models.policy.validator import check

TEXT = """\
policy: 1
id: small
version: "1"
title: {en: Small, zh: 小}
source: made for a test
effective: {from: 2024-01-01}
level: internal
scorecards:
  - id: retail
    title: {en: Retail, zh: 零售}
    items:
      - indicator: P01
        weight: 60
        rule: {kind: ratio, cap: 130}
      - indicator: R01
        weight: 40
        rule:
          kind: tiers
          tiers:
            - {points: 100}
            - {from: 1.1, points: 0}
gates:
  - {kind: total_cap, id: cap, title: {en: Cap, zh: 封顶}, at: 105}
"""
DOCUMENT: Any = parse_yaml(TEXT)


def read(folder: Path, text: str = TEXT) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return read_policy(path)


def problems(folder: Path, *changes: tuple[str, str]) -> list[tuple[int, str, str]]:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(TableError) as error:
        read(folder, text)
    return [(breach.line, breach.column, breach.expected) for breach in error.value.breaches]


def test_a_number_is_the_decimal_that_is_written(tmp_path: Path) -> None:
    policy = read(tmp_path, TEXT.replace("cap: 130", "cap: 130.1").replace("from: 1.1", "from: 0.000001"))
    first, second = policy.scorecards[0].items
    assert isinstance(first.rule, Ratio)
    assert isinstance(second.rule, Tiers)
    assert (first.rule.cap, second.rule.tiers[1].start) == (Decimal("130.1"), Decimal("0.000001"))


def test_as_many_digits_as_a_double_holds_are_kept_and_more_refused(tmp_path: Path) -> None:
    digits = "0.123456789012345"
    (_, second) = read(tmp_path, TEXT.replace("from: 1.1", f"from: {digits}")).scorecards[0].items
    assert isinstance(second.rule, Tiers)
    assert second.rule.tiers[1].start == Decimal(digits)
    ((line, column, expected),) = problems(tmp_path, ("from: 1.1", f"from: {digits}6"))
    assert (line, column) == (21, "scorecards.retail.items.R01.rule.tiers.2.from")
    assert expected == "no more than 15 digits in total"


def test_no_number_of_a_policy_has_more_digits_than_a_double_holds() -> None:
    whole = parse_yaml(write_policy(shipped()["branch-peers"]))
    numbers = {
        tuple(part for part in place if isinstance(part, str)): place
        for place in places(whole)
        if isinstance(at(whole, place), int | float) and place[-1] not in ("policy", "months", "shared")
    }
    assert len(numbers) > 30
    for *above, last in numbers.values():
        document = copy.deepcopy(whole)
        at(document, above)[last] = "0.1234567890123456"
        with pytest.raises(TableError) as error:
            policy_from(document)
        assert any(breach.expected.startswith("no more than") for breach in error.value.breaches)


@pytest.mark.parametrize(
    ("place", "old", "new", "expected"),
    [
        ("scorecards.retail.items.P01.rule", "cap: 130", "cap: 130, least: 130", "least lies below cap"),
        ("calibration", "gates:", "calibration: {least: 0.3, most: 0.2}\ngates:", "least is no more than most"),
        (
            "scorecards.retail.adjustments.a",
            "gates:",
            "    adjustments:\n      - {id: a, title: {en: A, zh: 甲}, kind: bonus, points: 2, most: 1,"
            " when: {indicator: P01, above: 1}}\ngates:",
            "per and most go together",
        ),
    ],
)
def test_limits_the_wrong_way_round_are_refused(tmp_path: Path, place: str, old: str, new: str, expected: str) -> None:
    ((_, column, told),) = problems(tmp_path, (old, new))
    assert column == place
    assert expected in told


@pytest.mark.parametrize(("text", "value"), [("1_000.5", "1000.5"), ("1.5e+2", "150"), ("+.5", "0.5"), ("0.10", "0.1")])
def test_numbers_are_read_as_yaml_has_them(tmp_path: Path, text: str, value: str) -> None:
    (_, second) = read(tmp_path, TEXT.replace("from: 1.1", f"from: {text}")).scorecards[0].items
    assert isinstance(second.rule, Tiers)
    assert second.rule.tiers[1].start == Decimal(value)


def test_every_problem_is_listed_at_once_with_its_line(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        ("weight: 60", "weight: -1"),
        ("cap: 130", "cap: high"),
        ("kind: total_cap", "kind: total_lid"),
        ('version: "1"', "version: 1"),
    )
    assert [(line, column) for line, column, _ in found] == [
        (3, "version"),
        (13, "scorecards.retail.items.P01.weight"),
        (14, "scorecards.retail.items.P01.rule.cap"),
        (23, "gates.cap.kind"),
    ]


def test_a_problem_within_a_list_does_not_make_the_list_too_short(tmp_path: Path) -> None:
    found = problems(tmp_path, ("{from: 1.1, points: 0}", "{from: 1.1, point: 0}"))
    place = "scorecards.retail.items.R01.rule.tiers.2"
    assert found == [(21, f"{place}.points", "this field"), (21, f"{place}.point", "a field that exists")]


def test_a_list_that_is_too_short_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, ("            - {from: 1.1, points: 0}\n", ""))
    assert [(line, column) for line, column, _ in found] == [(19, "scorecards.retail.items.R01.rule.tiers")]


def test_an_unknown_field_is_refused_with_what_it_may_mean(tmp_path: Path) -> None:
    with pytest.raises(TableError) as error:
        read(tmp_path, TEXT.replace("weight: 40", "wieght: 40"))
    breach = next(b for b in error.value.breaches if b.column.endswith("wieght"))
    assert (breach.line, breach.hint) == (16, "Near: weight.")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("weight: 60", "weight: 60%", "a number"),
        ("from: 2024-01-01", "from: 2024-1-1", "a day such as 2025-01-31"),
        ("from: 2024-01-01", "from: 2024年1月1日", "a day such as 2025-01-31"),
        ("weight: 60", "weight: 60\n        shared: 是", "true or false"),
        ("title: {en: Retail, zh: 零售}", "title: 零售", "fields of its own"),
        ("    items:", "    applies_to: {level: branch}\n    items:", "a list such as [one, two]"),
    ],
)
def test_what_a_field_holds_is_told_in_plain_words(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert [found[2] for found in problems(tmp_path, (old, new))] == [expected]


def test_full_width_punctuation_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(TableError) as error:
        read(tmp_path, TEXT.replace("kind: ratio, cap: 130", "kind: ratio, cap： 130"))
    (breach,) = error.value.breaches
    assert (breach.line, "half-width" in breach.hint) == (14, True)


def test_words_that_older_yaml_takes_for_booleans_are_words(tmp_path: Path) -> None:
    accepted = "accepted: [{finding: risk-weight, by: Chen Li, on: 2025-01-10, reason: decided by the group}]\n"
    regions = TEXT.replace("    items:", "    applies_to: {region_type: [NO, off]}\n    items:")
    policy = read(tmp_path, regions + accepted)
    assert policy.scorecards[0].applies_to.region_type == ("NO", "off")
    assert policy.accepted[0].on.isoformat() == "2025-01-10"
    assert read(tmp_path, write_policy(policy)) == policy


def test_an_unknown_kind_of_rule_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TableError) as error:
        read(tmp_path, TEXT.replace("kind: tiers", "kind: steps"))
    (breach,) = error.value.breaches
    assert (breach.line, breach.column) == (18, "scorecards.retail.items.R01.rule.kind")
    assert breach.value == "steps"
    assert breach.expected == "one of ratio, increment, tiers, efficacy, two_increase, levels"


def test_a_rule_without_a_kind_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, ("kind: ratio, cap", "cap")) == [
        (14, "scorecards.retail.items.P01.rule.kind", "the kind of entry it is")
    ]


def test_a_field_given_twice_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, ("weight: 40", "weight: 40\n        weight: 30")) == [(17, "weight", "each field once")]


def test_fields_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, ("weight: 40", "weight: 40\n        value: 3"))
    assert [(line, column) for line, column, _ in found] == [(15, "scorecards.retail.items.R01")]
    assert "value: goes with against: fixed" in found[0][2]


@pytest.mark.parametrize("number", ["12.345", ".nan", ".inf", "true", "[1]", "1.0e+40"])
def test_a_weight_is_a_number_of_hundredths(tmp_path: Path, number: str) -> None:
    ((line, column, _),) = problems(tmp_path, ("weight: 60", f"weight: {number}"))
    assert (line, column) == (13, "scorecards.retail.items.P01.weight")


@pytest.mark.parametrize("text", ["", "- 1\n", "just words\n"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TableError):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError) as error:
        read_policy(tmp_path / "none.yaml")
    assert "loadline policy show" in error.value.breaches[0].hint


def test_plain_data_is_refused_by_field() -> None:
    with pytest.raises(TableError) as error:
        policy_from({"policy": 1, "id": "Capital Letters"})
    columns = {breach.column for breach in error.value.breaches}
    assert {"id", "version", "title", "scorecards"} <= columns
    assert {breach.file for breach in error.value.breaches} == {"policy.yaml"}


def test_policies_that_are_equal_are_written_alike(tmp_path: Path) -> None:
    one = read(tmp_path)
    other = read(tmp_path, TEXT.replace("weight: 60", 'weight: "60.00"').replace("cap: 130", "least: 0, cap: 130.0"))
    assert one == other
    assert write_policy(one) == write_policy(other)
    assert policy_digest(one) == policy_digest(other)


def test_another_content_has_another_digest(tmp_path: Path) -> None:
    assert policy_digest(read(tmp_path)) != policy_digest(read(tmp_path, TEXT.replace("at: 105", "at: 105.01")))


def test_what_is_kept_states_the_defaults(tmp_path: Path) -> None:
    text = write_policy(read(tmp_path))
    assert "flagged_attain: 0.5" in text
    assert "against: target" in text


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("tiers")
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "from", "items", "id", "rule"]) | st.text(max_size=5), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def at(content: Any, place: Sequence[str | int]) -> Any:
    """Give what stands at a path of a document."""
    for part in place:
        content = content[part]
    return content


def places(content: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the path of everything in a document."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for part, inner in pairs:
        yield (*above, part)
        yield from places(inner, (*above, part))


@settings(max_examples=300, deadline=None)
@given(st.data(), ANYTHING)
def test_anything_anywhere_is_read_or_refused_with_its_place(data: st.DataObject, thing: Any) -> None:
    document = copy.deepcopy(DOCUMENT)
    *above, last = data.draw(st.sampled_from(list(places(DOCUMENT))))
    at(document, above)[last] = thing
    breaches: tuple[Breach, ...] = ()
    try:
        policy_from(document)
    except TableError as error:
        breaches = error.breaches
    assert all(breach.expected for breach in breaches)
    assert {breach.column.split(".")[0] for breach in breaches} <= {str((*above, last)[0]), ""}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_written_reads_back_equal(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    policy = data.draw(policies(library()))
    text = write_policy(policy)
    again = read(tmp_path_factory.mktemp("round"), text)
    assert again == policy
    assert write_policy(again) == text


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_policies_have_no_errors(data: st.DataObject) -> None:
    found = check(data.draw(policies(library())), indicators=library())
    assert [finding for finding in found if finding.severity == "error"] == []
