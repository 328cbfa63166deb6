"""What a bank adds to its model cards: who owns the models, how material they are, which rules it answers to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from features.errors import LoadlineError
from features.indicators import Title
from features.yaml_loader import parse_yaml
from training.card.facts import Kind

FILE = "model-card.yaml"
"""In the home."""
HINT = (
    f"`{FILE}` may hold owner, contact, users, materiality, limits, not_for, monitoring and references, and the same "
    "again under target and warning; a text is a line, or {en: ..., zh: ...}."
)


def _titled(value: Any) -> Any:
    """Let one line stand for both languages, as the name of a department does."""
    return {"en": value, "zh": value} if isinstance(value, str) else value


Text = Annotated[Title, BeforeValidator(_titled)]


class CardTexts(BaseModel):
    """Texts of a bank for its cards; see `HINT`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: Text | None = None
    contact: Text | None = None
    users: Text | None = None
    materiality: Text | None = None
    limits: tuple[Text, ...] = ()
    not_for: tuple[Text, ...] = ()
    monitoring: tuple[Text, ...] = ()
    references: tuple[Text, ...] = ()

    @classmethod
    def read(cls, home: str | Path, kind: Kind) -> CardTexts:
        """Read a home's texts for a kind of model; none where there is no file.

        What stands under the kind itself goes before what stands for all.

        Raises
        ------
        LoadlineError
            Where the file cannot be read or holds anything else.
        """
        path = Path(home) / FILE
        if not path.exists():
            return cls()
        try:
            plain = parse_yaml(path.read_text(encoding="utf-8")) or {}
            if not isinstance(plain, dict):
                raise LoadlineError("this is not a mapping", where=str(path), hint=HINT)
            parts = {name: _Part.model_validate(plain.pop(name, None) or {}) for name in ("target", "warning")}
            common = cls.model_validate(plain)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise LoadlineError(f"{place}: {first['msg']}", where=str(path), hint=HINT) from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise LoadlineError(f"the file cannot be read: {error}", where=str(path), hint=HINT) from None
        own = parts[kind]
        return cls.model_validate(
            {name: getattr(own, name) or getattr(common, name) for name in cls.model_fields},
            from_attributes=True,
        )


class _Part(CardTexts):
    """The same under one kind of model."""
