"""The client's methods against the description of the API: none is missing, and none says anything else."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from serving.client import Loadline
from serving.client.declared import Area, Operation
from serving.schemas import Page

KINDS = {"integer": int, "number": float, "boolean": bool, "string": str, "date": date, "date-time": datetime}


def declared() -> dict[str, Operation]:
    """Give every operation that a client has a method for."""
    with Loadline("http://127.0.0.1:1", "unused") as client:
        areas = [area for area in vars(client).values() if isinstance(area, Area)]
    found = [one for area in areas for one in vars(type(area)).values() if isinstance(one, Operation)]
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


@pytest.fixture(scope="module")
def described(app) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Give method, path and description of each operation."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, entry in app.openapi()["paths"].items()
        for method, operation in entry.items()
    }


def test_each_operation_has_a_method_and_each_method_an_operation(described):
    assert sorted(declared()) == sorted(described)


def test_each_asks_at_the_right_address_for_what_is_answered(described):
    for name, one in declared().items():
        method, path, operation = described[name]
        assert (one.method, one.path) == (method, path), name
        good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        wanted = one.hints["return"]
        for answer in good:
            assert named(answer["content"]) == {wanted.__name__ if issubclass(wanted, BaseModel) else None}, name
        assert one.declared.__doc__, name


def named(content: dict[str, Any]) -> set[str | None]:
    """Give the names of the models in the content of a request or an answer; None for a text or a file."""
    schemas = [media.get("schema", {}) for media in content.values()]
    return {
        schema["$ref"].rpartition("/")[2] if "$ref" in schema else schema.get("title", "").replace(" ", "") or None
        for schema in schemas
    }


def test_each_takes_what_the_operation_takes(described):
    for name, one in declared().items():
        operation = described[name][2]
        parameters = {parameter["name"]: parameter for parameter in operation.get("parameters", ())}
        parameters.pop("Idempotency-Key", None)  # every POST has one
        given = dict(list(one.signature.parameters.items())[1:])
        bodies = [key for key in given if key == "content" or is_model(one.hints[key])]
        request = operation.get("requestBody")
        assert len(bodies) == (request is not None), name
        for key in bodies:
            del given[key]
            wanted = one.hints[key]
            assert request is not None
            assert named(request["content"]) == {None if wanted is bytes else wanted.__name__}, name
        assert {wire(key) for key in given} == set(parameters), name
        for key, parameter in given.items():
            told = parameters[wire(key)]
            optional = parameter.default is not inspect.Parameter.empty
            assert optional is (not told["required"] and key != "if_match"), (name, key)
            assert kinds_of(one.hints[key]) == kinds_told(told["schema"]), (name, key)


def is_model(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, BaseModel)


def wire(name: str) -> str:
    return "If-Match" if name == "if_match" else name.rstrip("_")


def kinds_of(hint: Any) -> frozenset[Any]:
    """Give what a parameter of a method may be, None left out."""
    if get_origin(hint) in (Union, UnionType):
        return frozenset().union(*(kinds_of(one) for one in get_args(hint)))
    if hint is NoneType:
        return frozenset()
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint))
    if get_origin(hint) is Sequence:
        return frozenset({("several", *kinds_of(get_args(hint)[0]))})
    return frozenset({hint})


def kinds_told(schema: dict[str, Any]) -> frozenset[Any]:
    """Give what a parameter may be as the description has it."""
    if "anyOf" in schema:
        return frozenset().union(*(kinds_told(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return frozenset(schema["enum"])
    if schema["type"] == "null":
        return frozenset()
    if schema["type"] == "array":
        return frozenset({("several", *kinds_told(schema["items"]))})
    return frozenset({KINDS[schema.get("format", schema["type"])]})


def test_a_list_that_comes_in_pages_can_be_gone_through():
    for name, one in declared().items():
        assert issubclass(one.hints["return"], Page) or "cursor" not in one.signature.parameters, name


def test_it_can_be_used_where_no_pandas_is():
    code = (
        "import sys, serving.client\n"
        "heavy = {'pandas', 'pyarrow', 'lightgbm', 'sklearn', 'scipy', 'mlflow', 'fastapi'} & set(sys.modules)\n"
        "sys.exit(f'imported: {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
