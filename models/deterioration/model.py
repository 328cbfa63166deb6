"""The deterioration model: several learners, blended as far as each has shown skill, and calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit

from features.errors import LoadlineError
from models.deterioration.blending import Calibration
from models.deterioration.contenders import CONTENDERS, WORDS, Learner, Work
from models.deterioration.contest import Contest, contest
from models.deterioration.limits import EVEN
from models.deterioration.problem import DeteriorationProblem
from models.deterioration.record import recorded, shows_skill
from models.deterioration.rows import Rows
from models.deterioration.sampling import sampled
from models.deterioration.saving import learner_from, parts_of
from models.deterioration.scores import NormalScores
from models.deterioration.settings import DEFAULT, WarningSettings
from models.explanation.contrast import Players

FORMAT = 1
"""Version of the parts."""
CHUNK = 50_000
"""Rows predicted at a time, so that their scores take little room."""
FEWEST_EVENTS = 4
"""Events below which there is nothing to learn and to test on."""


@dataclass(frozen=True, eq=False)
class DeteriorationModel:
    """A fitted deterioration model.

    Attributes
    ----------
    names : tuple of str
        F columns, in the order in which `predict` wants them.
    scale : NormalScores
    typical : np.ndarray
        (F,) the middle of each column: the row that others are held against unless another is given.
    learners : Mapping
    factors : Mapping
        By learner, the factor on its log-odds; the blend's log-odds are their sum and `constant`.
    constant : float
    calibration : Calibration
    record : dict
        Plain JSON: `rows`, `positives`, `events`, `base_rate`, `first`, `last` (period ordinals), `contenders` and
        `blend` out of fold (`auc`, `auc_within`, `average_precision`, `log_loss`, `brier`; contenders also `share` and
        `setting`), `forward` (the same from earlier rows only; None where there is too little time), `base`,
        `calibration`, `working_point`, `replaced_by`. Figures that cannot be had are None.
    settings : WarningSettings
        What it was fitted with.
    """

    names: tuple[str, ...]
    scale: NormalScores
    typical: np.ndarray
    learners: Mapping[str, Learner]
    factors: Mapping[str, float]
    constant: float
    calibration: Calibration
    record: dict[str, Any]
    settings: WarningSettings = DEFAULT

    @classmethod
    def fit(
        cls,
        problem: DeteriorationProblem,
        *,
        seed: int,
        threads: int = 1,
        ahead: bool = False,
        settings: WarningSettings = DEFAULT,
    ) -> DeteriorationModel:
        """Learn from matured rows; how much is learned follows from how many positives there are.

        Parameters
        ----------
        problem : DeteriorationProblem
        seed : int
        threads : int
        ahead : bool
            True for a model that answers about later times: learners are then chosen, blended and calibrated by how
            they foretold later rows from earlier ones. Rows held back from among others flatter what has learned the
            times by heart.
        settings : WarningSettings

        Raises
        ------
        LoadlineError
            Where there are fewer than `FEWEST_EVENTS` events, or no row without one.
        """
        if problem.events < FEWEST_EVENTS or problem.positives == len(problem):
            raise LoadlineError(
                f"{problem.events} events among {len(problem)} rows are too few to learn from",
                hint=f"At least {FEWEST_EVENTS} are needed, and rows without one.",
            )
        used = sampled(problem, seed=seed)
        scale = NormalScores.of(used.X)
        rows = Rows(used.X, scale)
        _ = rows.scores  # once for all folds
        work = Work(used, rows, seed, threads, settings)
        found = contest(work, ahead=ahead)
        alone = replace(work, threads=1)  # as many learners at a time: threads within one mostly wait for each other
        with ThreadPoolExecutor(threads) as pool:
            fitted = list(pool.map(lambda name: CONTENDERS[name].fit(alone, found.settings[name]), found.factors))
        learners = dict(zip(found.factors, fitted, strict=True))
        calibration = _calibration(found, used)
        return cls(
            problem.names,
            scale,
            middle(used.X),
            learners,
            found.factors,
            found.constant,
            calibration,
            recorded(problem, used, found, calibration),
            settings,
        )

    def margin(self, X: np.ndarray, *, threads: int = 1) -> np.ndarray:
        """Give the blend's log-odds (n,) before calibration, of rows (n, F).

        Raises
        ------
        LoadlineError
            Where the rows have another number of columns.
        """
        X = self._checked(X)
        found = np.full(len(X), self.constant)

        def add(begin: int) -> None:
            rows = Rows(X[begin : begin + CHUNK], self.scale)
            for name, learner in self.learners.items():
                found[begin : begin + CHUNK] += self.factors[name] * learner.margin(rows)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(add, range(0, len(X), CHUNK)))
        return found

    def predict(self, X: np.ndarray, *, threads: int = 1) -> np.ndarray:
        """Give the probability (n,) of rows (n, F) float32 with NaN, columns as in `names`."""
        return self.calibration.probability(self.margin(X, threads=threads))

    def contributions(
        self, X: np.ndarray, *, players: Players | None = None, reference: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Say how far each player takes the probability away from that of a reference row.

        Interventional Shapley values of each learner's log-odds against the reference, added up by the learners'
        factors and stretched in proportion to the gap in probability, as `models.explanation.contrast` does.

        Parameters
        ----------
        X : np.ndarray
            (rows, F)
        players : Players, optional
            Every column by itself where not given.
        reference : np.ndarray, optional
            (F,) one for all rows or (rows, F) one for each; the typical row where not given.

        Returns
        -------
        values : np.ndarray
            (rows, players); each row adds up to its probability less the reference's.
        base : np.ndarray
            (rows,) the reference's probability.
        """
        players = players or Players.each(self.names)
        X = self._checked(X)
        against = self._checked(np.atleast_2d(self.typical if reference is None else reference))
        rows, held = Rows(X, self.scale), Rows(against, self.scale)
        values = np.zeros((len(X), len(players.names)))
        for name, learner in self.learners.items():
            values += self.factors[name] * learner.contrast(rows, held, players)
        here, there = self.margin(X), np.broadcast_to(self.margin(against), len(X))
        output, base = self.calibration.probability(here), self.calibration.probability(there)
        gap = here - there
        even = np.abs(gap) < EVEN
        line = expit(self.calibration.intercept + self.calibration.slope * here)
        slope = self.calibration.slope * line * (1 - line)
        factor = np.where(even, slope, (output - base) / np.where(even, 1.0, gap))
        return values * factor[:, None], base

    @property
    def skill(self) -> bool:
        """Tell whether it beat the base rate out of fold; where it did not, no probability is to be shown."""
        return shows_skill(self.record)

    @property
    def method(self) -> str:
        """Say in a few words what is used and why."""
        shares = sorted(((one["share"], name) for name, one in self.record["contenders"].items()), reverse=True)
        words = " + ".join(f"{share:.0%} {WORDS[name]}" for share, name in shares if share >= 0.005)
        if self.record["replaced_by"]:
            words = f"{WORDS[self.record['replaced_by']]} (nothing beat it)"
        counts = f"{self.record['positives']} positives of {self.record['events']} events in {self.record['rows']} rows"
        return f"{words}; {counts}"

    def _checked(self, X: np.ndarray) -> np.ndarray:
        X = np.ascontiguousarray(np.atleast_2d(X), dtype=np.float32)
        if X.ndim != 2 or X.shape[1] != len(self.names):
            raise LoadlineError(f"rows of shape {np.shape(X)} for a model of {len(self.names)} columns")
        return X

    def to_parts(self) -> dict[str, Any]:
        """Take the model apart into what can be saved without pickle.

        Returns
        -------
        dict
            `texts` (name to str), `arrays` (name to np.ndarray) and `meta` (JSON-able).
        """
        texts, arrays, kinds = parts_of(self.learners)
        arrays |= {"scale.knots": self.scale.knots, "scale.scores": self.scale.scores, "typical": self.typical}
        meta = {
            "format": FORMAT,
            "names": list(self.names),
            "learners": kinds,
            "factors": dict(self.factors),
            "constant": self.constant,
            "calibration": self.calibration.as_dict(),
            "record": self.record,
            "settings": self.settings.as_dict(),
        }
        return {"texts": texts, "arrays": arrays, "meta": meta}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any]) -> DeteriorationModel:
        """Put a model together again.

        Raises
        ------
        LoadlineError
            Where the parts are of another format.
        """
        meta, arrays = parts["meta"], parts["arrays"]
        if meta.get("format") != FORMAT:
            raise LoadlineError(
                f"a deterioration model of format {meta.get('format')}, expected {FORMAT}", hint="Train it again."
            )
        return cls(
            tuple(meta["names"]),
            NormalScores(arrays["scale.knots"], arrays["scale.scores"]),
            arrays["typical"],
            {name: learner_from(name, kind, parts) for name, kind in meta["learners"].items()},
            meta["factors"],
            meta["constant"],
            Calibration.from_dict(meta["calibration"]),
            meta["record"],
            WarningSettings.from_dict(meta["settings"]) if "settings" in meta else DEFAULT,
        )


def _calibration(found: Contest, used: DeteriorationProblem) -> Calibration:
    """Calibrate the blend on the rows that decided."""
    if found.ahead and found.forward is not None and found.forward_blend is not None:
        later = used.rows(found.forward.rows)
        return Calibration.fit(found.forward_blend, later.y, later.weight)
    return Calibration.fit(found.blend, used.y, used.weight)


def middle(X: np.ndarray) -> np.ndarray:
    """Give the median of each column (F,), NaN where nothing is known."""
    known = [column[np.isfinite(column)] for column in X.T]
    return np.array([np.median(column) if len(column) else np.nan for column in known], dtype=np.float32)
