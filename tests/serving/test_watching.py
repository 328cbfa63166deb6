"""Watching as a service: what is kept ready for how long, and what a past period may know."""

import threading

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


def test_as_of_a_period_no_later_outcome_is_used_however_many_periods_are_asked_for(advisor):
    ranged = advisor.watching.watch(as_of="2018", first="2016")
    alone = advisor.watching.watch(as_of="2018")
    assert not ranged.asked.hindsight
    last = ranged.table[ranged.table["period"] == "2018"].set_index("unit")["score"]
    assert (last == alone.table.set_index("unit")["score"]).all()


def test_without_as_of_undated_outcomes_are_used_with_hindsight(advisor):
    assert advisor.watching.watch(first="2018", last="2019").asked.hindsight


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
