"""The second half of `mgw demo --full`: adapters, an experiment, and a platform that serves, taken through its paces.

Every step is a command that anybody can type, or a request that anybody can send; what is not as it should be ends it.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgw.cli.output import out
from mgw.core.errors import DemoFailed
from mgw.core.resources import resource
from mgw.gateway.files import read_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GATEWAY = "gateway.yaml"
_EXPERIMENT = "experiment.yaml"
_DEFINITION = """\
name: more-context
hypothesis: Lists that follow the moment are watched more.
variants:
  - {name: control, weight: 0.5}
  - {name: context, weight: 0.5, config: {blend: {context: 0.3}}}
metrics:
  - {name: watched, kind: count, event: viewing.titles, window_days: 7}
  - {name: subscribed, kind: binary}
"""
_PATIENCE_S = 60.0
_USERS = 40
_LOAD_THREADS = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered with.

    Attributes:
        status: of HTTP.
        headers: by their names in small letters.
        content: the JSON.
    """

    status: int
    headers: dict[str, str]
    content: Any


@dataclass(slots=True)
class Journey:
    """A way through the whole platform.

    Attributes:
        folder: of the project.
        environment: that its programs run in.
        port: of the gateway.
        tokens: of users, made once each.
    """

    folder: Path
    environment: dict[str, str]
    port: int
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)

    def mgw(self, *arguments: str, shows: bool = True) -> str:
        """Run a command, show it and what it says, and return that.

        Raises:
            DemoFailed: it ends with another exit code than 0.
        """
        if shows:
            out.print(f"$ mgw {shlex.join(arguments)}")
        done = subprocess.run(
            [sys.executable, "-m", "mgw", *arguments], cwd=self.folder, env=self.environment, capture_output=True,
            text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode != 0:
            raise DemoFailed(
                f"`mgw {shlex.join(arguments)}` ended with {done.returncode}", hint=(done.stderr or done.stdout).strip()
            )
        if shows:
            out.print(f"{done.stdout.rstrip()}\n")
        return done.stdout

    def token(self, user: str, *scopes: str) -> str:
        """Return a token of a user for development, of the tier that may ask most."""
        if (user, *scopes) not in self.tokens:
            options = [option for scope in scopes for option in ("--scope", scope)]
            made = self.mgw("token", user, "--tier", "enterprise", *options, shows=False)
            self.tokens[user, *scopes] = made.strip()
        return self.tokens[user, *scopes]

    def ask(self, method: str, path: str, message: object = None, token: str | None = None) -> Answer:
        """Send a request to the gateway."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        body = None if message is None else json.dumps(message)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, f"/api/v1{path}", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, json.loads(content) if content else None)

    def recommend(self, user: str, token: str) -> Answer:
        """Ask for a list."""
        return self.ask("POST", "/sona/recommendations", {"user_id": user, "limit": 5}, token)


def prepare(folder: Path, service_port: int, gateway_port: int, admin_port: int) -> Journey:
    """Give a project a gateway on free ports, unless it has one, and return the way through it."""
    path = folder / GATEWAY
    if not path.exists():
        text = (resource("configs") / GATEWAY).read_text(encoding="utf-8")
        text = text.replace("port: 8080", f"port: {gateway_port}", 1)
        path.write_text(text.replace("# admin: {port: 8090}", f"admin: {{port: {admin_port}}}", 1), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MGW_")}
    environment = {**kept, "MGW_SERVICE_PORT": str(service_port), "NO_COLOR": "1"}
    return Journey(folder, environment, read_gateway(path).port)


def travel(journey: Journey) -> None:
    """Go the whole way.

    Raises:
        DemoFailed: something is not as it should be.
    """
    _heading("The program's SQL, held against its schema")
    journey.mgw("check")
    _heading("Adapters of single users")
    journey.mgw("train", "lora")
    user = _with_an_adapter(journey)
    journey.mgw("recommend", user, "-k", "5")
    journey.mgw("recommend", user, "-k", "5", "--no-adapter")
    _heading("An experiment")
    (journey.folder / _EXPERIMENT).write_text(_DEFINITION, encoding="utf-8")
    if "more-context" not in journey.mgw("experiment", "list", "--json", shows=False):
        journey.mgw("experiment", "create", _EXPERIMENT)
        journey.mgw("experiment", "start", "more-context")
    with _serving(journey) as process:
        _use(journey, user)
        _exchange_the_model(journey, user)
        _heading("What is known of the experiment so far")
        journey.mgw("experiment", "report", "more-context")
        _heading("How everything stands")
        journey.mgw("status", "--require", "service,gateway")
        journey.mgw("audit", "list", "--limit", "5")
        journey.mgw("audit", "verify")
        _heading("The end")
        _end(journey, process)


def _with_an_adapter(journey: Journey) -> str:
    """Return a user whose adapter changes something."""
    for number in range(1, 200):
        user = f"u{number:05}"
        with _allowed_to_fail():
            found = json.loads(journey.mgw("adapters", "show", user, "--json", shows=False))
            if any(each["lora_boost"] for each in found["lifts"]):
                return user
    raise DemoFailed("none of the first 200 users has an adapter")


@contextmanager
def _allowed_to_fail() -> Iterator[None]:
    try:
        yield
    except DemoFailed:
        return


@contextmanager
def _serving(journey: Journey) -> Iterator[subprocess.Popen[bytes]]:
    """Run service and gateway until the block ends, however it does."""
    _heading("The service, and the gateway in front of it")
    out.print("$ mgw serve &\n")
    with (journey.folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mgw", "serve"], cwd=journey.folder, env=journey.environment, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            _until("the gateway answers", lambda: _is_ready(journey, process))
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(_PATIENCE_S)


def _is_ready(journey: Journey, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise DemoFailed(f"`mgw serve` ended with {process.returncode}", hint=f"{journey.folder}/serve.log says why")
    try:
        return journey.ask("GET", "/health/aggregate").status == 200
    except OSError:
        return False


def _use(journey: Journey, user: str) -> None:
    """Ask for what the platform is for, as the apps of users and the programs of the platform do."""
    own, other = journey.token(user), journey.token("somebody-else")
    first = _expect(journey.recommend(user, own), 200)
    title = first.content["recommendations"][0]["content_id"]
    again = _expect(journey.recommend(user, own), 200)
    similar = _expect(journey.ask("POST", "/sona/recommendations/similar", {"content_id": title, "limit": 3}), 200)
    scored = _expect(
        journey.ask("POST", "/sona/personalization/score", {"user_id": user, "content_id": title}, own), 200
    )
    event = {"content_id": title, "at": datetime.now(UTC).isoformat(), "completion_rate": 1.0, "rating": 5}
    watched = {"user_id": user, "viewing_events": [event]}
    told = _expect(journey.ask("POST", "/sona/profile/update", watched, own), 200)
    later = _expect(journey.recommend(user, own), 200)
    if title in [each["content_id"] for each in later.content["recommendations"]]:
        raise DemoFailed(f"{title} was watched, and is recommended still")
    nobody = _expect(journey.ask("POST", "/sona/recommendations", {"user_id": user}), 401)
    another = _expect(journey.recommend(user, other), 403)
    converted = _conversions(journey)
    limited = _run_into_a_limit(journey)
    rows = [
        ("a list", first, f"x-cache: {first.headers.get('x-cache')}"),
        ("the same again", again, f"x-cache: {again.headers.get('x-cache')}"),
        ("titles like its first", similar, "without a token"),
        ("a score, in parts", scored, ", ".join(f"{k} {v:.2f}" for k, v in scored.content["components"].items())),
        ("the first is watched", told, f"{told.content['events_new']} event is new"),
        ("a list after that", later, "without it"),
        ("a list without a token", nobody, nobody.content["error"]["code"]),
        ("somebody else's list", another, another.content["error"]["code"]),
        ("conversions", converted, "of programs with the scope `conversions`"),
        ("far too many requests", limited, f"retry-after: {limited.headers.get('retry-after')}"),
    ]
    out.table(
        "Through the gateway", ["request", ">status", ""], [(name, each.status, note) for name, each, note in rows]
    )


def _conversions(journey: Journey) -> Answer:
    """Expose some users to the experiment, and say that half of them subscribed."""
    program = journey.token("shop", "any-user", "conversions")
    users = [f"u{number:05}" for number in range(100, 100 + _USERS)]
    for each in users:
        _expect(journey.recommend(each, program), 200)
    conversions = [{"user_id": each, "event": "subscribed", "idempotency_key": f"demo-{each}"} for each in users[::2]]
    return _expect(journey.ask("POST", "/sona/experiments/conversions", {"conversions": conversions}, program), 200)


def _run_into_a_limit(journey: Journey) -> Answer:
    """Ask without a token until the gateway has had enough."""
    for _ in range(400):
        answer = journey.ask("POST", "/sona/recommendations/similar", {"content_id": "t0001", "limit": 1})
        if answer.status == 429:
            return answer
    raise DemoFailed("400 requests without a token, and none was too many")


def _exchange_the_model(journey: Journey, user: str) -> None:
    """Train another model while requests come in, and lose none of them."""
    _heading("Another model, taken into use while requests come in")
    program = journey.token("shop", "any-user", "conversions")
    before = journey.recommend(user, program).content["model"]
    with _load(journey, program) as answers:
        journey.mgw("train", "als", "--seed", "1")
        _until("the new model answers", lambda: journey.recommend(user, program).content["model"] != before)
    lost = [status for status in answers if status != 200]
    if lost or not answers:
        raise DemoFailed(f"{len(lost)} of {len(answers)} requests were not answered with 200: {sorted(set(lost))}")
    out.print(f"{len(answers):,} requests meanwhile, all answered with 200\n")
    journey.mgw("train", "lora")  # of the model that is in use now; the service takes them up by itself


@contextmanager
def _load(journey: Journey, token: str) -> Iterator[list[int]]:
    """Send requests of many users without a pause while the block runs; yield what they are answered with."""
    answers: list[int] = []
    ended = threading.Event()

    def send(first: int) -> None:
        number = first
        while not ended.is_set():
            number += 1
            try:
                answers.append(journey.recommend(f"u{number % 2000:05}", token).status)
            except (OSError, http.client.HTTPException):
                answers.append(0)
            ended.wait(0.02)  # the limit of the tier is 200 a second

    threads = [threading.Thread(target=send, args=(place * 500,)) for place in range(_LOAD_THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _end(journey: Journey, process: subprocess.Popen[bytes]) -> None:
    """End the platform, and see that nothing of it is left."""
    process.send_signal(signal.SIGTERM)
    code = process.wait(_PATIENCE_S)
    if code != 0:
        raise DemoFailed(f"`mgw serve` ended with {code}", hint="serve.log says why")
    _until("its processes are gone", lambda: not _working_in(journey.folder))
    out.print("`mgw serve` has ended, and no process of it is left")


def _working_in(folder: Path) -> list[int]:
    """Return the processes that work in a folder, or below it; none where the system does not tell."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if link.readlink().is_relative_to(folder):
                found.append(int(link.parent.name))
    return [pid for pid in found if pid != os.getpid()]


def _expect(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise DemoFailed(f"a request was answered with {answer.status} instead of {status}: {answer.content}")
    return answer


def _until(what: str, holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise DemoFailed(f"{_PATIENCE_S:.0f} s have passed, and it did not come about that {what}")
        time.sleep(0.1)


def _heading(text: str) -> None:
    out.print(f"\n== {text} ==\n")
