"""`docs/service.md`: each request in it is asked, and each answer is the one that is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.service.conftest import serving

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
EXCHANGES = re.findall(r"```http\n([A-Z]+) (\S+)\n(.*?)```\n\n```http\n(\d+)\n(.*?)```", TEXT, re.DOTALL)
DIFFERS = {
    "generated_at",
    "model",
    "loaded_at",
    "created_at",
    "started_at",
    "until",
    "version",
    "uptime_seconds",
    "request_id",
    "name",
    "adapters",
    "duration_ms",
}


def same(shown, found):
    """Compare as far as two runs can be the same."""
    if isinstance(shown, dict) and isinstance(found, dict):
        assert shown.keys() == found.keys()
        for key, value in shown.items():
            if key not in DIFFERS or isinstance(value, dict):
                same(value, found[key])
            else:
                assert type(value) is type(found[key])
    elif isinstance(shown, list) and isinstance(found, list):
        assert len(shown) == len(found)
        for each, other in zip(shown, found, strict=True):
            same(each, other)
    elif isinstance(shown, float):
        assert found == pytest.approx(shown, abs=2e-3)
    else:
        assert shown == found


def test_every_request_has_its_answer():
    assert len(EXCHANGES) == len(re.findall(r"^(?:POST|GET|PUT) ", TEXT, re.MULTILINE)) >= 8


def test_the_answers_are_those_of_the_service(project):
    project.train()
    project.train_adapters()
    with serving(project) as service:
        _ask_everything(service)


def _ask_everything(service):
    for method, path, body, status, shown in EXCHANGES:
        reply = service.ask(method, path, body.encode() or None)
        assert reply.status == int(status), (path, body, reply.json)
        same(json.loads(shown), reply.json)
