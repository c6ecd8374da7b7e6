"""The service as processes: what each worker is made of."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from mgw.core.artifacts import ModelStore
from mgw.core.audit import Trail
from mgw.core.count_files import CountFiles
from mgw.core.database import Database
from mgw.core.files import held
from mgw.core.settings import resolve_path
from mgw.core.workers import Listening, address_in_use, begin_worker, check_address, keep_endings, serve_with
from mgw.service.answers import Answers
from mgw.service.application import Application
from mgw.service.cache import ResultCache
from mgw.service.clock import Clock
from mgw.service.connections import Connections
from mgw.service.counting import Counts, Metrics
from mgw.service.experiments import Experiments
from mgw.service.models import Models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    listening = Listening(settings.host, settings.port, settings.workers, settings.drain_s, "service")
    check_address(listening)
    with _shared_files(listening, resolve_path(loaded, loaded.settings.state_dir) / "service") as clock:
        serve_with(listening, partial(_application, replace(loaded, sources={}), clock, os.getpid()), on_listening)


@contextmanager
def _shared_files(listening: Listening, folder: Path) -> Iterator[Path]:
    """Make what the workers of a service share, for the block; yield where the clock is, beside which the rest is.

    The files are named for the address, and locked: another service of the project, at another address or on its way
    to be refused at this one, leaves them alone.

    Raises:
        AddressInUse: another service has them, although it may not listen yet, or not any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = folder / f"{listening.host}-{listening.port}.clock"
    counts = clock.with_suffix(".counts")
    with held(clock.with_suffix(".lock")) as is_ours:
        if not is_ours:
            raise address_in_use(listening, "another service of this project is about to begin there, or to end")
        _remove(clock, counts)  # of a service that was killed
        try:
            Clock.create(clock)
            counts.mkdir()
            yield clock
        finally:
            _remove(clock, counts)


def _remove(clock: Path, counts: Path) -> None:
    clock.unlink(missing_ok=True)
    shutil.rmtree(counts, ignore_errors=True)


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
    told = Metrics(counts, CountFiles(clock.with_suffix(".counts")), state)
    return Application(answers, cache, settings.service, told, partial(keep_endings, parent=parent))
