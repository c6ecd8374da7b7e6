"""The written corpus: what is right for each column, and what is said of it, on every version."""

from __future__ import annotations

import psycopg

from mgw.sql.nullability import Analyser

from .conftest import BINARIES
from .corpus_file import SCHEMA, cases


def test_corpus_is_never_unsafe_and_nearly_always_exact(platform, version):
    analyser = Analyser(platform)
    unsafe, inexact, total = [], [], 0
    for case in cases():
        if case.since > version or (case.needs_xml and not _has_xml(platform)):
            continue
        verdicts = analyser.analyse(case.query, case.parameters).columns
        assert len(verdicts) == len(case.expected), case
        for at, (verdict, expected) in enumerate(zip(verdicts, case.expected, strict=True), 1):
            total += 1
            if verdict.nullable != expected:
                (unsafe if expected else inexact).append(f"{case} column {at}: {'; '.join(map(str, verdict.reasons))}")
    assert not unsafe
    assert len(inexact) <= 0.05 * total, inexact
    assert total >= 500


def test_every_verdict_has_a_reason(platform, version):
    analyser = Analyser(platform)
    for case in cases():
        if case.since <= version and not case.needs_xml:
            assert all(each.reasons for each in analyser.analyse(case.query, case.parameters).columns), case


def test_all_versions_say_the_same(server_url):
    said = {}
    for version, folder in BINARIES.items():
        if not folder.exists():
            continue
        with psycopg.connect(server_url(version)) as connection:
            connection.execute(SCHEMA.read_text())
            analyser = Analyser(connection)
            said[version] = {
                str(case): analyser.analyse(case.query, case.parameters)
                for case in cases()
                if case.since <= 15 and not case.needs_xml
            }
            connection.rollback()
    first, *others = said.values()
    assert others, "one version alone cannot disagree"
    for other in others:
        assert {case: (first[case], other[case]) for case in first if first[case] != other[case]} == {}


def _has_xml(connection) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT '<a/>'::xml")
    except psycopg.errors.FeatureNotSupported:
        return False
    return True
