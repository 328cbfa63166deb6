"""The warning model that serves: what it is saved as, and what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from features.errors import LoadlineError
from models.bundle import ModelBundle
from training.promote import champion
from training.warning.fitting import PRIOR, Fitted, about_origin, from_bundle, model_name, to_bundle
from training.warning.material import Material


def warning_bundle(material: Material, found: Fitted, *, seed: int, policy: str = "") -> ModelBundle:
    """Put a fitted model into a bundle that says what it learned from, and under which policy."""
    calendar = material.snapshot.description.calendar
    known_on = calendar.end(found.origin)
    dated = {"as_of": calendar.format(found.origin), "known_on": known_on.isoformat(), "policy_version": policy}
    return to_bundle(found, about_origin(material, found.origin, seed=seed) | dated)


def in_service(material: Material, home: Path) -> Callable[[int], Fitted | None]:
    """Give the champion for the origin that it was trained at, and nothing for others.

    It learned from what was known at the end of its origin, so it answers every later question of its year as a
    replay would. A champion that learned from other columns or from other reviews is not asked.
    """
    return answering(material, sound_champion(home, material.snapshot.about.dataset))


def sound_champion(home: Path, dataset: str) -> ModelBundle | None:
    """Load the champion; None where it is damaged, so that the model is fitted again, as in a home without one."""
    try:
        return champion(home, model_name(dataset))
    except LoadlineError:
        return None


def answering(material: Material, bundle: ModelBundle | None) -> Callable[[int], Fitted | None]:
    """Give a model for the origin that it was trained at, and nothing for others; see `in_service`."""

    def give(origin: int) -> Fitted | None:
        if bundle is None or bundle.meta["origin"] != origin:
            return None
        about = about_origin(material, origin, seed=bundle.meta["seed"])
        same = all(bundle.meta.get(key) == about[key] for key in ("format", "prior", "reviewed", "code_version"))
        at_hand = {*material.matrix.names, PRIOR}  # a later data version may lack what an earlier one had
        return from_bundle(bundle) if same and at_hand.issuperset(bundle.meta["fitted"]["names"]) else None

    return give
