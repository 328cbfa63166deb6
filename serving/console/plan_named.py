"""How the pages of plans are asked for: the plan, the line, the step, and the fields that forms share."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Query

PlanId = Annotated[str, Query(max_length=32, pattern="^[0-9a-f]{32}$")]
Unit = Annotated[str, Query(min_length=1, max_length=200)]
Indicator = Annotated[str, Query(min_length=1, max_length=200)]
StepName = Literal["submit", "approve", "publish", "return", "undo", "revise", "withdraw"]
Done = Literal[
    "",
    "submit",
    "approve",
    "publish",
    "return",
    "undo",
    "revise",
    "withdraw",
    "draft",
    "reallocate",
    "import",
    "override",
    "pin",
    "unpin",
    "reset",
]
"""What has just been done, told at the top of the page that follows."""
Seen = Annotated[int, Form(alias="revision", ge=0, le=999_999_999)]
"""The revision that whoever sends the form has looked at."""
Typed = Annotated[str, Form()]
"""Checked by the handler and not before, so that nothing typed is lost; the size of the body bounds it."""
