"""Promotion: one champion, whatever happens."""

import json
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from features.errors import LoadlineError
from models.bundle import ModelBundle
from training.gating.gate import IndicatorEvidence
from training.gating.rules import GateRules
from training.gating.target_gates import check_evidence
from training.promote import RECORD, champion, champion_digest, history, promote, rollback

GATES = check_evidence(
    GateRules.packaged(), [IndicatorEvidence("D01", 6, 180, 0.94, 0.81, fallback=False, low_evidence=False)]
)
FAILED = check_evidence(
    GateRules.packaged(), [IndicatorEvidence("D01", 6, 180, 1.4, 0.81, fallback=False, low_evidence=False)]
)
NOON = datetime(2025, 3, 1, 20, tzinfo=timezone(timedelta(hours=8)))

# Waits for the file that starts the race, then promotes once against no champion.
RACER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from models.bundle import ModelBundle
from features.errors import LoadlineError
from training.gating.gate import IndicatorEvidence
from training.gating.rules import GateRules
from training.gating.target_gates import check_evidence
from training.promote import promote

home, name = Path(sys.argv[1]), sys.argv[2]
found = IndicatorEvidence("D01", 6, 180, 0.94, 0.81, fallback=False, low_evidence=False)
gates = check_evidence(GateRules.packaged(), [found])
bundle = ModelBundle("target", {"by": name})
print("ready", flush=True)
while not (home / "go").exists():
    time.sleep(0.001)
try:
    now = lambda: datetime.now(UTC)
    promote(home, "target", bundle, by=name, reason="race", expected_champion=None, gates=gates, clock=now)
    print("won", bundle.digest)
except LoadlineError as error:
    print("lost", error.what)
"""

# Promotes one model after another until it is killed.
PROMOTER = """
import itertools, sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from models.bundle import ModelBundle
from training.gating.gate import IndicatorEvidence
from training.gating.rules import GateRules
from training.gating.target_gates import check_evidence
from training.promote import champion_digest, promote

home = Path(sys.argv[1])
found = IndicatorEvidence("D01", 6, 180, 0.94, 0.81, fallback=False, low_evidence=False)
gates = check_evidence(GateRules.packaged(), [found])
for number in itertools.count():
    meta = {"number": number, "start": sys.argv[2]}
    bundle = ModelBundle("target", meta, {"m": "tree" * 10_000}, {"a": np.arange(50_000.0)})
    promote(home, "target", bundle, by="tester", reason="again", expected_champion=champion_digest(home, "target"),
            gates=gates, clock=lambda: datetime.now(UTC))
    print("promoted", flush=True)
