"""Shapley values of totals that pass limits and gates, compiled; see `models.scoring.shapley` for the method.

Importing this module loads numba, so it is imported where it is called. What is compiled is kept on disk for as long as
the file it was written in is the same, whatever it calls: so all of it is in one file.
"""

from __future__ import annotations

import numpy as np

from models.compiled import compiled

NONE = np.int64(1) << 40
"""Cents beyond any total: no limit."""
MOST_SPECIAL = 16
"""Players whose combinations are enumerated, at most: 65,536 combinations take a second."""
NEGLIGIBLE = 1e-18
"""Probability below which the outermost states are dropped: ten thousand of them, times the largest score, are below a
hundred-millionth of a cent."""


@compiled()
def solve(
    base_now, base_ref, added_now, added_ref, added_by, is_bonus, limits, acts_now, acts_ref, gated_by, ends, rule
):
    """Give Shapley values of each row's difference.

    Parameters
    ----------
    base_now, base_ref : np.ndarray
        (N, M) int64 cents of players.
    added_now, added_ref : np.ndarray
        (N, J) int64 cents of adjustments, not negative.
    added_by : np.ndarray
        (J,) players; -1 where nothing changes.
    is_bonus : np.ndarray
        (J,) bool.
    limits : tuple of int
        On all bonuses and on all maluses.
    acts_now, acts_ref : np.ndarray
        (N, G) bool.
    gated_by : np.ndarray
        (G,) players; -1 where nothing changes.
    ends : np.ndarray
        (G, 2) between which a gate holds the total where it acts.
    rule : tuple of np.ndarray
        Nodes and weights of Gauss and Legendre on [0, 1], row n for n of them.

    Returns
    -------
    values : np.ndarray
        (N, M) float64 cents.
    special : np.ndarray
        (N,) players that had to be enumerated; where they are too many (`MOST_SPECIAL`), values are NaN.
    """
    rows, players = base_now.shape
    values = np.zeros((rows, players))
    specials = np.zeros(rows, dtype=np.int64)
    for row in range(rows):
        specials[row] = _row(
            base_now[row], base_ref[row], added_now[row], added_ref[row], added_by, is_bonus, limits,
            acts_now[row], acts_ref[row], gated_by, ends, rule, values[row],
        )  # fmt: skip
    return values, specials


@compiled()
def _row(
    base_now, base_ref, added_now, added_ref, added_by, is_bonus, limits, acts_now, acts_ref, gated_by, ends, rule, out
):
    players, gates = len(base_now), len(acts_now)
    d, fixed = np.empty(players, dtype=np.int64), np.int64(0)
    for i in range(players):
        d[i] = base_now[i] - base_ref[i]
        fixed += base_ref[i]
    special = np.zeros(players, dtype=np.bool_)
    loose, low, high = _fold(added_now, added_ref, added_by, is_bonus, limits, d, special)
    for j in range(len(added_now)):
        if not loose[j]:
            fixed += added_ref[j] if is_bonus[j] else -added_ref[j]
    low, high = low + fixed, high + fixed
    for i in range(players):
        low, high = low + min(d[i], 0), high + max(d[i], 0)
    kept = np.zeros(gates, dtype=np.bool_)
    for g in range(gates):
        if not (acts_now[g] or acts_ref[g]) or (ends[g, 0] <= low and high <= ends[g, 1]):
            continue
        kept[g] = True
        held_low, held_high = _held(low, ends[g]), _held(high, ends[g])
        if acts_now[g] == acts_ref[g]:
            low, high = held_low, held_high
        else:
            special[gated_by[g]] = True
            low, high = min(low, held_low), max(high, held_high)
    chosen, plain = np.empty(players, dtype=np.int64), np.empty(players, dtype=np.int64)
    position = np.full(players, -1, dtype=np.int64)
    e = m = 0
    for i in range(players):
        if special[i]:
            position[i], chosen[e] = e, i
            e += 1
        elif d[i] != 0:
            plain[m] = i
            m += 1
    if e > MOST_SPECIAL:
        out[:] = np.nan
        return e
    pieces = np.empty((1 << e, 3), dtype=np.int64)
    for combination in range(len(pieces)):
        constant = fixed
        for place in range(e):
            if combination >> place & 1:
                constant += d[chosen[place]]
        bonus, malus = np.int64(0), np.int64(0)
        for j in range(len(added_now)):
            if loose[j]:
                amount = added_now[j] if _in(added_by[j], position, combination) else added_ref[j]
                if is_bonus[j]:
                    bonus += amount
                else:
                    malus += amount
        lower, upper = -NONE, NONE
        for g in range(gates):
            if kept[g] and (acts_now[g] if _in(gated_by[g], position, combination) else acts_ref[g]):
                lower, upper = _held(lower, ends[g]), _held(upper, ends[g])
        pieces[combination, 0] = constant + min(bonus, limits[0]) - min(malus, limits[1])
        pieces[combination, 1], pieces[combination, 2] = lower, upper
    _integrate(pieces, d, plain[:m], chosen[:e], rule, out)
    return e


@compiled()
def _held(amount, end):
    return min(max(amount, end[0]), end[1])


