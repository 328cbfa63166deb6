"""What came of a run, put together from what its steps have kept."""

from __future__ import annotations

from typing import Any

from training.retraining.context import Context
from training.retraining.decision import SUBJECTS
from training.retraining.request import KINDS


def outcome(context: Context) -> dict[str, Any]:
    """Give what came of a run as plain JSON.

    Returns
    -------
    dict
        `text` (`en`, `zh`); `decision`; by kind of model `what` was decided, and of a trained one `model`,
        `model_version`, `digest`, `as_of`, `registered`, `promoted`, `gates` and `text`; `shadow` where scores were
        worked out again; `table`: the rows that say what serves each indicator.
    """
    decision = context.decision
    models = {kind: _model(context, kind) for kind in KINDS}
    sentences = [models[kind]["text"] for kind in KINDS]
    name = next((name for name in ("shadow", "shadow_missing") if context.has(name)), None)
    shadow = None if name is None else context.kept(name)
    if shadow is not None:
        sentences.append(shadow["text"])
    return {
        "text": {
            "en": " ".join(sentence["en"] for sentence in sentences),
            "zh": "".join(sentence["zh"] for sentence in sentences),
        },
        "decision": decision.as_dict(),
        **models,
        "shadow": shadow,
        "table": context.kept("target/evidence")["rows"] if context.has("target/evidence") else [],
    }


def _model(context: Context, kind: str) -> dict[str, Any]:
    action, name = context.decision.of(kind), SUBJECTS[kind]
    if action.what != "retrain":
        return {"what": action.what, "text": action.line.model_dump()}
    if not context.has(f"{kind}/promoted"):
        failed = context.has(f"{kind}/failed")
        note = context.kept(f"{kind}/{'failed' if failed else 'fitted'}")["note"]
        text = {"en": f"No warning model: {note['en']}", "zh": f"未得到预警模型：{note['zh']}"}
        return {"what": "retrain", "promoted": False, "text": text}
    found, promoted = context.kept(f"{kind}/gates"), context.kept(f"{kind}/promoted")
    about, told = context.kept(f"{kind}/about"), promoted["text"]
    return {
        "what": "retrain",
        "model": about["model"],
        "model_version": about["model_version"],
        "digest": found["digest"],
        "as_of": about["as_of"],
        "registered": context.kept(f"{kind}/registered")["number"],
        "promoted": promoted["promoted"],
        "gates": found["gates"],
        "text": {
            "en": f"{name.en} {about['model_version']} as of {about['as_of']}: {lowered(told['en'])}",
            "zh": f"{name.zh} {about['model_version']}（截至 {about['as_of']}）：{told['zh']}",
        },
    }


def lowered(sentence: str) -> str:
    """Begin a sentence as a part of another."""
    return sentence[:1].lower() + sentence[1:]
