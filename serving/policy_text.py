"""Policies and changes that come as text rather than as files: read with the same limits, never taken for a path."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from serving.errors import InvalidError

if TYPE_CHECKING:
    from models.policy.document import Policy
    from training.simulation.change_file import AnyChange

LONGEST = 200_000
"""Characters of a policy: the longest that comes with the software has some 12,000."""
FILE_NAME = "policy.yaml"


def policy_of_text(text: str) -> Policy:
    """Read a policy from YAML, as `models.policy.reading.read_policy` does from a file.

    Raises
    ------
    TableError
        With everything in which it is no policy, by line.
    """
    from models.policy.reading import read_policy

    with tempfile.TemporaryDirectory(prefix="loadline-") as folder:
        path = Path(folder) / FILE_NAME
        path.write_text(text, encoding="utf-8")
        return read_policy(path)


def change_of_text(text: str) -> AnyChange:
    """Read a change from outside from YAML; see `training.simulation.change_file.read_change`.

    Raises
    ------
    TableError
        With everything in which it is no change.
    InvalidError
        Where it names a file: what is on this machine is nobody's to name.
    """
    from training.simulation.change_file import Definition, read_change

    with tempfile.TemporaryDirectory(prefix="loadline-") as folder:
        path = Path(folder) / "change.yaml"
        path.write_text(text, encoding="utf-8")
        found = read_change(path)
    if isinstance(found, Definition) and found.table is not None:
        raise InvalidError("a change that is sent cannot name a file", hint="Use `factor`, or `treatment: break`.")
    return found
