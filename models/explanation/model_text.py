"""Reading LightGBM's text format: the header, and every field of the trees as one long array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.errors import LoadlineError

_HINT = "Save it again with Booster.model_to_string() of LightGBM 4."
_TREE, _END = "\nTree=", "\nend of trees"


def unreadable(why: str) -> LoadlineError:
    """Say that a text is no model that can be read."""
    return LoadlineError(f"this is no LightGBM model that can be read: {why}", hint=_HINT)


@dataclass(frozen=True)
class ModelText:
    """The trees of one output of a model, as written.

    Attributes
    ----------
    features : tuple of str
    objective : str
    averaged : bool
        The output is the mean of the trees, as in a random forest.
    trees : sequence of Mapping
        Fields of each tree, as text.
    """

    features: tuple[str, ...]
    objective: str
    averaged: bool
    trees: Sequence[Mapping[str, str]]

    def joined(self, name: str, *, whole: bool = False) -> np.ndarray:
        """Give a field of all trees, one after the other; `whole` for whole numbers.

        Raises
        ------
        LoadlineError
            Where the field is no list of numbers.
        """
        words = " ".join(tree.get(name, "") for tree in self.trees).split()
        try:
            return (
                np.array([*map(int, words)], dtype=np.int64) if whole else np.array([*map(float, words)], dtype=float)
            )
        except (ValueError, OverflowError):
            raise unreadable(f"{name} is no list of numbers") from None

    def lengths(self, name: str) -> np.ndarray:
        """Give the number of entries of a field in each tree (T,)."""
        return np.array([len(tree.get(name, "").split()) for tree in self.trees], dtype=np.int64)


def read_model_text(text: str, *, output: int | None) -> ModelText:
    """Read the text of a model; see `models.explanation.trees.TreeEnsemble.of`."""
    head, *blocks = text.partition(_END)[0].split(_TREE)
    header = _fields(head)
    if not text.startswith("tree\n") or _END not in text or "feature_names" not in header:
        raise unreadable("it is not in LightGBM's text format")
    outputs = header.get("num_tree_per_iteration", "1")
    if not outputs.isdecimal() or not 1 <= int(outputs) <= max(len(blocks), 1):
        raise unreadable("the number of its outputs")
    if output is None and int(outputs) > 1:
        raise LoadlineError(f"the model has {outputs} outputs", hint="Say which is to be explained, from 0.")
    if not 0 <= (output or 0) < int(outputs):
        raise LoadlineError(f"there is no output {output}; the model has {outputs}, from 0")
    trees = [_fields(block) for block in blocks[output or 0 :: int(outputs)]]
    if any(tree.get("is_linear", "0") != "0" for tree in trees):
        raise LoadlineError(
            "the model's leaves are linear functions, which have no contrastive explanation here",
            hint="Train it without linear_tree.",
        )
    averaged = "average_output" in head.splitlines()
    return ModelText(tuple(header["feature_names"].split()), header.get("objective", ""), averaged, trees)


def _fields(block: str) -> dict[str, str]:
    return {name: value for name, found, value in (line.partition("=") for line in block.splitlines()) if found}
