"""Appeals: what is frozen comes out the same, bit for bit, whatever is stored, activated or promoted later."""

import threading
from contextlib import suppress
from datetime import timedelta

import numpy as np
import pytest
from appealing_bank import HR, MANAGER, NAMESAKE, UNIT, WORDS, change_everything
from serving_home import LAST_YEAR, NOW, advisor_at
from sqlalchemy import select, update

from features.errors import LoadlineError
from serving.access.principal import LOCAL, acting
from serving.advisor import Advisor
from serving.appeals import appeals as use_cases
from serving.appeals.appeals import identity
from serving.appeals.frozen import Frozen, TamperedError, differences, seal
from serving.appeals.ledger import pending
from serving.database.tables.appeals import appeals, materials
from serving.database.tables.audit import audit_events
from serving.errors import DeniedError, InvalidError, NotFoundError, StaleError
from serving.scoring import ScoreRequest

YEAR, NEXT = str(LAST_YEAR), str(LAST_YEAR + 1)


def told_now(advisor: Advisor, kind: str, period: str, indicator: str) -> float:
    if kind == "score":
        score = advisor.explaining.score(UNIT, ScoreRequest(period)).score
        assert score is not None
        return score
    rows = advisor.suggesting.suggestion(UNIT)
    return float(rows.loc[rows["indicator"] == indicator, "target"].iloc[0])


def raised_score(advisor: Advisor) -> str:
    with acting(MANAGER):
        return advisor.appeals.raise_(UNIT, YEAR, words=WORDS)[0].id


@pytest.mark.parametrize(("kind", "period", "indicator"), [("score", YEAR, ""), ("target", NEXT, "LOANS")])
def test_a_figure_comes_out_the_same_after_new_data_a_new_policy_and_a_new_champion(
    advisor, tmp_path, kind, period, indicator
):
    with acting(MANAGER):
        raised, proof = advisor.appeals.raise_(UNIT, period, kind=kind, indicator=indicator, words=WORDS)
    assert proof.same, proof
    before = told_now(advisor, kind, period, indicator)
    assert advisor.appeals.frozen(raised.id).content["figure"] == before
    change_everything(advisor, tmp_path)
    assert told_now(advisor, kind, period, indicator) != before  # else the rest would prove nothing
    later = advisor_at(advisor.settings.home)  # nothing is remembered
    with acting(HR):
        made = later.appeals.reproduce(raised.id)
    assert made.same, made
    assert np.float64(made.figure).tobytes() == np.float64(before).tobytes()
    assert [event.action for event in later.appeals.events(raised.id)] == ["raise", "reproduce"]


def test_a_score_of_a_closed_period_is_frozen_as_it_was_closed(advisor, tmp_path):
    with acting(MANAGER):
        raised, proof = advisor.appeals.raise_(UNIT, str(LAST_YEAR - 1), words=WORDS)
        assert proof.same
        change_everything(advisor, tmp_path)
        assert advisor.appeals.reproduce(raised.id).same
    told = advisor.appeals.frozen(raised.id).content["told"]
    assert told["versions"]["closed_version"] == 1


def test_a_tampered_record_is_told(on_each):
    advisor, name = on_each, raised_score(on_each)
    content = dict(advisor.appeals.frozen(name).content)
    content["told"] = content["told"] | {"score": content["told"]["score"] + 1}
    with advisor.database.write() as connection:
        connection.execute(update(appeals).values(frozen=content))
    with pytest.raises(TamperedError, match="is not what was frozen"):
        advisor.appeals.frozen(name)
    with acting(HR):
        made = advisor.appeals.reproduce(name)
    assert not made.same
    assert "is not what was frozen" in made.trouble


