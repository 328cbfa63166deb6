"""What every address may answer, and how a request is sent again, is in the description."""

from serving.idempotency import KEY_PATTERN, OWN_RECORD


def test_every_address_tells_of_its_limits(client):
    paths = client.get("/openapi.json").json()["paths"]
    posts = 0
    for path, entry in paths.items():
        for method, operation in entry.items():
            told = set(operation["responses"])
            if path in ("/healthz", "/readyz"):
                assert "429" not in told
                continue
            assert {"401", "403", "429", "503", "507"} <= told, path
            assert {"408", "413", "415"} <= told or method == "get", path
            keys = [one for one in operation.get("parameters", []) if one["name"].lower() == "idempotency-key"]
            assert len(keys) == (method == "post"), path
            if method == "post" and path not in OWN_RECORD:
                posts += 1
                assert keys[0]["schema"]["pattern"] == KEY_PATTERN
                good = [response for status, response in operation["responses"].items() if status.startswith("2")]
                assert all("Idempotency-Replayed" in response["headers"] for response in good)
    assert posts > 5
