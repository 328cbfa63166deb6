"""Change files: what is wrong with one is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import DatasetError, LoadlineError
from training.simulation.change_file import KINDS, Definition, read_change

GOOD = {
    "rate_cap": "from: 2025-10\ncap: 24\nincome: P09\nvolume: LOANS\nalso: [REVENUE]\napplies_to: {units: [A]}\n",
    "npl_tolerance": "from: 2025\nindicator: R01\npoints: 3\napplies_to: {business_line: [sme]}\n",
    "definition": 'from: 2025-01-01\nindicator: P01\nversion: "2"\ntreatment: break\n',
    "new_indicator": "from: 2025-01\nitem: {indicator: U03, weight: 5, against: peers, rule: {kind: ratio}}\n",
    "merger": "from: 2025-01\nunits: [A, B]\ninto: C\nname: {en: C, zh: 丙}\n",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "change.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read(tmp_path: Path, kind: str) -> None:
    found = read_change(written(tmp_path, f"change: 1\nkind: {kind}\n{GOOD[kind]}approver: A. Person\n"))
    assert found.kind == kind
    assert found.start.startswith("2025")
    assert found.approver == "A. Person"


def test_a_table_lies_beside_the_file(tmp_path: Path) -> None:
    text = 'change: 1\nkind: definition\nfrom: 2025\nindicator: P01\nversion: "2"\ntreatment: restate\ntable: new.csv\n'
    found = read_change(written(tmp_path, text))
    assert isinstance(found, Definition)
    assert found.table == tmp_path / "new.csv"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("change: 1\nkind: merge\n", 2, "merger"),
        ("change: 1\n", 1, "kind"),
        ("- a\n", 1, "kind"),
        ("change: 1\nkind: [merger]\n", 2, "kind"),
        ("change: 1\nkind: merger\nfrom: 2025\nunits: [A, A]\ninto: A\n", 1, "once"),
        ("change: 1\nkind: merger\nfrom: 2025\nunits: [A, B]\ninto: A\nwhen: now\n", 6, "when"),
        ("change: 1\nkind: rate_cap\nfrom: 2025\ncap: -1\nincome: P09\nrate: Y\n", 4, "cap"),
        ("change: 1\nkind: rate_cap\nfrom: 2025\ncap: 4\nincome: P09\n", 1, "rate"),
        ("change: 1\nkind: definition\nfrom: 2025\nindicator: P\nversion: b\ntreatment: restate\n", 1, "factor"),
        (
            "change: 1\nkind: definition\nfrom: 2025\nindicator: P\nversion: b\ntreatment: break\nfactor: 2",
            1,
            "break",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    with pytest.raises(LoadlineError) as found:
        read_change(written(tmp_path, text))
    assert isinstance(found.value, DatasetError) or hasattr(found.value, "breaches")
    breach = found.value.breaches[0]  # pyright: ignore[reportAttributeAccessIssue]
    assert breach.line == line
    assert told in str(breach)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(LoadlineError, match=r"nothing\.yaml"):
        read_change(tmp_path / "nothing.yaml")
