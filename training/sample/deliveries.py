"""Deliveries made from another one, to try things out on: fewer indicators, or one of them under a new definition."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from features.errors import LoadlineError

COPIED = ("dataset.yaml", "units.csv", "outcomes.csv")
"""Files that do not depend on which indicators there are; goals and the policy do, and are left out."""
OBSERVATIONS = "observations*"


def part_of(folder: Path | str, out: Path | str, *, indicators: Collection[str]) -> Path:
    """Write a dataset folder that holds some of the indicators of another, and give it.

    Parameters
    ----------
    folder : Path or str
        A dataset folder.
    out : Path or str
        Made here.
    indicators : collection of str
        Codes, in any order; what a ratio is divided by has to be among them.

    Raises
    ------
    LoadlineError
        Where the folder has no such indicator.
    """

    def kept(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [entry for entry in entries if entry["code"] in indicators]

    def figures(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["indicator"].isin(list(indicators))]

    return _written(Path(folder), Path(out), indicators, entries=kept, figures=figures)


def redefined(folder: Path | str, out: Path | str, *, code: str, version: str, factor: float) -> Path:
    """Write a later delivery in which an indicator means something else, its whole history restated, and give it.

    Parameters
    ----------
    folder : Path or str
        A dataset folder.
    out : Path or str
        Made here.
    code : str
        Of the indicator.
    version : str
        Its new `definition_version`.
    factor : float
        What a figure is multiplied by to be one of the new definition.

    Raises
    ------
    LoadlineError
        Where the folder has no such indicator.
    """

    def raised(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [entry | ({"definition_version": version} if entry["code"] == code else {}) for entry in entries]

    def figures(rows: pd.DataFrame) -> pd.DataFrame:
        value = pd.to_numeric(rows["value"])
        return rows.assign(value=value.where(rows["indicator"] != code, value * factor))

    return _written(Path(folder), Path(out), [code], entries=raised, figures=figures)


def _written(
    folder: Path,
    out: Path,
    codes: Collection[str],
    *,
    entries: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    figures: Callable[[pd.DataFrame], pd.DataFrame],
) -> Path:
    known = yaml.safe_load((folder / "indicators.yaml").read_text(encoding="utf-8"))["indicators"]
    known = [{"code": entry} if isinstance(entry, str) else entry for entry in known]
    missing = sorted(set(codes) - {entry["code"] for entry in known})
    if missing:
        hint = f"It has {', '.join(entry['code'] for entry in known)}."
        raise LoadlineError(f"there is no indicator {', '.join(missing)}", where=str(folder), hint=hint)
    out.mkdir(parents=True)
    for path in folder.iterdir():
        if path.name in COPIED:
            shutil.copyfile(path, out / path.name)
    text = yaml.safe_dump({"indicators": entries(known)}, allow_unicode=True, sort_keys=False)
    (out / "indicators.yaml").write_text(text, encoding="utf-8")
    for path in sorted(folder.glob(OBSERVATIONS)):
        if path.suffix == ".parquet":
            figures(pd.read_parquet(path)).to_parquet(out / path.name, index=False)
        else:
            figures(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(out / path.name, index=False)
    return out
