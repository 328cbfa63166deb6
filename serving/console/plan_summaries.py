"""Summaries of plans, kept for those who turn pages: one of a large plan takes seconds."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from serving.plans.plan import Plan
from serving.plans.summary import Summary

if TYPE_CHECKING:
    from serving.plans.plans import Plans

KEPT = 16
"""Plans that people look at in turn."""


class PlanSummaries:
    """Keeps what plans come to, each as of a revision: every change of a plan makes another one.

    Parameters
    ----------
    plans : Plans
    most : int
        How many to keep.
    """

    def __init__(self, plans: Plans, *, most: int = KEPT) -> None:
        self._plans, self._most = plans, most
        self._known: OrderedDict[tuple[str, int], Summary] = OrderedDict()
        self._lock = Lock()

    def of(self, plan: Plan) -> Summary:
        """Give what a plan comes to as it was read."""
        key = (plan.id, plan.revision)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = self._plans.summary(plan.id)
        if self._plans.get(plan.id).revision == plan.revision:  # else it may be of a later one
            with self._lock:
                self._known[key] = found
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
        return found


async def summaries_of(request: Request) -> PlanSummaries:
    """Give the summaries of the application that is asked."""
    return request.app.state.plan_summaries


Summaries = Annotated[PlanSummaries, Depends(summaries_of)]
