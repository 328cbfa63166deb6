"""How YAML is read: safely, with the C parser where there is one, and with `true` and `false` as the only booleans."""

from __future__ import annotations

import re
from typing import Any

import yaml

BOOL = "tag:yaml.org,2002:bool"
SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PlainLoader(SAFE):
    """Reads `on`, `off`, `yes` and `no` as words, as YAML 1.2 has it: a field is called `on`, a country code is NO."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
PlainLoader.add_implicit_resolver(BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def parse_yaml(text: str) -> Any:
    """Parse YAML.

    >>> parse_yaml("{on: 2025-01-10, group: [NO, SE], core: true}")
    {'on': datetime.date(2025, 1, 10), 'group': ['NO', 'SE'], 'core': True}
    """
    return yaml.load(text, Loader=PlainLoader)  # noqa: S506 - made of a safe loader
