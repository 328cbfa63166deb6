import json

import pytest

from features.errors import LoadlineError
from features.indicators import Title
from models.deterioration.settings import WarningSettings
from models.outcome.settings import TargetSettings
from training.tuning.tuned import Tuned, untuned

TEXT = Title(en="As it was.", zh="维持不变。")
TRIED = ({"knobs": {"kept": 0.7, "own.leaves": 4}, "loss": None, "usual": True, "chosen": True},)


@pytest.mark.parametrize("settings", [TargetSettings(kept=1.0), WarningSettings(rate=0.02)])
def test_plain_and_back(settings: TargetSettings | WarningSettings):
    found = Tuned(settings, TRIED, TEXT, {"gain": 0.1})
    assert Tuned.from_dict(json.loads(json.dumps(found.as_dict(), allow_nan=False))) == found
    assert found.changed
    with pytest.raises(LoadlineError, match="cannot be read"):
        Tuned.from_dict(found.as_dict() | {"kind": "other"})
    with pytest.raises(LoadlineError, match="cannot be read"):
        Tuned.from_dict({})


def test_a_row_for_each_trial():
    found = Tuned(TargetSettings(), TRIED, TEXT, {}).table()
    assert list(found.columns) == ["trial", "loss", "usual", "chosen", "kept", "own.leaves"]
    assert list(found["own.leaves"]) == [4]
    assert list(untuned(TargetSettings(), TEXT).table().columns) == ["trial", "loss", "usual", "chosen"]
