"""Putting a card together in one language: the sections that `words.yaml` lists, filled with the facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.indicators import Title
from training.card.charts import CHARTS
from training.card.document import Block, CardDocument, Figure, Grid, Mark, Pairs, Picture, Section, Sentences
from training.card.facts import ROLES, CardFacts, CardTable, Kind, Said, Signature
from training.card.words import Language, shown, title_of, word, words
from training.gating.gate import Gate
from training.gating.rules import GateRules

STANDING = ("purpose", "not_for", "limits", "method", "baseline", "detectors", "deployment", "exit")
"""Places at which `words.yaml` has sentences for each kind of model; those of the facts come after them."""


def compose(facts: CardFacts, language: Language) -> CardDocument:
    """Write a card in one language."""
    kind = shown(_title(words()["kinds"][facts.kind]["name"]), language)
    sections = [
        Section(entry["key"], entry["title"][language], tuple(_blocks(entry, facts, language)))
        for entry in words()["sections"]
        if entry.get("only") in (None, facts.kind)
    ]
    return CardDocument(
        language,
        f"{word('title', language)}{word('colon', language)}{kind}",
        f"{facts.model} {facts.version}",
        tuple(shown(text, language) for text in facts.texts.get("synthetic", ())),
        _figures(facts, language),
        tuple(sections),
        word("unstated", language),
        word("contents", language),
    )


def standing(kind: str, place: str) -> tuple[Title, ...]:
    """Give the sentences that always stand on the card of a kind of model."""
    return tuple(_title(text) for text in words()["kinds"][kind].get(place, ()))


def _figures(facts: CardFacts, language: Language) -> tuple[Figure, ...]:
    data, labels = facts.pairs.get("data", {}), words()["summary"]
    passed = sum(gate.passed for gate in facts.gates)
    counted = word("gates_passed", language).format(passed=passed, all=len(facts.gates))
    mark: Mark = "" if not facts.gates else "good" if passed == len(facts.gates) else "bad"
    return (
        Figure(labels["version"][language], facts.version),
        Figure(labels["as_of"][language], shown(data.get("as_of"), language)),
        Figure(labels["known_on"][language], shown(data.get("known_on"), language)),
        Figure(labels["gates"][language], counted if facts.gates else word("unstated", language), mark),
    )


def _blocks(entry: Mapping[str, Any], facts: CardFacts, language: Language) -> list[Block]:
    blocks: list[Block] = []
    for part in entry["parts"]:
        if part == "gates":
            blocks.append(_gates(facts, language))
        elif part == "sign_off":
            blocks.append(_signatures(facts.signatures, language))
        elif "texts" in part:
            blocks.append(_sentences(facts, part["texts"], language))
        elif "pairs" in part:
            blocks.append(_pairs(facts, part["pairs"], language))
        elif "table" in part:
            if part["table"] not in facts.tables and facts.texts.get(part.get("told_by")):
                continue
            caption = shown(title_of("tables", part["table"]), language)
            blocks.append(table_block(caption, facts.tables.get(part["table"]), language))
        else:
            blocks += _pictures(part["chart"], facts, language)
    return blocks


def _sentences(facts: CardFacts, place: str, language: Language) -> Sentences:
    said = (*(standing(facts.kind, place) if place in STANDING else ()), *facts.texts.get(place, ()))
    if place == "references" and not said:
        said = tuple(_title(text) for text in words()["references"])
    caption = words()["texts"].get(place, {}).get(language, "")
    return Sentences(tuple(shown(text, language) for text in said), caption)


def _pairs(facts: CardFacts, place: str, language: Language) -> Pairs:
    """List every name that the words have for a place, so that a gap is seen, and then any other that is given."""
    known, values = words()["pairs"][place], facts.pairs.get(place, {})
    asked = (name for name, label in known.items() if label.get("only") in (None, facts.kind))
    return Pairs(
        tuple(
            (_label(place, name, language), shown(values.get(name), language, form=_form(place)))
            for name in dict.fromkeys((*asked, *values))
        )
    )


def _form(place: str) -> str:
    return "whole" if place == "data" else "text"


def _label(place: str, name: str, language: Language) -> str:
    found = words()["pairs"][place].get(name)
    return found[language] if found else name


def table_block(caption: str, table: CardTable | None, language: Language) -> Grid:
    """Lay a table out, leaving away the columns of which nothing is stated."""
    if table is None or not table.rows:
        return Grid(caption)
    table = table.stated()
    known = words()["columns"]
    forms = [known.get(name, {}).get("as", "text") for name in table.columns]
    head = tuple(known[name][language] if name in known else name for name in table.columns)
    rows = tuple(
        tuple(shown(value, language, form=_column_form(form, value)) for value, form in zip(row, forms, strict=True))
        for row in table.rows
    )
    numeric = tuple(
        all(isinstance(row[place], int | float | None) and not isinstance(row[place], bool) for row in table.rows)
        for place in range(len(table.columns))
    )
    return Grid(caption, head, rows, numeric)


def _column_form(form: str, value: Said) -> str:
    return "figure" if form == "text" and isinstance(value, float) else form


def _pictures(name: str, facts: CardFacts, language: Language) -> list[Block]:
    picture = CHARTS[name](facts, language)
    return [] if picture is None else [Picture(picture, words()["charts"][name][language])]


def _gates(facts: CardFacts, language: Language) -> Grid:
    head = tuple(title[language] for title in words()["gate_head"].values())
    rows = tuple(
        (
            shown(_gate_title(facts.kind, gate.name), language),
            word(_result(gate), language),
            "–" if gate.measured is None else f"{gate.measured:.4g}",
            _rule(gate, language),
            gate.text[language],
        )
        for gate in facts.gates
    )
    marks: dict[str, Mark] = {"passed": "good", "failed": "bad", "to_sign": "middling"}
    return Grid(
        shown(_title(words()["summary"]["gates"]), language),
        head,
        rows,
        (False, False, True, False, False),
        tuple(marks[_result(gate)] for gate in facts.gates),
    )


def _gate_title(kind: Kind, name: str) -> Title:
    found = (rule.title for rule in GateRules.packaged().rules if (rule.subject, rule.name) == (kind, name))
    return next(found, Title(en=name, zh=name))


def _result(gate: Gate) -> str:
    if gate.passed:
        return "passed"
    return "to_sign" if gate.effect == "sign_off" else "failed"


def _rule(gate: Gate, language: Language) -> str:
    rule, limits = words()["rule"], [f"{limit:.4g}" for limit in gate.threshold]
    if not limits:
        return "–"
    return rule["limit" if len(limits) == 1 else "limits"][language].format(*limits)


def _signatures(signed: Mapping[str, Signature], language: Language) -> Grid:
    roles = dict.fromkeys((*ROLES, *signed))
    rows = []
    for role in roles:
        given = signed.get(role, Signature())
        mark = shown(title_of("marks", given.mark), language) if given.mark else ""
        note = word("colon", language).join(part for part in (mark, given.note) if part)
        rows.append((shown(title_of("roles", role), language), given.name, given.date, note))
    head = tuple(title[language] for title in words()["sign_head"].values())
    return Grid("", head, tuple(rows), (False,) * len(head), to_sign=True)


def _title(text: Mapping[str, str]) -> Title:
    return Title(en=text["en"], zh=text["zh"])
