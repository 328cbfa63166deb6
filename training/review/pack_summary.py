"""The head of an evidence pack: what the alert is, how it stands, and what it rests on, as rows of text."""

from __future__ import annotations

from collections.abc import Iterator

from features.indicators import Title
from training.review.case import Case
from training.review.facts import AlertFacts, Pattern
from training.review.pack_words import ABOUT, ACTION, SEVERITY, SUMMARY, UNKNOWN, percent


def summary_rows(facts: AlertFacts, case: Case | None) -> list[tuple[Title, str]]:
    """Give the rows: what it is called, and what it is."""
    return [(SUMMARY[name], text) for name, text in _summary(facts, case)] + [
        (title, str(facts.about[name])) for name, title in ABOUT.items() if facts.about.get(name) not in (None, "")
    ]


def _summary(facts: AlertFacts, case: Case | None) -> Iterator[tuple[str, str]]:
    status = ACTION["new" if case is None else case.status]
    yield "alert", facts.alert
    yield "unit", both(facts.name) + (f" ({facts.unit})" if facts.unit not in (facts.name.en, facts.name.zh) else "")
    yield "period", facts.period
    yield "severity", both(SEVERITY[facts.severity])
    yield "score", f"{facts.score:.3f}"
    yield "probability", percent(facts.probability)
    yield "status", both(status)
    if case is not None and case.shown.sampled:
        yield "sampled", "yes 是"
    if facts.disturbances:
        yield "disturbances", "; ".join(both(what) for what in facts.disturbances)
    if case is not None and case.links:
        yield "links", " ".join(case.links)


def record_words(pattern: Pattern) -> Title:
    """Tell how a pattern has done on this data, in a sentence."""
    found = pattern.record
    if found is None or not found.matured or found.precision is None:
        fired = 0 if found is None else found.fired
        return Title(
            en=f"Met {fired:,} times on this data; no outcome of it is known yet.",
            zh=f"在本数据中触发{fired:,}次，尚无可核对的结果。",
        )
    span = "" if found.low is None or found.high is None else f" ({percent(found.low)} – {percent(found.high)})"
    en = f"Met {found.fired:,} times on this data; of {found.matured:,} with a known outcome, {found.hits:,} were "
    en += f"followed by deterioration: {percent(found.precision)}{span}, against {percent(found.base_rate)} of all."
    zh = f"在本数据中触发{found.fired:,}次；结果已明确的{found.matured:,}次中，{found.hits:,}次随后恶化，"
    zh += f"占{percent(found.precision)}{span}，全体为{percent(found.base_rate)}。"
    if found.lead_months is not None:
        en += f" Median lead time {found.lead_months:.0f} months."
        zh += f"提前量中位数{found.lead_months:.0f}个月。"
    if found.verdict is not None:
        en, zh = f"{en} Verdict: {found.verdict.en.rstrip('.')}.", f"{zh}结论：{found.verdict.zh.rstrip('。')}。"
    return Title(en=en, zh=zh)


def both(title: Title) -> str:
    """Give both languages, once where they are the same."""
    return title.en if title.en == title.zh else f"{title.en} {title.zh}"


def distance(z: float | None) -> str:
    """Write a distance in standard deviations, with its sign."""
    return UNKNOWN if z is None else f"{z:+.1f}"
