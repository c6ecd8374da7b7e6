"""Every query of the program runs, on an empty database and on a filled one, and keeps what it is given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

import psycopg
import pytest
from psycopg.types.json import Jsonb

from mgw.core.database import queries
from mgw.core.resources import resource
from mgw.ingest.sample import SampleSize
from mgw.ingest.sampling import load_sample

NOW = datetime(2026, 2, 1, 20, tzinfo=UTC)
WEIGHTS = bytes(10) + b"\x01\x02\x03\x04"  # behind a header
ADAPTER = {
    "name": "default", "base_snapshot": "lora-1", "format_version": 1, "rank": 8, "user_ids": ["u00001"],
    "weights": [WEIGHTS], "checksums": [sha256(WEIGHTS).digest()], "events_used": [20], "gains": [0.7], "errors": [0.1],
}  # fmt: skip
PROFILE = {
    "user_id": "u00001", "snapshot": "als-1", "preference": [0.5, -0.5], "genre_affinities": Jsonb({"drama": 0.8}),
    "hours": [1 / 24] * 24, "weekdays": [1 / 7] * 7, "events_seen": 20, "as_of": 1.7e9,
    "preference_length": 2.0, "genre_sums": [1.5], "liked_sum": 1.5, "basis": "decay",
}  # fmt: skip
COUNTED = {
    "event": "viewing.titles", "per": "", "window_s": 1e6, "before_s": 0.0, "kind": "count", "winsorize": 0.99,
}  # fmt: skip
AUDIT_PAGE = {
    "before_at": datetime(2100, 1, 1, tzinfo=UTC), "before_position": 2**62, "start": datetime(2000, 1, 1, tzinfo=UTC),
    "user_id": None, "action": None, "resource_type": None, "resource_id": None, "words": None, "top_k": 10,
}  # fmt: skip
SEEDS = {"seed_ids": [1, 2, 3], "top_k": 5}
QUESTIONS = {
    "adapters/begin_training": {},
    "adapters/end_training": {},
    "adapters/prune_bases": {"base_snapshots": ["lora-1"]},
    "adapters/undo": {"user_id": "u00001", "name": "default", "base_snapshot": "lora-1"},
    "adapters/count_of_base": {"base_snapshot": "lora-1", "name": "default"},
    "adapters/users_of_base": {"base_snapshot": "lora-1", "name": "default"},
    "adapters/users_since": {"since": NOW},
    "adapters/hold_users": {"user_ids": ["u00001", "u00002"]},
    "adapters/list": {"user_id": "u00001"},
    "adapters/load": {"user_id": "u00001", "name": "default", "base_snapshot": "als-1"},
    "adapters/prune": {"keep": 1, "base_in_use": "lora-1"},
    "adapters/prune_users": {"user_ids": ["u00001", "u00002"], "keep": 1},
    "adapters/delete": {"user_id": "u00001"},
    "audit/list": AUDIT_PAGE,
    "audit/ends": {},
    "audit/hash_at": {"position": 1},
    "audit/first_break": {"position": 0, "hash": b"", "size": 10, "last": 10},
    "audit/export": {"position": 0, "last": 10, "top_k": 10},
    "audit/last_before": {"before": NOW},
    "audit/is_chained": {},
    "catalogue/known_ids": {"content_ids": ["t0001", "none"]},
    "catalogue/unavailable": {"region": None, "moment": NOW},
    "catalogue/regions": {},
    "catalogue/only_read": {},
    "catalogue/by_ids": {"content_ids": ["t0001", "none"]},
    "catalogue/names": {},
    "catalogue/popular": {"half_life_days": 90.0, "minimum_completion": 0.7, "top_k": 5},
    "experiments/assign": {
        "salt": "s1",
        "user_ids": ["ann"],
        "starts": [0.0],
        "ends": [1.0],
        "namespace": "shared",
        "namespace_from": 0.0,
        "namespace_to": 1.0,
        "holdout": "all",
        "holdout_share": 0.1,
    },
    "experiments/assigned": {"user_id": "u00001"},
    "experiments/balance": {"experiment_id": 1, "until": NOW},
    "experiments/counted_events": {},
    "experiments/history": {
        "start": datetime(2020, 1, 1, tzinfo=UTC),
        "until": NOW,
        "most": 100,
        **{name: value for name, value in COUNTED.items() if name != "winsorize"},
    },
    "experiments/hold": {"name": "none"},
    "experiments/begin_guard": {"timeout_s": 60},
    "experiments/interleaved": {"experiment_id": 1, "until": NOW, "window_s": 1e6},
    "experiments/latest_viewing": {},
    "experiments/list": {"top_k": 5, "with_archived": True},
    "experiments/load": {"name": "none"},
    "experiments/models": {},
    "experiments/phases": {"experiment_id": 1},
    "experiments/quantiles": {
        "experiment_id": 1,
        "until": NOW,
        "position": 0,
        "event": "viewing.titles",
        "window_s": 1e6,
        "probabilities": [0.5, 0.9],
    },
    "experiments/running": {},
    "experiments/shown_titles": {
        "experiment_id": 1,
        "after_user": -1,
        "after_window": NOW,
        "top_k": 10,
        "window_s": 1e6,
    },
    "experiments/totals": {"experiment_id": 1, "until": NOW, **COUNTED},
    "experiments/uncounted": {"experiment_id": 1, "until": NOW},
    "experiments/work_in_memory": {},
    "graph/watch_history": {"user_id": "u00001", "top_k": 5},
    "graph/genre_similar": {"top_k": 5, "genres": ["Drama", "Comedy"], "shares": [0.6, 0.2]},
    "graph/theme_similar": {"top_k": 5, "themes": ["war"], "shares": [0.5]},
    "graph/director_similar": {"top_k": 5, "persons": ["Somebody"], "shares": [0.5]},
    "graph/cast_similar": {"top_k": 5, "persons": ["Somebody"], "shares": [0.5], "billed": 10},
    "graph/similar_users": {
        **SEEDS,
        "seed_weights": [1.0] * len(SEEDS["seed_ids"]),
        "viewers_per_seed": 9,
        "user_id": "u00001",
        "minimum_completion": 0.7,
        "minimum_in_common": 1,
    },
    "graph/highly_rated": {
        "user_ids": [1, 2],
        "user_weights": [0.5, 0.2],
        "minimum_completion": 0.7,
        "minimum_rating": 4.0,
        "per_user": 3,
        "top_k": 9,
    },
    "history/by_user": {"user_id": "u00001"},
    "history/user_exists": {"user_id": "u00001"},
    "profile/load_sums": {"user_id": "u00001", "snapshot": "als-1", "basis": "decay"},
    "training/users": {},
    "training/titles": {},
    "training/content": {},
    "training/devices": {"short_minutes": 30, "long_minutes": 60, "minimum_completion": 0.3},
    "training/events": {},
    "training/features": {},
}


@pytest.fixture
def platform(database):
    load_sample(database, SampleSize(users=30, titles=40, events=600), seed=1)
    return database


def run(connection, name, /, **parameters):
    found = getattr(queries, name.replace("/", "_"))(connection, **parameters)
    return list(found) if isinstance(found, Iterator) else found


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_query_runs_on_an_empty_database(database, name):
    run(database, name, **QUESTIONS[name])
    assert database.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_query_runs_on_a_filled_database(platform, name):
    found = run(platform, name, **QUESTIONS[name])
    if name.split("/")[0] in {"history", "training"} or name in {
        "catalogue/by_ids",
        "catalogue/names",
        "catalogue/known_ids",
    }:
        assert found


def test_no_query_of_the_program_lacks_an_index():
    prepared = list((resource("queries") / ".prepared").rglob("*.json"))
    assert len(prepared) > 80
    assert [path.name for path in prepared if json.loads(path.read_text()).get("plan")] == []


def test_every_query_of_the_program_is_run_by_a_test():
    names = {
        path.relative_to(resource("queries")).with_suffix("").as_posix() for path in resource("queries").rglob("*.sql")
    }
    elsewhere = {name for name in names if name.split("/")[0] in {"ingest", "migrations", "prepare", "evaluate"}}
    below = {
        "adapters/save_many", "profile/save", "audit/record", "audit/purge", "audit/begin_retention",
        "audit/end_retention", "profile/add_user", "profile/hold_user",
        "profile/add_events",
    }  # fmt: skip
    # Those that write are run by tests/experiments and tests/core/audit.
    below |= {
        f"experiments/{name}"
        for name in (
            "create", "redefine", "clear", "add_variants", "add_events", "add_phase", "add_users", "set_status",
            "record_exposures", "record_conversions",
        )
    }  # fmt: skip
    assert names - elsewhere == set(QUESTIONS) | below


def test_events_of_a_user_are_added_once_and_those_on_unknown_titles_not_at_all(platform):
    run(platform, "profile/add_user", user_id="ann")
    assert run(platform, "profile/add_user", user_id="ann") == 0
    user = run(platform, "profile/hold_user", user_id="ann")
    events = {
        "content_ids": ["t0001", "t0002", "none"], "at": [NOW] * 3, "completion_rates": [0.5, 1.0, 1.0],
        "ratings": [0.0, 4.5, 0.0], "are_rewatched": [False, True, False], "are_dismissed": [True, False, False],
        "devices": ["", "tv", ""],
    }  # fmt: skip
    added = run(platform, "profile/add_events", user_id=user, **events)
    at = NOW.timestamp()
    assert [tuple(row) for row in added] == [
        ("t0001", at, 0.5, None, False, True),
        ("t0002", at, 1.0, 4.5, True, False),
    ]
    assert run(platform, "profile/add_events", user_id=user, **events) == []
    stored = platform.execute(
        "SELECT completion_rate, rating, is_rewatch, dismissed, device FROM viewing_events WHERE user_id = %s"
        " ORDER BY content_id", (user,),
    ).fetchall()  # fmt: skip
    assert stored == [(0.5, None, False, True, None), (1.0, 4.5, True, False, "tv")]


def test_an_adapter_gets_the_next_version_and_the_latest_is_loaded(platform):
    assert [run(platform, "adapters/save_many", **ADAPTER) for _ in range(3)] == [1, 1, 1]
    loaded = run(platform, "adapters/load", user_id="u00001", name="default", base_snapshot="lora-1")
    assert (loaded[0], loaded[3], loaded[6]) == (3, WEIGHTS, {"gain": 0.7, "error": 0.1})
    assert run(platform, "adapters/load", user_id="u00001", name="default", base_snapshot="lora-2") is None
    run(platform, "adapters/save_many", **{**ADAPTER, "base_snapshot": "lora-0"})
    assert run(platform, "adapters/prune", keep=1, base_in_use="lora-1") == 2
    assert [row[1] for row in run(platform, "adapters/list", user_id="u00001")] == [4, 3]  # the latest, and that in use
    assert run(platform, "adapters/prune", keep=1, base_in_use="") == 1
    assert [row[1] for row in run(platform, "adapters/list", user_id="u00001")] == [4]
    run(platform, "adapters/save_many", **ADAPTER)
    assert run(platform, "adapters/count_of_base", base_snapshot="lora-1", name="default") == 1
    assert run(platform, "adapters/users_of_base", base_snapshot="lora-1", name="default") == ["u00001"]
    assert run(platform, "adapters/undo", user_id="u00001", name="default", base_snapshot="lora-2") == 0
    assert run(platform, "adapters/undo", user_id="u00001", name="default", base_snapshot="lora-1") == 1
    assert run(platform, "adapters/prune_bases", base_snapshots=["lora-2"]) == 0
    assert run(platform, "adapters/delete", user_id="u00001") == 1


def test_two_writers_of_one_user_never_get_the_same_version(platform, database_url):
    platform.commit()
    first = psycopg.connect(database_url)
    with first, psycopg.connect(database_url) as second:
        run(first, "adapters/hold_users", user_ids=["u00001"])
        run(first, "adapters/save_many", **ADAPTER)
        second.execute("SET lock_timeout = '50ms'")
        second.commit()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            run(second, "adapters/hold_users", user_ids=["u00001"])
        second.rollback()
        first.commit()
        run(second, "adapters/hold_users", user_ids=["u00001"])
        run(second, "adapters/save_many", **ADAPTER)
        assert run(second, "adapters/load", user_id="u00001", name="default", base_snapshot="lora-1")[0] == 2


def test_the_sums_of_a_profile_are_good_until_something_else_changes(platform):
    asked = {"user_id": "u00001", "snapshot": "als-1", "basis": "decay"}
    assert run(platform, "profile/load_sums", **asked) is None
    run(platform, "profile/save", **PROFILE)
    found = run(platform, "profile/load_sums", **asked)
    assert (found[0], found[1], found[2], found[3], found[4], found[7]) == (1.7e9, [0.5, -0.5], 2.0, [1.5], 1.5, 20)
    run(platform, "profile/save", **{**PROFILE, "preference_length": 2.5})
    assert run(platform, "profile/load_sums", **asked)[2] == 2.5
    for other in ({"user_id": "u00002"}, {"snapshot": "als-2"}, {"basis": "none"}):
        assert run(platform, "profile/load_sums", **{**asked, **other}) is None
    run(platform, "profile/save", **{**PROFILE, "as_of": float("nan")})
    assert run(platform, "profile/load_sums", **asked) is None
    run(platform, "profile/save", **PROFILE)
    platform.execute(
        "DELETE FROM viewing_events WHERE (user_id, at) = (SELECT user_id, max(at) FROM viewing_events"
        " WHERE user_id = (SELECT id FROM users WHERE external_id = 'u00001') GROUP BY user_id)"
    )
    assert run(platform, "profile/load_sums", **asked) is None
