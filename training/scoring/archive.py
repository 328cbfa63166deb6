"""The archive of closed periods: what was scored, from what and under which policy, kept for good.

A period that is closed never changes. Figures restated later make a new version beside the one before, with the
difference. A version counts once the record names it, which is the last thing written: a folder that the record does
not name was left by a process that ended early, and is never read.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot, Store
from models.policy.document import Policy
from models.policy.reading import policy_digest, read_policy, write_policy
from training.journal import write_copy
from training.lock import file_lock
from training.policies import in_force
from training.policy_record import lock_path
from training.scoring.closings import Closing, broken, closings, dataset_folder, latest, record
from training.scoring.differences import differences
from training.scoring.lines import lines
from training.scoring.network import Network, score_network
from training.scoring.tables import summary

SUMMARY, LINES, TARGETS, DIFFERENCE = "summary.parquet", "lines.parquet", "targets.parquet", "difference.parquet"
POLICY = "policy.yaml"
NO_FIGURES = ("name", "reason", "notes", "targets_version", "data_version", "known_on")
"""Columns in which two scorings may differ that agree in every figure: words, and where the figures come from."""
SHORTEST_NAME, SHORTEST_REASON = 2, 2
"""Characters: 审计调整 is a reason."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, eq=False)
class ClosedScores:
    """A version of a closed period, read back and verified; `difference` is to the version before, if there is one."""

    closing: Closing
    summary: pd.DataFrame
    lines: pd.DataFrame
    policy: Policy
    targets: pd.DataFrame | None
    difference: pd.DataFrame | None


@dataclass(frozen=True, eq=False)
class Reproduction:
    """What came of scoring a closed period again from what is stored.

    Attributes
    ----------
    closing : Closing
    same : bool
        True where every figure of every line is the same, to the last digit.
    difference : pd.DataFrame
        As `differences`; empty where no amount differs.
    """

    closing: Closing
    same: bool
    difference: pd.DataFrame


def close(
    home: Path,
    network: Network,
    *,
    dataset: str,
    targets: pd.DataFrame | None,
    known_on_given: bool,
    by: str,
    reason: str,
    clock: Clock,
) -> tuple[Closing, bool]:
    """Close a period, or put a restated version beside it.

    Parameters
    ----------
    home : Path
    network : Network
        Scores of one period.
    dataset : str
    targets : pd.DataFrame, optional
        Those that the scores were compared with.
    known_on_given : bool
        True where the scores leave out what became known after a day.
    by, reason : str
        The reason may be empty when the period is closed for the first time.
    clock : callable
        Gives the time, with its zone.

    Returns
    -------
    closing : Closing
        The version that now stands.
    new : bool
        False where the same figures were closed already: nothing is written then.

    Raises
    ------
    LoadlineError
        Without a name; where the policy is not the one that was activated for the period, or that it was closed under;
        where the scores differ from those closed and no reason is given.
    """
    period = _single(network)
    if len(by.strip()) < SHORTEST_NAME:
        raise LoadlineError("closing a period needs a name", where="--by", hint="State who closes it.")
    policy, versions, calendar = network.policy, network.versions, network.calendar
    tables = {SUMMARY: summary(network), LINES: lines(network)}
    if targets is not None:
        tables[TARGETS] = targets
    with file_lock(lock_path(home, dataset)):
        before = latest(home, dataset, calendar.format(period), level=policy.level)
        if before is None:
            _check_in_force(home, dataset, policy, calendar.end(period))
        else:
            earlier = read_closed(home, dataset, before.period, level=before.level, version=before.version)
            if _agree(earlier, policy, tables):
                return before, False
            _check_reclosing(earlier, policy, reason)
            tables[DIFFERENCE] = differences(earlier.lines, tables[LINES])
        packed = {name: _packed(frame) for name, frame in tables.items()} | {POLICY: write_policy(policy).encode()}
        closing = Closing(
            period=calendar.format(period),
            level=policy.level,
            version=1 if before is None else before.version + 1,
            at=clock().astimezone(UTC),
            by=by.strip(),
            reason=reason.strip(),
            first_day=calendar.start(period),
            last_day=calendar.end(period),
            policy=versions.policy,
            data_version=versions.data_version,
            fingerprint=versions.fingerprint,
            known_on=versions.known_on,
            known_on_given=known_on_given,
            targets=versions.targets,
            code_version=installed("loadline"),
            files={name: hashlib.sha256(written).hexdigest() for name, written in packed.items()},
        )
        folder = version_folder(home, dataset, closing)
        for name, written in packed.items():
            write_copy(folder / name, written)
        record(home, dataset, closing)
    return closing, True


