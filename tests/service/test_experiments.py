"""Experiments in the service: a definition becomes other answers, exposures that are not lost, and a report."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from mgw.experiments.assignment import bucket
from tests.service.conftest import serving

USERS = [f"u{number:05}" for number in range(1, 41)]
VARIANTS = [
    {"name": "control", "weight": 0.5},
    {
        "name": "popular",
        "weight": 0.5,
        "config": {"blend": {"collaborative": 0, "content": 0, "graph": 0, "context": 1}},
    },
]
DEFINITION = {"name": "blend", "variants": VARIANTS, "metrics": [{"name": "bought", "kind": "binary"}]}


def side(user, salt="blend"):
    return "control" if bucket(salt, user) < 0.5 else "popular"


def put(service, name, status):
    return service.ask("PUT", f"/api/v1/experiments/{name}/status", json.dumps({"status": status}).encode())


def start(service, definition):
    assert service.post("/experiments", definition).status == 200
    assert put(service, definition["name"], "running").json["status"] == "running"
    service.until(lambda: "experiment_variant" in first(service, "probe"))


def first(service, user, **values):
    return service.recommend(user, **values).json["recommendations"][0]


def titles(service, user):
    return [each["content_id"] for each in service.recommend(user).json["recommendations"]]


def exposures(project, name="blend"):
    return project.fetch(
        "SELECT u.external_id, v.name, x.slate, x.propensities, x.teams FROM experiment_exposures x"
        " JOIN experiments e ON e.id = x.experiment_id JOIN users u ON u.id = x.user_id"
        " JOIN experiment_variants v ON v.experiment_id = x.experiment_id AND v.position = x.position"
        " WHERE e.name = %s AND u.external_id LIKE 'u0%%' ORDER BY 1",
        name,
    )


def test_variants_answer_otherwise_and_are_logged_with_slate_and_propensities(fresh_service):
    before = {user: titles(fresh_service, user) for user in USERS}
    start(fresh_service, DEFINITION)
    after = {user: fresh_service.recommend(user).json["recommendations"] for user in USERS}
    for user in USERS:
        assert {each["experiment_variant"] for each in after[user]} == {f"blend:{side(user)}"}
        same = [each["content_id"] for each in after[user]] == before[user]
        if side(user) == "control":
            assert same
    changed = [user for user in USERS if [each["content_id"] for each in after[user]] != before[user]]
    assert len(changed) > 10
    fresh_service.until(lambda: len(exposures(fresh_service.project)) == len(USERS))
    ids = dict(fresh_service.project.fetch("SELECT id, external_id FROM content"))
    for user, variant, slate, propensities, teams in exposures(fresh_service.project):
        assert variant == side(user)
        assert [ids[each] for each in slate] == [each["content_id"] for each in after[user]]
        assert (propensities, teams) == ([1.0] * len(slate), [])
    for user in USERS:
        fresh_service.recommend(user, limit=3)  # the same window: nothing new is kept
    put(fresh_service, "blend", "paused")
    fresh_service.until(lambda: "experiment_variant" not in first(fresh_service, USERS[0]))
    assert {user: titles(fresh_service, user) for user in USERS} == before
    assert len(exposures(fresh_service.project)) == len(USERS)


def test_from_the_definition_to_the_report_over_http(fresh_service):
    start(fresh_service, DEFINITION)
    for user in USERS:
        fresh_service.recommend(user)
    conversions = [{"user_id": user, "event": "bought", "idempotency_key": user} for user in USERS[:10]]
    assert fresh_service.post("/experiments/conversions", {"conversions": conversions}).json == {"given": 10, "new": 10}
    assert fresh_service.post("/experiments/conversions", {"conversions": conversions}).json == {"given": 10, "new": 0}
    fresh_service.until(lambda: len(exposures(fresh_service.project)) == len(USERS))
    report = fresh_service.ask("GET", "/api/v1/experiments/blend/metrics").json
    users = {each["name"]: each["users"] for each in report["variants"]}
    assert sum(users.values()) == len(USERS) + 1  # and the probe
    rates = report["metrics"][0]["values"]
    assert sum(rates[name] * users[name] for name in users) == pytest.approx(10)
    assert report["advice"]["verdict"] == "wait"
    (listed,) = fresh_service.ask("GET", "/api/v1/experiments").json["experiments"]
    assert (listed["name"], listed["status"], listed["users"]) == ("blend", "running", len(USERS) + 1)
    shown = fresh_service.ask("GET", "/api/v1/experiments/blend").json
    assert shown["definition"]["variants"][1]["config"] == VARIANTS[1]["config"]
    actions = fresh_service.project.fetch(
        "SELECT action, host(ip) FROM audit_logs WHERE resource_type = 'experiment' ORDER BY position"
    )
    assert actions == [("experiment.created", "127.0.0.1"), ("experiment.started", "127.0.0.1")]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/experiments", {**DEFINITION, "name": "e1", "variants": [{"name": "a", "weight": 0.9}] * 2},
         (400, "EXPERIMENT_INVALID", "sum to 1.8")),
        ("POST", "/experiments", {**DEFINITION, "traffic": 2}, (400, "BAD_REQUEST", "traffic")),
        ("GET", "/experiments/none", None, (404, "EXPERIMENT_UNKNOWN", "none")),
        ("GET", "/experiments/none/metrics", None, (404, "EXPERIMENT_UNKNOWN", "none")),
        ("PUT", "/experiments/none/status", {"status": "running"}, (404, "EXPERIMENT_UNKNOWN", "none")),
        ("PUT", "/experiments/none/status", {"status": "draft"}, (400, "BAD_REQUEST", "status")),
        ("DELETE", "/experiments/none", None, (405, "METHOD_NOT_ALLOWED", "GET")),
        ("GET", "/experiments/a/b/c", None, (404, "NOT_FOUND", "nothing here")),
        ("GET", "/experiments//metrics", None, (404, "NOT_FOUND", "nothing here")),
        ("POST", "/experiments/conversions", {"conversions": []}, (400, "BAD_REQUEST", "conversions")),
        ("POST", "/experiments/conversions",
         {"conversions": [{"user_id": "ann", "event": "sold", "idempotency_key": "k"}]},
         (400, "BAD_REQUEST", "conversions[0].event")),
        ("POST", "/experiments/conversions",
         {"conversions": [{"user_id": "ann", "event": "sold", "idempotency_key": "k", "at": "2999-01-01T00:00:00Z"}]},
         (400, "BAD_REQUEST", "in the future")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_said(service, method, path, body, expected):
    reply = service.ask(method, f"/api/v1{path}", None if body is None else json.dumps(body).encode())
    status, code, said = expected
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert said in json.dumps(reply.json["error"])


def test_a_name_is_taken_once_and_there_are_ways_that_cannot_be_gone(service):
    draft = {**DEFINITION, "name": "twice"}
    assert service.post("/experiments", draft).status == 200
    for reply in (service.post("/experiments", draft), put(service, "twice", "completed")):
        assert reply.status == 409


def test_exposures_outlive_a_database_that_is_away_and_a_worker_that_is_killed(project, postgres_url):
    project.train()
    url = psycopg.conninfo.conninfo_to_dict(project.url)["dbname"]
    with serving(project) as service:
        start(service, DEFINITION)
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            closed = psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format
            admin.execute(closed(psycopg.sql.Identifier(url), psycopg.sql.SQL("false")))
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [url])
            answers = {user: service.recommend(user).json for user in USERS[:20]}
            assert all(answer["degraded"] == ["database"] for answer in answers.values())
            for user, answer in answers.items():
                assert answer["recommendations"][0]["experiment_variant"] == f"blend:{side(user)}"
            for worker in service.workers():
                os.kill(worker, signal.SIGKILL)
            admin.execute(closed(psycopg.sql.Identifier(url), psycopg.sql.SQL("true")))
        service.until(lambda: {row[0] for row in exposures(project)} == set(USERS[:20]))
        for user in USERS[20:]:
            service.until(lambda user=user: service.recommend(user).status == 200)
        assert service.stop() == 0
    assert {row[0] for row in exposures(project)} == set(USERS)
    assert list((project.folder / ".mgw" / "service" / "exposures").iterdir()) == []


def test_interleaving_shows_both_and_says_which_brought_what(fresh_service):
    definition = {**DEFINITION, "name": "mixed", "interleave": True}
    start(fresh_service, definition)
    brought = set()
    for user in USERS[:10]:
        listed = fresh_service.recommend(user).json["recommendations"]
        assert len({each["content_id"] for each in listed}) == len(listed) > 3
        brought |= {each["experiment_variant"] for each in listed}
    assert brought == {"mixed:control", "mixed:popular"}
    fresh_service.until(lambda: len(exposures(fresh_service.project, "mixed")) == 10)
    for _, variant, slate, propensities, teams in exposures(fresh_service.project, "mixed"):
        assert (variant, propensities, len(teams)) == ("control", [], len(slate))
        assert abs(2 * sum(teams) - len(teams)) <= 2


def test_another_model_answers_for_its_variant_and_one_that_is_not_there_leaves_the_experiment_out(project):
    other = project.train(seed=5)
    project.train(seed=0)
    with serving(project) as service:
        variants = [
            {"name": "control", "weight": 0.5},
            {"name": "popular", "weight": 0.5, "config": {"model": "als-none"}},
        ]
        assert service.post("/experiments", {**DEFINITION, "name": "gone", "variants": variants}).status == 200
        assert put(service, "gone", "running").status == 200
        variants = [{"name": "control", "weight": 0.5}, {"name": "popular", "weight": 0.5, "config": {"model": other}}]
        before = {user: titles(service, user) for user in USERS}
        start(service, {**DEFINITION, "variants": variants})
        after = {user: service.recommend(user).json["recommendations"] for user in USERS}
        for user in USERS:
            assert after[user][0]["experiment_variant"] == f"blend:{side(user)}"
        changed = {user for user in USERS if [each["content_id"] for each in after[user]] != before[user]}
        assert changed
        assert {side(user) for user in changed} == {"popular"}


def test_the_service_pauses_what_does_harm(project):
    project.train()
    with serving(project, experiments={"guard_s": 0.5}) as service:
        start(service, DEFINITION)
        began = datetime.now(UTC) - timedelta(minutes=1)
        with psycopg.connect(project.url) as connection:
            connection.execute(
                "INSERT INTO users (external_id) SELECT 'lost-' || n FROM generate_series(1, 3000) AS s (n)"
            )
            connection.execute(
                "INSERT INTO experiment_assignments (experiment_id, user_id, position, phase, exposed_at)"
                " SELECT e.id, u.id, 0, 0, %s FROM experiments e, users u WHERE u.external_id LIKE 'lost-%%'",
                [began],
            )
        paused = "SELECT status FROM experiments WHERE name = 'blend'"
        service.until(lambda: project.fetch(paused) == [("paused",)])
        ((user, why),) = project.fetch(
            "SELECT user_id, details->>'why' FROM audit_logs WHERE action = 'experiment.paused'"
        )
        assert user == "mgw service"
        assert "shares of users" in why


def test_a_variant_without_adapters_answers_as_if_there_were_none(project):
    project.train()
    with serving(project) as service:
        without = {user: titles(service, user) for user in USERS}
        shared = project.train_adapters()
        service.until(lambda: service.health()["model"]["adapters"] == shared)
        adapted = {user: titles(service, user) for user in USERS}
        variants = [
            {"name": "control", "weight": 0.5},
            {"name": "popular", "weight": 0.5, "config": {"adapter": False}},
        ]
        start(service, {**DEFINITION, "variants": variants})
        shown = {user: titles(service, user) for user in USERS}
    assert any(without[user] != adapted[user] for user in USERS if side(user) == "popular")
    for user in USERS:
        assert shown[user] == (without if side(user) == "popular" else adapted)[user]


def test_a_variant_makes_its_lists_more_various(fresh_service):
    various = {user: _ids_with(fresh_service, user, diversity_threshold=1.0) for user in USERS}
    plain = {user: titles(fresh_service, user) for user in USERS}
    variants = [
        {"name": "control", "weight": 0.5},
        {"name": "popular", "weight": 0.5, "config": {"diversity": {"threshold": 1.0}}},
    ]
    start(fresh_service, {**DEFINITION, "variants": variants})
    for user in USERS:
        assert titles(fresh_service, user) == (various if side(user) == "popular" else plain)[user]
    assert any(various[user] != plain[user] for user in USERS if side(user) == "popular")


def _ids_with(service, user, **values):
    return [each["content_id"] for each in service.recommend(user, **values).json["recommendations"]]
