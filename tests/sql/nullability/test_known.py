"""The functions that are taken never to return NULL, called with awkward values: none of them does."""

from __future__ import annotations

import itertools
import random
import re

import psycopg
import pytest

from mgw.sql.nullability import known
from mgw.sql.nullability.catalogue import Catalogue

# Values that functions have been found to answer with NULL, and others of their kind.
AWKWARD = {
    "boolean": ["true", "false"],
    "smallint": ["0", "1", "-1", "3"],
    "integer": ["0", "1", "-1", "2", "40"],
    "bigint": ["0", "1", "-1", "5"],
    "real": ["0", "1.5", "'NaN'", "'Infinity'", "'-Infinity'"],
    "double precision": ["0", "0.5", "'NaN'", "'Infinity'", "'-Infinity'"],
    "numeric": ["0", "1.50", "'NaN'", "'Infinity'", "'-Infinity'"],
    "text": [
        "''",
        "'a'",
        "'a,b'",
        "'1'",
        "'hour'",
        "'UTC'",
        "'english'",
        "'hex'",
        "'%s'",
        "'UTF8'",
        "'NFC'",
        "'(a)|b'",
    ],
    "character": ["''", "'a'"],
    "character varying": ["''", "'a'"],
    "name": ["''", "'a'", "'UTF8'"],
    '"char"': ["'a'", "''"],
    "bytea": ["''", "'\\x00ff'"],
    "date": ["'2020-02-29'", "'infinity'", "'-infinity'", "'0044-03-15 BC'"],
    "timestamp without time zone": ["'2020-01-01 12:00'", "'infinity'", "'-infinity'"],
    "timestamp with time zone": ["'2020-01-01 12:00+00'", "'infinity'", "'-infinity'"],
    "time without time zone": ["'00:00'", "'24:00'"],
    "time with time zone": ["'00:00+02'", "'12:00-03'"],
    "interval": ["'0'", "'1 mon -3 days'", "'1 day'", "'infinity'"],
    "json": ["'null'", "'{}'", "'[]'", "'{\"a\": null}'", "'[null]'", "'1'"],
    "jsonb": ["'null'", "'{}'", "'[]'", "'{\"a\": null}'", "'[null]'", "'1'"],
    "uuid": ["'00000000-0000-0000-0000-000000000000'"],
    "inet": ["'0.0.0.0/0'", "'::1'"],
    "cidr": ["'0.0.0.0/0'", "'::/0'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'", "'08:00:2b:ff:fe:01:02:03'"],
    "money": ["'0'", "'-3'"],
    "bit": ["B'0'", "B'101'"],
    "bit varying": ["B''", "B'101'"],
    "oid": ["0", "1259"],
    "oidvector": ["''", "'1 2'"],
    "xid": ["'3'"],
    "xid8": ["'3'"],
    "cid": ["'3'"],
    "tid": ["'(0,1)'"],
    "pg_lsn": ["'0/0'", "'1/A'"],
    "tsvector": ["''", "'a:1 b:2'"],
    "tsquery": ["''", "'a & !b'"],
    "regclass": ["'pg_class'", "'some_sequence'"],
    "regconfig": ["'simple'"],
    "anyarray": ["'{}'::int[]", "'{NULL}'::int[]", "'{1,2}'::int[]", "'{{1},{2}}'::int[]"],
    "anycompatiblearray": ["'{}'::int[]", "'{NULL}'::int[]", "'{1,2}'::int[]"],
    "anyrange": ["'empty'::int4range", "'(,)'::int4range", "'[1,3)'::int4range"],
    "anymultirange": ["'{}'::int4multirange", "'{(,)}'::int4multirange", "'{[1,3)}'::int4multirange"],
    "anyelement": ["1"],
    "anycompatible": ["1"],
    "anynonarray": ["1", "'a'::text"],
    "anyenum": ["'calm'::kind"],
    "record": ["ROW(1, NULL)", "ROW()", "ROW(NULL::int)"],
    '"any"': ["NULL::text", "1"],
    "text[]": ["'{}'::text[]", "'{NULL}'::text[]", "'{a,b}'::text[]"],
    "integer[]": ["'{}'::int[]", "'{1}'::int[]"],
    "real[]": ["'{0.1,0.2,0.4,1}'::real[]"],
    "xml": [],
}
_POLYMORPHIC = ("any", "record", '"any"')
SAMPLE = 60


