"""The use cases of models on record, without a registry."""

import subprocess
import sys
from pathlib import Path

import pytest
from offered_models import NAME, NOON, PASSED, UNSTABLE, WORSE, model, offered, serving
from serving_home import advisor_at

from features.errors import LoadlineError
from serving.advisor import Advisor
from serving.modelling import COLUMNS
from training.promote import MODELS, promote

WARNING = "warning-tests"


@pytest.fixture
def advisor(tmp_path: Path) -> Advisor:
    """Two models of one dataset: one with a challenger, one from before there were candidates."""
    home = tmp_path / "home"
    serving(home, 1)
    offered(home, 2, PASSED, UNSTABLE)
    decision = {"by": "Wang Fang", "reason": "first", "clock": lambda: NOON}
    promote(home, WARNING, model(7), expected_champion=None, gates=[PASSED], **decision)
    return advisor_at(home)


def test_the_table_tells_who_serves_and_what_the_others_wait_for(advisor):
    table = advisor.modelling.table()
    assert tuple(table.columns) == COLUMNS
    assert list(table["model"]) == [NAME, NAME, WARNING]
    assert set(zip(table["version"], table["state"], table["waits_for"], table["gates"], strict=True)) == {
        (model(1).version, "champion", "", "1 of 1"),
        (model(2).version, "challenger", "signature", "1 of 2"),
        (model(7).version, "champion", "", "1 of 1"),
    }
    assert set(table["as_of"]) == {"2024-12"}
    assert list(table["promoted_by"].dropna()) == ["Wang Fang", "Wang Fang"]
    assert list(table["asked_by"].dropna()) == ["Li Ming", "Li Ming"]


def test_an_empty_home_has_an_empty_table(tmp_path):
    assert advisor_at(tmp_path).modelling.table().empty


def test_a_damaged_record_hides_no_other_model(advisor):
    (advisor.settings.home / MODELS / NAME / "promotions.jsonl").write_text("{}\n")
    table = advisor.modelling.table().set_index("model")
    assert table.loc[NAME, "state"] == "damaged"
    assert "promotion record" in table.loc[NAME, "waits_for"]
    assert table.loc[WARNING, "state"] == "champion"
    assert [found.name for found in advisor.modelling.models()] == [WARNING]
    with pytest.raises(LoadlineError, match="promotion record"):
        advisor.modelling.promote("target", by="a", reason="b", version=model(2).version, signed=True)


def test_models_of_a_dataset(advisor):
    assert set(advisor.modelling.table(dataset="tests")["model"]) == {NAME, WARNING}
    assert advisor.modelling.table(dataset="others").empty


def test_short_names_stand_for_the_model_of_the_dataset(advisor):
    modelling, home = advisor.modelling, advisor.settings.home
    assert modelling.name("target") == modelling.name(NAME) == NAME
    assert modelling.name("warning") == WARNING
    offered(home, 3, name="target-others")
    with pytest.raises(LoadlineError, match="2 models"):
        modelling.name("target")
    assert modelling.name("target", dataset="tests") == NAME
    assert modelling.name("target-others") == "target-others"
    for wrong in ("targets", "../models", "", "target-x"):
        with pytest.raises(LoadlineError, match="no model"):
            modelling.name(wrong)
    with pytest.raises(LoadlineError, match="no model"):
        modelling.name("warning", dataset="others")


def test_promoting_and_going_back(advisor):
    modelling = advisor.modelling
    with pytest.raises(LoadlineError, match="sign for it"):
        modelling.promote("target", by="Wang Fang", reason="better")
    done = modelling.promote("target", by="Wang Fang", reason="better", signed=True)
    assert (done.champion, done.previous, done.signed) == (model(2).digest, model(1).digest, True)
    assert modelling.promote("target", by="Wang Fang", reason="better", signed=True) == done
    back = modelling.rollback("target", by="Li Ming", reason="worse", expected_champion=model(2).version)
    assert back.champion == model(1).digest
    with pytest.raises(LoadlineError, match="champion has changed"):
        modelling.promote("target", by="a", reason="b", version=model(2).version, expected_champion="present")
    with pytest.raises(LoadlineError, match="champion has changed"):
        modelling.rollback("target", by="Li Ming", reason="worse", expected_champion=model(2).version)


