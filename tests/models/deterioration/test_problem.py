import numpy as np
import pytest
from failing_banks import failing_banks

from features.errors import LoadlineError
from models.deterioration.problem import NO_EVENT, DeteriorationProblem


def test_stretches_of_positives_are_events_unit_by_unit():
    period, unit = np.array([0, 1, 2, 4, 5, 0, 1]), np.array([0, 0, 0, 0, 0, 1, 1])
    y = np.array([0, 1, 1, 1, 0, 1, 0])
    shuffled = np.array([6, 2, 0, 5, 3, 1, 4])
    problem = DeteriorationProblem.of(
        np.zeros((7, 1)), ("a",), y=y[shuffled], period=period[shuffled], unit=unit[shuffled]
    )
    event = np.empty(7, int)
    event[shuffled] = problem.event
    assert event[1] == event[2] != event[3]
    assert len({*event[[1, 3, 5]].tolist()}) == 3
    assert (event[[0, 4, 6]] == NO_EVENT).all()
    assert (problem.positives, problem.events) == (4, 3)


def test_rows_without_deterioration_have_no_event():
    problem = failing_banks()
    assert (problem.event[problem.y == 0] == NO_EVENT).all()
    assert problem.events == len(np.unique(problem.unit[problem.y == 1]))


def test_the_base_rate_counts_what_each_row_stands_for():
    problem = DeteriorationProblem.of(
        np.zeros((2, 1)), ("a",), y=np.array([0, 1]), period=np.zeros(2), unit=np.arange(2), weight=np.array([9.0, 1.0])
    )
    assert problem.base_rate == pytest.approx(0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"y": np.array([0, 1, 2])},
        {"y": np.array([0.0, 1.0, np.nan])},
        {"period": np.zeros(2)},
        {"direction": np.zeros(3)},
    ],
)
def test_what_does_not_fit_is_refused(change):
    given = {"y": np.array([0, 1, 0]), "period": np.arange(3), "unit": np.arange(3)} | change
    with pytest.raises(LoadlineError):
        DeteriorationProblem.of(np.zeros((3, 2)), ("a", "b"), **given)
