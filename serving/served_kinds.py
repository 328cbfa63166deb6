"""The two kinds of model in service, and how what answers is made from one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from models.bundle import ModelBundle
from serving.kept_sheets import kept_sheet
from serving.suggested import Mark, Suggested
from serving.trial import ChangedError, Trial

if TYPE_CHECKING:
    from serving.advisor import Advisor


class Targets:
    """The target model: it has made all suggestions before it answers.

    Parameters
    ----------
    advisor : Advisor

    Attributes
    ----------
    sheets : bool
        What is said of each unit is written down, too, for the small processes; see `serving.hot`.
    """

    name = "targets"
    needed = True

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self.sheets = False

    def model_name(self, dataset: str) -> str:
        """Name the model of a dataset in the record."""
        from training.target_model import model_name

        return model_name(dataset)

    def mark(self, dataset: str, digest: str | None) -> Mark:
        """Tell which suggestions would answer now."""
        return self._advisor.suggesting.mark(self._advisor.snapshot(dataset), digest)

    def make(self, mark: Mark, model: ModelBundle, trial: Trial) -> Suggested:
        """Give the suggestions, made in a process of its own where none are kept.

        A table that is kept shows that the model has been loaded and asked before, and did no harm.

        Raises
        ------
        LoadlineError
            Where the model fails.
        """
        settings = self._advisor.settings
        snapshot = self._advisor.store.snapshot(mark.version)
        table = self._advisor.suggesting.kept(mark)
        if table is None or (self.sheets and kept_sheet(settings.home, mark) is None):
            order: dict[str, object]
            order = {"home": str(settings.home.resolve()), "model": self.model_name(mark.dataset)}
            order |= {"digest": mark.digest, "store": settings.store_url}
            trial.run(order | {"version": mark.version, "year": mark.year, "sheet": self.sheets})
            table = self._advisor.suggesting.kept(mark)
        if table is None and self.mark(mark.dataset, mark.digest) != mark:
            raise ChangedError("data or policy have changed meanwhile")
        if table is None:
            raise LoadlineError("the suggestions were made, but cannot be read")
        return Suggested(mark, snapshot, table, settings.home, lambda: model)


@dataclass(frozen=True, eq=False)
class ServedWarning:
    """The model of deterioration that answers."""

    mark: Mark
    model: ModelBundle


class Warnings:
    """The model of deterioration: the newest list is ranked before it answers, where anybody looks at it.

    Parameters
    ----------
    advisor : Advisor
    """

    name = "warnings"
    needed = False  # without one the patterns alone rank the units

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def model_name(self, dataset: str) -> str:
        """Name the model of a dataset in the record."""
        from training.warning.fitting import model_name

        return model_name(dataset)

    def mark(self, dataset: str, digest: str | None) -> Mark:
        """Tell which model would answer now; the data is another matter, see `serving.watching`."""
        return Mark(dataset, 0, "", "", 0, digest)

    def make(self, mark: Mark, model: ModelBundle, trial: Trial) -> ServedWarning:
        """Try the model out, and have it rank the newest list.

        Raises
        ------
        LoadlineError
            Where the model fails.
        """
        home = str(self._advisor.settings.home.resolve())
        trial.run({"home": home, "model": self.model_name(mark.dataset), "digest": mark.digest})
        self._advisor.watching.prepare(model, dataset=mark.dataset)
        return ServedWarning(mark, model)
