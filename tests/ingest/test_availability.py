"""Windows of availability: what is taken, and what a second file makes of the first."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest

from mgw.ingest.availability import AvailabilityParser, AvailabilityRow
from mgw.ingest.content import ContentRow
from mgw.ingest.faults import Faults, Malformed
from mgw.ingest.importing import TextFormat, import_availability
from mgw.ingest.load import AvailabilityCounts, load_availability, load_content

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
COLUMNS = ("content", "region", "starts_at", "ends_at")


def parse(*values, zone=UTC):
    return AvailabilityParser(COLUMNS, {}, known_content={"alien"}, timezone=zone).parse(values)


def test_a_row_with_and_without_bounds():
    assert parse("alien", "DE", "2026-06-01", "1782864000") == AvailabilityRow("alien", "DE", JUNE, JULY)
    assert parse(" alien ", "", "", "") == AvailabilityRow("alien", None, None, None)
    assert AvailabilityParser(("content",), {}, known_content={"alien"}).parse(["alien"]) == (
        "alien", None, None, None,
    )  # fmt: skip


def test_a_time_without_a_zone_is_meant_in_the_zone_that_is_given():
    berlin = ZoneInfo("Europe/Berlin")
    assert parse("alien", "", "2026-06-01T02:00", "", zone=berlin).starts_at == JUNE
    assert parse("alien", "", "2026-06-01T00:00Z", "", zone=berlin).starts_at == JUNE


@pytest.mark.parametrize(
    ("values", "column", "kind"),
    [
        (("brazil", "", "", ""), "content", "unknown content"),
        (("", "", "", ""), "content", "no content id"),
        (("alien", "x" * 300, "", ""), "region", "region too long"),
        (("alien", "", "tomorrow", ""), "starts_at", "bad starts_at"),
        (("alien", "", "1e400", ""), "starts_at", "bad starts_at"),
        (("alien", "", "", "99999999999999999999"), "ends_at", "bad ends_at"),
        (("alien", "", "2026-07-01", "2026-06-01"), "ends_at", "ends before it starts"),
        (("alien", "", "2026-06-01", "2026-06-01"), "ends_at", "ends before it starts"),
        (("alien", "DE"), "starts_at", "wrong number of values"),
    ],
)
def test_a_row_that_cannot_be_used(values, column, kind):
    with pytest.raises(Malformed) as caught:
        parse(*values)
    assert (caught.value.column, caught.value.kind) == (column, kind)


@pytest.fixture
def films(database):
    load_content(database, [ContentRow("alien", "Alien"), ContentRow("brazil", "Brazil")])
    database.commit()
    return database


def windows(connection):
    return connection.execute(
        "SELECT c.external_id, a.region, a.starts_at, a.ends_at FROM content_availability a"
        " JOIN content c ON c.id = a.content_id ORDER BY 1, 2 NULLS FIRST, 3 NULLS FIRST"
    ).fetchall()


def test_a_title_has_the_windows_of_the_last_file_that_names_it(films):
    alien = [AvailabilityRow("alien", "DE", None, JUNE), AvailabilityRow("alien", None, JULY, None)]
    brazil = AvailabilityRow("brazil", None, None, None)
    assert load_availability(films, [*alien, brazil, brazil]) == AvailabilityCounts(2, new=3)
    assert load_availability(films, [*alien, brazil]) == AvailabilityCounts(2, unchanged=3)
    later = AvailabilityRow("alien", "DE", None, JULY)
    assert load_availability(films, [later, alien[1]]) == AvailabilityCounts(1, new=1, removed=1, unchanged=1)
    assert windows(films) == [alien[1], later, brazil]


def test_a_file_with_columns_of_other_names(films, tmp_path):
    file = tmp_path / "rights.csv"
    file.write_text("title;country;from\nalien;DE;2026-06-01 02:00\n")
    names = {"content": "title", "region": "country", "starts_at": "from"}
    text = TextFormat(delimiter=";", timezone=ZoneInfo("Europe/Berlin"))
    with Faults() as faults:
        report = import_availability(films, file, names, faults, text=text)
    assert report.availability == AvailabilityCounts(1, new=1)
    assert windows(films) == [("alien", "DE", JUNE, None)]


def test_the_database_takes_no_window_that_ends_before_it_starts(films):
    with pytest.raises(psycopg.errors.CheckViolation):
        load_availability(films, [AvailabilityRow("alien", None, JULY, JUNE)])
