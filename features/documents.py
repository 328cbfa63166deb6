"""YAML files of a dataset: read safely, with the line of every entry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from features.breaches import Breaches, shortened
from features.reading import read_text
from features.yaml_loader import PlainLoader, parse_yaml

MOST_NODES = 200_000
"""A YAML file that expands to more nodes than this, aliases followed, is refused: it may be a bomb."""
DEEPEST_YAML = 50
"""A YAML file nested deeper is refused: some thousand levels end the process, and ten are many."""
PLAIN = frozenset({"str", "int", "float", "bool", "null", "timestamp", "map", "seq"})
"""The kinds of YAML values that a dataset's descriptions hold."""

Model = TypeVar("Model", bound=BaseModel)


def compose(path: Path, breaches: Breaches) -> tuple[Any, yaml.Node | None]:
    """Parse a YAML file, with its node tree for line numbers."""
    text = read_text(path, breaches)
    if text is None:
        return None, None
    try:
        if _depth(text) > DEEPEST_YAML:
            hint = "Nothing that describes a dataset is nested so deep."
            breaches.add(path.name, 0, "", "", expected=f"at most {DEEPEST_YAML} levels", hint=hint)
            return None, None
        node = yaml.compose(text, Loader=PlainLoader)
        if node is not None and _expanded(node, {}) > MOST_NODES:
            breaches.add(
                path.name, 0, "", "", expected=f"at most {MOST_NODES:,} entries", hint="Aliases multiply: write it out."
            )
            return None, None
        odd = _odd(node) if node is not None else None
        if odd is not None:
            expected, hint = "texts, numbers, lists and mappings", "Put it in quotes to make it a text."
            breaches.add(path.name, _place(odd), "", f"a {odd.tag.rpartition(':')[2]}", expected=expected, hint=hint)
            return None, None
        return parse_yaml(text), node
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = shortened(getattr(error, "problem", None) or error, 120)
        breaches.add(path.name, mark.line + 1 if mark else 0, "", "", expected="YAML", hint=f"{problem}.")
        return None, None


def _depth(text: str) -> int:
    """Measure how deep a YAML document is nested, or just too deep; composing it would run out of stack."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=PlainLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
        if deepest > DEEPEST_YAML:
            break
    return deepest


def _expanded(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Count the nodes of a YAML document as they would be with every alias written out."""
    if id(node) not in sizes:
        sizes[id(node)] = MOST_NODES + 1  # an alias to itself has no end
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        sizes[id(node)] = 1 + sum(_expanded(child, sizes) for child in children)
    return sizes[id(node)]


def _odd(node: yaml.Node) -> yaml.Node | None:
    """Find what plain data does not have: bytes, sets, objects, and days or more than that as names."""
    kind = node.tag.rpartition(":")[2]
    if kind not in PLAIN:
        return node
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    bad = [name for name, _ in pairs if not isinstance(name, yaml.ScalarNode) or name.tag.endswith(":timestamp")]
    inner = [value for _, value in pairs] + (node.value if isinstance(node, yaml.SequenceNode) else [])
    return next(chain(bad, filter(None, map(_odd, inner))), None)


def line_of(node: yaml.Node | None, place: Sequence[str | int]) -> int:
    """Find the line of an entry, or of the nearest thing around it."""
    line = 0
    for step in ((), *((part,) for part in place)):
        if node is None:
            return line
        if step and isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(step[0])]
            if not found:
                return line
            line, node = _place(found[0][0], line), found[0][1]
        elif step and isinstance(node, yaml.SequenceNode) and isinstance(step[0], int) and step[0] < len(node.value):
            node = node.value[step[0]]
            line = _place(node, line)
        elif not step:
            line = _place(node, line)
    return line


def _place(node: yaml.Node | None, otherwise: int = 0) -> int:
    return node.start_mark.line + 1 if node is not None and node.start_mark else otherwise


def read_yaml(path: Path, breaches: Breaches) -> dict[str, Any] | None:
    """Read a YAML mapping; None, and a breach, where it is none."""
    document, _ = compose(path, breaches)
    if document is not None and not isinstance(document, dict):
        breaches.add(path.name, 1, "", "", expected="a mapping of names to values", hint="Write `name: value` lines.")
        return None
    return document


def note_invalid(
    file: str, error: ValidationError, node: yaml.Node | None, breaches: Breaches, *, at: Sequence[str | int] = ()
) -> None:
    for problem in error.errors(include_url=False):
        place = [*at, *problem["loc"]]
        column = ".".join(str(part) for part in problem["loc"])
        found = "" if problem["type"] == "missing" or isinstance(problem["input"], dict) else problem["input"]
        message = problem["msg"].removeprefix("Value error, ")
        hint = "" if problem["type"] != "missing" else "Add it."
        breaches.add(file, line_of(node, place), column, found, expected=f"another value ({message})", hint=hint)


def read_model(path: Path, model: type[Model], breaches: Breaches) -> Model | None:
    """Read a YAML file as a model; None, and a breach a field, where it does not fit."""
    document, node = compose(path, breaches)
    if document is None:
        if node is not None or (path.is_file() and not breaches):
            breaches.add(path.name, 1, "", "", expected="content", hint="The file is empty.")
        return None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        note_invalid(path.name, error, node, breaches)
        return None
