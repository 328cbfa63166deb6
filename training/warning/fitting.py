"""The model of one year: fitted on what had matured and was known by its origin, and kept for the next time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np

from features.errors import LoadlineError
from features.indicators import Title
from features.matrix import parse_column
from models.bundle import ModelBundle
from models.deterioration.columns import directions
from models.deterioration.limits import DECIMALS
from models.deterioration.model import FEWEST_EVENTS, DeteriorationModel
from models.deterioration.problem import DeteriorationProblem
from models.deterioration.settings import DEFAULT, WarningSettings
from training.lock import file_lock
from training.promote import MODELS
from training.warning.labels import Labels
from training.warning.material import Material

KIND = "warning"
FORMAT = 3
"""Version of what is kept of a fitted model; part of its name, so that older ones are not read."""
PRIOR = "prior"
"""Column of the scores that need no labels."""

LEAST_POSITIVES = 20
"""Fewest unit-periods followed by deterioration: half of them leaves ten to learn from and ten to test on."""
LEAST_WAVES = 3
"""Fewest waves of events: with two, what is learned from one is tested on one."""
MANY_ROWS = 20_000
"""Above, one period a quarter is learned from, another one for each of three units in turn: months next to one another
hardly differ, but figures that are worked out at quarter-ends do, so every month of the year has to be learned from."""
MOST_NEGATIVES = 20_000
"""Uneventful rows that are learned from; more of them tell nothing that these do not."""
THREADS = 2
"""Used to learn and to answer, as elsewhere; what is learned does not depend on it."""
LONGEST_NAME = 60
"""Characters of a model's name that its folder and the registry take; longer ones end in a hash."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """What came of fitting a model.

    Attributes
    ----------
    origin : int
        Last period (ordinal) learned from.
    model : DeteriorationModel or None
        None where there was too little to learn from.
    names : tuple of str
        Its columns.
    rows, positives, waves : int
        Labelled rows at hand, those followed by deterioration, and the waves that these belong to.
    source : str
        Where the labels come from.
    note : Title
        What it rests on, or why there is none, in a sentence.
    """

    origin: int
    model: DeteriorationModel | None
    names: tuple[str, ...]
    rows: int
    positives: int
    waves: int
    source: str
    note: Title

    @property
    def answers(self) -> bool:
        """Tell whether there is a model that has shown that it can tell."""
        return self.model is not None and bool(self.model.skill)

    def probability(self, material: Material, first: int, last: int) -> np.ndarray:
        """Give the probability of each leaf in a range of periods (ordinals): (periods, U), NaN without a model."""
        rows = slice(first - material.first, last - material.first + 1)
        asked = np.zeros(material.leaves.shape, dtype=bool)
        asked[rows] = material.leaves[rows]
        return self.of_rows(material, asked)[rows]

    def of_rows(self, material: Material, asked: np.ndarray, *, shown: bool = True) -> np.ndarray:
        """Give the probability of the marked unit-periods: (P, U), NaN elsewhere; none is `shown` without skill."""
        out = np.full(asked.shape, np.nan)
        if self.model is not None and asked.any() and (self.answers or not shown):
            out[asked] = np.round(self.model.predict(columns(material, self.names, asked), threads=THREADS), DECIMALS)
        return out


def model_name(dataset: str) -> str:
    """Name the warning model of a dataset in the registry."""
    name = f"{KIND}-{dataset}"
    return name if len(name) <= LONGEST_NAME else f"{name[:48]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def fitted(
    material: Material, origin: int, *, seed: int, home: Path | None = None, settings: WarningSettings = DEFAULT
) -> Fitted:
    """Fit the model of an origin, or take it as it was kept in the home.

    Parameters
    ----------
    material : Material
    origin : int
        Last period (ordinal) learned from: labels and features as known at its end.
    seed : int
    home : Path, optional
        Where it is kept; not kept without one.
    settings : WarningSettings
    """
    if not material.first <= origin <= material.last:
        return _without_data(origin)
    about = about_origin(material, origin, seed=seed, settings=settings)

    def fit() -> Fitted:
        return fit_on(material, material.labels_at(origin), origin=origin, seed=seed, ahead=True, settings=settings)

    return kept(home, about, fit)


def about_origin(material: Material, origin: int, *, seed: int, settings: WarningSettings = DEFAULT) -> dict[str, Any]:
    """Say what the model of an origin depends on."""
    end = material.snapshot.description.calendar.end(origin)
    tuned = {} if settings == DEFAULT else {"settings": settings.as_dict()}
    return basis(material, end, seed=seed) | {"origin": origin, "left_out": ""} | tuned


def fit_on(
    material: Material,
    known: Labels,
    *,
    origin: int,
    seed: int,
    where: np.ndarray | None = None,
    ahead: bool = False,
    settings: WarningSettings = DEFAULT,
) -> Fitted:
    """Fit on labels as known at an origin; `where` (P, U) marks the rows that may be learned from.

    `ahead` is for a model that answers about the time after its origin; see `DeteriorationModel.fit`.
    """
    usable = known.known & material.leaves
    if where is not None:
        usable &= where
    usable[origin - material.first + 1 :] = False
    y, wave = known.y, known.wave
    positives, waves = int((y[usable] == 1).sum()), len(np.unique(wave[usable & (y == 1)]))
    counted = int(usable.sum()), positives, waves, known.source
    events = len(np.unique(known.event[usable & (y == 1)]))
    if positives < LEAST_POSITIVES or waves < LEAST_WAVES or events < FEWEST_EVENTS or positives == counted[0]:
        return Fitted(origin, None, (), *counted, _too_few(known, positives, waves))
    problem = rows_of(material, known, usable, origin=origin, seed=seed)
    model = DeteriorationModel.fit(problem, seed=seed, threads=THREADS, ahead=ahead, settings=settings)
    return Fitted(origin, model, problem.names, *counted, _note(known, model, counted[0], positives))


def rows_of(material: Material, known: Labels, usable: np.ndarray, *, origin: int, seed: int) -> DeteriorationProblem:
    """Put the usable unit-periods (P, U) together to what a model of an origin learns from, thinned where many."""
    y = known.y
    chosen, weight = thinned(usable, y == 1, material, seed=seed)
    panel = material.known_panel(origin)
    names = _names(material, chosen, *material.columns_at(origin))
    periods, units = np.nonzero(chosen)
    return DeteriorationProblem.of(
        columns(material, names, chosen),
        names,
        y=y[chosen].astype(np.int8),
        period=periods + material.first,
        unit=units,
        event=known.event[chosen],
        direction=np.array([*directions(panel, tuple(n for n in names if n != PRIOR)), *([1] * (PRIOR in names))]),
        weight=weight[chosen],
        per_year=panel.calendar.per_year,
    )


def thinned(
    usable: np.ndarray, positive: np.ndarray, material: Material, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose rows to learn from, all of them where they are few, and how many each stands for: two (P, U) arrays."""
    calendar = material.snapshot.description.calendar
    chosen = usable.copy()
    if calendar.per_year > 4 and usable.sum() > MANY_ROWS:
        each = calendar.per_year // 4
        place = np.cumsum(usable.any(axis=0))  # among those learned from: units that come later change nothing
        turn = np.add.outer(np.arange(len(usable)), place) % each == 0
        if (usable & positive & turn).sum() >= LEAST_POSITIVES:
            chosen &= turn
    weight = np.ones(usable.shape)
    negative = np.flatnonzero(chosen & ~positive)
    if len(negative) > MOST_NEGATIVES:
        stay = np.random.default_rng(seed).choice(negative, MOST_NEGATIVES, replace=False)
        drop = np.ones(usable.size, dtype=bool)
        drop[stay] = False
        drop = drop.reshape(usable.shape) & chosen & ~positive
        chosen &= ~drop
        weight[chosen & ~positive] = len(negative) / MOST_NEGATIVES
    return chosen, weight


