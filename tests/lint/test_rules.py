"""Every rule finds every fault that is planted in its case file, and nothing in the twin without."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mgw.lint import Project, all_rules, lint, read_configuration

from .case_files import CASES, read_case

RULES = {rule.name: rule for rule in all_rules()}
BESIDE = {"edited-migration", "unreadable-file"}  # their faults are not texts of a file: they have tests of their own


def found_by(rule, project):
    findings = lint(project, baseline=None, tools=(), is_asked_for=True).findings
    return [each for each in findings if each.code == rule.code], [each for each in findings if each.code != rule.code]


@pytest.mark.parametrize("name", sorted(RULES.keys() - BESIDE))
def test_all_that_is_planted_is_found_and_nothing_else(name, project):
    case = read_case(name)["fault"]
    found, _ = found_by(RULES[name], project(case))
    assert sorted(f"{each.path}:{each.line}" for each in found) == sorted(case.found)
    assert len(case.found) > 0
    assert {each.name for each in found} == {name}


@pytest.mark.parametrize("name", sorted(RULES.keys() - BESIDE))
def test_nothing_is_found_in_the_clean_twin_by_any_rule(name, project):
    found, others = found_by(RULES[name], project(read_case(name)["clean"]))
    assert (found, others) == ([], [])


def test_every_rule_has_a_case_and_every_case_a_rule():
    assert {path.stem.replace("_", "-") for path in CASES.glob("*.yaml")} == RULES.keys() - BESIDE


def test_codes_and_pages_have_their_form():
    assert len({rule.code for rule in RULES.values()}) == len(RULES) == len({rule.name for rule in RULES.values()})
    for rule in RULES.values():
        assert re.fullmatch(r"MGW[A-Z]\d{3}", rule.code)
        assert re.match(r"[A-Z].*\.\n\n## Why is this bad\n\n.*\n\n## What instead\n\n", rule.page, re.DOTALL), (
            rule.name
        )


def test_the_project_itself_has_no_finding():
    root = Path(__file__).parents[2]
    project = Project(root, read_configuration(root))
    report = lint(project, baseline=None, tools=(), is_asked_for=True)
    assert [f"{each.place} {each.code} {each.message}" for each in report.findings] == []
    assert report.files > 500
    assert report.stale == ()
