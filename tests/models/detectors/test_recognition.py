import numpy as np
from watched_bank import PLANTED, Plant, all_of, situation, swell

from models.detectors.recognition import disposal_mask, recognition_gap, special_mention_migration
from models.detectors.situation import Situation

START = 24
SHOWN = slice(START + 2, START + 9)


def test_doubtful_loans_under_a_flat_ratio_are_found_by_their_migration():
    plant = all_of(swell("R07", 2.0, first=START, last=START + 3), swell("SPECIAL_MENTION", 1.4, first=START, last=30))
    found = special_mention_migration(situation(plant))
    assert found is not None
    assert found.performance is None
    assert found.evidence[0].code == "R07"
    assert found.met[SHOWN, PLANTED].any()
    assert not found.met[: START - 1, PLANTED].all()
    assert np.nanargmin(np.nanmin(found.risk[SHOWN], axis=0, initial=1)) == PLANTED


def test_new_doubtful_loans_stand_for_migration_where_it_is_not_reported():
    at = situation(swell("SPECIAL_MENTION", 1.6, first=START, last=START + 5))
    without = Situation(at.panel.only([code for code in at.panel.codes if code != "R07"]))
    found = special_mention_migration(without)
    assert found is not None
    assert found.evidence[0].kind == "net_formation"
    assert found.met[SHOWN, PLANTED].any()


def test_migration_that_the_npl_ratio_shows_already_is_not_met():
    plant = all_of(
        swell("R07", 2.0, first=START, last=START + 3),
        swell("SPECIAL_MENTION", 1.4, first=START, last=30),
        swell("NPL", 1.8, first=START, last=START + 3),
    )
    found = special_mention_migration(situation(plant))
    assert found is not None
    assert not found.met[START + 3 : START + 6, PLANTED].any()


def test_overdue_loans_beyond_the_npl_are_a_gap():
    at = situation(swell("DPD90", 1.5, first=START, last=START))
    found = recognition_gap(at)
    assert found is not None
    assert at.panel.array("R05")[START + 1, PLANTED] > 100
    assert found.met[START:, PLANTED].all()
    others = ~at.panel.tree.ever_parent & (np.arange(at.shape[1]) != PLANTED)
    assert found.met[:, others].mean() < 0.06


def test_three_rises_in_a_row_are_a_gap_before_all_is_beyond():
    at = situation(swell("DPD90", 1.22, first=START, last=START + 2))
    found = recognition_gap(at)
    assert found is not None
    assert at.panel.array("R05")[START + 2, PLANTED] < 100
    assert found.met[START + 2, PLANTED]
    assert not found.met[START + 4 : START + 9, PLANTED].any()


def test_a_sale_of_bad_loans_opens_no_gap():
    sold = np.zeros(situation().shape, dtype=bool)
    sold[START : START + 12, PLANTED] = True
    plant = swell("NPL", 0.6, first=START, last=START)

    def keep_overdue(values: dict[str, np.ndarray]) -> None:
        before = values["DPD90"].copy()
        plant(values)
        values["DPD90"][:] = before

    with_mark = recognition_gap(situation(keep_overdue, disturbed={"transfer": sold}))
    without = recognition_gap(situation(keep_overdue))
    assert with_mark is not None
    assert without is not None
    assert without.met[START : START + 6, PLANTED].any()
    assert not with_mark.met[START : START + 12, PLANTED].any()


def masked() -> Plant:
    return all_of(
        swell("NPL", 0.7, first=START, last=START + 4),
        swell("R02", 2.0, first=START, last=START + 2),
    )


def test_a_ratio_that_falls_while_more_goes_bad_is_masked_by_disposals():
    at = situation(masked())
    found = disposal_mask(at)
    assert found is not None
    assert found.met[SHOWN, PLANTED].any()
    assert np.nanargmin(np.nanmin(found.risk[SHOWN], axis=0, initial=1)) == PLANTED


def test_a_ratio_that_falls_as_less_goes_bad_is_not():
    better = all_of(swell("NPL", 0.7, first=START, last=START + 4), swell("R02", 0.7, first=START, last=START + 2))
    found = disposal_mask(situation(better))
    assert found is not None
    assert not found.met[SHOWN, PLANTED].any()


def test_a_marked_transfer_does_not_hide_the_mask():
    sold = np.zeros(situation().shape, dtype=bool)
    sold[START : START + 12, PLANTED] = True
    found = disposal_mask(situation(masked(), disturbed={"transfer": sold}))
    assert found is not None
    assert found.met[SHOWN, PLANTED].any()
