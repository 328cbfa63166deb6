"""What reviewers write, checked before it is kept: names, reasons, notes, due dates, and links to cases elsewhere."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from urllib.parse import urlsplit

from features.errors import LoadlineError

MOST_NAME = 100
"""Characters of a person's name: longer ones are pasted by mistake."""
MOST_TEXT = 4_000
"""Characters of a reason or note, some two pages: what is longer belongs into the case that is linked."""
LEAST_REASON = 10
"""Width of a reason in Latin letters, a Chinese character counting as two: the shortest that says something."""
MOST_LINK = 500
"""Characters of an address, as case systems make them."""
_CASE = re.compile(r"[（(〔\[]?[^\W_][\w\-/.#()（）〔〕\[\] ]{0,62}")
"""A case number: letters, digits and the signs that file numbers have, such as （2025）京0105民初123号."""
_ALLOWED_CONTROLS = "\n\t"
_UNSEEN = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Unicode categories of what cannot be shown, or cannot be written at all."""
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that turn the direction of what follows, and so could make a text read as another (Unicode TR 36)."""


def checked_name(name: str, *, where: str) -> str:
    """Give a person's name without blanks around it.

    Raises
    ------
    LoadlineError
        Where there is none, it is too long, or holds signs that cannot be seen.
    """
    text = _clean(name, where=where, most=MOST_NAME).strip()
    if not text or any(sign in text for sign in _ALLOWED_CONTROLS):
        raise LoadlineError("a name on one line is needed", where=where, hint="State the name of a person.")
    return text


def checked_text(text: str, *, where: str) -> str:
    """Give a note without blanks around it.

    Raises
    ------
    LoadlineError
        Where it is too long or holds signs that cannot be seen.
    """
    return _clean(text, where=where, most=MOST_TEXT).strip()


def checked_note(text: str, *, where: str) -> str:
    """Give a note, which may not be blank; see `checked_text`."""
    note = checked_text(text, where=where)
    if not note:
        raise LoadlineError("the note is blank", where=where, hint="Write what the next reader should know.")
    return note


def checked_reason(text: str, *, where: str) -> str:
    """Give a reason that says something; see `checked_text`."""
    reason = checked_text(text, where=where)
    width = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in reason)
    if width < LEAST_REASON:
        raise LoadlineError(
            "the reason is too short to be understood later" if reason else "a reason is needed",
            where=where,
            hint=f"Say in a few words what speaks for it (at least {LEAST_REASON} letters, or five Chinese ones).",
        )
    return reason


def checked_due(day: date, *, today: date, where: str) -> date:
    """Give a due date, which may not have passed.

    Raises
    ------
    LoadlineError
        Where it has.
    """
    if day < today:
        raise LoadlineError(f"{day} has passed", where=where, hint=f"Give a day from {today} on.")
    return day


def checked_link(text: str, *, where: str) -> str:
    """Give the address or number of a case elsewhere. It is kept as text, and never asked for.

    Raises
    ------
    LoadlineError
        Unless it is an http or https address without a password in it, or a case number.
    """
    link = _clean(text, where=where, most=MOST_LINK).strip()
    if "://" in link:
        _check_address(link, where)
    elif not _CASE.fullmatch(link):
        hint = "Give an address that begins with https:// or a number of letters, digits and - / . # ( )."
        raise LoadlineError(f"{link!r} names no case", where=where, hint=hint)
    return link


def is_address(link: str) -> bool:
    """Tell whether a link that was checked is an address rather than a number."""
    return "://" in link


def _check_address(link: str, where: str) -> None:
    try:
        parts = urlsplit(link)
        host, named = parts.hostname, parts.username is not None or parts.password is not None
        _ = parts.port
    except ValueError:
        host, named, parts = None, False, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or any(sign.isspace() or sign in "<>\"'`\\" for sign in link):
        hint = "Use an address such as https://cases.example.com/1234."
        raise LoadlineError(f"{link!r} is not the address of a case", where=where, hint=hint)
    if named:
        raise LoadlineError("the address holds a user name or password", where=where, hint="Leave it out.")


def _clean(text: str, *, where: str, most: int) -> str:
    text = text.replace("\r\n", "\n")
    if len(text) > most:
        raise LoadlineError(
            f"the text has {len(text):,} characters, at most {most:,} are kept",
            where=where,
            hint="Shorten it, and link to the case that has the rest.",
        )
    if any(sign not in _ALLOWED_CONTROLS and unicodedata.category(sign) in _UNSEEN for sign in text) or any(
        sign in _TURNING for sign in text
    ):
        raise LoadlineError("the text holds signs that cannot be shown", where=where, hint="Type it anew.")
    return text
