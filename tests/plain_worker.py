"""A worker that only goes through the motions, to be run as a program: `plain_worker.py HOME [die]`.

It stands in where what matters is that a worker is started, seen and followed. With `die` it is killed in its first
step, unless the run was begun before.
"""

import fcntl
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from features.indicators import Title
from training.retraining.runs import RUNS, WORKER_LOCK, Run, Runs

STEPS = ("read", "decide", "target.fit", "close")


def work_on(run: Run, *, die: bool) -> None:
    begun = {event.step for event in run.events if event.kind == "started"}
    finished = {event.step for event in run.events if event.kind == "finished"}
    if begun:
        run.say("resumed", Title(en="It goes on.", zh="继续运行。"))
    for step in STEPS:
        if run.cancelled:
            run.say("cancelled", Title(en="It was stopped.", zh="已停止。"))
            return
        if step in finished:
            continue
        run.say("started", Title(en=f"Begins {step}.", zh=f"开始{step}。"), step=step)
        run.advanced(step, "counting", 1, 2)
        if die and not begun:
            os.kill(os.getpid(), signal.SIGKILL)
        if step == "decide":
            why = {"en": "The definition of LOANS has changed.", "zh": "LOANS口径已变更。"}
            run.say("decided", Title(**why), step=step, figures={"subject": "target", "what": "retrain"})
            run.work.mkdir(exist_ok=True)
            action = {"subject": "target", "what": "retrain", "why": [why], "figures": {}}
            (run.work / "decision.json").write_text(json.dumps({"actions": [action]}), encoding="utf-8")
        run.say("finished", Title(en=f"Ends {step}.", zh=f"完成{step}。"), step=step)
    run.end({"text": {"en": "Nothing was learned.", "zh": "未训练。"}})
    run.say("done", Title(en="It is done.", zh="已完成。"))


def main(home: Path, *, die: bool) -> None:
    with open(home / RUNS / WORKER_LOCK, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for run in Runs(home, lambda: datetime.now(UTC)).waiting():
            work_on(run, die=die)


if __name__ == "__main__":
    main(Path(sys.argv[1]), die="die" in sys.argv)
