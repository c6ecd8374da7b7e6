"""Rows as viewing events: what is taken, and the one clear answer to each thing that is not."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.errors import SourceInvalid
from mgw.ingest.events import DEVICES, EVENT_FIELDS, EventParser, EventRow
from mgw.ingest.faults import Malformed

NOW = datetime(2024, 6, 1, tzinfo=UTC)
COLUMNS = tuple(EVENT_FIELDS)


def parser(columns=COLUMNS, mapping=None, **options):
    return EventParser(columns, mapping or {}, known_content={"alien", "brazil"}, now=NOW, **options)


def parse(**values):
    row = {"user": "ada", "content": "alien"} | values
    return parser(tuple(row)).parse(list(row.values()))


def fault(**values):
    with pytest.raises(Malformed) as caught:
        parse(**values)
    return caught.value.column, caught.value.kind, caught.value.reason


def test_the_fields_stand_in_the_order_of_the_row():
    given = ["ada", "alien", "1577872800", "0.5", "4", "true", "no", "TV"]
    at = datetime(2020, 1, 1, 10, tzinfo=UTC)
    assert parser().parse(given) == EventRow("ada", "alien", at, 0.5, 4.0, True, False, "tv")


def test_what_the_source_does_not_say():
    assert parse() == EventRow("ada", "alien", None, 1.0, None, False, False, None)
    assert parser().parse(["ada", "alien", *[" "] * 6]) == parse()


def test_a_title_that_was_dismissed_was_not_watched_unless_the_source_says_so():
    assert parse(dismissed="1").completion_rate == 0
    assert parse(dismissed="1", completion_rate="0.25").completion_rate == 0.25


def test_spaces_around_a_value_are_not_part_of_it():
    assert parse(user=" ada ", content="\talien", rating=" 5 ").rating == 5
    assert parse(user=" ada ").user_id == "ada"


@pytest.mark.parametrize("text", ["1", "true", "T", "Yes", "y", "TRUE"])
def test_true(text):
    assert parse(is_rewatch=text).is_rewatch


@pytest.mark.parametrize("text", ["0", "false", "F", "No", "n", "", "False"])
def test_false(text):
    assert not parse(is_rewatch=text).is_rewatch


@pytest.mark.parametrize(
    ("values", "column", "kind", "reason"),
    [
        ({"user": " "}, "user", "no user id", "the user id is empty"),
        ({"user": "a\0b"}, "user", "bad user id", "NUL"),
        ({"user": "\udce9"}, "user", "not text", "the byte 0xe9"),
        ({"user": "\ud800"}, "user", "not text", "half a character, U+D800"),
        ({"user": "u" * 256}, "user", "user id too long", "256 characters, 255 at most"),
        ({"content": ""}, "content", "no content id", "the content id is empty"),
        ({"content": "c" * 3000}, "content", "content id too long", "3,000 characters"),
        ({"content": "alein"}, "content", "unknown content", "there is no content 'alein'"),
        ({"rating": "0"}, "rating", "rating out of range", "rating '0' is not between 1 and 5"),
        ({"rating": "5.01"}, "rating", "rating out of range", "not between 1 and 5"),
        ({"rating": "nan"}, "rating", "rating out of range", "not between 1 and 5"),
        ({"rating": "inf"}, "rating", "rating out of range", "not between 1 and 5"),
        ({"rating": "9" * 400}, "rating", "rating out of range", "…"),
        ({"rating": "four"}, "rating", "bad rating", "'four' is not a number"),
        ({"rating": "1_0"}, "rating", "bad rating", "'1_0' is not a number"),
        ({"completion_rate": "1.0001"}, "completion_rate", "completion out of range", "not between 0 and 1"),
        ({"completion_rate": "-0.1"}, "completion_rate", "completion out of range", "not between 0 and 1"),
        ({"completion_rate": "NaN"}, "completion_rate", "completion out of range", "not between 0 and 1"),
        ({"completion_rate": "80%"}, "completion_rate", "bad completion_rate", "'80%' is not a number"),
        ({"dismissed": "maybe"}, "dismissed", "bad flag", "'maybe' is neither true nor false"),
        ({"is_rewatch": "2"}, "is_rewatch", "bad flag", "'2' is neither true nor false"),
        ({"device": "fridge"}, "device", "bad device", "none of tv, phone, tablet, desktop"),
        ({"at": "yesterday"}, "at", "bad at", "neither seconds since 1970 nor ISO 8601"),
        ({"at": "nan"}, "at", "bad at", "neither"),
        ({"at": "1_577_872_800"}, "at", "bad at", "neither"),
        ({"at": "2020-13-01"}, "at", "bad at", "neither"),
        ({"at": "-1"}, "at", "event before 1970", "'-1' is before 1970"),
        ({"at": "-inf"}, "at", "event before 1970", "before 1970"),
        ({"at": "0000-01-01"}, "at", "bad at", "neither"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at", "event before 1970", "before 1970"),
        ({"at": "1969-12-31T23:59:59Z"}, "at", "event before 1970", "before 1970"),
        ({"at": "2024-06-02"}, "at", "event from the future", "'2024-06-02' is in the future"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "at", "event from the future", "in the future"),
        ({"at": "inf"}, "at", "event from the future", "in the future"),
        ({"at": "1" + "0" * 400}, "at", "event from the future", "in the future"),
        ({"at": "1e300"}, "at", "event from the future", "in the future"),
        ({"at": "1577872800000"}, "at", "event from the future", "are these milliseconds?"),
        ({"at": "1577872800000000"}, "at", "event from the future", "are these microseconds?"),
        ({"at": "1577872800000000000"}, "at", "event from the future", "are these nanoseconds?"),
    ],
)  # fmt: skip
def test_each_thing_that_cannot_be_taken_has_its_answer(values, column, kind, reason):
    found = fault(**values)
    assert found[:2] == (column, kind)
    assert reason in found[2]
    assert len(found[2]) < 200


def test_a_message_names_the_column_as_the_file_does():
    mapped = parser(("who", "what", "stars"), {"user": "who", "content": "what", "rating": "stars"})
    assert mapped.parse(["ada", "alien", "3"]).rating == 3
    with pytest.raises(Malformed) as caught:
        mapped.parse(["ada", "alien", "6"])
    assert caught.value.column == "stars"


@pytest.mark.parametrize(
    ("values", "column"), [([], "user"), (["ada"], "content"), (["ada", "alien"], "rating"), (["a"] * 5, "4")]
)
def test_a_row_of_another_width_names_the_column_where_it_goes_wrong(values, column):
    with pytest.raises(Malformed, match=f"expected 3 values, found {len(values)}") as caught:
        parser(("user", "content", "rating")).parse(values)
    assert (caught.value.column, caught.value.kind) == (column, "wrong number of values")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1577872800.25", datetime(2020, 1, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2020-01-01T10:00:00Z", datetime(2020, 1, 1, 10, tzinfo=UTC)),
        ("2020-01-01 10:00:00+02:00", datetime(2020, 1, 1, 8, tzinfo=UTC)),
        ("2020-01-01", datetime(2019, 12, 31, 23, tzinfo=UTC)),
        ("2020-07-01T10:00", datetime(2020, 7, 1, 8, tzinfo=UTC)),
        ("2024-06-01T02:04:59", datetime(2024, 6, 1, 0, 4, 59, tzinfo=UTC)),
    ],
)
def test_times_are_in_the_zone_that_was_named_unless_they_say_so_themselves(text, at):
    columns = ("user", "content", "at")
    assert parser(columns, timezone=ZoneInfo("Europe/Berlin")).parse(["ada", "alien", text]).at == at


@pytest.mark.parametrize(
    ("columns", "mapping", "complaint"),
    [
        (("user",), {}, "no column content among: user"),
        (("u", "content"), {}, "no column user among: u, content"),
        (("user", "content"), {"rating": "stars"}, "--map rating=stars: there is no column stars"),
        (("user", "content"), {"stars": "user"}, "--map stars=user: there is no field stars"),
        (("a", "b"), {"user": "a", "content": "a"}, "--map content=a: column a is user already"),
        (("user", "b"), {"content": "user"}, "no column user among: user, b"),
        (("user", "content", "user"), {}, "column user stands 2 times in the header"),
    ],
)
def test_columns_that_do_not_fit(columns, mapping, complaint):
    with pytest.raises(SourceInvalid) as caught:
        parser(columns, mapping)
    assert complaint in caught.value.message
    assert caught.value.hint


def test_columns_that_nobody_asked_for_may_stand_twice():
    assert parser(("user", "content", "x", "x")).parse(["ada", "alien", "", "\0"]).user_id == "ada"


def test_a_column_that_is_mapped_is_no_longer_the_field_of_its_own_name():
    swapped = parser(("user", "content", "rating"), {"completion_rate": "rating"})
    assert swapped.parse(["ada", "alien", "0.5"])[3:5] == (0.5, None)


def test_a_long_header_is_not_repeated_in_full():
    with pytest.raises(SourceInvalid) as caught:
        parser(tuple("x" * 5000 + str(n) for n in range(500)))
    assert len(caught.value.message) < 2000


times = st.datetimes(datetime(1970, 1, 1), NOW.replace(tzinfo=None), timezones=st.just(UTC))  # noqa: DTZ001 - as it wants
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
events = st.builds(
    EventRow,
    st.text("abcé–日 ", min_size=1, max_size=255).map(str.strip).filter(bool),
    st.sampled_from(["alien", "brazil"]),
    st.none() | times,
    st.floats(0, 1),
    st.none() | st.floats(1, 5),
    st.booleans(),
    st.booleans(),
    st.none() | st.sampled_from(DEVICES),
)


@given(row=events, offset=offsets)
def test_every_event_survives_being_written_and_read(row, offset):
    written = ["" if value is None else str(value) for value in row]
    written[2] = "" if row.at is None else row.at.astimezone(offset).isoformat()
    assert parser().parse(written) == row


@given(st.lists(st.text(max_size=20) | st.from_regex(r"[-+0-9.eE:TZ]{1,20}"), min_size=8, max_size=8))
def test_any_text_is_either_an_event_or_a_fault(values):
    with suppress(Malformed):
        row = parser().parse(["ada", "alien", *values[2:]])
        assert row.at is None or datetime(1970, 1, 1, tzinfo=UTC) <= row.at <= NOW + timedelta(minutes=5)
        assert 0 <= row.completion_rate <= 1
        assert row.rating is None or 1 <= row.rating <= 5
