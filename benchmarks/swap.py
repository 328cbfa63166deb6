"""Answers a second, and the slowest in a hundred, while models are promoted, against the same service left alone.

    python benchmarks/swap.py [--home HOME] [--seconds 20] [--clients 4] [--every 0.4]

A real server answers for a copy of a home (by default the sample bank, stored and trained first); clients ask for the
targets of units without pause, each on a connection that stays open. In the middle one of three equal spans the
champion changes every so many seconds between two models, in a process of its own; the first and the last span are the
measure. Before that both models are taken up once, which is timed: the process that tries a model out makes all
suggestions, at low priority. Any answer that fails, or that holds more than one version, ends the run.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # a script beside this one has the name of a package

import numpy as np

TOKEN = "benchmark-benchmark-benchmark"
SPANS = ("before", "promotions", "after")
SERVE = (
    "import sys; from pathlib import Path; from serving.advisor import Advisor; from serving.server import serve;"
    "from serving.settings import Settings;"
    "serve(Advisor(Settings(home=Path(sys.argv[1]), token=sys.argv[2])), host='127.0.0.1', port=0,"
    "say=lambda text: print(text, flush=True))"
)
PROMOTE = (
    "import sys, time; sys.path[0] = sys.argv[1]; from pathlib import Path;"
    "from benchmarks.swap import change; end = time.monotonic() + float(sys.argv[4]); n = 0\n"
    "while time.monotonic() < end: change(Path(sys.argv[2]), n); n += 1; time.sleep(float(sys.argv[3]))\n"
    "print(n)"
)


def change(home: Path, number: int) -> str:
    """Make one of the two newest models the champion, in turns; give its version."""
    from datetime import UTC, datetime

    from training.gating.gate import Gate
    from training.promote import promote
    from training.promotion.copies import kept_bundle
    from training.promotion.history import champion_digest, history
    from training.target_model import model_name

    name = model_name(dataset_of(home))
    digests = list(dict.fromkeys(promotion.champion for promotion in history(home, name)))[-2:]
    bundle = kept_bundle(home, name, digests[number % 2])
    promote(
        home,
        name,
        bundle,
        by="benchmark",
        reason="benchmark",
        expected_champion=champion_digest(home, name),
        gates=(Gate("benchmark", True, None, (), {"en": "A benchmark.", "zh": "基准测试。"}),),
        clock=lambda: datetime.now(UTC),
    )
    return bundle.version


def dataset_of(home: Path) -> str:
    """Name the dataset stored last."""
    from features.store import Store

    return Store(str(home / "store")).versions()[-1].dataset


def second_model(home: Path) -> None:
    """Promote a copy of the champion that differs in its description alone, where there is only one model."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from training.gating.gate import Gate
    from training.promote import promote
    from training.promotion.history import champion, history
    from training.target_model import model_name

    name = model_name(dataset_of(home))
    found = champion(home, name)
    if found is None:
        raise SystemExit("The home has no champion: promote a model first.")
    if len({promotion.champion for promotion in history(home, name)}) > 1:
        return
    other = replace(found, meta={**found.meta, "seed": int(found.meta["seed"]) + 1})
    gates = (Gate("benchmark", True, None, (), {"en": "A benchmark.", "zh": "基准测试。"}),)
    promote(
        home,
        name,
        other,
        by="benchmark",
        reason="benchmark",
        expected_champion=found.digest,
        gates=gates,
        clock=lambda: datetime.now(UTC),
    )


class Client(threading.Thread):
    """Asks for one unit after the other and notes when each answer came and how long it took."""

    def __init__(self, port: int, units: list[str]) -> None:
        super().__init__(daemon=True)
        self.taken: list[tuple[float, float]] = []
        self.versions: set[str] = set()
        self.trouble = ""
        self.stop = threading.Event()
        self._port, self._units = port, units

    def run(self) -> None:
        """Ask until told to stop, or until an answer fails or is mixed."""
        connection, turn = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120), 0
        while not self.stop.is_set():
            began = time.perf_counter()
            versions, status = asked(connection, self._units[turn % len(self._units)])
            ended = time.perf_counter()
            if status != 200 or len(versions) != 1:
                self.trouble = f"status {status}, versions {versions}"
                return
            self.versions |= versions
            self.taken.append((ended, ended - began))
            turn += 1


