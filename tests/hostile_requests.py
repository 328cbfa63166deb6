"""Hostile words, figures and bodies, and requests made from the OpenAPI document to put them into."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from raw_asking import JSON, Asker

NUL = "a\x00b"
HALF = "\ud800"
"""Half a character: JSON can escape it into a text, and no encoding has it."""
LINE = "'; DROP TABLE plans; --\" OR '1'='1 {{ 7*191 }} ${7*191}<script>alert(1)</script> %s $(id) =1+1"
ALIVE = f"{LINE} {{% include '/etc/passwd' %}} \u202egpj.exe\u202c \u2066\u200b\ufeff."
"""What would come alive in a database, a template, a page, a terminal or a sheet; no control characters."""
CONTROLS = "\x1b[2Jgone\x07\x7f\x85\r\nSet-Cookie: a=b"
WORDS = (NUL, HALF, ALIVE, CONTROLS)
FIGURES = ("NaN", "Infinity", "-Infinity", "1e999", "-0.0", "true", '"1"', "1" + "0" * 400, "[]", "{}", "1e308")
"""As they stand in the body."""
AWAY = (
    "../../../../etc/passwd",
    "..\\..\\secret",
    "a\x00b",
    "%2e%2e%2f",
    "C:\\boot.ini",
    "x" * 5_000,
    ALIVE,
    "\x1b[2J",
)
"""In place of a name."""
WIRE = ("..%2f..%2f..%2fetc%2fpasswd", "%2e%2e", "%252e%252e%252f", "%00", "%ff%fe", "%ed%a0%80", "%5c..%5c", "a;b=c")
"""The same as they stand on the wire."""
MARK = "\uffff"
"""Stands where the hostile goes until the body is written out."""


@dataclass(frozen=True)
class Operation:
    """One operation of the document: its parameters, and a body that is taken, if any, and whether it is needed."""

    label: str
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    body: Any
    needs_body: bool

    def target(self, words: Mapping[str, list[Any]], **raw: str) -> str:
        """Write the address out with known words, and with `raw` ones as they stand on the wire."""
        path, query = self.path, []
        for one in self.parameters:
            name, place = one["name"], one["in"]
            given = raw.get(name)
            if given is None:
                known = words.get(name) or [one.get("example") or (one["schema"].get("examples") or ["x"])[0]]
                given = quote(str(known[0]), safe="")
            if place == "path":
                path = path.replace(f"{{{name}}}", given)
            elif place == "query" and (one.get("required") or name in raw):
                query.append(f"{name}={given}")
        return path + ("?" + "&".join(query) if query else "")

    def headers(self) -> list[tuple[str, str]]:
        """Give what a change needs."""
        return [("If-Match", '"r1"')] if any(one["name"] == "If-Match" for one in self.parameters) else []


def operations(document: Mapping[str, Any], words: Mapping[str, list[Any]]) -> list[Operation]:
    """Read the operations; bodies are made of the document's own examples and of known words."""
    found = []
    for path, entry in document["paths"].items():
        for method, told in entry.items():
            asks = told.get("requestBody", {})
            schema = asks.get("content", {}).get("application/json", {}).get("schema")
            found.append(
                Operation(
                    label=f"{method.upper()} {path}",
                    method=method.upper(),
                    path=path,
                    parameters=tuple(told.get("parameters", ())),
                    body=None if schema is None else example(schema, document, words),
                    needs_body=bool(asks.get("required")),
                )
            )
    return found


def example(schema: Mapping[str, Any], document: Mapping[str, Any], words: Mapping[str, list[Any]]) -> Any:
    """Make a value that the schema describes, with all its properties."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("examples"):
        return schema["examples"][0]
    for choices in ("anyOf", "oneOf", "allOf"):
        if choices in schema:
            return example(next(one for one in schema[choices] if one.get("type") != "null"), document, words)
    if "properties" in schema:
        return {
            name: (words.get(name) or [example(one, document, words)])[0] for name, one in schema["properties"].items()
        }
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema.get("type")
    if kind == "array":
        return [example(schema.get("items", {}), document, words)]
    return {"string": "some words of reason", "integer": 1, "number": 1.5, "boolean": True}.get(str(kind), {})


def places(value: Any, kinds: tuple[type, ...], where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give where values of some kinds are within a body."""
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value[:1])
        for name, one in entries:
            yield from places(one, kinds, (*where, name))
    elif isinstance(value, kinds) and type(value) in kinds:
        yield where


def with_raw(body: Any, where: tuple[Any, ...], raw: str) -> bytes:
    """Write a body out with something else, as it stands in JSON, in one place."""
    changed = copy.deepcopy(body)
    holder = changed
    for name in where[:-1]:
        holder = holder[name]
    holder[where[-1]] = MARK
    return json.dumps(changed).replace(json.dumps(MARK), raw).encode("utf-8")


READABLE = frozenset({"BOM", "UTF-16", "a name twice"})
"""Broken bodies that mean what they say all the same: they may be taken."""
NOTHING = frozenset({"empty", "null"})
"""Those that say nothing: they may be taken where no body is needed."""


def broken_bodies(body: Any) -> Iterator[tuple[str, list[tuple[str, str]], bytes]]:
    """Give bodies that no address may stumble over, each with its name and headers."""
    whole = json.dumps(body).encode()
    for name, made in {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "BOM": b"\xef\xbb\xbf" + whole,
        "UTF-16": json.dumps(body).encode("utf-16"),
        "not UTF-8": whole.replace(b'": ', b'\xff": ', 1),
        "deep lists": b"[" * 100_000 + b"]" * 100_000,
        "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "null": b"null",
        "a list": b"[]",
        "a text": b'"x"',
        "a huge figure": b"1" * 5_000,
        "NUL": b"\x00",
        "a name twice": whole.replace(b"{", b'{"by": null, ', 1),
    }.items():
        yield name, [JSON], made
    yield "gzip", [JSON, ("Content-Encoding", "gzip")], gzip.compress(whole)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x" * 300, ";;"):
        yield kind, [("Content-Type", kind)], whole
    yield "no type", [], whole
    yield "two types", [JSON, ("Content-Type", "text/plain")], whole


def asked(ask: Asker, operation: Operation, target: str, key: str, headers: list, body: bytes | None) -> Any:
    """Ask, as an address that changes wants to be asked."""
    return ask(operation.method, target, key=key, headers=[*operation.headers(), *headers], body=body)
