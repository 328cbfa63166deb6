"""What has changed in the data since a champion learned: figures, periods, definitions, indicators."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from features.definition_changes import DefinitionChange, definition_changes
from features.editions import editions_of, resting_on
from features.history import positions_in
from features.indicators import Title
from features.rows import EPOCH
from features.snapshot import Snapshot
from training.retraining.ground import Ground, Question, listed

LEAST_YEARS = 4
"""Years of figures from which a new indicator's own model can be tested at three past origins, the fewest that gates
accept: one year to start from, and one for each outcome."""


def data_grounds(asked: Question) -> Iterator[Ground]:
    """Compare the champion's data with today's."""
    if asked.place is None:
        assert asked.champion is not None
        version = asked.champion.meta["data_version"]
        yield Ground(
            "other_data",
            True,
            Title(
                en=f"The model in service rests on data version {version}, which is not in the history of this one.",
                zh=f"在用模型所依据的数据版本 {version} 不在本数据的版本历史中。",
            ),
            {"data_version": version},
        )
        return
    yield from _figures(asked)
    yield from _outcomes(asked)
    yield from _periods(asked)
    yield from definition_grounds(asked)
    yield from _new_indicators(asked)


def _figures(asked: Question) -> Iterator[Ground]:
    new, restated = figures_since(asked)
    if not new + restated:
        return
    since = asked.snapshot.chain[asked.place or 0].version
    yield Ground(
        "figures",
        True,
        Title(
            en=f"Of the figures that it learns from, {new:,} are new and {restated:,} are restated since data version "
            f"{since}.",
            zh=f"自数据版本 {since} 以来，训练所用数据新增 {new:,} 个、重述 {restated:,} 个。",
        ),
        {"new": new, "restated": restated, "since": since},
    )


def figures_since(asked: Question) -> tuple[int, int]:
    """Count the figures up to the origin that the model would know and the champion did not: new, and restated."""
    snapshot, upto = asked.snapshot, asked.learns_to
    codes = None if asked.kind == "warning" else _learned_codes(snapshot)
    batches = pa.array([version.batch for version in snapshot.chain], pa.string())
    units = pa.array([str(code) for code in snapshot.tree.codes], pa.string())
    names = pa.array(list(snapshot.indicators), pa.string())
    now, then = asked.known_now.toordinal(), asked.known_then.toordinal()

    def rows(*, any_definition: bool = False) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for some in snapshot.figures(indicators=codes, any_definition=any_definition):
            period = some.column("period").to_numpy().astype(np.int64)
            known = some.column("known_on").cast(pa.int32()).to_numpy().astype(np.int64) + EPOCH
            unit = positions_in(some.column("unit"), units).astype(np.int64)
            cell = (period * len(names) + positions_in(some.column("indicator"), names)) * len(units) + unit
            seen_then = (positions_in(some.column("batch"), batches) <= (asked.place or 0)) & (known <= then)
            here = (period <= upto) & (unit >= 0)
            yield cell[here & (known <= now) & ~seen_then], cell[here & seen_then & (period <= asked.learned_to)]

    fresh = np.unique(np.concatenate([np.empty(0, np.int64), *(found for found, _ in rows())]))
    if not len(fresh):
        return 0, 0
    had = np.zeros(len(fresh), dtype=bool)
    for _, before in rows(any_definition=True):
        had |= np.isin(fresh, before)
    return int((~had).sum()), int(had.sum())


def _learned_codes(snapshot: Snapshot) -> list[str]:
    """List the indicators that targets may be set on, and what weighs them."""
    targets = [indicator for indicator in snapshot.indicators.values() if indicator.is_target]
    parts = {part for each in targets for part in (each.code, each.numerator, each.denominator)}
    return [code for code in snapshot.indicators if code in parts]


def _outcomes(asked: Question) -> Iterator[Ground]:
    """Count the outcomes that came with the data since; the warning model learns from them."""
    assert asked.past is not None
    if asked.kind != "warning" or asked.snapshot.texts["outcomes"] == asked.past.texts["outcomes"]:
        return
    given = [
        set(version.outcomes.astype(str).itertuples(index=False, name=None)) for version in (asked.past, asked.snapshot)
    ]
    count = len(given[1] - given[0])
    if count:
        since = asked.past.about.version
        text = Title(
            en=f"{count:,} outcomes have come in or changed since data version {since}.",
            zh=f"自数据版本 {since} 以来，新增或变更的结果标签 {count:,} 个。",
        )
        yield Ground("outcomes", True, text, {"outcomes": count, "since": since})


def _periods(asked: Question) -> Iterator[Ground]:
    written, ahead = asked.calendar.format, asked.learns_to - asked.learned_to
    if ahead > 0:
        text = Title(
            en=f"It learns up to {written(asked.learns_to)}, {ahead} periods after the end of what the model in "
            "service learned from.",
            zh=f"训练截至 {written(asked.learns_to)}，比在用模型晚 {ahead} 期。",
        )
    elif ahead < 0:
        text = Title(
            en=f"It is asked for up to {written(asked.learns_to)}, {-ahead} periods before the end of what the model "
            "in service learned from.",
            zh=f"要求训练截至 {written(asked.learns_to)}，比在用模型早 {-ahead} 期。",
        )
    else:
        return
    yield Ground("periods", True, text, {"from": written(asked.learned_to), "to": written(asked.learns_to)})


def definition_grounds(asked: Question) -> Iterator[Ground]:
    """Say which definitions are others than the champion's, and what of it rests on them."""
    assert asked.past is not None
    for changes in grouped(definition_changes(asked.snapshot, since=asked.past.about.version)):
        codes = [change.code for change in changes]
        held = sum(asked.holding(code) for code in codes)
        concerned = held > 0 or (asked.kind == "target" and bool(_weighed(asked, changes[0].part)))
        about = {"part": changes[0].part, "codes": codes, "held": held, "of": len(asked.names)}
        said = told(changes, asked.snapshot)
        en, zh = ("levels", "个层级") if asked.kind == "target" else ("columns", "列")
        rest = Title(
            en=f"{held} of the model's {len(asked.names)} {en} rest on it."
            if concerned
            else "Nothing of the model rests on it.",
            zh=f"模型的 {len(asked.names)} {zh}中有 {held} {zh}依赖于此。" if concerned else "该模型不依赖于此。",
        )
        yield Ground("definition", concerned, Title(en=f"{said.en} {rest.en}", zh=f"{said.zh}{rest.zh}"), about)
        late = [change for change in changes if change.known_from is not None and change.known_from > asked.known_now]
        if concerned and late:
            yield _known_late(asked, late)


