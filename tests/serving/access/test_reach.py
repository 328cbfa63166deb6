"""How far somebody sees: exactly the subtrees of their grants, whatever the tree."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LoadlineError
from serving.access.principal import LOCAL, Grant, Principal, Role, acting
from serving.access.reach import Reach, opened, reach, reaching
from serving.access.rules import Rule
from serving.directory import Directory, UnitEntry
from serving.errors import NotFoundError
from serving.narrowed import KEPT, narrowed


def entry(code: str, parent: str | None, successors: tuple[str, ...] = ()) -> UnitEntry:
    blank = {"level": None, "region_type": None, "peer_group": None, "business_line": None}
    return UnitEntry(
        code=code,
        name=code,
        name_zh=None,
        parent=parent,
        valid_from=None,
        valid_to=None,
        **blank,
        successors=successors,
        children=0,
    )


def directory_of(parents: dict[str, str | None], heirs: dict[str, tuple[str, ...]] | None = None) -> Directory:
    about = SimpleNamespace(dataset="bank", version=1, fingerprint="f")
    found = Directory(SimpleNamespace(about=about))  # pyright: ignore[reportArgumentType]
    found.__dict__["units"] = {
        code: entry(code, parent, (heirs or {}).get(code, ())) for code, parent in sorted(parents.items())
    }
    return found


CODES = [f"U{number}" for number in range(9)]


@st.composite
def trees(draw) -> dict[str, str | None]:
    """Forests, and now and then a circle, which must not hang anything."""
    parents: dict[str, str | None] = {}
    for number, code in enumerate(CODES):
        above = CODES if draw(st.integers(0, 9)) == 0 else CODES[:number]
        parents[code] = draw(st.sampled_from([None, *above]))
    return parents


def climbing(parents: dict[str, str | None], heads: set[str]) -> set[str]:
    """Find subtrees the slow way: climb from every unit, as far as there are units."""
    found = set()
    for code in parents:
        at: str | None = code
        for _ in parents:
            if at in heads:
                found.add(code)
            at = None if at is None else parents[at]
    return found


grants = st.lists(st.builds(Grant, st.sampled_from(Role), st.sampled_from(["", "NOT-THERE", *CODES])), max_size=4)


@given(trees(), grants, st.sets(st.sampled_from(Role)), st.booleans(), st.lists(st.sampled_from(CODES), max_size=3))
def test_exactly_the_subtrees_are_seen(parents, held, roles, whole, heirs):
    directory = directory_of(parents, {code: tuple(heirs) for code in CODES})
    found = opened(Rule(frozenset(roles), whole=whole), Principal("1", "Li", "person", tuple(held)))
    counting = [
        grant
        for grant in held
        if grant.role in roles and (grant.unit or grant.role is not Role.MANAGER) and not (whole and grant.unit)
    ]
    assert (found is None) == (not counting)
    if found is None:
        return
    heads = {grant.unit for grant in counting}
    expected = set(parents) if "" in heads else climbing(parents, heads)
    seen = narrowed(directory, found)
    assert set(seen.units) == expected
    assert (found.units(directory) or frozenset(parents)) == expected or "" not in heads
    page = seen.page(limit=3)
    listed, total = [unit.code for unit in page.units], page.total
    while page.next_after:
        page = seen.page(limit=3, after=page.next_after)
        listed += [unit.code for unit in page.units]
    assert listed == sorted(expected)
    assert total == len(expected)
    for unit in seen.units.values():
        assert unit.parent is None or unit.parent in expected
        assert set(unit.successors) == set(heirs) & expected
    for code in CODES:
        assert found.holds(directory, code) == (code in expected)
        assert seen.under(frozenset({code})) == climbing(parents, {code}) & expected


def test_a_manager_of_nothing_sees_nothing():
    """Not everything, which a blank unit means for the other roles."""
    held = (Grant(Role.MANAGER),)
    assert opened(Rule(frozenset(Role)), Principal("1", "Li", "person", held)) is None
    assert Reach.of(held).heads == frozenset()


def test_in_nobodys_name_nothing_is_seen():
    with pytest.raises(LoadlineError, match="nobody is signed in"):
        reach()
    with acting(LOCAL):
        assert reach().heads is None
        with reaching(Reach.of([Grant(Role.MANAGER, "U1")])):
            assert reach().heads == {"U1"}


def test_what_is_beyond_is_refused_like_what_is_not_there():
    directory = directory_of({"U0": None, "U1": "U0", "U2": "U0"})
    seen = Reach.of([Grant(Role.MANAGER, "U1")])
    seen.require(directory, "U1")
    for code in ("U0", "U2", "NOT-THERE"):
        with pytest.raises(NotFoundError, match=f"there is no unit '{code}'"):
            seen.require(directory, code)


def test_marks_tell_roles_and_units_apart():
    reaches = [
        [],
        [Grant(Role.HR)],
        [Grant(Role.RISK)],
        [Grant(Role.HR, "U1")],
        [Grant(Role.HR, "U1"), Grant(Role.RISK)],
    ]
    assert len({Reach.of(grants).mark for grants in reaches}) == len(reaches)
    assert Reach.of(reaches[4]).mark == Reach.of(reaches[4][::-1]).mark


def test_few_narrowed_directories_are_kept_and_they_are_found_again():
    directory = directory_of(dict.fromkeys((f"H{number}" for number in range(KEPT + 3)), None))
    seen = [narrowed(directory, Reach.of([Grant(Role.MANAGER, head)])) for head in directory.units]
    assert len(directory.narrowed) == KEPT
    assert narrowed(directory, Reach.of([Grant(Role.MANAGER, f"H{KEPT + 2}")])) in seen
    assert narrowed(directory, Reach.of([Grant(Role.HR)])) is directory
