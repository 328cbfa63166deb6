"""Target letters (目标责任书): what a unit is to achieve, why, and who signs for it, as a Word document.

A bank's own form goes to `letter.docx` in the home, with the tags of the one that comes with the program; see
docs/target-plans.md.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError
from serving.plan_documents.book import growth_told
from serving.plan_documents.facts import PlanFacts, Row
from serving.plan_documents.wording import words_in
from serving.plans.plan import LEVELS

if TYPE_CHECKING:
    from docxtpl import DocxTemplate

OWN_FORM = "letter.docx"
"""In the home: a form of the bank's own."""
SHOWN = 12
"""Digits of a digest that a person compares."""
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class LetterForm:
    """A form that letters are filled in on.

    Attributes
    ----------
    content : bytes
        A Word document with tags.
    own : bool
        The bank's own.
    """

    content: bytes
    own: bool

    @classmethod
    def of(cls, home: Path) -> LetterForm:
        """Give the bank's own form, or the one that comes with the program."""
        own = home / OWN_FORM
        if own.is_file():
            return cls(own.read_bytes(), own=True)
        return cls(files("serving.plan_documents").joinpath(OWN_FORM).read_bytes(), own=False)


def letter(facts: PlanFacts, unit: str, form: LetterForm) -> bytes:
    """Fill in the letter of a unit.

    Raises
    ------
    LoadlineError
        Where the bank's own form cannot be filled in.
    """
    from docxtpl import DocxTemplate
    from jinja2 import StrictUndefined
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    told = letter_words(facts, unit)
    try:
        document = DocxTemplate(io.BytesIO(form.content))
        # Values are escaped and never read as tags; a form can look nothing up but what it is given.
        document.render(told, jinja_env=SandboxedEnvironment(undefined=StrictUndefined, autoescape=True))
        made = facts.events[-1].at if facts.events else facts.plan.created_at
        _say_what_it_is(document, str(told["title"]), made)
        filled = io.BytesIO()
        document.save(filled)
    except (TemplateError, KeyError, ValueError, zipfile.BadZipFile, AttributeError, SyntaxError) as error:
        hint = f"Mend {OWN_FORM} in the home, or take it away: then the usual form is used."
        raise LoadlineError(f"the form of letters cannot be filled in: {error}", where=OWN_FORM, hint=hint) from error
    return _undated(filled.getvalue(), made)


def letters(facts: PlanFacts, form: LetterForm) -> Iterator[tuple[str, bytes]]:
    """Fill in the letters of all units: (file name, document), one after another."""
    for number, unit in enumerate(facts.units, start=1):
        yield f"{number:05d}-{_UNSAFE.sub('_', unit).strip('._')[:60] or 'unit'}.docx", letter(facts, unit, form)


def letter_words(facts: PlanFacts, unit: str) -> dict[str, Any]:
    """Give what the tags of a form stand for.

    Raises
    ------
    LoadlineError
        Where the plan has no line of the unit.
    """
    say, plan, reader = words_in(facts.reader.language), facts.plan, facts.reader
    rows = [row for row in facts.rows if row.line.unit == unit and row.line.target is not None]
    if not rows:
        raise LoadlineError(f"the plan has no target for {unit!r}", where=plan.id, hint="See the plan's lines.")
    giver, taker = facts.root or say("letter_giver_unknown"), facts.name(rows[0])
    state = say("letter_draft", state=say(f"state_{plan.state.value}"))
    if plan.published_at is not None:
        state = say("letter_in_force", day=reader.date(plan.published_at.date()))
    footer = {"plan": plan.id, "version": plan.version, "revision": plan.revision, "model": plan.model_version}
    footer |= {"digest": plan.digest[:SHOWN] or "–", "data_version": plan.data_version, "policy": plan.policy_version}
    heads = {"indicator": "indicator_name", "last": "last_actual", "growth": "growth", "quartile": "letter_quartile"}
    return {
        "title": say("letter_title", year=plan.year),
        "unit_line": say("letter_unit", name=taker, code=unit),
        "synthetic": say("about_synthetic") if facts.synthetic else "",
        "opening": say("letter_opening", giver=giver, taker=taker, year=plan.year, version=plan.version, state=state),
        "head": {name: say(key) for name, key in (heads | {level: level for level in LEVELS}).items()},
        "rows": [_told(facts, row) for row in rows],
        "reasons_title": say("letter_reasons"),
        "reasons": [
            say("letter_levels_note", known_on=plan.known_on),
            *(reason for row in rows for reason in _reasons(facts, row)),
        ],
        "terms_title": say("letter_terms"),
        "terms": [say(f"letter_term_{name}") for name in ("levels", "judgement", "risk")],
        "giver": giver,
        "taker": taker,
        "signature": say("letter_signature"),
        "day": say("letter_day"),
        "footer": say("letter_footer", **footer),
    }


def _told(facts: PlanFacts, row: Row) -> dict[str, str]:
    say, reader, line = words_in(facts.reader.language), facts.reader, row.line
    measure = reader.known("measure", row.indicator.unit)
    told = {
        "indicator": say("letter_indicator", name=_name(facts, row), measure=measure),
        "last": reader.number(line.last_actual, row.decimals),
        "growth": growth_told(facts, row, line.asked_growth) or "–",
        "quartile": "–",
    }
    quarter = line.groups["actual_quartile"]
    if quarter is not None:
        told["quartile"] = say("letter_quartile_told", quarter=quarter)
    for level in LEVELS:
        value, chance = getattr(line, level), getattr(line, f"p_{level}")
        figure = reader.number(value, row.decimals)
        told[level] = figure if chance is None else say("letter_level", value=figure, chance=reader.percent(chance))
    return told


def _reasons(facts: PlanFacts, row: Row) -> Iterator[str]:
    say, name = words_in(facts.reader.language), _name(facts, row)
    if row.reason:
        yield say("letter_reason", indicator=name, reason=row.reason)
    if row.line.overridden:
        suggested = facts.reader.number(row.line.suggested["target"], row.decimals)
        by = row.line.changed_by or ""
        yield say("letter_changed", indicator=name, by=by, suggested=suggested, reason=row.line.reason)
    if row.line.flagged:
        yield say("letter_flagged", indicator=name)


def _name(facts: PlanFacts, row: Row) -> str:
    return facts.reader.name(row.indicator.name.en, row.indicator.name.zh)


def _say_what_it_is(document: DocxTemplate, title: str, made: datetime) -> None:
    word = document.docx
    assert word is not None  # it was just filled in
    about = word.core_properties
    about.title, about.author = title, "Loadline"
    about.created = about.modified = made.astimezone(UTC).replace(tzinfo=None)


def _undated(document: bytes, made: datetime) -> bytes:
    """Pack a document so that it depends on nothing but its content: the same letter twice is the same file."""
    stamp = made.astimezone(UTC).timetuple()[:6]
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as before, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as after:
        for part in before.infolist():
            after.writestr(zipfile.ZipInfo(part.filename, stamp), before.read(part), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
