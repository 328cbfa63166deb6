"""Rows put to a warning model: the body read, the model asked, the answer written; shared by all that answer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
import numpy as np

from serving.errors import InvalidError
from serving.hot.served import Asked

MOST_ROWS = 5_000
"""Rows of a request: a large bank has as many units, and their answer takes some milliseconds."""
MOST_EXPLAINED = 100
"""Rows of a request that are explained: each costs as much as a hundred predictions."""
MOST_FEATURES = 2_000
"""Of a row; no model has as many."""
AT_ONCE = 64
"""Figures in thousands, at most so many, are asked about at once; more are left to a thread, so that others go on."""
LARGEST = float(np.finfo(np.float32).max)
"""Figures are kept in single precision, and larger ones would be infinite there."""
DOCS = "/openapi.json describes the body; GET /api/v1/predictions lists the features."

Figure = float | None


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows, and how to read them; see `serving.api.predictions`."""

    rows: Annotated[list[Annotated[list[Figure], msgspec.Meta(max_length=MOST_FEATURES)]], msgspec.Meta(min_length=1)]
    features: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MOST_FEATURES)] | None = None


class Predictions(msgspec.Struct, frozen=True):
    """What a model says of rows, in their order."""

    dataset: str
    model_version: str
    base_rate: float
    probabilities: list[float]


class Part(msgspec.Struct, frozen=True):
    """How far a driver takes the probability away from that of the typical row."""

    code: str
    title: dict[str, str]
    amount: float


class Explained(msgspec.Struct, frozen=True):
    """A row's probability, and what makes it differ."""

    probability: float
    drivers: list[Part]


class Explanations(msgspec.Struct, frozen=True):
    """What a model says of rows, and why."""

    dataset: str
    model_version: str
    base_value: float
    items: list[Explained]


_read = msgspec.json.Decoder(Question).decode
_write = msgspec.json.Encoder().encode


def question_in(body: bytes) -> Question:
    """Read a body.

    Raises
    ------
    InvalidError
        Where it is not what is asked for; what it held is not repeated.
    """
    try:
        return _read(body)
    except msgspec.ValidationError as error:
        raise InvalidError(f"the body is not valid: {_place_of(str(error))}", hint=DOCS) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidError("the body is not JSON", hint=DOCS) from None


def is_quick(question: Question, *, explain: bool) -> bool:
    """Tell whether the answer takes so little that nobody waits who is asked for meanwhile."""
    rows = len(question.rows)
    return rows == 1 if explain else rows * len(question.rows[0]) <= AT_ONCE * 1_000


def predictions(question: Question, asked: Asked) -> bytes:
    """Give the probability of each row.

    Raises
    ------
    InvalidError
        Where the rows do not fit the model.
    """
    X = rows_of(question, asked, most=MOST_ROWS)
    scorer = asked.scorer
    found = Predictions(asked.dataset, scorer.version, scorer.base_rate, scorer.predict(X).tolist())
    return _write(found)


def explanations(question: Question, asked: Asked) -> bytes:
    """Give the probability of each row, and its drivers, the largest first; they add up to it from the base value.

    Raises
    ------
    InvalidError
        Where the rows do not fit the model.
    """
    X = rows_of(question, asked, most=MOST_EXPLAINED)
    scorer = asked.scorer
    probability, amounts = scorer.explain(X)
    titles = [{"en": title.en, "zh": title.zh} for title in asked.titles]
    items = []
    for chance, row in zip(probability.tolist(), amounts, strict=True):
        order = np.argsort(-np.abs(row), kind="stable")
        shown = order[: int((row != 0).sum())].tolist()
        values = row.tolist()
        drivers = [Part(scorer.drivers.codes[place], titles[place], values[place]) for place in shown]
        items.append(Explained(chance, drivers))
    base = round(scorer.base, 9)
    return _write(Explanations(asked.dataset, scorer.version, base, items))


ANSWERS: dict[bool, Callable[[Question, Asked], bytes]] = {False: predictions, True: explanations}
"""By whether an explanation is wanted."""


def rows_of(question: Question, asked: Asked, *, most: int) -> np.ndarray:
    """Put the rows (n, F) in the order of the model's features, NaN where nothing is said.

    Raises
    ------
    InvalidError
        Where there are too many, they are of different lengths, or name what the model does not know.
    """
    names, rows = asked.scorer.names, question.rows
    if len(rows) > most:
        raise InvalidError(f"{len(rows):,} rows, where {most:,} are taken", hint="Send them in several requests.")
    width = len(names) if question.features is None else len(question.features)
    for number, row in enumerate(rows):
        if len(row) != width:
            raise InvalidError(f"row {number} has {len(row)} figures, where {width} are wanted", hint=DOCS)
    wide = np.array(rows, dtype=np.float64).reshape(len(rows), width)  # None becomes NaN
    if (np.abs(wide) > LARGEST).any():
        raise InvalidError("a figure is too large to be kept in single precision", hint="Use null for the unknown.")
    given = wide.astype(np.float32)
    if question.features is None:
        return given
    places = {name: place for place, name in enumerate(names)}
    unknown = [name for name in question.features if name not in places]
    if unknown or len(set(question.features)) != width:
        what = f"{len(unknown)} of the features named are not the model's" if unknown else "a feature is named twice"
        raise InvalidError(what, hint=DOCS)
    X = np.full((len(rows), len(names)), np.nan, np.float32)
    X[:, [places[name] for name in question.features]] = given
    return X


def _place_of(text: str) -> str:
    """Keep of msgspec's words what was expected and where; names that were sent are left out."""
    what, mark, where = text.rpartition(" - at ")
    if not mark:
        what, where = text, ""
    if "unknown field" in what:
        what = "Object contains an unknown field"
    return f"{what} at {where.strip('`').removeprefix('$.')}" if where else what
