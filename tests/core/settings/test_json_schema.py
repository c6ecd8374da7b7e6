"""The schemas for editors: every key is in them with what it is for, and they say of files what the program says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mgw.cli.config import json_schema

ROOT = Path(__file__).parents[3]
KINDS = ("settings", "gateway", "experiment")
EXPERIMENT = {
    "name": "a",
    "variants": [{"name": "x", "weight": 0.5}, {"name": "y", "weight": 0.5, "config": {"blend": {"graph": 0.1}}}],
    "metrics": [{"name": "watched", "kind": "count", "event": "viewing.titles"}],
    "namespace": {"name": "home", "from": 0, "to": 0.5},
}


def validator(kind):
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def content(kind):
    if kind == "experiment":
        return EXPERIMENT
    return yaml.safe_load((ROOT / "configs" / {"settings": "mgw.yaml", "gateway": "gateway.yaml"}[kind]).read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_program_takes_fits(kind):
    validator(kind).validate(content(kind))


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("settings", {"alss": {}}, "alss"),
        ("settings", {"als": {"factors": "many"}}, "many"),
        ("settings", {"als": {"factors": 0}}, "minimum"),
        ("settings", {"als": {"solver": "magic"}}, "magic"),
        ("gateway", {"routes": [{"path": "/a"}]}, "upstream"),
        ("gateway", {"port": 70_000}, "70000"),
        ("experiment", {"variants": []}, "[]"),
        ("experiment", {"metrics": [{"name": "a", "kind": "sum"}]}, "sum"),
    ],
)
def test_what_it_refuses_does_not(kind, change, said):
    faults = list(validator(kind).iter_errors({**content(kind), **change}))
    assert faults
    assert any(said in str(fault) for fault in faults)


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_says_what_it_is_for(kind):
    definitions = json_schema(kind)["$defs"]
    silent = [
        f"{name}.{key}"
        for name, definition in definitions.items()
        for key, each in definition.get("properties", {}).items()
        if len(each.get("description", "")) < 5
    ]
    assert silent == []
    assert all("Attributes:" not in definition.get("description", "") for definition in definitions.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_beside_the_configuration_are_these(kind):
    kept = json.loads((ROOT / "configs/schemas" / f"{kind}.json").read_text())
    assert kept == json.loads(json.dumps(json_schema(kind)))
