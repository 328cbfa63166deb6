"""What tuning came to: the settings that serve, what was tried, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from features.errors import LoadlineError
from features.indicators import Title
from models.deterioration.settings import WarningSettings
from models.outcome.settings import TargetSettings

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
"""Version of what is kept of a tuning."""
DEFAULT_TRIALS = 16
"""Settings tried for each model unless asked otherwise, the usual ones among them: under twenty seconds for a bank of
400 branches. Three times as many took another 0.2% off the loss there."""

Settings = TypeVar("Settings", bound=TargetSettings | WarningSettings)
KINDS: Mapping[str, type[TargetSettings] | type[WarningSettings]] = {
    "target": TargetSettings,
    "warning": WarningSettings,
}


@dataclass(frozen=True)
class Tuned(Generic[Settings]):
    """The settings that tuning chose.

    Attributes
    ----------
    settings : TargetSettings or WarningSettings
    tried : tuple of dict
        In the order in which they were tried: `knobs`, `loss` (None where it could not be measured), `usual` and
        `chosen`. Plain JSON.
    text : Title
        What was chosen and why, in a sentence or two.
    figures : dict
        Plain JSON: `judged` times of the search, `held_out` times of the decision, and there the `gain` over the usual
        settings with its errors. Empty where nothing was tried.
    """

    settings: Settings
    tried: tuple[dict[str, Any], ...]
    text: Title
    figures: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        """Tell whether other settings than the usual ones serve."""
        return self.settings != type(self.settings)()

    def table(self) -> pd.DataFrame:
        """Give what was tried: a row each, with `trial`, `loss`, `usual`, `chosen` and a column for each knob."""
        import pandas as pd

        rows = [
            {"trial": number, "loss": one["loss"], "usual": one["usual"], "chosen": one["chosen"], **one["knobs"]}
            for number, one in enumerate(self.tried)
        ]
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["trial", "loss", "usual", "chosen"])

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        kind = next(name for name, one in KINDS.items() if isinstance(self.settings, one))
        return {
            "format": FORMAT,
            "kind": kind,
            "settings": self.settings.as_dict(),
            "tried": list(self.tried),
            "text": {"en": self.text.en, "zh": self.text.zh},
            "figures": dict(self.figures),
        }

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> Tuned[Any]:
        """Read what `as_dict` gave.

        Raises
        ------
        LoadlineError
            Where it is of another format or not whole.
        """
        try:
            if plain["format"] != FORMAT:
                raise KeyError
            settings = KINDS[plain["kind"]].from_dict(plain["settings"])
            return Tuned(settings, tuple(plain["tried"]), Title(**plain["text"]), dict(plain["figures"]))
        except (KeyError, TypeError, ValueError):
            hint = "It was made by another version: train again."
            raise LoadlineError("what tuning came to cannot be read", hint=hint) from None


def untuned(usual: Settings, text: Title) -> Tuned[Settings]:
    """Keep the usual settings without having tried any."""
    return Tuned(usual, (), text, {})