def test_a_record_that_was_sealed_anew_is_told_by_its_figures_and_by_the_audit(advisor):
    name = raised_score(advisor)
    content = dict(advisor.appeals.frozen(name).content)
    before = advisor.appeals.find(name).frozen_digest
    figure = content["told"]["score"]
    content |= {"told": content["told"] | {"score": figure + 0.1}, "figure": figure + 0.1}
    with advisor.database.write() as connection:
        connection.execute(update(appeals).values(frozen=content, frozen_digest=seal(content)))
    with acting(HR):
        made = advisor.appeals.reproduce(name)
    assert not made.same
    assert [(d.where, d.now) for d in made.differences] == [("score", repr(figure))]
    with advisor.database.read() as connection:
        noted = connection.execute(select(audit_events.c.detail).where(audit_events.c.action == "appeal.raise"))
        assert before in str(noted.scalar_one())


def test_a_tampered_policy_or_another_data_version_is_told(advisor):
    name = raised_score(advisor)
    frozen = advisor.appeals.frozen(name)
    policy = frozen.content["policy"]["material"]
    with advisor.database.write() as connection:
        changed = frozen.material(policy).replace(b"60", b"61")
        connection.execute(update(materials).where(materials.c.digest == policy).values(content=changed))
    with acting(HR):
        assert "is not what was frozen" in advisor.appeals.reproduce(name).trouble
    other = Frozen({**frozen.content, "fingerprint": "0" * 64}, frozen.materials)
    from serving.appeals.score_case import score_again

    with pytest.raises(TamperedError, match="data version 1"):
        score_again(advisor, other)


def test_a_missing_model_is_told_and_not_replaced(advisor, tmp_path):
    import shutil

    with acting(MANAGER):
        raised, _ = advisor.appeals.raise_(UNIT, NEXT, kind="target", indicator="LOANS", words=WORDS)
        digest = advisor.appeals.frozen(raised.id).content["models"]["champion"]
        for folder in (advisor.settings.home / "models").glob(f"*/{digest[:12]}"):
            shutil.rmtree(folder)
        made = advisor.appeals.reproduce(raised.id)
    assert not made.same
    assert made.figure is None
    assert made.trouble


def test_steps_are_taken_by_the_right_people_in_the_right_order(on_each):
    decide, name = on_each.appeals.decide, raised_score(on_each)
    with acting(MANAGER), pytest.raises(DeniedError):
        decide(name, "review", revision=1)
    with acting(HR):
        with pytest.raises(DeniedError):
            decide(name, "withdraw", revision=1, words="实为误会")
        with pytest.raises(LoadlineError, match="open"):
            decide(name, "uphold", revision=1, words="属实，予以更正。")
        assert decide(name, "review", revision=1).state == "under_review"
        with pytest.raises(StaleError):
            decide(name, "reject", revision=1, words="经核对无误。")
        with pytest.raises(InvalidError):
            decide(name, "reject", revision=2, words=" ")
    with acting(NAMESAKE):  # the same name is not the same person
        assert decide(name, "reject", revision=2, words="经核对无误。").state == "rejected"
    with acting(HR), pytest.raises(LoadlineError, match="rejected"):
        decide(name, "uphold", revision=3, words="改判")
    events = on_each.appeals.events(name)
    assert [(e.number, e.action, e.by) for e in events] == [
        (1, "raise", "Li Na"),
        (2, "review", "Wang Wei"),
        (3, "reject", "Li Na"),
    ]
    assert events[-1].reason == "经核对无误。"
    with on_each.database.read() as connection:
        actions = connection.execute(select(audit_events.c.action).order_by(audit_events.c.number)).scalars().all()
    assert actions == ["appeal.raise", "appeal.review", "appeal.reject"]


def test_at_the_command_line_a_name_is_who_it_is():
    from dataclasses import replace

    one, other = (identity(replace(LOCAL, name=name)) for name in ("Li Na", "Wang Wei"))
    assert one != other
    assert identity(NAMESAKE) not in (one, identity(MANAGER))


