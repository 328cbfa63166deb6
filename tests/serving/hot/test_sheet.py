"""A sheet gives back what was written, and nothing else: `artifact_tamper` for answers made beforehand."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import LoadlineError
from serving.hot.sheet import Sheet, digest_of, write_sheet

ANSWERS = {"A": b'{"unit":"A"}', "B/1": "贷款".encode(), "..": b"x" * 3000}
PARENTS = {"A": "", "B/1": "A", "..": "B/1", "alone": "", "x": "y", "y": "x"}


def written(folder: Path) -> tuple[Path, str]:
    path = folder / "one.sheet"
    answers = [(unit, content, f'"{unit}"') for unit, content in ANSWERS.items()]
    digest = write_sheet(path, answers, parents=PARENTS, release="1", dataset="d", version=3, year=2025)
    return path, digest


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return written(tmp_path_factory.mktemp("sheet"))


def test_each_answer_comes_back(sheet: tuple[Path, str]) -> None:
    path, digest = sheet
    found = Sheet(path, digest)
    assert {unit: found.answer(unit) for unit in ANSWERS} == {u: (c, f'"{u}"') for u, c in ANSWERS.items()}
    assert found.answer("alone") is None
    assert (found.index.dataset, found.index.version, found.index.year) == ("d", 3, 2025)
    assert digest_of(path) == digest
    assert [p.name for p in path.parent.iterdir()] == [path.name], "nothing else is left"


def test_subtrees_are_told_from_the_parents_alone(sheet: tuple[Path, str]) -> None:
    found = Sheet(*sheet)
    assert found.within("..", frozenset({"A"}))
    assert found.within("A", frozenset({"A"}))
    assert not found.within("A", frozenset({"B/1"}))
    assert not found.within("alone", frozenset({"A"}))
    assert not found.within("unknown", frozenset({"A"}))
    assert not found.within("x", frozenset({"A"})), "a circle ends"
    assert found.within("alone", None)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_change_is_refused(sheet: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory, data) -> None:
    path, digest = sheet
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                content[:place],
                content[:place] + bytes([content[place] ^ 1 << data.draw(st.integers(0, 7))]) + content[place + 1 :],
                content + b"x",
            ]
        )
    )
    other = path.with_name("changed")
    other.write_bytes(changed)
    with pytest.raises(LoadlineError):
        Sheet(other, digest)


def test_what_is_altered_after_it_was_opened_is_noticed(tmp_path: Path) -> None:
    path, digest = written(tmp_path)
    found = Sheet(path, digest)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"unit"', b'"UNIT"', 1))
    with pytest.raises(LoadlineError, match="not what was written"):
        found.answer("A")
    assert found.answer("B/1") is not None
    path.write_bytes(content[:-3000])
    with pytest.raises(LoadlineError, match="not what was written"):
        found.answer("..")


def test_no_link_is_followed_and_nothing_half_written_stays(tmp_path: Path) -> None:
    path, digest = written(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(LoadlineError, match="cannot be read"):
        Sheet(link, digest)

    def failing():
        yield "A", b"1", '"t"'
        raise ValueError

    with pytest.raises(ValueError):
        write_sheet(tmp_path / "two", failing(), parents={}, release="1", dataset="d", version=1, year=1)
    assert {p.name for p in tmp_path.iterdir()} == {"one.sheet", "link"}
