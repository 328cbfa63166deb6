"""Policies and settings for trying other rules on the small bank."""

from __future__ import annotations

from typing import Any

from scoring_bank import CALENDAR, make_policy

from features.snapshot import Snapshot
from models.policy.document import Policy
from training.simulation.change_file import KINDS, AnyChange
from training.simulation.setting import Setting

JUNE, DECEMBER = CALENDAR.parse("2024-06"), CALENDAR.parse("2024-12")
TITLE = {"en": "x", "zh": "项"}
EFFICACY = {"kind": "efficacy"}


def items(**weights: str) -> list[dict[str, Any]]:
    """Make items of the usual rules, which need no targets, with these weights."""
    rules: dict[str, dict[str, Any]] = {
        "LENDING": {"rule": EFFICACY},
        "DEPOSITS": {"against": "last_year", "rule": {"kind": "ratio"}},
        "INTEREST": {"against": "last_year", "rule": {"kind": "ratio"}},
        "LATE": {"rule": EFFICACY},
        "YIELD": {"rule": EFFICACY},
        "NPS": {"against": "peers", "rule": {"kind": "ratio"}},
    }
    return [{"indicator": code, "weight": weight} | rules[code] for code, weight in weights.items()]


def present(**changes: Any) -> Policy:
    """Make the policy that stands for the present."""
    return make_policy(items(LENDING="30", DEPOSITS="20", LATE="30.5", NPS="19.5"), **changes)


def other(**changes: Any) -> Policy:
    """Make a policy with other weights, one item fewer and one that is new."""
    return make_policy(items(LENDING="20", INTEREST="25", LATE="40", NPS="15"), **({"version": "2"} | changes))


def setting(snapshot: Snapshot, policy: Policy | None = None, periods: tuple[int, ...] = (DECEMBER,)) -> Setting:
    """Make a setting with one policy on both sides."""
    policy = policy or present()
    return Setting(snapshot, policy, policy, periods)


def change(kind: str, **fields: Any) -> AnyChange:
    """Make a change from outside; by default from July 2024 on."""
    return KINDS[kind].model_validate({"change": 1, "kind": kind, "from": "2024-07"} | fields)
