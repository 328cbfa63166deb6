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
    NOT_FOUND,
    SIGN_IN,
    TOO_LARGE,
    UNEXPECTED,
    Kind,
    Problem,
)

SUMMARY = "Achievable targets for regions and branches."
EVERYWHERE: tuple[Kind, ...] = (BAD_REQUEST, UNEXPECTED)
PROTECTED: tuple[Kind, ...] = (SIGN_IN, NOT_FOUND, CONFLICT, INVALID)
WRITING: tuple[Kind, ...] = (FORBIDDEN, TOO_LARGE)
"""A session may only read; what is written has a size."""
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
            "key": {"type": "http", "scheme": "bearer", "description": "The key that `loadline serve` was given."},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Opened by the console."},
        }
        for path, method, operation in _operations(document):
            _complete(operation, public=path in PUBLIC, reads=method == "get")
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, entry in document["paths"].items():
        for method, operation in entry.items():
            if method in _METHODS:
                yield path, method, operation


def _complete(operation: dict[str, Any], *, public: bool, reads: bool) -> None:
    responses = operation["responses"]
    for kind in (*EVERYWHERE, *(() if public else PROTECTED), *(() if reads else WRITING)):
        responses[str(kind.status)] = {
            "description": kind.title,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if not reads:
        operation["security"] = [{"key": []}]
    elif not public:
        operation["security"] = [{"key": []}, {"session": []}]
        tag = {"description": "Send it back as If-None-Match.", "schema": {"type": "string"}}
        responses["200"]["headers"] = {"ETag": tag}
        responses["304"] = {"description": "What the caller has, named in If-None-Match, still holds."}
