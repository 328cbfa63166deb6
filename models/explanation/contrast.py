"""Why one row's output is not another's: Shapley values of the model itself, adding up to the gap between the two."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, exprel

from features.errors import LoadlineError
from models.explanation.trees import TreeEnsemble


@dataclass(frozen=True)
class Players:
    """Among whom a gap is shared out: single features, or groups of them that a reader knows as one.

    Attributes
    ----------
    names : tuple of str
    of_feature : tuple of int
        The player that each feature belongs to, in the order of the model's features.
    """

    names: tuple[str, ...]
    of_feature: tuple[int, ...]

    @classmethod
    def each(cls, features: Sequence[str]) -> Players:
        """Let every feature play for itself."""
        return cls(tuple(features), tuple(range(len(features))))

    @classmethod
    def grouped(cls, groups: Mapping[str, Sequence[str]], features: Sequence[str]) -> Players:
        """Let groups of features play as one. A group's value is not the sum of what its features would get alone.

        Raises
        ------
        LoadlineError
            Where a feature is in no group or in several, or a group names one that there is not.
        """
        named = [(feature, number) for number, group in enumerate(groups.values()) for feature in group]
        if sorted(feature for feature, _ in named) != sorted(features):
            raise LoadlineError(
                "the groups do not hold every feature of the model once",
                hint=f"The features are {', '.join(features)}.",
            )
        of_feature = dict(named)
        return cls(tuple(groups), tuple(of_feature[feature] for feature in features))


@dataclass(frozen=True, eq=False)
class Reference:
    """The row that another is held against, pinned.

    Attributes
    ----------
    kind : str
        What it stands for, such as `peers`, `last_year` or `target`.
    values : np.ndarray
        (F,), read-only.
    digest : str
        SHA-256 of the values: two explanations with the same digest were made against the same row.
    """

    kind: str
    values: np.ndarray
    digest: str

    @classmethod
    def of(cls, kind: str, values: np.ndarray) -> Reference:
        """Pin a row of features (F,)."""
        pinned = np.array(values, dtype="<f8") + 0.0  # a negative zero is a zero
        pinned[np.isnan(pinned)] = np.nan  # one NaN for all of them
        pinned.setflags(write=False)
        return cls(kind, pinned, hashlib.sha256(pinned.tobytes()).hexdigest())


@dataclass(frozen=True, eq=False)
class Contrast:
    """What sets rows apart from their references, player by player.

    Attributes
    ----------
    players : tuple of str
    values : np.ndarray
        (rows, players); each row adds up to `output - reference`.
    output, reference : np.ndarray
        (rows,) the model's output for the rows, and for what they are held against.
    unit : str
        `margin` for the model's own scale, `probability` once turned into one.
    scaled : bool
        True where the values are those of another scale, stretched in proportion to the gap shown.
    """

    players: tuple[str, ...]
    values: np.ndarray
    output: np.ndarray
    reference: np.ndarray
    unit: str = "margin"
    scaled: bool = False

    @property
    def gap(self) -> np.ndarray:
        """Give what there is to explain (rows,)."""
        return self.output - self.reference


def contrast(
    ensemble: TreeEnsemble, X: np.ndarray, reference: Reference | np.ndarray, *, players: Players | None = None
) -> Contrast:
    """Share out the gap between rows and their reference, exactly, on the model's own scale.

    Interventional Shapley values with the reference as the only background (Lundberg et al. 2020): the worth of a
    coalition is the model's output where its features are the row's and the others the reference's.

    Parameters
    ----------
    ensemble : TreeEnsemble
    X : np.ndarray
        (rows, F)
    reference : Reference or np.ndarray
        One for all rows, or an array (rows, F) with one for each.
    players : Players, optional
        Every feature by itself where not given.

    Raises
    ------
    LoadlineError
        Where the shapes disagree.

    Notes
    -----
    It describes the model and claims no cause. Path-dependent values, such as those of `models.explanation.plain`,
    answer another question and differ.
    """
    held = np.atleast_2d(reference.values if isinstance(reference, Reference) else reference)
    players = players or Players.each(ensemble.features)
    values = ensemble.contrast(X, held, player=players.of_feature, count=len(players.names))
    output = ensemble.margin(X)
    return Contrast(players.names, values, output, np.broadcast_to(ensemble.margin(held), output.shape))


def in_probability(found: Contrast, *, sigmoid: float = 1.0) -> Contrast:
    """Tell a contrast of log-odds in probability: every value is stretched by the same factor to the gap shown.

    The factor of a row is its gap in probability over its gap in log-odds; where the two margins are equal, the slope
    of the logistic function there, so that parts which cancel still show. The values are therefore proportional to
    those of the log-odds, not the Shapley values of the probability itself, and `scaled` says so.

    Parameters
    ----------
    found : Contrast
        On the margin.
    sigmoid : float
        `TreeEnsemble.sigmoid`.

    Raises
    ------
    LoadlineError
        Where the values are no log-odds any more.
    """
    if found.unit != "margin":
        raise LoadlineError(f"values in {found.unit} are no log-odds", hint="Convert what `contrast` gave, once.")
    high = sigmoid * np.maximum(found.output, found.reference)
    low = sigmoid * np.minimum(found.output, found.reference)
    # p(high) - p(low) = p(high) (1 - p(low)) (1 - exp(low - high)), over high - low: exact however small that is.
    factor = sigmoid * expit(high) * expit(-low) * exprel(low - high)
    return replace(
        found,
        values=found.values * factor[:, None],
        output=expit(sigmoid * found.output),
        reference=expit(sigmoid * found.reference),
        unit="probability",
        scaled=True,
    )
