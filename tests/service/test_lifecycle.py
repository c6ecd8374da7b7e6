"""What happens to requests while models change, the database goes, workers die and the service ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
from ports import free_port

from mgw.core.files import held, write_atomic
from tests.service.conftest import Project, serving
from tests.service.test_endpoints import event, update


class Asking:
    """Somebody who asks again and again."""

    def __init__(self, service, threads=4):
        self.service, self.replies, self.failures = service, [], []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(threads)]

    def _ask(self, number):
        turn = number
        while not self._ended.is_set():
            turn += len(self._threads)
            try:
                self.replies.append(self.service.recommend(f"u{turn % 60 + 1:05}", limit=3 + turn % 7))
            except OSError as error:
                self.failures.append(error)
                self._ended.wait(0.01)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(60)


class Forwarder(socketserver.ThreadingTCPServer):
    """A way to the database that can be cut."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, path):
        self.path, self.is_cut, self.open = path, False, set()
        super().__init__(("127.0.0.1", 0), None)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def finish_request(self, request, _client_address):
        if self.is_cut:
            return
        with socket.socket(socket.AF_UNIX) as database, contextlib.suppress(OSError):
            database.connect(self.path)
            ends = {request: database, database: request}
            self.open.add(request)
            while not self.is_cut:
                for ready in select.select(list(ends), [], [], 0.05)[0]:
                    if not (data := ready.recv(65536)):
                        return
                    ends[ready].sendall(data)

    def cut(self):
        self.is_cut = True
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    def mend(self):
        self.is_cut = False


@contextlib.contextmanager
def forwarded(project):
    """A project whose way to the database leads over a forwarder."""
    parts = urlsplit(project.url)
    query = parse_qs(parts.query)
    forwarder = Forwarder(f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}")
    user, port = parts.username or "mgw", forwarder.server_address[1]
    url = f"postgresql://{user}@127.0.0.1:{port}{parts.path}?sslmode=disable"
    try:
        yield forwarder, Project(project.folder, url, {"deadline_s": 3})
    finally:
        forwarder.cut()
        forwarder.shutdown()
        forwarder.server_close()


def levels(project, message):
    """The levels at which the log has a message."""
    lines = (project.folder / "log").read_text(encoding="utf-8").splitlines()
    return {line.split()[2] for line in lines if message in line}


def test_a_new_model_takes_over_and_no_request_is_lost(project):
    first = project.train()
    with serving(project, "--workers", "2") as service:
        with Asking(service) as asking:
            service.until(lambda: len(asking.replies) > 20)
            second = project.train(seed=1)
            # Each of the two workers takes it by itself.
            service.until(lambda: {reply.json["model"] for reply in asking.replies[-40:]} == {second})
        assert asking.failures == []
        assert {reply.status for reply in asking.replies} == {200}
        assert {reply.json["model"] for reply in asking.replies} == {first, second}
        assert all(len(reply.json["recommendations"]) >= 3 for reply in asking.replies)
    said = levels(project, f"the model is {second} now")
    assert said == {"INFO"}, "an operator sees a switch, and that nothing is amiss"


def test_a_model_that_is_not_fit_does_not_take_over(project):
    good = project.train()
    with serving(project) as service:
        bad = project.store.open(project.train(seed=1))
        project.store.use(good)
        service.until(lambda: service.health()["model"]["name"] == good)
        (bad.path / "embeddings.npy").write_bytes(b"nonsense")
        write_atomic(project.store.root / "current", f"{bad.manifest.name}\n".encode())  # it is read all the time
        service.until(lambda: service.health()["model"]["error"] is not None)
        health = service.health()
        assert (health["status"], health["model"]["name"]) == ("degraded", good)
        assert "embeddings.npy" in health["model"]["error"]
        assert service.recommend().json["model"] == good


def test_without_a_model_popular_titles_are_answered_until_there_is_one(project):
    with serving(project) as service:
        reply = service.recommend(limit=5)
        assert (reply.status, reply.json["model"], reply.json["degraded"]) == (200, None, ["model"])
        seen = {row[0] for row in project.fetch(
            "SELECT c.external_id FROM viewing_events e JOIN content c ON c.id = e.content_id"
            " JOIN users u ON u.id = e.user_id WHERE u.external_id = 'u00007'"
        )}  # fmt: skip
        found = [each["content_id"] for each in reply.json["recommendations"]]
        assert len(found) == 5
        assert not seen & set(found)
        latest = "SELECT max(at) FROM viewing_events"
        popular = project.fetch(
            "SELECT c.external_id FROM viewing_events e JOIN content c ON c.id = e.content_id"
            " WHERE completion_rate >= 0.7 AND NOT dismissed GROUP BY 1"
            f" ORDER BY sum(exp(ln(0.5) * extract(epoch FROM ({latest}) - at) / 86400 / 90)) DESC, 1"
        )
        assert found == [row[0] for row in popular if row[0] not in seen][:5]
        assert service.health()["status"] == "degraded"
        refused = service.post("/recommendations/similar", {"content_id": "t0001"})
        assert (refused.status, refused.json["error"]["code"]) == (503, "MODEL_MISSING")
        assert refused.headers["retry-after"] == "1"
        assert update(service, "eve", event()).json["preference_vector_dim"] is None
        name = project.train()
        service.until(lambda: service.recommend(limit=5).json["model"] == name)
        assert service.health()["status"] == "ok"


