"""`mgw lint` and `mgw check --all` as they are run by hand and in a pipeline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import environment, mgw

STAR = "SELECT id FROM film WHERE year = NULL;\n"


@pytest.fixture
def project(tmp_path):
    """A project with one fault in its SQL and one in its gateway."""
    (tmp_path / "pyproject.toml").write_text("[tool.mgw.lint]\ndelegates = []\n")
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries/list.sql").write_text(STAR)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/gateway.yaml").write_text("routes:\n  - {path: /a, upstream: nobody}\n")
    return tmp_path


def test_exit_codes_and_formats(project):
    code, said, beside = mgw(project, "lint")
    assert code == 1
    assert "configs/gateway.yaml:2:5: MGWG001 undefined-upstream: /a leads to nobody" in said
    assert "queries/list.sql:1:32: MGWQ005 null-comparison: `= NULL` is never true [unsafe fix]" in said
    assert "2 findings in 3 files" in beside
    assert "1 query is not described" in beside
    code, said, _ = mgw(project / "configs", "lint", "--format", "json")  # the project is found from below
    document = json.loads(said)
    assert (code, [each["code"] for each in document["findings"]]) == (1, ["MGWG001", "MGWQ005"])
    assert document["queries_not_described"] == ["list"]
    code, said, _ = mgw(project, "lint", "--format", "sarif")
    run = json.loads(said)["runs"][0]
    assert (code, len(run["results"]), run["tool"]["driver"]["name"]) == (1, 2, "mgw lint")
    assert {each["ruleId"] for each in run["results"]} <= {each["id"] for each in run["tool"]["driver"]["rules"]}
    code, said, _ = mgw(project, "lint", "--format", "github")
    assert (code, said.count("::error file=")) == (1, 2)
    code, said, _ = mgw(project, "lint", "--select", "MGWE")
    assert (code, said) == (0, "0 findings in 3 files\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--select", "MGWQ404"), "there is no rule MGWQ404"),
        (("--explain", "nothing"), "there is no rule nothing"),
        (("--delegate", "pylint"), "pylint is no tool"),
        (("--baseline", "none.json"), "none.json"),
        (("nowhere",), "nowhere is not in"),
        (("--root", "nowhere"), "is not a folder"),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_code_2(project, arguments, said):
    code, out, beside = mgw(project, "lint", *arguments)
    assert (code, out) == (2, "")
    assert said in beside


def test_pages_and_the_list_of_rules():
    code, said, _ = mgw(None, "lint", "--explain", "MGWQ006")
    assert (code, said.splitlines()[0]) == (0, "MGWQ006 cancelled-left-join")
    assert "## What instead" in said
    code, said, _ = mgw(None, "lint", "--rules")
    assert code == 0
    assert "MGWL002" in said


def test_only_what_is_named_is_told(project):
    code, said, _ = mgw(project, "lint", "queries")
    assert (code, "MGWG001" in said, "MGWQ005" in said) == (1, False, True)
    assert mgw(project, "lint", "pyproject.toml")[0] == 0


def test_fixes_and_unsafe_fixes(project):
    assert mgw(project, "lint", "--fix")[0] == 1
    assert (project / "queries/list.sql").read_text() == STAR
    code, said, beside = mgw(project, "lint", "--unsafe-fixes")
    assert (code, "MGWQ005" in said, "1 finding mended" in beside) == (1, False, True)
    assert (project / "queries/list.sql").read_text() == "SELECT id FROM film WHERE year IS NULL;\n"


def test_a_baseline_is_written_and_kept_to(project):
    assert mgw(project, "lint", "--write-baseline")[:2] == (0, f"2 findings written to {project / '.mgw-lint.json'}\n")
    code, said, _ = mgw(project, "lint")
    assert (code, said) == (0, "0 findings in 4 files, 2 known before\n")
    (project / "queries/more.sql").write_text(STAR)
    code, said, _ = mgw(project, "lint")
    assert (code, said.count("MGWQ005")) == (1, 1)
    (project / "queries/more.sql").unlink()
    (project / "queries/list.sql").write_text("SELECT id FROM film;\n")
    code, _, beside = mgw(project, "lint")
    assert (code, "1 of the baseline are gone" in beside) == (0, True)


def test_a_tool_that_was_named_and_is_missing_makes_the_run_incomplete(project):
    (project / "app.py").write_text("x = 1\n")
    (project / "bin").mkdir()
    (project / "bin/python").symlink_to(Path(sys.executable).resolve())  # no other tool stands beside this one
    answer = subprocess.run(
        [project / "bin/python", "-m", "mgw", "lint", "--select", "MGWE", "--delegate", "ruff"],
        cwd=project, capture_output=True, text=True, check=False,
        env={"PATH": "/nowhere", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert (answer.returncode, answer.stdout) == (2, "0 findings in 4 files\n")
    assert "ruff is not installed and was not asked" in answer.stderr


def test_watching_looks_again_after_a_save_and_survives_nonsense(project):
    process = subprocess.Popen(
        [sys.executable, "-m", "mgw", "lint", "--watch"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    )  # fmt: skip
    lines = iter(process.stdout.readline, "")
    try:
        assert any("2 findings in 3 files" in line for line in lines)
        (project / "queries/list.sql").write_text("SELECT id FROM film;\n")
        assert any("queries/list.sql changed" in line for line in lines)
        assert any("1 finding in 3 files" in line for line in lines)
        (project / ".mgw-lint.json").write_text("{")
        assert any("error[BASELINE_INVALID]" in line for line in lines)
        (project / ".mgw-lint.json").unlink()
        assert any("1 finding in 3 files" in line for line in lines)
    finally:
        process.send_signal(2)
        assert process.wait(30) == 130
        process.stdout.close()


@pytest.fixture
def whole(project):
    """A project that was prepared, with an experiment that cannot be run."""
    (project / "steps").mkdir()
    (project / "steps/0001_film.sql").write_text("CREATE TABLE film (id bigint PRIMARY KEY, year int);\n")
    (project / "queries/list.sql").write_text("-- mgw: noqa[MGWQ001]\nSELECT id FROM film;\n")
    (project / "configs/gateway.yaml").unlink()
    assert mgw(project, "prepare", "--migrations", "steps", "--module", "films.py")[0] == 0
    return project


def test_check_all_is_everything_at_once(whole):
    code, said, beside = mgw(whole, "check", "--all")
    assert (code, beside) == (0, "")
    assert [line.split()[-1] for line in said.splitlines()] == ["wrong", "0", "0", "0"]
    (whole / "experiments").mkdir()
    (whole / "experiments/a.yaml").write_text(
        "name: a\nvariants: [{name: x, weight: 0.5}, {name: y, weight: 0.2}]\nmetrics: [{name: viewing.titles}]\n"
    )
    (whole / "gateway.yaml").write_text("routes: [{path: a b, upstream: x, fallback: {}}]\n")
    (whole / "mgw.yaml").write_text("blend: {graaph: 1}\n")
    (whole / "queries/list.sql").write_text("-- mgw: noqa[MGWQ001]\nSELECT id FROM film WHERE year = NULL;\n")
    code, said, _ = mgw(whole, "check", "--all")
    assert code == 1
    for part in ("stale:", "MGWQ005", "MGWE001", "EXPERIMENT_INVALID", "graaph", "gateway.yaml: gateway refused"):
        assert part in said
    code, said, _ = mgw(whole, "check", "--all", "--format", "json")
    document = json.loads(said)
    assert (code, {each["part"] for each in document["refused"]}) == (1, {"configuration", "gateway", "experiment"})
    assert {each["code"] for each in document["lint"]["findings"]} == {"MGWQ005", "MGWE001"}
    assert {each["rule"] for each in document["differences"]} == {"stale", "module"}
    code, said, _ = mgw(whole, "check", "--all", "--format", "sarif")
    assert (code, [len(run["results"]) > 0 for run in json.loads(said)["runs"]]) == (1, [True, True, True])
    code, said, _ = mgw(whole, "check", "--all", "--format", "github")
    assert (code, said.count("::error ") >= 6) == (1, True)
