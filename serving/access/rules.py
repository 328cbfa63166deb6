"""One rule for each address: which roles may, in their subtree or everywhere, and whether the audit notes it.

What has no rule here is refused to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from serving.access.principal import Role

HR, RISK, MANAGER = Role.HR, Role.RISK, Role.MANAGER
DATA_SCIENTIST, AUDITOR, ADMIN = Role.DATA_SCIENTIST, Role.AUDITOR, Role.ADMIN
EVERY_ROLE = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of whoever comes to an address.

    Attributes
    ----------
    roles : frozenset of Role
        One of them is needed.
    audit : {"", "read", "change"}
        What the audit notes: nothing, that a result about people's work was seen, or that something was changed.
    about : str
        The parameter of the path or query that names what it is about, for the audit: "unit", "plan".
    """

    roles: frozenset[Role]
    audit: Literal["", "read", "change"] = ""
    about: str = ""


RULES: Mapping[str, Rule] = {}
"""By the operation's id in the API, by the name of the function for pages."""
