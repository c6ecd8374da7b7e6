"""A YAML file as a struct: every fault at its line, all at once."""

from __future__ import annotations

from typing import Annotated

import pytest
from msgspec import Meta, Struct

from mgw.core.errors import ConfigInvalid, FileUnreadable
from mgw.core.settings import read_struct


class Wheel(Struct, forbid_unknown_fields=True, kw_only=True):
    size: Annotated[float, Meta(gt=0)]
    spokes: int | None = None


class Car(Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    wheels: Annotated[tuple[Wheel, ...], Meta(min_length=1)]
    spare: Wheel | None = None
    parts: dict[str, Wheel] = {}


def read(tmp_path, text):
    path = tmp_path / "car.yaml"
    path.write_text(text, encoding="utf-8")
    return read_struct(path, Car)


def test_a_file_is_read(tmp_path):
    found = read(tmp_path, "name: x\nwheels: [{size: 2}]\nspare: null\nparts: {left: {size: 1, spokes: 3}}\n")
    assert found == Car(name="x", wheels=(Wheel(size=2),), parts={"left": Wheel(size=1, spokes=3)})


def test_every_fault_is_told_with_its_line(tmp_path):
    text = (
        "wheels:\n  - {size: -1}\n  - {siez: 2}\nspare: {size: big}\nparts:\n  left: {size: 1, spokes: 1.5}\nname: 3\n"
    )
    with pytest.raises(ConfigInvalid) as caught:
        read(tmp_path, text)
    said = caught.value.message.replace(str(tmp_path), "")
    for line in (
        "/car.yaml:2:6: wheels[0].size: Expected a number > 0.0",
        "/car.yaml:3:6: wheels[1].siez: there is no such key; did you mean size?",
        "/car.yaml:3:5: wheels[1].size: this key is missing",
        "/car.yaml:4:9: spare.size: Expected a number, got text",
        "/car.yaml:6:19: parts.left.spokes: Expected a whole number, got a number",
        "/car.yaml:7:1: name: Expected text, got a whole number",
    ):
        assert line in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nwheels: []\n", r"2:1: wheels: Expected a list of length >= 1"),
        ("name: x\nwheels: 3\n", "got a whole"),
        ("- a\n", "must be a mapping"), ("name: [\n", "car.yaml"), ("", "name: this key is missing"),
        ("name: x\nname: y\nwheels: [{size: 1}]\n", "already set on line 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_whole_is_told(tmp_path, text, said):
    with pytest.raises(ConfigInvalid, match=said):
        read(tmp_path, text)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FileUnreadable, match="none"):
        read_struct(tmp_path / "none.yaml", Car)
    (tmp_path / "car.yaml").write_bytes(b"name: \xff")
    with pytest.raises(ConfigInvalid, match="UTF-8"):
        read_struct(tmp_path / "car.yaml", Car)
