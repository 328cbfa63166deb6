"""A card in one language, ready to be laid out: sections of paragraphs, pairs, tables and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["", "good", "bad", "middling"]


@dataclass(frozen=True)
class Sentences:
    """One sentence, or several as a list, perhaps under a caption."""

    lines: tuple[str, ...]
    caption: str = ""


@dataclass(frozen=True)
class Pairs:
    """Names and their values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grid:
    """A table under a caption.

    Attributes
    ----------
    caption : str
    head : tuple of str
    rows : tuple of tuple of str
        None at all where nothing is stated.
    numeric : tuple of bool
        Columns that are set to the right.
    marks : tuple of str
        A mark a row, or none at all.
    to_sign : bool
        Empty cells are to be filled in by hand.
    """

    caption: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[bool, ...] = ()
    marks: tuple[Mark, ...] = ()
    to_sign: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawing and what it shows; where it cannot be shown, the table after it holds the same."""

    svg: str
    caption: str


Block = Sentences | Pairs | Grid | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Figure:
    """One of the figures at the head of a card."""

    label: str
    value: str
    mark: Mark = ""


@dataclass(frozen=True)
class CardDocument:
    """A card in one language.

    Attributes
    ----------
    language : str
    title, subtitle : str
    warnings : tuple of str
        Said above everything.
    figures : tuple of Figure
    sections : tuple of Section
    unstated : str
        Stands for what is missing.
    contents : str
        Heading of the list of sections.
    """

    language: str
    title: str
    subtitle: str
    warnings: tuple[str, ...]
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    unstated: str
    contents: str
