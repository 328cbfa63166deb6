"""Watching as a service: what is kept ready for how long, and what a past period may know."""

import threading
from datetime import date

import pytest
from warning_bank import write_bank

from serving.advisor import Advisor
from serving.settings import Settings
from serving.watching import KEPT, Watching


@pytest.fixture(scope="module")
def advisor(tmp_path_factory) -> Advisor:
    place = tmp_path_factory.mktemp("watching")
    advisor = Advisor(Settings(home=place))
    advisor.ingest(write_bank(place / "bank", outcomes="undated"))
    return advisor


@pytest.mark.parametrize(
    ("asked", "hindsight"),
    [
        ({"first": "2016"}, True),
        ({"first": "2016", "last": "2018"}, True),
        ({"last": "2018"}, False),
        ({"first": "2016", "as_of": "2018"}, True),
        ({"as_of": "2018"}, False),
    ],
)
def test_later_outcomes_are_used_of_ranges_only_and_none_that_became_known_after_as_of(advisor, asked, hindsight):
    found = advisor.watching._asked(
        advisor.snapshot(), **{"as_of": None, "first": None, "last": None} | asked, whole=False
    )
    assert found.hindsight == hindsight
    assert found.known_by == (date(2018, 12, 31) if "as_of" in asked else date.max)


def test_what_is_asked_for_again_is_kept_and_what_is_not_makes_room(advisor):
    watching = Watching(advisor)
    newest = watching.watch()
    for period in ("2015", "2016"):
        watching.watch(as_of=period)
        assert watching.watch() is newest
    assert len(watching._kept) == KEPT
    assert len(watching._found) == KEPT


def test_what_is_ready_is_given_while_something_else_is_computed(advisor):
    watching = Watching(advisor)
    newest = watching.watch()
    computing, ready = threading.Event(), threading.Event()

    def slowly(stage: str, done: int, whole: int) -> None:
        computing.set()
        ready.wait(60)

    other = threading.Thread(target=lambda: watching.watch(as_of="2014", progress=slowly))
    other.start()
    try:
        assert computing.wait(60)
        asked = threading.Thread(target=lambda: found.append(watching.watch()))
        found = []
        asked.start()
        asked.join(30)
        assert found == [newest]
    finally:
        ready.set()
        other.join()
