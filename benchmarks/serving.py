"""Answers a second, waiting, memory and time to the first answer, against `mlflow models serve` and a bare application.

    python benchmarks/serving.py [--seconds 4] [--workers 1]

Three servers answer for the same LightGBM model (300 trees x 31 leaves x 60 features), one after the other, loaded by
the same client with 1, 8 and 32 connections that stay open and send one row at a time: `mlflow models serve`, a bare
FastAPI application around the booster, and `loadline serve --workers`, with a key from the database, validation,
metrics, limits, log and audit. Rows are sent with the names of their features, which is a DataFrame for MLflow, and
once more without, which is its plainest form. The client runs beside the server on the same machine: trust ratios, not
figures.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # a script beside this one has the name of a package

import numpy as np

TREES, LEAVES, FEATURES, ROWS = 300, 31, 60, 20_000
CLIENTS = (1, 8, 32)
WARM_SECONDS = 0.7
TOKEN = "benchmark-benchmark-benchmark"
BARE = """
import sys, json, numpy as np, lightgbm as lgb, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
booster, app = lgb.Booster(model_file=sys.argv[1]), FastAPI()
class Rows(BaseModel):
    rows: list[list[float | None]]
@app.post("/predict")
def predict(body: Rows) -> dict[str, list[float]]:
    found = booster.predict(np.array(body.rows, float), num_threads=1)
    return {"probabilities": found.tolist()}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


@dataclass(frozen=True)
class Question:
    """What is sent, again and again."""

    path: str
    body: bytes
    key: str = ""

    @property
    def raw(self) -> bytes:
        """Write it as one request of a connection that stays open."""
        key = f"Authorization: Bearer {self.key}\r\n" if self.key else ""
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{key}Content-Type: application/json\r\n"
        return f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body


class Client(asyncio.Protocol):
    """Sends one request after the other on a connection, and notes how long each took."""

    def __init__(self, question: bytes, taken: list[tuple[float, float]], failed: asyncio.Future[str]) -> None:
        self._question, self._taken, self._failed = question, taken, failed
        self._got, self._began = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport: Any = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Note an answer once it is whole, and ask again."""
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        ended = time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            if not self._failed.done():
                self._failed.set_result(self._got[:600].decode(errors="replace"))
            return
        self._taken.append((ended, ended - self._began))
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell where the server ended it."""
        if not self._failed.done():
            self._failed.set_result(f"a connection was cut: {exc}")

    def _ask(self) -> None:
        self._got, self._began = b"", time.perf_counter()
        self._transport.write(self._question)


async def loaded(port: int, question: Question, clients: int, seconds: float) -> tuple[float, float, float]:
    """Load a server; give answers a second, and the median and the slowest in a hundred in milliseconds."""
    loop = asyncio.get_running_loop()
    taken: list[tuple[float, float]] = []
    failed: asyncio.Future[str] = loop.create_future()
    for _ in range(clients):
        await loop.create_connection(lambda: Client(question.raw, taken, failed), "127.0.0.1", port)
    begin = time.perf_counter() + WARM_SECONDS
    await asyncio.wait([failed], timeout=WARM_SECONDS + seconds)
    if failed.done():
        raise SystemExit(f"an answer failed: {failed.result()}")
    failed.set_result("")
    counted = np.array([took for ended, took in taken if begin <= ended < begin + seconds])
    return len(counted) / seconds, *(1000 * np.quantile(counted, (0.5, 0.99)))


@dataclass(frozen=True)
class Measured:
    """What was found of a server."""

    first_seconds: float
    megabytes: float
    largest: float
    rates: Rates
    busy: Mapping[str, float]


