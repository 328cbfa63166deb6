"""A model that a run trains, stage by stage; each stage leaves files, so that redoing the one at work loses nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from features.errors import LoadlineError
from features.indicators import Title
from models.bundle import ModelBundle
from training.card import write_cards
from training.card.facts import CardFacts
from training.card.signing import sign_from_record
from training.gating.comparison import Comparison
from training.gating.gate import Gate
from training.gating.rules import GateRules
from training.gating.stability import Overlap
from training.promote import champion_digest, find_candidate, history, kept_bundle, offer, promote_candidate
from training.promotion.copies import card_folder
from training.promotion.standing import Obstacle, obstacles
from training.retraining.context import Context


@dataclass(frozen=True)
class Done:
    """What a stage says when it is through: a sentence, and figures as plain JSON."""

    text: Title
    figures: Mapping[str, Any]


class Trainee(ABC):
    """One kind of model within a run.

    Parameters
    ----------
    context : Context
    """

    kind: ClassVar[str]

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    @abstractmethod
    def name(self) -> str:
        """Give the name in the registry."""

    @abstractmethod
    def features(self) -> Done:
        """Put together what is learned from."""

    @abstractmethod
    def tune(self) -> Done:
        """Choose settings."""

    @abstractmethod
    def fit(self) -> Done:
        """Learn."""

    @abstractmethod
    def judge(self) -> Done:
        """Hold what was learned against the champion and the baselines over past origins."""

    @abstractmethod
    def gates(self) -> Done:
        """Check what was found against the rules, and put the model into a bundle."""

    @abstractmethod
    def card(self) -> Done:
        """Write the card."""

    @abstractmethod
    def record(self) -> int:
        """Record the run and the model in the registry; give the version's number there."""

    @property
    def compared(self) -> Comparison:
        """Read the comparison with the champion."""
        return Comparison.from_dict(self.context.kept(f"{self.kind}/compared"))

    @property
    def overlap(self) -> Overlap:
        """Read how far the main drivers are those of the champion."""
        return Overlap.from_dict(self.context.kept(f"{self.kind}/overlap"))

    @cached_property
    def champion(self) -> ModelBundle | None:
        """Give the champion that the run started from; None where there was none, or its copy is damaged."""
        digest = self.context.champions[self.kind]
        if digest is None:
            return None
        try:
            return kept_bundle(self.context.home, self.name, digest)
        except LoadlineError as error:
            self.context.note(
                Title(
                    en=f"The champion cannot be read and is not compared with: {error.what}",
                    zh=f"在用模型无法读取，未作对比：{error.what}",
                )
            )
            return None

    @cached_property
    def rules(self) -> GateRules:
        """Give the rules of the gates."""
        return GateRules.read(self.context.home)

    @property
    def bundle(self) -> ModelBundle:
        """Read the bundle that the gates have seen."""
        return ModelBundle.load(self.context.path(f"{self.kind}/bundle"))

    @property
    def seen(self) -> tuple[Gate, ...]:
        """Read what the gates have found."""
        return tuple(Gate.from_dict(plain) for plain in self.context.kept(f"{self.kind}/gates")["gates"])

    @property
    def cards(self) -> Path:
        """Give the folder of the model's card."""
        return card_folder(self.context.home, self.name, self.bundle.version)

    def keep_gates(self, bundle: ModelBundle, gates: tuple[Gate, ...]) -> Done:
        """Keep the bundle and what the gates found of it."""
        bundle.save(self.context.path(f"{self.kind}/bundle"))
        gates = (*gates, self._not_older(bundle))
        plain = {"digest": bundle.digest, "rules": self.rules.version, "gates": [gate.as_dict() for gate in gates]}
        about = {"model": self.name, "model_version": bundle.version, "as_of": bundle.meta["as_of"]}
        self.context.keep(f"{self.kind}/gates", plain)
        self.context.keep(f"{self.kind}/about", about)
        failed = [gate for gate in gates if not gate.passed]
        told = {
            language: " ".join(gate.text[language] for gate in failed) if failed else passed
            for language, passed in (("en", "All gates passed."), ("zh", "全部关口通过。"))
        }
        text = Title(
            en=f"Model {bundle.version}: {len(gates) - len(failed)} of {len(gates)} gates passed. {told['en']}",
            zh=f"模型 {bundle.version}：{len(gates)} 道关口通过 {len(gates) - len(failed)} 道。{told['zh']}",
        )
        figures = {gate.name: gate.passed for gate in gates}
        return Done(text, {"model_version": bundle.version, "digest": bundle.digest, "gates": figures})

    def _not_older(self, bundle: ModelBundle) -> Gate:
        """Check that the model has learned up to the champion's period at least."""
        rule, mine = self.rules.of("target" if self.kind == "target" else "warning", "not_older"), bundle.meta["as_of"]
        if self.champion is None:
            return rule.result(True, {"en": f"It has learned up to {mine}.", "zh": f"截至期为 {mine}。"})
        parse, theirs = self.context.snapshot.description.calendar.parse, self.champion.meta["as_of"]
        text = {
            "en": f"It has learned up to {mine}, the champion up to {theirs}.",
            "zh": f"截至期为 {mine}，在用模型为 {theirs}。",
        }
        return rule.result(parse(mine) >= parse(theirs), text)

    def write_card(self, facts: CardFacts) -> Done:
        """Write the card; one that people have signed, of the same model from an earlier run, stays signed."""
        files = write_cards(facts, self.cards)
        sign_from_record(self.context.home, self.name, self.bundle.version)
        text = Title(en="The model card is written.", zh="模型卡已生成。")
        return Done(text, {"files": [path.name for path in files]})

    def register(self) -> Done:
        """Register the model as a challenger, and put it on the record of candidates."""
        bundle, context = self.bundle, self.context
        number = self.record()
        compared, overlap = self.compared, self.overlap
        evidence = context.kept(f"{self.kind}/evidence") if context.has(f"{self.kind}/evidence") else {"rows": []}
        about = {
            "registered": number,
            "evidence": evidence,
            "comparison": compared.as_dict() | {"text": compared.text.model_dump()},
            "overlap": overlap.as_dict() | {"text": overlap.text.model_dump()},
        }
        offer(
            context.home,
            self.name,
            bundle,
            gates=self.seen,
            run=context.run.name,
            by=context.request.by,
            clock=context.place.clock,
            about=about,
            against=None if self.champion is None else context.champions[self.kind],  # unread, it was not compared with
        )
        context.keep(f"{self.kind}/registered", {"number": number})
        text = Title(
            en=f"Model {bundle.version} is registered as version {number} of {self.name}.",
            zh=f"模型 {bundle.version} 已登记为 {self.name} 第 {number} 版。",
        )
        return Done(text, {"model": self.name, "registered": number})

    def promote(self) -> Done:
        """Promote the model where nothing stands in its way; else say what it waits for, and leave the champion."""
        done = self._promoted()
        waiting = () if done else self._hurdles()
        if not waiting and not done:
            try:
                self._promote()
            except LoadlineError:
                waiting = self._hurdles()  # somebody promoted another in the meantime
                if not waiting:
                    raise
        text = self._waits(waiting) if waiting else self._serves()
        self.context.keep(f"{self.kind}/promoted", {"promoted": not waiting, "text": text.model_dump()})
        return Done(text, {"promoted": not waiting, "waits_for": [hurdle.code for hurdle in waiting]})

    def _promoted(self) -> bool:
        """Tell whether this run has promoted it already, whatever people have decided since."""
        context, digest = self.context, self.bundle.digest
        return any(
            (line.action, line.run, line.champion) == ("promote", context.run.name, digest)
            for line in history(context.home, self.name)
        )

    def _hurdles(self) -> tuple[Obstacle, ...]:
        context, digest = self.context, self.bundle.digest
        present = champion_digest(context.home, self.name)
        if present == digest:
            return ()
        candidate = find_candidate(context.home, self.name, digest)
        return obstacles(candidate, present, two_people=self.rules.two_people, by=context.request.by)

    def _promote(self) -> None:
        context, bundle = self.context, self.bundle
        promote_candidate(
            context.home,
            self.name,
            bundle.digest,
            by=context.request.by,
            reason=f"trained on data version {context.request.data_version} as of {bundle.meta['as_of']}; "
            "all gates passed",
            expected_champion=context.champions[self.kind],
            two_people=self.rules.two_people,
            clock=context.place.clock,
            tracker=context.place.tracker,
        )

    def _serves(self) -> Title:
        if self.context.champions[self.kind] == self.bundle.digest:
            return Title(
                en="The same as the champion to the last byte; it goes on serving.", zh="与在用模型完全一致，继续使用。"
            )
        return Title(en="Promoted; it serves from now on.", zh="已上线。")

    def _waits(self, hurdles: tuple[Obstacle, ...]) -> Title:
        command = f"`loadline models promote {self.name} --version {self.bundle.version}`"
        told = {
            "en": " ".join(hurdle.text.en for hurdle in hurdles),
            "zh": "".join(hurdle.text.zh for hurdle in hurdles),
        }
        by_hand = all(hurdle.code in ("signature", "second_person") for hurdle in hurdles)
        sign = ", with --sign," if any(hurdle.code == "signature" for hurdle in hurdles) else ""
        serves = champion_digest(self.context.home, self.name) is not None
        return Title(
            en=f"Not promoted; {'the champion stays' if serves else 'none serves yet'}. {told['en']}"
            + (f" {command}{sign} promotes it." if by_hand else ""),
            zh=f"未上线，{'在用模型保持不变' if serves else '尚无在用模型'}。{told['zh']}",
        )
