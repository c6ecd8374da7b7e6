"""What the service counts, for `/metrics`: every family that there is, declared in one place."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mgw.core.metrics import Registry, merged, render
from mgw.recommend.training_counts import read_trainings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mgw.core.count_files import CountFiles
    from mgw.core.metrics import Distribution, FamilySample, Value
    from mgw.service.messages import Recommendation

STAGES = ("read", "rank")
"""Of a list that is made: what the database knows of the user and the titles, and what is computed from it."""


class Counts:
    """What one worker counts. Threads count as well as the event loop."""

    def __init__(self) -> None:
        self._registry = one = Registry()
        self._lock = threading.Lock()
        self._requests = one.counter(
            "mgw_service_requests_total", "Requests, by the template of their path.", "route", "method", "status"
        )
        self._seconds = one.histogram(
            "mgw_service_request_seconds", "From a request's arrival to its answer, waiting included.", "route"
        )
        self._cache = one.counter(
            "mgw_service_cache_total", "Lists that were asked for, by what the cache did.", "outcome"
        )
        self._titles = one.counter(
            "mgw_service_recommended_titles_total",
            "Titles in lists that were made, by what recommended them.",
            "source",
        )
        self._stages = one.histogram("mgw_service_stage_seconds", "Parts of making a list.", "stage")
        self._adapters = one.counter(
            "mgw_service_adapters_total", "Lists that were made, by whether the user has an adapter.", "outcome"
        )
        self._trainings = one.counter(
            "mgw_service_trainings_total", "Trainings of a user's adapter, by what came of them.", "status"
        )
        self._refused = one.counter("mgw_service_refused_total", "Requests that found no place to wait.").of()
        self.threads_busy = one.gauge("mgw_service_threads_busy", "Threads that answer a request.").of()
        self.waiting = one.gauge("mgw_service_requests_waiting", "Requests that wait for a thread.").of()
        self.refits_waiting = one.gauge("mgw_service_refits_waiting", "Users whose adapter is to be trained anew.").of()
        self.connections = one.gauge("mgw_service_database_connections", "Connections that are open.").of()
        self.cached_lists = one.gauge("mgw_service_cached_lists", "Lists that are kept, added up over workers.").of()
        self._model = one.gauge(
            "mgw_service_model_created_timestamp_seconds", "When a model that answers was trained, since 1970.", "model"
        )
        self._kept = {outcome: self._cache.of(outcome) for outcome in ("hit", "miss")}
        self._of_stages: dict[str, Distribution] = {stage: self._stages.of(stage) for stage in STAGES}

    def request(self, route: str, method: str, status: int, seconds: float, trace_id: str = "") -> None:
        """Count a request that is answered."""
        self._requests.of(route, method, str(status)).add()
        self._seconds.of(route).observe(seconds, trace_id)

    def cached(self, *, hit: bool) -> None:
        """Count a list that was asked for."""
        self._kept["hit" if hit else "miss"].add()

    def refused(self) -> None:
        """Count a request that found no place."""
        self._refused.add()

    def model(self, name: str, created_at: float) -> None:
        """Say which model answers. All workers together tell each that one of them answers from."""
        with self._lock:  # nobody is told of a model before its time is
            self._model.only(name).value = created_at

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a part of making a list."""
        began = time.perf_counter()
        yield
        seconds = time.perf_counter() - began
        with self._lock:
            self._of_stages[name].observe(seconds)

    def listed(self, titles: Iterable[Recommendation], *, has_adapter: bool) -> None:
        """Count a list that was made."""
        with self._lock:
            self._adapters.of("used" if has_adapter else "none").add()
            for title in titles:
                self._titles.of(title.recommendation_type).add()

    def trained(self, status: str) -> None:
        """Count a training of a user's adapter."""
        with self._lock:
            self._trainings.of(status).add()

    def sample(self) -> list[FamilySample]:
        """Return everything."""
        with self._lock:
            return self._registry.sample()


class MachineGauges:
    """What is the same for all workers: whoever is asked looks."""

    def __init__(self) -> None:
        self._registry = one = Registry()
        self.database_away = one.gauge("mgw_service_database_away", "1 while the database cannot be asked.").of()
        self.audit_backlog: Value = one.gauge(
            "mgw_service_audit_backlog_files", "Files of the audit trail that wait for the database."
        ).of()
        self.exposures_backlog: Value = one.gauge(
            "mgw_service_exposures_backlog_files", "Files of exposures that wait for the database."
        ).of()
        self.experiments_running: Value = one.gauge("mgw_service_experiments_running", "Experiments that run.").of()

    def sample(self) -> list[FamilySample]:
        """Return everything."""
        return self._registry.sample()


class Metrics:
    """What `/metrics` tells: the counts of all workers added up, and how things stand.

    Args:
        counts: of this worker.
        files: where each worker keeps its own.
        state: the project's folder of what is its own, where trainings are counted, too.
    """

    def __init__(self, counts: Counts, files: CountFiles, state: Path) -> None:
        self.counts = counts
        self.gauges = MachineGauges()
        self._files = files
        self._state = state
        self._keeping = threading.Lock()

    def keep(self) -> None:
        """Keep what this worker counted, for whichever is asked. Of two threads the later has counted more."""
        with self._keeping:
            self._files.keep(self.counts.sample())

    def text(self, *, openmetrics: bool) -> str:
        """Return everything, as Prometheus or OpenMetrics reads it."""
        self.keep()  # what is told is what is kept, so that no sum ever falls
        families = [*merged(self._files.read()), *self.gauges.sample(), *read_trainings(self._state)]
        return render(families, openmetrics=openmetrics)
