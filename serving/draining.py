"""Whether the service has been told to stop: from then on it finishes what it has, and asks for nothing new."""

from __future__ import annotations


class Draining:
    """Tells all parts of a process that it is about to stop.

    Attributes
    ----------
    begun : bool
        From then on readiness says no, and each answer is the last on its connection.
    """

    def __init__(self) -> None:
        self.begun = False

    def begin(self) -> None:
        """Say that the process has been told to stop; it never goes back on that."""
        self.begun = True
