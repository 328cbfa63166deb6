"""The record of reviews of a dataset: line by line, each sealed to the one before; nothing is ever taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from features.errors import LoadlineError
from models.bundle import check_name
from training.journal import append_line, read_lines
from training.lock import file_lock
from training.review.case import Case, Showing
from training.review.entry import Action, Entry, Shown, parsed, seal, written

FOLDER, RECORD, LOCK = "reviews", "record.jsonl", "lock"
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Drawing:
    """A draw from below the line, as recorded.

    Attributes
    ----------
    period : str
    seed : int
    above : tuple of str
        Keys of the alerts that were open then.
    below : int
        Units below the line, of which some were drawn.
    chances : Mapping[str, float]
        By key of the drawn: the probability with which it was drawn.
    """

    period: str
    seed: int
    above: tuple[str, ...]
    below: int
    chances: Mapping[str, float]


@dataclass(frozen=True)
class Record:
    """All entries, oldest first."""

    entries: tuple[Entry, ...] = ()

    def known_on(self, day: date | None) -> Record:
        """Give the record as it stood at the end of a day, in UTC; as it is where no day is given."""
        if day is None:
            return self
        return Record(tuple(entry for entry in self.entries if entry.at.date() <= day))

    @cached_property
    def draws(self) -> tuple[Drawing, ...]:
        """Give the draws from below the line."""
        drawn = (entry.given["drawn"] for entry in self.entries if entry.action == "raised")
        return tuple(Drawing(**plain | {"above": tuple(plain["above"])}) for plain in drawn if plain is not None)

    @cached_property
    def cases(self) -> Mapping[str, Case]:
        """Give the alerts by their keys, in the order in which they were raised."""
        showings: dict[str, list[Showing]] = {}
        written_by: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.action != "raised":
                written_by.setdefault(entry.alert, []).append(entry)
                continue
            for plain in entry.given["alerts"]:
                shown = Shown.from_dict(plain)
                showing = Showing(entry.number, entry.at, shown, entry.given["about"])
                showings.setdefault(shown.alert, []).append(showing)
        chances = {key: chance for drawing in self.draws for key, chance in drawing.chances.items()}
        return {
            key: Case(key, tuple(found), tuple(written_by.get(key, ())), chances.get(key))
            for key, found in showings.items()
        }


def read_record(home: str | Path, dataset: str) -> Record:
    """Read the record; a last line that a crash cut short does not count.

    Raises
    ------
    LoadlineError
        Where a whole line cannot be read, does not follow from the one before, or speaks of an alert or an entry that
        is not on record.
    """
    path = dataset_folder(home, dataset) / RECORD
    entries: list[Entry] = []
    raised: set[str] = set()
    follows = ""
    for number, line in enumerate(read_lines(path), start=1):
        try:
            entry, claimed = parsed(line)
            if entry.action == "raised":
                raised |= {plain["alert"] for plain in entry.given["alerts"]}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _broken(path, number, "cannot be read") from error
        if claimed != follows or entry.number != number:
            raise _broken(path, number, "does not follow from the line before")
        if entry.action != "raised" and entry.alert not in raised:
            raise _broken(path, number, "speaks of an alert that was not raised")
        if entry.action == "undone" and not _undoes(entry, entries):
            raise _broken(path, number, "undoes what is not on record")
        follows = seal(line)
        entries.append(entry)
    return Record(tuple(entries))


def append(home: str | Path, dataset: str, *, clock: Clock, make: Callable[[Record], Entry | None]) -> Entry | None:
    """Add an entry, made under the lock from the record as it then stands.

    Parameters
    ----------
    make : callable
        Gives the entry, whose number and time are filled in here; None to write nothing; or an entry that is on record
        already, which is given back.

    Raises
    ------
    LoadlineError
        Where the record is damaged or cannot be written (it is then as it was), or the clock has no zone.
    """
    folder = dataset_folder(home, dataset)
    with file_lock(folder / LOCK):
        record = read_record(home, dataset)
        made = make(record)
        if made is None or made.number:
            return made
        at = clock()
        if at.tzinfo is None:
            raise LoadlineError("the clock gives a time without a zone", where=dataset, hint="Pass a clock in UTC.")
        entry = replace(made, number=len(record.entries) + 1, at=at.astimezone(UTC))
        lines = read_lines(folder / RECORD)
        line = written(entry, seal(lines[-1]) if lines else "")
        append_line(folder / RECORD, line, what=f"the entry on {entry.alert or 'the alerts raised'}")
    return entry


def unnumbered(by: str, action: Action, *, alert: str = "", text: str = "", given: Mapping[str, Any]) -> Entry:
    """Make an entry for `append`, which numbers and dates it."""
    return Entry(0, datetime.min.replace(tzinfo=UTC), by, action, alert, text, given)


def dataset_folder(home: str | Path, dataset: str) -> Path:
    """Give the folder of a dataset's reviews.

    Raises
    ------
    LoadlineError
        Where the name could lead elsewhere.
    """
    check_name(dataset)
    return Path(home) / FOLDER / dataset


def _undoes(entry: Entry, before: list[Entry]) -> bool:
    number = entry.given.get("entry")
    if not isinstance(number, int) or not 1 <= number <= len(before):
        return False
    other = before[number - 1]
    return other.alert == entry.alert and other.action not in ("raised", "undone")


def _broken(path: Path, number: int, what: str) -> LoadlineError:
    hint = "The record was changed by hand or by a failing disk: restore it from a backup."
    return LoadlineError(f"line {number} of the record of reviews {what}", where=str(path), hint=hint)
