"""What a check is: what it looks at, where it finds something, and how that is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pandas as pd

from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet, Title
from models.policy.document import Condition, Item, Policy, Scorecard

Severity = Literal["error", "warning"]
Place = tuple[str, Mapping[str, object]]
"""Where something was found, a path of ids and codes such as `scorecards.all.items.P06`, and what fills the words."""

GUIDELINE = "银监发〔2012〕34号 (supervisory guideline on performance evaluation of banking institutions, 2012)"
OWNER_METHOD = (
    "财金〔2020〕124号 (Ministry of Finance, evaluation of commercial banks by their owner, in force from 2021)"
)
EFFICACY_METHOD = (
    "efficacy coefficient method (功效系数法) of the Ministry of Finance's evaluation of financial firms, 2016"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against a policy.

    Attributes
    ----------
    code : str
        Of the check; a warning is accepted by this name.
    severity : {"error", "warning"}
        A policy with errors is not used; warnings can be accepted by a named person.
    where : str
        Path in the document, with ids and indicator codes in place of numbers.
    what : Mapping[str, str]
        What is wrong, in `en` and `zh`.
    hint, hint_zh : str
        What to do.
    source : str
        The regulation or method behind it; empty where the reason is plain.
    """

    code: str
    severity: Severity
    where: str
    what: Mapping[str, str]
    hint: str
    hint_zh: str
    source: str = ""

    def __str__(self) -> str:
        return f"[{self.code}] {self.where}: {self.what['en']}"


class PolicyError(LoadlineError):
    """A policy with errors, with all that was found."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        errors = [finding for finding in findings if finding.severity == "error"]
        listed = "".join(f"\n  {finding}" for finding in errors)
        first, several = errors[0], len(errors) > 1
        count = f"{len(errors)} errors" if several else "an error"
        hint = "`loadline policy check` tells what to do about each." if several else first.hint
        super().__init__(f"the policy has {count}:{listed}", where="" if several else first.where, hint=hint)


@dataclass(frozen=True)
class Line:
    """An item with its place in the policy; `indicator` is None where it is not known or no indicators were given."""

    where: str
    card: Scorecard
    item: Item
    indicator: Indicator | None

    @property
    def group(self) -> str | None:
        """Give the class that the item counts to: its block, its own perspective, or its indicator's."""
        own = self.item.block or self.item.perspective
        return own if own is not None or self.indicator is None else self.indicator.perspective

    @property
    def perspective(self) -> str | None:
        """Give the perspective: the item's own, else its indicator's."""
        if self.item.perspective is not None or self.indicator is None:
            return self.item.perspective
        return self.indicator.perspective


@dataclass(frozen=True)
class Subject:
    """What checks look at.

    Attributes
    ----------
    policy : Policy
    indicators : IndicatorSet or None
        Without them nothing is checked that depends on them.
    units : pd.DataFrame or None
        Attributes by unit code: `level`, `business_line`, `region_type`, `peer_group`.
    earlier : tuple of Policy
        Other versions of the same policy.
    found : tuple of Finding
        What other checks found, for the check of acceptances.
    unseen : frozenset of str
        Codes of the checks that could not look, for want of indicators or units.
    """

    policy: Policy
    indicators: IndicatorSet | None = None
    units: pd.DataFrame | None = None
    earlier: tuple[Policy, ...] = ()
    found: tuple[Finding, ...] = ()
    unseen: frozenset[str] = frozenset()

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Give all items of all scorecards."""
        known = self.indicators if self.indicators is not None else {}
        return tuple(
            Line(f"scorecards.{card.id}.items.{item.indicator}", card, item, known.get(item.indicator))
            for card in self.policy.scorecards
            for item in card.items
        )

    @cached_property
    def known_lines(self) -> tuple[tuple[Line, Indicator], ...]:
        """Give the items whose indicators are known."""
        return tuple((line, line.indicator) for line in self.lines if line.indicator is not None)

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Give the conditions of adjustments and gates, with their places."""
        for card in self.policy.scorecards:
            for adjustment in card.adjustments:
                yield f"scorecards.{card.id}.adjustments.{adjustment.id}.when", adjustment.when
        for gate in self.policy.gates:
            if gate.kind != "protection_floor" and gate.when is not None:
                yield f"gates.{gate.id}.when", gate.when


@dataclass(frozen=True)
class Check:
    """One entry of the catalogue.

    Attributes
    ----------
    code, severity
        See `Finding`.
    what, hint : Title
        Words with `{names}` that a place fills in.
    find : callable
        Gives the places of a subject that the words apply to.
    source : str
    needs : {"indicators", "units"} or None
        Without which it may miss something.
    """

    code: str
    severity: Severity
    what: Title
    hint: Title
    find: Callable[[Subject], Iterable[Place]]
    source: str = ""
    needs: Literal["indicators", "units"] | None = None

    def can_look(self, subject: Subject) -> bool:
        """Tell whether the subject has all that the check needs."""
        return self.needs is None or getattr(subject, self.needs) is not None

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """Say what was found."""
        for where, values in self.find(subject):
            yield Finding(
                code=self.code,
                severity=self.severity,
                where=where,
                what={"en": self.what.en.format(**values), "zh": self.what.zh.format(**values)},
                hint=self.hint.en.format(**values),
                hint_zh=self.hint.zh.format(**values),
                source=self.source,
            )