def _known_late(asked: Question, late: list[DefinitionChange]) -> Ground:
    """Say that nothing on the new basis was known by the end of what the model learns from."""
    since, end = min(change.known_from for change in late if change.known_from), asked.known_now
    codes = [change.code for change in late]
    text = Title(
        en=f"On the new basis nothing was known before {since}, so a model of what was known on {end} learns nothing "
        f"of {listed(codes)}: give known_on with restated figures where they could have been known then.",
        zh=f"新口径数据自 {since} 起方可知悉，以 {end} 所知训练的模型学不到 {listed(codes, joint='、')}："
        "若当时即可按新口径得知，请在重述数据中填写 known_on。",
    )
    return Ground("known_late", False, text, {"codes": codes, "known_from": since.isoformat()})


def _weighed(asked: Question, part: str) -> list[str]:
    """List the champion's indicators that a part weighs, so that their totals move with it."""
    indicators = asked.snapshot.indicators
    return [code for code in sorted(asked.codes) if code in indicators and indicators[code].denominator == part]


def grouped(changes: tuple[DefinitionChange, ...]) -> list[list[DefinitionChange]]:
    """Put an indicator and the ratios that rest on it together."""
    groups: dict[tuple[str, str], list[DefinitionChange]] = {}
    for change in changes:
        groups.setdefault((change.part, change.after), []).append(change)
    return [sorted(group, key=lambda change: change.code != change.part) for group in groups.values()]


def told(changes: list[DefinitionChange], snapshot: Snapshot) -> Title:
    """Say what became of the history of an indicator and of what rests on it."""
    first, written = changes[0], snapshot.description.calendar.format
    restated = [f"{c.code} ({c.share:.0%})" for c in changes if c.treatment == "restated"]
    broken = [
        f"{c.code} ({'–' if c.first_period is None else written(c.first_period)})"
        for c in changes
        if c.treatment == "break"
    ]
    en = [f"history is restated for {listed(restated)}"] if restated else []
    en += [f"history breaks off, to begin with the period named, for {listed(broken)}"] if broken else []
    zh = [f"历史已按新口径重述：{listed(restated, joint='、')}"] if restated else []
    zh += [f"历史出现断点（括号内为新口径起始期）：{listed(broken, joint='、')}"] if broken else []
    return Title(
        en=f"{first.part} has definition {first.after} in place of {first.before} from data version "
        f"{first.data_version} on: {'; '.join(en)}.",
        zh=f"{first.part} 自数据版本 {first.data_version} 起口径由 {first.before} 改为 {first.after}；"
        f"{'；'.join(zh)}。",
    )


def _new_indicators(asked: Question) -> Iterator[Ground]:
    assert asked.past is not None
    known = asked.past.indicators
    new = [each for each in asked.snapshot.indicators.values() if each.code not in known]
    if asked.kind == "target":
        new = [each for each in new if each.is_target]
    if not new:
        return
    years = _years(asked, [each.code for each in new])
    ready = [code for code, count in years.items() if count >= LEAST_YEARS and asked.kind == "target"]
    young = [code for code in years if code not in ready]
    if ready:
        yield Ground(
            "new_indicator",
            True,
            Title(
                en=f"New, with {LEAST_YEARS} years of figures or more, so that a model can be learned and tested: "
                f"{listed(ready)}.",
                zh=f"新指标已有 {LEAST_YEARS} 年及以上数据，可建模并检验：{listed(ready, joint='、')}。",
            ),
            {"codes": ready, "years": {code: years[code] for code in ready}},
        )
    if young:
        yield Ground(
            "observe",
            False,
            Title(
                en=f"New, to be watched at weight 0 first, its targets resting on low evidence: {listed(young)}.",
                zh=f"新指标先以零权重观察，其目标依据不足：{listed(young, joint='、')}。",
            ),
            {"codes": young, "years": {code: years[code] for code in young}, "evidence": "low"},
        )


def _years(asked: Question, codes: list[str]) -> dict[str, int]:
    """Count the whole years of figures up to the origin, by indicator."""
    panel = asked.snapshot.panel(asked.learns_to, known_on=asked.known_now, indicators=codes)
    rows = {code: np.flatnonzero(np.isfinite(panel.array(code)).any(axis=1)) for code in codes}
    return {code: 0 if not len(at) else int(at[-1] - at[0] + 1) // panel.calendar.per_year for code, at in rows.items()}


def rests_on(snapshot: Snapshot, code: str) -> list[str]:
    """List an indicator and the ratios that rest on it."""
    stated = editions_of(snapshot.indicators.values())
    return [each for each in stated if code in resting_on(each, stated)]
