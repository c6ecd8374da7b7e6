"""Alert rules for Prometheus, each held against the metrics that are declared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mgw.core.metrics import FamilySample

_NAME = re.compile(r"\bmgw_\w+")
_LABELS = re.compile(r"(\bmgw_\w+)\{([^}]*)\}")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule.

    Attributes:
        name: of it.
        expression: in PromQL; it holds where something is wrong.
        minutes: for how long it has to.
        severity: whether somebody is to be woken.
        summary: what is wrong, for whoever is.
        action: what to look at first.
    """

    name: str
    expression: str
    minutes: int
    severity: Literal["page", "ticket"]
    summary: str
    action: str


def alert_rules(groups: Iterable[tuple[str, Sequence[Alert]]], declared: Iterable[FamilySample]) -> dict[str, Any]:
    """Return a document of rules, as Prometheus reads it from YAML.

    Raises:
        ValueError: a rule names a metric, or a label of one, that is not declared.
    """
    known = _series(declared)
    return {"groups": [{"name": name, "rules": [_rule(alert, known) for alert in alerts]} for name, alerts in groups]}


def _rule(alert: Alert, known: dict[str, frozenset[str]]) -> dict[str, Any]:
    if unknown := [name for name in _NAME.findall(alert.expression) if name not in known]:
        raise ValueError(f"{alert.name} names {unknown[0]}, which nothing declares")
    for name, matchers in _LABELS.findall(alert.expression):
        if unknown := [label for label in _LABEL.findall(matchers) if label not in known[name]]:
            raise ValueError(f"{alert.name} asks {name} for {unknown[0]}, which it has not")
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": f"{alert.minutes}m",
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.action},
    }


def _series(declared: Iterable[FamilySample]) -> dict[str, frozenset[str]]:
    """Return the names that can be asked for, with their labels."""
    found: dict[str, frozenset[str]] = {}
    for family in declared:
        labels = frozenset(family.labels)
        if family.kind == "histogram":
            found[f"{family.name}_bucket"] = labels | {"le"}
            found[f"{family.name}_sum"] = found[f"{family.name}_count"] = labels
        else:
            found[family.name] = labels
    return found
