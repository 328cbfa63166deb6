"""What goes into a model and what comes out of it, in MLflow's own terms, for those who read the registry."""

from __future__ import annotations

import json
from typing import Any

from models.bundle import ModelBundle
from training.track import settle_mlflow

FIGURES = (
    ("unit", "string"),
    ("period", "string"),
    ("indicator", "string"),
    ("value", "double"),
    ("known_on", "string"),
)
"""What a target model answers from: the contract's figures, one a row."""
SUGGESTED = (
    *(("unit", "string"), ("indicator", "string"), ("year", "long"), ("last_actual", "double")),
    *(("floor", "double"), ("target", "double"), ("stretch", "double")),
    *(("p_floor", "double"), ("p_target", "double"), ("p_stretch", "double")),
    *(("evidence", "string"), ("model_version", "string")),
)
"""What it answers: columns of `training.suggest`."""
ASKED = (("year", "long"), ("as_of", "string"))
PROBABILITY = (("probability", "double"),)
NO_PYFUNC = (
    "The model is plain data (LightGBM text, JSON, npz) under a manifest of hashes, and Loadline answers from it. It "
    "carries no pyfunc flavour: that runs code from the artifact on load, lets extra columns pass unnoticed, and takes "
    "some seventy times as long for one row. The signature is for readers, and is not enforced by MLflow."
)


def signature(bundle: ModelBundle) -> bytes:
    """Give `signature.json`: inputs, outputs and parameters as `mlflow.models.ModelSignature` writes them.

    A target model answers from a table of figures; a warning model from a row of its columns, in their order.
    """
    settle_mlflow()
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ParamSchema, ParamSpec

    if bundle.kind == "warning":
        columns = [(name, "float") for name in bundle.meta.get("fitted", {}).get("names", ())]
        found = ModelSignature(inputs=_schema(columns), outputs=_schema(PROBABILITY))
    else:
        asked = ParamSchema([ParamSpec(name, kind, 0 if kind == "long" else "") for name, kind in ASKED])
        found = ModelSignature(inputs=_schema(FIGURES), outputs=_schema(SUGGESTED), params=asked)
    plain: dict[str, Any] = {name: json.loads(text) if text else None for name, text in found.to_dict().items()}
    return (json.dumps({"signature": plain, "why_no_pyfunc": NO_PYFUNC}, ensure_ascii=False, indent=1) + "\n").encode()


def _schema(columns: Any) -> Any:
    from mlflow.types.schema import ColSpec, Schema

    return Schema([ColSpec(kind, name) for name, kind in columns]) if columns else None
