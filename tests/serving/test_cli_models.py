"""The commands about models on record."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from offered_models import NAME, UNSTABLE, WORSE, model, offered, serving

from training.promote import MODELS, champion_digest
from training.recorded_run import RunRecord, record
from training.track import DIGEST_TAG, Tracker


@pytest.fixture
def home(tmp_path: Path) -> Path:
    serving(tmp_path / "home", 1)
    offered(tmp_path / "home", 2, UNSTABLE)
    return tmp_path / "home"


@pytest.fixture
def run(home, monkeypatch, capsys) -> CommandLine:
    """Commands at a home whose registry is out of reach."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return CommandLine(home, monkeypatch, capsys)


DECISION = ("--by", "Wang Fang", "--reason", "better for the small branches")


def test_list_gives_a_row_a_version(run):
    rows = json.loads(run("models", "list", "--format", "json").out)
    assert [(row["version"], row["state"]) for row in rows] == [
        (model(2).version, "challenger"),
        (model(1).version, "champion"),
    ]
    assert run("models", "list").out.startswith("model,version,state,waits_for,as_of,data_version,")


def test_show_tells_gates_and_history_in_both_languages(run):
    told = run("models", "show", "target").out
    assert told.startswith(f"{NAME} {model(2).version}: challenger (候选模型)")
    assert "stability: needs a signature. Reasons differ by 30%." in told
    assert "主要因素有 30% 不同。" in told
    assert "In the way: A person has to sign for it" in told
    assert f"Wang Fang promoted {model(1).version} (asked for by Li Ming): better" in told
    assert "champion (在用模型)" in run("models", "show", "target", model(1).version).out


def test_show_as_json_has_everything(run):
    plain = json.loads(run("models", "show", NAME, "--format", "json").out)
    assert (plain["digest"], plain["state"], plain["promotable"]) == (model(2).digest, "challenger", False)
    assert plain["obstacles"][0]["code"] == "signature"
    assert plain["history"][0]["to"] == model(1).digest


def test_promote_and_rollback_move_the_champion_and_say_that_the_registry_follows_later(run, home):
    refused = run("models", "promote", "target", *DECISION, code=1).err
    assert "Reasons differ by 30%." in refused
    assert "--sign" in refused
    told = run("models", "promote", "target", "--sign", *DECISION)
    assert told.out.startswith(f"Model {model(2).version} serves, in place of {model(1).version}.")
    assert "(signed; asked for by Li Ming): better for the small branches" in told.out
    assert "Note: the registry's alias was not moved" in told.err
    assert champion_digest(home, NAME) == model(2).digest
    back = run("models", "rollback", "target", *DECISION, "--expected", model(2).version, "--format", "json")
    assert json.loads(back.out)["to"] == champion_digest(home, NAME) == model(1).digest
    again = run("models", "rollback", "target", *DECISION, "--expected", model(2).version, code=1)
    assert "the champion has changed" in again.err


def test_force_overrides_and_says_so_for_ever(run, home):
    offered(home, 3, WORSE)
    assert "worse by 40%" in run("models", "promote", "target", *DECISION, code=1).err
    run("models", "promote", "target", "--force", "--by", "Wang Fang", "--reason", " ", code=1)
    told = run("models", "promote", "target", "--version", model(3).version, "--force", *DECISION).out
    assert "against champion by force" in told
    assert "against champion by force" in run("models", "show", "target").out


def test_a_card_is_shown_or_written(run, home, tmp_path):
    assert "has no card" in run("models", "card", "target", code=1).err
    folder = home / MODELS / NAME / "cards" / model(1).version
    folder.mkdir(parents=True)
    (folder / "model-card.zh.md").write_text("# 模型说明\n", encoding="utf-8")
    (folder / "model-card.en.html").write_text("<h1>Card</h1>", encoding="utf-8")
    assert run("models", "card", "target").out == "# 模型说明\n"
    run("models", "card", "target", "--lang", "en", "--out", tmp_path / "card.html")
    assert (tmp_path / "card.html").read_text() == "<h1>Card</h1>"
    assert "suffix" in run("models", "card", "target", "--out", tmp_path / "card.pdf", code=1).err
    assert "could not be written" in run("models", "card", "target", "--out", tmp_path / "no" / "card.md", code=1).err


def test_verify_ends_with_one_where_something_is_damaged(run, home):
    assert run("models", "verify").err == "4 records and copies checked, none is damaged.\n"
    (home / MODELS / NAME / model(2).version / "meta.json").write_text("{}")
    told = run("models", "verify", "--format", "json", code=1)
    damaged = [row["part"] for row in json.loads(told.out) if row["state"] == "damaged"]
    assert damaged == [model(2).version]
    assert "1 of 4 records and copies are damaged" in told.err


def test_an_unknown_model_is_said_to_be_so(run):
    assert "no model 'nothing' on record" in run("models", "show", "nothing", code=1).err


def test_the_registry_follows_when_it_is_back(run, home, monkeypatch):
    run("models", "promote", "target", "--sign", *DECISION)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    tracker = Tracker(home)
    number = record(tracker, RunRecord(NAME, "run-2", model(2)))
    assert run("models", "list", "--sync").err == ""
    alias = tracker.client.get_model_version_by_alias(NAME, "champion")
    assert (int(alias.version), alias.tags[DIGEST_TAG]) == (number, model(2).digest)
