"""Candidates on record: every trained model that was offered, with what its gates found, kept whether it serves or not.

A candidate is identified by its run and its digest: a step that is done again after a crash adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from features.errors import LoadlineError
from models.bundle import VERSION_LENGTH, ModelBundle
from training.gating.gate import Gate
from training.promotion.copies import is_digest, keep, model_folder, model_lock
from training.promotion.history import RECORDS_KEPT, Clock, champion_digest
from training.promotion.sealed import Raw, Sealed, append_sealed, opened, read_raw, write_head

CANDIDATES = "candidates.jsonl"
WHAT = "candidate record"
META = (
    "dataset",
    "data_version",
    "fingerprint",
    "as_of",
    "known_on",
    "horizon",
    "policy_version",
    "code_version",
    "seed",
)
"""Fields of a bundle's description repeated on the record, so that models can be listed without opening them."""
SHORTEST_VERSION = 4
"""Digits of a version that a person may give where they name one candidate only."""


class Present(Enum):
    """Stands for whichever champion there is at the time; no text that comes from outside equals it."""

    PRESENT = "present"


PRESENT = Present.PRESENT


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of the record.

    Attributes
    ----------
    number : int
        From 1, in the order of the offers.
    at : datetime
        In UTC.
    by : str
        Who asked for the training.
    run : str
        Name of the training run.
    digest : str
    kind : str
        What reads the model, such as `target`.
    against : str or None
        Digest of the champion that it was compared with; None where there was none.
    gates : tuple of Gate
        What the gates found.
    meta : Mapping
        Of the fields `META`, those that the model has.
    about : Mapping
        Plain JSON that came with the offer: the comparison, the settings tried, the number in the registry.
    """

    number: int
    at: datetime
    by: str
    run: str
    digest: str
    kind: str
    against: str | None
    gates: tuple[Gate, ...]
    meta: Mapping[str, Any]
    about: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Give the first digits of the digest, for people."""
        return self.digest[:VERSION_LENGTH]

    @property
    def failed(self) -> tuple[Gate, ...]:
        """Give the gates that were not passed."""
        return tuple(gate for gate in self.gates if not gate.passed)

    def as_dict(self) -> dict[str, Any]:
        """Give the line as plain JSON."""
        return {
            "at": self.at.isoformat(),
            "by": self.by,
            "run": self.run,
            "digest": self.digest,
            "kind": self.kind,
            "against": self.against,
            "gates": [gate.as_dict() for gate in self.gates],
            "meta": dict(self.meta),
            "about": dict(self.about),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], *, number: int) -> Candidate:
        """Read what `as_dict` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            Where it is no such line.
        """
        against = plain["against"]
        if not is_digest(plain["digest"]) or not (against is None or is_digest(against)):
            raise ValueError
        return cls(
            number=number,
            at=datetime.fromisoformat(plain["at"]),
            by=plain["by"],
            run=plain["run"],
            digest=plain["digest"],
            kind=plain["kind"],
            against=against,
            gates=tuple(Gate.from_dict(gate) for gate in plain["gates"]),
            meta=MappingProxyType(dict(plain["meta"])),
            about=MappingProxyType(dict(plain["about"])),
        )


def offer(
    home: str | Path,
    model_name: str,
    bundle: ModelBundle,
    *,
    gates: Sequence[Gate],
    run: str,
    by: str,
    clock: Clock,
    about: Mapping[str, Any] | None = None,
    against: str | Present | None = PRESENT,
) -> Candidate:
    """Keep a verified copy of a trained model and put it on record; the champion stays.

    Offering the same model from the same run again gives the line on record, and repairs its copy where it was damaged.

    Parameters
    ----------
    gates : sequence of Gate
        What the gates found; a model may be offered whatever it is, and is promoted only where they allow it.
    run : str
        Name of the training run.
    by : str
        Who asked for the training.
    clock : callable
        Gives the time, with its zone.
    about : Mapping, optional
        Plain JSON for whoever looks at it later.
    against : str or None, optional
        Digest of the champion that it was compared with, None where there was none; by default the present one.

    Raises
    ------
    LoadlineError
        Where a name is blank, the record is damaged, or the copy or the line cannot be written.
    """
    if not by.strip() or not run.strip():
        hint = "State the training run, and who asked for it."
        raise LoadlineError("a candidate needs a run and a name", where=model_name, hint=hint)
    path = model_folder(home, model_name) / CANDIDATES
    with model_lock(home, model_name):
        raw = read_raw(path)
        found = next((c for c in _candidates(raw) if (c.run, c.digest) == (run, bundle.digest)), None)
        compared = champion_digest(home, model_name) if isinstance(against, Present) else against
        keep(home, model_name, bundle)
        if found is not None:
            write_head(raw)
            return found
        at = clock()
        if at.tzinfo is None:
            raise LoadlineError("the clock gives a time without a zone", where=model_name, hint="Pass a clock in UTC.")
        meta = {key: bundle.meta[key] for key in META if key in bundle.meta}
        made = Candidate(
            number=0,
            at=at.astimezone(UTC),
            by=by,
            run=run,
            digest=bundle.digest,
            kind=bundle.kind,
            against=compared,
            gates=tuple(gates),
            meta=meta,
            about=about or {},
        )
        append_sealed(raw, made.as_dict(), what="the candidate")
        return candidates(home, model_name)[-1]


def candidates(home: str | Path, model_name: str) -> tuple[Candidate, ...]:
    """Read the candidates of a model, oldest first; a last line that a crash cut short does not count.

    Raises
    ------
    LoadlineError
        Where a byte of the record was changed.
    """
    return _candidates(read_raw(model_folder(home, model_name) / CANDIDATES))


def candidate_record(home: str | Path, model_name: str) -> Sealed:
    """Read the record as sealed lines, for whoever checks it.

    Raises
    ------
    LoadlineError
        As `candidates`.
    """
    raw = read_raw(model_folder(home, model_name) / CANDIDATES)
    _candidates(raw)
    return opened(raw, what=WHAT)


def find_candidate(home: str | Path, model_name: str, version: str | None = None) -> Candidate:
    """Find the newest candidate with a version, or the newest of all.

    Parameters
    ----------
    version : str, optional
        A digest or its first digits, at least `SHORTEST_VERSION`.

    Raises
    ------
    LoadlineError
        Where there is none, or the digits name several.
    """
    offered = candidates(home, model_name)
    hint = f"`loadline models show {model_name}` lists the versions."
    if version is None:
        if not offered:
            hint = "Train one: `loadline train`."
            raise LoadlineError("there is no candidate on record", where=model_name, hint=hint)
        return offered[-1]
    wanted = version.strip().lower()
    found = [c for c in offered if len(wanted) >= SHORTEST_VERSION and c.digest.startswith(wanted)]
    if not found:
        raise LoadlineError(f"there is no candidate {version!r} on record", where=model_name, hint=hint)
    if len({candidate.digest for candidate in found}) > 1:
        raise LoadlineError(f"{version!r} names several candidates", where=model_name, hint=f"Give more of it. {hint}")
    return found[-1]


@lru_cache(maxsize=RECORDS_KEPT)
def _candidates(raw: Raw) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    for number, plain in enumerate(opened(raw, what=WHAT).lines, start=1):
        try:
            found.append(Candidate.from_dict(plain, number=number))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            hint = "The record was written by a later version of Loadline, or changed: restore it from a backup."
            raise LoadlineError(
                f"line {number} of the {WHAT} cannot be read", where=str(raw.path), hint=hint
            ) from error
    return tuple(found)
