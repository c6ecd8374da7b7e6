"""`mgw experiment`: run as users run it, against a database with a sample."""

from __future__ import annotations

import csv
import json

import psycopg
import pytest
from commands import mgw

from mgw.ingest.sample import SampleSize
from mgw.ingest.sampling import load_sample

FILE = """\
name: more-content
hypothesis: More like it makes people watch more.
variants:
  - {name: control, weight: 0.5}
  - {name: content, weight: 0.5, config: {blend: {content: 0.4}}}
metrics:
  - {name: watched, kind: count, event: viewing.titles, window_days: 7, before_days: 60}
  - {name: bought, kind: binary}
  - {name: dismissed, kind: count, event: viewing.dismissed, direction: decrease, guardrail: true, margin: 0.1}
"""


@pytest.fixture
def experiment(tmp_path, database_url):
    """A function that runs `mgw experiment` in a project with a definition and a sample of viewing."""
    with psycopg.connect(database_url, options="-c timezone=UTC") as connection:
        load_sample(connection, SampleSize(users=200, titles=80, events=8_000), seed=1)
    (tmp_path / "mgw.yaml").write_text(json.dumps({"database": {"url": database_url}}))
    (tmp_path / "e.yaml").write_text(FILE)

    def run(*arguments, code=0):
        done = mgw(tmp_path, "experiment", *arguments)
        assert done.code == code, done.err
        return done

    run.folder = tmp_path
    return run


def test_from_a_file_to_a_report(experiment):
    assert "is draft" in experiment("create", "e.yaml").out
    assert "EXPERIMENT_EXISTS" in experiment("create", "e.yaml", code=1).err
    assert "EXPERIMENT_STATUS_INVALID" in experiment("stop", "more-content", code=1).err
    experiment("start", "more-content", "--why", "because")
    assert json.loads(experiment("list", "--json").out)["experiments"][0]["status"] == "running"
    (placed,) = json.loads(experiment("assign", "u00001", "--json").out)["experiments"]
    assert (placed["experiment"], placed["why"]) == ("more-content", "assigned by the bucket")
    for number in range(2):
        done = experiment("record", "--user", "u00001", "--event", "bought", "--key", "one", "--json")
        assert json.loads(done.out) == {"given": 1, "new": 1 - number}
    report = json.loads(experiment("report", "more-content", "--json", "--html", "e.html").out)
    assert report["uncounted_conversions"] == {"bought": {"without_exposure": 1, "before_exposure": 0}}
    assert report["advice"]["verdict"] == "cannot-say"
    assert "confidence sequences" in (experiment.folder / "e.html").read_text()
    text = experiment("report", "more-content")
    assert "Nothing can be said of watched yet" in text.out
    assert "without exposure" in text.err
    assert "no harm found" in experiment("guard").out
    assert json.loads(experiment("show", "more-content", "--json").out)["definition"]["name"] == "more-content"
    for verb in ("pause", "start", "stop", "archive"):
        experiment(verb, "more-content")
    assert json.loads(experiment("list", "--json").out)["experiments"] == []
    assert json.loads(experiment("list", "--archived", "--json").out)["experiments"][0]["status"] == "archived"


def test_conversions_of_a_file_are_recorded_all_or_none(experiment):
    experiment("create", "e.yaml")
    experiment("start", "more-content")
    lines = ["user,event,key,value,at", "u00001,bought,a,1,2026-01-01", "u00002,bought,b,,"]
    (experiment.folder / "good.csv").write_text("\n".join(lines) + "\n")
    (experiment.folder / "bad.csv").write_text("\n".join([*lines, "u00003,sold,c,1,"]) + "\n")
    wrong = experiment("record", "bad.csv", code=1).err
    assert "line 4, event: no metric of a running or paused experiment counts 'sold'" in wrong
    assert "2 conversions, 2 new" in experiment("record", "good.csv").out
    assert "2 conversions, 0 new" in experiment("record", "good.csv").out
    for text, said in (("user,event\n", "no column key"), ("user,event,key,value\nu,bought,k,x\n", "is not a number"),
                       ("user,event,key\nu,bought\n", "2 values in 3 columns"),
                       ("user,event,key\n,bought,k\n", "user is empty")):  # fmt: skip
        (experiment.folder / "odd.csv").write_text(text)
        assert said in experiment("record", "odd.csv", code=2 if "column key" in said else 1).err
    assert "USAGE_INVALID" in experiment("record", code=2).err
    assert "USAGE_INVALID" in experiment("record", "good.csv", "--user", "x", code=2).err


