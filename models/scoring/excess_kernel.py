"""How far a sum of random whole cents exceeds a kink on average, compiled: the inner loop of Shapley values.

Importing this module loads numba, so it is imported where it is called.
"""

from __future__ import annotations

import numpy as np

from models.compiled import compiled


@compiled(fastmath=True)
def _mix(into, stayed, joined, p):
    for k in range(len(into)):
        into[k] = (1.0 - p) * stayed[k] + p * joined[k]


@compiled(fastmath=True)
def _gain(density, stayed, joined):
    total = 0.0
    for k in range(len(density)):
        total += density[k] * (joined[k] - stayed[k])
    return total


@compiled(fastmath=True)
def _add(into, given, p):
    for k in range(len(into)):
        into[k] += p * given[k]


@compiled(fastmath=True)
def expected_excess(d, order, need, nodes, excess, slopes):
    """Give, where each player joins with probability q, how far the sum exceeds a kink on average, and its slopes.

    Counted from the least possible sum every player adds |d| (by joining, or by staying away where d is negative),
    and `need` is what is then needed to reach the kink. `left` at stage t is what is still needed after t players,
    from the largest down: live where it lies in (0, what the others can add); beyond, the rest is known in closed form.
    """
    m = len(d)
    a = np.abs(d[order])
    rest, span = np.zeros(m + 1, dtype=np.int64), np.zeros(m + 2, dtype=np.int64)
    for t in range(m - 1, -1, -1):
        rest[t] = rest[t + 1] + a[t]
    first, last = np.empty(m + 1, dtype=np.int64), np.empty(m + 1, dtype=np.int64)
    used = np.int64(0)
    for t in range(m + 1):
        first[t], last[t] = max(1, need - used), min(rest[t] - 1, need)
        if t < m:
            used += a[t]
    stages = m
    for t in range(1, m + 1):  # stage t: excess by what is left, from `first[t - 1] - a[t - 1]` to `last[t - 1]`
        width = last[t - 1] - first[t - 1] + 1
        if width <= 0:
            stages = t - 1
            break
        span[t + 1] = span[t] + width + a[t - 1]
    table = np.empty(span[stages + 1])
    room = 1
    for t in range(stages + 1):
        room = max(room, last[t] - first[t] + 1)
    density, after = np.zeros(room), np.zeros(room)
    mean = np.empty(m + 1)
    for n in range(len(excess)):
        q = nodes[n]
        mean[m] = 0.0
        for t in range(m - 1, -1, -1):
            mean[t] = mean[t + 1] + a[t] * (q if d[order[t]] > 0 else 1.0 - q)
        for t in range(stages, 0, -1):
            here, start, end = span[t], first[t - 1] - a[t - 1], last[t - 1]
            for left in range(start, min(0, end) + 1):
                table[here + left - start] = mean[t] - left
            beyond = max(rest[t], start, 1)
            if beyond <= end:
                table[here + beyond - start : here + end - start + 1] = 0.0
            if first[t] <= last[t]:  # then a stage follows
                p = q if d[order[t]] > 0 else 1.0 - q
                count, stayed = last[t] - first[t] + 1, span[t + 1] + a[t]
                into = here + first[t] - start
                _mix(table[into : into + count], table[stayed : stayed + count], table[stayed - a[t] :], p)
        p = q if d[order[0]] > 0 else 1.0 - q
        there = span[1] - (first[0] - a[0])
        excess[n] = (1.0 - p) * table[there + need] + p * table[there + need - a[0]]
        density[:] = 0.0
        density[need - first[0]] = 1.0
        sure = 0.0
        for t in range(m):
            sign = 1.0 if d[order[t]] > 0 else -1.0
            slope = sure * a[t]
            if t < stages:
                count, stayed = last[t] - first[t] + 1, span[t + 1] + a[t]
                slope += _gain(density[:count], table[stayed : stayed + count], table[stayed - a[t] :])
                p = q if sign > 0 else 1.0 - q
                sure += p * density[: max(min(a[t], last[t]) - first[t] + 1, 0)].sum()
                after[: max(last[t + 1] - first[t + 1] + 1, 0)] = 0.0
                start, end = max(first[t], first[t + 1]), min(last[t], last[t + 1])
                if start <= end:
                    _add(after[start - first[t + 1] : end - first[t + 1] + 1], density[start - first[t] :], 1.0 - p)
                start, end = max(first[t + 1], first[t] - a[t]), min(last[t + 1], last[t] - a[t])
                if start <= end:
                    _add(after[start - first[t + 1] : end - first[t + 1] + 1], density[start + a[t] - first[t] :], p)
                density, after = after, density
            slopes[n, order[t]] = sign * slope
