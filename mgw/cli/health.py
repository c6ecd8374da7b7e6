"""How the parts of a platform stand, and how to mend them: what `mgw status` shows and `mgw doctor` explains."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from mgw.cli.project import project_database, project_models, project_shared_tiers
from mgw.core.errors import MgwError
from mgw.core.settings import resolve_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import ModelStore
    from mgw.core.settings import LoadedSettings
    from mgw.gateway.definition import Gateway

LEAST_FREE_BYTES = 1_000_000_000
OLD_DAYS = 7.0
_PATIENCE_S = 3.0
_LONGEST_ANSWER_BYTES = 1_000_000
_MANY_FILES = 10

_Kind = TypeVar("_Kind", bound=Struct)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what.
        state: "ok"; "off" for what does not run and need not; "note" for what works and could be better; "bad".
        detail: what was found.
        hint: how to mend it.
        facts: the same for programs.
        is_missing: whether it could be there and is not; what is off is so in any case.
    """

    subject: str
    state: Literal["ok", "off", "note", "bad"]
    detail: str
    hint: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    is_missing: bool = False


def look(loaded: LoadedSettings, *, is_thorough: bool) -> Iterator[Finding]:
    """Look at every part of a platform, the database first; what fails is found, not raised.

    Args:
        loaded: the project.
        is_thorough: whether the embedded database is started to be looked at, as commands do, and all of the model is
            read: seconds, for which `mgw status` has no time.
    """
    yield from _guarded("database", lambda: _of_database(loaded, may_start=is_thorough))
    yield from _guarded("model", lambda: [_model(loaded, is_thorough=is_thorough)])
    yield from _guarded("service", lambda: [_service(loaded)])
    yield from _guarded("gateway", lambda: _of_gateway(loaded))
    yield from _guarded("backlog", lambda: [_backlog(loaded)])
    yield from _guarded("disk", lambda: [_disk(loaded)])


def _guarded(subject: str, find: Callable[[], Any]) -> Iterator[Finding]:
    try:
        yield from find()
    except MgwError as error:
        yield Finding(subject, "bad", f"{error.code}: {error.message}", error.hint or "")
    except OSError as error:
        yield Finding(subject, "bad", str(error), "check the folder, its owner and its permissions")


def _of_database(loaded: LoadedSettings, *, may_start: bool) -> Iterator[Finding]:
    from mgw.core.database.migrations import migration_states, read_migrations

    database = project_database(loaded)
    if database.embedded is not None and not may_start and not database.embedded.status().running:
        hint = "`mgw db start` keeps it running; commands start it for as long as they need it"
        yield Finding("database", "off", "the embedded PostgreSQL does not run", hint)
        return
    with database.connect() as connection:
        began = time.perf_counter()
        number = connection.info.server_version
        states = migration_states(connection, read_migrations())
        took_ms = 1000 * (time.perf_counter() - began)
        kind = "embedded" if database.embedded is not None else "external"
        waiting = sum(state.applied_at is None for state in states)
        facts = {
            "kind": kind, "version": f"{number // 10_000}.{number % 10_000}", "migrations_waiting": waiting,
            "took_ms": round(took_ms, 1),
        }  # fmt: skip
        applied = f"{len(states) - waiting} of {len(states)} migrations"
        detail = f"{kind} PostgreSQL {facts['version']}, {applied}, {took_ms:.0f} ms"
        if waiting:
            state: Literal["note", "bad"] = "note" if database.embedded is not None else "bad"
            yield Finding("database", state, detail, "run `mgw db migrate`", facts)
            return
        yield Finding("database", "ok", detail, facts=facts)
        yield from _guarded("adapters", lambda: [_adapters(loaded, connection)])
        yield from _guarded("experiments", lambda: [_experiments(loaded, connection)])


