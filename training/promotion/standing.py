"""How a model on record stands: it serves, served, may serve, or what it waits for; in words and for programs."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from features.indicators import Title
from models.bundle import VERSION_LENGTH
from training.gating.gate import Gate
from training.promotion.candidates import Candidate
from training.promotion.history import Promotion

State = Literal["champion", "former_champion", "challenger", "superseded"]
Hurdle = Literal["gates", "comparison", "signature", "second_person"]

STATE: dict[State, Title] = {
    "champion": Title(en="champion", zh="在用模型"),
    "former_champion": Title(en="former champion", zh="曾用模型"),
    "challenger": Title(en="challenger", zh="候选模型"),
    "superseded": Title(en="superseded", zh="已被更新的候选模型取代"),
}
"""Names of the states."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way of a promotion.

    Attributes
    ----------
    code : str
        `gates` (failed ones that forbid it), `comparison` (the champion is another one than it was compared with),
        `signature` (a person has to sign for a failed gate), `second_person`.
    gates : tuple of str
        Names of the gates concerned.
    text : Title
        In a sentence or two: which, and by how much.
    """

    code: Hurdle
    gates: tuple[str, ...]
    text: Title

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return {"code": self.code, "gates": list(self.gates), "text": {"en": self.text.en, "zh": self.text.zh}}


def state_of(digest: str, record: Sequence[Promotion], offered: Sequence[Candidate]) -> State:
    """Tell how a model stands, given the record of promotions and all candidates, oldest first."""
    if record and record[-1].champion == digest:
        return "champion"
    if any(promotion.champion == digest for promotion in record):
        return "former_champion"
    return "challenger" if offered and offered[-1].digest == digest else "superseded"


def obstacles(
    candidate: Candidate, champion: str | None, *, two_people: bool, by: str | None = None
) -> tuple[Obstacle, ...]:
    """List what stands in the way of promoting a candidate; nothing where it is free to be promoted.

    Parameters
    ----------
    candidate : Candidate
    champion : str or None
        Digest of the present champion.
    two_people : bool
        Whether somebody else than who asked for the training has to promote.
    by : str, optional
        Who is about to promote; without it a second person is still waited for.
    """
    blocking = tuple(gate for gate in candidate.failed if gate.effect == "block")
    to_sign = tuple(gate for gate in candidate.failed if gate.effect == "sign_off")
    found = []
    if not candidate.gates:
        text = Title(en="The model has passed through no gate.", zh="该模型未经过任何关口检验。")
        found.append(Obstacle("gates", (), text))
    if blocking:
        found.append(Obstacle("gates", _names(blocking), told(blocking)))
    if candidate.against != champion:
        found.append(Obstacle("comparison", (), _compared_with(candidate.against, champion)))
    if to_sign:
        said = told(to_sign)
        text = Title(en=f"A person has to sign for it: {said.en}", zh=f"须由专人签字确认：{said.zh}")
        found.append(Obstacle("signature", _names(to_sign), text))
    if two_people and (by is None or same_person(by, candidate.by)):
        text = Title(
            en=f"Somebody other than {candidate.by}, who asked for the training, has to promote it.",
            zh=f"须由训练申请人 {candidate.by} 以外的第二人批准上线。",
        )
        found.append(Obstacle("second_person", (), text))
    return tuple(found)


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are the same but for case, width and spaces.

    >>> same_person("Li  Ming", "ＬＩ ming"), same_person("Li Ming", "Li Min")
    (True, False)
    """
    return _folded(one) == _folded(other)


def told(gates: Sequence[Gate]) -> Title:
    """Say of gates what they found, each with what was measured and what is allowed."""
    found = [(gate, by_how_much(gate)) for gate in gates]
    return Title(
        en=" ".join(f"{gate.name}: {said.en}" for gate, said in found),
        zh="".join(f"{gate.name}：{said.zh}" for gate, said in found),
    )


def by_how_much(gate: Gate) -> Title:
    """Say what a gate found, with what was measured and what is allowed."""
    measured = "" if gate.measured is None else f"{gate.measured:.4g}"
    limits = [f"{limit:.4g}" for limit in gate.threshold]
    if not measured or not limits:
        return Title(en=gate.text["en"], zh=gate.text["zh"])
    return Title(
        en=f"{gate.text['en']} (measured {measured}, limit {' and '.join(limits)})",
        zh=f"{gate.text['zh']}（实测 {measured}，界限 {'、'.join(limits)}）",
    )


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _names(gates: Sequence[Gate]) -> tuple[str, ...]:
    return tuple(gate.name for gate in gates)


def _compared_with(then: str | None, now: str | None) -> Title:
    before, present = (digest[:VERSION_LENGTH] if digest else None for digest in (then, now))
    return Title(
        en=f"It was compared with {before or 'no champion'}, and the champion is {present or 'none'} now.",
        zh=f"训练时对比的在用模型为 {before or '（无）'}，当前在用模型为 {present or '（无）'}。",
    )
