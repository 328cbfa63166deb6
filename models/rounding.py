"""Rounding of what is displayed, so that the parts shown add up to the total shown."""

from __future__ import annotations

import numpy as np


def shares(parts: np.ndarray, total: np.ndarray | float, *, decimals: int) -> np.ndarray:
    """Round parts so that they add up to their rounded total: the method of largest remainders (Hamilton).

    A part differs from its exact value by less than one smallest unit wherever the exact parts add up to the total but
    for its own rounding. A part of zero stays zero as long as another can take what is left over.

    Parameters
    ----------
    parts : np.ndarray
        (..., P) exact parts.
    total : np.ndarray or float
        (...,) what they are to add up to; rounded here.
    decimals : int
        Of what is shown; negative for whole tens and so on.

    Returns
    -------
    np.ndarray
        (..., P); written with `decimals` digits they add up exactly. NaN throughout a row with a figure that is not
        known.

    Examples
    --------
    >>> import numpy as np
    >>> [float(part) for part in shares(np.array([1.25, 2.25, -0.5]), 3.0, decimals=1)]
    [1.3, 2.2, -0.5]
    """
    parts, total = np.asarray(parts, dtype=float), np.asarray(total, dtype=float)
    known = np.isfinite(parts).all(axis=-1) & np.isfinite(total)
    scaled = np.where(known[..., None], parts, 0.0) * 10.0**decimals
    whole = np.floor(scaled)
    missing = np.rint(np.where(known, total, 0.0) * 10.0**decimals) - whole.sum(axis=-1)
    able = (scaled != 0) | (scaled == 0).all(axis=-1, keepdims=True)
    takers = np.maximum(able.sum(axis=-1), 1)
    order = np.argsort(np.where(able, whole - scaled, np.inf), axis=-1, kind="stable")
    place = np.argsort(order, axis=-1, kind="stable")
    each, left = np.divmod(missing, takers)
    whole += np.where(able, each[..., None] + (place < left[..., None]), 0.0)
    found = np.round(whole / 10.0**decimals, max(decimals, 0)) + 0.0
    return np.where(known[..., None], found, np.nan)
