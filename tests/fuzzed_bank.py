"""A bank with one of everything in it, and who asks its service: one for each role, the machine, and a stranger."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alert_home import RISKY, RISKY_KEY, write_risky_dataset
from plan_home import drafted, published
from raw_asking import JSON, Asker
from score_home import write_policy_file
from serving_home import LAST_YEAR, NOW, ODD_BRANCHES, REGIONS, TOKEN, advisor_at, promote_model

from serving.access.principal import LOCAL, acting
from serving.advisor import Advisor
from serving.app import create_app
from serving.identity.records import read_grant
from serving.jobs import Jobs
from serving.scoring import ScoreRequest
from serving.settings import Settings
from serving.simulation_jobs import SimulationJobs

ROLES = {
    "machine": None,
    "hr": "hr",
    "risk": "risk",
    "manager": f"manager:{REGIONS[0]}",
    "data_scientist": "data_scientist",
    "auditor": "auditor",
    "admin": "admin",
}
"""Each asker's grant as it is written; the machine has its own key."""
STRANGER = "stranger"
MADE: dict[str, dict[str, Any]] = {
    "appeals": {"unit": RISKY, "period": str(LAST_YEAR - 1), "words": "A loan is counted twice.", "by": "Li Wei"},
    "webhooks": {"url": "http://127.0.0.1:9/hook", "events": ["plan.published"]},
    "keys": {"name": "to be revoked", "grants": [{"role": "auditor"}]},
    "people": {"login": "li.wei@bank.example", "name": "Li Wei", "grants": [{"role": "hr"}]},
}
"""What is put in over the API itself, by the end of the address."""
PATIENCE = 120.0
"""Seconds until the bank must be ready to answer."""


def fill_home(home: Path) -> Advisor:
    """Make the home: data with an alert in it, a model, a policy, a closed period, a plan in force and a draft."""
    advisor = advisor_at(home)
    advisor.ingest(write_risky_dataset(home.parent / "dataset"))
    promote_model(advisor)
    policy = write_policy_file(home.parent / "policy.yaml")
    codes = [finding.code for finding in advisor.policies.check(policy).findings]
    advisor.policies.activate(policy, by="Li Wei", reason="for the tests", accept=codes)
    advisor.scoring.close(advisor.scoring.score(ScoreRequest(str(LAST_YEAR - 1))), by="Zhao Yun")
    published(advisor, drafted(advisor))
    drafted(advisor)
    return advisor


@dataclass
class Bank:
    """The application, its askers' keys by name, and words that mean something to it by the name of a parameter."""

    advisor: Advisor
    app: Any
    ask: Asker
    keys: dict[str, str | None]
    words: dict[str, list[Any]]


def open_bank(home: Path, *, database_url: str | None = None) -> Bank:
    """Make the application over a home; what trains or simulates is a process that does nothing."""
    settings = Settings(
        home=home,
        token=None,
        store_url=None,
        rate=0,
        webhook_hosts=("127.0.0.1",),
        password_memory_kib=8,
        password_passes=1,
        database_url=database_url,  # pyright: ignore[reportArgumentType]
    )
    advisor = Advisor(settings, clock=lambda: NOW)
    keys: dict[str, str | None] = {STRANGER: None, "machine": TOKEN}
    with acting(LOCAL):
        for name, grant in ROLES.items():
            if grant is not None:
                keys[name] = advisor.identity.keys.create(name, grants=[read_grant(grant)], days=90)[1]
    app = create_app(advisor, token=TOKEN, jobs=Jobs(advisor, command=("true",)))
    app.state.simulation_jobs = SimulationJobs(advisor, command=("false",))
    ask = Asker(app)
    _wait(ask)
    made: dict[str, Any] = {}
    for path, body in MADE.items():
        answer = ask("POST", f"/api/v1/{path}", key=TOKEN, headers=[JSON], body=json.dumps(body).encode())
        if answer.status != 201:
            raise AssertionError((path, answer.status, answer.text))
        made[path] = answer.json()
    return Bank(advisor, app, ask, keys, _words(ask) | {"key": [made["keys"]["id"]]})


def _wait(ask: Asker) -> None:
    ends = time.monotonic() + PATIENCE
    while ask("GET", "/api/v1/targets/N01", key=TOKEN).status == 503:
        if time.monotonic() > ends:
            raise AssertionError("the bank does not get ready")
        time.sleep(0.05)


def _words(ask: Asker) -> dict[str, list[Any]]:
    def of(path: str, field: str) -> list[Any]:
        return [entry[field] for entry in ask("GET", f"/api/v1/{path}", key=TOKEN).json()["items"]]

    models = of("models", "name")
    card = ask("GET", f"/api/v1/models/{models[0]}", key=TOKEN).json()
    return {
        "unit": ["ROOT", *REGIONS, *ODD_BRANCHES, "N01", "GONE"],
        "under": [REGIONS[0], "N02"],
        "parent": ["ROOT"],
        "indicator": ["LOANS", "NPL_RATIO", "GDP"],
        "code": ["LOANS", "NPL_RATIO"],
        "period": [str(LAST_YEAR), str(LAST_YEAR - 1)],
        "year": [LAST_YEAR + 1, LAST_YEAR],
        "dataset": ["hostile-bank"],
        "alert": [RISKY_KEY],
        "plan": of("target-plans", "id"),
        "appeal": of("appeals", "id"),
        "webhook": of("webhooks", "id"),
        "login": of("people", "login"),
        "name": models,
        "version": [card["champion"]],
        "policy": ["branches@1"],
        "old": ["branches@1"],
        "new": ["branches@1"],
        "If-Match": [f'"r{revision}"' for revision in range(1, 6)],
    }
