"""A card as Markdown. Whatever comes from the facts is escaped, so that no name can add markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from training.card.document import Block, CardDocument, Grid, Pairs, Picture, Sentences

BLANK = "........"
"""To be signed on paper."""
_MARKUP = re.compile(r"[\\`*_\[\]>|#~]")


def markdown(card: CardDocument) -> str:
    """Lay a card out; pictures are left to the page, the table after each holds the same."""
    head = [f"# {_escaped(card.title)}", f"**{_escaped(card.subtitle)}**"]
    head += [f"> {_escaped(warning)}" for warning in card.warnings]
    head.append("\n".join(f"- {_escaped(figure.label)}: {_escaped(figure.value)}" for figure in card.figures))
    for section in card.sections:
        head.append(f"## {_escaped(section.title)}")
        head += [text for block in section.blocks if (text := _laid_out(block, card))]
    return "\n\n".join(head) + "\n"


def _laid_out(block: Block, card: CardDocument) -> str:
    if isinstance(block, Picture):
        return ""
    if isinstance(block, Sentences):
        lines = block.lines or (card.unstated,)
        told = _escaped(lines[0]) if len(lines) == 1 else "\n".join(f"- {_escaped(line)}" for line in lines)
        return _headed(block.caption) + told
    if isinstance(block, Pairs):
        return "\n".join(f"- {_escaped(name)}: {_escaped(value)}" for name, value in block.rows)
    return _grid(block, card)


def _grid(grid: Grid, card: CardDocument) -> str:
    caption = _headed(grid.caption)
    if not grid.rows:
        return caption + _escaped(card.unstated)
    rules = ["---:" if numeric else "---" for numeric in grid.numeric]
    empty = BLANK if grid.to_sign else ""
    rows = [[_escaped(cell) if cell else empty for cell in row] for row in grid.rows]
    return caption + "\n".join(map(_line, ([_escaped(name) for name in grid.head], rules, *rows)))


def _headed(caption: str) -> str:
    return f"### {_escaped(caption)}\n\n" if caption else ""


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escaped(text: str) -> str:
    """Write a text so that Markdown shows it as it stands, on one line."""
    text = " ".join(text.split())
    return _MARKUP.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))