@pytest.fixture
def listed(connection):
    """Every function of PostgreSQL's own that the lists mean, with its argument types."""
    rows = connection.execute(
        "SELECT p.oid, p.proname, oidvectortypes(p.proargtypes) FROM pg_proc p"
        " WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND p.oid < 16384"
    ).fetchall()
    catalogue = Catalogue(connection)
    catalogue._load_functions([oid for oid, _, _ in rows])
    facts = [catalogue.function(oid) for oid, _, _ in rows]
    return [each for each in facts if each.is_one_of(known.TOTAL | known.ALWAYS) or each.name in known.LEADING]


def test_no_listed_function_returns_null(connection, listed):
    connection.execute("CREATE TYPE kind AS ENUM ('calm', 'wild'); CREATE SEQUENCE some_sequence")
    connection.execute("SELECT nextval('some_sequence')")
    rng = random.Random(1)
    returned_null, answered, silent = [], 0, []
    for facts in listed:
        results = [_call(connection, call) for call in _calls(rng, facts)]
        answered += any(result is False for result in results)
        if results and not any(result is False for result in results):
            silent.append(facts.signature)
        returned_null += [facts.signature for result in results if result is True]
    assert not returned_null
    assert answered > 800, silent
    # What never answered was never tested: a few want values that are hard to make.
    assert len(silent) < 40, silent


def test_what_may_be_null_may_be(connection, listed):
    """Functions that are known whatever some of their arguments are, called with NULL for those."""
    rng = random.Random(2)
    returned_null, answered = [], 0
    for facts in listed:
        if not (facts.name in known.LEADING or facts.is_one_of(known.ALWAYS)) or not facts.arguments:
            continue
        leading = known.LEADING.get(facts.name, 0)
        for arguments in _argument_lists(rng, facts.arguments, 10):
            values = _split(arguments)
            free = [f"NULL::{_null_type(type_)}" for type_ in facts.arguments.split(", ")[leading:]]
            result = _call(connection, f'"{facts.name}"({", ".join(values[:leading] + free)})')
            answered += result is False
            returned_null += [f"{facts.signature} of {values[:leading]}"] if result else []
    assert not returned_null
    assert answered > 100


def test_units_that_infinite_times_have(connection):
    for type_ in ("date", "timestamp", "timestamptz", "interval"):
        for unit in known.INFINITE_UNITS:
            for value in ("infinity", "-infinity"):
                assert not _call(connection, f"\"extract\"('{unit}', '{value}'::{type_})"), (unit, type_)
    assert _call(connection, "\"extract\"('hour', 'infinity'::timestamp)")


def test_no_listed_aggregate_returns_null_over_a_group(connection):
    rows = connection.execute(
        "SELECT DISTINCT proname, oidvectortypes(proargtypes), aggkind = 'o' FROM pg_proc p JOIN pg_aggregate a"
        " ON a.aggfnoid = p.oid WHERE pronamespace = 'pg_catalog'::regnamespace AND p.oid < 16384 AND aggkind <> 'h'"
    ).fetchall()
    returned_null, answered = [], 0
    for name, arguments, ordered in rows:
        if name not in known.AGGREGATES | known.COUNTS:
            continue
        for values in _argument_lists(random.Random(1), arguments, SAMPLE):
            result = _call_aggregate(connection, name, values, ordered=ordered)
            answered += result is False
            returned_null += [f"{name}({values})"] if result else []
    assert not returned_null
    assert answered > 150


