"""`mgw sample`: sizes and seeds that make no sense are refused before anything is made."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


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
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MGW_")}
    done = subprocess.run(
        [sys.executable, "-m", "mgw", "sample", *arguments],
        cwd=tmp_path, env={**clean, "MGW_DATABASE_URL": database_url, "NO_COLOR": "1"},
        capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error[PARAMETERS_INVALID]: {complaint}")
    assert f"hint: {hint}" in done.stderr
    assert not any(contents().values())


@pytest.mark.parametrize("arguments", [["--seed", "one"], ["--events", "1e6"]])
def test_what_is_no_number_is_a_usage_error(tmp_path, arguments):
    done = subprocess.run(
        [sys.executable, "-m", "mgw", "sample", *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert arguments[0] in done.stderr
    assert list(tmp_path.iterdir()) == []
