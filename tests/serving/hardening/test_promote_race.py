"""Two processes promote two models at once, on either database: one winner, one champion, one entry of the audit."""

import subprocess
import sys
from pathlib import Path

from offered_models import NAME, offered
from postgres import advisor_on

from serving.audit.reading import Wanted
from serving.database.connection import Database
from training.promote import champion_digest, history

TESTS = str(Path(__file__).parents[2])
WAIT = 60
RACER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from offered_models import NAME, model
from serving_home import NOW
from features.errors import LoadlineError
from serving.access.principal import LOCAL, acting
from serving.advisor import Advisor
from serving.settings import Settings
home, number = Path(sys.argv[1]), int(sys.argv[2])
advisor = Advisor(Settings(home=home, token=None, store_url=None, database_url=sys.argv[3]), clock=lambda: NOW)
with acting(LOCAL):
    print("ready", flush=True)
    while not (home / "go").exists():
        time.sleep(0.001)
    try:
        asked = {"by": f"person {number}", "reason": "better", "version": model(number).version}
        print("won", advisor.modelling.promote(NAME, expected_champion=None, **asked).champion)
    except LoadlineError as error:
        print("lost", error.what)
"""
"""Waits for the file that starts the race, then promotes a model against no champion."""


def test_promote_race_two_processes_have_one_winner(database: Database, tmp_path: Path):
    for number in (1, 2):
        offered(tmp_path, number)
    url = database.url.render_as_string(hide_password=False)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path), str(number), url, TESTS], stdout=subprocess.PIPE, text=True
        )
        for number in (1, 2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    answers = sorted(racer.communicate(timeout=WAIT)[0].split(maxsplit=1) for racer in racers)
    assert [answer[0] for answer in answers] == ["lost", "won"]
    assert "champion has changed" in answers[0][1]
    assert champion_digest(tmp_path, NAME) == answers[1][1].strip()
    (promotion,) = history(tmp_path, NAME)
    audit = advisor_on(tmp_path, database).audit
    audit.settle()
    entries, _ = audit.page(Wanted(action="promote_model"), limit=10)
    assert [entry.subject for entry in entries] == [f"{NAME} {promotion.version}"]
    assert audit.verify().holds
