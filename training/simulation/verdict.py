"""What comes of a change, in sentences, in English and Chinese."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from features.indicators import Title
from training.simulation.compared import AFTER_ONLY, BEFORE_ONLY, Compared
from training.simulation.grades import grade_moves
from training.simulation.pool import Pool
from training.simulation.ranks import rank_agreement
from training.simulation.tables import line_table
from training.simulation.words import main_reason

SHOWN = 5
"""Units that gain or lose most, and lines that do most, that are named."""


def verdict(compared: Compared, written: Callable[[int], str], *, pool: Pool | None = None) -> tuple[Title, ...]:
    """Say who gains and loses, how grades and ranks move, and why."""
    return tuple(_sentences(compared, written, pool))


def _sentences(compared: Compared, written: Callable[[int], str], pool: Pool | None) -> Iterator[Title]:
    both, change = compared.both, compared.difference
    count = int(both.sum())
    if not count:
        yield Title(en="No unit has a score on both sides.", zh="没有单位在变更前后均有得分。")
        return
    gain, lose = int((change[both] > 0).sum()), int((change[both] < 0).sum())
    mean = float(change[both].mean()) / 10
    units = int(compared.about.loc[both, "unit"].nunique())
    yield Title(
        en=f"{count:,} scores of {units:,} units: {gain:,} gain, {lose:,} lose, {count - gain - lose:,} stay; "
        f"the mean change is {mean:+z.2f} points.",
        zh=f"{units:,}家单位共{count:,}个得分：{gain:,}个上升，{lose:,}个下降，{count - gain - lose:,}个不变；"
        f"平均变动{mean:+z.2f}分。",
    )
    yield from _one_sided(compared)
    yield from _grades(compared)
    yield from _ranks(compared)
    yield from _lines(compared)
    yield from _extremes(compared, written)
    if pool is not None:
        yield from _pool(pool)


def _one_sided(compared: Compared) -> Iterator[Title]:
    lost, found = (int((compared.status == status).sum()) for status in (BEFORE_ONLY, AFTER_ONLY))
    if lost or found:
        yield Title(
            en=f"{found:,} scores exist only after the change and {lost:,} only before; they are not compared.",
            zh=f"{found:,}个得分仅变更后存在，{lost:,}个仅变更前存在，不参与比较。",
        )


def _grades(compared: Compared) -> Iterator[Title]:
    old, new = compared.old.grade, compared.new.grade
    rows = np.flatnonzero(compared.both & (old != "") & (new != ""))
    if not len(rows):
        return
    moves = grade_moves(compared, rows)
    if np.isnan(moves).all():
        yield Title(en="Grades are on different scales, so moves are not counted.", zh="等级体系不同，不统计升降。")
        return
    up, down = int((moves > 0).sum()), int((moves < 0).sum())
    yield Title(
        en=f"{up:,} get a better grade, {down:,} a worse one, of {len(rows):,}.",
        zh=f"{len(rows):,}个评级中{up:,}个上调，{down:,}个下调。",
    )


def _ranks(compared: Compared) -> Iterator[Title]:
    rows = compared.both
    tau = rank_agreement(compared.old.tenths[rows], compared.new.tenths[rows], compared.groups[rows])
    if np.isnan(tau):
        yield Title(en="No peer group is large enough to be ranked.", zh="没有同组达到可排名的规模，不计算排名。")
        return
    before, after, _ = compared.ranks
    moves = np.abs(after - before)
    yield Title(
        en=f"Ranks within peer groups agree with a Kendall's tau-b of {tau:.3f}; {int((moves > 0).sum()):,} ranks "
        f"change, by {np.nanmean(moves):.1f} places on average.",
        zh=f"同组内排名一致度（Kendall tau-b）为{tau:.3f}；{int((moves > 0).sum()):,}个名次有变动，"
        f"平均变动{np.nanmean(moves):.1f}位。",
    )


def _lines(compared: Compared) -> Iterator[Title]:
    table = line_table(compared)
    told = table[(table["size"] > 0) & (table["kind"] != "rounding")].head(SHOWN)
    if len(told):
        en = "; ".join(f"{r.name_en} {r.mean:+z.2f} (lifts {r.gain:,}, lowers {r.lose:,})" for r in told.itertuples())
        zh = "；".join(f"{r.name_zh} {r.mean:+z.2f}（{r.gain:,}升{r.lose:,}降）" for r in told.itertuples())
        yield Title(
            en=f"What moves scores most, in points a score on average: {en}.",
            zh=f"影响最大的项目（平均每个得分）：{zh}。",
        )


def _extremes(compared: Compared, written: Callable[[int], str]) -> Iterator[Title]:
    """Name those that gain and lose most in the last period."""
    period = compared.about["period"].to_numpy()
    last = int(period[compared.both].max())
    rows = np.flatnonzero(compared.both & (period == last))
    change = compared.difference[rows]
    order = np.argsort(-change, kind="stable")
    for chosen, en, zh in (
        (order[:SHOWN][change[order[:SHOWN]] > 0], "Gain most", "升幅最大"),
        (order[::-1][:SHOWN][change[order[::-1][:SHOWN]] < 0], "Lose most", "降幅最大"),
    ):
        if not len(chosen):
            continue
        told = [(rows[at], main_reason(compared, int(rows[at]))) for at in chosen]
        units = compared.about["unit"].to_numpy()
        yield Title(
            en=f"{en} in {written(last)}: "
            + "; ".join(f"{units[r]} {compared.difference[r] / 10:+z.1f} ({why.en})" for r, why in told)
            + ".",
            zh=f"{written(last)}{zh}："
            + "；".join(f"{units[r]} {compared.difference[r] / 10:+z.1f}（{why.zh}）" for r, why in told)
            + "。",
        )


def _pool(pool: Pool) -> Iterator[Title]:
    before, after = float(pool.before.sum()), float(pool.after.sum())
    share = pool.moved / before if before else 0.0
    yield Title(
        en=f"At {pool.point_value:g} a point the bonus pool would be {after:,.2f} instead of {before:,.2f} "
        f"({pool.extra:+,.2f}). With a pool as large as before, {pool.moved:,.2f} ({share:.1%}) would change hands.",
        zh=f"按每分{pool.point_value:g}计，奖金总额由{before:,.2f}变为{after:,.2f}（{pool.extra:+,.2f}）；"
        f"若总额不变，则有{pool.moved:,.2f}（{share:.1%}）在单位间转移。",
    )
