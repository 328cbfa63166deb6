"""The record of a training run in MLflow: settings, figures by origin, card, pictures, tables, signature, model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from models.bundle import ModelBundle
from training.card.writing import FACTS, card_facts, card_names, plots
from training.recorded_run import RunRecord, record
from training.signature import signature
from training.track import Tracker

CHALLENGER = "challenger"
"""Alias of a model that was trained and does not serve yet."""
STEPS = ("year", "origin")
"""Columns of which one holds the step of a figure; the first that there is."""
DESCRIBED = ("dataset", "data_version", "fingerprint", "as_of", "known_on", "policy_version", "code_version", "seed")
"""Of the bundle's description, recorded as settings."""


def record_run(
    name: str,
    bundle: ModelBundle,
    *,
    run: str,
    card: str | Path,
    metrics: Mapping[str, float],
    tracker: Tracker,
    by_origin: pd.DataFrame | None = None,
    params: Mapping[str, Any] | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    documents: Mapping[str, Any] | None = None,
) -> int:
    """Record a run, register its model and let the alias `challenger` name it; harmless to do again.

    Parameters
    ----------
    name : str
        Of the model in the registry.
    bundle : ModelBundle
    run : str
        Name of the training run.
    card : path
        Folder of the model card, as `write_cards` left it; pictures are drawn from its facts.
    metrics : Mapping
        Figures that belong to no single origin.
    tracker : Tracker
    by_origin : pd.DataFrame, optional
        A row an origin, with its `year` (or `origin`) as the step of its other figures.
    params : Mapping, optional
        Settings, besides what the bundle says of itself.
    tables : Mapping, optional
        By name, kept as CSV.
    documents : Mapping, optional
        By name, kept as JSON: the decision, the gates.

    Returns
    -------
    int
        The number of the registered version.

    Raises
    ------
    LoadlineError
        Where a finished run of that name keeps another model, the card is not there, or MLflow fails.
    """
    described = {key: bundle.meta[key] for key in DESCRIBED if key in bundle.meta}
    what = RunRecord(
        name,
        run,
        bundle,
        params=_flat(params or {}) | described,
        metrics={None: metrics, **by_step(by_origin)},
        files={
            "signature.json": signature(bundle),
            **_card(Path(card)),
            **{f"tables/{key}.csv": table.to_csv(index=False).encode() for key, table in (tables or {}).items()},
            **{f"record/{key}.json": _json(plain) for key, plain in (documents or {}).items()},
        },
    )
    return record(tracker, what, alias=CHALLENGER)


def by_step(table: pd.DataFrame | None) -> dict[int | None, dict[str, float]]:
    """Give the figures of each origin by its step; where an origin has several rows, each is named by its texts.

    >>> by_step(pd.DataFrame({"year": [2022, 2023], "loss_ratio": [0.9, 1.1]}))
    {2022: {'origin.loss_ratio': 0.9}, 2023: {'origin.loss_ratio': 1.1}}
    """
    step = None if table is None else next((name for name in STEPS if name in table), None)
    if table is None or step is None:
        return {}
    others = [name for name in table.columns if name != step]
    figures = [name for name in others if pd.api.types.is_numeric_dtype(table[name]) and table[name].dtype != bool]
    named = [name for name in others if name not in figures and table[name].map(lambda one: isinstance(one, str)).all()]
    out: dict[int | None, dict[str, float]] = {}
    for row in table.to_dict("records"):
        prefix = ".".join(["origin", *(_word(row[name]) for name in named)])
        out.setdefault(_step(row[step]), {}).update(
            {f"{prefix}.{name}": float(row[name]) for name in figures if pd.notna(row[name])}
        )
    return out


def _step(value: Any) -> int:
    """Take the year of an origin, which may be written as a period such as `2023-Q4`."""
    return int(str(value)[:4])


def _word(value: str) -> str:
    """Leave what MLflow takes in the name of a figure."""
    return "".join(letter if letter.isalnum() or letter in "_-./ " else "_" for letter in value) or "_"


def _card(folder: Path) -> dict[str, bytes]:
    facts = card_facts(folder)
    files = {f"card/{name}": (folder / name).read_bytes() for name in (*card_names(), FACTS)}
    return files | {f"plots/{name}": picture.encode() for name, picture in plots(facts).items()}


def _flat(plain: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in plain.items():
        out |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return out


def _json(plain: Any) -> bytes:
    return (json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
