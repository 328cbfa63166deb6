"""A service inside the program that asks it."""

import threading

import pytest
from serving_home import TOKEN

from serving.client import Loadline, UnreachableError
from serving.inside import service_inside


def still_serving() -> bool:
    return any(thread.name == "service-inside" for thread in threading.enumerate())


def test_it_is_served_as_long_as_it_is_needed(trained):
    with service_inside(trained) as service:
        assert service.service.readiness().components["store"] == "ok"
        assert service.units.get("N01").code == "N01"
        assert service.service.me().kind == "local"
        address = repr(service).removeprefix("<Loadline at ").removesuffix(">")
        assert still_serving()
    assert not still_serving()
    with Loadline(address, TOKEN, patience=0) as other, pytest.raises(UnreachableError):
        other.service.health()


def test_it_ends_where_the_program_fails(trained):
    def fail() -> None:
        with service_inside(trained):
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not still_serving()
