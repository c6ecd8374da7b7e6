"""Minutes of mixed load on the service, and every minute a new model, a restart of the database and a killed worker.

    python benchmarks/soak.py [--minutes 10] [--clients 4]

Fails where an answer is wrong, an event that was acknowledged is not in the database, or the worker that lives through
it all grows. Wrong is: another status than 200, 503 and 504; a list that is too short, names a title twice, is by a
model that there never was, or, where nothing was away, holds a title that its user has watched. A connection that a
killed worker drops is counted, and asked again. Runs on sample data and the embedded database.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from machine import add_row, print_machine
from serving import MGW, free_port, make_project, run, serving

from mgw.core.artifacts import ModelStore
from mgw.core.database import Database
from mgw.core.settings import load_settings

SAMPLE = {"users": 1000, "titles": 800, "events": 60_000}
SEED = 0
GROWTH_MB = 25
KEPT = 500  # lists at most, so that a worker has them all by the second minute
_STATUSES = {200, 503, 504}


class Client(threading.Thread):
    """One that asks, checks what it is answered, and remembers what it was promised.

    Attributes:
        statuses: how often which, "dropped" among them.
        wrong: what was wrong, in words.
        stored: the events that were acknowledged: user, title, time.
    """

    def __init__(self, number: int, port: int, models: set[str], ended: threading.Event) -> None:
        super().__init__()
        self.number, self._port, self._models, self._ended = number, port, models, ended
        self._rng = random.Random(SEED + number)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._watched: dict[str, set[str]] = {}
        self.statuses: Counter[object] = Counter()
        self.degraded = 0
        self.wrong: list[str] = []
        self.stored: set[tuple[str, str, str]] = set()
        self._events = 0

    def run(self) -> None:
        """Ask until it ends."""
        while not self._ended.is_set():
            draw = self._rng.random()
            if draw < 0.75:
                self._recommend()
            elif draw < 0.9:
                self._update()
            elif draw < 0.95:
                self._ask("/recommendations/similar", {"content_id": self._title(), "limit": 5})
            else:
                self._ask("/personalization/score", {"user_id": self._user(), "content_id": self._title()})

    def _recommend(self) -> None:
        mine = self._rng.random() < 0.5
        user = self._mine() if mine else self._user()
        limit = self._rng.randint(3, 12)
        status, answer = self._ask("/recommendations", {"user_id": user, "limit": limit})
        if status != 200:
            return
        ids = [each["content_id"] for each in answer["recommendations"]]
        self.degraded += bool(answer["degraded"])
        if len(set(ids)) != limit:
            self.wrong.append(f"{len(set(ids))} titles instead of {limit}")
        if answer["model"] not in self._models:
            self.wrong.append(f"by {answer['model']}")
        if not answer["degraded"] and (again := self._watched.get(user, set()) & set(ids)):
            self.wrong.append(f"{user} has watched {again}")

    def _update(self) -> None:
        user = self._mine()
        events = []
        for _ in range(self._rng.randint(1, 3)):
            self._events += 1
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + self._events))
            events.append({"content_id": self._title(), "at": at, "completion_rate": 0.9})
        while not self._ended.is_set():  # until it is acknowledged: to send it twice does no harm
            status, _ = self._ask("/profile/update", {"user_id": user, "viewing_events": events})
            if status == 200:
                self.stored |= {(user, event["content_id"], event["at"]) for event in events}
                self._watched.setdefault(user, set()).update(event["content_id"] for event in events)
                return
            self._ended.wait(0.2)

    def _ask(self, path: str, body: object) -> tuple[int, dict]:
        try:
            self._connection.request("POST", f"/api/v1{path}", json.dumps(body))
            reply = self._connection.getresponse()
            status, answer = reply.status, json.loads(reply.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self.statuses["dropped"] += 1
            self._ended.wait(0.05)
            return 0, {}
        self.statuses[status] += 1
        if status not in _STATUSES:
            self.wrong.append(f"{path}: {status} {answer}")
        return status, answer

    def _mine(self) -> str:
        return f"client-{self.number}-{self._rng.randint(1, 20)}"

    def _user(self) -> str:
        return f"u{self._rng.randint(1, SAMPLE['users']):05}"

    def _title(self) -> str:
        return f"t{self._rng.randint(1, SAMPLE['titles']):04}"


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    print_machine(("mgw", "granian", "psycopg"), f"seed {SEED}, {options.clients} clients, {options.minutes} minutes")
    with tempfile.TemporaryDirectory() as name:
        return _soak(Path(name), options)


def _soak(folder: Path, options: argparse.Namespace) -> int:
    make_project(folder, None, SAMPLE)
    config = folder / "mgw.yaml"
    config.write_text(re.sub(r"cache_entries: \d+", f"cache_entries: {KEPT}", config.read_text()))
    store = ModelStore(folder / ".mgw" / "models")
    first = store.current_name()
    run(folder, "train", "als", "--seed", "1")
    models = [first, store.current_name()]
    run(folder, "train", "lora")  # of the second model, so that adapters come and go with it, and follow the events
    port, ended = free_port(), threading.Event()
    with serving(
        [*MGW, "serve", "--only", "service", "--port", str(port), "--workers", "2"],
        folder,
        port,
        "/health",
        folder / "log",
    ) as main_:
        clients = [Client(number, port, {str(each) for each in models}, ended) for number in range(options.clients)]
        for client in clients:
            client.start()
        elder, memory = _disturb(folder, options.minutes, main_.pid, models)
        ended.set()
        for client in clients:
            client.join()
    lost = _lost(folder, set().union(*(client.stored for client in clients)))
    return _report(clients, lost, elder, memory)


def _disturb(folder: Path, minutes: int, main_pid: int, models: list[str | None]) -> tuple[int, list[float]]:
    """Disturb once a minute; return the worker that was let live, and its memory in MB, minute by minute."""
    database = Database.of(load_settings(config=folder / "mgw.yaml"))
    store = ModelStore(folder / ".mgw" / "models")
    time.sleep(5)
    elder = _workers(main_pid)[0]
    memory = []
    for minute in range(minutes):
        time.sleep(15)
        store.use(str(models[minute % 2]))
        time.sleep(15)
        assert database.embedded is not None
        database.embedded.stop()  # the service starts it again
        time.sleep(15)
        others = [pid for pid in _workers(main_pid) if pid != elder]
        if others:
            os.kill(others[0], signal.SIGKILL)
        time.sleep(15)
        memory.append(_resident_mb(elder))
        print(f"minute {minute + 1}: worker {elder} has {memory[-1]:.0f} MB", file=sys.stderr, flush=True)
    return elder, memory


def _workers(main_pid: int) -> list[int]:
    found = []
    for child in Path(f"/proc/{main_pid}/task/{main_pid}/children").read_text(encoding="ascii").split():
        with contextlib.suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return sorted(found)


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1]) / 1024


def _lost(folder: Path, stored: set[tuple[str, str, str]]) -> int:
    with Database.of(load_settings(config=folder / "mgw.yaml")).session() as connection:
        rows = connection.execute(
            'SELECT u.external_id, c.external_id, to_char(e.at, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') FROM viewing_events e'
            " JOIN users u ON u.id = e.user_id JOIN content c ON c.id = e.content_id"
            " WHERE u.external_id LIKE 'client-%'"
        ).fetchall()
    return len(stored - set(rows))


def _report(clients: list[Client], lost: int, elder: int, memory: list[float]) -> int:
    statuses: Counter[object] = sum((client.statuses for client in clients), Counter())
    wrong = [each for client in clients for each in client.wrong]
    stored = sum(len(client.stored) for client in clients)
    growth = memory[-1] - memory[min(1, len(memory) - 1)]
    print("answers: " + ", ".join(f"{count:,} × {status}" for status, count in statuses.most_common()))
    print(f"of these degraded, and saying so: {sum(client.degraded for client in clients):,}")
    print(f"wrong answers: {len(wrong)}" + "".join(f"\n  {each}" for each in wrong[:10]))
    print(f"events acknowledged: {stored:,}, of these lost: {lost}")
    course = ", ".join(f"{each:.0f}" for each in memory)
    print(f"memory of worker {elder}: {course} MB; {growth:+.0f} after the second minute")
    add_row("answers", statuses.total())
    add_row("wrong answers", len(wrong))
    add_row("events acknowledged", stored)
    add_row("of these lost", lost)
    add_row("growth of the worker after the second minute", growth, "MB")
    if failed := bool(wrong) or lost > 0 or growth > GROWTH_MB:
        print(f"FAILED: {len(wrong)} wrong, {lost} lost, {growth:+.0f} MB of {GROWTH_MB}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
