"""A look at the models that serve: every check, as of a period, from what was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.indicators import Title
from features.snapshot import Snapshot
from training.monitoring.catalogue import TARGET_CHECKS, WARNING_CHECKS
from training.monitoring.finding import STATES, Finding, too_little
from training.monitoring.promises import kept_targets
from training.monitoring.rules import CheckRules
from training.monitoring.standing import standing_model
from training.monitoring.watched import target_watch, with_targets
from training.monitoring.watched_warning import warning_watch
from training.progress import Progress, silent
from training.review.labels import reviewed_labels
from training.target_model import model_name as target_name
from training.warning.gathering import gathered

if TYPE_CHECKING:
    from training.monitoring.proposal import Proposal

KINDS = ("target", "warning")
LOOK_FORMAT = 1


@dataclass(frozen=True)
class Look:
    """What a look at the models came to.

    Attributes
    ----------
    findings : tuple of Finding
        One a check, in the order of the rules.
    about : Mapping
        `dataset, data_version, fingerprint, as_of, known_on, latest, models` (version by kind; None where there is
        none).
    opened : tuple of Proposal
        Proposals that this look opened.
    standing : tuple of Proposal
        All that are open once it was done.
    """

    findings: tuple[Finding, ...]
    about: Mapping[str, Any]
    opened: tuple[Proposal, ...] = ()
    standing: tuple[Proposal, ...] = ()

    @property
    def breaches(self) -> tuple[Finding, ...]:
        """Give the findings that are beyond their thresholds."""
        return tuple(finding for finding in self.findings if finding.state == "breach")

    @property
    def summary(self) -> Title:
        """Say in a sentence what was found."""
        judged = [finding for finding in self.findings if finding.state != "too little data"]
        silent_ = len(self.findings) - len(judged)
        period = self.about["as_of"]
        return Title(
            en=f"As of {period}: {len(judged)} of {len(self.findings)} checks could be made, {len(self.breaches)} "
            f"beyond the threshold, {silent_} with too little data. Nothing is trained without a person's yes.",
            zh=f"截至{period}：{len(self.findings)}项检查中{len(judged)}项可判断，{len(self.breaches)}项超限，"
            f"{silent_}项数据不足。未经人员同意不会重新训练。",
        )

    def table(self) -> pd.DataFrame:
        """Give a row a check: `model, check, measured, threshold, low, high, sample, state, finding, finding_zh`."""
        rows = [
            {
                "model": finding.model,
                "version": finding.version,
                "check": finding.check,
                "measured": finding.measured,
                "threshold": " to ".join(f"{limit:g}" for limit in finding.threshold),
                "low": None if finding.interval is None else finding.interval[0],
                "high": None if finding.interval is None else finding.interval[1],
                "sample": finding.sample,
                "state": finding.state,
                "finding": finding.text.en,
                "finding_zh": finding.text.zh,
            }
            for finding in self.findings
        ]
        return pd.DataFrame(rows)

    def as_dict(self) -> dict[str, Any]:
        """Give the look as plain JSON."""
        return {
            "format": LOOK_FORMAT,
            "about": dict(self.about),
            "summary": self.summary.model_dump(),
            "findings": [
                finding.as_dict() | {"state_text": STATES[finding.state].model_dump()} for finding in self.findings
            ],
            "opened": [proposal.as_dict() for proposal in self.opened],
            "open": [proposal.as_dict() for proposal in self.standing],
        }


def look(
    snapshot: Snapshot,
    home: Path,
    *,
    origin: int,
    latest: bool,
    rules: CheckRules | None = None,
    kinds: Sequence[str] = KINDS,
    progress: Progress = silent,
) -> Look:
    """Make every check of the models of a dataset; writes nothing.

    Parameters
    ----------
    snapshot : Snapshot
    home : Path
        Where models, reviews and targets are kept.
    origin : int
        Last period (ordinal) that may be used.
    latest : bool
        True for the champions of now and everything known by now; False for a look back, which uses only what was known
        at the end of `origin`, and models that had learned from nothing later.
    rules : CheckRules, optional
        Those of the home by default.
    kinds : sequence of str
        Of `KINDS`.
    progress : Progress

    Raises
    ------
    LoadlineError
        Where a record or a model is damaged.
    """
    rules = rules or CheckRules.read(home)
    found: dict[str, tuple[Finding, ...]] = {}
    if "target" in kinds:
        found["target"] = _target(snapshot, home, rules, origin=origin, latest=latest, progress=progress)
    if "warning" in kinds:
        found["warning"] = _warning(snapshot, home, rules, origin=origin, latest=latest, progress=progress)
    calendar = snapshot.description.calendar
    about = {
        "dataset": snapshot.about.dataset,
        "data_version": snapshot.about.version,
        "fingerprint": snapshot.about.fingerprint,
        "as_of": calendar.format(origin),
        "known_on": str(snapshot.last_known if latest else calendar.end(origin)),
        "latest": latest,
        "models": {kind: next((f.version or None for f in findings), None) for kind, findings in found.items()},
    }
    return Look(tuple(finding for kind in found for finding in found[kind]), about)


def with_proposals(seen: Look, opened: tuple[Proposal, ...], standing: tuple[Proposal, ...]) -> Look:
    """Add what the look did to the record of proposals."""
    return replace(seen, opened=opened, standing=standing)


def _target(
    snapshot: Snapshot, home: Path, rules: CheckRules, *, origin: int, latest: bool, progress: Progress
) -> tuple[Finding, ...]:
    mine = [rule for rule in rules if rule.model == "target"]
    standing = standing_model(snapshot, home, origin=origin, latest=latest, progress=progress)
    if standing is None:
        name = target_name(snapshot.about.dataset)
        return tuple(too_little(rule, name, "", text=_no_model(snapshot)) for rule in mine)
    watch = target_watch(snapshot, standing, origin=origin, latest=latest, progress=progress)
    watch = with_targets(watch, kept_targets(watch, home))
    return tuple(TARGET_CHECKS[rule.key](watch, rule) for rule in mine)


def _warning(
    snapshot: Snapshot, home: Path, rules: CheckRules, *, origin: int, latest: bool, progress: Progress
) -> tuple[Finding, ...]:
    mine = [rule for rule in rules if rule.model == "warning"]
    calendar = snapshot.description.calendar
    until: date = date.max if latest else calendar.end(origin)
    reviewed = reviewed_labels(home, snapshot.about.dataset, as_of=None if latest else until)
    _, material = gathered(snapshot, origin, reviewed=reviewed, known_on=None if latest else until, progress=progress)
    watch = warning_watch(snapshot, material, home=home, origin=origin, latest=latest)
    return tuple(WARNING_CHECKS[rule.key](watch, rule) for rule in mine)


def _no_model(snapshot: Snapshot) -> Title:
    return Title(
        en=f"No model of {snapshot.about.dataset} serves that says what it learned from.",
        zh=f"{snapshot.about.dataset}尚无在用且说明训练范围的模型。",
    )
