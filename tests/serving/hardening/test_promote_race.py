"""Two processes promote two models at once, on either database: one winner, one champion, one entry of the audit."""

import shutil
import subprocess
import sys
from pathlib import Path

from offered_models import NAME, offered
from postgres import Postgres, advisor_on, sqlite_at

from serving.audit.reading import Wanted
from training.promote import champion_digest, history

TESTS = str(Path(__file__).parents[2])
WAIT = 120
RACES = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from offered_models import NAME, model
from serving_home import NOW
from features.errors import LoadlineError
from serving.access.principal import LOCAL, acting
from serving.advisor import Advisor
from serving.settings import Settings
import training.card.signing, training.promote

def race(home, url, number, start):
    settings = Settings(home=home, token=None, store_url=None, database_url=url)
    advisor = Advisor(settings, clock=lambda: NOW)
    asked = {"by": f"person {number}", "reason": "better", "version": model(number).version}
    while time.monotonic() < start:
        pass
    try:
        with acting(LOCAL):
            answer = "won " + advisor.modelling.promote(NAME, expected_champion=None, **asked).champion
    except LoadlineError as error:
        answer = "lost " + error.what
    (home / f"answer-{number}").write_text(answer)

for home, url in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
    start = time.monotonic() + 0.2
    for number in (1, 2):
        if os.fork() == 0:
            race(Path(home), url, number, start)
            os._exit(0)
    for _ in range(2):
        assert os.wait()[1] == 0
"""
"""Forks two processes for each home, which promote a model each against no champion at the same moment."""


def test_promote_race_two_processes_have_one_winner(postgres: Postgres, migrated_file: Path, tmp_path: Path):
    databases = {"sqlite": sqlite_at(shutil.copy(migrated_file, tmp_path / "file.db")), "postgres": postgres.fresh()}
    asked = []
    for name, database in databases.items():
        for number in (1, 2):
            offered(tmp_path / name, number)
        asked += [str(tmp_path / name), database.url.render_as_string(hide_password=False)]
    subprocess.run([sys.executable, "-c", RACES, TESTS, *asked], check=True, timeout=WAIT)
    for name, database in databases.items():
        home = tmp_path / name
        answers = sorted((home / f"answer-{number}").read_text().split(maxsplit=1) for number in (1, 2))
        assert [answer[0] for answer in answers] == ["lost", "won"]
        assert "champion has changed" in answers[0][1]
        assert champion_digest(home, NAME) == answers[1][1]
        (promotion,) = history(home, NAME)
        audit = advisor_on(home, database).audit
        audit.settle()
        entries, _ = audit.page(Wanted(action="promote_model"), limit=10)
        assert [entry.subject for entry in entries] == [f"{NAME} {promotion.version}"]
        assert audit.verify().holds
    postgres.drop(databases["postgres"])
