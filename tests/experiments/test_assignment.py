"""Assignment: the published cases, laws, and the same in SQL."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mgw.core.database import queries
from mgw.core.errors import ExperimentInvalid
from mgw.experiments.assignment import (
    Holdout,
    Namespace,
    Range,
    assign,
    bucket,
    choose_variant,
    fnv1a,
    variant_ranges,
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
weights = st.lists(st.integers(1, 20), min_size=1, max_size=5).map(lambda parts: [n / sum(parts) for n in parts])


def test_the_hash_is_fnv_1a():
    assert (fnv1a(""), fnv1a("a"), fnv1a("foobar")) == (0x811C9DC5, 0xE40C292C, 0xBF9CF968)  # Noll's own vectors


def test_published_hashes(growthbook_cases):
    asked = Counter()
    for salt, value, version, expected in growthbook_cases["hash"]:
        asked[version] += 1
        if version == 2:
            assert bucket(salt, value) == expected
        elif version == 1:
            assert fnv1a(value + salt) % 1_000 / 1_000 == expected
    assert (asked[1], asked[2]) == (7, 7)


def test_published_ranges(growthbook_cases):
    refused = 0
    for name, (n_variants, traffic, shares), expected in growthbook_cases["getBucketRange"]:
        asked = shares or [1 / n_variants] * n_variants
        if not 0 <= traffic <= 1 or len(asked) != n_variants or abs(sum(asked) - 1) > 0.1:
            refused += 1  # there what is out of range is bent until it fits; here it is an error
            if len(asked) == n_variants:
                with pytest.raises(ExperimentInvalid):
                    variant_ranges(asked, traffic)
            continue
        found = variant_ranges(asked, traffic)
        assert [(each.start, each.end) for each in found] == [pytest.approx(each) for each in expected], name
    assert refused == 5


def test_published_choices(growthbook_cases):
    for name, place, ranges, expected in growthbook_cases["chooseVariation"]:
        found = choose_variant(place, [Range(*each) for each in ranges])
        assert found == (None if expected == -1 else expected), name


def test_published_namespaces(growthbook_cases):
    for title, user, (name, start, end), expected in growthbook_cases["inNamespace"]:
        assert (user in Namespace(name, Range(start, end))) == expected, title


@given(st.lists(st.floats(0, 1), max_size=4), st.floats(-1, 2))
def test_what_does_not_fit_is_refused(shares, traffic):
    fits = shares and abs(sum(shares) - 1) <= 1e-3 and 0 <= traffic <= 1
    if fits:
        assert len(variant_ranges(shares, traffic)) == len(shares)
    else:
        with pytest.raises(ExperimentInvalid):
            variant_ranges(shares, traffic)


@given(texts, texts, weights, st.floats(0, 1), st.floats(0, 1))
def test_nobody_changes_the_variant_when_the_share_of_traffic_grows(salt, user, shares, first, second):
    less, more = sorted([first, second])
    before = assign(salt, user, variant_ranges(shares, less))
    assert before in {None, assign(salt, user, variant_ranges(shares, more))}


def test_variants_get_their_share_and_salts_are_independent():
    users = [f"user-{number}" for number in range(20_000)]
    ranges = variant_ranges([0.2, 0.3, 0.5])
    first, second = ([assign(salt, user, ranges) for user in users] for salt in ("checkout-1", "checkout-2"))
    for found in (first, second):
        counts = Counter(found)
        assert [counts[variant] / len(users) for variant in range(3)] == pytest.approx([0.2, 0.3, 0.5], abs=0.015)
    together = Counter(zip(first, second, strict=True))
    for (one, other), count in together.items():
        expected = [0.2, 0.3, 0.5][one] * [0.2, 0.3, 0.5][other]
        assert count / len(users) == pytest.approx(expected, abs=0.012)


def in_sql(connection, salt, users, ranges, *excluded):
    namespace, holdout = (*excluded, None, None)[:2]
    places = namespace and namespace.places
    rows = queries.experiments_assign(
        connection, salt=salt, user_ids=users, starts=[each.start for each in ranges],
        ends=[each.end for each in ranges], namespace=namespace and namespace.name,
        namespace_from=places and places.start, namespace_to=places and places.end,
        holdout=holdout and holdout.name, holdout_share=holdout and holdout.share,
    )  # fmt: skip
    return dict(rows)


def in_python(salt, users, ranges, namespace=None, holdout=None):
    variants = {user: assign(salt, user, ranges, namespace, holdout) for user in users}
    return {user: variant for user, variant in variants.items() if variant is not None}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    texts, st.lists(texts, min_size=1, max_size=20, unique=True), st.builds(variant_ranges, weights, st.floats(0, 1)),
    st.tuples(
        st.none() | st.builds(Namespace, texts, st.builds(Range, st.floats(0, 1), st.floats(0, 1))),
        st.none() | st.builds(Holdout, texts, st.floats(0, 1)),
    ),
)  # fmt: skip
def test_sql_assigns_as_python_does(database, salt, users, ranges, excluded):
    asked = salt, users, ranges, *excluded
    assert in_sql(database, *asked) == in_python(*asked)


def test_a_holdout_has_its_share_and_keeps_them_out_of_every_experiment():
    users = [f"user-{number}" for number in range(10_000)]
    holdout, everybody = Holdout("all", 0.1), variant_ranges([1.0])
    held = {user for user in users if user in holdout}
    assert len(held) / len(users) == pytest.approx(0.1, abs=0.01)
    for salt in ("one", "two"):
        assert {user for user in users if assign(salt, user, everybody, holdout=holdout) is None} == held


def test_sql_draws_the_same_line_where_a_user_is_on_it(database):
    everybody = variant_ranges([1.0])
    for user in ("ann", "ben", "cleo"):
        place, shared = bucket("s", user), Namespace("n", Range(0, 1)).place(user)
        for ranges in ([Range(place, 1)], [Range(0, place)]):
            assert in_sql(database, "s", [user], ranges) == in_python("s", [user], ranges)
        for places in (Range(shared, 1), Range(0, shared)):
            namespace = Namespace("n", places)
            assert in_sql(database, "s", [user], everybody, namespace) == in_python("s", [user], everybody, namespace)
        for share in (place, place + 1e-9):
            asked = "s", [user], everybody, None, Holdout("s", share)
            assert in_sql(database, *asked) == in_python(*asked)
