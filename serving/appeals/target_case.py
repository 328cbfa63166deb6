"""A suggested target under appeal: frozen as it was told, and made again from the same data, policy and model."""

from __future__ import annotations

import hashlib
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError
from models.policy.targets import DEFAULT_POLICY
from serving.appeals.frozen import Frozen, TamperedError, plain, sha256
from serving.appeals.score_case import FORMAT, frozen_policy, frozen_snapshot
from serving.errors import NotFoundError
from serving.suggested import SHOWN, Mark, Suggested

if TYPE_CHECKING:
    from models.bundle import ModelBundle
    from models.policy.targets import TargetPolicy
    from serving.advisor import Advisor


def freeze_target(advisor: Advisor, unit: str, indicator: str, suggested: Suggested) -> Frozen:
    """Freeze a suggested target as it is told at this moment.

    Parameters
    ----------
    advisor : Advisor
    unit, indicator : str
    suggested : Suggested
        The suggestions that are told.

    Raises
    ------
    NotFoundError
        Where there is no suggestion for the unit on the indicator.
    LoadlineError
        Where the policy has changed since the suggestions were made.
    """
    from models.policy.reading import policy_digest, write_policy
    from training.policies import found_policy

    mark, snapshot = suggested.mark, suggested.snapshot
    calendar = snapshot.description.calendar
    day = calendar.start(calendar.first_of_year(mark.year))
    found = found_policy(snapshot, advisor.settings.home, day=day)
    if _rules(DEFAULT_POLICY if found is None else found[0].target_policy) != mark.rules:
        raise LoadlineError(
            "the policy has changed since these targets were suggested", hint="Ask again once they are made anew."
        )
    told = _told(suggested, unit, indicator)
    materials, policy = {}, None
    if found is not None:
        written = write_policy(found[0]).encode()
        materials[sha256(written)] = written
        policy = {"label": found[0].label, "digest": policy_digest(found[0]), "material": sha256(written)}
    content = {
        "format": FORMAT,
        "kind": "target",
        "dataset": mark.dataset,
        "unit": unit,
        "period": str(mark.year),
        "indicator": indicator,
        "data_version": mark.version,
        "fingerprint": mark.fingerprint,
        "known_on": snapshot.last_known.isoformat(),
        "rules": mark.rules,
        "policy": policy,
        "targets": None,
        "models": {"champion": mark.digest},
        "release": installed("loadline"),
        "figure": told["row"]["target"],
        "told": told,
    }
    return Frozen(content, materials)


def target_again(advisor: Advisor, frozen: Frozen) -> dict[str, Any]:
    """Suggest the target once more, from what was frozen and nothing else.

    Raises
    ------
    TamperedError
        Where the data version, the policy or the model is not the one that was frozen.
    LoadlineError
        Where something is missing.
    """
    from training.promotion.copies import kept_bundle
    from training.target_model import model_name

    about, home = frozen.content, advisor.settings.home
    snapshot = frozen_snapshot(advisor, frozen)
    rules = DEFAULT_POLICY if about["policy"] is None else frozen_policy(frozen).target_policy
    if _rules(rules) != about["rules"]:
        raise TamperedError("what the policy says about targets is not what was frozen")
    digest, year = about["models"]["champion"], int(about["period"])
    model: ModelBundle | None = None
    if digest is not None:
        model = kept_bundle(home, model_name(about["dataset"]), digest)
    plan = advisor.planning.plan(year, dataset=about["dataset"], snapshot=snapshot, policy=rules, model=model)
    mark = Mark(about["dataset"], about["data_version"], about["fingerprint"], about["rules"], year, digest)
    suggested = Suggested(mark, snapshot, plan.frame, home, lambda: model)
    return _told(suggested, about["unit"], about["indicator"])


def _told(suggested: Suggested, unit: str, indicator: str) -> dict[str, Any]:
    rows = suggested.of(unit)
    rows = rows[(rows["indicator"] == indicator) & rows["target"].notna()]
    if rows.empty:
        raise NotFoundError(
            f"there is no suggested target for {unit!r} on {indicator!r} in {suggested.mark.year}",
            hint="There is nothing to appeal. GET /api/v1/targets tells which targets are suggested.",
        )
    return {
        "row": plain(dict(rows.iloc[0])),
        "explanation": plain(suggested.explain(unit, indicator)),
    }


def _rules(policy: TargetPolicy) -> str:
    return hashlib.sha256(repr(policy).encode()).hexdigest()[:SHOWN]