class Server:
    """A server in a process of its own, and what belongs to it."""

    def __init__(self, command: list[str], port: int, environment: dict[str, str] | None = None) -> None:
        self.port = port
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the server
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[1],
            env=os.environ | (environment or {}),
            stdout=subprocess.DEVNULL,
            stderr=self.said,
            start_new_session=True,
        )

    def first_answer(self, question: Question, limit: float = 240.0) -> float:
        """Wait for the first answer; give the seconds since the start."""
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {question.key}"} if question.key else {}
        )
        while time.perf_counter() - self.began < limit:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                connection.request("POST", question.path, question.body, headers)
                answer = connection.getresponse()
                content = answer.read()
                if answer.status == 200:
                    return time.perf_counter() - self.began
                if answer.status not in (404, 503):
                    raise SystemExit(f"the first answer is {answer.status}: {content[:300]!r}")
            if self.process.poll() is not None:
                self.said.seek(0)
                raise SystemExit(f"the server ended: {self.said.read().decode(errors='replace')[-2000:]}")
            time.sleep(0.02)
        raise SystemExit("no answer came")

    def memory(self, part: str = "") -> float:
        """Add up the memory (resident set size, MB) of the processes whose command holds a text."""
        found = 0.0
        for place, command in self._processes():
            if part in command:
                status = (place / "status").read_text()
                found += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
        return found

    def worker_memory(self) -> float:
        """Give the memory (MB) of the largest process."""
        return max(self.memory(command) for _, command in self._processes())

    def busy(self) -> float:
        """Give the seconds that its processes have computed so far."""
        found = 0
        for place, _ in self._processes():
            found += sum(map(int, (place / "stat").read_text().rpartition(")")[2].split()[11:13]))
        return found / os.sysconf("SC_CLK_TCK")

    def _processes(self) -> list[tuple[Path, str]]:
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, IndexError, ValueError):
                if self.process.pid in _ancestors(int(place.name)):
                    found.append((place, (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()))
        return found

    def stop(self) -> None:
        """End it and all that belongs to it."""
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _ancestors(number: int) -> list[int]:
    found = [number]
    while found[-1] > 1:
        found.append(int(Path(f"/proc/{found[-1]}/stat").read_text().rpartition(")")[2].split()[1]))
    return found


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def trained() -> tuple[Any, np.ndarray, np.ndarray]:
    """Train the model that all serve; give it with what it learned from."""
    import lightgbm as lgb

    rng = np.random.default_rng(1)
    X = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    X[rng.random(X.shape) < 0.05] = np.nan
    Z = np.nan_to_num(X)
    margin = Z[:, 0] + Z[:, 1] * Z[:, 2] + 0.5 * Z[:, 3] ** 2 - 2 + np.sin(Z[:, 4:12]).sum(axis=1)
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-margin))).astype(np.float32)
    asked = {"objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.05, "verbose": -1, "num_threads": 1}
    return lgb.train(asked, lgb.Dataset(X, y), TREES), X, y


def as_warning_model(booster: Any, X: np.ndarray, y: np.ndarray, dataset: str) -> Any:
    """Put the booster into a warning model of this project, calibrated and with its record, as it is kept."""
    from features.indicators import Title
    from models.deterioration.blending import Calibration
    from models.deterioration.boosted import Boosted
    from models.deterioration.judging import measured
    from models.deterioration.model import DeteriorationModel, middle
    from models.deterioration.scores import NormalScores
    from training.warning.fitting import Fitted, to_bundle

    names, weight, period = tuple(f"X{n:02d}.level" for n in range(FEATURES)), np.ones(len(y)), np.arange(len(y)) % 40
    margin = np.asarray(booster.predict(X, raw_score=True))
    calibration = Calibration.fit(margin, y.astype(int), weight)
    figures = measured(y.astype(int), calibration.probability(margin), weight, period)
    base = measured(y.astype(int), np.full(len(y), float(y.mean())), weight, period)
    record = {"rows": len(y), "positives": int(y.sum()), "events": int(y.sum()), "base_rate": float(y.mean())}
    record |= {"blend": figures, "base": base, "forward": None, "contenders": {}, "replaced_by": ""}
    learners = {"boosted": Boosted((booster.model_to_string(),))}
    model = DeteriorationModel(
        names, NormalScores.of(X), middle(X), learners, {"boosted": 1.0}, 0.0, calibration, record
    )
    note = Title(en="A model of a benchmark.", zh="基准测试模型。")
    fitted = Fitted(1, model, names, len(y), int(y.sum()), 9, "derived", note)
    return to_bundle(fitted, {"dataset": dataset, "origin": 1, "seed": 1})


def prepared_home(home: Path, booster: Any, X: np.ndarray, y: np.ndarray) -> str:
    """Make a home with data, the model as champion, and a key for a program; give the key."""
    from serving.access.principal import LOCAL, Grant, Role, acting
    from serving.advisor import Advisor
    from serving.settings import Settings
    from training.gating.gate import Gate
    from training.promote import promote
    from training.sample.bank import write_sample
    from training.warning.fitting import model_name

    advisor = Advisor(Settings(home=home))
    write_sample(home.parent / "bank")
    version, _ = advisor.ingest(home.parent / "bank")
    bundle = as_warning_model(booster, X, y, version.dataset)
    promote(
        home,
        model_name(version.dataset),
        bundle,
        by="benchmark",
        reason="benchmark",
        expected_champion=None,
        gates=(Gate("benchmark", True, None, (), {"en": "A benchmark.", "zh": "基准测试。"}),),
        clock=lambda: datetime.now(UTC),
    )
    with acting(LOCAL):
        _, secret = advisor.identity.keys.create("benchmark", grants=[Grant(Role.DATA_SCIENTIST)])
    return secret


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # mlflow starts uvicorn by its name
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": programs}
    with tempfile.TemporaryDirectory(prefix="loadline-benchmark-") as folder:
        measure(Path(folder), asked)


def measure(folder: Path, asked: argparse.Namespace) -> None:
    """Start the three servers one after the other, load each, and print what came of it."""
    booster, X, y = trained()
    booster.save_model(folder / "model.txt")
    row = np.nan_to_num(X[0]).round(6).tolist()  # mlflow takes no null among figures
    exact = np.array([row])
    rows = json.dumps({"rows": [row]}).encode()
    found: dict[str, Measured] = {}

    import mlflow

    mlflow.lightgbm.save_model(booster, folder / "mlflow-model")
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder / "mlflow-model")]
    command += ["--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)]
    columns = [f"Column_{n}" for n in range(FEATURES)]
    split = json.dumps({"dataframe_split": {"columns": columns, "data": [row]}}).encode()
    plain = json.dumps({"inputs": [row]}).encode()
    forms = {"named": Question("/invocations", split), "plain": Question("/invocations", plain)}
    found["mlflow models serve"] = one_server(Server(command, port), forms, asked.seconds)

    port = free_port()
    (folder / "bare.py").write_text(BARE)
    bare = [sys.executable, str(folder / "bare.py"), str(folder / "model.txt"), str(port)]
    form = Question("/predict", rows)
    found["bare FastAPI"] = one_server(Server(bare, port), {"named": form, "plain": form}, asked.seconds)

    home = folder / "home"
    key = prepared_home(home, booster, X, y)
    named = json.dumps({"features": [f"X{n:02d}.level" for n in range(FEATURES)], "rows": [row]}).encode()
    forms = {"named": Question("/api/v1/predictions", named, key), "plain": Question("/api/v1/predictions", rows, key)}
    question, port = forms["named"], free_port()
    ours = [sys.executable, "-m", "serving.cli", "serve", "--home", str(home), "--port", str(port)]
    ours += ["--workers", str(asked.workers)]
    environment = {"LOADLINE_TOKEN": TOKEN, "LOADLINE_RATE": "1000000", "LOADLINE_RATE_BURST": "1000000"}
    server = Server(ours, port, environment)
    cold = server.first_answer(question)
    wait_for_notice(home)
    server.stop()
    explain = Question("/api/v1/predictions/explanation", rows, key)
    server = Server(ours, port, environment)
    try:
        first = server.first_answer(question)
        server.first_answer(explain)
        time.sleep(8)  # the whole application behind starts meanwhile, which takes a core
        rates, busy = loads(server, forms, asked.seconds)
        bare_call = library_call(booster, exact)
        explained = asyncio.run(loaded(port, explain, 1, asked.seconds))
        memory = server.memory("serving.hot.worker") / asked.workers
        behind = server.memory() - server.memory("serving.hot.worker")
    finally:
        server.stop()
    found["loadline serve"] = Measured(first, memory, memory, rates, busy)
    told(found, explained=explained, bare_call=bare_call, cold=cold, behind=behind)


Rates = dict[str, dict[int, tuple[float, float, float]]]
"""By form of the question and number of clients: answers a second, median and slowest in a hundred in milliseconds."""


def one_server(server: Server, forms: Mapping[str, Question], seconds: float) -> Measured:
    """Start, load and stop a server."""
    try:
        first = server.first_answer(forms["named"])
        rates, busy = loads(server, forms, seconds)
        return Measured(first, server.memory(), server.worker_memory(), rates, busy)
    finally:
        server.stop()


def loads(server: Server, forms: Mapping[str, Question], seconds: float) -> tuple[Rates, dict[str, float]]:
    """Load a server by each form of question and number of clients; and tell microseconds computed an answer."""
    rates: Rates = {form: {} for form in forms}
    busy = {}
    for form, question in forms.items():
        before, answered = server.busy(), 0.0
        for clients in CLIENTS:
            rates[form][clients] = asyncio.run(loaded(server.port, question, clients, seconds))
            answered += rates[form][clients][0] * (seconds + WARM_SECONDS)
        busy[form] = 1e6 * (server.busy() - before) / answered
    return rates, busy


def wait_for_notice(home: Path) -> None:
    """Wait until the small processes answer by themselves: a restart then finds what was tried out before."""
    from serving.hot.notice import read_notice

    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        notice = read_notice(home)
        if notice is not None and notice.warnings:
            return
        time.sleep(0.2)
    raise SystemExit("the model was not taken up")


def library_call(booster: Any, row: np.ndarray) -> float:
    """Give the median milliseconds of the library's own explanation of one row."""
    taken = []
    for _ in range(300):
        began = time.perf_counter()
        booster.predict(row, pred_contrib=True, num_threads=1)
        taken.append(time.perf_counter() - began)
    return 1000 * float(np.median(taken))


def told(
    found: dict[str, Measured],
    *,
    explained: tuple[float, float, float],
    bare_call: float,
    cold: float,
    behind: float,
) -> None:
    """Print the table and the goals."""
    base, ours = found["mlflow models serve"], found["loadline serve"]
    print(f"{'':28}{'first answer':>13}{'memory':>9}" + "".join(f"{f'{n} client(s)':>40}" for n in CLIENTS))
    for form in ("named", "plain"):
        for name, one in found.items():
            shown = ""
            for clients in CLIENTS:
                rate, middle, slow = one.rates[form][clients]
                ratio = rate / base.rates[form][clients][0]
                shown += f"{f'{rate:,.0f}/s (x{ratio:.1f}) p50 {middle:.2f} p99 {slow:.1f} ms':>40}"
            print(f"{f'{name}, {form}':28}{f'{one.first_seconds:.1f} s':>13}{f'{one.megabytes:.0f} MB':>9}{shown}")
    for name, one in found.items():
        print(f"{name} computes {one.busy['named']:,.0f} us an answer to named rows, {one.busy['plain']:,.0f} to plain")
    print(f"explanation of one row: {explained[1]:.2f} ms (p50, one client); the library alone {bare_call:.2f} ms")
    print(f"the first start of all, with nothing tried out yet: {cold:.1f} s; behind the workers: {behind:.0f} MB")
    print(f"memory of one worker beside mlflow's worker alone: {ours.megabytes / base.largest:.2f}")
    for clients in CLIENTS:
        ratio = ours.rates["named"][clients][0] / base.rates["named"][clients][0]
        goal(f"predict at {clients}: times mlflow", ratio, least=6.0)
    goal("p99 at 32: part of mlflow's", ours.rates["named"][32][2] / base.rates["named"][32][2], most=0.5)
    goal("explain p50: times the library call", explained[1] / bare_call, most=1.5)
    goal("first answer: part of mlflow's", ours.first_seconds / base.first_seconds, most=0.2)
    goal("worker memory: part of what `mlflow models serve` takes", ours.megabytes / base.megabytes, most=0.25)


def goal(name: str, value: float, *, least: float = 0.0, most: float = float("inf")) -> None:
    """Print whether a goal is met."""
    wanted = f"at least {least:g}" if least else f"at most {most:g}"
    print(f"{'met   ' if least <= value <= most else 'MISSED'} {name}: {value:.2f} ({wanted})")


if __name__ == "__main__":
    main()
