"""The registry's state is told without MLflow, at once, and without its address; what serves does not need it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from running_service import running
from waiting import until

from serving.registry_state import EVERY_SECONDS, RegistryState, looked
from serving.settings import Settings

SECRET = "hunter2"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded registry as training leaves it."""
    from training.track import Tracker

    home = tmp_path_factory.mktemp("registry")
    assert Tracker(home).client is not None
    return home / "mlflow" / "mlflow.db"


def test_before_the_first_training_nothing_is_amiss(tmp_path: Path) -> None:
    assert looked(None, tmp_path / "mlflow") == ""


def test_an_embedded_registry_in_order_gone_and_broken(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"
    folder.mkdir()
    copy = folder / "mlflow.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    assert looked(None, folder) == looked(f"sqlite:///{copy}", tmp_path) == ""
    content = copy.read_bytes()
    copy.write_bytes(b"no database" + content[11:])
    assert "cannot be read" in looked(None, folder)
    copy.write_bytes(content[: len(content) // 100])
    assert looked(None, folder)
    copy.write_bytes(b"")
    assert "holds no registry" in looked(None, folder)
    copy.unlink()
    assert "gone" in looked(None, folder)
    assert list(folder.iterdir()) == [], "looking makes nothing"


def test_the_service_answers_on_while_the_registry_is_gone(own_home: Path, database: Path) -> None:
    folder = own_home / "mlflow"
    folder.mkdir()
    (folder / "lock").touch()
    with running(own_home) as server:
        state = {"store": "ok", "model": "ok", "registry": "degraded"}
        until(lambda: state.items() <= server.json("/readyz")["components"].items())
        assert server.get("/api/v1/targets/N01")[0] == 200
        status, _, content = server.get("/readyz")
        assert status == 200
        assert b'"status":"degraded"' in content
        assert "database is gone" in server.get("/")[2].decode()
        (folder / "mlflow.db").write_bytes(database.read_bytes())
        until(lambda: server.json("/readyz")["components"]["registry"] == "ok")


def test_a_server_that_answers_and_one_that_is_away(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    uri = f"http://user:{SECRET}@127.0.0.1:{port}"
    assert looked(uri, tmp_path) == "the registry's server is away"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/m.db", "--artifacts-destination", str(tmp_path / "a")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    server = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | quiet,
        cwd=tmp_path,
        start_new_session=True,
    )
    try:
        until(lambda: looked(uri, tmp_path) == "")
    finally:
        os.killpg(server.pid, 9)
        server.wait()
    until(lambda: looked(uri, tmp_path) == "the registry's server is away")


def test_a_server_that_accepts_and_says_nothing_is_away_and_nobody_waits_for_it(tmp_path: Path) -> None:
    now = [0.0]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = Settings(home=tmp_path, MLFLOW_TRACKING_URI=f"http://127.0.0.1:{silent.getsockname()[1]}")
        state = RegistryState(settings, clock=lambda: now[0])
        assert state.text() == "degraded: the registry has not answered yet"
        told = until(lambda: (text := state.text()) != "degraded: the registry has not answered yet" and text)
    assert told == "degraded: the registry's server is away"


def test_what_was_seen_stands_for_a_while(database: Path) -> None:
    now = [0.0]
    state = RegistryState(Settings(home=database.parents[1]), clock=lambda: now[0])
    assert until(lambda: state.text() == "ok")
    away = database.with_suffix(".away")
    database.rename(away)
    try:
        now[0] += EVERY_SECONDS - 1
        assert state.text() == "ok"
        now[0] += 1
        assert until(lambda: state.text() != "ok" and state.text()) == "degraded: the registry's database is gone"
    finally:
        away.rename(database)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "mysql+pymysql", "postgresql+nonsense"])
def test_a_database_that_is_away_never_shows_its_password(tmp_path: Path, scheme: str) -> None:
    uri = f"{scheme}://user:{SECRET}@127.0.0.1:1/mlflow"
    state = RegistryState(Settings(home=tmp_path, MLFLOW_TRACKING_URI=uri))
    told = until(lambda: (text := state.text()) != "degraded: the registry has not answered yet" and text)
    assert told.startswith("degraded: ")
    assert SECRET not in told
    assert "127.0.0.1" not in told


def test_a_service_loads_no_mlflow(trained_home: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from serving.advisor import Advisor;"
        "from serving.settings import Settings; from serving.api.desk import Desk;"
        "from serving.access.principal import LOCAL, acting; from serving.access.reach import opened, reaching;"
        "from serving.access.rules import RULES;"
        "desk = Desk(Advisor(Settings(home=Path(sys.argv[1]))));"
        "reach = opened(RULES['get_targets'], LOCAL);"
        "held = [acting(LOCAL), reaching(reach)]; [one.__enter__() for one in held];"
        "print(desk.readiness()); desk.targets('N01');"
        "print([name for name in ('mlflow', 'dbos', 'optuna', 'dask', 'shap') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(trained_home)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
