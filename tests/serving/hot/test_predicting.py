"""Bodies of predictions: what is taken, what is refused, and in what words."""

import json

import numpy as np
import pytest
from failing_banks import NAMES
from warning_bundles import as_bundle, awkward_rows, small_model

from serving.errors import InvalidError
from serving.hot.notice import Title
from serving.hot.predicting import MOST_EXPLAINED, MOST_ROWS, explanations, predictions, question_in, rows_of
from serving.hot.scorer import Scorer
from serving.hot.served import Asked

ROW = [8.0, 1.2, None, 0.1, -1, 0.3]


@pytest.fixture(scope="module")
def asked() -> Asked:
    return Asked("small", Scorer(as_bundle(small_model())), tuple(Title(n, n) for n in NAMES))


def body(**parts: object) -> bytes:
    return json.dumps(parts).encode()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"rows": [[NaN]]}', "not JSON"),
        (b'{"rows": [[Infinity]]}', "not JSON"),
        (b'{"rows": [[1e999]]}', "out of range"),
        (b'{"rows": [[1' + b"0" * 400 + b"]]}", "out of range"),
        (b"[" * 100_000, "array"),
        (b'{"rows": ' + b"[" * 50_000, "array"),
        (b'{"rows": [[true]]}', "got `bool`"),
        (b'{"rows": [["1"]]}', "got `str`"),
        (b'{"rows": [{"a": 1}]}', "got `object`"),
        (b'{"rows": []}', "length >= 1"),
        (b'{"rows": [[1]], "features": []}', "length >= 1"),
        (b'{"rows": [[1]], "secret-field-7": 1}', "unknown field"),
        (b"{}", "missing required field"),
    ],
)
def test_what_is_no_question_is_refused(sent: bytes, told: str) -> None:
    with pytest.raises(InvalidError, match=told) as refused:
        question_in(sent)
    assert "secret-field" not in str(refused.value), "what was sent is not repeated"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"rows": [ROW, ROW[:-1]]}, "row 1 has 5 figures"),
        ({"rows": [[]]}, "row 0 has 0 figures"),
        ({"rows": [[1e39, *ROW[1:]]]}, "too large"),
        ({"rows": [[-1e300, *ROW[1:]]]}, "too large"),
        ({"rows": [[1, 2]], "features": ["NPL.level", "NPL.level"]}, "named twice"),
        ({"rows": [[1, 2]], "features": ["NPL.level", "x"]}, "1 of the features named are not"),
    ],
)
def test_rows_that_do_not_fit_the_model_are_refused(asked: Asked, parts: dict, told: str) -> None:
    with pytest.raises(InvalidError, match=told):
        predictions(question_in(body(**parts)), asked)


def test_rows_are_limited(asked: Asked) -> None:
    for most, answer in ((MOST_ROWS, predictions), (MOST_EXPLAINED, explanations)):
        assert answer(question_in(body(rows=[ROW] * most)), asked)
        with pytest.raises(InvalidError, match="are taken"):
            answer(question_in(body(rows=[ROW] * (most + 1))), asked)


def test_named_figures_are_put_in_their_places(asked: Asked) -> None:
    question = question_in(body(rows=[[0.5, 7], [None, 8]], features=["NPL.level", "CAPITAL.level"]))
    expected = np.full((2, len(NAMES)), np.nan, np.float32)
    expected[:, 0], expected[0, 1] = [7, 8], 0.5
    np.testing.assert_array_equal(rows_of(question, asked, most=9), expected)


def test_the_answers_are_those_of_the_model(asked: Asked) -> None:
    X = awkward_rows()[3:9]
    question = question_in(body(rows=[[None if np.isnan(v) else float(v) for v in row] for row in X]))
    found = json.loads(predictions(question, asked))
    np.testing.assert_allclose(found["probabilities"], small_model().predict(X), rtol=0, atol=2e-9)
    assert found["model_version"] == as_bundle(small_model()).version
    told = json.loads(explanations(question, asked))
    for item, probability in zip(told["items"], found["probabilities"], strict=True):
        amounts = [driver["amount"] for driver in item["drivers"]]
        assert item["probability"] == probability
        assert round(told["base_value"] + sum(amounts), 9) == probability
        assert [abs(a) for a in amounts] == sorted((abs(a) for a in amounts), reverse=True)
        assert all(driver["title"] == {"en": driver["code"], "zh": driver["code"]} for driver in item["drivers"])
