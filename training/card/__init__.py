"""The model card: what a model is, what it rests on and what it has shown, for those who answer for its use."""

from training.card.target import target_facts
from training.card.warning import warning_facts
from training.card.writing import write_cards

__all__ = ["target_facts", "warning_facts", "write_cards"]
