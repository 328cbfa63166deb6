"""Sending requests so that each is done once: tried again where that is safe, and never led elsewhere."""

from __future__ import annotations

import random
import re
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TypeVar
from uuid import uuid4

import httpx2

from features.errors import LoadlineError
from serving.client.problems import UnreachableError, problem_of
from serving.release import release

TIMEOUT = 75.0
"""Seconds without a byte: the service itself gives up after 60."""
PATIENCE = 30.0
"""Seconds in which a request is tried again: a restart of the service takes some four."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between tries where nobody says how many: doubled each time, and random, so that many do not come at once."""
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""Nothing has left yet, so that anything may be tried again."""
AWAY = frozenset({502, 503, 504})
"""Somebody on the way says that there is no answer: it may have been done."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_KEY = re.compile(r"[!-~]{1,500}")
_Taken = TypeVar("_Taken")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request. One with an Idempotency-Key, which every POST has, can be sent again."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    if_match: str | None = None
    key: str | None = None
    also: frozenset[int] = frozenset()
    """Statuses beyond 2xx that are answers."""

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does nothing twice."""
        return self.method == "GET" or self.key is not None

    def headers(self) -> dict[str, str]:
        """Give its own headers."""
        told = {"Content-Type": self.content_type} if self.body is not None else {}
        told |= {} if self.if_match is None else {"If-Match": self.if_match}
        return told | ({} if self.key is None else {"Idempotency-Key": self.key})


def new_key() -> str:
    """Make an Idempotency-Key."""
    return str(uuid4())


class Connection:
    """Connections to one service, for any number of threads.

    Parameters
    ----------
    address : str
        `https://` and the host; `http://` on this machine alone, unless `unencrypted`.
    key : str
        A program's key.
    timeout : float
        Seconds without a byte before nobody is waited for.
    patience : float
        Seconds in which a request is tried again; 0 for one try.
    verify : ssl.SSLContext or bool
        How the service proves who it is: a context for a certificate authority of one's own.
    unencrypted : bool
        Send the key over a network in the clear.
    wait, clock : callable
        Let seconds pass, and tell them.

    Raises
    ------
    LoadlineError
        Where the address or the key cannot be one.
    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        verify: ssl.SSLContext | bool = True,
        unencrypted: bool = False,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = checked_address(address, unencrypted=unencrypted)
        if not _KEY.fullmatch(key):
            raise LoadlineError("that is no key", hint="Give it as `loadline key create` has shown it.")
        self.patience, self.wait, self.clock = patience, wait, clock
        self._http = httpx2.Client(
            headers={"Authorization": f"Bearer {key}", "User-Agent": f"loadline-client/{release()}"},
            verify=verify,
            timeout=timeout,
            follow_redirects=False,  # the key would go along
            trust_env=False,  # a proxy or a .netrc of the surroundings would see it, or replace it
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def ask(self, question: Question, take: Callable[[httpx2.Response], _Taken]) -> _Taken:
        """Send a request, again where that is safe, and have its answer taken while it comes in.

        Parameters
        ----------
        question : Question
        take : callable
            Reads the answer; is called again where the answer broke off.

        Raises
        ------
        ProblemError
            Where the service refused or failed.
        UnreachableError
            Where nobody answered in time.
        UnreadableError
            Where the answer is none of the service.
        """
        end = self.clock() + self.patience
        for tries in count():
            try:
                request = self._http.build_request(
                    question.method,
                    self.address + question.path,
                    params=question.query or None,
                    content=question.body,
                    headers=question.headers(),
                )
                with closing(self._http.send(request, stream=True)) as response:
                    if response.is_success or response.status_code in question.also:
                        return take(response)
                    response.read()
                pause, trouble = _pause_after(response, question, tries), problem_of(response)
            except httpx2.TransportError as error:
                again = (question.repeatable or isinstance(error, NOT_SENT)) and not _distrusted(error)
                pause, trouble = _backoff(tries) if again else None, _lost(error, question)
            except httpx2.DecodingError as error:
                raise _lost(error, question) from None
            if pause is None or self.clock() + pause > end:
                raise trouble
            self.wait(pause)
        raise AssertionError("the tries never end")


def checked_address(address: str, *, unencrypted: bool) -> str:
    """Give the address of a service without a slash at its end.

    Raises
    ------
    LoadlineError
        Where it is none, or the key would go over a network in the clear.
    """
    hint = "Give the scheme and the host alone, such as https://loadline.bank.example."
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        raise LoadlineError("that is no address", hint=hint) from None
    bare = not (url.userinfo or url.query or url.fragment) and url.path in ("", "/")
    if url.scheme not in ("http", "https") or not url.host or not bare:
        raise LoadlineError("that is no address of a service", hint=hint)
    if url.scheme == "http" and url.host not in LOOPBACK and not unencrypted:
        hint = "Use https://, or pass `unencrypted=True` where nobody else is on that network."
        raise LoadlineError("the key would go over the network in the clear", where=url.host, hint=hint)
    return str(url).rstrip("/")


def _pause_after(response: httpx2.Response, question: Question, tries: int) -> float | None:
    """Give the seconds after which a refused request may be sent again; None for never."""
    told = _told_seconds(response)
    if response.status_code == 429 or (response.status_code == 409 and told is not None):
        return told or _backoff(tries)  # nothing was done
    if response.status_code in AWAY and question.repeatable:
        return told or _backoff(tries)
    return None


def _told_seconds(response: httpx2.Response) -> float | None:
    told = response.headers.get("retry-after", "")
    if told.isascii() and told.isdecimal():
        return float(told[:9])
    try:
        now = parsedate_to_datetime(response.headers["date"])
        return max((parsedate_to_datetime(told) - now).total_seconds(), 0.0)
    except (KeyError, TypeError, ValueError):
        return None


def _backoff(tries: int) -> float:
    longest = min(FIRST_PAUSE * 2.0 ** min(tries, 10), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers, keeps no secret


def _distrusted(error: BaseException | None) -> bool:
    """Tell whether the service could not prove who it is: another try would find the same."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _lost(error: Exception, question: Question) -> LoadlineError:
    where = f"{question.method} {question.path}"
    if _distrusted(error):
        hint = "Pass `verify=ssl.create_default_context(cafile=...)` for a certificate authority of your own."
        return UnreachableError("the service could not prove who it is", where=where, hint=hint)
    if isinstance(error, NOT_SENT):
        return UnreachableError("the service cannot be reached", where=where, hint="See whether it runs: /healthz.")
    hint = "" if question.method == "GET" else "Look whether it was done before you ask for it again."
    return UnreachableError(f"the answer broke off ({type(error).__name__})", where=where, hint=hint)