def test_the_probe_finds_functions_that_return_null(connection):
    """The same calls find those which are not listed, and why."""
    for name, arguments in (
        ("array_length", "anyarray, integer"),
        ("scale", "numeric"),
        ("extract", "text, timestamp without time zone"),
        ("to_char", "timestamp without time zone, text"),
        ("jsonb_object_field_text", "jsonb, text"),
        ("lower", "anyrange"),
    ):
        calls = _argument_lists(random.Random(1), arguments, 200)
        assert any(_call(connection, f'"{name}"({call})') for call in calls), name


def test_every_listed_name_exists_somewhere(server_url):
    names = set()
    for version in (15, 16, 18):
        try:
            url = server_url(version)
        except pytest.skip.Exception:
            continue
        with psycopg.connect(url) as connection:
            for name, arguments in connection.execute(
                "SELECT proname, oidvectortypes(proargtypes) FROM pg_proc"
                " WHERE pronamespace = 'pg_catalog'::regnamespace"
            ):
                names |= {name, f"{name}({arguments})"}
    written = {*known.ALWAYS, *known.LEADING, *known.ROWS, *known.ROW_COLUMNS, *known.AGGREGATES, *known.RANKS}
    assert written - names == set()
    # Some families are made by rule and have gaps; a name written out has to exist.
    assert {name for name in known.TOTAL - known.COMPARISONS if "(" in name} - names == set()


def _calls(rng: random.Random, facts) -> list[str]:
    return [f'"{facts.name}"({arguments})' for arguments in _argument_lists(rng, facts.arguments, SAMPLE)]


def _argument_lists(rng: random.Random, arguments: str, most: int) -> list[str]:
    types = arguments.split(", ") if arguments else []
    if any(type_ not in AWKWARD for type_ in types):
        return []
    choices = [
        [value if type_.startswith(_POLYMORPHIC) or "::" in value else f"{value}::{_cast(type_)}"
         for value in AWKWARD[type_]]
        for type_ in types
    ]  # fmt: skip
    combinations = list(itertools.product(*choices))
    return [", ".join(each) for each in rng.sample(combinations, min(most, len(combinations)))]


def _cast(type_: str) -> str:
    return {"character": "bpchar", "bit": "bit varying"}.get(type_, type_)


def _call(connection, call: str) -> bool | None:
    """Return whether a call gives NULL; None where it is an error."""
    try:
        with connection.transaction(force_rollback=True):
            row = connection.execute(
                f"SELECT pg_catalog.{call} IS NULL AND pg_catalog.num_nulls({call}) = 1"
            ).fetchone()
    except psycopg.Error:
        return None
    return row[0]


def _call_aggregate(connection, name: str, values: str, *, ordered: bool) -> bool | None:
    """Return whether an aggregate over one row gives NULL; None where it is an error."""
    if ordered:
        *direct, value = values.split(", ")
        call = f"{name}({', '.join(direct)}) WITHIN GROUP (ORDER BY {value})"
    else:
        call = f"{name}({'*' if not values and name == 'count' else values})"
    try:
        with connection.transaction(force_rollback=True):
            row = connection.execute(
                f"SELECT num_nulls({call}) = 1 FROM (VALUES (1)) v GROUP BY 1 + column1"
            ).fetchone()
    except psycopg.Error:
        return None
    return row[0]


def _split(arguments: str) -> list[str]:
    """Split arguments at the commas that are not within quotes, brackets or parentheses."""
    return re.findall(r"(?:'[^']*'|\([^)]*\)|[^,'(])+", arguments)


def _null_type(type_: str) -> str:
    return {"anyarray": "int[]", "anycompatiblearray": "int[]", "anyelement": "int", "anycompatible": "int",
            '"any"': "text", "int4range[]": "int4range[]"}.get(type_, type_)  # fmt: skip
