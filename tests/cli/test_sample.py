"""`mgw sample`: sizes and seeds that make no sense are refused before anything is made."""

from __future__ import annotations

import pytest
from commands import mgw


@pytest.mark.parametrize(
    ("arguments", "complaint", "hint"),
    [
        (["--seed", "-1"], "the seed of a sample is -1", "choose a whole number from 0 upwards"),
        (["--events", "5"], "a sample of 5 events by 2000 users on 1500 titles", "ask for 10000 to 1500000 events"),
        (["--events", "-5"], "a sample of -5 events", "ask for 10000 to 1500000 events"),
        (["--users", "0"], "a sample of 0 users", "ask for 1 user or more"),
        (["--titles", "1"], "a sample of 1 titles", "ask for 10 titles or more"),
        (["--users", "10"], "a sample of 150000 events by 10 users", "ask for 50 to 7500 events"),
    ],
)
def test_a_sample_that_makes_no_sense(tmp_path, database_url, contents, *, arguments, complaint, hint):
    done = mgw(tmp_path, "sample", *arguments, MGW_DATABASE_URL=database_url)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error[PARAMETERS_INVALID]: {complaint}")
    assert f"hint: {hint}" in done.err
    assert not any(contents().values())


@pytest.mark.parametrize("arguments", [["--seed", "one"], ["--events", "1e6"]])
def test_what_is_no_number_is_a_usage_error(tmp_path, arguments):
    done = mgw(tmp_path, "sample", *arguments)
    assert (done.code, done.out) == (2, "")
    assert arguments[0] in done.err
    assert list(tmp_path.iterdir()) == []
