"""The running experiments in a worker: who takes part in an answer, and the exposures that it makes."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from mgw.core.audit import Actor
from mgw.core.database import queries
from mgw.core.errors import MgwError
from mgw.core.spool import Spool
from mgw.experiments.conditions import names_of
from mgw.experiments.exposure import Exposure, exposure_of, record_exposures
from mgw.experiments.guard import guard_experiments
from mgw.experiments.participation import read_running
from mgw.recommend.history import read_history
from mgw.service.connections import AWAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import ExperimentsSettings
    from mgw.experiments.participation import Placement, Running
    from mgw.service.connections import Connections
    from mgw.service.messages import RecommendationsRequest
    from mgw.service.variants import Asked, Listed

_log = logging.getLogger(__name__)

_SEEN = "titles_seen"
_GUARD_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Part:
    """Where a user is in an experiment.

    Attributes:
        running: the experiment.
        placement: in it; there is a variant.
    """

    running: Running
    placement: Placement

    @property
    def label(self) -> str:
        """The experiment and the variant, for the answer."""
        variant = self.running.variant(self.placement)
        return f"{self.running.definition.name}:{variant.name if variant else ''}"


class Experiments:
    """The running experiments.

    Args:
        connections: to the database.
        settings: of experiments.
        folder: for exposures on their way.

    Attributes:
        version: what lists depend on of the experiments: they change with it, as they do with the model.
    """

    def __init__(self, connections: Connections, settings: ExperimentsSettings, folder: Path) -> None:
        self._connections = connections
        self._settings = settings
        self._running: tuple[Running, ...] = ()
        self.version = ""
        self._log = Spool(folder, Exposure, "exposures")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="experiments", daemon=True)

    @property
    def models(self) -> set[str]:
        """The snapshots that variants answer with, besides the one in use."""
        variants = (variant for running in self._running for variant in running.definition.variants)
        return {variant.config.model for variant in variants if variant.config.model is not None}

    @property
    def count(self) -> int:
        """How many run."""
        return len(self._running)

    @property
    def backlog(self) -> int:
        """How many files of exposures wait for the database."""
        return len(self._log.waiting())

    def refresh(self) -> None:
        """Read which experiments run; while the database is away, those that ran go on."""
        try:
            self._running = self._connections.run(read_running)
        except AWAY:
            pass
        except MgwError as error:
            _log.warning("the experiments cannot be read: %s", error)
        self.version = _version(self._running)

    def take_part(
        self,
        connection: Connection[TupleRow] | None,
        request: RecommendationsRequest,
        has_model: Callable[[str], bool],
    ) -> tuple[Part, ...]:
        """Find what a user takes part in.

        Args:
            connection: None while the database is away; then experiments are left out that need to know what is there.
            request: of the user.
            has_model: whether a snapshot can answer. An experiment that has a variant without one is left out as a
                whole: without one variant alone, the shares of users would be off.
        """
        running = [each for each in self._running if _has_models(each, has_model)]
        if connection is None:
            running = [each for each in running if each.phase == 0 and _SEEN not in names_of(each.definition.targeting)]
        if not running:
            return ()
        before: dict[int, int] = {}
        attributes = _attributes(request)
        if connection is not None:
            rows = queries.experiments_assigned(connection, user_id=request.user_id)
            before = {row.experiment_id: row.position for row in rows}
            if any(_SEEN in names_of(each.definition.targeting) for each in running):
                attributes[_SEEN] = len(read_history(connection, request.user_id).seen)
        now = datetime.now(UTC)
        placed = (
            Part(each, each.place(request.user_id, now, before=before.get(each.id), attributes=attributes))
            for each in running
        )
        return tuple(part for part in placed if part.placement.position is not None)

    def expose(self, asked: Asked, user_id: str, made: Listed) -> None:
        """Keep that a user was shown a list, for every experiment that counts it."""
        now = datetime.now(UTC)
        slate = tuple(each.content_id for each in made.recommendations)
        exposures = []
        for part in asked.parts:
            if part.placement.is_counted:
                interleaved = part is asked.interleaved
                position = 0 if interleaved else part.placement.position or 0
                teams = made.teams if interleaved else ()
                shown = exposure_of(part.running, position, user_id, now)
                exposures.append(
                    msgspec.structs.replace(shown, slate=slate, propensities=made.propensities, teams=teams)
                )
        if exposures:
            self._log.add(exposures)

    def start(self) -> None:
        """Begin to record exposures, and to look for harm."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Record what there is; what cannot be recorded within so many seconds is, when the service starts again."""
        self._ended.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            return
        left = self._log.flush(self._write, AWAY)
        if left:
            _log.warning("%d files of exposures are kept until the database is back", left)

    def _write(self, exposures: Sequence[Any]) -> None:
        self._connections.run(lambda connection: record_exposures(connection, exposures))

    def _run(self) -> None:
        guarded_at = time.monotonic()
        while not self._ended.wait(self._settings.flush_s):
            try:
                self._log.flush(self._write, AWAY)
                if time.monotonic() - guarded_at >= self._settings.guard_s:
                    guarded_at = time.monotonic()
                    self._guard()
            except Exception:  # noqa: BLE001 - the thread must not end
                _log.exception("recording exposures")

    def _guard(self) -> None:
        try:
            found = self._connections.run(_guard)
        except MgwError as error:
            _log.warning("the experiments cannot be guarded: %s", error)
            return
        for each in found:
            _log.warning("experiment %s%s: %s", each.name, " is paused" if each.paused else "", each.harm)


def _version(running: Sequence[Running]) -> str:
    now = datetime.now(UTC)
    parts = [(each.id, each.phase, each.traffic(now), each.definition) for each in running]
    return blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest() if parts else ""


def _guard(connection: Connection[TupleRow]) -> list[Any]:
    """Look for harm, unless another worker does at this moment."""
    with connection.transaction():
        if not queries.experiments_begin_guard(connection, timeout_s=_GUARD_TIMEOUT_S):
            return []
        found = guard_experiments(
            connection, datetime.now(UTC), Actor("mgw service"), pause=lambda definition: definition.pause_on_harm
        )
    return [each for each in found if each.harm is not None]


def _has_models(running: Running, has_model: Callable[[str], bool]) -> bool:
    named = (variant.config.model for variant in running.definition.variants)
    return all(model is None or has_model(model) for model in named)


def _attributes(request: RecommendationsRequest) -> dict[str, Any]:
    context = request.context
    return {
        "device_type": context.device_type,
        "time_of_day": context.time_of_day,
        "mood": context.mood,
        "viewing_with": list(context.viewing_with),
    }
