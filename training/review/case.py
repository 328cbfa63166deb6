"""An alert under review: what was shown of it, what people did with it, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from training.review.entry import DECISIONS, Entry, Shown


@dataclass(frozen=True, slots=True)
class Showing:
    """One state of an alert on record, and what it rested on.

    Attributes
    ----------
    number : int
        Of the entry.
    at : datetime
    shown : Shown
    about : Mapping
        Data version, model version, policy version, day on which the figures were known, and the like.
    """

    number: int
    at: datetime
    shown: Shown
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """All that is on record about one alert.

    Attributes
    ----------
    alert : str
    showings : tuple of Showing
        Oldest first; at least one.
    entries : tuple of Entry
        What people wrote, oldest first, with what was undone later.
    chance : float or None
        Probability with which it was drawn from below the line; None for one that was on the list.
    """

    alert: str
    showings: tuple[Showing, ...]
    entries: tuple[Entry, ...] = ()
    chance: float | None = None

    @property
    def shown(self) -> Shown:
        """Give the alert as last shown."""
        return self.showings[-1].shown

    @property
    def about(self) -> Mapping[str, Any]:
        """Give what the last showing rested on."""
        return self.showings[-1].about

    @property
    def raised_at(self) -> datetime:
        """Give when it was first shown."""
        return self.showings[0].at

    @property
    def version(self) -> int:
        """Give the number of the last entry that a person wrote; 0 where nobody has. Who decides must have seen it."""
        return self.entries[-1].number if self.entries else 0

    @property
    def undone(self) -> frozenset[int]:
        """Give the numbers of the entries that were undone."""
        return frozenset(entry.given["entry"] for entry in self.entries if entry.action == "undone")

    @property
    def standing(self) -> tuple[Entry, ...]:
        """Give the entries that count: neither undone nor an undoing."""
        undone = self.undone
        return tuple(entry for entry in self.entries if entry.action != "undone" and entry.number not in undone)

    @property
    def disposition(self) -> Entry | None:
        """Give the decision that stands, the last one; None where none does."""
        return self._last(*DECISIONS)

    @property
    def verdict(self) -> bool | None:
        """Tell whether it was confirmed (True) or dismissed (False); None while neither."""
        found = self.disposition
        return None if found is None or found.action == "watching" else found.action == "confirmed"

    @property
    def assignment(self) -> Entry | None:
        """Give the assignment that stands."""
        return self._last("assigned")

    @property
    def due(self) -> date | None:
        """Give the day by which it should be decided."""
        found = self.assignment
        text = None if found is None else found.given["due"]
        return None if text is None else date.fromisoformat(text)

    @property
    def notes(self) -> tuple[Entry, ...]:
        """Give the notes that stand."""
        return tuple(entry for entry in self.standing if entry.action == "note")

    @property
    def links(self) -> tuple[str, ...]:
        """Give the cases elsewhere that it is linked to."""
        return tuple(dict.fromkeys(entry.given["case"] for entry in self.standing if entry.action == "linked"))

    @property
    def released(self) -> Entry | None:
        """Give the release to the unit's managers; it lapses with the confirmation that it rests on."""
        found, decided = self._last("released"), self.disposition
        if found is None or decided is None or decided.action != "confirmed":
            return None
        return found if found.number > decided.number else None

    @property
    def status(self) -> str:
        """Tell how it stands: new, assigned, watching, confirmed or dismissed."""
        decided = self.disposition
        if decided is not None:
            return decided.action
        return "new" if self.assignment is None else "assigned"

    def _last(self, *actions: str) -> Entry | None:
        return next((entry for entry in reversed(self.standing) if entry.action in actions), None)
