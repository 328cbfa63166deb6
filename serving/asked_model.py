"""The warning model that answers for rows: what the small processes and the whole application ask alike."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from features.errors import LoadlineError
from features.indicators import Indicator
from models.alert_story.drivers import driver_players, driver_title
from models.bundle import ModelBundle
from serving.api.desk import Desk
from serving.errors import NotFoundError
from serving.hot.notice import Title
from serving.hot.scorer import Drivers, Scorer
from serving.hot.served import Asked


class AskedModels:
    """Gives what answers for rows, made once for each model.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = Lock()
        self._known: dict[str, tuple[str, Asked]] = {}

    def of(self, dataset: str | None = None) -> Asked:
        """Give the model of a dataset, or of the one stored last.

        Raises
        ------
        NotFoundError
            Where there is none.
        LoadlineError
            Where it has not shown that it can tell: then no probability is shown.
        """
        directory = self._desk.directory(dataset)
        name = directory.snapshot.about.dataset
        bundle = self._desk.in_service.warning_model(name)
        if bundle is None:
            raise NotFoundError(f"there is no warning model for {name!r} in service", hint="Train and promote one.")
        if not answers(bundle):
            raise LoadlineError(
                f"the warning model for {name!r} did not tell better than the base rate: no probability is shown",
                hint="Train another one once more cases are known.",
            )
        digest = f"{directory.identity}{bundle.digest}"
        with self._lock:
            known = self._known.get(name)
            if known is None or known[0] != digest:
                known = self._known[name] = (digest, asked_of(bundle, name, directory.snapshot.indicators))
        return known[1]


def answers(bundle: ModelBundle) -> bool:
    """Tell whether a kept warning model has learned something, and shown that it can tell."""
    from models.deterioration.record import shows_skill  # loads the learners, which the application starts without

    model = bundle.meta["fitted"]["model"]
    return model is not None and shows_skill(model["record"])


def asked_of(bundle: ModelBundle, dataset: str, indicators: Mapping[str, Indicator]) -> Asked:
    """Make a kept model ready to answer."""
    players = driver_players(bundle.meta["fitted"]["model"]["names"])
    scorer = Scorer(bundle, Drivers(players.names, players.of_feature))
    return Asked(dataset, scorer, titles_of(players.names, indicators))


def titles_of(codes: tuple[str, ...], indicators: Mapping[str, Indicator]) -> tuple[Title, ...]:
    """Name drivers in words; those of an indicator that is no more by their code."""
    found = []
    for code in codes:
        try:
            found.append(Title(**driver_title(code, indicators)))
        except KeyError:
            found.append(Title(code, code))
    return tuple(found)