"""


def model(number: int) -> ModelBundle:
    return ModelBundle("target", {"number": number}, {"m": f"tree {number}"}, {"a": np.arange(3.0) + number})


def promoted(home: Path, number: int, **changes):
    usual = {
        "by": "li.ming",
        "reason": "better",
        "expected_champion": champion_digest(home, "target"),
        "gates": GATES,
        "clock": lambda: NOON,
    }
    return promote(home, "target", model(number), **{**usual, **changes})


def went_back(home: Path, **changes):
    usual = {"expected_champion": champion_digest(home, "target"), "clock": lambda: NOON}
    return rollback(home, "target", by="li.ming", reason="complaints", **{**usual, **changes})


def leftovers(home: Path) -> list[str]:
    return [path.name for path in (home / "models" / "target").iterdir() if path.name.startswith(".")]


def test_before_the_first_promotion_there_is_no_champion(tmp_path):
    assert champion(tmp_path, "target") is None
    assert history(tmp_path, "target") == ()


def test_a_promotion_is_served_and_recorded(tmp_path):
    first = promoted(tmp_path, 1)
    second = promoted(tmp_path, 2, expected_champion=model(1).version)
    assert champion(tmp_path, "target") == model(2)
    assert history(tmp_path, "target") == (first, second)
    line = json.loads((tmp_path / "models" / "target" / RECORD).read_text().splitlines()[1])
    assert line["at"] == "2025-03-01T12:00:00+00:00"
    assert (line["by"], line["reason"], line["action"]) == ("li.ming", "better", "promote")
    assert (line["from"], line["to"]) == (model(1).digest, model(2).digest)
    assert [gate["name"] for gate in line["gates"]] == ["beats_baseline", "coverage", "enough_data"]
    assert (tmp_path / "models" / "target" / model(2).version).is_dir()


@pytest.mark.parametrize("expected", [None, "0" * 64, model(2).digest, model(1).digest[:5], ""])
def test_a_decision_against_another_champion_is_refused(tmp_path, expected):
    promoted(tmp_path, 1)
    with pytest.raises(LoadlineError, match="champion has changed"):
        promoted(tmp_path, 3, expected_champion=expected)
    with pytest.raises(LoadlineError, match="champion has changed"):
        went_back(tmp_path, expected_champion=expected)
    assert champion(tmp_path, "target") == model(1)
    assert not (tmp_path / "models" / "target" / model(3).version).exists()


def test_an_expected_champion_where_there_is_none_is_refused(tmp_path):
    with pytest.raises(LoadlineError, match="champion has changed"):
        promoted(tmp_path, 1, expected_champion=model(2).digest)


@pytest.mark.parametrize("gates", [FAILED, ()])
def test_a_failed_or_missing_gate_stops_it(tmp_path, gates):
    with pytest.raises(LoadlineError, match="may not be promoted"):
        promoted(tmp_path, 1, gates=gates)
    assert champion(tmp_path, "target") is None


@pytest.mark.parametrize("changes", [{"by": " "}, {"reason": ""}, {"clock": lambda: datetime(2025, 1, 1)}])  # noqa: DTZ001
def test_who_why_and_when_are_needed(tmp_path, changes):
    with pytest.raises(LoadlineError):
        promoted(tmp_path, 1, **changes)
    assert champion(tmp_path, "target") is None


def test_promoting_the_champion_again_records_nothing_and_repairs_its_copy(tmp_path):
    first = promoted(tmp_path, 1)
    text = tmp_path / "models" / "target" / model(1).version / "texts" / "m.txt"
    text.write_text("tampered")
    with pytest.raises(LoadlineError, match=r"bytes"):
        champion(tmp_path, "target")
    assert promoted(tmp_path, 1) == first
    assert champion(tmp_path, "target") == model(1)
    assert len(history(tmp_path, "target")) == 1
    assert leftovers(tmp_path) == []


def test_rollback_walks_back_one_champion_at_a_time(tmp_path):
    for number in (1, 2, 3):
        promoted(tmp_path, number)
    went_back(tmp_path)
    assert champion(tmp_path, "target") == model(2)
    assert went_back(tmp_path).gates == GATES
    assert champion(tmp_path, "target") == model(1)
    with pytest.raises(LoadlineError, match="no earlier champion"):
        went_back(tmp_path)
    promoted(tmp_path, 3)
    went_back(tmp_path)
    assert champion(tmp_path, "target") == model(1)
    actions = [promotion.action for promotion in history(tmp_path, "target")]
    assert actions == ["promote"] * 3 + ["rollback"] * 2 + ["promote", "rollback"]


def test_rollback_to_a_damaged_copy_is_refused(tmp_path):
    promoted(tmp_path, 1)
    promoted(tmp_path, 2)
    (tmp_path / "models" / "target" / model(1).version / "meta.json").write_text("{}")
    with pytest.raises(LoadlineError):
        went_back(tmp_path)
    assert champion(tmp_path, "target") == model(2)


def test_every_torn_last_line_is_ignored_and_repaired(tmp_path):
    promoted(tmp_path, 1)
    path = tmp_path / "models" / "target" / RECORD
    head = path.with_suffix(".head")
    whole, before = path.read_bytes(), head.read_bytes()
    promoted(tmp_path, 2)
    both = path.read_bytes()
    for cut in range(len(whole), len(both), 7):
        path.write_bytes(both[:cut])
        head.write_bytes(before)
        assert champion(tmp_path, "target") == model(1)
        promoted(tmp_path, 2)
        assert path.read_bytes() == both


def test_an_edited_record_is_refused(tmp_path):
    for number in (1, 2, 3):
        promoted(tmp_path, number)
    path = tmp_path / "models" / "target" / RECORD
    lines = path.read_bytes().splitlines(keepends=True)
    for forged in ([lines[0], lines[2]], [lines[1]], [lines[0], b"{}\n"], [lines[0], b"\n"], [lines[0], b"[1]\n"]):
        path.write_bytes(b"".join(forged))
        with pytest.raises(LoadlineError, match="promotion record"):
            champion(tmp_path, "target")


def test_a_record_from_before_there_were_seals_is_read_continued_and_vouched_for(tmp_path):
    promoted(tmp_path, 1)
    promoted(tmp_path, 2)
    path = tmp_path / "models" / "target" / RECORD
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    old = [{key: line[key] for key in ("at", "by", "action", "from", "to", "reason", "gates")} for line in lines]
    path.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in old))
    path.with_suffix(".head").unlink()
    assert [promotion.champion for promotion in history(tmp_path, "target")] == [model(1).digest, model(2).digest]
    promoted(tmp_path, 3)
    assert champion(tmp_path, "target") == model(3)
    good = path.read_bytes()
    path.write_bytes(good.replace(b"li.ming", b"li.mong", 1))
    with pytest.raises(LoadlineError, match="line 3 of the promotion record does not follow"):
        champion(tmp_path, "target")
    path.write_bytes(good.replace(old[0]["to"].encode(), b"../../../elsewhere".ljust(64, b"/")))
    with pytest.raises(LoadlineError, match="promotion record"):
        champion(tmp_path, "target")


@pytest.mark.parametrize("name", ["../target", "a/b", "", ".x"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(LoadlineError, match="cannot name"):
        champion(tmp_path, name)


def test_two_processes_at_once_have_one_winner(tmp_path):
    command = [sys.executable, "-c", RACER, str(tmp_path)]
    racers = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("ann", "bo")]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    answers = sorted(racer.communicate(timeout=30)[0].split(maxsplit=1) for racer in racers)
    assert [answer[0] for answer in answers] == ["lost", "won"]
    assert "champion has changed" in answers[0][1]
    assert champion_digest(tmp_path, "target") == answers[1][1].strip()
    assert len(history(tmp_path, "target")) == 1
    assert len([path for path in (tmp_path / "models" / "target").iterdir() if path.is_dir()]) == 1


def test_a_kill_at_any_moment_leaves_one_whole_champion(tmp_path):
    moments = random.Random(20)
    promotions = 0
    for start in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", PROMOTER, str(tmp_path), str(start)], stdout=subprocess.PIPE
        ) as worker:
            assert worker.stdout is not None
            worker.stdout.readline()
            time.sleep(0.02 + 0.1 * moments.random())
            worker.kill()
        record = history(tmp_path, "target")
        assert len(record) >= promotions
        promotions = len(record)
        served = champion(tmp_path, "target")
        assert (served.digest if served else None) == (record[-1].champion if record else None)
    assert promotions > 0
    promote(
        tmp_path,
        "target",
        model(1),
        by="tester",
        reason="after the kills",
        expected_champion=champion_digest(tmp_path, "target"),
        gates=GATES,
        clock=lambda: datetime.now(UTC),
    )
    assert leftovers(tmp_path) == []
    for path in (tmp_path / "models" / "target").iterdir():
        if path.is_dir():
            assert ModelBundle.load(path).version == path.name


def test_the_champion_is_read_without_mlflow(tmp_path):
    promoted(tmp_path, 1)
    code = (
        "import sys; from training.promote import champion; assert champion(sys.argv[1], 'target').kind == 'target';"
        "print(*[m for m in ('mlflow', 'pandas', 'lightgbm', 'sqlalchemy', 'dask') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
