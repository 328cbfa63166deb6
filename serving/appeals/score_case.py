"""A score under appeal: frozen as it was told, and told again from the same data version, policy and targets."""

from __future__ import annotations

import io
from datetime import date
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from serving.appeals.frozen import Frozen, TamperedError, sha256
from serving.explaining import NoScoreError
from serving.policy_text import policy_of_text
from serving.score_basis import ScoreBasis
from serving.score_course import course_of
from serving.score_explanation import default_against, explained_score
from serving.scoring import PeriodScores, ScoreRequest

if TYPE_CHECKING:
    from models.policy.document import Policy
    from models.scoring.gaps import Against
    from serving.advisor import Advisor
    from training.scoring.closings import Closing

FORMAT = 1
"""Raised when the record is laid out otherwise; records of all formats must stay readable."""


def freeze_score(advisor: Advisor, unit: str, period: str, *, dataset: str | None) -> Frozen:
    """Freeze a unit's score as it is told at this moment.

    Raises
    ------
    NoScoreError
        Where the unit is on no scorecard in the period.
    LoadlineError
        Where the period cannot be scored.
    """
    from models.policy.reading import policy_digest, write_policy

    bases = advisor.explaining.bases
    basis = bases.basis(ScoreRequest(period), dataset=dataset)
    against = default_against(basis)
    used: dict[str, Closing] = {}
    told = _told(advisor, basis, unit, against=against, table=bases.table(basis), used=used)
    policy, versions, targets = basis.network.policy, basis.network.versions, basis.scores.targets
    materials = {}
    written = write_policy(policy).encode()
    materials[sha256(written)] = written
    frozen_targets = None
    if targets is not None:
        packed = _packed(targets)
        materials[sha256(packed)] = packed
        frozen_targets = {"material": sha256(packed), "rows": len(targets)}
    content = {
        "format": FORMAT,
        "kind": "score",
        "dataset": basis.snapshot.about.dataset,
        "unit": unit,
        "period": basis.period,
        "indicator": "",
        "data_version": versions.data_version,
        "fingerprint": versions.fingerprint,
        "known_on": versions.known_on.isoformat(),
        "known_on_given": basis.scores.known_on_given,
        "policy": {"label": versions.policy, "digest": policy_digest(policy), "material": sha256(written)},
        "targets": frozen_targets,
        "models": {"targets": versions.targets},
        "closing": None if basis.closed is None else _named(basis.closed),
        "trend": {name: _named(closing) for name, closing in used.items()},
        "notes": _around(basis.scores.notes, basis.network.notes),
        "policy_note": basis.scores.policy_note,
        "against": against,
        "release": installed("loadline"),
        "figure": told["score"],
        "told": told,
    }
    return Frozen(content, materials)


def score_again(advisor: Advisor, frozen: Frozen) -> dict[str, Any]:
    """Tell the score once more, from what was frozen and nothing else.

    Raises
    ------
    TamperedError
        Where the data version or a material is not the one that was frozen.
    LoadlineError
        Where something is missing.
    """
    from models.policy.reading import policy_digest
    from training.scoring.network import score_network
    from training.scoring.tables import summary

    about = frozen.content
    snapshot = frozen_snapshot(advisor, frozen)
    policy = frozen_policy(frozen)
    if policy_digest(policy) != about["policy"]["digest"]:
        raise TamperedError("the policy is not the one that was frozen")
    kept = about["targets"]
    targets = None if kept is None else pd.read_parquet(io.BytesIO(frozen.material(kept["material"])))
    ordinal = snapshot.description.calendar.parse(about["period"])
    network = score_network(
        snapshot,
        policy,
        [ordinal],
        targets=targets,
        targets_version=about["models"]["targets"],
        known_on=date.fromisoformat(about["known_on"]) if about["known_on_given"] else None,
    )
    notes = (*about["notes"]["before"], *network.notes, *about["notes"]["after"])
    scores = PeriodScores(
        about["period"], network, targets, about["known_on_given"], about["policy_note"], tuple(notes)
    )
    closed = None if about["closing"] is None else _closing(advisor, snapshot, about["period"], about["closing"])
    basis = ScoreBasis(snapshot, ordinal, scores, closed, ("appeal", frozen.digest))
    return _told(advisor, basis, about["unit"], against=about["against"], table=summary(network), named=about["trend"])


def frozen_snapshot(advisor: Advisor, frozen: Frozen) -> Snapshot:
    """Open the data version that was frozen.

    Raises
    ------
    TamperedError
        Where the store has another one under its number.
    """
    about = frozen.content
    snapshot = advisor.store.snapshot(about["data_version"], dataset=about["dataset"])
    if snapshot.about.fingerprint != about["fingerprint"]:
        raise TamperedError(
            f"data version {about['data_version']} is not the one that was frozen",
            where=about["dataset"],
            hint="Restore the store from a backup that belongs to this database.",
        )
    return snapshot


def frozen_policy(frozen: Frozen) -> Policy:
    """Read the policy that was frozen."""
    return policy_of_text(frozen.material(frozen.content["policy"]["material"]).decode())


def _told(
    advisor: Advisor,
    basis: ScoreBasis,
    unit: str,
    *,
    against: Against,
    table: pd.DataFrame,
    used: dict[str, Closing] | None = None,
    named: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Tell a score with its explanation; earlier periods as the closings named, else as those that stand now.

    The closings that were used are noted in `used`.
    """
    from training.scoring.archive import read_closed
    from training.scoring.closings import latest

    home, dataset = advisor.settings.home, basis.snapshot.about.dataset
    scores = basis.row(unit)
    if scores is None:
        raise NoScoreError(f"{unit!r} is on no scorecard in {basis.period}", hint="There is no score to appeal.")

    def standing(period: str) -> Closing | None:
        if named is not None:
            return None if period not in named else _closing(advisor, basis.snapshot, period, named[period])
        found = latest(home, dataset, period, level=basis.network.policy.level)
        if found is not None and used is not None:
            used[period] = found
        return found

    def closed_table(closing: Closing) -> pd.DataFrame:
        return read_closed(home, dataset, closing.period, level=closing.level, version=closing.version).summary

    course = course_of(basis, table, standing=standing, closed_table=closed_table)
    return explained_score(basis, scores, unit, against=against, course=course).model_dump(mode="json")


def _closing(advisor: Advisor, snapshot: Snapshot, period: str, named: dict[str, Any]) -> Closing:
    from training.scoring.closings import closings

    wanted = (period, named["level"], named["version"])
    for closing in closings(advisor.settings.home, snapshot.about.dataset):
        if (closing.period, closing.level, closing.version) == wanted:
            return closing
    raise LoadlineError(
        f"version {named['version']} of the closed period {period} is missing",
        where=snapshot.about.dataset,
        hint="Restore the home from a backup that belongs to this database.",
    )


def _named(closing: Closing) -> dict[str, Any]:
    return {"level": closing.level, "version": closing.version}


def _around(every: tuple[str, ...], inner: tuple[str, ...]) -> dict[str, list[str]]:
    """Give the notes before and after those that scoring itself makes."""
    length = len(inner)
    starts = [at for at in range(len(every) - length + 1) if every[at : at + length] == inner]
    at = starts[-1] if starts else len(every)
    return {"before": list(every[:at]), "after": list(every[at + length :])}


def _packed(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
