"""`mgw watch`: what is wrong at the beginning ends it, with a hint that can be followed."""

from __future__ import annotations

import pytest
from commands import mgw


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "one.sql").write_text("-- One.\nSELECT 1 AS one;\n")
    (tmp_path / "m").mkdir()
    return tmp_path


@pytest.mark.parametrize("command", ["watch", "prepare"])
def test_a_folder_without_migrations(folders, command):
    code, said, beside = mgw(folders, command, "--migrations", "m")
    assert (code, said) == (2, "")
    assert "error[MIGRATIONS_INVALID]: there are no migrations in m\n  hint: --migrations names the folder" in beside


@pytest.mark.parametrize("command", ["watch", "prepare"])
def test_a_migration_that_fails_on_the_shadow(folders, command):
    (folders / "m" / "0001_a.sql").write_text("CREATE TABLE a (b nothing);\n")
    code, said, beside = mgw(folders, command, "--migrations", "m")
    assert (code, said) == (2, "")
    assert "MIGRATION_FAILED" in beside
    assert "mend it and run the command again" in beside
    assert "db migrate" not in beside
