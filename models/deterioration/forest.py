"""Extremely randomised trees, kept as LightGBM's text so that all that reads such trees reads them.

They are grown on normal scores, on which a threshold drawn evenly is a sensible one, and then stated in the figures
themselves. Source: Geurts, Ernst, Wehenkel, Extremely randomized trees (2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np
from scipy.special import logit

from models.deterioration.limits import EVEN_RATES, PSEUDO_ROWS
from models.deterioration.rows import Rows
from models.deterioration.scores import NormalScores
from models.deterioration.settings import DEFAULT, WarningSettings
from models.explanation.contrast import Players
from models.explanation.trees import TreeEnsemble

TREES = 300
FEWER_TREES = 60
MANY_ROWS = 3_000
"""From here on fewer trees do: those of many rows are larger, agree more, and cost more."""
TRIAL_TREES, FEWER_TRIAL_TREES = 150, 30
"""Trees of a forest that only shows how well it would do: half as many rank nearly as well."""
LEAST_LEAF, MANY_LEAST_LEAF = 5, 12
"""Fewest rows of a leaf, and where rows are many: the smaller the leaves, the more trees it takes to rank by them."""
CALM_ROWS = 8_000
CALM_PER_POSITIVE = 4
"""Uneventful rows that one tree sees, at least; each group of trees draws its own, and all see every positive."""
GROUP = 10
"""Trees that share a draw."""
GAPS_LEFT, GAPS_RIGHT = 10, 8
"""LightGBM's codes of a split by threshold that sends what is not known to one side."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Log-odds of the mean rate over the leaves that a row comes to.

    Attributes
    ----------
    text : str
        LightGBM's text format; the mean of the trees is the rate.
    rate : float
        Base rate of the rows that the trees saw.
    """

    text: str
    rate: float

    @classmethod
    def fit(
        cls, rows: Rows, y: np.ndarray, *, seed: int, threads: int = 1, settings: WarningSettings = DEFAULT
    ) -> Forest:
        """Grow the trees; how many follows from the number of rows."""
        count = TREES if len(y) < MANY_ROWS else FEWER_TREES
        trees, rate = _grown(rows, y, count=count, seed=seed, threads=threads, settings=settings)
        texts = [_tree_text(place, one, rows.scale) for place, one in enumerate(trees)]
        return cls(_text(texts, rows.X.shape[1]), rate)

    @classmethod
    def trial(
        cls,
        rows: Rows,
        y: np.ndarray,
        later: Rows,
        *,
        seed: int,
        threads: int = 1,
        settings: WarningSettings = DEFAULT,
    ) -> np.ndarray:
        """Give the log-odds (n,) of later rows by a smaller forest that is not kept."""
        count = TRIAL_TREES if len(y) < MANY_ROWS else FEWER_TRIAL_TREES
        trees, rate = _grown(rows, y, count=count, seed=seed, threads=threads, settings=settings)
        found = np.zeros(len(later.X))
        for tree in trees:
            found += _rates(tree)[tree.apply(later.scores)]
        return cls("", rate)._log_odds(found / count)

    @cached_property
    def _booster(self) -> lgb.Booster:
        return lgb.Booster(model_str=self.text)

    @cached_property
    def _trees(self) -> TreeEnsemble:
        return TreeEnsemble.of(self.text)

    def margin(self, rows: Rows, *, threads: int = 1) -> np.ndarray:
        """Give log-odds (n,)."""
        return self._log_odds(np.asarray(self._booster.predict(rows.X, num_threads=threads)))

    def _log_odds(self, rate: np.ndarray) -> np.ndarray:
        few = PSEUDO_ROWS * self.rate
        return logit((np.clip(rate, 0.0, 1.0) + few) / (1 + 2 * few))

    def contrast(self, rows: Rows, reference: Rows, players: Players) -> np.ndarray:
        """Share out (n, players) how far rows lie from their reference, in proportion to their shares of the rate."""
        values = self._trees.contrast(rows.X, reference.X, player=players.of_feature, count=len(players.names))
        here, there = self._trees.margin(rows.X), self._trees.margin(reference.X)
        gap, apart = here - there, self._log_odds(here) - self._log_odds(there)
        even = np.abs(gap) < EVEN_RATES
        few = PSEUDO_ROWS * self.rate
        slope = (1 + 2 * few) / ((here + few) * (1 + few - here))
        return values * np.where(even, slope, apart / np.where(even, 1.0, gap))[:, None]


def _grown(
    rows: Rows, y: np.ndarray, *, count: int, seed: int, threads: int, settings: WarningSettings
) -> tuple[list[Any], float]:
    """Grow trees, and give the base rate of the rows that they saw."""
    from sklearn.ensemble import ExtraTreesClassifier

    rng = np.random.default_rng(seed)
    positive, calm = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    seen = min(len(calm), max(CALM_ROWS, CALM_PER_POSITIVE * len(positive)))
    group = GROUP if seen < len(calm) else count
    usual = LEAST_LEAF if len(y) < MANY_ROWS else MANY_LEAST_LEAF
    leaf = max(1, round(settings.forest_leaf * usual))
    trees: list[Any] = []
    for _ in range(count // group):
        drawn = rng.choice(calm, seen, replace=False) if seen < len(calm) else calm
        chosen = np.sort(np.concatenate([positive, drawn]))
        grown = ExtraTreesClassifier(
            group, min_samples_leaf=leaf, random_state=int(rng.integers(2**31)), n_jobs=threads
        ).fit(rows.scores[chosen], y[chosen])
        trees += [one.tree_ for one in grown]
    return trees, len(positive) / (len(positive) + seen)


def _rates(tree: Any) -> np.ndarray:
    """Give the rate at each node of a grown tree."""
    value = np.asarray(tree.value)
    return value[:, 0, -1] / value[:, 0].sum(axis=1)


def _tree_text(number: int, tree: Any, scale: NormalScores) -> str:
    """Write one grown tree; LightGBM numbers inner nodes and leaves apart."""
    left, right, feature, threshold, counts = (
        np.asarray(getattr(tree, name))
        for name in ("children_left", "children_right", "feature", "threshold", "n_node_samples")
    )
    rate = _rates(tree)
    inner, leaf = left >= 0, left < 0
    place = np.where(inner, np.cumsum(inner) - 1, -np.cumsum(leaf, dtype=np.int64))  # a leaf k is written as ~k
    fields: dict[str, object] = {"num_leaves": int((~inner).sum()), "num_cat": 0}
    if inner.any():
        fields |= {
            "split_feature": _joined(feature[inner]),
            "split_gain": _joined(np.zeros(int(inner.sum()), int)),
            "threshold": _joined(scale.figures(feature[inner], threshold[inner])),
            "decision_type": _joined(np.where(threshold[inner] >= 0, GAPS_LEFT, GAPS_RIGHT)),  # a gap scores zero
            "left_child": _joined(place[left[inner]]),
            "right_child": _joined(place[right[inner]]),
        }
    fields |= {name: _joined(counts[leaf]) for name in ("leaf_weight", "leaf_count")}
    fields["leaf_value"] = _joined(rate[leaf])
    if inner.any():
        fields |= {name: _joined(counts[inner]) for name in ("internal_weight", "internal_count")}
        fields["internal_value"] = _joined(rate[inner])
    fields |= {"is_linear": 0, "shrinkage": 1}
    return f"Tree={number}\n" + "".join(f"{name}={text}\n" for name, text in fields.items()) + "\n\n"


def _joined(values: np.ndarray) -> str:
    return " ".join(map(repr, values.tolist()))


def _text(trees: list[str], columns: int) -> str:
    """Put trees together to a model in LightGBM's text format, version 4."""
    head = [
        *("tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0"),
        *(f"max_feature_idx={columns - 1}", "objective=regression", "average_output"),
        f"feature_names={' '.join(f'Column_{number}' for number in range(columns))}",
        f"feature_infos={' '.join(['[-1:1]'] * columns)}",
        f"tree_sizes={' '.join(str(len(tree)) for tree in trees)}",
    ]
    tail = ["end of trees", "", "feature_importances:", "", "parameters:", "end of parameters", ""]
    return "\n".join([*head, "", ""]) + "".join(trees) + "\n".join([*tail, "pandas_categorical:null", ""])
