import numpy as np
from failing_banks import failing_banks

from models.deterioration.folds import BLOCK_YEARS, FOLDS, forward_splits, grouped_folds


def test_no_event_is_split_between_folds():
    problem = failing_banks()
    fold = grouped_folds(problem, seed=3)
    for event in np.unique(problem.event[problem.y == 1]):
        assert len(np.unique(fold[problem.event == event])) == 1


def test_uneventful_rows_of_a_unit_nearby_stay_together():
    problem = failing_banks()
    fold = grouped_folds(problem, seed=3)
    calm = problem.y == 0
    block = problem.period // (BLOCK_YEARS * problem.per_year)
    for unit in range(40):
        for one in np.unique(block):
            assert len(np.unique(fold[calm & (problem.unit == unit) & (block == one)])) <= 1


def test_every_fold_gets_its_part_of_the_events():
    problem = failing_banks()
    fold = grouped_folds(problem, seed=3)
    found = [len(np.unique(problem.event[(fold == one) & (problem.y == 1)])) for one in range(FOLDS)]
    assert max(found) - min(found) <= 1
    assert sum(found) == problem.events


def test_the_same_seed_gives_the_same_folds_and_another_one_others():
    problem = failing_banks()
    assert np.array_equal(grouped_folds(problem, seed=1), grouped_folds(problem, seed=1))
    assert not np.array_equal(grouped_folds(problem, seed=1), grouped_folds(problem, seed=2))


def test_later_rows_are_foretold_from_what_was_over_a_year_before():
    problem = failing_banks(failing=80)
    splits = forward_splits(problem)
    assert len(splits) >= 2
    for earlier, later in splits:
        assert problem.period[earlier].max() < problem.period[later].min() - problem.per_year
        shared = np.intersect1d(problem.event[earlier & (problem.y == 1)], problem.event[later & (problem.y == 1)])
        assert len(shared) == 0


def test_there_is_no_looking_forward_with_few_events():
    assert forward_splits(failing_banks(failing=6)) == []