def _adapters(loaded: LoadedSettings, connection: Connection[TupleRow]) -> Finding:
    from mgw.core.database import queries
    from mgw.recommend.lora.store import NAME

    name, model = project_shared_tiers(loaded).current_name(), None
    with suppress(MgwError):  # what is wrong with the model is told of the model
        model = project_models(loaded).current_name()
    if name is None:
        return Finding("adapters", "off", "none were trained", "`mgw train lora` trains them")
    users = queries.adapters_count_of_base(connection, base_snapshot=name, name=NAME)
    base = project_shared_tiers(loaded).current().manifest.parameters.get("base")
    facts = {"shared_tier": name, "users": users, "model": base}
    if base != model:
        hint = "`mgw train lora` trains those of the model in use"
        return Finding("adapters", "note", f"{name} is of {base}, which is not in use: none are used", hint, facts)
    return Finding("adapters", "ok", f"{users:,} users, of {name}", facts=facts)


def _experiments(loaded: LoadedSettings, connection: Connection[TupleRow]) -> Finding:
    from mgw.core.database import queries

    running = [row.definition["name"] for row in queries.experiments_running(connection)]
    shown = f": {', '.join(running[:5])}{' …' if len(running) > 5 else ''}" if running else ""
    detail, facts = f"{len(running)} running{shown}", {"running": running}
    store = project_models(loaded)
    for row in queries.experiments_models(connection):
        if row.status == "running" and (problem := _problem_of(store, row.model)):
            found = f"{detail}; {row.experiment} waits for the model of its variant {row.variant}: {problem}"
            hint = (
                f"put the model back from a copy, or `mgw experiment stop {row.experiment}` and create another with"
                " one that `mgw models list` shows"
            )
            return Finding("experiments", "bad", found, hint, facts)
    return Finding("experiments", "ok", detail, facts=facts)


def _problem_of(store: ModelStore, name: str) -> str | None:
    try:
        store.open(name)
    except MgwError as error:
        return error.message
    return None


def _model(loaded: LoadedSettings, *, is_thorough: bool) -> Finding:
    store = project_models(loaded)
    if store.current_name() is None:
        return Finding("model", "note", "none yet", "run `mgw train als`", is_missing=True)
    snapshot = store.current()
    if is_thorough:
        snapshot.verify()
    manifest = snapshot.manifest
    days = (datetime.now(UTC) - manifest.created_at).total_seconds() / 86_400
    facts = {"name": manifest.name, "created_at": manifest.created_at.isoformat(), "age_days": round(days, 2)}
    detail = f"{manifest.name}, trained {manifest.created_at:%Y-%m-%d %H:%M} UTC, {_age(days)} ago"
    if days > OLD_DAYS:
        return Finding("model", "note", detail, "`mgw train als` trains a new one on what was watched since", facts)
    return Finding("model", "ok", detail, facts=facts)


def _age(days: float) -> str:
    if days >= 1:
        return f"{days:.1f} days"
    return f"{24 * days:.1f} hours" if days >= 1 / 24 else f"{1440 * days:.0f} min"


def _service(loaded: LoadedSettings) -> Finding:
    from mgw.service.messages import HealthReply

    settings = loaded.settings.service
    where = f"http://{_host(settings.host)}:{settings.port}"
    content = _asked(f"{where}/health")
    if content is None:
        return Finding("service", "off", f"nothing answers at {where}", "`mgw serve` runs it", {"url": where})
    found = _read(content, HealthReply)
    if found is None:
        return _of_a_stranger("service", where, "service.port")
    facts = {"url": where, "status": found.status, "model": found.model.name, "database": found.database}
    detail = f"{found.status} at {where}, up {_age(found.uptime_seconds / 86_400)}, model {found.model.name}"
    if found.status == "ok":
        return Finding("service", "ok", detail, facts=facts)
    error = found.model.error
    hint = f"it says: {error}" if error else "it lacks the database or a model; its log says more"
    return Finding("service", "bad", f"{detail}, database {found.database}", hint, facts)


class _GatewayHealth(Struct, frozen=True):
    status: str
    version: str
    uptime_seconds: float


class _UpstreamHealth(Struct, frozen=True):
    status: Literal["ok", "degraded", "down"]
    instances: int
    well: int
    took_ms: float


class _Upstreams(Struct, frozen=True):
    upstreams: dict[str, _UpstreamHealth]


