"""A catalogue of phrases in Chinese and English, kept as `words.yaml` beside the code that says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from features.yaml_loader import parse_yaml

LANGUAGES = ("en", "zh")
Text = dict[str, str]
"""The same said in each language."""


@dataclass(frozen=True)
class Phrasebook:
    """The phrases of a package; read when the first of them is said.

    Attributes
    ----------
    package : str
        Whose `words.yaml` it is.
    """

    package: str

    @cached_property
    def words(self) -> Mapping[str, Mapping[str, str]]:
        """Give the phrases by key and language."""
        return parse_yaml(files(self.package).joinpath("words.yaml").read_text(encoding="utf-8"))

    def say(self, key: str, **filled: Text | str) -> Text:
        """Give a phrase, filled in; what is filled in may differ by language.

        Raises
        ------
        KeyError
            Where the book lacks it.
        """
        return {
            language: self.words[key][language].format(
                **{name: value if isinstance(value, str) else value[language] for name, value in filled.items()}
            )
            for language in LANGUAGES
        }
