"""What a bank adds to its cards."""

from __future__ import annotations

import pytest

from features.errors import LoadlineError
from training.card.bank_texts import FILE, CardTexts


def test_without_a_file_there_is_nothing(tmp_path):
    assert CardTexts.read(tmp_path, "target") == CardTexts()


def test_what_stands_under_a_kind_goes_first(tmp_path):
    (tmp_path / FILE).write_text(
        "owner: {en: Planning, zh: 计划财务部}\ncontact: ext. 8000\nreferences: [Rule 7]\n"
        "warning:\n  owner: {en: Risk, zh: 风险管理部}\n  limits: [{en: Small branches., zh: 小型网点。}]\n"
    )
    target, warning = (CardTexts.read(tmp_path, kind) for kind in ("target", "warning"))
    assert target.owner is not None
    assert warning.owner is not None
    assert (target.owner.zh, warning.owner.zh) == ("计划财务部", "风险管理部")
    assert target.contact is not None
    assert target.contact.zh == "ext. 8000"
    assert [text.en for text in warning.limits] == ["Small branches."]
    assert target.limits == ()
    assert [text.en for text in warning.references] == ["Rule 7"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ownr: x", "ownr"),
        ("owner: {en: x}", "owner"),
        ("owner: 7", "owner"),
        ("references: one", "references"),
        ("target: {monitor: [x]}", "monitor"),
        ("target: [x]", "valid"),
        ("- x", "mapping"),
        ("owner: [", "read"),
        ('owner: ""', "owner"),
    ],
)
def test_anything_else_is_refused_with_its_place(tmp_path, text, said):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(LoadlineError, match=said) as caught:
        CardTexts.read(tmp_path, "target")
    assert caught.value.where == str(tmp_path / FILE)
    assert "model-card.yaml" in (caught.value.hint or "")
