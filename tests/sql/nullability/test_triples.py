"""Random schemas, rows and queries: no column that is said not to be NULL is."""

from __future__ import annotations

import psycopg
import pytest

from .random_triples import QUERIES_PER_SCHEMA, run


def _check(url: str, seeds: range) -> None:
    with psycopg.connect(url) as connection:
        tally = run(connection, seeds)
    assert not tally.violations, tally.violations[:3]
    # A run that claims little, or that sees few NULLs, would prove nothing.
    assert tally.triples > 0.7 * len(seeds) * QUERIES_PER_SCHEMA
    assert tally.claims > 0.2 * tally.columns
    assert tally.nullable_seen > 0.2 * tally.columns


def test_no_null_where_none_can_be(server_url, version):
    _check(server_url(version), range(version * 1000, version * 1000 + 6))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_no_null_where_none_can_be_in_ten_thousand(server_url, version):
    _check(server_url(version), range(version * 100_000, version * 100_000 + 250))
