"""What a plan is made from: the distributions of one data version, model and policy; the last ones are kept at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError
from models.outcome.distribution import TargetLevels
from models.policy.targets import CalibrationLimits, TargetPolicy
from serving.errors import NotReadyError
from training.progress import Progress, silent

if TYPE_CHECKING:
    from features.store import Snapshot
    from models.bundle import ModelBundle
    from serving.advisor import Advisor
    from serving.plans.plan import Plan
    from serving.suggested import Suggested
    from training.suggest import Suggestions

NOT_FITTED_HERE = "some of these suggestions need a model to be fitted, which takes minutes"


@dataclass(frozen=True, eq=False)
class Material:
    """Distributions of a year, and what they rest on.

    Attributes
    ----------
    snapshot : Snapshot
    year : int
    policy : TargetPolicy
    digest : str
        Of the model; blank where there is none.
    suggestions : Suggestions
    """

    snapshot: Snapshot
    year: int
    policy: TargetPolicy
    digest: str
    suggestions: Suggestions

    @property
    def origin(self) -> int:
        """Give the last period that was used."""
        return self.snapshot.span[1]

    @property
    def fitted(self) -> bool:
        """Tell whether a model was fitted on the spot for any of it."""
        from training.suggest import ON_REQUEST

        return any(part.model_version == ON_REQUEST for part in self.suggestions.parts)


class Materials:
    """Makes material, and keeps the last: people change one plan at a time.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._lock = Lock()
        self._kept: tuple[tuple[Any, ...], Material] | None = None

    def of_suggested(self, served: Suggested, *, may_fit: bool, progress: Progress = silent) -> Material:
        """Give what kept suggestions were made from.

        Parameters
        ----------
        served : Suggested
        may_fit : bool
            False where a caller waits: nothing is fitted then.
        progress : Progress

        Raises
        ------
        NotReadyError
            Where something would have to be fitted and may not.
        """
        from training.suggest import ON_REQUEST

        if not may_fit and (served.mark.digest is None or (served.table["model_version"] == ON_REQUEST).any()):
            raise _needs_fitting("loadline plan draft")
        policy = self._advisor.planning.target_policy(served.snapshot, served.mark.year)
        return self._made(
            served.snapshot,
            served.mark.year,
            policy=policy,
            digest=served.mark.digest or "",
            load=lambda: served.model,
            progress=progress,
        )

    def of_plan(self, plan: Plan, *, may_fit: bool, progress: Progress = silent) -> Material:
        """Give again what a plan was made from, whatever data, model and policy have become since.

        Raises
        ------
        NotReadyError
            Where something would have to be fitted and may not.
        LoadlineError
            Where the data version or the model is not there any more.
        """
        from training.promotion.copies import kept_bundle
        from training.target_model import model_name

        if plan.asked["fitted"] and not may_fit:
            raise _needs_fitting("loadline plan reallocate")
        snapshot = self._advisor.store.snapshot(plan.data_version, dataset=plan.dataset)
        if snapshot.about.fingerprint != plan.fingerprint:
            hint = "Withdraw the plan and draft another one."
            raise LoadlineError("the data that the plan was made from are not there any more", hint=hint)
        home, name = self._advisor.settings.home, model_name(plan.dataset)
        return self._made(
            snapshot,
            plan.year,
            policy=policy_read(plan.asked["policy"]),
            digest=plan.model_digest,
            load=lambda: kept_bundle(home, name, plan.model_digest) if plan.model_digest else None,
            progress=progress,
        )

    def _made(
        self, snapshot: Snapshot, year: int, *, policy: TargetPolicy, digest: str, load, progress: Progress
    ) -> Material:
        from training.suggest import suggest_targets

        about = snapshot.about
        key = (about.dataset, about.version, about.fingerprint, year, policy, digest)
        with self._lock:  # the first to ask has it made; the others wait for it
            if self._kept is None or self._kept[0] != key:
                self._kept = None  # not two of them in memory
                model: ModelBundle | None = load()
                found = suggest_targets(
                    snapshot,
                    year,
                    home=self._advisor.settings.home,
                    origin=snapshot.span[1],
                    latest=True,
                    policy=policy,
                    model=model,
                    progress=progress,
                )
                self._kept = (key, Material(snapshot, year, policy, digest, found))
            return self._kept[1]


def policy_document(policy: TargetPolicy) -> dict[str, Any]:
    """Write rules as plain data."""
    return asdict(policy)


def policy_read(document: Mapping[str, Any]) -> TargetPolicy:
    """Read rules that `policy_document` wrote.

    >>> policy_read(policy_document(TargetPolicy())) == TargetPolicy()
    True
    """
    parts = {"levels": TargetLevels(**document["levels"]), "calibration": CalibrationLimits(**document["calibration"])}
    return TargetPolicy(**{**document, **parts})


def _needs_fitting(command: str) -> NotReadyError:
    return NotReadyError(NOT_FITTED_HERE, hint=f"Use `{command}`, or train and promote a model of all indicators.")
