"""The pages of models and of training as people see them: states in words, gates, charts, both languages."""

import re

import pytest
from console_reader import Page, person_at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_home import FORBIDDEN, NAME, NOW, TO_SIGN, bundle, offered, promoted, run_of, write_card
from plain_worker import work_on
from serving_home import advisor_at, write_dataset

from features.indicators import Title
from serving.console.formats import LANGUAGES
from serving.console.model_chart import GAUGE_WIDTH, HEIGHT, WIDTH, draw_gauge, draw_years
from training.gating.comparison import Comparison
from training.gating.paired import Paired
from training.promotion.copies import model_folder
from training.retraining.runs import Run, Runs

EVIDENCE = [
    {
        "indicator": "LOANS",
        "served_by": "blend",
        "origins": 5,
        "outcomes": 100,
        "loss_to_pooled_growth": 0.91,
        "coverage_80": 0.81,
        "low_evidence": True,
    }
]


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """A home with a champion, one to sign for and one that a gate forbids, and a run that was gone through."""
    folder = tmp_path_factory.mktemp("models")
    advisor = advisor_at(folder / "home")
    advisor.ingest(write_dataset(folder / "dataset"))
    home = advisor.settings.home
    first = promoted(home, 1, expected=None)
    years = tuple({"year": year, "replayed_challenger": 0.9, "replayed_champion": 0.95} for year in range(2019, 2024))
    compared = Comparison("target", first, "replayed", replayed=Paired(-0.05, 0.01, 5, 20, "origins"), origins=years)
    run = run_of(home, 2)
    about = {"comparison": compared.as_dict() | {"text": compared.text.model_dump()}, "evidence": {"rows": EVIDENCE}}
    forbidden = offered(home, 3, FORBIDDEN)
    to_sign = offered(home, 2, TO_SIGN, run=run, about=about)
    write_card(home, to_sign)
    work_on(Runs(home, lambda: NOW).find(run), die=False)
    return advisor, {"first": first, "to_sign": to_sign, "forbidden": forbidden, "run": run}


@pytest.fixture(scope="module")
def person(versions):
    return person_at(versions[0])


def addresses(known: dict[str, str]) -> list[str]:
    version = [f"/model?name={NAME}&version={known[which]}" for which in ("first", "to_sign", "forbidden")]
    return ["/models", "/training", "/training?state=failed", f"/run?name={known['run']}", *version]


