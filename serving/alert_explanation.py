"""The use cases of explaining alerts: one unit in one period, as an answer or for the evidence pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.errors import LoadlineError
from features.store import Snapshot
from serving.alert_answer import explanation
from serving.alert_case import AlertCase
from serving.alert_pack_facts import facts_of
from serving.alert_probability import AGAINST, Against
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.alert_schemas import AlertExplanation
    from training.review.facts import AlertFacts


def explain_alert(
    advisor: Advisor,
    unit: str,
    *,
    period: str | None = None,
    against: Against = "peers",
    dataset: str | None = None,
    progress: Progress = silent,
) -> AlertExplanation:
    """Explain why a unit is on the list for review in a period, or why not; as known at the period's end.

    Parameters
    ----------
    advisor : Advisor
    unit : str
        Code. A unit with others below it is told by those of them that are on the list.
    period : str, optional
        By default the newest; a bare year stands for its last period.
    against : {"peers", "last_year"}
        What the probability is compared with.
    dataset : str, optional
    progress : Progress

    Raises
    ------
    LoadlineError
        Where there is no such unit, or it does not exist in the period, or there are no figures of the period.
    """
    return explanation(_case(advisor, unit, period=period, against=against, dataset=dataset, progress=progress))


def alert_facts(advisor: Advisor, alert: str, *, dataset: str | None = None) -> AlertFacts:
    """Give the facts of an alert for its evidence pack, as known at the end of the last period of the alert.

    Parameters
    ----------
    advisor : Advisor
    alert : str
        Its key, such as `CN-GD-17@2024-08`. One drawn from below the line is told as of the newest period.
    dataset : str, optional

    Raises
    ------
    LoadlineError
        Where it names no unit, or a period without figures.
    """
    unit, mark, raised = alert.rpartition("@")
    if not mark:
        raise LoadlineError(f"{alert!r} names no alert", hint="A key is a unit and a period, such as CN-GD-17@2024-08.")
    snapshot = advisor.snapshot(dataset)
    begin = _period(advisor, snapshot, raised)
    _exists(snapshot, unit, begin)
    newest = advisor.watching.watch(dataset=dataset)
    numbers = newest.episodes
    calendar, row = snapshot.description.calendar, begin - newest.looked.first
    same = (numbers.unit == snapshot.tree.number(unit)) & (numbers.first == row)
    last = int(numbers.last[same][0]) + newest.looked.first if same.any() else newest.asked.last
    number = snapshot.tree.number(unit)
    while last > begin and not snapshot.tree.valid(last)[number]:
        last -= 1
    return facts_of(_case(advisor, unit, period=calendar.format(last), dataset=dataset), alert)


def _case(
    advisor: Advisor,
    unit: str,
    *,
    period: str | None,
    against: Against = "peers",
    dataset: str | None = None,
    progress: Progress = silent,
) -> AlertCase:
    if against not in AGAINST:
        raise LoadlineError(
            f"{against!r} is nothing that a probability can be compared with",
            where="--against",
            hint=f"Use {' or '.join(AGAINST)}.",
        )
    snapshot = advisor.snapshot(dataset)
    ordinal = _period(advisor, snapshot, period)
    number = _exists(snapshot, unit, ordinal)
    label = snapshot.description.calendar.format(ordinal)
    watch = advisor.watching.watch(as_of=label, dataset=dataset, progress=progress)
    return AlertCase(watch, number, ordinal, against)


def _period(advisor: Advisor, snapshot: Snapshot, period: str | None) -> int:
    try:
        return advisor.origin(snapshot, period)
    except LoadlineError as error:
        raise LoadlineError(error.what, where="--period", hint=error.hint) from None


def _exists(snapshot: Snapshot, unit: str, period: int) -> int:
    """Give the number of a unit that exists in a period."""
    number = snapshot.tree.number(unit)
    if not snapshot.tree.valid(period)[number]:
        heirs = ", ".join(str(snapshot.tree.codes[heir]) for heir in snapshot.tree.successors.get(number, ()))
        raise LoadlineError(
            f"{unit} does not exist in {snapshot.description.calendar.format(period)}",
            where="--unit",
            hint=f"It was followed by {heirs}." if heirs else "Ask for a period of its life; `units.csv` has it.",
        )
    return number
