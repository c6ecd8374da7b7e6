"""Passwords are taken out of everything that looks like a connection string."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.settings import DatabaseSettings, Settings, keys, redact_url, redacted, redaction


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://h/d", "postgresql://h/d"),
        ("postgresql://u@h:5432/d?sslmode=require", "postgresql://u@h:5432/d?sslmode=require"),
        ("postgresql://u:p@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u:p@h1:1,h2:2/d?a=b", "postgresql://u:***@h1:1,h2:2/d?a=b"),
        ("postgresql://:p@h", "postgresql://:***@h"),
        ("postgres://h/d?user=u&password=p&x=y", "postgres://h/d?user=u&password=***&x=y"),
        ("postgres://h/d?pass%77ord=p", "postgres://h/d?pass%77ord=***"),
        (
            "postgres://h/d?sslpassword=p&oauth_client_secret=q",
            "postgres://h/d?sslpassword=***&oauth_client_secret=***",
        ),
        ("postgres://u:p@h/d?password=q", "postgres://u:***@h/d?password=***"),
        ("host=h password=p user=u", "host=h password=*** user=u"),
        ("host = h PASSWORD = 'p q\\'r' user=u", "host=h PASSWORD=*** user=u"),
        ("dbname=postgresql://u:p@h/d", "dbname=***"),
        ("scram_client_key=p", "scram_client_key=***"),
        ("host=h password='p q", "***"),
        ("p", "***"),
        ("u:p@h", "***"),
    ],
)
def test_what_is_shown(text, shown):
    assert redact_url(text) == shown


@given(st.text())
def test_a_password_never_survives_in_a_url_escaped_or_not(password):
    assert redact_url(f"postgresql://ada:{password}@db.example/films") == "postgresql://ada:***@db.example/films"


@given(st.text())
def test_a_quoted_password_never_survives_in_pairs(password):
    quoted = password.replace("\\", "\\\\").replace("'", "\\'")
    assert redact_url(f"user=ada password='{quoted}' host=db") == "user=ada password=*** host=db"


@given(st.text())
def test_redacting_twice_changes_nothing_more(text):
    for whole in (text, f"postgresql://{text}", f"password={text}"):
        assert redact_url(redact_url(whole)) == redact_url(whole)


def test_settings_lose_their_secrets_and_nothing_else():
    settings = Settings(threads=3, database=DatabaseSettings(url="postgresql://u:hunter2@h/d", bin_dir="/pg"))
    shown = redacted(settings)
    assert shown == Settings(threads=3, database=DatabaseSettings(url="postgresql://u:***@h/d", bin_dir="/pg"))
    assert settings.database.url == "postgresql://u:hunter2@h/d"
    assert redacted(Settings()) == Settings()


def test_the_database_url_is_the_secret():
    assert [key.name for key in keys().values() if key.secret] == ["database.url"]


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(redaction)
    assert (result.failed, result.attempted) == (0, 3)
