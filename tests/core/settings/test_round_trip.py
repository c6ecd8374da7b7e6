"""Any valid settings survive being written as YAML or as variables; any file is either settings or a ConfigInvalid."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.inspect import BoolType, FloatType, IntType, LiteralType, Metadata, NoneType, Type, UnionType

from mgw.core.errors import ConfigInvalid
from mgw.core.settings import Settings, keys, load_settings

TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip)
LARGEST = 2**63 - 1


def values_of(info: Type) -> st.SearchStrategy[Any]:
    """Every value that the schema allows for a type."""
    match info:
        case Metadata():
            return values_of(info.type)
        case UnionType():
            return st.none() | st.one_of(*(values_of(one) for one in info.types if not isinstance(one, NoneType)))
        case BoolType() | LiteralType():
            return st.sampled_from([False, True] if isinstance(info, BoolType) else info.values)
        case IntType():
            return st.integers(-LARGEST if info.ge is None else info.ge, LARGEST if info.le is None else info.le)
        case FloatType():
            low, high = (info.ge if info.gt is None else info.gt), (info.le if info.lt is None else info.lt)
            return st.floats(
                low, high, exclude_min=info.gt is not None, exclude_max=info.lt is not None,
                allow_nan=False, allow_infinity=False,
            )  # fmt: skip
        case _:
            return TEXTS


CHOSEN = st.fixed_dictionaries({}, optional={name: values_of(key.info) for name, key in keys().items()})


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *above, last = name.split(".")
        node = tree
        for part in above:
            node = node.setdefault(part, {})
        node[last] = value
    return tree


class _Quoted(yaml.SafeDumper):
    """PyYAML writes YAML 1.1, in which `1e-3` needs no quotes to be a text; here every text gets them."""


_Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@given(flat=CHOSEN)
def test_settings_survive_as_yaml(folder, flat):
    (folder / "mgw.yaml").write_text(yaml.dump(nested(flat), Dumper=_Quoted), encoding="utf-8")
    loaded = load_settings(start=folder, environ={})
    assert loaded.settings == msgspec.convert(nested(flat), Settings)
    assert {name for name, source in loaded.sources.items() if source.kind == "file"} == set(flat)


@given(flat=CHOSEN)
def test_settings_survive_as_variables(flat):
    given_ = {name: value for name, value in flat.items() if value is not None}
    environ = {keys()[name].variable: str(value) for name, value in given_.items()}
    loaded = load_settings(config=EMPTY, environ=environ)
    assert loaded.settings == msgspec.convert(nested(given_), Settings)
    assert {name for name, source in loaded.sources.items() if source.kind == "environment"} == set(given_)
    assert loaded.warnings == ()


EMPTY = Path("/dev/null")

KEY = st.sampled_from([*keys(), *{part for name in keys() for part in name.split(".")}, "<<", ""])
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates(), st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.one_of(KEY, st.text()), inner), st.sets(st.integers())),
    max_leaves=20,
)


@given(content=st.one_of(st.binary(), st.text().map(str.encode), JUNK.map(lambda tree: yaml.safe_dump(tree).encode())))
def test_any_file_is_settings_or_a_config_error(folder, content):
    file = folder / "fuzz.yaml"
    file.write_bytes(content)
    with suppress(ConfigInvalid):
        load_settings(config=file, environ={})


@given(environ=st.dictionaries(st.sampled_from([key.variable for key in keys().values()]), st.text()))
def test_any_environment_is_settings_or_a_config_error(environ):
    with suppress(ConfigInvalid):
        load_settings(config=EMPTY, environ=environ)
