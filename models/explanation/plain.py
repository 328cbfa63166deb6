"""The plain view of an output, against no row in particular: LightGBM's own contributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.errors import LoadlineError
from models.explanation.contrast import Players

if TYPE_CHECKING:
    import lightgbm as lgb


def plain_contributions(
    booster: lgb.Booster, X: np.ndarray, *, players: Players | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Give the contribution of each player (rows, players), and what they start from (rows,): `pred_contrib`.

    Path-dependent values (Lundberg et al. 2018): what is not known of a row is averaged over the rows learned from, as
    the trees counted them. They add up to the raw output, of one output only. The value of a group is the sum of its
    features' values, which under interactions is not what the group would get as one player.

    Parameters
    ----------
    booster : lightgbm.Booster
        With one output.
    X : np.ndarray
        (rows, F)
    players : Players, optional

    Raises
    ------
    LoadlineError
        Where the model has several outputs.
    """
    if (outputs := booster.num_model_per_iteration()) > 1:
        raise LoadlineError(f"the model has {outputs} outputs", hint="Explain a model with one.")
    players = players or Players.each(booster.feature_name())
    found = np.asarray(booster.predict(np.atleast_2d(X), pred_contrib=True, num_threads=1))
    values = np.zeros((len(found), len(players.names)))
    np.add.at(values.T, np.array(players.of_feature), found[:, : len(players.of_feature)].T)
    return values, found[:, len(players.of_feature)]
