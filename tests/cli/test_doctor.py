"""`mgw doctor`: whatever is wrong, a finding with a remedy, and never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import psycopg
import pytest
from commands import ROOT, mgw

from mgw.core.artifacts import ModelStore
from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.migrations import migrate, read_migrations

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def doctor(tmp_path, database_url):
    """Run it on the test's folder and database, and return its exit code and its findings by subject."""

    def run(code, *, folder=tmp_path, **changes):
        given = {"MGW_DATABASE_URL": database_url, **changes}
        answers = [mgw(folder, "doctor", *arguments, **given) for arguments in ([], ["--json"])]
        findings = json.loads(answers[1].out)["findings"]
        assert [answer.code for answer in answers] == [code, code]
        for answer in answers:
            assert "hunter2" not in answer.out + answer.err
        for finding in findings:
            assert finding["subject"] in answers[0].out
            assert finding["state"] in {"ok", "off", "note", "bad"}
            if finding["state"] != "ok":
                assert f"{finding['subject']}: {finding['hint']}" in answers[0].out, "what is not well has a remedy"
        return {finding["subject"]: finding for finding in findings}

    return run


def bad(findings: dict[str, dict[str, str]], subject: str) -> str:
    """What is said of the one thing that is bad, with its hint."""
    assert [name for name, finding in findings.items() if finding["state"] == "bad"] == [subject]
    return f"{findings[subject]['detail']} / {findings[subject]['hint']}"


def publish(folder: Path) -> ModelStore:
    store = ModelStore(folder / ".mgw" / "models")
    store.publish("als", {"items": np.zeros(3)}, parameters={}, data={}, metrics={}, versions={})
    return store


def test_all_is_well(doctor, tmp_path):
    store = publish(tmp_path)
    findings = doctor(0)
    assert {"mgw", "numpy", "psycopg", "BLAS and threads", "configuration", "disk", "database", "model"} <= set(
        findings
    )
    assert store.current_name() in findings["model"]["detail"]
    assert "external PostgreSQL" in findings["database"]["detail"]
    assert "GB free" in findings["disk"]["detail"]


def test_before_the_first_training(doctor):
    findings = doctor(0)
    assert (findings["model"]["state"], findings["model"]["hint"]) == ("note", "run `mgw train als`")


def test_the_embedded_server(doctor, tmp_path):
    findings = doctor(0, MGW_DATABASE_URL="")
    assert findings["database"]["state"] == "note", "the next command migrates it"
    assert "embedded PostgreSQL" in findings["database"]["detail"]
    assert not EmbeddedServer(tmp_path / ".mgw" / "postgres").status().pinned


def test_no_database(doctor):
    said = bad(doctor(1, MGW_DATABASE_URL="postgresql://ada:hunter2@127.0.0.1:1/films"), "database")
    assert "DATABASE_UNREACHABLE: cannot reach the database films at 127.0.0.1:1" in said
    assert "check that the server runs" in said


def test_a_wrong_password(doctor, password_server):
    said = bad(doctor(1, MGW_DATABASE_URL=password_server.url(password="hunter2")), "database")
    assert "DATABASE_AUTH_FAILED" in said
    assert "check user, password" in said


def test_a_url_that_is_none(doctor):
    assert "CONFIG_INVALID" in bad(doctor(1, MGW_DATABASE_URL="postgresql://ada:hun/ter2@h/films"), "database")


def test_a_password_file(doctor, tmp_path, password_server, password_database):
    url = password_server.url(password_database, password=None)
    with psycopg.connect(password_server.url(password_database)) as connection:
        migrate(connection, read_migrations())
    file = tmp_path / "password"
    settings = {"MGW_DATABASE_URL": url, "MGW_DATABASE_PASSWORD_FILE": "password"}
    assert "cannot read" in bad(doctor(1, **settings), "database")
    file.write_text(password_server.PASSWORD)
    file.chmod(0o600)
    assert "password file" not in doctor(0, **settings)
    file.chmod(0o644)
    findings = doctor(0, **settings)
    assert findings["password file"]["state"] == "note", "containers mount secrets like that"
    assert "chmod 600" in findings["password file"]["hint"]


def test_migrations_that_wait(doctor, password_server, password_database):
    said = bad(doctor(1, MGW_DATABASE_URL=password_server.url(password_database)), "database")
    assert f"0 of {len(read_migrations())} migrations" in said
    assert "mgw db migrate" in said


def test_a_migration_that_was_edited(doctor, database):
    database.execute("UPDATE mgw_migrations SET checksum = 'other' WHERE number = 1")
    database.commit()
    said = bad(doctor(1), "database")
    assert "MIGRATION_EDITED: 0001_" in said
    assert "restore the file" in said


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        ("items.npy", b"", "MODEL_DAMAGED"),
        ("items.npy", None, "MODEL_DAMAGED"),
        ("manifest.json", b"{", "MODEL_DAMAGED"),
        ("manifest.json", b"{}", "MODEL_FOREIGN"),
        ("../current", b"als-gone", "MODEL_NOT_FOUND"),
        ("../current", b"\xff", "FILE_UNREADABLE"),
    ],
)
def test_a_damaged_model(doctor, tmp_path, file, content, code):
    path = publish(tmp_path).current().path / file
    path.unlink() if content is None else path.write_bytes(content)
    assert code in bad(doctor(1), "model")


def test_a_configuration_that_is_wrong(doctor, tmp_path):
    (tmp_path / "mgw.yaml").write_text("als:\n  factors: 0\n")
    said = bad(doctor(1), "configuration")
    assert "CONFIG_INVALID" in said
    assert "mgw.yaml:2" in said


def test_the_folder_for_the_state_is_a_file(doctor, tmp_path):
    (tmp_path / ".mgw").write_text("")
    findings = doctor(1)
    assert findings["disk"]["state"] == "bad"
    assert "is not a folder" in findings["disk"]["detail"]


def test_a_small_disk_and_one_that_may_not_be_written(doctor, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        said = bad(doctor(1, folder=folder), "disk")
        assert "0.0 GB free" in said
        assert "free some space" in said
        full = doctor(1, folder=folder, MGW_DATABASE_URL="")
        assert "DISK_FULL" in full["database"]["detail"]
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        assert "may not be written" in bad(doctor(1, folder=folder), "disk")
        refused = doctor(1, folder=folder, MGW_DATABASE_URL="")
        assert "READ_ONLY" in refused["database"]["detail"]
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_an_installation_with_a_hole(doctor, tmp_path):
    """A library that cannot be loaded is a finding, not the end."""
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise ImportError('libLLVM is missing')")
    findings = doctor(1, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert "libLLVM is missing" in bad(findings, "BLAS and threads")
