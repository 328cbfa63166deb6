"""The words in which scores are told, and how points are written, in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.phrasebook import LANGUAGES, Phrasebook, Text
from models.scoring.gates import STATED_STEP

BOOK = Phrasebook("models.scoring")


def words() -> Mapping[str, Mapping[str, str]]:
    """Give the catalogue."""
    return BOOK.words


def say(key: str, **filled: Text | str) -> Text:
    """Give a phrase of the catalogue, filled in; what is filled in may differ by language.

    >>> say("points.minus", amount="1.8")
    {'en': '-1.8', 'zh': '扣1.8分'}

    Raises
    ------
    KeyError
        Where the catalogue lacks it.
    """
    return BOOK.say(key, **filled)


def both(text: str) -> Text:
    """Give what reads the same in both languages."""
    return dict.fromkeys(LANGUAGES, text)


def joined(texts: Iterable[Text], separator: str = "list.separator") -> Text:
    """Join texts with what the catalogue has between them."""
    parts = list(texts)
    return {language: words()[separator][language].join(part[language] for part in parts) for language in LANGUAGES}


def sentences(texts: Iterable[Text]) -> Text:
    """Make each text a sentence and put them one after the other."""
    end = words()["sentence.end"]
    ended = [{language: _begun(text[language]) + end[language] for language in LANGUAGES} for text in texts]
    return joined(ended, "sentence.next")


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]


def hundredths(cents: int) -> str:
    """Write hundredths of a point with at most two decimals and at least one, exactly.

    >>> hundredths(-180), hundredths(1847), hundredths(10000)
    ('-1.8', '18.47', '100.0')
    """
    whole, rest = divmod(abs(cents), 100)
    text = f"{whole:,}.{rest:02d}"
    return ("-" if cents < 0 else "") + (text[:-1] if text.endswith("0") else text)


def tenths(value: int) -> str:
    """Write a stated score: one decimal."""
    return hundredths(value * STATED_STEP)


def plain(hundredth: int) -> str:
    """Write a weight or a limit without idle decimals.

    >>> plain(2000), plain(1250)
    ('20', '12.5')
    """
    return hundredths(hundredth).removesuffix(".0")


def points_text(cents: int) -> Text:
    """Write a difference in points: `-1.8`, 扣1.8分; in words where there is none."""
    if cents == 0:
        return say("points.none")
    return say("points.plus" if cents > 0 else "points.minus", amount=hundredths(abs(cents)))