def test_what_was_taken_out_of_service_comes_back_only_by_name(advisor):
    modelling = advisor.modelling
    modelling.promote("target", by="Wang Fang", reason="better", signed=True)
    modelling.rollback("target", by="Li Ming", reason="worse")
    with pytest.raises(LoadlineError, match="has served") as caught:
        modelling.promote("target", by="Wang Fang", reason="again", signed=True)
    assert model(2).version in caught.value.hint
    done = modelling.promote("target", version=model(2).version[:6], by="Wang Fang", reason="again", signed=True)
    assert done.champion == model(2).digest


def test_two_people_where_the_home_asks_for_it(advisor):
    home, modelling = advisor.settings.home, advisor.modelling
    assert not modelling.two_people
    (home / "gates.yaml").write_text("two_people: true\n")
    assert modelling.two_people
    assert "second_person" in {o.code for o in modelling.model("target").find().obstacles}
    with pytest.raises(LoadlineError, match="Somebody other than Li Ming"):
        modelling.promote("target", by="li ming", reason="better", signed=True, force=True)
    assert modelling.promote("target", by="Wang Fang", reason="better", signed=True).asked_by == "Li Ming"


def test_force_is_on_record(advisor):
    offered(advisor.settings.home, 4, WORSE)
    with pytest.raises(LoadlineError, match="worse by 40%"):
        advisor.modelling.promote("target", by="Wang Fang", reason="better")
    assert advisor.modelling.promote("target", by="Wang Fang", reason="asked by the supervisor", force=True).forced
    assert advisor.modelling.table().set_index("version").loc[model(4).version, "forced"]


def test_a_card_is_that_of_the_champion_or_of_a_version(advisor):
    folder = advisor.settings.home / MODELS / NAME / "cards"
    for number in (1, 2):
        own = folder / model(number).version
        own.mkdir(parents=True)
        (own / "model-card.zh.md").write_text(f"模型 {number}", encoding="utf-8")
    modelling = advisor.modelling
    assert modelling.card("target", language="zh").read_text(encoding="utf-8") == "模型 1"
    assert modelling.card("target", version=model(2).version, language="zh").read_text(encoding="utf-8") == "模型 2"
    for missing in ({"language": "en"}, {"language": "zh", "form": "html"}):
        with pytest.raises(LoadlineError, match="has no card"):
            modelling.card("target", **missing)
    (folder / model(1).version / "model-card.zh.md").unlink()
    (folder / model(1).version / "model-card.zh.md").symlink_to("/etc/hostname")
    with pytest.raises(LoadlineError, match="has no card"):
        modelling.card("target", language="zh")
    assert {checked.state for checked in modelling.verify()} == {"ok"}


def test_verify_checks_one_model_or_all(advisor):
    assert {checked.model for checked in advisor.modelling.verify()} == {NAME, WARNING}
    assert {checked.model for checked in advisor.modelling.verify("warning")} == {WARNING}


def test_nothing_of_it_loads_the_registry(advisor):
    code = (
        "import sys; from pathlib import Path; from serving.advisor import Advisor;"
        "from serving.settings import Settings; modelling = Advisor(Settings(home=Path(sys.argv[1]))).modelling;"
        "modelling.table(); modelling.verify(); decision = {'by': 'a', 'reason': 'b'};"
        "modelling.promote('target', signed=True, **decision); modelling.rollback('target', **decision);"
        "print(*[m for m in ('mlflow', 'dbos', 'optuna', 'dask', 'shap') if m in sys.modules])"
    )
    home = str(advisor.settings.home)
    done = subprocess.run([sys.executable, "-c", code, home], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert len(advisor.modelling.model("target").history) == 3
