"""Training from within an event loop, as a notebook's cells are run in."""

from __future__ import annotations

import asyncio
from pathlib import Path

from retraining_bank import advisor_at


def test_a_run_is_done_where_an_event_loop_runs(tmp_path: Path) -> None:
    advisor = advisor_at(tmp_path / "home")
    run, _ = advisor.training.request(by="Li Ming", trials=0)
    run.ask_to_stop()

    async def cell() -> None:
        advisor.training.work(run)

    asyncio.run(cell())
    assert run.state == "cancelled"
