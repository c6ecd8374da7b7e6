"""Adapters in the service: taken into use while it runs, trained by request, and following new events."""

from __future__ import annotations

import threading

import numpy as np
import psycopg
import pytest

from mgw.core.errors import DatabaseUnreachable
from mgw.recommend.hybrid import Hybrid
from mgw.recommend.lora.adapters import Adapters
from mgw.service.refits import Refits
from tests.service.conftest import SETTINGS, serving

USER = "u00002"


@pytest.fixture(scope="module")
def adapted(make_project):
    """A service whose adapters came while it ran; each test has a user of its own."""
    project = make_project()
    project.train()
    with serving(project) as service:
        before = service.recommend(USER, limit=20)
        assert service.recommend(USER, limit=20).headers["x-cache"] == "hit"
        assert service.health()["model"]["adapters"] is None
        assert train(service, USER).json["error"]["code"] == "ADAPTERS_MISSING"
        shared = project.train_adapters()
        service.until(lambda: service.health()["model"]["adapters"] == shared)
        after = service.recommend(USER, limit=20)
        assert after.headers["x-cache"] == "miss"
        assert before.json["recommendations"] != after.json["recommendations"]
        yield service


def train(service, user, **values):
    return service.post("/lora/train", {"user_id": user, **values})


def versions(service, user):
    return [version for version, in service.project.fetch(
        "SELECT version FROM lora_adapters a JOIN users u ON u.id = a.user_id WHERE u.external_id = %s ORDER BY 1", user
    )]  # fmt: skip


def test_a_list_is_that_of_the_library_with_the_users_adapter(adapted):
    project = adapted.project
    snapshot = project.store.current()
    hybrid = Hybrid(snapshot, SETTINGS, Adapters.in_use(project.shared_tiers, snapshot, SETTINGS.lora))
    with psycopg.connect(project.url, options="-c timezone=UTC") as connection:
        expected = hybrid.recommend(connection, USER, 12, rng=np.random.default_rng(0)).recommendations
    listed = adapted.recommend(USER, limit=12).json["recommendations"]
    assert [each["content_id"] for each in listed] == [each.content_id for each in expected]
    score = adapted.post("/personalization/score", {"user_id": USER, "content_id": listed[0]["content_id"]}).json
    assert score["components"]["lora_boost"] != 0
    assert score["score"] == pytest.approx(sum(score["components"].values()))
    assert score["score"] == pytest.approx(listed[0]["confidence_score"])


def test_a_user_is_trained_by_request(adapted):
    user = "u00003"
    reply = train(adapted, user).json
    assert reply["duration_ms"] > 0
    assert {**reply, "duration_ms": 0} == {
        "status": "unchanged", "user_id": user, "duration_ms": 0, "training_iterations": 0,
        "events_used": reply["events_used"], "version": 1,
    }  # fmt: skip
    reply = train(adapted, user, force=True).json
    assert (reply["status"], reply["training_iterations"], reply["version"]) == ("trained", 1, 2)
    assert versions(adapted, user) == [1, 2]


def test_who_cannot_be_trained_hears_why(adapted):
    reply = train(adapted, "nobody")
    assert (reply.status, reply.json["error"]["code"]) == (404, "USER_UNKNOWN")
    adapted.post("/profile/update", {"user_id": "zoe", "viewing_events": [watched("t0001", 1)]})
    reply = train(adapted, "zoe")
    assert (reply.status, reply.json["error"]["code"]) == (400, "TOO_FEW_EVENTS")
    assert reply.json["error"]["message"].endswith("and there are 1")
    assert train(adapted, "zoe", force="yes").status == 400


def watched(content, day):
    return {"content_id": content, "at": f"2026-03-{day:02}T20:00:00Z"}


def test_an_adapter_follows_new_events(adapted):
    user = "u00004"
    before = adapted.recommend(user, limit=20).json["recommendations"]
    reply = adapted.post("/profile/update", {"user_id": user, "viewing_events": [watched(before[-1]["content_id"], 2)]})
    assert reply.json["events_new"] == 1
    adapted.until(lambda: versions(adapted, user) == [1, 2])
    assert train(adapted, user).json["status"] == "unchanged"


def test_a_new_user_gets_an_adapter_with_enough_titles(adapted):
    events = [watched(f"t{place:04}", place % 28 + 1) for place in range(1, 26)]
    adapted.post("/profile/update", {"user_id": "yan", "viewing_events": events[:12]})
    assert train(adapted, "yan").json["status"] == "unsupported"
    adapted.post("/profile/update", {"user_id": "yan", "viewing_events": events})
    adapted.until(lambda: versions(adapted, "yan") == [1])


def test_adapters_of_another_model_are_not_used(project):
    project.train(seed=0)
    project.train_adapters()
    with serving(project) as service:
        service.until(lambda: service.health()["model"]["adapters"] is not None)
        second = project.train(seed=1)
        service.until(lambda: service.health()["model"]["name"] == second)
        assert service.health()["model"]["adapters"] is None
        shared = project.train_adapters()
        service.until(lambda: service.health()["model"]["adapters"] == shared)
    log = (project.folder / "log").read_text(encoding="utf-8")
    assert f"WARNING mgw.service.models: the adapters are of another model than {second}: none are used" in log
    assert f"INFO mgw.service.models: the adapters are of {shared} now" in log


def test_a_damaged_shared_tier_leaves_the_model_without(project):
    project.train()
    shared = project.train_adapters()
    (project.shared_tiers.root / shared / "directions.npy").write_bytes(b"")
    with serving(project) as service:
        assert service.recommend(USER).status == 200
        health = service.health()
        assert (health["status"], health["model"]["adapters"]) == ("ok", None)
    assert "the adapters cannot be taken" in (project.folder / "log").read_text(encoding="utf-8")


def test_each_waiting_user_is_trained_once_and_all_before_the_end():
    done, began, go_on = [], threading.Event(), threading.Event()

    def work(user):
        began.set()
        assert go_on.wait(20)
        done.append(user)
        if user == "ann":
            raise DatabaseUnreachable("away")
        if user == "ben":
            raise ZeroDivisionError

    refits = Refits(work)
    refits.start()
    refits.add("ann")
    assert began.wait(20)
    for user in ("ben", "ann", "ben", "cleo", "ben"):
        refits.add(user)
    go_on.set()
    refits.close(20)
    assert done == ["ann", "ben", "ann", "cleo"]
