"""What endpoints and pages ask about models on record, in the form in which they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from fastapi import Request

from features.errors import LoadlineError
from models.bundle import VERSION_LENGTH
from serving.api.desk import Desk
from serving.errors import NotFoundError
from serving.jobs import Jobs
from training.promotion.verifying import models_on_record
from training.promotion.versions import ModelVersion, ModelVersions

if TYPE_CHECKING:
    from serving.model_schemas import PromotionAsked, RollbackAsked
    from training.promotion.history import Promotion

Language = Literal["en", "zh"]
Form = Literal["html", "md"]
KEPT = ("comparison", "evidence")
"""What came with the offer of a model: how it stands against the champion, and what serves each indicator."""


class ModelDesk:
    """Asks the advisor about models; one for an application.

    Parameters
    ----------
    desk : Desk
    jobs : Jobs
        Lets the registry follow what is decided here: the service itself does without it.
    """

    def __init__(self, desk: Desk, jobs: Jobs) -> None:
        self.desk = desk
        self.jobs = jobs

    @property
    def two_people(self) -> bool:
        """Tell whether a promotion takes a second person."""
        return self.desk.advisor.modelling.two_people

    def names(self, *, dataset: str | None = None) -> dict[str, ModelVersions | str]:
        """Give the models by name; what is wrong with its record for one that is damaged.

        Raises
        ------
        NotFoundError
            Where there is no such dataset.
        """
        if dataset is not None:
            self.desk.directory(dataset)
        modelling = self.desk.advisor.modelling
        found: dict[str, ModelVersions | str] = {model.name: model for model in modelling.models(dataset=dataset)}
        return dict(sorted((found | modelling.damaged(dataset=dataset)).items()))

    def model(self, name: str) -> ModelVersions:
        """Give a model.

        Raises
        ------
        NotFoundError
            Where there is none of that name.
        LoadlineError
            Where its record is damaged.
        """
        self._known(name)
        return self.desk.advisor.modelling.model(name)

    def version(self, name: str, version: str) -> tuple[ModelVersions, ModelVersion]:
        """Give a version of a model.

        Raises
        ------
        NotFoundError
            Where there is none.
        LoadlineError
            Where the record is damaged.
        """
        model = self.model(name)
        try:
            return model, model.find(version)
        except LoadlineError as error:
            raise NotFoundError(error.what, hint=error.hint) from error

    def promote(self, name: str, asked: PromotionAsked) -> Promotion:
        """Make a version the champion, where nothing stands in its way.

        Raises
        ------
        NotFoundError
            Where there is no such model or version.
        LoadlineError
            Where something stands in its way, or the champion has changed.
        """
        _, found = self.version(name, asked.version)
        made = self.desk.advisor.modelling.promote(
            name,
            by=asked.signer,
            reason=asked.reason,
            version=found.digest,
            signed=asked.sign,
            force=asked.force,
            expected_champion=asked.expected_champion,
        )
        self.jobs.wake(errand=True)
        return made

    def rollback(self, name: str, asked: RollbackAsked) -> Promotion:
        """Go back to the champion before this one.

        Raises
        ------
        NotFoundError
            Where there is no such model.
        LoadlineError
            Where there is no earlier champion, or this one has changed.
        """
        self._known(name)
        made = self.desk.advisor.modelling.rollback(
            name, by=asked.signer, reason=asked.reason, expected_champion=asked.expected_champion
        )
        self.jobs.wake(errand=True)
        return made

    def card(self, name: str, version: str, *, language: Language, form: Form) -> str:
        """Read the card of a version.

        Raises
        ------
        NotFoundError
            Where there is no such version, or it has no card.
        """
        _, found = self.version(name, version)
        try:
            path = self.desk.advisor.modelling.card(name, version=found.digest, language=language, form=form)
        except LoadlineError as error:
            raise NotFoundError(error.what, hint=error.hint) from error
        return path.read_text(encoding="utf-8")

    def cards(self, found: ModelVersion) -> list[tuple[Language, Form]]:
        """Tell in which languages and forms a version has a card."""
        every: list[tuple[Language, Form]] = [("en", "html"), ("zh", "html"), ("en", "md"), ("zh", "md")]
        return [(language, form) for language, form in every if self._has_card(found, language, form)]

    def kept(self, found: ModelVersion) -> dict[str, Any]:
        """Give what came with the offer of a version, `KEPT`; what did not is left out."""
        about = {} if found.candidate is None else found.candidate.about
        return {name: about[name] for name in KEPT if name in about}

    def _has_card(self, found: ModelVersion, language: Language, form: Form) -> bool:
        try:
            self.desk.advisor.modelling.card(found.model, version=found.digest, language=language, form=form)
        except LoadlineError:
            return False
        return True

    def _known(self, name: str) -> None:
        if name not in models_on_record(self.desk.advisor.settings.home):
            raise NotFoundError(f"there is no model {name!r} on record", hint="GET /api/v1/models lists them.")


def short(digest: str | None) -> str | None:
    """Give a version for people."""
    return None if digest is None else digest[:VERSION_LENGTH]


async def models_of(request: Request) -> ModelDesk:
    """Give the model desk of the application that is asked."""
    return request.app.state.models
