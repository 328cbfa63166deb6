"""The walk down the trees, compiled. Importing this module loads numba, so it is imported where it is called.

For one tree and two rows, a leaf is reached by a coalition of players exactly if it holds all players that led the
walk along the first row and none that led it along the second. With u and v of them, that is a unanimity game with
known Shapley values: (u-1)! v! / (u+v)! of the leaf for each of the u, -(v-1)! u! / (u+v)! for each of the v (Lundberg
et al. 2020, "From local explanations to global understanding", interventional with one background row). The sums of
leaves are carried up, so each place where the rows part costs the same whatever lies above it.

What a split does with a missing figure or a category is settled before the walk, column by column: within it, every
split asks whether a figure is at most its threshold.
"""

from __future__ import annotations

import numpy as np

from models.compiled import compiled
from models.explanation.splits import (
    CATEGORICAL,
    MISSING_LEFT,
    MISSING_NEVER,
    ZERO_LEFT,
    ZERO_RIGHT,
    ZERO_THRESHOLD,
)

INT_LIMIT = 2147483648.0  # LightGBM casts a category to a C int; what does not fit belongs to no set


@compiled()
def _settle(row, columns, bounds, bits, out):
    """Turn the features of a row into figures of which those at most the threshold go left: NaN never, -inf always."""
    for place in range(columns.shape[0]):
        value, kind = row[columns[place, 0]], columns[place, 1]
        if abs(value) <= ZERO_THRESHOLD:  # as LightGBM reads any dense row
            value = 0.0
        if kind == CATEGORICAL:
            inside = False
            if -1.0 < value < INT_LIMIT:
                category, chosen = np.int64(value), columns[place, 2]
                word = bounds[chosen] + (category >> 5)
                inside = word < bounds[chosen + 1] and (bits[word] >> (category & 31)) & 1 == 1
            value = -np.inf if inside else np.nan
        elif value != value or (value == 0.0 and kind in (ZERO_LEFT, ZERO_RIGHT)):
            left = kind in (MISSING_LEFT, ZERO_LEFT)
            value = 0.0 if kind == MISSING_NEVER else -np.inf if left else np.nan
        out[place] = value


@compiled()
def margins(X, columns, bounds, bits, nodes, thresholds, leaves, roots):
    """Add up the leaves that each row (rows, features) comes to: (rows,)."""
    found, x = np.zeros(X.shape[0]), np.empty(columns.shape[0])
    for row in range(X.shape[0]):
        _settle(X[row], columns, bounds, bits, x)
        total = 0.0
        for root in roots:
            node = root
            while node >= 0:
                node = nodes[node, 1] if x[nodes[node, 0]] <= thresholds[node] else nodes[node, 2]
            total += leaves[~node]
        found[row] = total
    return found


@compiled()
def contrasts(X, R, owner, count, weights, columns, bounds, bits, nodes, thresholds, leaves, roots):
    """Give Shapley values (rows, count) of each row of X against its row of R, or against the only one of R."""
    found = np.zeros((X.shape[0], count))
    x, r = np.empty(columns.shape[0]), np.empty(columns.shape[0])
    side = np.zeros(count, np.int8)  # 0: not met on this path, 1: follows the row, 2: follows the reference
    deep = weights.shape[0]
    parted, other = np.empty(deep, np.int64), np.empty(deep, np.int64)
    turned = np.zeros(deep, np.bool_)
    gained, lost = np.zeros(deep), np.zeros(deep)
    for row in range(X.shape[0]):
        _settle(X[row], columns, bounds, bits, x)
        _settle(R[row if R.shape[0] > 1 else 0], columns, bounds, bits, r)
        phi = found[row]
        for root in roots:
            node, top, u, v = root, 0, 0, 0
            while True:
                while node >= 0:
                    column, threshold = nodes[node, 0], thresholds[node]
                    who = owner[column]
                    follows = side[who]
                    left = (x[column] if follows == 1 else r[column]) <= threshold
                    if follows == 0 and left != (x[column] <= threshold):
                        parted[top], other[top] = who, nodes[node, 1] if left else nodes[node, 2]
                        turned[top] = False
                        side[who], top, u, left = 1, top + 1, u + 1, not left
                    node = nodes[node, 1] if left else nodes[node, 2]
                up, down = weights[u, v] * leaves[~node], weights[v, u] * leaves[~node]
                while top > 0:
                    who = parted[top - 1]
                    if not turned[top - 1]:
                        phi[who] += up
                        gained[top - 1], lost[top - 1], turned[top - 1] = up, down, True
                        side[who], u, v, node = 2, u - 1, v + 1, other[top - 1]
                        break
                    phi[who] -= down
                    up += gained[top - 1]
                    down += lost[top - 1]
                    side[who], v, top = 0, v - 1, top - 1
                if top == 0:
                    break
    return found
