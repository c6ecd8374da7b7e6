"""`configs/mgw.yaml` shows the schema as it is: every key, its default, and a word about it."""

from __future__ import annotations

import re

import pytest

from mgw.core.resources import resource
from mgw.core.settings import Settings, keys, load_settings
from mgw.core.settings.keys import sections

FILE = resource("configs") / "mgw.yaml"
TEXT = FILE.read_text(encoding="utf-8")
COMMENTED_OUT = re.compile(
    r"^( *)# (url|password_file|bin_dir|leave_out|known|where|region|model|tokenizer|driver_memory|checkpoint_dir"
    r"|activity_reference): ",
    re.MULTILINE,
)
UNCOMMENTED = COMMENTED_OUT.sub(r"\1\2: ", TEXT)


def test_it_is_exactly_the_defaults():
    loaded = load_settings(config=FILE, environ={})
    assert loaded.settings == Settings()
    assert loaded.warnings == ()


def test_it_sets_every_key_that_has_a_default():
    sources = load_settings(config=FILE, environ={}).sources
    assert {name for name, source in sources.items() if source.kind == "default"} == {
        name for name, key in keys().items() if key.default is None
    }


def test_the_other_keys_are_there_to_be_uncommented(tmp_path):
    (tmp_path / "mgw.yaml").write_text(UNCOMMENTED, encoding="utf-8")
    loaded = load_settings(start=tmp_path, environ={})
    assert {source.kind for source in loaded.sources.values()} == {"file"}


@pytest.mark.parametrize("name", [*keys(), *sorted(sections() - {"database"})])
def test_a_comment_stands_above_every_key(name):
    lines = UNCOMMENTED.splitlines()
    *sections_above, word = name.split(".")
    start, indent = 0, ""
    for section in sections_above:
        start, indent = lines.index(f"{indent}{section}:", start) + 1, f"{indent}  "
    line = next(number for number in range(start, len(lines)) if lines[number].startswith(f"{indent}{word}:"))
    assert lines[line - 1].startswith(f"{indent}# ")
