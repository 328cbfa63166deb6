"""Closed periods: kept for good, restated beside, verified when read, reproduced to the last digit."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scoring_bank import CALENDAR, make_panel, make_policy, make_targets, write_bank

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.store import Store
from training.policies import in_force
from training.policy_activation import activate
from training.scoring import archive
from training.scoring.archive import close, read_closed, reproduce, version_folder
from training.scoring.closings import Closing, closings, last_closed_day, latest, record
from training.scoring.network import Network, score_network
from training.scoring.tables import summary

DECEMBER = CALENDAR.parse("2024-12")
BANK = "small-bank"
ACTIVATED = [("1", "2020-01-01"), ("2", "2025-01-01")]
NOW = datetime(2025, 4, 5, 9, tzinfo=UTC)


def december(store: Store, version: int = 1, *, period: int = DECEMBER, **policy: str) -> Network:
    targets = make_targets(int(CALENDAR.year(period)))
    return score_network(store.snapshot(version), make_policy(**policy), [period], targets=targets)


def closed(network: Network, home: Path, *, reason: str = "", by: str = "Lin") -> tuple[Closing, bool]:
    targets = make_targets(int(CALENDAR.year(network.figures.period[0])))
    return close(
        home, network, dataset=BANK, targets=targets, known_on_given=False, by=by, reason=reason, clock=lambda: NOW
    )


def close_december(
    store: Store,
    home: Path,
    version: int = 1,
    *,
    reason: str = "",
    by: str = "Lin",
    period: int = DECEMBER,
    **policy: str,
) -> tuple[Closing, bool]:
    return closed(december(store, version, period=period, **policy), home, reason=reason, by=by)


def files(home: Path) -> dict[str, bytes]:
    found = (path for path in sorted((home / "scores").rglob("*")) if path.is_file())
    return {str(path.relative_to(home)): path.read_bytes() for path in found}


def test_a_closed_period_is_read_back_as_it_was(store: Store, tmp_path: Path) -> None:
    closing, new = close_december(store, tmp_path)
    assert new
    assert (closing.version, closing.by, closing.last_day) == (1, "Lin", date(2024, 12, 31))
    found = read_closed(tmp_path, BANK, "2024-12")
    expected = summary(score_network(store.snapshot(1), make_policy(), [DECEMBER], targets=make_targets()))
    pd.testing.assert_frame_equal(found.summary, expected, check_dtype=False)
    assert found.closing == closing
    assert found.policy == make_policy()
    pd.testing.assert_frame_equal(found.targets, make_targets(), check_dtype=False)
    assert found.difference is None


def test_closing_the_same_again_does_nothing(store: Store, tmp_path: Path) -> None:
    first, _ = close_december(store, tmp_path)
    before = files(tmp_path)
    again, new = close_december(store, tmp_path, by="Somebody else")
    assert not new
    assert again == first
    assert files(tmp_path) == before


def test_restated_figures_make_a_version_beside_the_one_before(store: Store, tmp_path: Path) -> None:
    close_december(store, tmp_path)
    before = files(tmp_path)
    with pytest.raises(LoadlineError, match="no longer the same") as refused:
        close_december(store, tmp_path, 2)
    assert refused.value.where == "--reason"
    assert files(tmp_path) == before
    closing, new = close_december(store, tmp_path, 2, reason="Lending restated after the audit")
    assert new
    assert closing.version == 2
    after = files(tmp_path)
    assert all(after[name] == content for name, content in before.items() if not name.endswith("closed.jsonl"))
    record = f"scores/{BANK}/closed.jsonl"
    assert after[record].startswith(before[record])
    found = read_closed(tmp_path, BANK, "2024-12")
    first = read_closed(tmp_path, BANK, "2024-12", version=1)
    difference = found.difference
    assert difference is not None
    assert set(difference["unit"]) == {"B01", "S02"}
    for unit, rows in difference.groupby("unit"):
        score = rows[rows["line"] == "score"].iloc[0]
        parts = rows[rows["line"] != "score"]
        cents = np.rint(parts["difference"] * 100).sum()
        assert cents == np.rint(score["difference"] * 100)
        stated = [closed.summary.set_index("unit").loc[unit, "score"] for closed in (first, found)]
        assert [score["before"], score["after"]] == stated
        assert "LENDING" in set(parts["line"])
    assert latest(tmp_path, BANK, "2024-12") == closing


def test_a_closed_period_keeps_its_policy(store: Store, tmp_path: Path) -> None:
    close_december(store, tmp_path)
    with pytest.raises(LoadlineError, match="closed period keeps its policy"):
        close_december(store, tmp_path, version=1, reason="Another cap is fairer", ratchet_cap="0.4")
    assert len(closings(tmp_path, BANK)) == 1


def test_a_period_is_closed_under_the_policy_that_was_activated_for_it(store: Store, tmp_path: Path) -> None:
    one, two = (make_policy(version=version, effective={"from": day}) for version, day in ACTIVATED)
    for policy in (one, two):
        activate(
            tmp_path, BANK, policy, by="Lin", reason="for the tests", last_closed=lambda _level: None, clock=lambda: NOW
        )
    network = score_network(store.snapshot(1), two, [DECEMBER], targets=make_targets())
    with pytest.raises(LoadlineError, match=r"trial@1 is in force on 2024-12-31, but the scores are under trial@2"):
        closed(network, tmp_path)
    # The version that the other ended early has other last days on file than in force; its rules are the same.
    _, new = closed(score_network(store.snapshot(1), one, [DECEMBER], targets=make_targets()), tmp_path)
    assert new
    ended = in_force(tmp_path, BANK, date(2024, 12, 31))
    assert ended is not None
    assert ended.effective.until == date(2024, 12, 31)
    _, new = closed(score_network(store.snapshot(1), ended, [DECEMBER], targets=make_targets()), tmp_path)
    assert not new


def test_a_period_may_be_closed_on_either_level(store: Store, tmp_path: Path) -> None:
    close_december(store, tmp_path)
    closing, new = close_december(store, tmp_path, level="owner", id="owners")
    assert new
    assert (closing.version, closing.level) == (1, "owner")
    assert last_closed_day(tmp_path, BANK, level="owner") == date(2024, 12, 31)
    close_december(store, tmp_path, period=DECEMBER - 12, level="owner", id="owners")
    assert last_closed_day(tmp_path, BANK, level="internal") == date(2024, 12, 31)
    assert read_closed(tmp_path, BANK, "2024-12", level="internal").closing.level == "internal"


def test_closing_needs_a_name(store: Store, tmp_path: Path) -> None:
    with pytest.raises(LoadlineError, match="needs a name"):
        close_december(store, tmp_path, by=" ")
    assert closings(tmp_path, BANK) == ()


def test_several_periods_are_not_closed_at_once(store: Store, tmp_path: Path) -> None:
    network = score_network(store.snapshot(1), make_policy(), [DECEMBER - 1, DECEMBER])
    with pytest.raises(LoadlineError, match="2 periods"):
        close(
            tmp_path, network, dataset=BANK, targets=None, known_on_given=False, by="Lin", reason="", clock=lambda: NOW
        )


def test_the_last_closed_day_is_that_of_the_latest_period(store: Store, tmp_path: Path) -> None:
    assert last_closed_day(tmp_path, BANK) is None
    close_december(store, tmp_path)
    close_december(store, tmp_path, period=DECEMBER - 12)
    assert last_closed_day(tmp_path, BANK) == date(2024, 12, 31)
    assert [c.period for c in closings(tmp_path, BANK)] == ["2024-12", "2023-12"]


def test_closed_scores_come_out_the_same_again(store: Store, tmp_path: Path) -> None:
    close_december(store, tmp_path)
    close_december(store, tmp_path, 2, reason="审计调整")
    for version in (1, 2):  # the first also after its figures were restated
        made = reproduce(tmp_path, store, BANK, "2024-12", version=version)
        assert made.same
        assert made.difference.empty


def test_a_score_that_comes_out_otherwise_is_told(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_december(store, tmp_path)
    scored = archive.score_network

    def with_another_figure(*given, **more):
        network = scored(*given, **more)
        network.scores[0].running[-1][0] += 100
        return network

    monkeypatch.setattr(archive, "score_network", with_another_figure)
    made = reproduce(tmp_path, store, BANK, "2024-12")
    assert not made.same
    assert made.difference.loc[made.difference["line"] == "score", "difference"].tolist() == [1.0]


@pytest.mark.parametrize("name", ["summary.parquet", "lines.parquet", "policy.yaml", "targets.parquet"])
def test_a_changed_or_missing_file_is_not_read(store: Store, tmp_path: Path, name: str) -> None:
    closing, _ = close_december(store, tmp_path)
    path = version_folder(tmp_path, BANK, closing) / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(LoadlineError, match="not the one that was closed"):
        read_closed(tmp_path, BANK, "2024-12")
    path.unlink()
    with pytest.raises(LoadlineError, match="missing"):
        read_closed(tmp_path, BANK, "2024-12")


def test_a_record_that_was_changed_is_not_believed(store: Store, tmp_path: Path) -> None:
    close_december(store, tmp_path)
    close_december(store, tmp_path, period=DECEMBER - 12)
    path = tmp_path / "scores" / BANK / "closed.jsonl"
    first, second = path.read_text(encoding="utf-8").splitlines()
    path.write_text(json.dumps(json.loads(first) | {"by": "Nobody"}) + f"\n{second}\n", encoding="utf-8")
    with pytest.raises(LoadlineError, match="line 2 of the record does not follow"):
        closings(tmp_path, BANK)
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(LoadlineError, match="line 1 of the record cannot be read"):
        closings(tmp_path, BANK)


def test_a_record_that_skips_a_version_is_not_believed(store: Store, tmp_path: Path) -> None:
    closing, _ = close_december(store, tmp_path)
    record(tmp_path, BANK, replace(closing, version=3))
    with pytest.raises(LoadlineError, match="line 2 of the record does not follow"):
        closings(tmp_path, BANK)


def test_another_store_reproduces_nothing(store: Store, tmp_path: Path) -> None:
    close_december(store, tmp_path)
    panel = make_panel()
    other = panel.with_values({code: array + 1 for code, array in panel.values.items()})
    elsewhere = Store(tmp_path / "store")
    elsewhere.ingest(open_dataset(write_bank(tmp_path / "bank", other)), now=NOW)
    with pytest.raises(LoadlineError, match="data version 1 is not the one"):
        reproduce(tmp_path, elsewhere, BANK, "2024-12")


def test_what_is_not_closed_is_not_read(store: Store, tmp_path: Path) -> None:
    with pytest.raises(LoadlineError, match="2024-12 is not closed"):
        read_closed(tmp_path, BANK, "2024-12")
    close_december(store, tmp_path)
    with pytest.raises(LoadlineError, match="no version 7 of 2024-12"):
        read_closed(tmp_path, BANK, "2024-12", version=7)


@pytest.mark.parametrize("restated", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("step", "call"), [("write_copy", 1), ("write_copy", 3), ("record", 1)])
def test_a_closing_that_is_killed_leaves_the_old_or_the_new(
    store: Store, tmp_path: Path, step: str, call: int, when: str, restated: bool
) -> None:
    if restated:
        close_december(store, tmp_path)
    reason = "Lending restated after the audit"
    standing, network = closings(tmp_path, BANK), december(store, 1 + restated)
    child = os.fork()
    if child == 0:
        try:
            setattr(archive, step, killed_around(getattr(archive, step), call, when))
            closed(network, tmp_path, reason=reason)
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    done = step == "record" and when == "after"
    assert len(closings(tmp_path, BANK)) == len(standing) + done
    assert closings(tmp_path, BANK)[: len(standing)] == standing
    closing, new = close_december(store, tmp_path, 1 + restated, reason=reason)
    assert new is not done
    assert closing.version == 1 + restated
    for version in range(1, closing.version + 1):
        read_closed(tmp_path, BANK, "2024-12", version=version)
    assert reproduce(tmp_path, store, BANK, "2024-12").same


def killed_around(write, call: int, when: str):
    count = 0

    def wrapped(*given, **more):
        nonlocal count
        count += 1
        if count == call and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = write(*given, **more)
        if count == call and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped
