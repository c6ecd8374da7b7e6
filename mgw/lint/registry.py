"""The rules: a module each in `rules`, named as the rule is, with its page as docstring, CODE, `check`, maybe NEEDS."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from mgw.core.errors import UsageInvalid
from mgw.lint import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mgw.lint.finding import Finding
    from mgw.lint.project import Project


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        code: `MGW`, a letter for what it is about, and a number; it never changes.
        name: that reads well behind "allow".
        page: what it finds, why that is bad, what to do instead.
        check: yields what it finds.
        needs: what it is silent without: "descriptions" of all queries, "callers" of queries.
    """

    code: str
    name: str
    page: str
    check: Callable[[Project], Iterable[Finding]]
    needs: frozenset[str]

    @property
    def summary(self) -> str:
        """The first sentence of the page."""
        return self.page.partition("\n")[0]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, by code."""
    found = []
    for module in pkgutil.iter_modules(rules.__path__):
        loaded = importlib.import_module(f"{rules.__name__}.{module.name}")
        page = inspect.cleandoc(loaded.__doc__ or "")
        needs: frozenset[str] = getattr(loaded, "NEEDS", frozenset())
        found.append(Rule(loaded.CODE, module.name.replace("_", "-"), page, loaded.check, needs))
    return tuple(sorted(found, key=lambda rule: rule.code))


def rule_of(wanted: str) -> Rule:
    """Return a rule by its code or name.

    Raises:
        UsageInvalid: there is none.
    """
    for rule in all_rules():
        if wanted.upper() == rule.code or wanted.lower() == rule.name:
            return rule
    raise _unknown(wanted)


def require_known(codes: Iterable[str]) -> None:
    """Make sure that each of some codes is one, the beginning of one, or one of another tool's.

    Raises:
        UsageInvalid: one is not.
    """
    for code in codes:
        if ":" not in code and not any(is_chosen(rule.code, [code]) for rule in all_rules()):
            raise _unknown(code)


def is_chosen(code: str, chosen: Iterable[str]) -> bool:
    """Say whether a code is among some, or begins as one of them does.

    >>> is_chosen("MGWQ001", ["MGWQ"]), is_chosen("ruff:F401", ["ruff:"]), is_chosen("MGWQ001", ["MGWG"])
    (True, True, False)
    """
    return any(code.startswith(each) for each in chosen if each)


def _unknown(wanted: str) -> UsageInvalid:
    known = [name for rule in all_rules() for name in (rule.code, rule.name)]
    near = get_close_matches(wanted.upper(), known, 1) or get_close_matches(wanted.lower(), known, 1)
    hint = f"did you mean {near[0]}?" if near else "`mgw lint --rules` lists them"
    return UsageInvalid(f"there is no rule {wanted}", hint=hint)
