"""The process that works on simulations until none is due: `python -m serving.simulation_worker HOME WORKER`."""

from __future__ import annotations

import sys
from pathlib import Path

from features.errors import LoadlineError


def main(home: str, worker: str) -> int:
    """Do what is due, one after the other; give 1 where the home or database cannot be used.

    Parameters
    ----------
    home : str
    worker : str
        Names this process: what it holds when it is killed is found by it.
    """
    from serving.advisor import Advisor
    from serving.settings import Settings

    advisor = Advisor(Settings(home=Path(home)))
    try:
        while advisor.simulations.work(worker):
            pass
    except LoadlineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
