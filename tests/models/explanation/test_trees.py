"""Trees read from LightGBM's text answer as LightGBM does, whatever the row."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from tree_models import FEATURES, KINDS, QUIET, model_of, nasty_rows, raw_output, slow_values, training_rows

from features.errors import LoadlineError
from models.explanation.trees import TreeEnsemble

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", KINDS)
def test_the_output_is_lightgbms_own_on_awkward_rows(kind: str) -> None:
    model = model_of(kind)
    X = np.concatenate([nasty_rows(model, category="categories" in kind, rows=2000), np.full((1, FEATURES), np.nan)])
    expected = raw_output(model, X)
    np.testing.assert_allclose(TreeEnsemble.of(model.model_to_string()).margin(X), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("player", [list(range(FEATURES)), [0, 1, 0, 2, 2, 1], [0] * FEATURES])
def test_values_are_those_of_asking_about_every_coalition(kind: str, player: list[int]) -> None:
    model = model_of(kind)
    rows = nasty_rows(model, category="categories" in kind, rows=24, seed=len(set(player)))
    X, R = rows[:12], rows[12:]
    found = TreeEnsemble.of(model.model_to_string()).contrast(X, R, player=player, count=max(player) + 1)
    slow = np.array([slow_values(model, x, r, player) for x, r in zip(X, R, strict=True)])
    np.testing.assert_allclose(found, slow, rtol=0, atol=1e-12)


def test_the_output_of_a_forest_is_the_mean_of_its_trees() -> None:
    model, X = model_of("forest"), training_rows(holes=True, category=False)
    expected = np.asarray(model.predict(X))
    np.testing.assert_allclose(TreeEnsemble.of(model.model_to_string()).margin(X), expected, rtol=1e-13)


def test_every_kind_of_split_is_met() -> None:
    kinds = {int(kind) for name in KINDS for kind in TreeEnsemble.of(model_of(name).model_to_string()).columns[:, 1]}
    assert kinds == set(range(6))


@pytest.mark.parametrize("kind", ["regression", "holes", "binary"])
def test_values_are_those_of_shap(kind: str) -> None:
    import shap

    model = model_of(kind)
    rows = training_rows(holes=kind == "holes", category=False)[:40]
    X, R = rows[:20], rows[20:]
    found = TreeEnsemble.of(model.model_to_string()).contrast(X, R, player=range(FEATURES), count=FEATURES)
    for x, r, values in zip(X, R, found, strict=True):
        other = shap.TreeExplainer(model, r[None], feature_perturbation="interventional")
        np.testing.assert_allclose(values, other.shap_values(x[None], check_additivity=False)[0], rtol=0, atol=1e-6)


def test_deep_and_wide_trees_add_up_to_the_gap() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(3000, 40))
    y = np.cumsum(X, axis=1).max(axis=1)
    model = lgb.train(QUIET | {"num_leaves": 600, "min_child_samples": 1, "learning_rate": 0.3}, lgb.Dataset(X, y), 5)
    trees = TreeEnsemble.of(model.model_to_string())
    assert trees.depth > 20
    found = trees.contrast(X[:300], X[300:600], player=range(40), count=40)
    raw = np.asarray(model.predict(X[:600], raw_score=True))
    np.testing.assert_allclose(found.sum(axis=1), raw[:300] - raw[300:], rtol=0, atol=1e-9)


def test_one_class_of_several_is_chosen_or_asked_for() -> None:
    X = training_rows(holes=False, category=False)
    y = np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])
    model = lgb.train(QUIET | {"objective": "multiclass", "num_class": 3}, lgb.Dataset(X, y), 8)
    text, raw = model.model_to_string(), np.asarray(model.predict(X, raw_score=True))
    for output in range(3):
        trees = TreeEnsemble.of(text, output=output)
        np.testing.assert_allclose(trees.margin(X), raw[:, output], rtol=1e-13, atol=1e-13)
    with pytest.raises(LoadlineError, match="3 outputs"):
        TreeEnsemble.of(text)
    with pytest.raises(LoadlineError, match="no output 3"):
        TreeEnsemble.of(text, output=3)


def test_early_stopping_keeps_the_best_trees_only() -> None:
    X = training_rows(holes=False, category=False)
    y = X[:, 0] + np.random.default_rng(2).normal(size=len(X))
    data = lgb.Dataset(X[:600], y[:600])
    stop = lgb.early_stopping(3, verbose=False)
    model = lgb.train(QUIET, data, 200, valid_sets=[data.create_valid(X[600:], y[600:])], callbacks=[stop])
    assert 0 < model.best_iteration < 200
    raw = np.asarray(model.predict(X, raw_score=True))
    np.testing.assert_allclose(TreeEnsemble.of(model.model_to_string()).margin(X), raw, rtol=1e-13)


def test_linear_leaves_are_refused() -> None:
    X = training_rows(holes=False, category=False)
    model = lgb.train(QUIET | {"linear_tree": True}, lgb.Dataset(X, X[:, 0] * X[:, 1]), 3)
    with pytest.raises(LoadlineError, match="linear"):
        TreeEnsemble.of(model.model_to_string())


def spoiled(field: str, change: str) -> str:
    """Give a model's text in which the first number of a field is another."""
    text, count = re.subn(rf"(\n{field}=)(\S+)", rf"\g<1>{change}", model_of("categories").model_to_string(), count=1)
    assert count == 1
    return text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tree\nversion=v4\n",
        "not a model\nend of trees\n",
        spoiled("left_child", "0"),
        spoiled("left_child", "99"),
        spoiled("left_child", "-99"),
        spoiled("right_child", "1"),
        spoiled("right_child", "x"),
        spoiled("split_feature", "6"),
        spoiled("split_feature", "-1"),
        spoiled("split_feature", "1 1"),
        spoiled("threshold", ""),
        spoiled("leaf_value", "0 0"),
        spoiled("decision_type", "12"),
        spoiled("cat_boundaries", "-1"),
        spoiled("cat_boundaries", "9999"),
        spoiled("cat_threshold", "-5"),
        spoiled("num_tree_per_iteration", "0"),
    ],
)
def test_what_is_no_sound_model_is_refused(text: str) -> None:
    with pytest.raises(LoadlineError, match="no LightGBM model"):
        TreeEnsemble.of(text)


