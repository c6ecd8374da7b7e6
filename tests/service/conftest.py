"""A running service: `mgw serve` in a process of its own, over a project with sample data and a trained model."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from ports import free_port
from psycopg import sql
from waiting import until

from mgw.core.artifacts import ModelStore
from mgw.core.processes import bound_to_parent
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings, ContentSettings, LoraSettings, Settings
from mgw.ingest.sample import SampleSize
from mgw.ingest.sampling import load_sample
from mgw.recommend.collaborative import ItemWeights
from mgw.recommend.content import read_catalogue
from mgw.recommend.context import Trends
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.lora.support import Support
from mgw.recommend.lora.training import train_lora
from mgw.recommend.source import read_training_data
from mgw.recommend.training import Shelf, train_als

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SETTINGS = Settings(
    als=AlsSettings(factors=8, epochs=6), content=ContentSettings(dimensions=16), lora=LoraSettings(rank=3)
)
_NUMBERS = itertools.count(1)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Project:
    """A folder with a configuration, over a database of its own with sample data."""

    folder: Path
    url: str
    options: dict[str, Any] = field(default_factory=dict)

    def train(self, seed: int = 0) -> str:
        with psycopg.connect(self.url, options="-c timezone=UTC") as connection:
            data = read_training_data(connection)
            catalogue = read_catalogue(connection, data.events, SETTINGS.content)
        trends = Trends.of(data.events, catalogue.field("genre")[0], SETTINGS.context)
        shelf = Shelf(catalogue, trends, ItemWeights.fit(strength_matrix(data.events), SETTINGS.ease))
        als = AlsSettings(factors=8, epochs=6, seed=seed)
        return train_als(data, self.store, als, threads=1, progress=SILENT, shelf=shelf).manifest.name

    def train_adapters(self) -> str:
        """Train adapters of everybody with at least 20 liked titles, whatever held-out titles say."""
        with pytest.MonkeyPatch.context() as patch, psycopg.connect(self.url, options="-c timezone=UTC") as connection:
            patch.setattr(Support, "supported", property(lambda support: support.events >= 20))
            data = read_training_data(connection)
            connection.commit()
            return train_lora(connection, data, self.store.current(), self.shared_tiers, settings=SETTINGS).shared

    @property
    def shared_tiers(self) -> ModelStore:
        return ModelStore(self.folder / ".mgw" / "adapters")

    @property
    def store(self) -> ModelStore:
        return ModelStore(self.folder / ".mgw" / "models")

    def fetch(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(self.url, options="-c timezone=UTC") as connection:
            return connection.execute(statement, values).fetchall()


@dataclass
class Service:
    """A service that runs."""

    project: Project
    process: subprocess.Popen[str]
    port: int

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def post(self, path: str, message: object) -> Reply:
        return self.ask("POST", f"/api/v1{path}", json.dumps(message).encode())

    def recommend(self, user: str = "u00007", **values: object) -> Reply:
        return self.post("/recommendations", {"user_id": user, **values})

    def health(self) -> Any:
        return self.ask("GET", "/health").json

    def until(self, holds: Callable[[], bool], seconds: float = 30) -> None:
        until(holds, seconds=seconds)

    def workers(self) -> list[int]:
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        pids = Path(children).read_text(encoding="ascii").split()
        return [int(pid) for pid in pids if b"spawn_main" in _cmdline(pid)]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def _cmdline(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextlib.contextmanager
def serving(project: Project, *options: str, wait: bool = True, **sections: object) -> Iterator[Service]:
    port = free_port()
    service = {"refresh_s": 0.1, "port": port, **project.options}
    settings = {"database": {"url": project.url}, "service": service, "als": {"factors": 8}, **sections}
    (project.folder / "mgw.yaml").write_text(json.dumps(settings))  # JSON is YAML
    with (project.folder / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mgw", "serve", "--only", "service", *options], cwd=project.folder, stderr=log,
            stdout=log, text=True,
            preexec_fn=bound_to_parent(),  # noqa: PLW1509 - one call of the kernel, looked up before
        )  # fmt: skip
        running = Service(project, process, port)
        try:
            if wait:
                running.until(lambda: _answers(running))
            yield running
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _answers(service: Service) -> bool:
    assert service.process.poll() is None, (service.project.folder / "log").read_text()
    try:
        return service.ask("GET", "/health").status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def make_project(
    postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Project]]:
    made: list[str] = []

    def make() -> Project:
        name = f"service_{os.getpid()}_{next(_NUMBERS)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(_template)))
        made.append(name)
        url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
        with psycopg.connect(url, options="-c timezone=UTC") as connection:
            load_sample(connection, SampleSize(users=60, titles=80, events=2400), seed=3)
        return Project(tmp_path_factory.mktemp("project"), url)

    yield make
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def project(make_project: Callable[[], Project]) -> Project:
    return make_project()


@pytest.fixture(scope="session")
def service(make_project: Callable[[], Project]) -> Iterator[Service]:
    """A service that tests share: they use users of their own where they change something."""
    project = make_project()
    project.train()
    with serving(project) as running:
        yield running


@pytest.fixture
def fresh_service(project: Project) -> Iterator[Service]:
    """A service over data that no other test changes."""
    project.train()
    with serving(project) as running:
        yield running