def _of_gateway(loaded: LoadedSettings) -> Iterator[Finding]:
    from mgw.cli.gateway import project_gateway

    path, gateway = project_gateway(loaded, None)
    scheme = "http" if gateway.tls is None else "https"
    where = f"{scheme}://{_host(gateway.host)}:{gateway.port}"
    content = _asked(f"{where}/health/ready")
    if content is None:
        yield Finding(
            "gateway", "off", f"nothing answers at {where}", "`mgw serve` runs it", {"url": where, "file": str(path)}
        )
        return
    found = _read(content, _GatewayHealth)
    if found is None:
        yield _of_a_stranger("gateway", where, f"port in {path}")
        return
    facts = {"url": where, "file": str(path), "status": found.status}
    detail = f"{found.status} at {where}, up {_age(found.uptime_seconds / 86_400)}"
    is_well = found.status == "ok"
    yield Finding("gateway", "ok" if is_well else "bad", detail, "" if is_well else found.status, facts)
    yield from _upstreams(where, gateway)


def _upstreams(where: str, gateway: Gateway) -> Iterator[Finding]:
    content = _asked(f"{where}/health/aggregate")
    found = None if content is None else _read(content, _Upstreams)
    for name, each in sorted(found.upstreams.items()) if found is not None else ():
        state: Literal["ok", "bad"] = "ok" if each.status == "ok" else "bad"
        urls = ", ".join(gateway.upstreams[name].urls) if name in gateway.upstreams else ""
        hint = f"look at {urls or name}; `mgw gateway state` has the breaker" if state == "bad" else ""
        detail = f"{each.well} of {each.instances} instances answer, {each.took_ms:.0f} ms"
        yield Finding(f"upstream {name}", state, detail, hint, {"name": name, **msgspec.structs.asdict(each)})


def _of_a_stranger(subject: str, where: str, setting: str) -> Finding:
    hint = f"end what listens there, or set {setting} to another port"
    return Finding(subject, "bad", f"something else answers at {where}", hint, {"url": where})


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _asked(url: str) -> bytes | None:
    """Return what somebody answers who is asked for their health, well or not; None where nobody does."""
    import ssl
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPSHandler, ProxyHandler, build_opener

    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE  # it is this machine that is asked
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trusting))
    try:
        try:
            answer = opener.open(url, timeout=_PATIENCE_S)
        except HTTPError as error:
            answer = error
        with answer:
            content: bytes = answer.read(_LONGEST_ANSWER_BYTES)
    except (URLError, OSError, HTTPException):
        return None
    return content


def _read(content: bytes, kind: type[_Kind]) -> _Kind | None:
    """Read an answer; None where it is not of those that mgw gives."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (ValueError, RecursionError):
        return None


def _backlog(loaded: LoadedSettings) -> Finding:
    from mgw.core.audit.trail import FOLDER
    from mgw.core.spool import backlog_of

    state = resolve_path(loaded, loaded.settings.state_dir)
    of_audit, of_exposures = (backlog_of(state / folder) for folder in (FOLDER, "service/exposures"))
    audit, exposures = len(of_audit.waiting), len(of_exposures.waiting)
    aside = (*of_audit.set_aside, *of_exposures.set_aside)
    facts = {"audit_files": audit, "exposure_files": exposures, "set_aside": [str(path) for path in aside]}
    detail = f"waiting for the database: {_files(audit)} of the audit trail, {_files(exposures)} of exposures"
    if aside:
        hint = f"look at {aside[0]}: the database refused it, or it is damaged; nothing of it was recorded"
        return Finding("backlog", "bad", f"{detail}, {len(aside)} are set aside", hint, facts)
    if audit + exposures > _MANY_FILES:
        return Finding("backlog", "bad", detail, "`mgw audit flush` says what keeps them", facts)
    return Finding("backlog", "ok", detail, facts=facts)


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _disk(loaded: LoadedSettings) -> Finding:
    folder = resolve_path(loaded, loaded.settings.state_dir)
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return Finding("disk", "bad", f"{existing} is not a folder", "move the file away, or set state_dir")
    free = shutil.disk_usage(existing).free
    detail, facts = f"{folder}: {free / 1e9:.1f} GB free", {"folder": str(folder), "free_bytes": free}
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding("disk", "bad", f"{existing} may not be written", "check its owner, or set state_dir", facts)
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "bad", detail, "free some space, or set state_dir to another disk", facts)
    return Finding("disk", "ok", detail, facts=facts)
