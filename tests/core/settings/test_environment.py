"""Settings from variables, and what is said about variables that are none."""

from __future__ import annotations

from mgw.core.settings import LoadedSettings, Source, load_settings


def load(tmp_path, **environ: str) -> LoadedSettings:
    return load_settings(start=tmp_path, environ=environ)


def test_a_variable_sets_its_key(tmp_path):
    loaded = load(
        tmp_path, MGW_ALS_INIT_STDDEV="0.5", MGW_EVALUATE_SPLIT="user-time", MGW_DATABASE_EMBEDDED_VERSION="16"
    )
    assert loaded.settings.als.init_stddev == 0.5
    assert loaded.settings.evaluate.split == "user-time"
    assert loaded.settings.database.embedded_version == 16
    assert loaded.sources["evaluate.split"] == Source("environment", "MGW_EVALUATE_SPLIT")


def test_an_empty_variable_is_not_set(tmp_path):
    (tmp_path / "mgw.yaml").write_text("threads: 2")
    loaded = load(tmp_path, MGW_THREADS="", MGW_ALS_FACTORS="", MGW_NONSENSE="")
    assert loaded.settings.threads == 2
    assert loaded.sources["als.factors"].kind == "default"
    assert loaded.warnings == ()


def test_the_short_name_of_the_folder_of_binaries(tmp_path):
    loaded = load(tmp_path, MGW_PG_BIN="/short")
    assert loaded.settings.database.bin_dir == "/short"
    assert loaded.sources["database.bin_dir"] == Source("environment", "MGW_PG_BIN")
    assert load(tmp_path, MGW_PG_BIN="/short", MGW_DATABASE_BIN_DIR="/long").settings.database.bin_dir == "/long"


def test_an_unknown_variable_is_a_warning_with_a_suggestion(tmp_path):
    (tmp_path / "other.yaml").touch()
    loaded = load(tmp_path, MGW_DATABSE_URL="x", MGW_XYZZY="1", MGW_CONFIG="other.yaml", PATH="/bin", mgw_threads="1")
    assert loaded.warnings == (
        "the environment variable MGW_DATABSE_URL is not a setting; did you mean MGW_DATABASE_URL?",
        "the environment variable MGW_XYZZY is not a setting",
    )
