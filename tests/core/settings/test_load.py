"""Settings from all their sources: what wins, where it came from, and every fault at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mgw.core.errors import ConfigInvalid
from mgw.core.settings import LoadedSettings, Settings, Source, keys, load_settings


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path.resolve()


def load(project: Path, text: str, environ: dict[str, str] | None = None, **overrides: object) -> LoadedSettings:
    (project / "mgw.yaml").write_text(text, encoding="utf-8")
    flags = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_settings(start=project, environ=environ or {}, overrides=flags)


def faults(project: Path, text: str, environ: dict[str, str] | None = None, **overrides: object) -> list[str]:
    with pytest.raises(ConfigInvalid) as caught:
        load(project, text, environ, **overrides)
    first, *rest = caught.value.message.splitlines()
    if not rest:
        return [first]
    assert first == f"the configuration has {len(rest)} faults:"
    return [line.strip() for line in rest]


def test_without_anything_the_defaults_apply(tmp_path):
    loaded = load_settings(start=tmp_path, environ={})
    assert loaded.settings == Settings()
    assert loaded.file is None
    assert loaded.sources == dict.fromkeys(keys(), Source("default"))
    assert loaded.warnings == ()


def test_flag_before_environment_before_file_before_default(project):
    text = "als:\n  factors: 2\n  epochs: 2\n  seed: 2\n"
    loaded = load(project, text, {"MGW_ALS_FACTORS": "3", "MGW_ALS_EPOCHS": "3"}, als__factors=4, threads=None)
    als = loaded.settings.als
    assert (als.factors, als.epochs, als.seed, als.regularization) == (4, 3, 2, Settings().als.regularization)
    assert loaded.sources["als.factors"] == Source("flag", "command line")
    assert loaded.sources["als.epochs"] == Source("environment", "MGW_ALS_EPOCHS")
    assert loaded.sources["als.seed"] == Source("file", "mgw.yaml:4")
    assert loaded.sources["als.regularization"] == Source("default", "")
    assert loaded.sources["threads"] == Source("default", "")
    assert loaded.file == project / "mgw.yaml"


def test_every_fault_is_reported_from_top_to_bottom_and_then_the_rest(project):
    text = (
        "als:\n  factros: 3\n  epochs: 0\n  seed: '1'\nfactors: 3\nals: 4\n"
        "database: postgresql://u:hunter2@h/d\nevaluate: {split: nope, thread: 1}\nthreads: !x 1\n"
    )
    assert faults(project, text, {"MGW_THREADS": "-1"}, recommend__top_k="ten", recommend__topk=1) == [
        "mgw.yaml:2:3: unknown key 'factros' in the section `als`; did you mean `factors`?",
        "mgw.yaml:3:11: als.epochs: expected a whole number of at least 1, got 0",
        "mgw.yaml:4:9: als.seed: expected a whole number of at least 0, got the text '1'",
        "mgw.yaml:5:1: unknown key 'factors'; did you mean `factors` in the section `als`?",
        "mgw.yaml:6:1: 'als' is already set on line 1",
        "mgw.yaml:7:11: database: expected a section of keys, got a single value or a list",
        (
            "mgw.yaml:8:19: evaluate.split: expected one of auto, cold-items, cold-users, random, time, user-time,"
            " got the text 'nope'"
        ),
        "mgw.yaml:8:25: unknown key 'thread' in the section `evaluate`; did you mean `threads` at the top level?",
        "mgw.yaml:9:10: has a YAML tag (`!…`); quote the text if that was not meant",
        "MGW_THREADS: threads: expected a whole number of at least 0, got the text '-1'",
        "command line: recommend.top_k: expected a whole number of at least 1, got the text 'ten'",
        "command line: recommend.topk: unknown key; did you mean `recommend.top_k`?",
    ]


def test_a_single_fault_stands_alone(project):
    assert faults(project, "threads: -1") == ["mgw.yaml:1:10: threads: expected a whole number of at least 0, got -1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("xyzzy: 1", "unknown key 'xyzzy'"),
        (
            "als: {top-k: 1}",
            "unknown key 'top-k' in the section `als`; did you mean `top_k` in the section `evaluate`?",
        ),
        ("als.factors: 1", "unknown key 'als.factors'; did you mean `factors` in the section `als`?"),
        ("recomend: {top_k: 1}", "unknown key 'recomend'; did you mean `recommend`?"),
        ("als: [1]", "als: expected a section of keys, got a single value or a list"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(project, text, said):
    (fault,) = faults(project, text)
    assert fault.partition(": ")[2] == said


def test_a_fault_in_the_file_counts_even_where_a_flag_wins(project):
    assert len(faults(project, "threads: -1", threads=1)) == 1


def test_a_section_whose_keys_are_commented_out_is_fine(project):
    assert load(project, "als:\n  # factors: 3\n").settings == Settings()


def test_an_explicit_null_is_a_value_of_the_file(project):
    loaded = load(project, "database: {url: null}", {})
    assert loaded.settings.database.url is None
    assert loaded.sources["database.url"] == Source("file", "mgw.yaml:1")


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("database: {url: [hunter2]}", {}),
        ("database: postgresql://u:hunter2@h/d", {}),
        ("database: {'postgresql://u:hunter2@h/d'}", {}),
        ("postgresql://u:hunter2@h/d", {}),
        ("database: {bin_dir: 5, url: {hunter2: 1}}", {}),
        ("database: {embedded_version: 'postgresql://u:hunter2@h/d'}", {}),
        ("", {"MGW_DATABASE_URL": "postgresql://u:hunter2\x07@h/d"}),
    ],
)
def test_a_secret_is_never_in_an_error(project, text, environ):
    with pytest.raises(ConfigInvalid) as caught:
        load(project, text, environ)
    assert "hunter2" not in caught.value.message
    assert "hunter2" not in str(caught.value.hint)


def test_a_secret_is_not_in_the_representation(project):
    loaded = load(project, "", {"MGW_DATABASE_URL": "postgresql://u:hunter2@h/d"})
    assert loaded.settings.database.url == "postgresql://u:hunter2@h/d"
    assert "hunter2" not in repr(loaded)


def test_the_settings_load_without_the_heavy_libraries():
    probe = (
        "import sys, mgw.core.settings; print([m for m in ('numpy', 'psycopg', 'typer', 'rich') if m in sys.modules])"
    )
    root = Path(sys.modules["mgw"].__path__[0]).parent
    done = subprocess.run([sys.executable, "-c", probe], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
