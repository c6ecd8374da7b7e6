"""The dashboard and the alerts that are made from what is declared; Prometheus itself reads them, where it is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
import yaml

from mgw.cli.metrics import declared
from mgw.core.metrics import Registry
from mgw.core.monitoring import Alert, alert_rules, dashboard
from mgw.gateway.alerting import ALERTS as OF_THE_GATEWAY
from mgw.lint import Configuration, Project, lint
from mgw.service.alerting import ALERTS as OF_THE_SERVICE

PROMTOOL = shutil.which("promtool")
NEEDS_PROMETHEUS = pytest.mark.skipif(
    PROMTOOL is None, reason="Prometheus is not installed (Debian: apt install prometheus)"
)
GROUPS = (("mgw-gateway", OF_THE_GATEWAY), ("mgw-service", OF_THE_SERVICE))


def expressions(board):
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]


def test_every_metric_has_a_panel_and_every_panel_a_metric():
    families = declared()
    board = dashboard(families)
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len(panels) == len(families) > 30
    names = {family.name for family in families}
    for expression in expressions(board):
        asked = set(re.findall(r"\bmgw_\w+", expression))
        assert {re.sub(r"_bucket$", "", name) for name in asked} <= names
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_kinds_are_asked_for_as_they_are_read():
    registry = Registry()
    registry.counter("mgw_a_things_total", "Things.", "route")
    registry.gauge("mgw_a_size_bytes", "Bytes.")
    registry.gauge("mgw_b_made_timestamp_seconds", "When.")
    registry.histogram("mgw_b_request_seconds", "Seconds.", "route")
    board = dashboard(registry.sample())
    assert [panel["title"] for panel in board["panels"]] == [
        "a",
        "Things",
        "Size bytes",
        "b",
        "Made",
        "Request seconds",
    ]
    chosen = '{job=~"$job"}'
    assert expressions(board)[:3] == [
        f"sum by (route) (rate(mgw_a_things_total{chosen}[$__rate_interval]))",
        f"sum (mgw_a_size_bytes{chosen})",
        f"time() - max (mgw_b_made_timestamp_seconds{chosen})",
    ]
    assert "histogram_quantile(0.99, sum by (le, route) (rate(mgw_b_request_seconds_bucket" in expressions(board)[-1]
    units = [panel["fieldConfig"]["defaults"]["unit"] for panel in board["panels"] if panel["type"] != "row"]
    assert units == ["reqps", "bytes", "s", "s"]


def test_no_alert_names_what_is_not_declared():
    rules = alert_rules(GROUPS, declared())
    assert sum(len(group["rules"]) for group in rules["groups"]) == len(OF_THE_GATEWAY) + len(OF_THE_SERVICE)
    registry = Registry()
    registry.counter("mgw_a_things_total", "Things.", "route")
    for expression, said in (
        ("rate(mgw_a_thing_total[5m]) > 0", "mgw_a_thing_total, which nothing declares"),
        ('mgw_a_things_total{rute="x"} > 0', "rute, which it has not"),
    ):
        with pytest.raises(ValueError, match=said):
            alert_rules([("x", [Alert("A", expression, 1, "page", "s", "a")])], registry.sample())


def test_the_linter_finds_nothing_in_them_and_finds_a_metric_that_went(tmp_path):
    (tmp_path / "counts.py").write_text(
        "\n".join(f'r.counter("{each.name}", "x")' for each in declared() if "reloads" not in each.name)
    )
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(alert_rules(GROUPS, declared())))
    (tmp_path / "dashboard.json").write_text(json.dumps(dashboard(declared())))
    report = lint(Project(tmp_path, Configuration(select=("MGWM002",))), baseline=None, tools=(), is_asked_for=True)
    assert {(each.path, each.message) for each in report.findings} == {
        ("alerts.yaml", "no module declares mgw_gateway_reloads_total"),
        ("dashboard.json", "no module declares mgw_gateway_reloads_total"),
    }


def fired(tmp_path, alert, series, at, every="1m"):
    """Say whether an alert fires at a time, as Prometheus itself sees it."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(alert_rules(GROUPS, declared())))
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}],
    }
    test = {"rule_files": ["rules.yaml"], "evaluation_interval": every, "tests": [case]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run(
        [PROMTOOL, "test", "rules", tmp_path / "test.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or "got:[" in done.stderr + done.stdout, done.stderr
    return done.returncode != 0


@NEEDS_PROMETHEUS
def test_an_old_model_is_told_also_where_one_worker_has_a_new_one(tmp_path):
    """Time begins at 0 in these tests, and so does the old model; the new one is of the seventh day."""
    name = "mgw_service_model_created_timestamp_seconds"
    old, new = f'{name}{{model="old"}}', f'{name}{{model="new"}}'
    assert fired(tmp_path, "ModelIsOld", {old: "0x12000"}, "8d", "30m")
    assert fired(tmp_path, "ModelIsOld", {old: "0x12000", new: f"{7 * 86_400}x12000"}, "8d", "30m")
    assert not fired(tmp_path, "ModelIsOld", {new: f"{7 * 86_400}x12000"}, "8d", "30m")


@NEEDS_PROMETHEUS
def test_the_first_training_that_fails_is_told(tmp_path):
    failed = 'mgw_training_runs_total{kind="als",outcome="failed"}'
    assert fired(tmp_path, "TrainingsFail", {failed: "0x60 1x60"}, "90m")
    assert not fired(tmp_path, "TrainingsFail", {failed: "0x120"}, "90m")


@NEEDS_PROMETHEUS
def test_prometheus_reads_the_alerts_and_every_query_of_the_dashboard(tmp_path):
    rules = alert_rules(GROUPS, declared())
    asked = [
        re.sub(r"\$__rate_interval", "5m", each.replace("$job", ".*")) for each in expressions(dashboard(declared()))
    ]
    rules["groups"].append(
        {"name": "dashboard", "rules": [{"record": f"x:{n}", "expr": each} for n, each in enumerate(asked)]}
    )
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    done = subprocess.run(
        [PROMTOOL, "check", "rules", tmp_path / "rules.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(asked) + len(OF_THE_GATEWAY) + len(OF_THE_SERVICE)} rules found" in done.stdout + done.stderr
