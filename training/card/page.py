"""A card as one HTML page that fetches nothing: pictures are drawn inside it, every text is escaped."""

from __future__ import annotations

from training.card.document import CardDocument, Grid, Pairs, Picture, Sentences

TEMPLATE = "model_card.html"
KINDS = {Sentences: "sentences", Pairs: "pairs", Grid: "grid", Picture: "picture"}
"""By which part of the template a block is laid out."""


def page(card: CardDocument) -> str:
    """Lay a card out."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("training"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [
        {"key": s.key, "title": s.title, "blocks": [(KINDS[type(block)], block) for block in s.blocks]}
        for s in card.sections
    ]
    return environment.get_template(TEMPLATE).render(card=card, sections=sections)
