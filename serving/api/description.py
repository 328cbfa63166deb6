"""The OpenAPI document: complete with security, every error as a problem, and 304 where an answer has an ETag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serving.auth import COOKIE, PUBLIC
from serving.errors import (
    BAD_REQUEST,
    CONFLICT,
    FORBIDDEN,
    INVALID,
    MEDIA_TYPE,
    NO_REVISION,
    NO_SPACE,
    NOT_FOUND,
    NOT_READY,
    SIGN_IN,
    STALE,
    TOO_LARGE,
    TOO_MANY,
    TOO_SLOW,
    UNEXPECTED,
    WRONG_TYPE,
    Kind,
    Problem,
)
from serving.idempotency import KEY_PATTERN, KEY_TEXT, LONGEST_KEY, OWN_RECORD
from serving.identity.cookies import CSRF_HEADER

SUMMARY = "Achievable targets for regions and branches."
EVERYWHERE: tuple[Kind, ...] = (BAD_REQUEST, UNEXPECTED)
PROTECTED: tuple[Kind, ...] = (
    *(SIGN_IN, FORBIDDEN, NOT_FOUND, CONFLICT, INVALID, TOO_MANY),
    *(NOT_READY, NO_SPACE),  # what is seen is noted, and where it cannot be, nothing is shown
)
WRITING: tuple[Kind, ...] = (TOO_SLOW, TOO_LARGE, WRONG_TYPE)
"""What is written has a size and a form."""
AGAIN: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": KEY_TEXT,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": KEY_PATTERN},
    "example": "4d0c1b1e-7f5a-4c0e-9d53-3f2b8e1a6c70",
}
REPLAY = {
    "description": "`true` where this is what the same request was answered before.",
    "schema": {"type": "string", "enum": ["true"]},
}
EDITING: tuple[Kind, ...] = (STALE, NO_REVISION)
"""Where a change says what it is a change of."""
CSRF_TEXT = "What `GET /api/v1/me` gives as `csrf`; every change by a session carries it."
TAGS = {
    "health": "Whether the service lives and can answer.",
    "units": "Regions, branches and groups of them, as far as the caller may see.",
    "indicators": "What is measured, and how it adds up.",
    "snapshots": "Stored data versions.",
    "observations": "Figures of units: looked up as of a day, handed in as a new data version.",
    "targets": "What units can be asked to achieve, with the probability of attaining it.",
    "targets within the year": "How targets stand, given the year so far, and what a calibration might move.",
    "target plans": "Targets of a year: drafted, changed, approved by a second person, published, revised.",
    "scores": "Scores under the policy in force, and their explanation in lines that add up.",
    "policies": "The rules by which units are scored.",
    "simulations": "The past under other rules; worked on behind.",
    "alerts": "Good results that come with rising risk, and what reviewers decide.",
    "appeals": "Objections to scores and targets, with the figure frozen and reproduced.",
    "predictions": "The warning model, asked about rows of features.",
    "training": "Runs that learn again what a change asks for; worked on behind.",
    "models": "Models on record: versions, cards, promotion, rollback.",
    "watch": "Drift, kept promises, and proposals to train again.",
    "webhooks": "Addresses that are told, signed, what happens.",
    "people": "Who may sign in, and who asks.",
    "keys": "Keys of programs.",
    "audit": "Who saw what, and changed what; verifiable.",
}
"""What the groups of operations are about, in the order in which a reader meets them."""
_METHODS = frozenset({"get", "put", "post", "delete", "patch"})


def describe(app: FastAPI) -> dict[str, Any]:
    """Build the document of an application, once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=SUMMARY, description=app.description, routes=app.routes
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs")
        schemas["Problem"] = problem
        components["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "A program's key, or the machine's own."},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Opened by the console."},
            "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER, "description": CSRF_TEXT},
        }
        for path, method, operation in _operations(document):
            _complete(operation, public=path in PUBLIC, reads=method == "get")
            if method == "post" and path not in OWN_RECORD:
                _may_come_again(operation)
        document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, entry in document["paths"].items():
        for method, operation in entry.items():
            if method in _METHODS:
                yield path, method, operation


def _complete(operation: dict[str, Any], *, public: bool, reads: bool) -> None:
    responses = operation["responses"]
    edits = any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ()))
    edited = EDITING if edits else ()
    for kind in (*EVERYWHERE, *(() if public else PROTECTED), *(() if reads else WRITING), *edited):
        responses[str(kind.status)] = {
            "description": kind.title,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if not reads:
        operation["security"] = [{"key": []}, {"session": [], "csrf": []}]
    elif not public:
        operation["security"] = [{"key": []}, {"session": []}]
        tag = {"description": "Send it back as If-None-Match.", "schema": {"type": "string"}}
        responses["200"]["headers"] = {"ETag": tag}
        responses["304"] = {"description": "What the caller has, named in If-None-Match, still holds."}


def _may_come_again(operation: dict[str, Any]) -> None:
    operation.setdefault("parameters", []).append(AGAIN)
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            response.setdefault("headers", {})["Idempotency-Replayed"] = REPLAY
