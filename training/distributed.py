"""Where fits run: in this process, or on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from features.errors import LoadlineError
from training.progress import Progress, silent

Task = TypeVar("Task")
Result = TypeVar("Result")

CONNECT_SECONDS = 10
"""How long to wait for a scheduler that does not answer."""


def run_tasks(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    cluster: str | None = None,
    stage: str = "",
    progress: Progress = silent,
    taken: Callable[[Result], object] | None = None,
) -> list[Result]:
    """Do the same work on each task, and give the results in the tasks' order.

    Parameters
    ----------
    work : callable
        A function of a module, without side effects.
    tasks : sequence
    cluster : str, optional
        Address of a Dask scheduler; in this process where not given.
    taken : callable, optional
        Given each result as soon as it and those before it are there.

    Raises
    ------
    LoadlineError
        Where the cluster cannot be reached.
    """
    done = _on_cluster(work, tasks, cluster) if cluster else map(work, tasks)
    results = []
    progress(stage, 0, len(tasks))
    for result in done:
        if taken is not None:
            taken(result)
        results.append(result)
        progress(stage, len(results), len(tasks))
    return results


def _on_cluster(work: Callable[[Task], Result], tasks: Sequence[Task], cluster: str) -> Iterator[Result]:
    from distributed import Client

    try:
        client = Client(cluster, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        hint = "Start one with `dask scheduler` and `dask worker`, or leave --cluster out."
        raise LoadlineError("no Dask scheduler answers there", where=cluster, hint=hint) from error
    with client:
        for future in client.map(work, tasks, pure=False):
            yield future.result()
