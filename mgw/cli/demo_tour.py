"""The second half of `mgw demo --full`: adapters, an experiment, and a platform that serves, taken through its paces.

Every step is a command that anybody can type, or a request that anybody can send; what is not as it should be ends it.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from mgw.cli.demo_project import until
from mgw.cli.output import out
from mgw.core.errors import DemoFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.cli.demo_project import Answer, DemoProject

_EXPERIMENT = "experiment.yaml"
_NAME = "more-context"
_DEFINITION = """\
name: {name}
hypothesis: Lists that follow the moment are watched more.
variants:
  - {{name: control, weight: 0.5}}
  - {{name: context, weight: 0.5, config: {{blend: {{context: 0.3}}}}}}
metrics:
  - {{name: watched, kind: count, event: viewing.titles, window_days: 7}}
  - {{name: subscribed, kind: binary}}
"""
_USERS = 40
_LOAD_THREADS = 4

_Row: TypeAlias = tuple[str, int, str]


def tour(project: DemoProject) -> None:
    """Go the whole way.

    Raises:
        DemoFailed: something is not as it should be.
    """
    _heading("The program's SQL, held against its schema")
    project.show("check")
    _heading("Adapters of single users")
    project.show("train", "lora")
    user = _with_an_adapter(project)
    project.show("recommend", user, "-k", "5")
    project.show("recommend", user, "-k", "5", "--no-adapter")
    _heading("An experiment")
    experiment = _running_experiment(project)
    _heading("The service, and the gateway in front of it")
    out.print("$ mgw serve &\n")
    with project.serving() as process:
        rows = [*_shown(project, user), *_refused(project, user), *_told(project)]
        out.table("Through the gateway", ["request", ">status", ""], rows)
        _exchange_the_model(project, user)
        _heading("What is known of the experiment so far")
        project.show("experiment", "report", experiment)
        _heading("How everything stands")
        project.show("status", "--require", "service,gateway")
        project.show("audit", "list", "--limit", "5")
        project.show("audit", "verify")
        _heading("The end")
        project.end(process)
    out.print("`mgw serve` has ended, and no process of it is left")


def _with_an_adapter(project: DemoProject) -> str:
    """Return a user whose adapter changes something."""
    for number in range(1, 200):
        user = f"u{number:05}"
        with suppress(DemoFailed):  # not everybody has one
            found = json.loads(project.mgw("adapters", "show", user, "--json"))
            if any(each["lora_boost"] for each in found["lifts"]):
                return user
    raise DemoFailed("none of the first 200 users has an adapter")


def _running_experiment(project: DemoProject) -> str:
    """Return an experiment that runs: that of a tour before, unless it is over."""
    listed = json.loads(project.mgw("experiment", "list", "--archived", "--json"))["experiments"]
    known = {each["name"]: each["status"] for each in listed}
    names = itertools.chain([_NAME], (f"{_NAME}-{number}" for number in itertools.count(2)))
    name = next(name for name in names if known.get(name) not in {"completed", "archived"})
    if name not in known:
        (project.folder / _EXPERIMENT).write_text(_DEFINITION.format(name=name), encoding="utf-8")
        project.show("experiment", "create", _EXPERIMENT)
    if known.get(name) != "running":
        project.show("experiment", "start", name)
    return name


def _shown(project: DemoProject, user: str) -> list[_Row]:
    """Ask for what the apps of users show, and tell that a title was watched."""
    token = project.token(user)
    first = _expect(_recommend(project, user, token), 200)
    title = first.content["recommendations"][0]["content_id"]
    again = _expect(_recommend(project, user, token), 200)
    similar = _expect(project.ask("POST", "/sona/recommendations/similar", {"content_id": title, "limit": 3}), 200)
    asked = {"user_id": user, "content_id": title}
    scored = _expect(project.ask("POST", "/sona/personalization/score", asked, token), 200)
    event = {"content_id": title, "at": datetime.now(UTC).isoformat(), "completion_rate": 1.0, "rating": 5}
    watched = {"user_id": user, "viewing_events": [event]}
    told = _expect(project.ask("POST", "/sona/profile/update", watched, token), 200)
    later = _expect(_recommend(project, user, token), 200)
    if title in [each["content_id"] for each in later.content["recommendations"]]:
        raise DemoFailed(f"{title} was watched, and is recommended still")
    parts = ", ".join(f"{name} {value:.2f}" for name, value in scored.content["components"].items())
    return [
        ("a list", first.status, f"x-cache: {first.headers.get('x-cache')}"),
        ("the same again", again.status, f"x-cache: {again.headers.get('x-cache')}"),
        ("titles like its first", similar.status, "without a token"),
        ("a score, in parts", scored.status, parts),
        ("the first is watched", told.status, f"{told.content['events_new']} event is new"),
        ("a list after that", later.status, "without it"),
    ]


def _refused(project: DemoProject, user: str) -> list[_Row]:
    """Ask for what nobody is given."""
    nobody = _expect(project.ask("POST", "/sona/recommendations", {"user_id": user}), 401)
    another = _expect(_recommend(project, user, project.token("somebody-else")), 403)
    return [
        ("a list without a token", nobody.status, nobody.content["error"]["code"]),
        ("somebody else's list", another.status, another.content["error"]["code"]),
    ]


def _told(project: DemoProject) -> list[_Row]:
    """Expose some users to the experiment, and say that half of them subscribed; then ask more than anybody may."""
    program = project.token("shop", "any-user", "conversions")
    users = [f"u{number:05}" for number in range(100, 100 + _USERS)]
    for each in users:
        _expect(_recommend(project, each, program), 200)
    conversions = [{"user_id": each, "event": "subscribed", "idempotency_key": f"demo-{each}"} for each in users[::2]]
    told = _expect(project.ask("POST", "/sona/experiments/conversions", {"conversions": conversions}, program), 200)
    limited = _run_into_a_limit(project)
    return [
        ("conversions", told.status, "of programs with the scope `conversions`"),
        ("far too many requests", limited.status, f"retry-after: {limited.headers.get('retry-after')}"),
    ]


def _run_into_a_limit(project: DemoProject) -> Answer:
    """Ask without a token until the gateway has had enough."""
    for _ in range(400):
        answer = project.ask("POST", "/sona/recommendations/similar", {"content_id": "t0001", "limit": 1})
        if answer.status == 429:
            return answer
    raise DemoFailed("400 requests without a token, and none was too many")


def _exchange_the_model(project: DemoProject, user: str) -> None:
    """Train another model while requests come in, and lose none of them."""
    _heading("Another model, taken into use while requests come in")
    program = project.token("shop", "any-user", "conversions")
    before = _expect(_recommend(project, user, program), 200).content["model"]
    with _load(project, program) as answers:
        project.show("train", "als", "--seed", "1")
        until(
            "the new model answers", lambda: _expect(_recommend(project, user, program), 200).content["model"] != before
        )
    lost = [status for status in answers if status != 200]
    if lost or not answers:
        raise DemoFailed(f"{len(lost)} of {len(answers)} requests were not answered with 200: {sorted(set(lost))}")
    out.print(f"{len(answers):,} requests meanwhile, all answered with 200\n")
    project.show("train", "lora")  # of the model that is in use now; the service takes them up by itself


@contextmanager
def _load(project: DemoProject, token: str) -> Iterator[list[int]]:
    """Send requests of many users without a pause while the block runs; yield what they are answered with."""
    answers: list[int] = []
    ended = threading.Event()

    def send(first: int) -> None:
        number = first
        while not ended.is_set():
            number += 1
            try:
                answers.append(_recommend(project, f"u{number % 2000:05}", token).status)
            except (OSError, http.client.HTTPException, ValueError):
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


def _recommend(project: DemoProject, user: str, token: str) -> Answer:
    return project.ask("POST", "/sona/recommendations", {"user_id": user, "limit": 5}, token)


def _expect(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise DemoFailed(f"a request was answered with {answer.status} instead of {status}: {answer.content}")
    return answer


def _heading(text: str) -> None:
    out.print(f"\n== {text} ==\n")