def test_one_figure_has_one_pending_appeal_and_a_request_sent_again_is_one(on_each):
    raise_ = on_each.appeals.raise_
    with acting(MANAGER):
        first, proof = raise_(UNIT, YEAR, words=WORDS, request_key="m1:k")
        again, nothing = raise_(UNIT, YEAR, words=WORDS, request_key="m1:k")
        assert (again, nothing) == (first, None)
        assert proof is not None
        with pytest.raises(LoadlineError, match="pending"):
            raise_(UNIT, YEAR, words=WORDS)
        on_each.appeals.decide(first.id, "withdraw", revision=1, words="已自行核实。")
        assert raise_(UNIT, YEAR, words=WORDS)[0].id != first.id
        assert on_each.appeals.listed(units=frozenset({UNIT}))[1] == 2
        assert on_each.appeals.listed(units=frozenset({"N01"})) == ([], 0)
        assert on_each.appeals.listed(units=frozenset()) == ([], 0)


@pytest.mark.parametrize("key", ["m1:k", None], ids=["one-request", "two-requests"])
def test_of_two_appeals_on_one_figure_at_the_same_moment_one_stands(on_each, monkeypatch, key):
    both, raised, refused = threading.Barrier(2, timeout=0.3), [], []

    def looked(connection, **figure):
        found = pending(connection, **figure)
        with suppress(threading.BrokenBarrierError):
            both.wait()  # unless one waits for the other to end
        return found

    monkeypatch.setattr(use_cases, "pending", looked)

    def appeal() -> None:
        with acting(MANAGER):
            try:
                raised.append(on_each.appeals.raise_(UNIT, YEAR, words=WORDS, request_key=key)[0].id)
            except LoadlineError as error:
                refused.append(error.what)

    threads = [threading.Thread(target=appeal) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(raised)) == on_each.appeals.listed()[1] == 1
    assert refused == ([] if key else ["an appeal on this figure is pending"])


def test_of_many_decisions_at_once_on_one_appeal_one_counts(on_each):
    name, won, lost = raised_score(on_each), [], []

    def review() -> None:
        with acting(HR):
            try:
                won.append(on_each.appeals.decide(name, "review", revision=1))
            except StaleError as error:
                lost.append(error)

    threads = [threading.Thread(target=review) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    assert len(on_each.appeals.events(name)) == 2


def test_pages_of_the_list_hold_every_appeal_once(advisor):
    times = iter(NOW + timedelta(minutes=minute // 2) for minute in range(1_000))
    advisor._clock = lambda: next(times)
    with acting(MANAGER):
        made = [advisor.appeals.raise_(unit, YEAR, words=WORDS)[0].id for unit in ("N01", "N02", "N03")]
    found, after = [], None
    while True:
        page, total = advisor.appeals.listed(after=after, limit=1)
        assert total == 3
        if not page:
            break
        found.append(page[0].id)
        after = (page[0].raised_at, page[0].id)
    assert sorted(found) == sorted(made)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"words": "x\x00y"}, InvalidError),
        ({"words": " "}, InvalidError),
        ({"words": WORDS, "indicator": "LOANS"}, InvalidError),
        ({"words": WORDS, "kind": "target"}, InvalidError),
        ({"words": WORDS, "kind": "target", "indicator": "LOANS"}, InvalidError),  # 2024 is over
        ({"words": WORDS, "kind": "target", "indicator": "GDP", "period": NEXT}, NotFoundError),
    ],
)
def test_what_cannot_be_appealed_is_refused(advisor, asked, error):
    with acting(MANAGER), pytest.raises(error):
        advisor.appeals.raise_(UNIT, asked.pop("period", YEAR), **asked)
    assert advisor.appeals.listed() == ([], 0)


def test_a_float_is_compared_to_its_last_bit():
    near = np.nextafter(84.3, 85)
    assert not differences({"a": [84.3, None]}, {"a": [84.3, None], "b": 1})
    assert [d.where for d in differences({"a": [84.3]}, {"a": [float(near)]})] == ["a[0]"]
    assert [d.where for d in differences({"a": 0.0}, {"a": -0.0})] == ["a"]
    assert [d.now for d in differences({"a": [1], "b": 2}, {"a": [1, 2]})] == ["2", "(nothing)"]
