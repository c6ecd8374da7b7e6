"""The laws of the three splits, against events that Hypothesis makes up, and the choice between them."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mgw.core.errors import NoEvents, NothingToEvaluate, ParametersInvalid
from mgw.core.settings.schema import EvaluateSettings
from mgw.recommend.interactions import Events, strength_matrix
from mgw.recommend.split import (
    choose_split,
    given_split,
    seen_matrix,
    split_by_time,
    split_by_user_time,
    split_cold_items,
    split_cold_users,
    split_randomly,
)

N_USERS, N_ITEMS = 3, 7
SPLITS = {
    "time": split_by_time,
    "user-time": split_by_user_time,
    "random": lambda events, share: split_randomly(events, share, seed=3),
    "cold-items": lambda events, share: split_cold_items(events, share, seed=3),
}
LEAVING_OUT = {
    "latest": lambda events, count: split_by_user_time(events, 0.5, count),
    "random": lambda events, count: split_randomly(events, 0.5, 3, count),
}

an_event = st.tuples(
    st.integers(0, N_USERS - 1),
    st.integers(0, N_ITEMS - 1),
    st.sampled_from([math.nan, 10.0, 20.0, 20.5, 30.0, 40.0, 50.0]),
    st.sampled_from([1.0, 0.5, 0.5, 0.0, -1.0]),
)
some_events = st.lists(an_event, min_size=10, max_size=40)
laws = settings(max_examples=60, deadline=None)  # no timing asserts: the first example pays for imports
a_share = st.sampled_from([0.1, 0.2, 0.5, 0.9])


def events_of(rows, n_users=N_USERS, n_items=N_ITEMS):
    users, items, at, engagement = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Events(
        np.array(users, dtype=np.int32),
        np.array(items, dtype=np.int32),
        np.array(at, dtype=np.float64),
        np.array(engagement, dtype=np.float32),
        np.arange(n_users, dtype=np.int64) + 100,
        np.arange(n_items, dtype=np.int64) + 1000,
    )


def rows_of(events):
    """Events as tuples that compare, with an unknown time as minus infinity."""
    at = np.nan_to_num(events.at, nan=-math.inf)
    return list(zip(events.users.tolist(), events.items.tolist(), at.tolist(), events.engagement.tolist(), strict=True))


def divide(name, rows, share):
    """Split; skip the example where nobody is left. Returns the split, its train rows and the rows held out."""
    events = events_of(rows)
    try:
        split = SPLITS[name](events, share)
    except NothingToEvaluate:
        assume(False)
    train, everything = Counter(rows_of(split.train)), Counter(rows_of(events))
    assert not train - everything
    return split, list(train.elements()), list((everything - train).elements())


def pairs_of(rows):
    return {(user, item) for user, item, _, _ in rows}


def held_out_number(n_pairs, share):
    return min(max(round(n_pairs * share), 1), n_pairs - 1)


@pytest.mark.parametrize("name", SPLITS)
@laws
@given(rows=some_events, share=a_share)
def test_no_held_out_pair_is_in_train_and_every_relevant_pair_is_on_one_side(name, rows, share):
    split, train, held_out = divide(name, rows, share)
    found = set(zip(*(axis.tolist() for axis in split.test.nonzero()), strict=True))
    # The oracle of relevance is the matrix that models are fitted on, of the events held out.
    relevant = set(zip(*(axis.tolist() for axis in strength_matrix(events_of(held_out)).nonzero()), strict=True))
    assert found == relevant - pairs_of(train)
    assert found.isdisjoint(pairs_of(train))
    assert split.test.shape == (N_USERS, N_ITEMS)
    assert (split.test.data > 0).all()


@pytest.mark.parametrize("name", SPLITS)
@laws
@given(rows=some_events, share=a_share, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_events_does_not_matter(name, rows, share, shuffle):
    split, train, _ = divide(name, rows, share)
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    again, train_again, _ = divide(name, shuffled, share)
    assert sorted(train_again) == sorted(train)
    assert (again.test != split.test).nnz == 0
    assert again.description == split.description


@pytest.mark.parametrize("name", SPLITS)
@laws
@given(rows=some_events, share=a_share)
def test_the_audience_has_a_history_and_something_held_out(name, rows, share):
    split, train, _ = divide(name, rows, share)
    learns = set(strength_matrix(events_of(train)).nonzero()[0].tolist())
    asked = set(split.test.nonzero()[0].tolist())
    audience = split.audience()
    assert audience.users.tolist() == sorted(learns & asked)
    assert audience.left_out == {
        "without_history": len(asked - learns),
        "without_held_out": len(learns - asked),
        "without_both": N_USERS - len(learns | asked),
        "learned_from": 0,
    }


@laws
@given(rows=some_events, share=a_share)
def test_the_time_split_has_one_moment_and_the_share_nearest_to_the_one_asked_for(rows, share):
    _, train, held_out = divide("time", rows, share)
    assert max(at for _, _, at, _ in train) < min(at for _, _, at, _ in held_out)
    times = [at for _, _, at, _ in train + held_out]
    sizes = [sum(at >= moment for at in times) for moment in sorted(set(times))[1:]]
    assert abs(len(held_out) - share * len(times)) == pytest.approx(min(abs(n - share * len(times)) for n in sizes))


@laws
@given(rows=some_events, share=a_share)
def test_the_user_time_split_holds_out_the_pairs_each_user_met_last(rows, share):
    _, train, held_out = divide("user-time", rows, share)
    for user in range(N_USERS):
        met = {}
        for _, item, at, _ in [row for row in train + held_out if row[0] == user]:
            met[item] = min(at, met.get(item, math.inf))
        if not met:
            continue
        before, after = ([row for row in side if row[0] == user] for side in (train, held_out))
        assert max(at for _, _, at, _ in before) <= min((at for _, _, at, _ in after), default=math.inf)
        later_than_first = sum(at > min(met.values()) for at in met.values())
        gone = pairs_of(after) - pairs_of(before)
        assert len(gone) == min(held_out_number(len(met), share), later_than_first)


@laws
@given(rows=some_events, share=a_share)
def test_the_random_split_takes_the_share_of_each_users_pairs_with_all_their_events(rows, share):
    _, train, held_out = divide("random", rows, share)
    assert pairs_of(train).isdisjoint(pairs_of(held_out))
    pairs = Counter(user for user, _ in pairs_of(train + held_out))
    gone = Counter(user for user, _ in pairs_of(held_out))
    for user, n_pairs in pairs.items():
        assert gone[user] == held_out_number(n_pairs, share)


def likes(users, items, at=math.nan):
    return [(user, item, at, 1.0) for user in users for item in items]


def test_the_random_split_follows_its_seed():
    events = events_of(likes(range(3), range(7)))
    first, same, other = (split_randomly(events, 0.3, seed) for seed in (1, 1, 2))
    assert (first.test != same.test).nnz == 0
    assert (first.test != other.test).nnz > 0


def test_a_title_seen_before_the_moment_is_not_asked_for_again():
    rows = [(0, 0, 1.0, 1.0), (0, 1, 2.0, 1.0), (0, 0, 9.0, 1.0), (0, 2, 9.0, 1.0)]
    assert split_by_time(events_of(rows), 0.5).test.nonzero()[1].tolist() == [2]


def test_a_title_dismissed_after_it_was_liked_is_not_relevant():
    rows = [(0, 0, 1.0, 1.0), (0, 1, 8.0, 1.0), (0, 1, 9.0, -1.0), (0, 2, 9.0, 1.0)]
    assert split_by_time(events_of(rows), 0.75).test.nonzero()[1].tolist() == [2]


def test_ties_in_time_do_not_hold_out_the_titles_with_the_highest_numbers():
    rows = [(user, item, float(item > 0), 1.0) for user in range(200) for item in range(11)]
    test = split_by_user_time(events_of(rows, 200, 11), 0.2).test
    held_out_share = np.bincount(test.indices, minlength=11) / 200
    # Two of the ten titles that tie, whichever: .2 each, with standard deviation .028. The first moment's title never.
    assert held_out_share[0] == 0
    assert held_out_share[1:] == pytest.approx(np.full(10, 0.2), abs=0.12)


@laws
@given(some_events, a_share, st.integers(0, 5))
def test_cold_users_are_not_learned_from_and_are_known_by_what_is_not_held_out(rows, share, seed):
    events = events_of(rows)
    try:
        split = split_cold_users(events, share, seed)
    except NothingToEvaluate:
        assume(False)
    warm, cold = set(split.train.users.tolist()), set(split.history.users.tolist())
    assert split.has_new_users
    assert warm.isdisjoint(cold)
    assert warm
    assert set(split.audience().users.tolist()) <= cold
    everything, kept = Counter(rows_of(events)), Counter(rows_of(split.train)) + Counter(rows_of(split.history))
    held_out = everything - kept
    assert kept + held_out == everything
    assert {row[0] for row in held_out} <= cold
    assert pairs_of(held_out).isdisjoint(pairs_of(rows_of(split.history)))
    wanted = set(zip(*(axis.tolist() for axis in split.test.nonzero()), strict=True))
    assert wanted <= pairs_of(held_out)
    left_out = split.audience().left_out
    assert left_out["learned_from"] == len(warm)
    assert sum(left_out.values()) + len(split.audience().users) == N_USERS


def test_as_many_users_are_cold_as_were_asked_for_and_the_seed_draws_them():
    events = events_of([(user, item, math.nan, 1.0) for user in range(50) for item in range(20)], 50, 20)
    drawn = [split_cold_users(events, 0.2, seed) for seed in (1, 1, 2)]
    assert [len(np.unique(split.history.users)) for split in drawn] == [10, 10, 10]
    assert (np.diff(drawn[0].test.indptr)[drawn[0].audience().users] == 4).all()
    assert rows_of(drawn[0].history) == rows_of(drawn[1].history) != rows_of(drawn[2].history)
    left_one_out = split_cold_users(events, 0.2, 1, leave_out=1)
    assert left_one_out.test.nnz == 10
    assert "10 users, drawn at random (seed 1), are not learned from; 1 of each" in left_one_out.description


@laws
@given(some_events, a_share, st.integers(0, 5), st.integers(0, 4))
def test_of_new_users_the_first_titles_are_told_and_the_same_found_among_the_same(rows, share, seed, known):
    events = events_of(rows)
    try:
        whole = split_cold_users(events, share, seed)
    except NothingToEvaluate:
        assume(False)
    split = split_cold_users(events, share, seed, known=known)
    assert (split.test != whole.test).nnz == 0
    assert (split.seen() != whole.seen()).nnz == 0
    assert split.audience().users.tolist() == whole.audience().users.tolist()
    assert split.audience().left_out == whole.audience().left_out
    assert Counter(rows_of(split.history)) + Counter(rows_of(split.untold)) == Counter(rows_of(whole.history))
    assert pairs_of(rows_of(split.history)).isdisjoint(pairs_of(rows_of(split.untold)))
    met = {}
    for user, item, at, _ in rows_of(whole.history):
        met[user, item] = min(met.get((user, item), math.inf), -math.inf if math.isnan(at) else at)
    told = pairs_of(rows_of(split.history))
    for user in {user for user, _ in met}:
        mine = {pair: moment for pair, moment in met.items() if pair[0] == user}
        told_here = told & set(mine)
        assert len(told_here) == min(known, len(mine))
        latest = max((mine[pair] for pair in told_here), default=-math.inf)
        assert all(mine[pair] >= latest for pair in set(mine) - told_here)


@laws
@given(some_events, a_share, st.integers(0, 5))
def test_cold_items_are_not_learned_from_and_they_alone_are_ranked(rows, share, seed):
    events = events_of(rows)
    try:
        split = split_cold_items(events, share, seed)
    except NothingToEvaluate:
        assume(False)
    cold = set(split.candidates.tolist())
    watched = {item for _, item in pairs_of(rows)}
    assert cold < watched
    assert len(cold) == held_out_number(len(watched), share)
    assert {item for _, item in pairs_of(rows_of(split.train))} == watched - cold
    assert set(split.test.indices.tolist()) <= cold


def test_a_split_that_is_given_is_taken_as_it_is():
    train = [(0, 0, math.nan, 1.0), (0, 1, math.nan, 1.0), (1, 2, math.nan, 1.0)]
    test = [(0, 1, math.nan, 1.0), (0, 3, math.nan, 1.0), (2, 3, math.nan, 1.0)]
    split = given_split(events_of(train), events_of(test), "a.csv is learned from, b.csv is to be found")
    assert rows_of(split.train) == [(user, item, -math.inf, engagement) for user, item, _, engagement in train]
    assert list(zip(*(axis.tolist() for axis in split.test.nonzero()), strict=True)) == [(0, 3), (2, 3)]
    assert split.audience().users.tolist() == [0]
    assert split.description == "As given: a.csv is learned from, b.csv is to be found."
    with pytest.raises(NothingToEvaluate):
        given_split(events_of(train), events_of(test[2:]), "")


def test_descriptions_state_the_split():
    rows = [(0, item, 1_700_000_000.0 + item, 1.0) for item in range(5)]
    assert split_by_time(events_of(rows), 0.2).description == (
        "Everybody's events before 2023-11-14 22:13:24 UTC are learned from; "
        "the later 20.0% of the events are held out."
    )
    assert "latest 20.0%" in split_by_user_time(events_of(rows), 0.2).description
    assert "(seed 5)" in split_randomly(events_of(rows), 0.2, 5).description


def test_seen_matrix_marks_a_pair_once_however_many_events_it_has():
    seen = seen_matrix(events_of([*likes([1], [2, 2, 2]), (1, 3, 5.0, -1.0)]))
    assert seen.nonzero()[0].tolist() == [1, 1]
    assert seen.nonzero()[1].tolist() == [2, 3]
    assert seen.dtype == np.bool_
    assert seen_matrix(events_of([])).nnz == 0


# Choosing ------------------------------------------------------------------------------------------------------------


def all_year(n_users):
    """Everybody likes ten titles at ten moments, the same for all."""
    return [(user, item, float(item), 1.0) for user in range(n_users) for item in range(10)]


def one_after_another(n_users):
    """Everybody likes ten titles and leaves before the next user comes."""
    return [(user, item, 100.0 * user + item, 1.0) for user in range(n_users) for item in range(10)]


def come_and_go(users):
    """One after another, within the year of the others, everybody likes ten titles in quick succession."""
    return [(user, item, 9 * user / max(users) + item / 1000, 1.0) for user in users for item in range(10)]


def untimed(rows, share):
    """Take the time from a share of the rows, evenly spread."""
    keep = len(rows) - round(len(rows) * share)
    order = np.random.default_rng(0).permutation(len(rows)).tolist()
    return [(*rows[i][:2], rows[i][2] if place < keep else math.nan, rows[i][3]) for place, i in enumerate(order)]


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        (all_year(300), "time"),
        (all_year(4), "time"),
        (untimed(all_year(300), 0.005), "time"),
        (untimed(all_year(300), 0.02), "user-time"),
        (untimed(all_year(300), 0.6), "random"),
        (untimed(all_year(300), 1), "random"),
        (one_after_another(300), "user-time"),
        (one_after_another(4), "user-time"),
        ([(*row[:2], 7.0, 1.0) for row in all_year(300)], "random"),
        # 150 of 400 users stay for the whole year: fewer than half, but enough.
        (all_year(150) + [(150 + user, item, 0.5, 1.0) for user in range(250) for item in range(10)], "time"),
        # 60 of 400, and the others come and go: neither.
        (all_year(60) + come_and_go(range(60, 400)), "user-time"),
    ],
)
def test_auto_takes_the_first_split_that_the_data_supports(rows, chosen):
    assert choose_split(events_of(rows, 400, 10), EvaluateSettings()).name == chosen


@pytest.mark.parametrize("name", SPLITS)
def test_a_split_that_is_named_is_taken(name):
    split = choose_split(events_of(all_year(4), 4, 10), EvaluateSettings(split=name, test_share=0.3))
    assert split.name == name
    assert split.test.nnz == 4 * 3  # of the pairs, or of the titles


# Failing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["auto", *SPLITS])
def test_without_events_there_is_nothing_to_split(name):
    with pytest.raises(NoEvents) as caught:
        choose_split(events_of([]), EvaluateSettings(split=name))
    assert "mgw import" in caught.value.hint


@pytest.mark.parametrize("name", ["auto", *SPLITS])
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([(0, 0, 1.0, 1.0)], id="one event"),
        pytest.param([(0, 0, 1.0, 1.0), (0, 0, 2.0, 1.0)], id="one pair"),
        pytest.param([(0, item, float(item), -1.0) for item in range(7)], id="nothing liked"),
        pytest.param([(user, user, float(user), 1.0) for user in range(3)], id="one title each"),
    ],
)
def test_a_split_that_leaves_nobody_says_so(name, rows):
    with pytest.raises(NothingToEvaluate) as caught:
        choose_split(events_of(rows), EvaluateSettings(split=name))
    assert caught.value.hint


@pytest.mark.parametrize("name", ["time", "user-time"])
@pytest.mark.parametrize("at", [math.nan, 5.0])
def test_times_that_order_nothing_cannot_split(name, at):
    with pytest.raises(NothingToEvaluate):
        SPLITS[name](events_of(likes(range(3), range(7), at)), 0.2)


@pytest.mark.parametrize("name", LEAVING_OUT)
@laws
@given(rows=some_events, count=st.integers(1, 4))
def test_leaving_out_a_number_of_titles_takes_that_many_of_who_has_more(name, rows, count):
    events = events_of(rows)
    try:
        split = LEAVING_OUT[name](events, count)
    except NothingToEvaluate:
        assume(False)
    kept, all_pairs = pairs_of(rows_of(split.train)), pairs_of(rows_of(events))
    first = {user: min(row[2] for row in rows_of(events) if row[0] == user) for user, *_ in rows_of(events)}
    for user in range(N_USERS):
        mine = {pair for pair in all_pairs if pair[0] == user}
        left_out = {pair for pair in mine if pair not in kept}
        if len(mine) <= count:
            assert not left_out
        elif name == "random":
            assert len(left_out) == count
        else:  # what was met at the first moment has no place among the latest
            met = {pair: min(row[2] for row in rows_of(events) if row[:2] == pair) for pair in mine}
            assert len(left_out) <= count
            assert left_out == {pair for pair in left_out if met[pair] > first[user]}
            assert all(met[pair] <= min((met[each] for each in left_out), default=math.inf) for pair in mine - left_out)


def test_leave_one_out_by_the_settings():
    rows = [(user, item, 10.0 * item, 1.0) for user in range(3) for item in range(2 + user)]
    named = choose_split(events_of(rows), EvaluateSettings(split="auto", leave_out=1))
    assert sorted(zip(*(axis.tolist() for axis in named.test.nonzero()), strict=True)) == [(0, 1), (1, 2), (2, 3)]
    assert named.description.startswith("The latest 1 of each user's titles")
    at_once = [(user, item, 10.0, engagement) for user, item, _, engagement in rows]  # nobody has a latest title
    assert choose_split(events_of(at_once), EvaluateSettings(split="auto", leave_out=1)).name == "random"
    drawn = choose_split(events_of(rows), EvaluateSettings(split="random", leave_out=2))
    assert np.diff(drawn.test.indptr).tolist() == [0, 2, 2]
    for name in ("time", "cold-items"):
        with pytest.raises(ParametersInvalid, match=f"a split by {name} cannot leave out"):
            choose_split(events_of(rows), EvaluateSettings(split=name, leave_out=1))
    told = choose_split(events_of(rows), EvaluateSettings(split="cold-users", known=1))
    assert "is told of the first 1 of the others" in told.description
    for name in ("auto", "random", "cold-items"):
        with pytest.raises(ParametersInvalid, match="only of new users"):
            choose_split(events_of(rows), EvaluateSettings(split=name, known=1))
