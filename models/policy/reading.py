"""Policies from YAML and back: every problem at once, with its line, field, value and what was expected."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import reduce
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.constructor import SafeConstructor

from features.breaches import Breaches, TableError
from features.documents import compose, line_of
from models.policy.document import Policy
from models.policy.rules import written

LINE_WIDTH = 120
STORED = "policy.yaml"
"""How the policy that came with a dataset is called in messages; its lines are not kept."""
NAMED_BY = ("id", "indicator", "finding", "name", "kind")
"""Fields by which an entry of a list is called in messages, rather than by its number."""
PREAMBLES = ("Value error, ", "Input should be ", "Decimal input should have ")
"""With which pydantic begins what it expects."""
HINTS = {
    "missing": "Add it.",
    "string_type": "Put it in quotes.",
    "union_tag_not_found": "Write its kind first, such as `kind: ratio`.",
    "decimal_max_places": "Round it.",
    "decimal_max_digits": "Round it.",
    "model_type": "Write `field: value` lines.",
}
EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_parsing": "a day such as 2025-01-31",
    "date_parsing": "a day such as 2025-01-31",
    "date_type": "a day such as 2025-01-31",
    "decimal_parsing": "a number",
    "decimal_type": "a number",
    "model_type": "fields of its own",
    "tuple_type": "a list such as [one, two]",
}
"""What a field holds, in the words of who writes a policy."""
FULL_WIDTH = "：，｛｝［］"
"""Punctuation of Chinese keyboards, which YAML reads as letters."""


def read_policy(path: str | Path) -> Policy:
    """Read a policy from a YAML file.

    Decimals are what is written: `0.1` is one tenth. It is not yet checked for sense: see `models.policy.validator`.

    Raises
    ------
    TableError
        With everything in which the file is no policy.
    """
    path = Path(path)
    breaches = Breaches()
    if not path.exists():
        hint = "`loadline policy show retail-line > own.yaml` writes one to start from."
        breaches.add(path.name, 0, "", "", expected="a policy file", hint=hint)
        breaches.raise_if_any(str(path), error=TableError)
    document, node = compose(path, breaches)
    if node is not None:
        document = _Exact().construct_document(node)
        for line, name in _repeated(node):
            expected, hint = "each field once", "Only the last one would count: remove the others."
            breaches.add(path.name, line, name, "", expected=expected, hint=hint)
    policy = None
    if document is not None or not breaches:
        policy = _validated(document, breaches, file=path.name, node=node)
    breaches.raise_if_any(str(path), error=TableError)
    assert policy is not None
    return policy


def policy_from(document: Mapping[str, Any], *, where: str = STORED) -> Policy:
    """Make a policy from plain data, such as the one that came with a dataset.

    Raises
    ------
    TableError
        With everything in which it is no policy.
    """
    breaches = Breaches()
    policy = _validated(document, breaches, file=where, node=None)
    breaches.raise_if_any(where, error=TableError)
    assert policy is not None
    return policy


def write_policy(policy: Policy) -> str:
    """Write a policy as YAML that reads back equal; equal policies are written alike.

    Defaults are written out, so that what is kept means the same when a default changes.
    """
    content = _plain(policy.model_dump(mode="python", by_alias=True))
    return yaml.dump(
        content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=LINE_WIDTH, default_flow_style=None
    )


def policy_digest(policy: Policy) -> str:
    """Give the SHA-256 of a policy's content: the same for equal policies, however they were written."""
    return hashlib.sha256(write_policy(policy).encode()).hexdigest()


class _Exact(SafeConstructor):
    """Reads numbers with a point as the decimals that are written, not as the nearest doubles."""

    def construct_yaml_float(self, node: yaml.ScalarNode) -> Any:
        try:
            return Decimal(node.value)
        except InvalidOperation:  # .nan, .inf, 1_000.5
            return super().construct_yaml_float(node)

    yaml_constructors = SafeConstructor.yaml_constructors | {"tag:yaml.org,2002:float": construct_yaml_float}


