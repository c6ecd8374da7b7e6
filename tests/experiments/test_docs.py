"""`docs/experiments.md`: its definition is one that can be created, it has every key, and its commands are commands."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from mgw.cli.experiment import app
from mgw.experiments.definition import Analysis, Definition, Metric
from mgw.experiments.files import read_definition

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_definition_can_be_created(tmp_path):
    (tmp_path / "e.yaml").write_text(EXAMPLE, encoding="utf-8")
    found = read_definition(tmp_path / "e.yaml")
    assert found.traffic_after(3 * 86_400) == 0.5
    assert found.variants[1].config.blend == {"content": 0.4}
    assert len({metric.kind for metric in found.metrics}) == 4


@pytest.mark.parametrize("struct", [Definition, Metric, Analysis])
def test_every_key_is_shown(struct):
    for field in msgspec.structs.fields(struct):
        assert re.search(rf"\b{field.encode_name}\b", EXAMPLE), field.encode_name


def test_every_command_that_is_named_is_one():
    commands = {each.name or each.callback.__name__ for each in app.registered_commands}
    named = set(re.findall(r"mgw experiment ([a-z-]+)", TEXT))
    assert named <= commands
    assert {"plan", "create", "start", "report", "stop", "simulate", "export", "off-policy", "record"} <= named
