"""What is looked up for Prometheus at each scrape: versions, runs, the database, the audit's spool, space."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from features.errors import LoadlineError
from serving.api.desk import Desk, release
from serving.readiness import existing


class ServiceGauges(Collector):
    """Looks at what a desk answers from.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> list[Metric]:
        """Give nothing, so that nothing is looked up before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Look, and give what was found; what cannot be looked up is left out."""
        advisor = self._desk.advisor
        yield _gauge("loadline_release_info", "The program.", ("release",), {(release(),): 1.0})
        versions = _versions(self._desk)
        yield _gauge("loadline_version_info", "Versions in service.", ("kind", "version"), dict.fromkeys(versions, 1.0))
        ready = {(name,): float(text == "ok") for name, text in self._desk.readiness().items()}
        yield _gauge("loadline_component_ok", "1 where a component is as it should be.", ("component",), ready)
        runs = Counter(run.state for run in advisor.training.runs())
        counts = {(state,): float(number) for state, number in runs.items()}
        yield _gauge("loadline_training_runs", "Training runs by state.", ("state",), counts)
        pool = advisor.database.engine.pool
        if isinstance(pool, QueuePool):
            open_now = {("used",): float(pool.checkedout()), ("idle",): float(pool.checkedin())}
            yield _gauge("loadline_database_connections", "Of this process.", ("state",), open_now)
        space = shutil.disk_usage(existing(advisor.settings.home))
        yield _gauge("loadline_home_free_bytes", "Space left where the home is.", (), {(): float(space.free)})
        spool = advisor.settings.home / "audit"
        left = sum(file.stat().st_size for file in spool.glob("spool-*")) if spool.is_dir() else 0
        yield _gauge("loadline_audit_spool_bytes", "Noted, and not yet in the chain.", (), {(): float(left)})


def _versions(desk: Desk) -> list[tuple[str, str]]:
    advisor = desk.advisor
    try:
        about = advisor.snapshot().about
    except LoadlineError:
        return []
    found = [("data", str(about.version))]
    for kind in ("targets", "warnings"):
        digest = desk.in_service.digest(kind, about.dataset)
        if digest is not None:
            found.append((kind, digest[:12]))
    terms = advisor.policies.terms(dataset=about.dataset)
    return found + [("policy", digest) for digest in terms.loc[terms["in_force_today"].astype(bool), "digest"]]


def _gauge(name: str, text: str, labels: tuple[str, ...], values: dict[tuple[str, ...], float]) -> Metric:
    metric = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values.items():
        metric.add_metric(label, value)
    return metric
