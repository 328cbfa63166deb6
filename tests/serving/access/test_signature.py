"""Whose name goes on record."""

import pytest

from serving.access.principal import LOCAL, Grant, Principal, Role, acting
from serving.access.signature import signed
from serving.errors import DeniedError, InvalidError

LI = Principal("1", "Li Ming", "person", (Grant(Role.RISK),))


def test_people_and_programs_sign_with_their_own_name_only():
    with acting(LI):
        assert signed(None) == "Li Ming"
        assert signed("Li Ming") == "Li Ming"
        with pytest.raises(DeniedError, match="Wang Fang cannot be signed for by Li Ming"):
            signed("Wang Fang")


def test_the_machines_key_stands_for_nobody_and_says_for_whom():
    with acting(LOCAL):
        assert signed("Wang Fang") == "Wang Fang"
        for nobody in (None, ""):
            with pytest.raises(InvalidError, match="in whose name"):
                signed(nobody)
