"""What of a running service is ready to answer, component by component."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.errors import LoadlineError

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.in_service import InService
    from serving.registry_state import RegistryState


def readiness(advisor: Advisor, models: InService, registry: RegistryState) -> dict[str, str]:
    """Tell the state of each component: `ok`, `degraded: ...` or `missing: ...`.

    Parameters
    ----------
    advisor : Advisor
    models : InService
    registry : RegistryState

    Returns
    -------
    dict
        `store`, `model` (of the data stored last), `warnings` where a model of deterioration was ever promoted, and
        `registry`, whose absence limits training and nothing else.
    """
    state: dict[str, str] = {}
    try:
        dataset = advisor.snapshot().about.dataset
        state["store"] = "ok"
    except LoadlineError as error:
        state = {"store": f"missing: {error.what}", "model": "missing: no data"}
    else:
        model = models.state("targets", dataset)
        state["model"] = "missing: run `loadline train`" if model == "missing" else model
        warnings = models.state("warnings", dataset)
        if warnings != "missing":
            state["warnings"] = warnings
    return state | {"registry": registry.text()}
