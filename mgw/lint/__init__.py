"""Linting what only this toolkit knows: queries and who calls them, routes, experiments, metrics, the audit trail.

`engine` runs the rules over a `project`; a rule is a file in `rules`, and `delegates` ask other tools. `noqa`,
`baseline` and the configuration say what is let through, `fixing` mends, and `formats` writes for readers of all kinds.
"""

from mgw.lint.configuration import Configuration, read_configuration
from mgw.lint.engine import Report, lint
from mgw.lint.finding import Edit, Finding, Fix
from mgw.lint.project import Project
from mgw.lint.registry import Rule, all_rules, require_known, rule_of

__all__ = [
    "Configuration",
    "Edit",
    "Finding",
    "Fix",
    "Project",
    "Report",
    "Rule",
    "all_rules",
    "lint",
    "read_configuration",
    "require_known",
    "rule_of",
]
