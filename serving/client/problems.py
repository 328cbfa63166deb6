"""What can go wrong for a program that asks the service."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
from pydantic import ValidationError

from features.errors import LoadlineError
from serving.errors import MEDIA_TYPE, FieldProblem, Problem

KIND = "urn:loadline:problem:"
NOT_OURS = "Look at the address: a proxy or another program may have answered."


class UnreachableError(LoadlineError):
    """Nobody answered, or the answer broke off: what was asked may have been done all the same."""


class UnreadableError(LoadlineError):
    """What was answered is not an answer of this service."""


class ProblemError(LoadlineError):
    """The service refused, or failed.

    Parameters
    ----------
    problem : Problem

    Attributes
    ----------
    status : int
        The HTTP status.
    kind : str
        What kind of problem it is, such as `not-found`; the list is in `serving.errors.KINDS`.
    request_id : str
        To be quoted to whoever runs the service.
    errors : sequence of FieldProblem
        Each thing that is wrong, where there are several.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail, where=problem.instance, hint=problem.hint)
        self.status: int = problem.status
        self.kind: str = problem.type.removeprefix(KIND)
        self.request_id: str = problem.request_id
        self.errors: Sequence[FieldProblem] = tuple(problem.errors)

    def __str__(self) -> str:
        parts = [super().__str__(), *(f"- {error.where}: {error.what}" for error in self.errors)]
        return "\n".join([*parts, f"Request: {self.request_id}"] if self.request_id else parts)


def problem_of(response: httpx2.Response) -> LoadlineError:
    """Read a refusal that was read whole; a proxy's own is told by its status alone."""
    if response.headers.get("content-type", "").partition(";")[0] == MEDIA_TYPE:
        try:
            return ProblemError(Problem.model_validate_json(response.content, extra="ignore"))
        except ValidationError:
            pass
    where, hint = response.request.url.path, NOT_OURS
    if response.is_redirect:
        return UnreadableError("the answer leads elsewhere, which is not followed", where=where, hint=hint)
    if response.status_code < 400:
        return UnreadableError(f"the answer has the status {response.status_code}", where=where, hint=hint)
    what = f"refused with {response.status_code}, and not by the service itself"
    named = Problem(
        type=KIND + "unknown",
        title="Unknown",
        status=response.status_code,
        detail=what,
        instance=where,
        hint=hint,
        request_id=response.headers.get("x-request-id", ""),
    )
    return ProblemError(named)