def test_shapes_that_disagree_are_refused() -> None:
    trees = TreeEnsemble.of(model_of("regression").model_to_string())
    X = np.zeros((3, FEATURES))
    with pytest.raises(LoadlineError, match="features"):
        trees.margin(X[:, :2])
    with pytest.raises(LoadlineError, match="references"):
        trees.contrast(X, X[:2], player=range(FEATURES), count=FEATURES)
    with pytest.raises(LoadlineError, match="players"):
        trees.contrast(X, X, player=range(FEATURES), count=FEATURES - 1)


def test_the_arrays_are_frozen() -> None:
    trees = TreeEnsemble.of(model_of("regression").model_to_string())
    with pytest.raises(ValueError, match="read-only"):
        trees.leaves[0] = 1.0


def run(code: str, *, folder: Path, **environment: str) -> str:
    """Run Python in a process of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_compiled_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, models.explanation.contrast as c; print(sorted({'numba', 'lightgbm', 'shap'} & set(sys.modules)))"
    )
    assert run(code, folder=ROOT, HOME=str(ROOT)).strip() == "[]"


def test_it_works_where_no_compiled_code_can_be_kept(tmp_path: Path) -> None:
    for package in ("features", "models"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "models" / "explanation" / "__pycache__").write_text("in the way")
    model = model_of("regression")
    model.save_model(str(tmp_path / "model.txt"))
    code = (
        "import numpy as np; from models.explanation.trees import TreeEnsemble; from pathlib import Path;"
        "t = TreeEnsemble.of(Path('model.txt').read_text());"
        f"print(repr(float(t.margin(np.ones((1, {FEATURES})))[0])))"
    )
    told = run(code, folder=tmp_path, HOME="/dev/null", XDG_CACHE_HOME="/dev/null", PYTHONDONTWRITEBYTECODE="1")
    expected = float(np.asarray(model.predict(np.ones((1, FEATURES)), raw_score=True))[0])
    assert float(told) == pytest.approx(expected, abs=1e-12)