def read_closed(
    home: Path, dataset: str, period: str, *, level: str | None = None, version: int | None = None
) -> ClosedScores:
    """Read a version of a closed period, the last by default; every file is verified before it is parsed.

    Raises
    ------
    LoadlineError
        Where there is no such version, or a file is missing or was changed.
    """
    every = [c for c in closings(home, dataset) if c.period == period and level in (None, c.level)]
    fitting = [c for c in every if version in (None, c.version)]
    if not fitting:
        under = "" if level is None else f" under a policy of level {level}"
        asked = f"there is no version {version} of {period}" if every else f"{period} is not closed{under}"
        hint = f"The last version is {every[-1].version}." if every else "`loadline closed` lists the closed periods."
        raise LoadlineError(asked, where=dataset, hint=hint)
    closing = fitting[-1]
    folder = version_folder(home, dataset, closing)
    content = {name: _verified(folder / name, digest) for name, digest in closing.files.items()}
    missing = sorted({SUMMARY, LINES, POLICY} - set(content))
    if missing:
        raise broken(folder, f"the record of version {closing.version} lacks {', '.join(missing)}")
    tables = {name: pd.read_parquet(io.BytesIO(raw)) for name, raw in content.items() if name != POLICY}
    return ClosedScores(
        closing,
        tables[SUMMARY],
        tables[LINES],
        read_policy(folder / POLICY),
        tables.get(TARGETS),
        tables.get(DIFFERENCE),
    )


def reproduce(
    home: Path, store: Store, dataset: str, period: str, *, level: str | None = None, version: int | None = None
) -> Reproduction:
    """Score a closed period again from its data version, policy and targets, and compare every figure.

    Raises
    ------
    LoadlineError
        Where there is no such version, or what it was scored from is missing or was changed.
    """
    closed = read_closed(home, dataset, period, level=level, version=version)
    _, network = scored_again(store, dataset, closed)
    tables = {SUMMARY: summary(network), LINES: lines(network)}
    if closed.targets is not None:
        tables[TARGETS] = closed.targets
    return Reproduction(closed.closing, _agree(closed, closed.policy, tables), differences(closed.lines, tables[LINES]))


def scored_again(store: Store, dataset: str, closed: ClosedScores) -> tuple[Snapshot, Network]:
    """Score a closed period from its data version, policy and targets.

    Raises
    ------
    LoadlineError
        Where the data version is missing or is another one.
    """
    closing = closed.closing
    snapshot = store.snapshot(closing.data_version, dataset=dataset)
    if snapshot.about.fingerprint != closing.fingerprint:
        raise LoadlineError(
            f"data version {closing.data_version} is not the one that {closing.period} was scored from",
            where=dataset,
            hint="Restore the store from a backup that belongs to this archive.",
        )
    network = score_network(
        snapshot,
        closed.policy,
        [snapshot.description.calendar.parse(closing.period)],
        targets=closed.targets,
        targets_version=closing.targets,
        known_on=closing.known_on if closing.known_on_given else None,
    )
    return snapshot, network


def version_folder(home: Path, dataset: str, closing: Closing) -> Path:
    """Give the folder of a version."""
    return dataset_folder(home, dataset) / closing.period / f"{closing.level}-{closing.version}"


def _single(network: Network) -> int:
    periods = np.unique(network.figures.period)
    if len(periods) != 1:
        raise LoadlineError(
            f"{len(periods)} periods cannot be closed at once", where="--period", hint="Close one after the other."
        )
    return int(periods[0])


def _check_in_force(home: Path, dataset: str, policy: Policy, day: date) -> None:
    """Refuse to close a period under another policy than the one that was activated for it, if any was."""
    active = in_force(home, dataset, day, level=policy.level)
    if active is not None and not _same_rules(active, policy):
        raise LoadlineError(
            f"{active.label} is in force on {day}, but the scores are under {policy.label}",
            where="--policy",
            hint="Leave --policy out to close the period under the policy in force.",
        )


def _check_reclosing(earlier: ClosedScores, policy: Policy, reason: str) -> None:
    closing = earlier.closing
    if not _same_rules(earlier.policy, policy):
        raise LoadlineError(
            f"{closing.period} was closed under {closing.policy}; a closed period keeps its policy",
            where="--policy",
            hint="Restated figures or corrected targets make a new version. Another policy can begin after the period.",
        )
    if len(reason.strip()) < SHORTEST_REASON:
        raise LoadlineError(
            f"{closing.period} is closed, and its scores are no longer the same",
            where="--reason",
            hint="State why; a new version is then put beside the one before, with the difference.",
        )


def _same_rules(one: Policy, other: Policy) -> bool:
    """Tell whether two policies are the same but for their days in force, which end when another follows."""
    return policy_digest(one.model_copy(update={"effective": other.effective})) == policy_digest(other)


def _agree(closed: ClosedScores, policy: Policy, tables: Mapping[str, pd.DataFrame]) -> bool:
    """Tell whether a scoring is the closed one in every figure, each as its shortest decimal.

    Columns that a later version of the program adds do not count.
    """
    pairs = [(closed.summary, tables[SUMMARY]), (closed.lines, tables[LINES])]
    if (closed.targets is None) is not (TARGETS not in tables):
        return False
    if closed.targets is not None:
        pairs.append((closed.targets, tables[TARGETS]))
    if not _same_rules(closed.policy, policy):
        return False
    for before, now in pairs:
        columns = [name for name in before.columns if name not in NO_FIGURES]
        if not set(columns) <= set(now.columns) or _written(before, columns) != _written(now, columns):
            return False
    return True


def _written(frame: pd.DataFrame, columns: list[str]) -> str:
    return frame[columns].to_csv(index=False)


def _packed(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _verified(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise broken(path, "a file of a closed period is missing") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise broken(path, "the file is not the one that was closed")
    return content
