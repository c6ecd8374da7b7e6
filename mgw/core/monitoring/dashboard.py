"""A dashboard for Grafana: a panel for each metric that is declared, drawn as its kind is read."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from mgw.core.metrics import MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mgw.core.metrics import FamilySample

_SCHEMA = 39
_WIDTH, _HEIGHT, _ACROSS = 8, 8, 24
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
_UNITS = (("_seconds", "s"), ("_bytes", "bytes"))


def dashboard(declared: Iterable[FamilySample], *, title: str = "mgw", uid: str = "mgw") -> dict[str, Any]:
    """Return the dashboard as Grafana imports it, a row for each part of the program.

    Args:
        declared: the metrics.
        title: of the dashboard.
        uid: by which Grafana knows it: imported again it is the same one.
    """
    panels: list[dict[str, Any]] = []
    y = 0
    for part, families in groupby(declared, key=_part):
        panels.append(
            {"type": "row", "title": part, "collapsed": False, "gridPos": _place(0, y, _ACROSS, 1), "panels": []}
        )
        y += 1
        x = 0
        for family in families:
            if x + _WIDTH > _ACROSS:
                x, y = 0, y + _HEIGHT
            panels.append({**_panel(family), "gridPos": _place(x, y, _WIDTH, _HEIGHT)})
            x += _WIDTH
        y += _HEIGHT
    return {
        "title": title,
        "uid": uid,
        "schemaVersion": _SCHEMA,
        "tags": ["mgw"],
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": [{**panel, "id": number} for number, panel in enumerate(panels, start=1)],
    }


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"},
        {
            "name": "job", "label": "Job", "type": "query", "datasource": _SOURCE, "includeAll": True, "multi": True,
            "query": {"query": "label_values(job)", "refId": "job"}, "refresh": 2,
            "current": {"text": "All", "value": "$__all"},
        },
    ]  # fmt: skip


def _part(family: FamilySample) -> str:
    """Return which part of the program a metric is of: `mgw_gateway_…` is of the gateway."""
    return family.name.split("_")[1]


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(family: FamilySample) -> dict[str, Any]:
    queries, unit = _queries(family)
    targets = [
        {
            "refId": chr(ord("A") + number), "datasource": _SOURCE, "expr": expression, "legendFormat": legend,
            "exemplar": family.kind == "histogram",
        }
        for number, (expression, legend) in enumerate(queries)
    ]  # fmt: skip
    title = family.name.removeprefix(f"mgw_{_part(family)}_").removesuffix("_total").removesuffix(MOMENT)
    return {
        "type": "timeseries",
        "title": title.replace("_", " ").capitalize(),
        "description": f"{family.help} ({family.name})",
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }


def _queries(family: FamilySample) -> tuple[list[tuple[str, str]], str]:
    """Return what is asked for, with the legend of each, and the unit of the answers."""
    chosen = '{job=~"$job"}'
    by = f" by ({', '.join(family.labels)})" if family.labels else ""
    legend = " ".join(f"{{{{{label}}}}}" for label in family.labels) or family.name
    if family.kind == "counter":
        return [(f"sum{by} (rate({family.name}{chosen}[$__rate_interval]))", legend)], "reqps"
    if family.kind == "histogram":
        grouped = ", ".join(["le", *family.labels])
        rates = f"sum by ({grouped}) (rate({family.name}_bucket{chosen}[$__rate_interval]))"
        return [
            (f"histogram_quantile({share}, {rates})", f"{name} {legend}" if family.labels else name)
            for name, share in _QUANTILES
        ], "s"
    if family.name.endswith(MOMENT):
        return [(f"time() - max{by} ({family.name}{chosen})", legend)], "s"
    unit = next((unit for ending, unit in _UNITS if family.name.endswith(ending)), "short")
    return [(f"sum{by} ({family.name}{chosen})", legend)], unit
