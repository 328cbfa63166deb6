"""The service as a Python object, for programs of the bank and for notebooks."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

from serving.client.administration import Audit, Keys, People, Service, Webhooks
from serving.client.cases import Alerts, Appeals
from serving.client.connection import PATIENCE, TIMEOUT, Connection
from serving.client.learning import Models, TrainingRuns, Watch
from serving.client.plans import Plans
from serving.client.results import Indicators, Observations, Predictions, Scores, Snapshots, Targets, Units
from serving.client.rules import Policies, Simulations


class Loadline:
    """A Loadline service, asked over its API. Any number of threads may share one.

    Each operation is a method, grouped by what it is about. Called, it gives the answer as the model that the service
    builds it from. It also has `tagged` (with the ETag), `edit` (look up, change, again where others were quicker),
    `every` (all pages of a list), `save` (into a file) and `once` (under a key of one's own); see
    `serving.client.declared.Asking`.

    What is posted carries an Idempotency-Key, so that it is sent again where the connection breaks, the service is
    away (503) or asked too often (429), and done once all the same.

    Parameters
    ----------
    address : str
        `https://` and the host; `http://` on this machine alone, unless `unencrypted`.
    key : str
        A program's key.
    timeout : float
        Seconds without a byte before nobody is waited for.
    patience : float
        Seconds in which a request is tried again; 0 for one try.
    verify : ssl.SSLContext or bool
        How the service proves who it is: a context for a certificate authority of one's own.
    unencrypted : bool
        Send the key over a network in the clear.
    wait, clock : callable
        Let seconds pass, and tell them.

    Raises
    ------
    LoadlineError
        Where the address or the key cannot be one.

    Examples
    --------
    >>> with Loadline("http://127.0.0.1:8321", "a-key-of-a-program") as service:
    ...     print(service, service.units.get)
    <Loadline at http://127.0.0.1:8321> <get_unit of http://127.0.0.1:8321>
    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        verify: ssl.SSLContext | bool = True,
        unencrypted: bool = False,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = Connection(
            address,
            key,
            timeout=timeout,
            patience=patience,
            verify=verify,
            unencrypted=unencrypted,
            wait=wait,
            clock=clock,
        )
        connection = self._connection
        self.units, self.indicators = Units(connection), Indicators(connection)
        self.snapshots, self.observations = Snapshots(connection), Observations(connection)
        self.targets, self.plans = Targets(connection), Plans(connection)
        self.scores, self.policies = Scores(connection), Policies(connection)
        self.simulations, self.appeals = Simulations(connection), Appeals(connection)
        self.alerts, self.predictions = Alerts(connection), Predictions(connection)
        self.training_runs, self.models = TrainingRuns(connection), Models(connection)
        self.watch, self.webhooks = Watch(connection), Webhooks(connection)
        self.people, self.keys = People(connection), Keys(connection)
        self.audit, self.service = Audit(connection), Service(connection)

    def __repr__(self) -> str:
        return f"<Loadline at {self._connection.address}>"

    def __enter__(self) -> Loadline:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()
