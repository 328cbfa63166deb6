"""The guide to simulation says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from training.simulation.change_file import KINDS, read_change
from training.simulation.obligations import RETRAINING

GUIDE = (Path(__file__).parents[3] / "docs" / "simulation.md").read_text(encoding="utf-8")
NAMES = {
    "Rate cap": "rate_cap",
    "Tolerance for bad loans": "npl_tolerance",
    "Definition": "definition",
    "New indicator": "new_indicator",
    "Merger": "merger",
}


def test_there_is_an_example_of_every_kind_and_each_is_read(tmp_path: Path) -> None:
    kinds = []
    for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL):
        path = tmp_path / "change.yaml"
        path.write_text(text, encoding="utf-8")
        kinds.append(read_change(path).kind)
    assert kinds == list(KINDS)


def test_the_table_says_which_changes_need_models_to_learn_again() -> None:
    rows = dict(re.findall(r"^\| ([^|]+?) \| (yes|no)", GUIDE, re.MULTILINE))
    assert {NAMES[name]: rows[name] == "yes" for name in NAMES} == {k: r.models for k, r in RETRAINING.items()}