def columns(material: Material, names: tuple[str, ...], where: np.ndarray) -> np.ndarray:
    """Give the columns of the marked unit-periods: (n, F) float32, by period, then by unit."""
    periods, units = np.nonzero(where)
    out = np.empty((len(periods), len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        source = material.prior if name == PRIOR else material.matrix.array(name)
        if source is None:
            raise LoadlineError("the model wants prior scores, and none are given")
        out[:, place] = source[periods, units]
    return out


def _names(
    material: Material, chosen: np.ndarray, indicators: tuple[str, ...], features: tuple[str, ...]
) -> tuple[str, ...]:
    """List the columns of which anything is known in the rows learned from."""
    wanted_codes, wanted = set(indicators), set(features)
    names = []
    for name in material.matrix.names:
        feature, code = parse_column(name)
        inside = feature in wanted and (code is None or code in wanted_codes)
        if inside and np.isfinite(material.matrix.array(name)[chosen]).any():
            names.append(name)
    return (*names, *([PRIOR] if material.prior is not None else []))


def basis(material: Material, day: date, *, seed: int) -> dict[str, Any]:
    """Say what a model depends on that is fitted on what was known by a day."""
    seen, known_on = material.reviewed, min(day, material.known_on or date.max)
    reviewed = "" if seen is None else seen[seen["known_on"].astype(str).str[:10] <= known_on.isoformat()]
    told = (
        reviewed if isinstance(reviewed, str) else reviewed[["unit", "period", "value", "known_on"]].to_csv(index=False)
    )
    return {
        "format": FORMAT,
        "dataset": material.snapshot.about.dataset,
        "data_version": material.snapshot.about.version,
        "fingerprint": material.snapshot.about.fingerprint,
        "known_on": known_on.isoformat(),
        "code_version": installed("loadline"),
        "seed": seed,
        "prior": material.prior is not None,
        "least": [LEAST_POSITIVES, LEAST_WAVES, MANY_ROWS, MOST_NEGATIVES],
        "reviewed": hashlib.sha256(told.encode()).hexdigest()[:16] if len(reviewed) else "",
    }


def kept(home: Path | None, about: dict[str, Any], fit: Callable[[], Fitted]) -> Fitted:
    """Take what is kept under a description, else fit and keep it.

    What is fitted is taken out of its bundle again, so that the first answer and later ones agree to the last digit.
    """
    if home is None:
        return from_bundle(to_bundle(fit(), about))
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:24]
    folder = Path(home) / MODELS / model_name(about["dataset"]) / "fitted" / key
    if folder.is_dir():
        return from_bundle(ModelBundle.load(folder))
    bundle = to_bundle(fit(), about)
    with file_lock(folder.parent / "fitting.lock"):
        if not folder.is_dir():
            bundle.save(folder)
    return from_bundle(bundle)


def to_bundle(found: Fitted, about: dict[str, Any]) -> ModelBundle:
    """Put a fitted model into a bundle."""
    parts = {"texts": {}, "arrays": {}, "meta": None} if found.model is None else found.model.to_parts()
    meta = {
        "origin": found.origin,
        "names": list(found.names),
        "rows": found.rows,
        "positives": found.positives,
        "waves": found.waves,
        "source": found.source,
        "note": {"en": found.note.en, "zh": found.note.zh},
        "model": parts["meta"],
    }
    return ModelBundle(KIND, about | {"fitted": meta}, parts["texts"], parts["arrays"])


def from_bundle(bundle: ModelBundle) -> Fitted:
    """Take a fitted model out of a bundle."""
    meta = bundle.meta["fitted"]
    model = None
    if meta["model"] is not None:
        parts = {"texts": dict(bundle.texts), "arrays": dict(bundle.arrays), "meta": meta["model"]}
        model = DeteriorationModel.from_parts(parts)
    return Fitted(
        meta["origin"],
        model,
        tuple(meta["names"]),
        meta["rows"],
        meta["positives"],
        meta["waves"],
        meta["source"],
        Title(**meta["note"]),
    )


def _without_data(origin: int) -> Fitted:
    note = Title(en="There are no figures before this year to learn from.", zh="本年度之前没有可供学习的数据。")
    return Fitted(origin, None, (), 0, 0, 0, "none", note)


def _too_few(known: Labels, positives: int, waves: int) -> Title:
    if known.source == "none":
        return known.note
    return Title(
        en=f"Too little has matured to learn a probability from: {positives} unit-periods followed by deterioration in "
        f"{waves} waves, of at least {LEAST_POSITIVES} in {LEAST_WAVES}.",
        zh=f"已到期的样本不足以学习概率：{waves} 轮共 {positives} 个恶化样本，"
        f"至少需要 {LEAST_WAVES} 轮 {LEAST_POSITIVES} 个。",
    )


def _note(known: Labels, model: DeteriorationModel, rows: int, positives: int) -> Title:
    if not model.skill:
        return Title(
            en=f"No probability is shown: learned from {positives} cases in {rows} rows, the model did not tell better "
            "than the base rate on cases it had not seen.",
            zh=f"不显示概率：由 {rows} 个样本（其中 {positives} 个恶化）学得的模型，在未见样本上未优于基准比率。",
        )
    return Title(
        en=f"The probability is learned from {positives} cases in {rows} rows. {known.note.en}",
        zh=f"概率由 {rows} 个样本（其中 {positives} 个恶化）学得。{known.note.zh}",
    )
