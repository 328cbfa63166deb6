"""What a training run is asked to do; equal requests have equal names, so that asking twice does one run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from features.errors import LoadlineError

FORMAT = 1
"""Version of what is kept of a request; part of its name."""
NAMED_BY = (
    "dataset",
    "data_version",
    "fingerprint",
    "as_of",
    "latest",
    "policy",
    "code_version",
    "seed",
    "trials",
    "kinds",
    "change",
    "attempt",
)
"""Fields that make one request another; who asks, why and on which machines does not."""
KINDS = ("target", "warning")
"""Models that a run may train."""
LONGEST_DATASET = 30
"""Characters of a dataset's name in that of its run."""


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """A request for training, as it is kept.

    Attributes
    ----------
    dataset : str
    data_version : int
    fingerprint : str
        Of the data version.
    as_of : str
        Last period learned from, as the calendar writes it.
    latest : bool
        True to use everything known by now about the periods up to `as_of`; False for what was known at its end.
    policy : str
        Label and digest of the policy in force, or the name of the default.
    code_version : str
    seed : int
    trials : int
        Most settings that tuning may try for each model; 0 keeps the usual ones.
    kinds : tuple of str
        Of `KINDS`.
    change : str
        A change from outside that the run answers to, as canonical JSON; "" for none.
    attempt : int
        1, and one more each time that the same is deliberately run again.
    by, reason : str
        Who asks, and why.
    at : str
        When, ISO 8601 in UTC.
    cluster : str
        Address of a Dask scheduler to fit on; "" for none.
    """

    dataset: str
    data_version: int
    fingerprint: str
    as_of: str
    latest: bool
    policy: str
    code_version: str
    seed: int
    trials: int
    kinds: tuple[str, ...] = KINDS
    change: str = ""
    attempt: int = 1
    by: str = ""
    reason: str = ""
    at: str = ""
    cluster: str = ""

    @property
    def run(self) -> str:
        """Give the name of its run, which is that of every equal request."""
        told = {"format": FORMAT} | {name: getattr(self, name) for name in NAMED_BY}
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]
        return f"{self.dataset[:LONGEST_DATASET]}-{digest}"

    def as_dict(self) -> dict[str, Any]:
        """Give the request as plain JSON."""
        return {"format": FORMAT} | asdict(self) | {"kinds": list(self.kinds)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TrainingRequest:
        """Read what `as_dict` gave.

        Raises
        ------
        LoadlineError
            Where it is of another format or not whole.
        """
        fields: dict[str, Any] = {key: value for key, value in plain.items() if key != "format"}
        try:
            if plain["format"] != FORMAT:
                raise ValueError
            fields["kinds"] = tuple(fields["kinds"])
            return cls(**fields)
        except (KeyError, TypeError, ValueError):
            hint = "It was made by another version: ask again with `loadline train`."
            raise LoadlineError("this request for training cannot be read", hint=hint) from None
