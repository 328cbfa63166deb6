"""Cases made from the OpenAPI document, valid and not, asked in everybody's name; what must never be answered."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import schemathesis
from fuzzed_bank import Bank
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from raw_asking import HOST, Answer
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response

CASES = int(os.environ.get("LOADLINE_FUZZ_CASES", "800"))
"""Made from the OpenAPI document in all: few at each change, 10,000 and more by hand."""
EVERYTHING = CASES >= 10_000
"""Whether everything hostile is put into every place; else each place gets some of it, in turn."""
T = TypeVar("T")
CHECKED = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
"""What schemathesis checks of each answer; that there is no 5xx is checked here, since one kind of 503 is meant."""
REFUSED = (408, 412, 413, 507)
"""Refusals too, which schemathesis does not count among them."""
KNOWN = 0.6
"""Share of the parameters that get a word which means something to the bank: random ones hardly ever would."""
PLACES = {"path": "path_parameters", "query": "query", "header": "headers"}
SHOWN = 600
"""Characters of an answer or a failure in a finding."""


def in_turn(hostile: Sequence[T], turn: int, *, every: int) -> Sequence[T]:
    """Give what is hostile for one place: one in `every`, others for the next place."""
    return hostile if EVERYTHING else hostile[turn % every :: every]


@dataclass
class Findings:
    """What was wrong, once for each operation and kind, and how much was asked.

    Attributes
    ----------
    asked : Counter
        Requests by asker.
    statuses : Counter
        Answers by status.
    wrong : dict
        What was wrong, by operation and kind of failure.
    """

    asked: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[tuple[str, str], str] = field(default_factory=dict)


def operations(bank: Bank) -> Iterator[Any]:
    """Give the operations of the OpenAPI document."""
    document = json.loads(json.dumps(bank.app.openapi()))
    document["components"].pop("securitySchemes")  # everybody's own keys are sent, and no others are made up
    for entry in document["paths"].values():
        for operation in entry.values():
            operation.pop("security", None)
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        yield found.ok()


def fuzz(bank: Bank, operation: Any, findings: Findings, *, examples: int, number: int = 1) -> None:
    """Ask one operation with `examples` cases, half of them not valid, each asker in turn.

    Parameters
    ----------
    bank : Bank
    operation : schemathesis.APIOperation
    findings : Findings
        Is added to.
    examples : int
    number : int
        Of the run: the same gives the same cases.
    """
    load_all_checks()
    checks, askers = CHECKS.get_by_names(CHECKED), sorted(bank.keys)
    valid = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    hostile = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(valid, hostile), st.randoms(use_true_random=False))
    def one(case: Any, random: Any) -> None:
        name = askers[sum(findings.asked.values()) % len(askers)]
        _make_known(case, bank.words, random)
        prepared = _prepared(case)
        answer = _ask(bank, prepared, bank.keys[name])
        findings.asked[name] += 1
        findings.statuses[answer.status] += 1
        for kind, text in _failures(case, prepared, answer, checks):
            findings.wrong.setdefault((operation.label, kind), f"{name}: {prepared.method} {prepared.url} {text}")

    one()


def _make_known(case: Any, words: Mapping[str, list[Any]], random: Any) -> None:
    """Put words of the bank in place of what was made up; what is meant to be invalid stays so."""
    meta = case.meta.components if case.meta is not None else {}
    hostile = {kind.value for kind, info in meta.items() if info.mode is GenerationMode.NEGATIVE}
    edits = any(one.name == "If-Match" for one in case.operation.headers)
    if edits and "header" not in hostile and random.random() < KNOWN:
        case.headers = {**(case.headers or {}), "If-Match": ""}
    for place, container in PLACES.items():
        held = getattr(case, container)
        if not held or place in hostile:
            continue
        for name in list(held):
            if words.get(name) and random.random() < KNOWN:
                held[name] = random.choice(words[name])
    if isinstance(case.body, dict | list) and "body" not in hostile:
        case.body = _known_within(case.body, words, random)


def _known_within(value: Any, words: Mapping[str, list[Any]], random: Any) -> Any:
    if isinstance(value, list):
        return [_known_within(one, words, random) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: random.choice(words[name])
        if words.get(name) and isinstance(one, str | int) and random.random() < KNOWN
        else _known_within(one, words, random)
        for name, one in value.items()
    }


def _prepared(case: Any) -> requests.PreparedRequest:
    given = case.as_transport_kwargs(base_url=f"http://{HOST}")
    given.pop("cookies", None)
    return requests.Request(**given).prepare()


def _ask(bank: Bank, prepared: requests.PreparedRequest, key: str | None) -> Answer:
    address = urlsplit(str(prepared.url))
    target = address.path + (f"?{address.query}" if address.query else "")
    skipped = {"host", "content-length", "transfer-encoding", "authorization", "cookie"}
    headers = [
        (_latin(name), _latin(value)) for name, value in prepared.headers.items() if _latin(name).lower() not in skipped
    ]
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    return bank.ask(str(prepared.method), target, key=key, headers=headers, body=body)


def _latin(word: str | bytes) -> str:
    return word.decode("latin-1") if isinstance(word, bytes) else word


def _failures(
    case: Any, prepared: requests.PreparedRequest, answer: Answer, checks: list[Any]
) -> Iterator[tuple[str, str]]:
    said = f"-> {answer.status} {answer.body[:SHOWN]!r}"
    sent = f"{dict(prepared.headers)} {prepared.body!r:.{SHOWN}}"
    if answer.status >= 500 and not (answer.status == 503 and "retry-after" in answer.headers):
        yield f"{answer.status}", f"{sent} {said}"
    response = Response(answer.status, answer.headers, answer.body, prepared, elapsed=0.0, verify=False)
    try:
        case.validate_response(response, checks=checks)
    except FailureGroup as group:
        for failure in group.exceptions:
            if answer.status in REFUSED and type(failure).__name__ == "AcceptedNegativeData":
                continue
            yield type(failure).__name__, f"{sent} {said} {str(failure)[:SHOWN]}"
