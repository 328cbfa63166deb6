"""From trials and a test on times held out to the settings that serve, with the reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from features.indicators import Title
from training.tuning.beyond_noise import Gain
from training.tuning.search import Trial
from training.tuning.tuned import Settings, Tuned

MOST_HELD_OUT = 3
"""Half of the past times, the newest and at most so many, decide and are not searched on: what was picked for doing
well looks better than it is on the times that it was picked on."""
FEWEST_SEARCHED = 2
FEWEST_HELD_OUT = 2

NOTHING_ASKED = Title(en="The usual settings serve; no others were tried.", zh="采用常用参数，未尝试其他参数。")
TOO_FEW_TIMES = Title(
    en=f"The usual settings serve: fewer than {FEWEST_SEARCHED + FEWEST_HELD_OUT} past times can be judged, too few to "
    "tell other settings from luck.",
    zh=f"采用常用参数：可用于检验的历史时点不足 {FEWEST_SEARCHED + FEWEST_HELD_OUT} 个，无法区分优劣与偶然。",
)


def divided(times: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Divide past times into those searched on and the newest, which decide; two empty ones where there are too few."""
    ordered = sorted(times)
    if len(ordered) < FEWEST_SEARCHED + FEWEST_HELD_OUT:
        return (), ()
    held = min(MOST_HELD_OUT, max(FEWEST_HELD_OUT, len(ordered) // 2))
    return tuple(ordered[:-held]), tuple(ordered[-held:])


def chosen(
    usual: Settings,
    other: Settings,
    *,
    trials: Sequence[Trial],
    best: Trial,
    gain: Gain | None,
    searched: Sequence[int],
    held_out: Sequence[int],
) -> Tuned[Settings]:
    """Take the other settings where they did better beyond noise; `gain` is None where nothing beat the usual ones."""
    taken = gain is not None and gain.better
    marked = best if taken else trials[0]
    tried: list[dict[str, Any]] = [
        one.as_dict() | {"usual": one is trials[0], "chosen": one is marked} for one in trials
    ]
    figures = {"searched": list(searched), "held_out": list(held_out)} | ({} if gain is None else gain.as_dict())
    return Tuned(other if taken else usual, tuple(tried), _text(len(trials), gain, held_out), figures)


def _text(count: int, gain: Gain | None, held_out: Sequence[int]) -> Title:
    others, times = count - 1, len(held_out)
    if gain is None:
        return Title(
            en=f"The usual settings serve: none of {others} others did better at past times.",
            zh=f"采用常用参数：尝试的其他 {others} 组参数在历史时点上均未更优。",
        )
    saved, error = f"{abs(gain.gain):.1%}", f"{gain.error_of_times:.1%}"
    if gain.better:
        return Title(
            en=f"The best of {others} other settings serves: its loss was {saved} lower than that of the usual ones "
            f"(standard error {error}) at {times} past times that it was not chosen on.",
            zh=f"采用 {others} 组其他参数中最优的一组：在未参与选择的 {times} 个历史时点上，"
            f"损失比常用参数低 {saved}（标准误 {error}）。",
        )
    more, zh_more = ("lower", "低") if gain.gain >= 0 else ("higher", "高")
    return Title(
        en=f"The usual settings serve: the loss of the best of {others} others was {saved} {more} (standard error "
        f"{error}) at {times} past times that it was not chosen on, which is not better beyond noise.",
        zh=f"采用常用参数：{others} 组其他参数中最优的一组在未参与选择的 {times} 个历史时点上，"
        f"损失比常用参数{zh_more} {saved}（标准误 {error}），未超出偶然波动。",
    )
