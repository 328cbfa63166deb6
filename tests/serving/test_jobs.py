"""Errands are run however many there are, and are not taken for workers that failed a run."""

from __future__ import annotations

import logging
import sys
import time

from serving_home import advisor_at

from serving.jobs import MOST_STARTS, Jobs

BUSY = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(1)"
WAIT = 60
"""Seconds: generous, since other tests share the machine."""


def test_errands_are_no_failed_runs(tmp_path, caplog):
    caplog.set_level(logging.WARNING, logger="loadline.serving")
    done = tmp_path / "done"
    jobs = Jobs(advisor_at(tmp_path / "home"), command=(sys.executable, "-c", BUSY, str(done)), poll=0.05)
    for number in range(1, MOST_STARTS + 3):
        jobs.wake(errand=True)
        deadline = time.monotonic() + WAIT
        while not done.exists() or len(done.read_text()) < number:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    jobs.close()
    assert [record.message for record in caplog.records] == []