def test_without_the_database_the_model_answers_and_says_so(project):
    name = project.train()
    with forwarded(project) as (forwarder, behind), serving(behind) as service:
        whole = service.recommend(limit=5).json
        assert whole["degraded"] == []
        forwarder.cut()
        # What was kept before is as good as it was; a list of another length is not kept.
        reply = service.recommend(limit=6)
        assert (reply.status, reply.json["degraded"], reply.json["model"]) == (200, ["database"], name)
        assert (reply.json["known_user"], len(reply.json["recommendations"])) == (True, 6)
        assert {each["recommendation_type"] for each in reply.json["recommendations"]} <= {
            "collaborative", "hybrid", "context_aware",
        }  # fmt: skip
        stranger = service.recommend("nobody").json
        assert stranger["known_user"] is False
        assert {each["recommendation_type"] for each in stranger["recommendations"]} == {"cold_start"}
        refused = update(service, "eve", event())
        assert (refused.status, refused.json["error"]["code"]) == (503, "DATABASE_UNREACHABLE")
        assert refused.headers["retry-after"] == "1"
        assert behind.url not in refused.json["error"]["message"]
        assert service.post("/personalization/score", {"user_id": "u00007", "content_id": "t0001"}).status == 200
        health = service.ask("GET", "/health/ready")
        assert (health.status, health.json["status"], health.json["database"]) == (200, "degraded", "away")
        forwarder.mend()
        service.until(lambda: service.health()["status"] == "ok")
        assert service.recommend(limit=6).json["degraded"] == []
        assert update(service, "eve", event()).json["events_new"] == 1
    assert levels(behind, "the database is away") == {"WARNING"}
    assert levels(behind, "the database is back") == {"INFO"}


def test_with_neither_nothing_is_answered(project):
    with forwarded(project) as (forwarder, behind):
        forwarder.cut()
        with serving(behind) as service:
            assert service.recommend().status == 503
            ready = service.ask("GET", "/health/ready")
            assert (ready.status, ready.json["status"]) == (503, "unhealthy")
            assert service.ask("GET", "/health").status == 200
            log = (project.folder / "log").read_text()
            assert "the service starts without the database" in log
            assert "Traceback" not in log


def test_who_finds_no_place_is_told_to_come_back_and_who_waits_too_long_is_let_go(project):
    project.train()
    project.options = {"threads": 1, "queue": 1, "deadline_s": 1.5}
    with serving(project) as service, psycopg.connect(project.url) as blocking:
        assert service.recommend().status == 200
        blocking.execute("LOCK TABLE viewing_events IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(6) as pool:
            replies = list(pool.map(lambda number: service.recommend(f"u{number:05}"), range(10, 16)))
        found = sorted((reply.status, reply.json["error"]["code"]) for reply in replies)
        assert found[:4] == [(503, "SERVICE_UNAVAILABLE")] * 4
        assert set(found[4:]) <= {(504, "TIMEOUT"), (503, "DATABASE_FAILED")}
        assert {reply.headers["retry-after"] for reply in replies} == {"1"}
        blocking.rollback()
        service.until(lambda: service.recommend("u00020").status == 200)


def test_on_sigterm_what_is_under_way_is_answered(project):
    project.train()
    with serving(project, "--workers", "2") as service:
        workers = service.workers()
        assert len(workers) == 2
        with locked(project, "viewing_events") as blocking, ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(service.recommend, f"u{number:05}") for number in range(10, 14)]
            service.until(lambda: waiting_for_a_lock(project) == 4)
            service.process.send_signal(signal.SIGTERM)
            service.until(lambda: not _listens(service.port))
            blocking.rollback()
            assert [each.result().status for each in waiting] == [200] * 4
        assert service.process.wait(30) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
        left = list((project.folder / ".mgw" / "service").iterdir())
        assert [(path.suffix, path.stat().st_size) for path in left] == [(".lock", 0)]
        assert "the service has ended" in (project.folder / "log").read_text()


def test_on_sigterm_workers_that_are_still_starting_end_too(project):
    project.options = {"deadline_s": 20, "drain_s": 60}
    with locked(project, "content") as blocking, serving(project, "--workers", "2", wait=False) as service:
        service.until(lambda: waiting_for_a_lock(project) == 2)
        workers = service.workers()
        service.process.send_signal(signal.SIGTERM)
        threading.Event().wait(0.2)
        blocking.rollback()
        assert service.process.wait(10) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@contextlib.contextmanager
def locked(project, table):
    with psycopg.connect(project.url) as blocking:
        blocking.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield blocking


