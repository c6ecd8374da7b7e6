"""Who takes part, and why: in the order that the module says, and the same as in SQL where buckets alone decide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mgw.core.audit import Actor
from mgw.core.database import queries
from mgw.experiments.assignment import variant_ranges
from mgw.experiments.participation import Running, Why, read_running
from mgw.experiments.store import replace_experiment, set_status

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACTOR = Actor("tester")
USERS = [f"user-{number}" for number in range(400)]


def running(definition, **given):
    return Running(**{"id": 1, "definition": definition, "started_at": NOW, "phase": 0,
                      "weights": tuple(definition.weights), **given})  # fmt: skip


def test_each_reason_comes_before_those_below_it(define):
    everything = {
        "forced": {"qa": "more"}, "holdout": {"name": "all", "share": 0.3},
        "namespace": {"name": "home", "from": 0.0, "to": 0.6}, "targeting": {"device_type": "tv"}, "traffic": 0.5,
    }  # fmt: skip
    asked = running(define(**everything))
    tv, phone = {"device_type": "tv"}, {"device_type": "phone"}
    assert asked.place("qa", NOW, attributes=phone).why is Why.FORCED
    assert asked.place("qa", NOW).position == 1
    assert not asked.place("qa", NOW).is_counted
    found = {user: asked.place(user, NOW, attributes=tv, before=1) for user in USERS}
    held = {user for user, each in found.items() if each.why is Why.HELD_OUT}
    outside = {user for user, each in found.items() if each.why is Why.NAMESPACE}
    assert len(held) / len(USERS) == pytest.approx(0.3, abs=0.07)
    assert len(outside) / (len(USERS) - len(held)) == pytest.approx(0.4, abs=0.08)
    left = [user for user in USERS if user not in held | outside]
    assert {found[user].why for user in left} == {Why.STICKY}
    assert {asked.place(user, NOW, attributes=phone, before=1).why for user in left} == {Why.NOT_TARGETED}
    fresh = [asked.place(user, NOW, attributes=tv) for user in left]
    assert {each.why for each in fresh} == {Why.ASSIGNED, Why.NO_TRAFFIC}
    assert sum(each.position is not None for each in fresh) / len(left) == pytest.approx(0.5, abs=0.1)


def test_who_was_let_in_by_a_ramp_stays_in(define):
    asked = running(define(ramp=[{"after_days": 0, "traffic": 0.1}, {"after_days": 2, "traffic": 0.6}]))
    early, late = ({user: asked.place(user, NOW + timedelta(days=days)).position for user in USERS} for days in (1, 3))
    let_in = {user for user, position in early.items() if position is not None}
    assert len(let_in) / len(USERS) == pytest.approx(0.1, abs=0.05)
    assert {user: late[user] for user in let_in} == {user: early[user] for user in let_in}
    assert sum(position is not None for position in late.values()) / len(USERS) == pytest.approx(0.6, abs=0.08)


def test_python_places_users_as_sql_does(database, define):
    definition = define(holdout={"name": "all", "share": 0.2}, namespace={"name": "home", "from": 0.3, "to": 0.9},
                        traffic=0.7)  # fmt: skip
    asked = running(definition)
    ranges = variant_ranges(definition.weights, definition.traffic)
    rows = queries.experiments_assign(
        database, salt=asked.salt, user_ids=USERS, starts=[each.start for each in ranges],
        ends=[each.end for each in ranges], namespace="home", namespace_from=0.3, namespace_to=0.9, holdout="all",
        holdout_share=0.2,
    )  # fmt: skip
    placed = {user: asked.place(user, NOW).position for user in USERS}
    assert dict(rows) == {user: position for user, position in placed.items() if position is not None}


def test_who_was_exposed_stays_in_the_variant_when_the_weights_change(database, define, begin, expose):
    experiment = begin(define())
    (asked,) = read_running(database)
    before = {user: asked.place(user, NOW).position for user in USERS}
    for user in USERS[:50]:
        expose(experiment, user, before[user])
    set_status(database, "blend", "paused", ACTOR)
    assert read_running(database) == ()
    variants = [{"name": "control", "weight": 0.05}, {"name": "more", "weight": 0.95}]
    replace_experiment(database, define(variants=variants), ACTOR)
    set_status(database, "blend", "running", ACTOR)
    (asked,) = read_running(database)
    assert (asked.phase, asked.weights) == (1, (0.05, 0.95))
    for user in USERS[:50]:
        (row,) = queries.experiments_assigned(database, user_id=user)
        assert asked.place(user, NOW, before=row.position).position == before[user]
    share = sum(asked.place(user, NOW).position == 1 for user in USERS) / len(USERS)
    assert share == pytest.approx(0.95, abs=0.04)
