"""A typed Python client of the API. `from serving.client import Loadline` is all that a program needs."""

from serving.client.client import Loadline
from serving.client.declared import Tagged
from serving.client.problems import ProblemError, UnreachableError, UnreadableError

__all__ = ["Loadline", "ProblemError", "Tagged", "UnreachableError", "UnreadableError"]