@compiled()
def _in(player, position, combination):
    return player >= 0 and position[player] >= 0 and (combination >> position[player] & 1) == 1


@compiled()
def _fold(added_now, added_ref, added_by, is_bonus, limits, d, special):
    """Put adjustments whose limit cannot bind into the plain differences; mark the players of the others as special.

    Gives which adjustments stay `loose` (their sum is limited), and the range of what those add.
    """
    loose = np.zeros(len(added_now), dtype=np.bool_)
    low, high = np.int64(0), np.int64(0)
    for kind in range(2):
        most, least, largest = limits[kind], np.int64(0), np.int64(0)
        for j in range(len(added_now)):
            if is_bonus[j] == (kind == 0):
                least += min(added_now[j], added_ref[j])
                largest += max(added_now[j], added_ref[j])
        binds = largest > most
        for j in range(len(added_now)):
            if is_bonus[j] != (kind == 0):
                continue
            loose[j] = binds
            if added_now[j] == added_ref[j]:
                continue
            if binds:
                special[added_by[j]] |= least < most
            else:
                d[added_by[j]] += (added_now[j] - added_ref[j]) * (1 if kind == 0 else -1)
        if binds:
            if kind == 0:
                low, high = low + min(least, most), high + min(largest, most)
            else:
                low, high = low - min(largest, most), high - min(least, most)
    return loose, low, high


@compiled()
def _integrate(pieces, differences, plain, chosen, rule, out):
    """Integrate the multilinear extension's derivatives along the diagonal (Owen 1972).

    `pieces` (2^E, 3): for each combination of special players, what is added to the sum of plain ones, and the ends
    between which the result is held.
    """
    e, m = len(chosen), len(plain)
    if e + m == 0:
        return
    nodes = (e + m + 1) // 2
    d, least, most = np.empty(m, dtype=np.int64), np.int64(0), np.int64(0)
    for j in range(m):
        d[j] = differences[plain[j]]
        least, most = least + min(d[j], 0), most + max(d[j], 0)
    total = least + most
    kinks = np.empty(2 * len(pieces), dtype=np.int64)
    which = np.full((len(pieces), 2), -1, dtype=np.int64)
    found = 0
    for c in range(len(pieces)):
        for end in range(2):
            kink = pieces[c, 1 + end] - pieces[c, 0]
            if not least < kink < most:
                continue
            for known in range(found):
                if kinks[known] == kink:
                    which[c, end] = known
            if which[c, end] < 0:
                kinks[found], which[c, end] = kink, found
                found += 1
    excess = np.empty((found, nodes))
    slopes = np.empty((found, nodes, m))
    if found:
        order = _by_size(d)
        for k in range(found):
            _expected_excess(d, order, kinks[k] - least, rule[0][nodes], excess[k], slopes[k])
    value = np.empty(len(pieces))
    steep = np.empty(m)
    for node in range(nodes):
        q, weight = rule[0][nodes, node], rule[1][nodes, node]
        steep[:] = 0.0
        for c in range(len(pieces)):
            size = _members(c)
            share = q**size * (1.0 - q) ** (e - size)
            constant, lower, upper = pieces[c, 0], pieces[c, 1], pieces[c, 2]
            if lower >= constant + most:
                value[c] = lower
                continue
            if upper <= constant + least:
                value[c] = upper
                continue
            below, above = which[c, 0], which[c, 1]
            if below < 0:  # expected sum, less what exceeds the upper end
                value[c] = constant + q * total
                for j in range(m):
                    steep[j] += share * d[j]
            else:
                value[c] = lower + excess[below, node]
                for j in range(m):
                    steep[j] += share * slopes[below, node, j]
            if above >= 0:
                value[c] -= excess[above, node]
                for j in range(m):
                    steep[j] -= share * slopes[above, node, j]
        for j in range(m):
            out[plain[j]] += weight * steep[j]
        for place in range(e):
            for c in range(len(pieces)):
                if not c >> place & 1:
                    size = _members(c)
                    share = q**size * (1.0 - q) ** (e - 1 - size)
                    out[chosen[place]] += weight * share * (value[c | 1 << place] - value[c])


@compiled()
def _by_size(d):
    """Order by falling size, by insertion: there are few, and it takes a hundredth of the time to compile."""
    order = np.arange(len(d))
    for k in range(1, len(d)):
        at, moving = k, order[k]
        while at > 0 and abs(d[order[at - 1]]) < abs(d[moving]):
            order[at] = order[at - 1]
            at -= 1
        order[at] = moving
    return order


@compiled()
def _members(combination):
    count = 0
    while combination:
        count += combination & 1
        combination >>= 1
    return count


@compiled()
def _expected_excess(d, order, need, nodes, excess, slopes):
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
    a, rest = np.empty(m, dtype=np.int64), np.zeros(m + 1, dtype=np.int64)
    for t in range(m - 1, -1, -1):
        a[t] = abs(d[order[t]])
        rest[t] = rest[t + 1] + a[t]
    low, high, span = np.zeros(m + 2, dtype=np.int64), np.zeros(m + 2, dtype=np.int64), np.zeros(m + 2, dtype=np.int64)
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
