"""`mgw metrics`: what is counted, and a dashboard and alerts made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mgw.cli.options import Json, OutFile
from mgw.cli.output import out

if TYPE_CHECKING:
    from pathlib import Path

    from mgw.core.metrics import FamilySample

app = typer.Typer(
    help="List what is counted; write a dashboard and alerts.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list", short_help="List every metric, with its labels.")
def list_metrics(json: Json = False) -> None:
    """List every metric of gateway, service and trainings, with its labels."""
    families = declared()
    if json:
        metrics = [
            {"name": each.name, "kind": each.kind, "labels": list(each.labels), "help": each.help} for each in families
        ]
        out.json({"metrics": metrics})
        return
    rows = [(each.name, each.kind, ", ".join(each.labels), each.help) for each in families]
    out.table("", ["name", "kind", "labels", "what it says"], rows)


@app.command()
def dashboard(to: OutFile = None) -> None:
    """Write a dashboard for Grafana, a panel for each metric."""
    import json

    from mgw.core.monitoring import dashboard as made

    _write(json.dumps(made(declared()), indent=2) + "\n", to)


@app.command()
def alerts(to: OutFile = None) -> None:
    """Write alert rules for Prometheus."""
    import yaml

    from mgw.core.monitoring import alert_rules
    from mgw.gateway.alerting import ALERTS as OF_THE_GATEWAY
    from mgw.service.alerting import ALERTS as OF_THE_SERVICE

    rules = alert_rules((("mgw-gateway", OF_THE_GATEWAY), ("mgw-service", OF_THE_SERVICE)), declared())
    _write(yaml.safe_dump(rules, sort_keys=False, allow_unicode=True, width=110), to)


def declared() -> list[FamilySample]:
    """Return every family that gateway and service declare, without what was counted."""
    from mgw.gateway.counting import Counts as GatewayCounts
    from mgw.gateway.counting import MainCounts
    from mgw.recommend.training_counts import TrainingCounts
    from mgw.service.counting import Counts as ServiceCounts
    from mgw.service.counting import MachineGauges

    return [
        *GatewayCounts().sample(), *MainCounts().sample(), *ServiceCounts().sample(), *MachineGauges().sample(),
        *TrainingCounts().sample(),
    ]  # fmt: skip


def _write(text: str, to: Path | None) -> None:
    from mgw.core.files import write_atomic

    if to is None:
        out.print(text.rstrip("\n"))
        return
    write_atomic(to, text.encode())
    out.print(f"{to} written")
