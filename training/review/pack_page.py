"""The evidence pack as one HTML page that fetches nothing: charts are drawn inside it, every text is escaped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from training.review.case import Case
from training.review.checks import is_address
from training.review.drawing import draw
from training.review.facts import AlertFacts
from training.review.pack_summary import distance, record_words, summary_rows
from training.review.pack_words import CAUTION, HEADING, SEVERITY, SYNTHETIC, figure, moment, percent, review_rows

TEMPLATE = "alert_pack.html"


def write_page(facts: AlertFacts, case: Case | None, path: Path, at: datetime) -> None:
    """Write the page."""
    path.write_text(page(facts, case, at=at), encoding="utf-8")


def page(facts: AlertFacts, case: Case | None, *, at: datetime) -> str:
    """Give the page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("training"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
    links = () if case is None else case.links
    return environment.get_template(TEMPLATE).render(
        heading=HEADING,
        caution=CAUTION,
        synthetic=SYNTHETIC if facts.synthetic else None,
        facts=facts,
        made=moment(at),
        summary=summary_rows(facts, case),
        series=[
            {
                "facts": series,
                "chart": draw(series),
                "peer_z": distance(series.peer_z),
                "own_z": distance(series.own_z),
                "rows": [
                    (period, figure(value, series.decimals), figure(middle, series.decimals))
                    for period, value, middle in zip(series.periods, series.values, series.peers_middle, strict=True)
                ],
            }
            for series in facts.series
        ],
        patterns=[{"facts": pattern, "record": record_words(pattern)} for pattern in facts.patterns],
        history=[
            {
                "period": found.period,
                "score": figure(found.score, 3),
                "probability": percent(found.probability),
                "severity": SEVERITY[found.severity] if found.severity else None,
                "detectors": "; ".join(found.detectors),
                "listed": found.listed,
            }
            for found in facts.history
        ],
        review=review_rows(case),
        addresses=[link for link in links if is_address(link)],
        figure=figure,
    )
