"""A service inside the program that asks it."""

import threading

import pytest

from serving.client import UnreachableError
from serving.inside import service_inside


def test_it_is_served_as_long_as_it_is_needed(trained):
    before = threading.active_count()
    with service_inside(trained) as service:
        assert service.service.readiness().components["store"] == "ok"
        assert service.units.get("N01").code == "N01"
        assert service.service.me().kind == "local"
        address = service._connection.address
    assert not [thread for thread in threading.enumerate() if thread.name == "service-inside"]
    assert threading.active_count() <= before + 1
    service._connection.patience = 0
    with pytest.raises((UnreachableError, RuntimeError)):
        service.service.health()
    assert address


def test_it_ends_where_the_program_fails(trained):
    def fail() -> None:
        with service_inside(trained):
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not [thread for thread in threading.enumerate() if thread.name == "service-inside"]
