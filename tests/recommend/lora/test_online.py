"""One user's training: the same B as with everybody, new versions only for what is new, and turns."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
import pytest
from msgspec.structs import replace

from mgw.core.errors import TooFewEvents, UserUnknown
from mgw.recommend.history import read_history
from mgw.recommend.lora.adapters import Adapters
from mgw.recommend.lora.online import fit_history, train_user
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.user import fit_users
from tests.recommend.lora.conftest import SETTINGS


def train(project, user, **options):
    done = train_user(project.connection, user, project.adapters, project.columns, **options)
    return done.status, done.version


def watch(project, user, content, at):
    project.connection.execute(
        "INSERT INTO viewing_events (user_id, content_id, at, completion_rate)"
        " SELECT u.id, c.id, %s, 1 FROM users u, content c WHERE u.external_id = %s AND c.external_id = %s",
        (at, user, content),
    )
    project.connection.commit()


def test_one_user_gets_the_same_b_as_with_everybody(project):
    user = project.user
    weights, events = fit_history(project.adapters, read_history(project.connection, user), project.columns)
    kept = project.adapters.load(project.connection, user)
    assert events == kept.events_used
    assert weights == pytest.approx(kept.weights, rel=2e-3)
    counts = Recency.of(project.data.events)
    row = project.data.user_ids.tolist().index(user.encode())
    together = fit_users(project.adapters.towers, counts, np.array([row]), SETTINGS.lora, threads=1)
    assert weights == pytest.approx(together, rel=1e-5)


def test_a_new_version_is_stored_where_something_is_new(project):
    user = project.user
    assert train(project, user) == ("unchanged", 1)
    assert train(project, user, force=True) == ("trained", 2)
    seen = read_history(project.connection, user).seen
    project.connection.commit()
    watch(project, user, next(name for name in project.columns if name not in seen), "2026-02-01 20:00Z")
    before = project.adapters.load(project.connection, user).weights
    project.connection.commit()
    assert train(project, user) == ("trained", 3)
    assert not (project.adapters.load(project.connection, user).weights == before).all()
    project.connection.commit()
    for version in (4, 5):
        assert train(project, user, force=True) == ("trained", version)
    versions = project.connection.execute(
        "SELECT version FROM lora_adapters a JOIN users u ON u.id = a.user_id WHERE u.external_id = %s ORDER BY 1",
        (user,),
    ).fetchall()
    assert versions == [(3,), (4,), (5,)]  # so many are kept


def test_whom_held_out_titles_do_not_speak_for_gets_one_only_by_force(project):
    assert train(project, project.brief) == ("unsupported", None)
    assert train(project, project.opposed) == ("unsupported", 1)
    assert train(project, project.brief, force=True) == ("trained", 1)
    assert train(project, project.opposed, force=True) == ("trained", 2)
    assert train(project, project.opposed) == ("unchanged", 2)


def test_a_damaged_adapter_is_written_anew(project):
    user = project.user
    project.connection.execute("UPDATE lora_adapters SET weights = '\\x00'")
    project.connection.commit()
    assert train(project, user) == ("trained", 2)


def test_too_few_titles_and_nobody_are_refused(project):
    with pytest.raises(UserUnknown):
        train(project, "nobody")
    many = Adapters.of(project.tiers.current(), project.snapshot, replace(SETTINGS.lora, minimum_events=1000))
    with pytest.raises(TooFewEvents, match=r"takes 1000 liked titles whose times are known, and there are \d\d"):
        train_user(project.connection, project.user, many, project.columns)


def test_the_last_of_those_who_train_a_user_at_once_has_seen_all_events(project, database_url):
    user = project.user
    seen = read_history(project.connection, user).seen
    project.connection.commit()
    unseen = [name for name in project.columns if name not in seen][:8]

    def watch_and_train(place):
        watch(project_of[place], user, unseen[place], f"2026-02-0{place + 1} 20:00Z")
        return train_user(project_of[place].connection, user, project.adapters, project.columns).status

    connections = [psycopg.connect(database_url) for _ in unseen]
    project_of = [
        type(project)(each, *(getattr(project, name) for name in ("data", "snapshot", "models", "tiers", "trained")))
        for each in connections
    ]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(watch_and_train, range(len(unseen)))) <= {"trained", "unchanged"}
    for each in connections:
        each.close()
    assert train(project, user)[0] == "unchanged"