def test_a_plan_and_its_simulation_are_of_the_users_of_the_past(experiment):
    found = json.loads(experiment("plan", "e.yaml", "--lift", "0.05", "--days", "60", "--json").out)
    assert found["users_per_variant"] > 100
    assert found["users_per_day"] > 0
    by_hand = ("--mean", "0.2", "--sd", "0.4", "--users-per-day", "1000")
    planned = json.loads(experiment("plan", "e.yaml", "--metric", "bought", *by_hand, "--lift", "0.1", "--json").out)
    assert planned["days"] == pytest.approx(planned["users_per_variant"] / 500)
    assert planned["detectable"][0]["lift"] > planned["detectable"][-1]["lift"]
    assert "What can be found by when" in experiment("plan", "e.yaml", "--metric", "bought", *by_hand).out
    assert "NOT_ENOUGH_DATA" in experiment("plan", "e.yaml", "--metric", "bought", code=1).err
    assert "EXPERIMENT_UNKNOWN" in experiment("plan", "e.yaml", "--metric", "none", code=1).err
    asked = ("simulate", "e.yaml", "--days", "60", "--runs", "60", "--looks", "10", "--lift", "0.5", "--users", "2000")
    simulated = json.loads(experiment(*asked, "--json").out)
    assert simulated["without_effect"]["found"] <= 0.1
    assert simulated["with_effect"]["found"] > 0.9
    assert "one-look intervals" in experiment(*asked).out


def test_off_policy_from_a_file(experiment):
    rows = [("user", "reward", "propensity", "target")]
    rows += [(f"u{number % 300}", int(number % 4 == 0), 0.5, 0.5) for number in range(2_000)]
    with (experiment.folder / "log.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    found = json.loads(experiment("off-policy", "log.csv", "--json").out)
    estimates = {each["estimator"]: each for each in found["estimates"]}
    assert estimates["ips"]["estimate"] == pytest.approx(0.25)
    assert estimates["direct"]["problem"]
    assert (found["decisions"], found["effective_size"]) == (2_000, pytest.approx(2_000))
    assert "doubly-robust" in experiment("off-policy", "log.csv").out
    (experiment.folder / "log.csv").write_text("user,reward,propensity,target\na,1,0.5,0\nb,1,0.5,0\n")
    experiment("off-policy", "log.csv", code=1)
    (experiment.folder / "log.csv").write_text("user,reward,propensity,target\na,1,half,0\n")
    assert "line 2" in experiment("off-policy", "log.csv", code=1).err


def test_what_was_shown_is_exported(experiment, database_url):
    experiment("create", "e.yaml")
    experiment("start", "more-content")
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO experiment_exposures"
            " (experiment_id, user_id, window_start, position, exposed_at, slate, propensities)"
            " SELECT 1, u.id, now(), 1, now(), ARRAY(SELECT id FROM content ORDER BY id LIMIT 3), '{1,0.5,0.25}'"
            " FROM users u ORDER BY u.id LIMIT 3"
        )
    assert "9 titles shown" in experiment("export", "more-content", "log.csv").out
    with (experiment.folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["user"], row["place"], row["propensity"]) for row in rows[:4]] == [
        ("u00001", "1", "1"), ("u00001", "2", "0.5"), ("u00001", "3", "0.25"), ("u00002", "1", "1")
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["show", "report", "start", "pause", "stop", "archive", "guard"])
def test_an_experiment_that_there_is_not_is_said(experiment, command):
    assert "EXPERIMENT_UNKNOWN" in experiment(command, "none", code=1).err


def test_a_variant_can_be_looked_at_before_it_runs(experiment, database_url):
    experiment("create", "e.yaml")
    for arguments, said in ((("more-content:content",), "MODEL_MISSING"), (("more-content:none",), "has no variant"),
                            (("none:content",), "there is no experiment")):  # fmt: skip
        done = mgw(experiment.folder, "recommend", "u00001", "--variant", *arguments)
        assert said in done.err
        assert done.code == 1
