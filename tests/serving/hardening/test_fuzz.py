"""Everything that the OpenAPI document describes, asked with cases made from it, in the name of every role."""

from __future__ import annotations

from fuzzed_bank import ROLES, STRANGER, Bank
from fuzzing import CASES, Findings, fuzz, operations


def test_fuzz_the_whole_description_with_every_role(bank: Bank):
    """No 5xx, no undocumented status, header or content type, no answer beside its schema, nothing invalid taken."""
    findings, every = Findings(), list(operations(bank))
    for operation in every:
        fuzz(bank, operation, findings, examples=max(1, CASES // len(every)))
    assert findings.wrong == {}
    assert set(findings.asked) == {*ROLES, STRANGER}
    assert min(findings.asked.values()) >= CASES // 16, "everybody asked about as often"
    assert {200, 401, 403, 404, 422} <= set(findings.statuses)
    print(sum(findings.asked.values()), dict(findings.asked), dict(sorted(findings.statuses.items())))  # noqa: T201
    for name, key in bank.keys.items():
        assert bank.ask("GET", "/api/v1/me", key=key).status == (401 if name == STRANGER else 200)
