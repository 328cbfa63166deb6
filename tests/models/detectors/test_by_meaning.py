import pytest
from feature_panels import indicator

from features.indicators import Indicator, IndicatorSet, library
from models.detectors.by_meaning import Meanings


class Declared:
    """What sorting looks at: codes and their definitions."""

    def __init__(self, *indicators: Indicator) -> None:
        self.indicators = IndicatorSet(indicators)
        self.codes = list(self.indicators)

    def indicator(self, code: str) -> Indicator:
        return self.indicators[code]


def meanings(*indicators: Indicator) -> Meanings:
    return Meanings.of(Declared(*indicators))  # type: ignore[arg-type]


def codes(indicators: tuple[Indicator, ...]) -> list[str]:
    return [each.code for each in indicators]


def ratio(code: str, **about: object) -> Indicator:
    given = {"kind": "ratio", "unit": "%", "direction": "lower", "perspective": "risk"}
    return indicator(code, **(given | about))


def test_declared_loans_are_the_lending_whatever_else_is_called_so():
    found = meanings(indicator("BOOK", role="loans"), indicator("MORTGAGE_LOANS"), indicator("DEPOSITS"))
    assert codes(found.lending) == ["BOOK"]
    assert codes(found.volumes) == ["BOOK", "MORTGAGE_LOANS", "DEPOSITS"]


def test_undeclared_lending_is_what_risk_is_measured_over_or_is_called_lending():
    found = meanings(
        indicator("BOOK"), ratio("LATE", denominator="BOOK"), indicator("CARD_CREDIT"), indicator("DEPOSITS")
    )
    assert codes(found.lending) == ["BOOK", "CARD_CREDIT"]


def test_capital_over_assets_does_not_make_assets_lending():
    capital = ratio("EQUITY_RATIO", direction="higher", denominator="ASSETS")
    found = meanings(indicator("ASSETS"), indicator("LOANS"), capital)
    assert codes(found.capital) == ["EQUITY_RATIO"]
    assert codes(found.lending) == ["LOANS"]
    assert found.troubles == ()


def test_balances_stand_in_where_nothing_is_lent():
    assert codes(meanings(indicator("ASSETS"), indicator("BRANCHES")).lending) == ["ASSETS"]
    assert meanings(indicator("BRANCHES")).lending == ()


@pytest.mark.parametrize("code", ["CREDIT_GDP", "DEBT_INCOME", "贷款GDP"])
def test_credit_over_output_is_a_lending_ratio_and_leverage_is_not_trouble(code: str):
    named = {"code": "X", "name": {"en": code.replace("_", " "), "zh": code}}
    found = meanings(Indicator.model_validate(ratio("X").model_dump() | named))
    assert codes(found.lending_ratios) == ["X"]
    assert found.troubles == ()


@pytest.mark.parametrize("name", ["Loan losses to income", "Interest income on loans", "NPL of mortgage loans to GDP"])
def test_what_is_said_of_loans_is_not_lent(name: str):
    said = Indicator.model_validate(ratio("X").model_dump() | {"name": {"en": name, "zh": "某"}})
    assert codes(meanings(said).lending_ratios) == []
    assert codes(meanings(said).troubles) == ["X"]


def test_house_prices_are_prices_and_head_counts_are_not():
    prices = indicator("HPI", perspective="context", unit="index")
    assert codes(meanings(prices, indicator("CONSUMERS", perspective="context", unit="persons")).prices) == ["HPI"]


def test_an_amount_is_left_out_where_its_ratio_is_at_hand():
    bad = indicator("BAD", direction="lower", perspective="risk")
    assert codes(meanings(bad).troubles) == ["BAD"]
    over = ratio("BAD_RATIO", numerator="BAD", denominator="LOANS")
    assert codes(meanings(bad, indicator("LOANS"), over).troubles) == ["BAD_RATIO"]


def test_a_risk_belongs_to_its_denominator_then_to_its_namesake_then_to_the_lending():
    auto, card = indicator("AUTO_BALANCE"), indicator("CARD_BALANCE")
    late_auto, late_card, late = ratio("AUTO_LATE"), ratio("LATE_CARDS", denominator="CARD_BALANCE"), ratio("LATE")
    found = meanings(auto, card, late_auto, late_card, late)
    assert codes(found.linked(late_auto)) == ["AUTO_BALANCE"]
    assert codes(found.linked(late_card)) == ["CARD_BALANCE"]
    assert codes(found.linked(late)) == ["CARD_BALANCE"]
    assert codes(meanings(indicator("VISITS"), late).linked(late)) == ["VISITS"]


def test_the_library_is_sorted_as_a_banker_would():
    found = meanings(*library().values())
    assert codes(found.lending) == ["LOANS"]
    assert {"R01", "R02", "R04"} <= set(codes(found.troubles))
    assert not {"R08", "R09", "R10", "NPL", "WRITE_OFFS"} & set(codes(found.troubles))
    assert "R09" in codes(found.capital)
