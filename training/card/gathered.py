"""What the cards of all models have in common, gathered from the data version, the bundle and the request."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.indicators import Title
from features.snapshot import Snapshot
from models.bundle import ModelBundle
from training.card.bank_texts import CardTexts
from training.card.facts import CardFacts, CardTable, Kind, Said, Signature, texts
from training.card.tables import (
    against_table,
    checks_table,
    definitions_table,
    groups_table,
    overlap_table,
    rules_table,
    settings_table,
    tried_table,
)
from training.card.words import filled, title, title_of
from training.gating.gate import Gate
from training.gating.rules import GateRules
from training.monitoring.rules import CheckRules

if TYPE_CHECKING:
    from training.gating.comparison import Comparison
    from training.gating.stability import Overlap
    from training.retraining.decision import Decision
    from training.retraining.request import TrainingRequest
    from training.tuning.tuned import Tuned

LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "optuna", "deltalake", "mlflow", "dbos")
"""Named with their versions on the card."""


@dataclass(frozen=True)
class Around:
    """What a card says besides the model itself; all of it may be missing.

    Attributes
    ----------
    request : TrainingRequest, optional
        Whose run, operator, time and reason are shown.
    decision : Decision or sequence of Title, optional
    tuned : Tuned, optional
    comparison : Comparison, optional
    overlap : Overlap, optional
    rules : GateRules, optional
        With the reason of each threshold; those of the home where there is one.
    bank : CardTexts
        What the bank adds.
    signatures : Mapping, optional
        By role.
    checks : CheckRules, optional
        What is watched once the model serves; those of the home where there is one.
    breaks : pd.DataFrame, optional
        Changes of definition taken into account.
    drivers : pd.DataFrame, optional
    by, at : str
        Operator and time, where there is no request.
    """

    request: TrainingRequest | None = None
    decision: Decision | Sequence[Title] | None = None
    tuned: Tuned[Any] | None = None
    comparison: Comparison | None = None
    overlap: Overlap | None = None
    rules: GateRules | None = None
    bank: CardTexts = field(default_factory=CardTexts)
    signatures: Mapping[str, Signature] | None = None
    checks: CheckRules | None = None
    breaks: pd.DataFrame | None = None
    drivers: pd.DataFrame | None = None
    by: str = ""
    at: str = ""


def around(home: str | Path | None, kind: Kind, **given: Any) -> Around:
    """Gather what is known besides the model; rules, checks and texts of the bank are read from its home."""
    if home is not None:
        given = {
            "rules": GateRules.read(home),
            "checks": CheckRules.read(home),
            "bank": CardTexts.read(home, kind),
        } | given
    return Around(**given)


def gathered(
    snapshot: Snapshot,
    name: str,
    bundle: ModelBundle,
    gates: Sequence[Gate],
    given: Around,
    *,
    kind: Kind,
    indicators: Sequence[str],
    said: Mapping[str, Sequence[Title]],
    data: Mapping[str, Said],
    tables: Mapping[str, pd.DataFrame | None],
    part_title: Callable[[str], Said],
) -> CardFacts:
    """Put the facts of a card together.

    Parameters
    ----------
    snapshot : Snapshot
    name : str
        Of the model in the registry.
    bundle : ModelBundle
    gates : sequence of Gate
    given : Around
    kind : str
    indicators : sequence of str
        Codes whose definitions are shown.
    said, data, tables : Mapping
        What is particular to the kind: sentences, values of the data and tables, by place.
    part_title : callable
        Names a part of the model, such as an indicator and level, by its key.
    """
    bank, tuned, compared = given.bank, given.tuned, given.comparison
    every = {
        "definitions": definitions_table(snapshot, indicators),
        "breaks": given.breaks,
        "settings": None if tuned is None else settings_table(tuned),
        "tried": None if tuned is None else tried_table(tuned),
        "champion_by_origin": None if compared is None else against_table(compared.by_origin()),
        "champion_by_group": None if compared is None else groups_table(compared.by_group()),
        "overlap": None if given.overlap is None else overlap_table(given.overlap, part_title),
        "drivers": given.drivers,
        "rules": None if given.rules is None else rules_table(given.rules, kind),
        "monitoring": None if given.checks is None else checks_table(given.checks, kind),
        **tables,
    }
    sentences = {
        "decision": _lines(given.decision, kind),
        "tuning": () if tuned is None else (tuned.text,),
        "compared": () if compared is None else (compared.text, *compared.notes),
        "stability": () if given.overlap is None else (_stability(given.overlap), *given.overlap.notes),
        "synthetic": (title("synthetic"),) if snapshot.description.synthetic else (),
        "limits": bank.limits,
        "not_for": bank.not_for,
        "monitoring": (*((title("watch"),) if given.checks is not None else ()), *bank.monitoring),
        "references": bank.references,
    }
    for place, more in said.items():
        sentences[place] = (*sentences.get(place, ()), *more)
    held = {place: table for place, one in every.items() if (table := CardTable.of(one)) is not None}
    return CardFacts(
        name,
        bundle.version,
        kind,
        {place: texts(list(lines)) for place, lines in sentences.items() if lines},
        {
            "about": {"kind": title_of("kind_names", kind), **_bank(bank)},
            "data": _data(snapshot, bundle) | dict(data),
            "training": _training(bundle, given),
            "versions": _versions(bundle) | {"champion": None if compared is None else _champion(compared)},
        },
        held,
        tuple(gates),
        dict(given.signatures or {}),
    )


def _bank(bank: CardTexts) -> dict[str, Said]:
    return {"owner": bank.owner, "contact": bank.contact, "users": bank.users, "materiality": bank.materiality}


def _data(snapshot: Snapshot, bundle: ModelBundle) -> dict[str, Said]:
    about, meta, description = snapshot.about, bundle.meta, snapshot.description
    return {
        "dataset": Title(
            en=f"{about.dataset} ({description.title.en})", zh=f"{about.dataset}（{description.title.zh}）"
        ),
        "source": description.source,
        "licence": description.licence,
        "period": f"{about.first_period} – {about.last_period}",
        "as_of": meta.get("as_of"),
        "known_on": meta.get("known_on"),
        "units": about.units,
        "indicators": about.indicators,
        "figures": sum(version.added for version in snapshot.chain),
        "data_version": str(about.version),
        "checksum": about.fingerprint,
    }


def _training(bundle: ModelBundle, given: Around) -> dict[str, Said]:
    request, meta = given.request, bundle.meta
    asked: dict[str, Said] = {} if request is None else {
        "run": request.run,
        "reason": request.reason,
        "trials": str(request.trials),
        "cluster": request.cluster or Title(en="none, this process only", zh="无，仅本进程"),
    }  # fmt: skip
    return asked | {
        "operator": (request.by if request is not None else "") or given.by,
        "trained_at": _moment((request.at if request is not None else "") or given.at),
        "policy": meta.get("policy_version") or (request.policy if request is not None else None),
        "seed": str(meta["seed"]) if "seed" in meta else None,
        "gate_rules": None if given.rules is None else given.rules.version,
    }


def _versions(bundle: ModelBundle) -> dict[str, Said]:
    return {
        "model_digest": bundle.digest,
        "code_version": bundle.meta.get("code_version"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "libraries": ", ".join(f"{library} {installed(library)}" for library in LIBRARIES),
    }


def _stability(overlap: Overlap) -> Title:
    if overlap.share is None:
        return title("stability.first")
    return filled("stability.share", share=f"{overlap.share:.1%}", rows=f"{overlap.rows:,}")


def _champion(compared: Comparison) -> Said:
    return compared.champion or title("none")


def _lines(decision: Decision | Sequence[Title] | None, kind: Kind) -> tuple[Title, ...]:
    """Take what is decided of the model itself and of its history."""
    if decision is None:
        return ()
    if isinstance(decision, Sequence):
        return texts(decision)
    return tuple(action.line for action in decision.actions if action.subject in (kind, "history"))


def _moment(at: str) -> str:
    """Write a time as people read it.

    >>> _moment("2024-03-01T09:00:00+00:00")
    '2024-03-01 09:00 UTC'
    """
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""
