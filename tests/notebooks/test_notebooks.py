"""The notebooks run from a clean kernel, hold no logic, and are kept with small outputs that name no place."""

from __future__ import annotations

import ast
import base64
import re
import sys
from datetime import date
from itertools import groupby
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
FILES = sorted(FOLDER.glob("*.ipynb"))

ALLOWED = {"features", "models", "training", "serving", "pandas", "numpy", "matplotlib", "shap"}
LOGIC = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While)
LARGEST_FILE = 150_000
LARGEST_PICTURE = 30_000
LARGEST_TEXT = 20_000
"""Bytes. What is larger makes a repository slow to fetch and a change hard to read."""
CELL_SECONDS = 600
"""A cell takes less than a tenth of it alone; so long only where many things run at once."""
PLACE = re.compile(r"(?<![\w<:/.])/(?:\w[\w.-]*/)+\w")
"""An absolute path; markup such as `</td>` is none."""
HAN = re.compile(r"[\u4e00-\u9fff]")


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(output: NotebookNode) -> list[str]:
    """Give what an output says, without its pictures."""
    shown = [text for kind, text in output.get("data", {}).items() if not kind.startswith("image/")]
    return [output["text"]] if "text" in output else shown


def check_outputs(notebook: NotebookNode) -> None:
    for output in outputs(notebook):
        assert output.output_type != "error", output.evalue
        assert output.get("name") != "stderr", output.text
        picture = base64.b64decode(output.get("data", {}).get("image/png", ""))
        assert len(picture) <= LARGEST_PICTURE
        for text in texts(output):
            assert len(text.encode()) <= LARGEST_TEXT
            assert not PLACE.search(text), PLACE.search(text)
            assert date.today().isoformat() not in text  # noqa: DTZ011 - of this machine, as the notebooks would


def shape(notebook: NotebookNode) -> list[list[list[str]]]:
    """Tell of each cell what kinds of output it has; what is printed may come in any number of pieces."""
    kinds = [
        [sorted(output.get("data", {})) or [output.output_type] for output in cell.outputs]
        for cell in code_cells(notebook)
    ]
    return [[kind for kind, _ in groupby(cell)] for cell in kinds]


def test_there_are_five() -> None:
    assert [path.name[0] for path in FILES] == ["1", "2", "3", "4", "5"]
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in told for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_holds_no_logic(path: Path) -> None:
    for cell in code_cells(read(path)):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, LOGIC), ast.unparse(node)
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.split(".")[0] in ALLOWED | sys.stdlib_module_names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_heading_is_told_in_chinese_too(path: Path) -> None:
    told = [cell.source for cell in read(path).cells if cell.cell_type == "markdown" and cell.source.startswith("#")]
    assert len(told) >= 5
    assert all(HAN.search(text) for text in told)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_kept_executed_and_small(path: Path) -> None:
    notebook = read(path)
    assert path.stat().st_size <= LARGEST_FILE
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))
    assert not any(cell.metadata for cell in notebook.cells)
    check_outputs(notebook)


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place to run in, where nothing is set that a notebook would follow."""
    import matplotlib.font_manager  # noqa: F401 - finds the fonts, where that was never done: it would be said so

    for name in ("LOADLINE_DATASET", "LOADLINE_STORE_URL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("TMPDIR", "IPYTHONDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    (tmp_path / "here").mkdir()
    return tmp_path


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_runs(path: Path, surroundings: Path) -> None:
    kept, notebook = read(path), read(path)
    where = {"metadata": {"path": str(surroundings / "here")}}
    NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, resources=where
    ).execute()
    check_outputs(notebook)
    assert shape(notebook) == shape(kept), "run the notebook again and keep what it says"
    assert not any((surroundings / "here").iterdir())
    assert not list((surroundings / "TMPDIR").glob("loadline-*"))
