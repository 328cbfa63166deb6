"""The versions of a model as they stand together: what was offered, what was promoted, what each waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import LoadlineError
from models.bundle import VERSION_LENGTH
from training.gating.gate import Gate
from training.promotion.candidates import META, SHORTEST_VERSION, Candidate, candidates
from training.promotion.copies import kept_bundle
from training.promotion.history import Promotion, history
from training.promotion.standing import STATE, Obstacle, State, obstacles, state_of


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version of a model.

    Attributes
    ----------
    model : str
    digest : str
    kind : str
        What reads it, such as `target`; "" where its copy cannot be read.
    state : str
        `champion`, `former_champion`, `challenger` or `superseded`.
    obstacles : tuple of Obstacle
        What stands in the way of promoting it; empty for the champion.
    gates : tuple of Gate
    meta : Mapping
        What is said of its data: `as_of`, `data_version` and more, see `candidates.META`.
    candidate : Candidate or None
        Its newest offer; None for models from before there were candidates.
    promotion : Promotion or None
        The last line of the record that made it the champion.
    """

    model: str
    digest: str
    kind: str
    state: State
    obstacles: tuple[Obstacle, ...]
    gates: tuple[Gate, ...]
    meta: Mapping[str, Any]
    candidate: Candidate | None
    promotion: Promotion | None

    @property
    def version(self) -> str:
        """Give the first digits of the digest, for people."""
        return self.digest[:VERSION_LENGTH]

    @property
    def promotable(self) -> bool:
        """Tell whether it may be promoted by somebody, without force or signature."""
        free = all(obstacle.code == "second_person" for obstacle in self.obstacles)
        return self.state != "champion" and self.candidate is not None and free

    @property
    def forced(self) -> bool:
        """Tell whether it was ever promoted against what forbade it, as far as its last promotion says."""
        return self.promotion is not None and self.promotion.forced

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        state = STATE[self.state]
        return {
            "model": self.model,
            "version": self.version,
            "digest": self.digest,
            "kind": self.kind,
            "state": self.state,
            "state_text": {"en": state.en, "zh": state.zh},
            "promotable": self.promotable,
            "obstacles": [obstacle.as_dict() for obstacle in self.obstacles],
            "gates": [gate.as_dict() for gate in self.gates],
            "meta": dict(self.meta),
            "candidate": None if self.candidate is None else self.candidate.as_dict(),
            "promotion": None if self.promotion is None else self.promotion.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class ModelVersions:
    """A model on record.

    Attributes
    ----------
    name : str
    versions : tuple of ModelVersion
        The newest first.
    history : tuple of Promotion
        Oldest first.
    """

    name: str
    versions: tuple[ModelVersion, ...]
    history: tuple[Promotion, ...]

    @property
    def champion(self) -> ModelVersion | None:
        """Give the version that serves."""
        return next((version for version in self.versions if version.state == "champion"), None)

    @property
    def challenger(self) -> ModelVersion | None:
        """Give the newest version, where it never served."""
        return next((version for version in self.versions if version.state == "challenger"), None)

    def find(self, version: str | None = None) -> ModelVersion:
        """Find a version by the beginning of its digest; without one the challenger, or else the champion.

        Raises
        ------
        LoadlineError
            Where there is none, or there are several.
        """
        hint = f"There are {', '.join(one.version for one in self.versions)}."
        if version is None:
            found = self.challenger or self.champion
            return self.versions[0] if found is None else found
        wanted = version.strip().lower()
        matching = [v for v in self.versions if len(wanted) >= SHORTEST_VERSION and v.digest.startswith(wanted)]
        if len(matching) != 1:
            what = f"{version!r} names several versions" if matching else f"there is no version {version!r}"
            raise LoadlineError(what, where=self.name, hint=hint)
        return matching[0]


def model_versions(home: str | Path, model_name: str, *, two_people: bool) -> ModelVersions:
    """Put together what the records say of a model.

    Parameters
    ----------
    two_people : bool
        Whether somebody else than who asked for the training has to promote.

    Raises
    ------
    LoadlineError
        Where a record is damaged, or speaks of no such model.
    """
    record, offered = history(home, model_name), candidates(home, model_name)
    if not record and not offered:
        raise LoadlineError(f"there is no model {model_name!r} on record", hint="`loadline models list` shows them.")
    serving = record[-1].champion if record else None
    newest = {candidate.digest: candidate for candidate in offered}
    promoted = {promotion.champion: promotion for promotion in record}
    order = {promotion.champion: (promotion.at, place) for place, promotion in enumerate(record)}
    order |= {digest: (candidate.at, candidate.number) for digest, candidate in newest.items()}
    versions = []
    for digest in sorted(order, key=lambda digest: order[digest], reverse=True):
        candidate, promotion = newest.get(digest), promoted.get(digest)
        waits = ()
        if candidate is not None and digest != serving:
            waits = obstacles(candidate, serving, two_people=two_people)
        kind, meta = _described(home, model_name, digest, candidate)
        versions.append(
            ModelVersion(
                model=model_name,
                digest=digest,
                kind=kind,
                state=state_of(digest, record, offered),
                obstacles=waits,
                gates=candidate.gates if candidate is not None else promotion.gates if promotion else (),
                meta=meta,
                candidate=candidate,
                promotion=promotion,
            )
        )
    return ModelVersions(model_name, tuple(versions), record)


def _described(
    home: str | Path, model_name: str, digest: str, candidate: Candidate | None
) -> tuple[str, Mapping[str, Any]]:
    """Give the kind of a version and what is said of its data; from its copy where it was never offered."""
    if candidate is not None:
        return candidate.kind, candidate.meta
    try:
        bundle = kept_bundle(home, model_name, digest)
    except LoadlineError:  # damaged or gone: listed without; `verify` says what is wrong
        return "", {}
    return bundle.kind, {key: bundle.meta[key] for key in META if key in bundle.meta}
