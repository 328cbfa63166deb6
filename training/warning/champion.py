"""Training the warning model that serves: fit, replay, register, check the gates, promote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.errors import LoadlineError
from features.indicators import Title
from models.bundle import ModelBundle
from training.gates import Gate
from training.progress import Progress, silent
from training.promote import champion, champion_digest, promote
from training.track import Tracker
from training.warning.fitting import PRIOR, Fitted, about_origin, fitted, from_bundle, model_name, to_bundle
from training.warning.forward_chain import YEARS, forward_chain
from training.warning.material import Material
from training.warning.record import record_warning_run, warning_card
from training.warning.schedule import training_origin
from training.warning.warning_gates import check_warning_gates


@dataclass(frozen=True)
class WarningTraining:
    """What training the warning model came to.

    Attributes
    ----------
    model : str
        Name in the registry.
    model_version : str
        Digest of the bundle, shortened; "" where none was learned.
    as_of : str
        Last period learned from; "" where no year was over yet.
    note : Title
        What it rests on, or why there is none.
    gates : tuple of Gate
    table : pd.DataFrame
        The model and what it has to beat over replayed years, columns as of `evaluation.Skill`.
    promoted : bool
    """

    model: str
    model_version: str
    as_of: str
    note: Title
    gates: tuple[Gate, ...]
    table: pd.DataFrame
    promoted: bool

    @property
    def lines(self) -> tuple[str, str]:
        """Say in two lines what came of it."""
        if not self.model_version:
            return "No warning model.", self.note.en
        failed = "; ".join(gate.text["en"] for gate in self.gates if not gate.passed)
        outcome = "promoted" if self.promoted else f"not promoted; the champion stays. {failed}"
        compared = next((gate.text["en"] for gate in self.gates if gate.name == "beats_simple"), "")
        return f"Warning model {self.model_version} as of {self.as_of}: {outcome}", compared


def train_warning(
    material: Material,
    *,
    home: Path,
    as_of: int,
    tracker: Tracker,
    seed: int,
    by: str,
    clock: Callable[[], datetime],
    progress: Progress = silent,
    years: int = YEARS,
) -> WarningTraining:
    """Train as of the last training date that has passed, see `schedule`, and promote the model if it passes the gates.

    Parameters
    ----------
    material : Material
        Up to `as_of`.
    home : Path
    as_of : int
        Period (ordinal) at whose end is trained.
    tracker : Tracker
    seed : int
    by : str
        Who asked, for the record.
    clock : callable
    progress : Progress
    years : int
        Most past years that are replayed to judge the model.
    """
    snapshot = material.snapshot
    calendar, name = snapshot.description.calendar, model_name(snapshot.about.dataset)
    origin = training_origin(calendar, as_of, begin=material.first)
    progress("warning model", 0, 2)
    found = fitted(material, origin, seed=seed, home=home)
    if found.model is None:
        return WarningTraining(name, "", "", found.note, (), pd.DataFrame(), promoted=False)
    progress("warning model", 1, 2)
    chain = forward_chain(material, material.labels_at(as_of), seed=seed, home=home, years=years)
    bundle = _bundle(material, found, seed)
    gates = check_warning_gates(found, chain)
    card = warning_card(snapshot, name, bundle, found, chain, gates, by=by, at=clock())
    record_warning_run(name, bundle, chain, card, tracker=tracker)
    progress("warning model", 2, 2)
    table = chain.table() if chain.years else pd.DataFrame()
    training = WarningTraining(name, bundle.version, bundle.meta["as_of"], found.note, gates, table, promoted=False)
    if not all(gate.passed for gate in gates):
        return training
    promote(
        home,
        name,
        bundle,
        by=by,
        reason=f"trained on data version {snapshot.about.version} as of {bundle.meta['as_of']}; all gates passed",
        expected_champion=champion_digest(home, name),
        gates=gates,
        clock=clock,
        tracker=tracker,
    )
    return replace(training, promoted=True)


def _bundle(material: Material, found: Fitted, seed: int) -> ModelBundle:
    calendar = material.snapshot.description.calendar
    known_on = calendar.end(found.origin)
    dated = {"as_of": calendar.format(found.origin), "known_on": known_on.isoformat()}
    return to_bundle(found, about_origin(material, found.origin, seed=seed) | dated)


def in_service(material: Material, home: Path) -> Callable[[int], Fitted | None]:
    """Give the champion for the origin that it was trained at, and nothing for others.

    It learned from what was known at the end of its origin, so it answers every later question of its year as a
    replay would. A champion that learned from other columns or from other reviews is not asked.
    """
    name = model_name(material.snapshot.about.dataset)
    try:
        bundle = champion(home, name)
    except LoadlineError:  # damaged: the model is fitted again, as in a home without one
        bundle = None

    def give(origin: int) -> Fitted | None:
        if bundle is None or bundle.meta["origin"] != origin:
            return None
        about = about_origin(material, origin, seed=bundle.meta["seed"])
        same = all(bundle.meta.get(key) == about[key] for key in ("format", "prior", "reviewed", "code_version"))
        at_hand = {*material.matrix.names, PRIOR}  # a later data version may lack what an earlier one had
        return from_bundle(bundle) if same and at_hand.issuperset(bundle.meta["fitted"]["names"]) else None

    return give