def asked(connection: http.client.HTTPConnection, unit: str) -> tuple[set[str], int]:
    """Ask for the targets of a unit; give the versions in the answer, and its status."""
    connection.request("GET", f"/api/v1/targets/{unit}", headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    content = answer.read()
    return (
        set() if answer.status != 200 else {str(item["model_version"]) for item in json.loads(content)["items"]}
    ), answer.status


def taken_up(port: int, unit: str, version: str) -> float:
    """Wait until a version answers; give the seconds."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    while version not in asked(connection, unit)[0]:
        time.sleep(0.05)
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--every", type=float, default=0.4)
    asked_for = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="loadline-benchmark-") as folder:
        home = Path(folder) / "home"
        if asked_for.home is None:
            subprocess.run([sys.executable, "-m", "serving.cli", "demo", "--home", str(home)], check=True)
        else:
            shutil.copytree(asked_for.home, home)
        second_model(home)
        shutil.rmtree(home / "suggestions", ignore_errors=True)
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(home), TOKEN],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        try:
            measure(server, home, asked_for)
        finally:
            server.kill()


def measure(server: subprocess.Popen[str], home: Path, asked_for: argparse.Namespace) -> None:
    """Have both models taken up, then measure the three spans."""
    from features.store import Store

    assert server.stdout is not None
    found = re.search(r":(\d+)/", server.stdout.readline())
    assert found is not None
    port, seconds = int(found[1]), asked_for.seconds
    snapshot = Store(str(home / "store")).snapshot()
    tree = snapshot.tree
    units = [str(tree.codes[number]) for number in np.flatnonzero(tree.leaves(snapshot.span[1]))]
    for number in (0, 1):
        version = change(home, number)
        print(f"{version} answers {taken_up(port, units[0], version):.1f} s after its promotion, nothing at hand")
    for number in (0, 1):
        version = change(home, number)
        print(f"{version} answers {taken_up(port, units[0], version):.2f} s after its promotion, at hand")
    clients = [Client(port, units[number :: asked_for.clients]) for number in range(asked_for.clients)]
    began = time.perf_counter()
    for client in clients:
        client.start()
    time.sleep(seconds)
    script = [sys.executable, "-c", PROMOTE, str(Path(__file__).parents[1]), str(home), str(asked_for.every)]
    promoted = subprocess.run([*script, str(seconds)], check=True, capture_output=True, text=True)
    middle = time.perf_counter()
    time.sleep(seconds)
    for client in clients:
        client.stop.set()
    for client in clients:
        client.join(120)
    troubles = [client.trouble for client in clients if client.trouble]
    if troubles:
        raise SystemExit(f"an answer failed: {troubles[0]}")
    ended, took = np.array([pair for client in clients for pair in client.taken]).T
    edges = (began, began + seconds, middle, middle + seconds)
    figures = {}
    for span, start, end in zip(SPANS, edges[:-1], edges[1:], strict=True):
        mine = took[(ended >= start) & (ended < end)]
        figures[span] = (len(mine) / (end - start), float(np.quantile(mine, 0.99)))
        rate, slow = figures[span]
        print(f"{span}: {rate:.0f} answers a second, one in a hundred slower than {1000 * slow:.0f} ms")
    alone = np.mean([figures[span] for span in ("before", "after")], axis=0)
    print(
        f"{int(promoted.stdout)} promotions, {len(took):,} answers, none failed, none mixed, "
        f"{len(set.union(*(client.versions for client in clients)))} versions seen: "
        f"{figures['promotions'][0] / alone[0]:.2f} times the answers a second, "
        f"{figures['promotions'][1] / alone[1]:.2f} times the slowest in a hundred"
    )


if __name__ == "__main__":
    main()
