"""LightGBM's trees as plain arrays, and what is asked of them: their output, and Shapley values between two rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.errors import LoadlineError
from models.explanation.model_text import ModelText, read_model_text, unreadable
from models.explanation.splits import CATEGORICAL, KIND_OF_BITS, UNKNOWN

LOGISTIC = ("binary", "cross_entropy", "multiclassova")
"""Objectives whose output is the logistic function of the margin."""


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """The trees of one output of a LightGBM model; every array is read-only.

    Attributes
    ----------
    features : tuple of str
        F names, in the order of the columns.
    columns : np.ndarray
        (C, 3) what the splits look at: feature, the kind of `models.explanation.splits`, and for a categorical one the
        number of its set.
    bounds, bits : np.ndarray
        Set k of categories is the bitset `bits[bounds[k]:bounds[k + 1]]`.
    nodes : np.ndarray
        (N, 3) int32: column, left child, right child. A child below zero is the leaf `~child`.
    thresholds : np.ndarray
        (N,) what is at most this goes left.
    leaves : np.ndarray
        (L,) values on the margin: log-odds for a binary objective.
    roots : np.ndarray
        (T,) one for each tree, below zero for a tree that is a leaf.
    depth : int
        Splits on the longest path.
    objective : str
        As LightGBM writes it; empty for an objective of the user's own.
    """

    features: tuple[str, ...]
    columns: np.ndarray
    bounds: np.ndarray
    bits: np.ndarray
    nodes: np.ndarray
    thresholds: np.ndarray
    leaves: np.ndarray
    roots: np.ndarray
    depth: int
    objective: str

    @classmethod
    def of(cls, text: str, *, output: int | None = None) -> TreeEnsemble:
        """Read a model from `Booster.model_to_string()`.

        Parameters
        ----------
        text : str
        output : int, optional
            Which output, such as the class of a multiclass model; needed where there are several.

        Raises
        ------
        LoadlineError
            Where it is no such text, has linear trees, or has several outputs of which none is named.
        """
        model = read_model_text(text, output=output)
        features = model.joined("split_feature", whole=True)
        children = np.stack([model.joined(name, whole=True) for name in ("left_child", "right_child")], axis=1)
        kinds = KIND_OF_BITS[model.joined("decision_type", whole=True) & 15]
        splits, leaves = model.lengths("split_feature"), model.lengths("leaf_value")
        values, thresholds = model.joined("leaf_value"), model.joined("threshold")
        if np.any(kinds == UNKNOWN):
            raise unreadable("a split treats missing figures in an unknown way")
        if np.any((features < 0) | (features >= len(model.features))):
            raise unreadable("a split is on a feature that there is not")
        if len({len(features), len(children), len(kinds), len(thresholds)}) > 1 or np.any(leaves != splits + 1):
            raise unreadable("a field is longer than another")
        tree = np.repeat(np.arange(len(splits)), splits)
        inside = np.where(children >= 0, children < splits[tree, None], ~children < leaves[tree, None])
        if not inside.all():
            raise unreadable("its splits do not form trees")
        first, first_leaf = np.cumsum(splits) - splits, np.cumsum(leaves) - leaves
        children = children + np.where(children >= 0, first[tree, None], -first_leaf[tree, None])
        roots = np.where(splits > 0, first, ~first_leaf)
        depth = _depth(roots, children)
        categorical = kinds == CATEGORICAL
        sets, bounds, bits = _sets(model, np.where(categorical, thresholds, -1), tree)
        looked_at = np.column_stack([features, kinds, sets])
        columns, column = np.unique(looked_at, axis=0, return_inverse=True)
        nodes = np.column_stack([column, children]).astype(np.int32)
        thresholds = np.where(categorical, 0.0, thresholds)
        values = values / len(splits) if model.averaged else values
        arrays = columns, bounds, bits, nodes, thresholds, values, roots
        for array in arrays:
            array.setflags(write=False)
        return cls(model.features, *arrays, depth, model.objective)

    @property
    def sigmoid(self) -> float:
        """Give the factor on the margin within the logistic function.

        Raises
        ------
        LoadlineError
            Where the model's output is no probability by log-odds.
        """
        kind, *options = self.objective.split() or [""]
        if kind not in LOGISTIC:
            raise LoadlineError(
                f"the output of {f'the objective {kind!r}' if kind else 'a custom objective'} is no probability",
                hint="Show its values on the model's own scale.",
            )
        return next((float(option[8:]) for option in options if option.startswith("sigmoid:")), 1.0)

    def margin(self, X: np.ndarray) -> np.ndarray:
        """Give the output (rows,) for (rows, F) before the objective's link, such as log-odds.

        It is what `Booster.predict(X, raw_score=True)` gives; of a random forest the mean that its output rests on, and
        not the sum of the trees.
        """
        from models.explanation.kernel import margins

        return margins(self._rows(X), *self._arrays)

    def contrast(self, X: np.ndarray, R: np.ndarray, *, player: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
        """Give the Shapley values (rows, count) of rows (rows, F) against references (rows, F), or against one (1, F).

        `player` (F,) says whose feature each column is: a coalition takes all columns of its players from the row, and
        the others from the reference. `models.explanation.contrast` names the players.

        Raises
        ------
        LoadlineError
            Where the shapes disagree.
        """
        from models.explanation.kernel import contrasts

        rows, references = self._rows(X), self._rows(R)
        owner = np.asarray(player, dtype=np.int64)
        if owner.shape != (len(self.features),) or np.any((owner < 0) | (owner >= count)):
            raise LoadlineError(f"each of {len(self.features)} features needs one of {count} players")
        if len(references) not in (1, len(rows)):
            raise LoadlineError(
                f"{len(rows)} rows against {len(references)} references",
                hint="Give one reference, or one for each row.",
            )
        return contrasts(rows, references, owner[self.columns[:, 0]], count, self._weights, *self._arrays)

    def _rows(self, X: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(np.atleast_2d(X), dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise LoadlineError(f"rows of shape {np.shape(X)} for a model of {len(self.features)} features")
        return rows

    @property
    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.columns, self.bounds, self.bits, self.nodes, self.thresholds, self.leaves, self.roots

    @cached_property
    def _weights(self) -> np.ndarray:
        """Give (u-1)! v! / (u+v)! at [u, v]: what a leaf counts for one of u players whom it needs, with v kept out."""
        others = np.arange(self.depth + 1.0)
        weights = np.zeros((self.depth + 1, self.depth + 1))
        weights[1:2] = 1 / (others + 1)
        for needed in range(2, self.depth + 1):
            weights[needed] = weights[needed - 1] * (needed - 1) / (needed + others)
        return weights


def _depth(roots: np.ndarray, children: np.ndarray) -> int:
    """Measure the longest path; what is met must be every split and leaf, each from one place."""
    here, met, depth = roots, 0, 0
    reached = np.bincount(children[children >= 0], minlength=len(children))
    reached[roots[roots >= 0]] += 1
    leaves = np.sort(np.concatenate([~children[children < 0], ~roots[roots < 0]]))
    if np.any(reached != 1) or not np.array_equal(leaves, np.arange(len(leaves))):
        raise unreadable("its splits do not form trees")
    while len(inner := here[here >= 0]):
        here, met, depth = children[inner].ravel(), met + len(inner), depth + 1
    if met != len(children):  # the rest goes round in a circle
        raise unreadable("its splits do not form trees")
    return depth


def _sets(model: ModelText, number: np.ndarray, tree: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join the sets of categories of all trees: number each split's set, -1 for none; their bounds; their bits."""
    starts, words = model.lengths("cat_boundaries"), model.lengths("cat_threshold")
    bits, bounds = model.joined("cat_threshold", whole=True), model.joined("cat_boundaries", whole=True)
    ends = np.repeat(words, starts)
    if np.any((number >= 0) & (number >= starts[tree] - 1)) or np.any((bounds < 0) | (bounds > ends)):
        raise unreadable("a set of categories that there is not")
    if np.any((bits < 0) | (bits >= 2**32)):
        raise unreadable("a set of categories that is no bitset")
    joined = bounds + np.repeat(np.cumsum(words) - words, starts)
    sets = np.where(number >= 0, number + (np.cumsum(starts) - starts)[tree], -1).astype(np.int64)
    return sets, joined, bits
