"""Letters: a Word document a unit, whose words stay words whatever they are."""

import io
import zipfile

import docx
import pytest

from features.errors import LoadlineError
from serving.plan_documents.facts import facts_of
from serving.plan_documents.letter import OWN_FORM, LetterForm, letter


def text_of(content: bytes) -> str:
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


@pytest.mark.parametrize(
    ("language", "words"), [("en", ["Target letter 2025", "A/B"]), ("zh", ["2025年度目标责任书", "总行"])]
)
def test_a_letter_tells_levels_chances_reasons_and_what_it_rests_on(advisor, plan, language, words):
    text = text_of(advisor.plan_documents.letter(plan.id, "A/B", language=language))
    line = advisor.plans.line(plan.id, "A/B", "LOANS")
    for word in (*words, f"{line.target:,.2f}", "60%", "85%", "20%", plan.id, plan.known_on[:4]):
        assert word in text
    assert '<img src=x onerror="alert(1)">' in text or language == "zh"
    assert "{{" not in text
    assert "{%" not in text


def test_who_changed_a_target_and_why_is_told(advisor, plan):
    text = text_of(advisor.plan_documents.letter(plan.id, "=1+1"))
    assert "changed by local" in text
    assert "=cmd|'/C calc'!A0" in text


def test_a_name_with_tags_in_it_is_a_name(own, plan):
    lines = own.plans.lines(plan.id)
    facts = facts_of(plan, lines, own.plans.events(plan.id), own.plan_documents._directories.open(None), "en")
    hostile = "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}<w:p/>&amp;{% endfor %}"
    row = facts.rows[5]
    object.__setattr__(row.line, "overridden", True)
    object.__setattr__(row.line, "changed_by", hostile)
    text = text_of(letter(facts, row.line.unit, LetterForm.of(own.settings.home)))
    assert hostile in text
    assert "49" not in text.replace(f"{row.line.target}", "").split("changed by")[1].split(hostile)[0]


def test_all_letters_come_in_one_zip_by_names_that_stay_in_their_folder(advisor, plan, tmp_path):
    path = tmp_path / "letters.zip"
    count = advisor.plan_documents.letters(plan.id, path, language="zh")
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        assert packed.testzip() is None
        first = text_of(packed.read(names[0]))
    assert count == len(names) == len(set(names)) == 23
    assert not [name for name in names if "/" in name or "\\" in name or ".." in name or not name.endswith(".docx")]
    assert "总行" in first


def test_the_same_letter_twice_is_the_same_file(advisor, plan):
    made = {advisor.plan_documents.letter(plan.id, "N01", language="zh") for _ in range(2)}
    assert len(made) == 1


def test_a_unit_without_a_target_has_no_letter(advisor, plan):
    for unit in ("Quiet", "nobody"):
        with pytest.raises(LoadlineError, match="no target"):
            advisor.plan_documents.letter(plan.id, unit)


def test_too_many_letters_at_once_are_refused(advisor, plan, tmp_path):
    with pytest.raises(LoadlineError, match="more than the 3"):
        advisor.plan_documents.letters(plan.id, tmp_path / "letters.zip", most=3)


def test_a_banks_own_form_is_used_and_a_broken_one_is_told(own, plan):
    form = docx.Document()
    form.add_paragraph("{{ title }} / {{ taker }}")
    form.save(own.settings.home / OWN_FORM)
    assert text_of(own.plan_documents.letter(plan.id, "N01")).startswith("Target letter 2025 / Branch")
    for tag in ("{{ nothing_of_ours }}", "{% for %}", "{{ title.__class__.__mro__ }}"):
        form = docx.Document()
        form.add_paragraph(tag)
        form.save(own.settings.home / OWN_FORM)
        with pytest.raises(LoadlineError, match="cannot be filled in"):
            own.plan_documents.letter(plan.id, "N01")
    (own.settings.home / OWN_FORM).write_bytes(b"no document")
    with pytest.raises(LoadlineError, match="cannot be filled in"):
        own.plan_documents.letter(plan.id, "N01")
