"""Counts that several processes leave in files: they add up, and what cannot be added begins anew."""

from __future__ import annotations

import pytest

from mgw.core.count_files import add_counts, counts_with
from mgw.core.metrics import Registry


def sample(*labels, bounds=(1.0, 2.0)):
    registry = Registry()
    registry.counter("mgw_runs_total", "Runs.", *labels).of(*labels).add()
    registry.histogram("mgw_run_seconds", "How long.", bounds=bounds).of().observe(1.5)
    return registry.sample()


def numbers(families):
    return {family.name: child.numbers for family in families for child in family.children}


def test_what_ends_is_added_to_what_ended_before(tmp_path):
    for _ in range(3):
        add_counts(tmp_path / "deep" / "runs.counts", sample("kind"))
    assert numbers(counts_with(tmp_path / "deep" / "runs.counts", [])) == {
        "mgw_runs_total": (3.0,),
        "mgw_run_seconds": (0.0, 3.0, 0.0, 4.5),
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sample("kind"), sample("kind", bounds=(1.0, 2.0, 3.0))),
        (sample("kind"), sample("kind", "outcome")),
    ],
    ids=["bounds", "labels"],
)
def test_counts_that_are_declared_in_another_way_now_begin_anew(tmp_path, before, after):
    path = tmp_path / "runs.counts"
    add_counts(path, before)
    assert numbers(counts_with(path, after)) == numbers(after)
    add_counts(path, after)
    add_counts(path, after)
    assert numbers(counts_with(path, []))["mgw_runs_total"] == (2.0,)


def test_a_file_that_cannot_be_read_begins_anew(tmp_path):
    path = tmp_path / "runs.counts"
    path.write_bytes(b"\xc1")
    add_counts(path, sample())
    assert numbers(counts_with(path, [])) == numbers(sample())


def test_where_nothing_can_be_written_the_process_goes_on(tmp_path, caplog):
    (tmp_path / "file").touch()
    add_counts(tmp_path / "file" / "runs.counts", sample())
    assert "cannot be kept" in caplog.text
