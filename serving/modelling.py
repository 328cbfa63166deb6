"""The use cases of models on record: listing, showing, promoting, going back, their cards, and checking them all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from features.errors import LoadlineError
from training.promotion.candidates import PRESENT, Present, find_candidate
from training.promotion.copies import card_folder
from training.promotion.verifying import Checked, models_on_record, verify
from training.promotion.versions import ModelVersion, ModelVersions, model_versions

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from training.promotion.history import Promotion

KINDS = ("target", "warning")
"""Short names of models, which stand for the one of a dataset."""
COLUMNS = (
    "model",
    "version",
    "state",
    "waits_for",
    "as_of",
    "data_version",
    "asked_by",
    "offered_at",
    "gates",
    "promoted_at",
    "promoted_by",
    "forced",
)
"""Of the table of models."""


class Modelling:
    """What data scientists and those who approve models ask for. Needs no registry.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    @property
    def _home(self) -> Path:
        return self._advisor.settings.home

    @property
    def two_people(self) -> bool:
        """Tell whether a promotion takes another person than the one who asked for the training."""
        from training.gating.rules import GateRules

        return GateRules.read(self._home).two_people

    def name(self, given: str, *, dataset: str | None = None) -> str:
        """Give the full name of a model: `target` and `warning` stand for that of the dataset.

        Raises
        ------
        LoadlineError
            Where there is no such model, or the short name stands for several.
        """
        known = models_on_record(self._home)
        if given in KINDS:
            found = [name for name in known if name.startswith(f"{given}-")]
            if dataset is not None:
                found = [name for name in found if name == self._of_dataset(given, dataset)]
            if len(found) == 1:
                return found[0]
            if found:
                hint = f"Add --dataset, or give one of {', '.join(found)}."
                raise LoadlineError(f"there are {len(found)} models {given!r}", hint=hint)
        elif given in known:
            return given
        hint = f"There are {', '.join(known)}." if known else "There is none yet: `loadline train` makes one."
        raise LoadlineError(f"there is no model {given!r} on record", hint=hint)

    def models(self, *, dataset: str | None = None) -> tuple[ModelVersions, ...]:
        """Give all models on record with their versions; a model whose record is damaged is left out, see `damaged`."""
        two_people = self.two_people
        found = []
        for name in self._names(dataset):
            try:
                found.append(model_versions(self._home, name, two_people=two_people))
            except LoadlineError:
                continue
        return tuple(found)

    def damaged(self, *, dataset: str | None = None) -> dict[str, str]:
        """Say by model what is wrong with its record; empty where all can be read."""
        found = {}
        for name in self._names(dataset):
            try:
                model_versions(self._home, name, two_people=False)
            except LoadlineError as error:
                found[name] = error.what
        return found

    def table(self, *, dataset: str | None = None) -> pd.DataFrame:
        """Give a row a version with the columns `COLUMNS`, the newest first within a model; one for a damaged model."""
        rows = [_row(version) for model in self.models(dataset=dataset) for version in model.versions]
        rows += [
            {"model": name, "state": "damaged", "waits_for": what}
            for name, what in self.damaged(dataset=dataset).items()
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("model", kind="stable", ignore_index=True)

    def model(self, name: str, *, dataset: str | None = None) -> ModelVersions:
        """Give one model with its versions and its record.

        Raises
        ------
        LoadlineError
            Where there is no such model, or its record is damaged.
        """
        return model_versions(self._home, self.name(name, dataset=dataset), two_people=self.two_people)

    def promote(
        self,
        name: str,
        *,
        by: str,
        reason: str,
        version: str | None = None,
        signed: bool = False,
        force: bool = False,
        expected_champion: str | Present | None = PRESENT,
        dataset: str | None = None,
    ) -> Promotion:
        """Promote a candidate, by default the newest if it never served; see `training.promote.promote_candidate`.

        The registry's aliases are left to `sync`.

        Parameters
        ----------
        expected_champion : str or None, optional
            The champion that the decision was made against; by default the present one.

        Raises
        ------
        LoadlineError
            Where something stands in its way, or the champion is not the expected one.
        """
        from training.card.signing import sign_from_record
        from training.promote import champion_digest, promote_candidate

        full = self.name(name, dataset=dataset)
        version = self._newest(full) if version is None else version
        present = isinstance(expected_champion, Present)
        expected = champion_digest(self._home, full) if present else expected_champion
        promotion = promote_candidate(
            self._home,
            full,
            version,
            by=by,
            reason=reason,
            expected_champion=expected,
            clock=self._advisor.now,
            two_people=self.two_people,
            signed=signed,
            force=force,
        )
        sign_from_record(self._home, full, promotion.version)
        self._advisor.audit.kept("promote_model", by=by, subject=f"{full} {promotion.version}")
        return promotion

    def rollback(
        self,
        name: str,
        *,
        by: str,
        reason: str,
        expected_champion: str | Present | None = PRESENT,
        dataset: str | None = None,
    ) -> Promotion:
        """Go back to the champion before this one; the registry's aliases are left to `sync`.

        Raises
        ------
        LoadlineError
            Where there is no earlier champion, its copy is damaged, or the champion is not the expected one.
        """
        from training.promote import champion_digest, rollback

        full = self.name(name, dataset=dataset)
        present = isinstance(expected_champion, Present)
        expected = champion_digest(self._home, full) if present else expected_champion
        done = rollback(self._home, full, by=by, reason=reason, expected_champion=expected, clock=self._advisor.now)
        self._advisor.audit.kept("roll_model_back", by=by, subject=f"{full} {done.version}")
        return done

    def card(
        self,
        name: str,
        *,
        version: str | None = None,
        language: Literal["en", "zh"] = "en",
        form: Literal["md", "html"] = "md",
        dataset: str | None = None,
    ) -> Path:
        """Give the file of a model's card; by default that of the champion, or of the newest where none serves.

        Raises
        ------
        LoadlineError
            Where there is no such version, or it has no card.
        """
        model = self.model(name, dataset=dataset)
        found = model.champion if version is None else None
        found = found or model.find(version)
        path = card_folder(self._home, model.name, found.version) / f"model-card.{language}.{form}"
        if path.is_symlink() or not path.is_file():
            hint = "Cards are written when a model is trained; models from before have theirs in the registry."
            raise LoadlineError(f"version {found.version} of {model.name} has no card here", hint=hint)
        return path

    def verify(self, name: str | None = None, *, dataset: str | None = None) -> tuple[Checked, ...]:
        """Check records and copies, byte for byte, of one model or of all."""
        return verify(self._home, None if name is None else self.name(name, dataset=dataset))

    def sync(self, name: str | None = None, *, dataset: str | None = None) -> tuple[str, ...]:
        """Let the registry's aliases follow the record of one model or of all; give a line for each that could not."""
        from training.promotion.aliases import sync_all, synced
        from training.track import Tracker

        tracker = Tracker(self._home, self._advisor.settings.tracking_uri)
        if name is None:
            return sync_all(self._home, tracker)
        problem = synced(self._home, self.name(name, dataset=dataset), tracker).problem
        return (problem,) if problem else ()

    def _newest(self, name: str) -> str:
        """Give the newest candidate, unless it was taken out of service: that is not to come back unnamed."""
        newest = find_candidate(self._home, name)
        found = model_versions(self._home, name, two_people=False).find(newest.digest)
        if found.state == "former_champion":
            hint = f"Name it with --version {found.version} if it shall serve again."
            raise LoadlineError("the newest candidate has served, and does no more", where=name, hint=hint)
        return newest.digest

    def _names(self, dataset: str | None) -> tuple[str, ...]:
        known = models_on_record(self._home)
        if dataset is None:
            return known
        own = {self._of_dataset(kind, dataset) for kind in KINDS}
        return tuple(name for name in known if name in own)

    @staticmethod
    def _of_dataset(kind: str, dataset: str) -> str:
        from training.target_model import model_name as target_name
        from training.warning.fitting import model_name as warning_name

        return target_name(dataset) if kind == "target" else warning_name(dataset)


def _row(version: ModelVersion) -> dict[str, Any]:
    candidate, promotion = version.candidate, version.promotion
    passed = sum(gate.passed for gate in version.gates)
    return {
        "model": version.model,
        "version": version.version,
        "state": version.state,
        "waits_for": ", ".join(obstacle.code for obstacle in version.obstacles),
        "as_of": version.meta.get("as_of"),
        "data_version": version.meta.get("data_version"),
        "asked_by": None if candidate is None else candidate.by,
        "offered_at": None if candidate is None else candidate.at.isoformat(timespec="seconds"),
        "gates": f"{passed} of {len(version.gates)}",
        "promoted_at": None if promotion is None else promotion.at.isoformat(timespec="seconds"),
        "promoted_by": None if promotion is None else promotion.by,
        "forced": version.forced,
    }
