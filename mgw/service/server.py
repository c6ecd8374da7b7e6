"""The service as processes: what each worker is made of."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from mgw.core.artifacts import ModelStore
from mgw.core.audit import Trail
from mgw.core.count_files import CountFiles
from mgw.core.database import Database
from mgw.core.settings import resolve_path
from mgw.core.workers import Listening, begin_worker, keep_endings, serve_with
from mgw.recommend.training_counts import FILE
from mgw.service.answers import Answers
from mgw.service.application import Application
from mgw.service.cache import ResultCache
from mgw.service.clock import Clock
from mgw.service.connections import Connections
from mgw.service.counting import Counts, Metrics
from mgw.service.experiments import Experiments
from mgw.service.models import Models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mgw.core.settings import LoadedSettings


def serve(loaded: LoadedSettings, on_listening: Callable[[], None]) -> None:
    """Run the service until SIGTERM or SIGINT.

    Args:
        loaded: the settings.
        on_listening: called when requests can arrive.

    Raises:
        AddressInUse, AddressInvalid: there is no listening on the address.
    """
    settings = loaded.settings.service
    clock = resolve_path(loaded, loaded.settings.state_dir) / "service" / f"{settings.port}.clock"
    Clock.create(clock)
    shutil.rmtree(clock.with_suffix(".counts"), ignore_errors=True)  # of a service that was killed
    clock.with_suffix(".counts").mkdir()
    listening = Listening(settings.host, settings.port, settings.workers, settings.drain_s, "service")
    try:
        serve_with(listening, partial(_application, replace(loaded, sources={}), clock, os.getpid()), on_listening)
    finally:
        clock.unlink(missing_ok=True)
        shutil.rmtree(clock.with_suffix(".counts"), ignore_errors=True)


def _application(loaded: LoadedSettings, clock: Path, parent: int) -> Application:
    """Make the application, in a worker."""
    begin_worker(parent)
    threadpool_limits(1)  # many small products at once: more threads for one of them only get in each other's way
    settings = loaded.settings
    moments = Clock.open(clock)
    state = resolve_path(loaded, settings.state_dir)
    models = Models(ModelStore(state / "models"), ModelStore(state / "adapters"), settings)
    connections = Connections(Database.of(loaded), settings.service.deadline_s)
    cache = ResultCache(moments, settings.service.cache_entries, settings.service.cache_ttl_s)
    experiments = Experiments(connections, settings.experiments, state / "service" / "exposures")
    counts = Counts()
    answers = Answers(
        settings, models, connections, clock=moments, experiments=experiments, trail=Trail(state), counts=counts
    )
    told = Metrics(counts, CountFiles(clock.with_suffix(".counts")), state / FILE)
    return Application(answers, cache, settings.service, told, partial(keep_endings, parent=parent))
