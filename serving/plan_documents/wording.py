"""The words of books and letters."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files

from features.yaml_loader import parse_yaml
from serving.console.formats import Language


@cache
def _words() -> dict[str, dict[str, str]]:
    return parse_yaml(files("serving.plan_documents").joinpath("words.yaml").read_text(encoding="utf-8"))


def words_in(language: Language) -> Callable[..., str]:
    """Give what says a key's words in a language.

    >>> words_in("zh")("letter_title", year=2025)
    '2025年度目标责任书'
    """

    def say(key: str, **filled: object) -> str:
        text = _words()[key][language]
        return text.format(**filled) if filled else text

    return say
