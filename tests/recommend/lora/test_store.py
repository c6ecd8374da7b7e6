"""Adapters in a real database: versions, their shared tier, and what is damaged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
import pytest

from mgw.core.database import queries
from mgw.core.errors import AdapterDamaged
from mgw.recommend.lora.store import NAME, Adapter, load_adapter, prune_adapters, save_adapters

WEIGHTS = np.array([[0.5, -1.25, 3.0]], dtype=np.float32)


def adapters(*users):
    return [Adapter(user, WEIGHTS * place, 12, 0.01, 0.002) for place, user in enumerate(users, 1)]


@pytest.fixture
def connection(platform, database_url):
    platform.commit()
    with psycopg.connect(database_url) as connected:
        yield connected


def test_each_save_is_the_next_version_and_the_latest_is_loaded(connection):
    assert save_adapters(connection, "lora-1", adapters("u00001", "u00002", "nobody")) == 2
    assert save_adapters(connection, "lora-1", adapters("u00002")) == 1
    first, second = (load_adapter(connection, user, "lora-1", numbers=3) for user in ("u00001", "u00002"))
    assert (first.version, second.version) == (1, 2)
    np.testing.assert_array_equal(first.weights, WEIGHTS)
    assert (first.events_used, first.gain, first.error) == (12, 0.01, 0.002)
    save_adapters(connection, "lora-1", adapters("u00002"))
    assert prune_adapters(connection, ["u00002", "nobody"], keep=2) == 1
    kept = connection.execute(
        "SELECT version FROM lora_adapters a JOIN users u ON u.id = a.user_id WHERE external_id = 'u00002' ORDER BY 1"
    ).fetchall()
    assert kept == [(2,), (3,)]


def test_those_of_a_shared_tier_that_are_not_zero_are_counted(connection):
    save_adapters(connection, "lora-1", [*adapters("u00001", "u00002"), Adapter("u00003", np.zeros_like(WEIGHTS), 12)])
    save_adapters(connection, "lora-1", adapters("u00002"))  # a second version of the same user's
    save_adapters(connection, "lora-2", adapters("u00004"))
    save_adapters(connection, "lora-1", adapters("u00005"), name="other")
    assert queries.adapters_count_of_base(connection, base_snapshot="lora-1", name=NAME) == 2
    save_adapters(connection, "lora-1", [Adapter("u00006", np.array([[0, 0, 6e-8]], np.float32), 12)])
    assert queries.adapters_count_of_base(connection, base_snapshot="lora-1", name=NAME) == 3


def test_an_adapter_of_another_shared_tier_is_not_found_and_one_of_another_rank_refused(connection):
    save_adapters(connection, "lora-1", adapters("u00001"))
    assert load_adapter(connection, "u00001", "lora-2", numbers=3) is None
    assert load_adapter(connection, "u00003", "lora-1", numbers=3) is None
    with pytest.raises(AdapterDamaged, match="1 × 3, not 1 × 4"):
        load_adapter(connection, "u00001", "lora-1", numbers=4)


def test_what_was_changed_in_the_table_is_refused(connection):
    save_adapters(connection, "lora-1", adapters("u00001"))
    connection.execute("UPDATE lora_adapters SET weights = weights || '\\x00'::bytea")
    with pytest.raises(AdapterDamaged, match="checksum"):
        load_adapter(connection, "u00001", "lora-1", numbers=3)


def test_those_who_save_at_once_get_versions_one_after_the_other(connection, database_url):
    def save(_turn):
        with psycopg.connect(database_url) as own:
            return save_adapters(own, "lora-1", adapters("u00002", "u00001"))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(save, range(12))) == [2] * 12
    versions = connection.execute("SELECT user_id, array_agg(version ORDER BY version) FROM lora_adapters GROUP BY 1")
    assert [found for _, found in versions.fetchall()] == [list(range(1, 13))] * 2
