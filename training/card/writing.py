"""The files of a card: Markdown and a page in each language, its facts, its pictures; each whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from features.errors import LoadlineError
from training.card.charts import CHARTS
from training.card.composing import compose
from training.card.facts import CardFacts, Signature
from training.card.markdown import markdown
from training.card.page import page
from training.card.words import LANGUAGES, Language
from training.journal import write_copy

NAME = "model-card"
FORMS = ("md", "html")
FACTS = f"{NAME}.json"
"""What the card was written from, so that signatures can be added to it."""


def card_name(language: Language, form: str) -> str:
    """Name a card's file.

    >>> card_name("zh", "html")
    'model-card.zh.html'
    """
    return f"{NAME}.{language}.{form}"


def card_names() -> tuple[str, ...]:
    """Name the files of a card."""
    return tuple(card_name(language, form) for language in LANGUAGES for form in FORMS)


def write_cards(facts: CardFacts, folder: str | Path) -> tuple[Path, ...]:
    """Write the card as Markdown and as a page in each language, and its facts. The same facts give the same bytes.

    Writing them again does nothing; a file that a crash left out is added.

    Returns
    -------
    tuple of Path
        The four files that people read.

    Raises
    ------
    LoadlineError
        Where the files cannot be written.
    """
    folder = Path(folder)
    for language in LANGUAGES:
        card = compose(facts, language)
        for form, laid_out in zip(FORMS, (markdown, page), strict=True):
            write_copy(folder / card_name(language, form), laid_out(card).encode())
    plain = json.dumps(facts.as_dict(), ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True) + "\n"
    write_copy(folder / FACTS, plain.encode())
    return tuple(folder / name for name in card_names())


def card_facts(folder: str | Path) -> CardFacts:
    """Read what a card was written from.

    Raises
    ------
    LoadlineError
        Where there is no card, or it is damaged.
    """
    path = Path(folder) / FACTS
    try:
        return CardFacts.from_dict(json.loads(path.read_bytes()))
    except FileNotFoundError:
        hint = "Cards are written while a model is trained: train it again to have one."
        raise LoadlineError("there is no model card", where=str(path), hint=hint) from None
    except ValueError:
        hint = "Restore it from a backup, or train the model again."
        raise LoadlineError("the facts of the model card are damaged", where=str(path), hint=hint) from None


def sign_cards(folder: str | Path, signatures: Mapping[str, Signature]) -> tuple[Path, ...]:
    """Write a card again with signatures added, by role; those of other roles stay.

    Raises
    ------
    LoadlineError
        Where there is no card, it is damaged, or it cannot be written.
    """
    facts = card_facts(folder)
    return write_cards(replace(facts, signatures={**facts.signatures, **signatures}), folder)


def plots(facts: CardFacts) -> dict[str, str]:
    """Give the pictures of a card as SVG, by the name of a file such as `promises.en.svg`."""
    drawn = {f"{name}.{language}.svg": draw(facts, language) for name, draw in CHARTS.items() for language in LANGUAGES}
    return {name: picture for name, picture in drawn.items() if picture is not None}
