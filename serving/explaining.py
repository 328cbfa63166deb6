"""The use cases of explaining scores: one unit's score, alone or against a reference, and its change on the year."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from models.scoring.engine import CardScores
from models.scoring.gaps import Against
from serving.score_basis import ScoreBases, ScoreBasis
from serving.scoring import ScoreRequest
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.score_schemas import Score, ScoreChange, ScoreExplanation


class NoScoreError(LoadlineError):
    """A unit has no place on any scorecard in a period."""


class Explaining:
    """What managers ask of their scores.

    Parameters
    ----------
    advisor : Advisor
        Whose data, policies and models answer.

    Attributes
    ----------
    bases : ScoreBases
        The scores that explanations rest on.
    """

    def __init__(self, advisor: Advisor) -> None:
        self.bases = ScoreBases(advisor)

    def score(self, unit: str, asked: ScoreRequest, *, dataset: str | None = None) -> Score:
        """Give a unit's score line by line.

        Raises
        ------
        NoScoreError
            Where the unit is on no scorecard in the period.
        LoadlineError
            Where there is no such unit, or the period cannot be scored.
        """
        from serving.score_explanation import score_answer

        basis = self.bases.basis(asked, dataset=dataset)
        return score_answer(basis, self._row(basis, unit), unit)

    def explain(
        self,
        unit: str,
        asked: ScoreRequest,
        *,
        against: Against | None = None,
        dataset: str | None = None,
        progress: Progress = silent,
    ) -> ScoreExplanation:
        """Explain a unit's score against its targets, last year on the same basis, or its peers.

        Where nobody says what to compare with, it is the targets where they are at hand, else the peers.

        Raises
        ------
        NoScoreError
            Where the unit is on no scorecard in the period.
        LoadlineError
            Where there is no such unit, or the period cannot be scored.
        """
        from serving.score_explanation import default_against, explained_score

        basis = self.bases.basis(asked, dataset=dataset, progress=progress)
        scores = self._row(basis, unit)
        course = self.bases.course(basis)
        return explained_score(basis, scores, unit, against=against or default_against(basis), course=course)

    def change(
        self, unit: str, asked: ScoreRequest, *, dataset: str | None = None, progress: Progress = silent
    ) -> ScoreChange:
        """Split the change of a unit's score on the year into figures, policy and targets.

        Each period is scored under the policy that was in force in it, or as it was closed.

        Raises
        ------
        NoScoreError
            Where the unit is on no scorecard in either period.
        LoadlineError
            Where there is no such unit, or a period cannot be scored.
        """
        from serving.score_change import score_change

        present = self.bases.basis(asked, dataset=dataset, progress=progress)
        calendar = present.network.calendar
        before = calendar.format(present.ordinal - calendar.per_year)
        asked_before = replace(asked, period=before, targets=self._of_year(present, asked.targets, before))
        earlier = self.bases.basis(asked_before, dataset=dataset, progress=progress)
        for basis in (present, earlier):
            self._row(basis, unit)
        return score_change(present, earlier, unit)

    @staticmethod
    def _of_year(present: ScoreBasis, targets: Path | None, period: str) -> Path | None:
        """Give the file of targets where it has any of the year of a period."""
        if targets is None or present.scores.targets is None:
            return None
        calendar = present.network.calendar
        return targets if (present.scores.targets["year"] == calendar.year(calendar.parse(period))).any() else None

    @staticmethod
    def _row(basis: ScoreBasis, unit: str) -> CardScores:
        found = basis.row(unit)
        if found is None:
            raise NoScoreError(
                f"{unit!r} is on no scorecard of {basis.network.policy.label} in {basis.period}",
                where="--unit",
                hint="The policy says which units each scorecard is for; a unit has to exist in the period.",
            )
        return found