def waiting_for_a_lock(project):
    statement = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return project.fetch(statement)[0][0]


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_worker_that_is_killed_is_started_anew(project):
    project.train()
    with serving(project, "--workers", "2") as service:
        first = service.workers()
        os.kill(first[0], signal.SIGKILL)
        service.until(lambda: len(service.workers()) == 2 and first[0] not in service.workers())
        with Asking(service) as asking:
            service.until(lambda: len(asking.replies) > 50)
        assert {reply.status for reply in asking.replies} == {200}


def test_workers_do_not_outlive_the_main_process(project):
    project.train()
    with serving(project, "--workers", "2") as service:
        workers = service.workers()
        service.process.kill()
        service.process.wait()
        service.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def test_news_of_a_user_reach_every_worker(project):
    project.train()
    with serving(project, "--workers", "2") as service:
        for round_ in range(8):
            user = f"u{round_ + 1:05}"
            kept = [service.recommend(user, limit=5) for _ in range(12)]
            assert "hit" in {reply.headers["x-cache"] for reply in kept}
            watched = kept[0].json["recommendations"][0]["content_id"]
            assert update(service, user, event(watched)).json["events_new"] == 1
            for _ in range(12):
                listed = service.recommend(user, limit=5).json["recommendations"]
                assert watched not in {each["content_id"] for each in listed}


def test_an_update_that_fails_in_the_middle_stores_nothing(project):
    project.train()
    with serving(project) as service, psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE user_profiles ADD CONSTRAINT never CHECK (events_seen < 0) NOT VALID")
        refused = update(service, "eve", event())
        assert (refused.status, refused.json["error"]["code"]) == (503, "DATABASE_FAILED")
        assert "never" not in refused.json["error"]["message"]
        assert project.fetch("SELECT 1 FROM users WHERE external_id = 'eve'") == []
        connection.execute("ALTER TABLE user_profiles DROP CONSTRAINT never")
        assert update(service, "eve", event()).json["events_new"] == 1


def serve(folder, *options):
    return subprocess.run(
        [sys.executable, "-m", "mgw", "serve", "--only", "service", *options], cwd=folder, capture_output=True,
        text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_an_address_that_is_taken_or_none_is_refused(project):
    (project.folder / "mgw.yaml").write_text(f'database: {{url: "{project.url}"}}\n')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = serve(project.folder, "--port", str(taken.getsockname()[1]))
    assert answer.returncode == 2
    assert "error[ADDRESS_IN_USE]" in answer.stderr
    assert "--port" in answer.stderr
    assert not (project.folder / ".mgw" / "service").exists()
    answer = serve(project.folder, "--host", "no such host", "--port", str(free_port()))
    assert (answer.returncode, "error[ADDRESS_INVALID]" in answer.stderr) == (2, True)
    answer = serve(project.folder, "--port", "70000")
    assert answer.returncode == 2
    assert "service.port" in answer.stderr


def answers_and_replaces_workers(service):
    """Say whether a service has what it needs: to tell what is counted, and to start a worker."""
    before = service.workers()
    os.kill(before[0], signal.SIGKILL)
    service.until(lambda: len(service.workers()) == len(before) and before[0] not in service.workers())

    def tells():
        with contextlib.suppress(OSError):  # the connection was one that the dead worker would have taken
            return service.ask("GET", "/metrics").status == 200 and service.recommend().status == 200
        return False

    service.until(tells)
    return "Traceback" not in (service.project.folder / "log").read_text()


def test_a_second_service_of_the_same_address_is_refused_and_harms_nobody(project):
    with serving(project) as service:
        answer = serve(project.folder)
        assert (answer.returncode, "error[ADDRESS_IN_USE]" in answer.stderr) == (2, True)
        assert answers_and_replaces_workers(service)


def test_services_of_one_project_at_two_addresses_share_no_file(project):
    with serving(project) as service:
        command = [sys.executable, "-m", "mgw", "serve", "--only", "service", "--host", "127.0.0.2"]
        with subprocess.Popen(command, cwd=project.folder, stderr=subprocess.PIPE, text=True) as other:
            assert any("listens at" in line for line in other.stderr)
            other.terminate()
            other.stderr.read()
            assert other.wait(60) == 0
        assert answers_and_replaces_workers(service)


def test_of_two_services_that_begin_at_once_one_is_refused(project):
    port = free_port()
    (project.folder / "mgw.yaml").write_text(f'database: {{url: "{project.url}"}}\n')
    folder = project.folder / ".mgw" / "service"
    folder.mkdir(parents=True)
    with held(folder / f"127.0.0.1-{port}.lock") as is_ours:  # as one that does not listen yet
        assert is_ours
        answer = serve(project.folder, "--port", str(port))
        assert (answer.returncode, "error[ADDRESS_IN_USE]" in answer.stderr) == (2, True)
        assert [path.suffix for path in folder.iterdir()] == [".lock"]
