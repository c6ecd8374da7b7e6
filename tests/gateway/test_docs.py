"""`docs/gateway.md`: its file has no fault, and shows every key."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from mgw.gateway import definition
from mgw.gateway.files import read_gateway

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_file_can_be_used(tmp_path):
    (tmp_path / "gateway.yaml").write_text(EXAMPLE, encoding="utf-8")
    found = read_gateway(tmp_path / "gateway.yaml")
    assert found.upstreams["discovery"].timeouts.first_byte_s == 10
    assert [route.auth for route in found.routes] == ["optional", "required", "required"]


@pytest.mark.parametrize(
    "struct", [kind for kind in map(vars(definition).get, definition.__all__) if hasattr(kind, "__struct_fields__")]
)
def test_every_key_is_shown(struct):
    for field in msgspec.structs.fields(struct):
        assert re.search(rf"\b{field.encode_name}\b", EXAMPLE), field.encode_name
