"""How far a sum of random whole cents exceeds a kink on average, compiled: the inner loop of Shapley values.

Importing this module loads numba, so it is imported where it is called.
"""

from __future__ import annotations

import numpy as np

from models.compiled import compiled

NEGLIGIBLE = 1e-18
"""Probability below which the outermost states are dropped: ten thousand of them, times the largest score, are below a
hundred-millionth of a cent."""


@compiled()
def expected_excess(d, order, need, nodes, excess, slopes):
    """Give how far the sum exceeds a kink on average where each player joins with probability q, and its slopes.

    Counted from the least possible sum every player adds |d| (by joining, or by staying away where d is negative),
    and `need` is what it takes from there to the kink. `left` at stage t is what is still needed after t players, from
    the largest down. It is live while it lies in (0, what the others can add); beyond, the rest is known in closed
    form. A pass forward gives the probabilities of live states, a pass back the expected excess from each.

    Parameters
    ----------
    d, order : np.ndarray
        (m,) int64 differences, none 0; and their order by falling size.
    need : int
        Between 0 and the sum of all |d|, both excluded.
    nodes : np.ndarray
        (n,) probabilities q.
    excess, slopes : np.ndarray
        (n,) and (n, m): filled.
    """
    m = len(d)
    a = np.abs(d[order])
    rest = np.zeros(m + 1, dtype=np.int64)
    for t in range(m - 1, -1, -1):
        rest[t] = rest[t + 1] + a[t]
    low, high, span = (np.zeros(m + 2, dtype=np.int64) for _ in range(3))
    low[0] = high[0] = need
    density = np.empty(_room(a, rest, need))
    p, mean, sure = np.empty(m), np.zeros(m + 1), np.zeros(m + 1)
    after, here = np.empty(need + 1), np.empty(need + 1)
    for n in range(len(excess)):
        for t in range(m - 1, -1, -1):
            p[t] = nodes[n] if d[order[t]] > 0 else 1.0 - nodes[n]
            mean[t] = mean[t + 1] + a[t] * p[t]
        density[0] = 1.0
        stages = _forward(a, p, rest, low, high, span, density, sure)
        for t in range(stages, m):
            slopes[n, order[t]] = sure[min(t, stages)] * a[t]
        low[stages], high[stages] = need + 1, need
        for t in range(stages - 1, -1, -1):
            start, end = low[t], high[t]
            fill = max(1, start - a[t])
            _clear(after, fill, min(low[t + 1], end + 1))
            _clear(after, max(high[t + 1] + 1, fill), end + 1)
            closed = max(min(a[t], end) - start + 1, 0)
            most = mean[t + 1] + a[t] - start
            slope = sure[t] * a[t] + _step_in(here, after, start, density, span[t], closed, p[t], most)
            begin = start + closed
            slope += _step(here, after, begin, begin - a[t], density, span[t] + closed, end - begin + 1, p[t])
            slopes[n, order[t]] = slope
            after, here = here, after
        excess[n] = after[need]
        for j in range(m):
            if d[j] < 0:
                slopes[n, j] = -slopes[n, j]


@compiled()
def _room(a, rest, need):
    """Count the live states of all stages, at most."""
    room, used = np.int64(1), np.int64(0)
    for t in range(len(a)):
        used += a[t]
        room += max(min(rest[t + 1] - 1, need) - max(1, need - used) + 1, 0)
    return room


@compiled(fastmath=True)
def _forward(a, p, rest, low, high, span, density, sure):
    """Spread the probability of each live state over the next stage's; gives how many stages have live states.

    Fills `low`, `high` (ends of live states), `span` (where they begin in `density`) and `sure` (the probability that
    the kink is passed already).
    """
    m = len(a)
    for t in range(m):
        start, end, size = low[t], high[t], a[t]
        now = span[t] - start
        sure[t + 1] = sure[t] + p[t] * _sum(density, span[t], min(size, end) - start + 1)
        first, last = max(1, start - size), min(end, rest[t + 1] - 1)
        begin = span[t] + end - start + 1
        if first > last:
            return t + 1
        then = begin - first
        _scaled(density, begin, now + first + size, min(last, start - 1, end - size) - first + 1, p[t])
        _clear(density, then + max(first, end - size + 1), then + min(last, start - 1) + 1)
        both = max(first, start)
        _blended(density, then + both, now + both, now + both + size, min(last, end - size) - both + 1, p[t])
        stays = max(both, end - size + 1)
        _scaled(density, then + stays, now + stays, last - stays + 1, 1.0 - p[t])
        while first <= last and density[then + first] < NEGLIGIBLE:
            first += 1
        while first <= last and density[then + last] < NEGLIGIBLE:
            last -= 1
        if first > last:
            return t + 1
        span[t + 1], low[t + 1], high[t + 1] = then + first, first, last
    return m


# Loops run over unsigned places: numba then leaves out what negative indices need, and they become vector instructions.


@compiled()
def _clear(into, start, end):
    for k in range(np.uint64(max(start, 0)), np.uint64(max(end, start, 0))):
        into[k] = 0.0


@compiled(fastmath=True)
def _sum(given, start, count):
    total, at = 0.0, np.uint64(start)
    for k in range(np.uint64(max(count, 0))):
        total += given[at + k]
    return total


@compiled(fastmath=True)
def _scaled(density, into, given, count, p):
    into, given = np.uint64(into), np.uint64(given)
    for k in range(np.uint64(max(count, 0))):
        density[into + k] = p * density[given + k]


@compiled(fastmath=True)
def _blended(density, into, stayed, joined, count, p):
    into, stayed, joined = np.uint64(into), np.uint64(stayed), np.uint64(joined)
    for k in range(np.uint64(max(count, 0))):
        density[into + k] = density[stayed + k] + p * (density[joined + k] - density[stayed + k])


@compiled(fastmath=True)
def _step_in(here, after, start, density, chance, count, p, most):
    """Go one stage back where joining passes the kink, by `most` from the first state on; gives the slope."""
    slope = 0.0
    start, chance = np.uint64(start), np.uint64(chance)
    for k in range(np.uint64(max(count, 0))):
        gain = most - np.int64(k) - after[start + k]
        slope += density[chance + k] * gain
        here[start + k] = after[start + k] + p * gain
    return slope


@compiled(fastmath=True)
def _step(here, after, stayed, joined, density, chance, count, p):
    """Go one stage back where joining leads to another live state; gives the slope."""
    slope = 0.0
    stayed, joined, chance = np.uint64(stayed), np.uint64(joined), np.uint64(chance)
    for k in range(np.uint64(max(count, 0))):
        gain = after[joined + k] - after[stayed + k]
        slope += density[chance + k] * gain
        here[stayed + k] = after[stayed + k] + p * gain
    return slope
