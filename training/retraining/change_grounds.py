"""What a change from outside asks of a model: a rate cap, a tolerance, a definition, a new indicator, a merger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from features.errors import LoadlineError
from features.indicators import Title
from features.periods import Calendar
from features.units import parse_day
from training.retraining.data_grounds import rests_on
from training.retraining.ground import Ground, Question
from training.simulation.change_file import KINDS, AnyChange, Definition, RateCap, read_change
from training.simulation.obligations import RETRAINING


def change_text(path: Path) -> str:
    """Read a change from a file, as a request for training carries it: canonical JSON.

    Raises
    ------
    LoadlineError
        Where it is none.
    """
    plain = read_change(path).model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def change_of(text: str) -> AnyChange | None:
    """Read the change that a request for training carries; None where it carries none.

    Raises
    ------
    LoadlineError
        Where it is none that is known.
    """
    if not text:
        return None
    try:
        plain = json.loads(text)
        return KINDS[plain["kind"]].model_validate(plain)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        hint = f"Give one of {', '.join(KINDS)}, as JSON with the fields of its file."
        raise LoadlineError("the change that the request names cannot be read", where="change", hint=hint) from error


def starts(change: AnyChange, calendar: Calendar) -> int:
    """Read the period from which a change holds."""
    return parse_day(change.start, calendar)


def change_grounds(asked: Question, change: AnyChange | None) -> Iterator[Ground]:
    """Say what the change asks of the model."""
    if change is None:
        return
    why, about = RETRAINING[change.kind].why, {"change": change.kind, "from": change.start}
    if isinstance(change, Definition):
        yield _definition(asked, change)
    elif isinstance(change, RateCap) and asked.kind == "target":
        yield _rate_cap(asked, change)
    else:
        asks = RETRAINING[change.kind].models
        yield Ground(change.kind, asks, Title(en=why.en, zh=why.zh), about)


def _rate_cap(asked: Question, change: RateCap) -> Ground:
    under = asked.origin - starts(change, asked.calendar) + 1
    about = {"change": change.kind, "from": change.start, "periods": max(under, 0)}
    if under > 0 and change.income in asked.codes:
        text = Title(
            en=f"{under} periods of figures are under the rate cap from {change.start} on: models of income learn "
            "again, with the flag of the regime.",
            zh=f"利率上限自 {change.start} 起生效，已有 {under} 期数据：收入类目标模型带制度标识重训。",
        )
        return Ground(change.kind, True, text, about)
    text = Title(
        en=f"No figures are under the rate cap from {change.start} on yet, or no model is of {change.income}: targets "
        "are moved by what the cap takes until then.",
        zh=f"利率上限（自 {change.start} 起）下尚无数据，或模型不含 {change.income}：此前按上限影响幅度调整目标。",
    )
    return Ground(change.kind, False, text, about)


def _definition(asked: Question, change: Definition) -> Ground:
    stored = asked.snapshot.indicators.get(change.indicator)
    if stored is None:
        hint = f"Known: {', '.join(list(asked.snapshot.indicators)[:20])}."
        raise LoadlineError(f"the data has no indicator {change.indicator!r}", where="change", hint=hint)
    codes = rests_on(asked.snapshot, change.indicator)
    held = sum(asked.holding(code) for code in codes)
    about = {"change": change.kind, "from": change.start, "codes": codes, "held": held}
    en, zh = RETRAINING[change.kind].why.en, RETRAINING[change.kind].why.zh
    if not held:
        text = Title(
            en=f"{change.indicator} has definition {change.version} from {change.start}; nothing of the model rests on "
            "it.",
            zh=f"{change.indicator} 自 {change.start} 起采用口径 {change.version}；该模型不依赖于此。",
        )
        return Ground(change.kind, False, text, about)
    if stored.definition_version != change.version:
        en += (
            f" The data still has {change.indicator} on definition {stored.definition_version}: bring its figures "
            f"under definition_version {change.version} first."
        )
        zh += f"数据中 {change.indicator} 仍为口径 {stored.definition_version}，须先按口径 {change.version} 入库。"
    text = Title(
        en=f"{change.indicator} has definition {change.version} from {change.start}, and {held} parts of the model "
        f"rest on it. {en}",
        zh=f"{change.indicator} 自 {change.start} 起采用口径 {change.version}，模型有 {held} 处依赖于此。{zh}",
    )
    return Ground(change.kind, True, text, about)