def assert_plain(page: Page) -> None:
    """Check that a page loads and runs nothing, and speaks no jargon."""
    assert not page.named("script")
    assert not page.named("img")
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
    for jargon in ("SHAP", "Shapley", "because", "caused", "导致", "因为"):
        assert jargon not in page.text
    assert not re.search(r"\bnan\b|\bNone\b", page.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_whole_and_load_nothing_from_elsewhere(person, versions, language):
    for path in addresses(versions[1]):
        answer = person.get(path + ("&" if "?" in path else "?") + f"lang={language}")
        assert answer.status_code == 200, (path, answer.text)
        assert_plain(Page(answer.text))


def test_every_link_leads_somewhere(person, versions):
    for path in addresses(versions[1]):
        hrefs = {entry["href"] or "" for entry in Page(person.get(path).text).named("a")}
        for href in sorted(href for href in hrefs if href.startswith(("/model", "/run", "/training", "/api"))):
            assert person.get(href).status_code == 200, (path, href)


def test_models_say_in_words_how_each_version_stands(person, versions):
    known = versions[1]
    text = Page(person.get("/models?lang=en").text).text
    for word in ("★ champion", "◆ challenger", "◇ superseded", "waits for a signature", "2 of 2", "1 of 2"):
        assert word in text, word
    assert "<i>王芳</i>" in text  # a name as it was given, and no tag
    assert known["first"] in text
    chinese = Page(person.get("/models?lang=zh").text).text
    for word in ("在用模型", "候选模型", "等待签字", "上线记录", "数据版本1"):
        assert word in chinese


def test_a_version_shows_each_gate_with_its_limit_and_the_failed_first(person, versions):
    known = versions[1]
    html = person.get(f"/model?name={NAME}&version={known['to_sign']}&lang=en").text
    page = Page(html)
    rows = re.findall(r"(?s)<tr>.*?</tr>", html.split("<tbody>")[1].split("</tbody>")[0])
    cells = [Page(cell).text.strip() for cell in re.findall(r"(?s)<td.*?</td>", rows[0])]
    assert cells[0].startswith("Explanations are stable")
    assert "needs a signature" in cells[1]
    assert (cells[2], cells[3]) == ("0.8", "1")
    assert "not fine <b>." in cells[4]
    assert len(page.named("polyline")) == 2
    assert "The dashed line is the champion" in page.text
    assert "0.910" in page.text
    assert "little evidence" in page.text
    assert f"loadline models promote {NAME} --version {known['to_sign']} --by NAME --reason TEXT --sign" in page.text
    assert f'"expected_champion": "{known["first"]}"' in page.text
    assert any("card?lang=en" in (entry["href"] or "") for entry in page.named("a"))
    forbidden = Page(person.get(f"/model?name={NAME}&version={known['forbidden']}&lang=zh").text).text
    assert "未通过" in forbidden
    assert "--force" in forbidden
    assert "没有留存的对比结果" in forbidden
    champion = Page(person.get(f"/model?name={NAME}&version={known['first']}&lang=en").text).text
    assert f"loadline models rollback {NAME} --by NAME --reason TEXT" in champion
    assert "All gates <passed>." in champion


def test_models_and_runs_that_are_not_there_are_said_so(person):
    assert person.get(f"/model?name={NAME}&version=000000").status_code == 404
    assert person.get("/model?name=nobody&version=000000").status_code == 404
    assert person.get(f"/model?name={NAME}&version=../x").status_code == 422
    assert person.get("/run?name=..").status_code == 404
    assert person.get("/training?state=asleep").status_code == 422


def test_a_run_tells_its_decision_its_steps_and_its_log(person, versions):
    answer = person.get(f"/run?name={versions[1]['run']}&lang=zh")
    text = Page(answer.text).text
    for word in ("已完成", "目标模型", "重新训练", "LOANS口径已变更", "读取数据", "目标模型：训练", "未训练。", "结束"):
        assert word in text, word
    assert "refresh" not in answer.headers  # it has ended
    english = Page(person.get(f"/run?name={versions[1]['run']}&lang=en").text)
    assert "Target model: learn" in english.text
    assert len([entry for entry in english.named("svg") if entry.get("class") == "part"]) == 4
    assert "loadline runs show" in english.text
    assert "runs cancel" not in english.text


def test_a_run_at_work_shows_how_far_it_is_and_asks_again(tmp_path):
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(write_dataset(tmp_path / "dataset"))
    run, _ = advisor.training.request(by="<b>Li</b>", reason="for a test")
    person = person_at(advisor)
    for path in ("/training", f"/run?name={run.name}"):
        answer = person.get(path, params={"lang": "en"} if "?" not in path else None)
        assert answer.headers["refresh"] == "4"
        assert "queued" in Page(answer.text).text
        assert not Page(answer.text).named("b") or path != "/training"
    begun = Run(run.folder, advisor.now)
    begun.say("started", Title(en="It begins.", zh="开始。"), step="target.tune")
    begun.advanced("target.tune", "trying", 3, 12)
    assert "interrupted" in Page(person.get(f"/run?name={run.name}&lang=en").text).text
    import fcntl

    with open(advisor.settings.home / "runs" / "worker.lock", "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for path in ("/training", f"/run?name={run.name}"):
            page = Page(person.get(f"{path}{'&' if '?' in path else '?'}lang=en").text)
            (bar,) = page.named("progress")
            assert (bar["value"], bar["max"]) == ("3", "12")
            assert "3 of 12" in page.text
    run.ask_to_stop()
    assert "stops before its next step" in Page(person.get("/training?lang=en").text).text


@pytest.mark.parametrize("path", ["/models", "/training"])
def test_empty_states_say_what_to_run(untrained, empty, path):
    assert "loadline train" in person_at(untrained).get(path).text
    assert "loadline demo" in person_at(empty).get(path).text


def test_a_damaged_record_is_shown_as_such(tmp_path):
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(write_dataset(tmp_path / "dataset"))
    promoted(advisor.settings.home, 1, expected=None)
    person = person_at(advisor)
    record = model_folder(advisor.settings.home, NAME) / "promotions.jsonl"
    record.write_bytes(record.read_bytes().replace(bundle(1).digest.encode(), b"0" * 64))
    text = Page(person.get("/models?lang=zh").text).text
    assert "记录已损坏" in text
    assert "loadline models verify" in text


FIGURES = st.none() | st.floats(-1e6, 1e6)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other tests share the machine


@UNHURRIED
@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=12), st.floats(-1e6, 1e6))
def test_lines_stay_within_their_box(pairs, level):
    own, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    chart = draw_years(range(2000, 2000 + len(pairs)), own, other, level=level)
    known = sum(value is not None for pair in pairs for value in pair)
    if not known:
        assert chart is None
        return
    assert chart is not None
    assert len(chart.dots) == known
    assert 0 <= chart.level <= HEIGHT
    for x, y, _ in chart.dots:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert chart.labels[0][1] == str(1999 + len(pairs))


@UNHURRIED
@given(st.floats(-1e6, 1e6), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=2).map(sorted))
def test_gauges_keep_the_order_of_what_they_show(measured, limits):
    gauge = draw_gauge(measured, limits)
    assert gauge is not None
    places = dict(zip(limits, gauge.limits, strict=True)) | {measured: gauge.mark}
    assert all(0 <= place <= GAUGE_WIDTH for place in places.values())
    order = [places[value] for value in sorted(places)]
    assert order == sorted(order)
    assert draw_gauge(None, limits) is None
    assert draw_gauge(measured, []) is None
