"""A champion whose copy is damaged cannot be compared with: nothing takes its place without a person."""

from __future__ import annotations

from pathlib import Path

from retraining_bank import advisor_at

from training.promote import MODELS, champion_digest

NAME = "target-small"


def test_another_model_waits_and_the_same_one_mends_the_copy(tmp_path: Path) -> None:
    advisor = advisor_at(tmp_path / "home")

    def train(seed: int, *, again: bool = False) -> dict:
        run, _ = advisor.training.request(by="Li Ming", trials=0, seed=seed, kinds=("target",), again=again)
        advisor.training.work(run)
        assert run.state == "done", run.events[-1].text.en
        assert run.result is not None
        return run.result["target"]

    train(7)
    digest = champion_digest(tmp_path / "home", NAME)
    assert digest is not None
    copy = tmp_path / "home" / MODELS / NAME / digest[:12] / "arrays.npz"
    content = copy.read_bytes()
    copy.chmod(0o644)
    copy.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    other = train(8)
    assert other["digest"] != digest
    assert not other["promoted"]
    assert "compared with no champion" in other["text"]["en"]
    assert champion_digest(tmp_path / "home", NAME) == digest

    assert train(7, again=True)["digest"] == digest
    assert copy.read_bytes() == content