class _Dumper(yaml.SafeDumper):
    """Writes decimals as numbers, and nothing as an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_decimal(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    text = written(value)
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(Decimal, _write_decimal)


def _plain(value: Any) -> Any:
    """Turn tuples into lists; leave out fields that are empty, as all of these are by default."""
    if isinstance(value, Mapping):
        shortened = {name: _plain(content) for name, content in value.items()}
        return {name: content for name, content in shortened.items() if content not in (None, [], {})}
    if isinstance(value, tuple | list):
        return [_plain(content) for content in value]
    return value


def _validated(document: Any, breaches: Breaches, *, file: str, node: yaml.Node | None) -> Policy | None:
    if not isinstance(document, Mapping):
        expected, hint = "a policy", "Begin with `policy: 1`; `loadline policy show` prints one to start from."
        breaches.add(file, 1 if node is not None else 0, "", document or "", expected=expected, hint=hint)
        return None
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        places = [problem["loc"] for problem in problems]
        for problem in problems:
            place = problem["loc"]
            inner = any(len(other) > len(place) and other[: len(place)] == place for other in places)
            if problem["type"] != "too_short" or not inner:  # a list is only short of what is wrong in it
                _note(problem, document, breaches, file=file, node=node)
        return None


def _note(problem: Any, document: Any, breaches: Breaches, *, file: str, node: yaml.Node | None) -> None:
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    place, names = _located(document, problem["loc"])
    expected = EXPECTED.get(kind) or reduce(str.removeprefix, PREAMBLES, str(problem["msg"]))
    hint = HINTS.get(kind, "")
    if kind == "missing":
        expected, value = "this field", ""
    elif kind == "extra_forbidden":
        expected, value = "a field that exists", ""
        near = difflib.get_close_matches(str(names[-1]), sorted(_fields()), 3)
        hint = f"Near: {', '.join(near)}." if near else "Remove it."
        if set(FULL_WIDTH) & set(names[-1]):
            hint = "YAML needs the half-width punctuation `: , { } [ ]`."
    elif kind.startswith("union_tag"):
        names, place = [*names, "kind"], [*place, "kind"]
        value = context.get("tag", "")
        expected = f"one of {context['expected_tags']}".replace("'", "") if value else "the kind of entry it is"
    elif kind == "string_pattern_mismatch":
        expected, hint = "letters, digits, - and _", "Ids are in lower case; versions may have dots."
    elif kind == "value_error":
        expected = f"fields that fit together ({expected})"
    if isinstance(value, Mapping | list | tuple):
        value = ""
    breaches.add(file, line_of(node, place), ".".join(names), value, expected=expected, hint=hint)


def _located(document: Any, location: Sequence[str | int]) -> tuple[list[str | int], list[str]]:
    """Give the place in the document, and the names to call it by: entries of lists by what they are called there.

    The kind of a rule or gate, by which the model tells its fields apart, is no place in the document.
    """
    place: list[str | int] = []
    names: list[str] = []
    here, told_apart = document, False
    for part in location:
        if isinstance(here, Mapping) and not told_apart and part == here.get("kind"):
            told_apart = True
            continue
        told_apart = False
        place.append(part)
        if isinstance(here, Mapping):
            here = here.get(part)
            names.append(str(part))
        else:
            here = here[part] if isinstance(here, list) and isinstance(part, int) and part < len(here) else None
            names.append(_called(here, part))
    return place, names


def _called(entry: Any, part: str | int) -> str:
    found = [entry[name] for name in NAMED_BY if name in entry] if isinstance(entry, Mapping) else []
    if found and isinstance(found[0], str):
        return found[0]
    return str(part + 1 if isinstance(part, int) else part)


def _fields() -> set[str]:
    """List the names of all fields of a policy and its parts."""
    schema = Policy.model_json_schema()
    return {name for part in (schema, *schema["$defs"].values()) for name in part.get("properties", {})}


def _repeated(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Find fields that stand twice in one mapping, with their lines."""
    todo, seen = [node], set()
    while todo:
        here = todo.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        if isinstance(here, yaml.MappingNode):
            names = [key.value for key, _ in here.value]
            for place, (key, content) in enumerate(here.value):
                if key.value in names[:place]:
                    yield key.start_mark.line + 1, str(key.value)
                todo.append(content)
        elif isinstance(here, yaml.SequenceNode):
            todo.extend(here.value)
