"""Splits: which viewing events a model may learn from, and which pairs it is then asked to find.

An evaluation is only as honest as its split, so every split keeps two laws: no pair that is held out has an event on
the train side, and a pair that the train side knows is never counted as found. Users know such pairs already.

    split_by_time        one moment for everybody: what a model trained on that day would have known
    split_by_user_time   a moment for each user: nobody's own future leaks, other people's may
    split_randomly       no order at all: for data without times, and kinder to models than life is
    split_cold_users     some users are not trained on at all, and are known by some of their titles only when asked
    split_cold_items     some titles are not trained on at all, and are what is asked for

All but the first and the last can hold out a share of each user's titles, or some number of them: one is the usual
leave-one-out. What somebody else divided already is taken as it is by `given_split`.

`choose_split` takes the first of these that the data supports. `evaluate` measures models on the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mgw.core.errors import NoEvents, NothingToEvaluate, ParametersInvalid
from mgw.recommend.interactions import Events, strength_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mgw.core.settings.schema import EvaluateSettings

NEARLY_ALL = 0.99
"""Share of the events that must carry a time before one moment can divide them."""

ENOUGH_USERS = 100
"""With fewer users than this an interval over users says little; `auto` then prefers another split."""

TIE_SEED = 0
"""Shuffles the titles that a user met at the same moment. In the order of their ids, old titles would always train."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The users whom an evaluation asks about, and why it does not ask the others.

    Attributes:
        users: rows with a pair to learn from and a pair held out, ascending, `(n,)`.
        left_out: how many users were left out, by reason: `without_history` have held-out pairs and no pair of positive
            strength to be known by, `without_held_out` the reverse, `without_both` neither; `learned_from` are not
            asked because others, who are new, are.
    """

    users: NDArray[np.int64]
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Split:
    """Events to learn from and pairs to find.

    Attributes:
        name: `time`, `user-time`, `random`, `cold-users`, `cold-items` or `given`.
        description: one sentence that states the split: its moment or shares, and its seed.
        train: the events a model may learn from.
        history: what is known of the users when they are asked: `train` itself, but where they are new to the model.
        test: strengths of the pairs that were held out, are relevant and not in `history`, `(n_users, n_items)`.
        candidates: the titles that are ranked, ascending; none means all.
        untold: what users met besides `history`, which no model is told and nobody is asked for; none where there is
            nothing.
    """

    name: str
    description: str
    train: Events
    history: Events
    test: csr_array[np.float32]
    candidates: NDArray[np.int64] | None = None
    untold: Events | None = None

    def seen(self) -> csr_array[np.bool_]:
        """Mark what is not ranked: every (user, title) pair that has an event, but those to find."""
        told = seen_matrix(self.history)
        return told if self.untold is None else csr_array(told + seen_matrix(self.untold))

    def audience(self) -> Audience:
        """Find the users that can be evaluated."""
        known = np.diff(strength_matrix(self.history).indptr) > 0
        if self.untold is not None:  # the less is told of a new user, the same are asked
            known |= np.diff(strength_matrix(self.untold).indptr) > 0
        asked = np.diff(self.test.indptr) > 0
        learned_from = np.zeros(len(known), dtype=np.bool_)
        if self.has_new_users:
            learned_from[self.train.users] = True
        left_out = {
            "without_history": int(np.count_nonzero(asked & ~known)),
            "without_held_out": int(np.count_nonzero(known & ~asked)),
            "without_both": int(np.count_nonzero(~known & ~asked & ~learned_from)),
            "learned_from": int(np.count_nonzero(learned_from)),
        }
        return Audience(np.flatnonzero(known & asked), left_out)

    @property
    def has_new_users(self) -> bool:
        """Whether those who are asked are not those who were learned from."""
        return self.history is not self.train


def seen_matrix(events: Events) -> csr_array[np.bool_]:
    """Mark every (user, title) pair that has an event, liked or not, `(n_users, n_items)`."""
    # The marks of a pair's events are added up, and the sum of booleans is one mark again.
    marks = np.ones(len(events), dtype=np.bool_)
    return csr_array((marks, (events.users, events.items)), shape=(events.n_users, events.n_items))


def choose_split(events: Events, settings: EvaluateSettings) -> Split:
    """Split as the settings say; `auto` takes the first of time, user-time and random that the data supports.

    One moment for everybody needs times on nearly all events, a moment for each user on half of them. Either must leave
    enough users to evaluate: a hundred, and a percent of those with events where that is more; but where there are few
    users, half of them are enough.

    Raises:
        NoEvents: there are no events.
        NothingToEvaluate: the split, or each of them, leaves nobody with both a history and a held-out pair.
    """
    _require(events)
    if settings.split in {"time", "cold-items"} and settings.leave_out is not None:
        message = f"a split by {settings.split} cannot leave out the same number of titles of each user"
        raise ParametersInvalid(message, hint="--split user-time, or without --leave-out")
    if settings.split != "cold-users" and settings.known is not None:
        message = "only of new users it can be said how many of their titles are known"
        raise ParametersInvalid(message, hint="--split cold-users, or without --known")
    if settings.split == "cold-items":
        return split_cold_items(events, settings.test_share, settings.seed)
    if settings.split == "time":
        return split_by_time(events, settings.test_share)
    if settings.split == "user-time":
        return split_by_user_time(events, settings.test_share, settings.leave_out)
    if settings.split == "cold-users":
        return split_cold_users(events, settings.test_share, settings.seed, settings.leave_out, settings.known)
    by_time = _split_by_some_time(events, settings) if settings.split == "auto" else None
    return by_time or split_randomly(events, settings.test_share, settings.seed, settings.leave_out)


def _split_by_some_time(events: Events, settings: EvaluateSettings) -> Split | None:
    """Return the first split by time that the data supports, if it supports one."""
    share, count = settings.test_share, settings.leave_out
    if count is None:
        choices = [
            (partial(split_by_time, events, share), NEARLY_ALL),
            (partial(split_by_user_time, events, share), 0.5),
        ]
    else:
        choices = [(partial(split_by_user_time, events, share, count), NEARLY_ALL)]
    timed = np.count_nonzero(np.isfinite(events.at)) / len(events)
    for split, needed in choices:
        try:
            candidate = split() if timed >= needed else None
        except NothingToEvaluate:
            continue
        if candidate is not None and _has_enough_users(candidate, events):
            return candidate
    return None


def split_by_time(events: Events, test_share: float) -> Split:
    """Hold out everybody's events from one moment on.

    The moment is the one between two different times that comes nearest to `test_share` of the events. Events without
    a time stand at the beginning. A pair seen before the moment is not asked for again.

    Raises:
        NoEvents: there are no events.
        NothingToEvaluate: no moment divides the events, or it leaves nobody to evaluate.
    """
    _require(events)
    at = _untimed_first(events)
    ordered = np.sort(at)
    boundaries = 1 + np.flatnonzero(ordered[1:] > ordered[:-1])
    if not len(boundaries):
        message = "all events carry the same time, or none: no moment divides them"
        raise NothingToEvaluate(message, hint="split at random: --split random")
    boundary = boundaries[np.argmin(np.abs(boundaries - len(at) * (1 - test_share)))]
    moment = ordered[boundary]
    date = str(np.datetime64(int(moment), "s")).replace("T", " ")
    description = (
        f"Everybody's events before {date} UTC are learned from; "
        f"the later {1 - boundary / len(at):.1%} of the events are held out."
    )
    return _split("time", description, *_parted(events, at >= moment))


def split_by_user_time(events: Events, test_share: float, leave_out: int | None = None) -> Split:
    """Hold out the pairs that each user met last, and whatever else that user did from the first of them on.

    A pair is met at its first event. Of n pairs the nearest whole number to n · `test_share` is held out, but at least
    one and at most n - 1; or `leave_out` of them, of a user who has more. Pairs met at the same moment are ordered by a
    fixed shuffle. Pairs without a time come first. What a user met at their first moment is never held out: somebody
    whose events all carry one time has no latest.

    Raises:
        NoEvents: there are no events.
        NothingToEvaluate: nobody is left with both a history and a held-out pair.
    """
    _require(events)
    at = _untimed_first(events)
    pairs, pair = np.unique(_pair_of_each_event(events), return_inverse=True)
    users = pairs // events.n_items
    met = np.full(len(pairs), np.inf)
    np.minimum.at(met, pair, at)
    tie = np.random.default_rng(TIE_SEED).permutation(len(pairs))
    order = np.lexsort((tie, met, users))

    _, first, place = np.unique(users[order], return_index=True, return_inverse=True)
    later = met[order] > met[order[first]][place]
    held_out = order[later & _last_of_each_user(users[order], test_share, leave_out)]
    cut_users, first = np.unique(users[held_out], return_index=True)
    cut_at, cut_tie = np.full(events.n_users, np.inf), np.zeros(events.n_users, dtype=np.int64)
    cut_at[cut_users], cut_tie[cut_users] = met[held_out[first]], tie[held_out[first]]
    after = (at > cut_at[events.users]) | ((at == cut_at[events.users]) & (tie[pair] >= cut_tie[events.users]))
    description = (
        f"The latest {_portion(test_share, leave_out)} of each user's titles are held out, by the time of their first"
        " event; "
        f"ties in time are shuffled (seed {TIE_SEED})."
    )
    return _split("user-time", description, *_parted(events, after))


def split_randomly(events: Events, test_share: float, seed: int, leave_out: int | None = None) -> Split:
    """Hold out a share of each user's pairs, with all events of each, drawn by `seed`.

    Of n pairs the nearest whole number to n · `test_share` is held out, but at least one and at most n - 1; or
    `leave_out` of them, of a user who has more.

    Raises:
        NoEvents: there are no events.
        NothingToEvaluate: nobody is left with both a history and a held-out pair.
    """
    _require(events)
    description = (
        f"{_portion(test_share, leave_out)} of each user's titles, drawn at random (seed {seed}), are held out."
    )
    rng = np.random.default_rng(seed)
    return _split("random", description, *_parted(events, _drawn_pairs(events, test_share, rng, leave_out)))


def split_cold_users(
    events: Events, test_share: float, seed: int, leave_out: int | None = None, known: int | None = None
) -> Split:
    """Draw users who are not trained on, and of each of these pairs to find; by the others they are known when asked.

    Liang, Krishnan, Hoffman & Jebara (2018), "Variational Autoencoders for Collaborative Filtering", section 4, call
    it strong generalization. Of n users the nearest whole number to n · `test_share` is drawn, but at least one and at
    most n - 1; of their pairs as `split_randomly` does. With `known`, only that many of their other
    titles are told, those met first (by chance where no time is known), and none of them is ranked: the same titles
    are found among the same, whatever is told.

    Raises:
        NoEvents: there are no events.
        NothingToEvaluate: nobody is left with both a history and a held-out pair.
    """
    _require(events)
    rng = np.random.default_rng(seed)
    active = rng.permutation(np.unique(events.users))
    n_cold = min(max(round(len(active) * test_share), 1), len(active) - 1)
    cold = np.isin(events.users, active[:n_cold])
    held_out = _drawn_pairs(events, test_share, rng, leave_out)
    description = (
        f"{n_cold:,} users, drawn at random (seed {seed}), are not learned from; {_portion(test_share, leave_out)} of "
        "each one's titles, drawn too, are held out, and the model is told of "
        f"{'the others' if known is None else f'the first {known:,} of the others'} when it is asked."
    )
    train, history, later = (events.where(mask) for mask in (~cold, cold & ~held_out, cold & held_out))
    if known is None:
        return _split("cold-users", description, train, history, later)
    told = _of_first_pairs(history, known, rng)
    return _split("cold-users", description, train, history.where(told), later, untold=history.where(~told))


def split_cold_items(events: Events, test_share: float, seed: int) -> Split:
    """Draw titles that are not trained on; they alone are ranked, as new titles are in the week that they come out.

    Of n titles with events the nearest whole number to n · `test_share` is drawn, but at least one and at most n - 1.

    Raises:
        NoEvents: there are no events.
        NothingToEvaluate: nobody is left with both a history and a held-out pair.
    """
    _require(events)
    watched = np.random.default_rng(seed).permutation(np.unique(events.items))
    cold = np.sort(watched[: min(max(round(len(watched) * test_share), 1), len(watched) - 1)]).astype(np.int64)
    description = (
        f"{len(cold):,} titles, drawn at random (seed {seed}), are not learned from; they alone are ranked, and what"
        " users liked of them is to be found."
    )
    return _split("cold-items", description, *_parted(events, np.isin(events.items, cold)), candidates=cold)


def given_split(train: Events, test: Events, sources: str) -> Split:
    """Take what somebody else divided: events to learn from, and events to find, of the same users and titles.

    Args:
        train: to learn from.
        test: to find; a pair that `train` has is not asked for.
        sources: names of the files, for the description.

    Raises:
        NoEvents: there is nothing to learn from.
        NothingToEvaluate: nobody is left with both a history and a held-out pair.
    """
    _require(train)
    return _split("given", f"As given: {sources}.", train, train, test)


def _parted(events: Events, held_out: NDArray[np.bool_]) -> tuple[Events, Events, Events]:
    """Return what is learned from, the same as what is known of the users, and what is held out."""
    train = events.where(~held_out)
    return train, train, events.where(held_out)


def _drawn_pairs(
    events: Events, test_share: float, rng: np.random.Generator, leave_out: int | None
) -> NDArray[np.bool_]:
    """Mark the events of some of each user's pairs, `(n,)`."""
    pairs, pair = np.unique(_pair_of_each_event(events), return_inverse=True)
    users = pairs // events.n_items
    order = np.lexsort((rng.permutation(len(pairs)), users))
    drawn = np.zeros(len(pairs), dtype=np.bool_)
    drawn[order] = _last_of_each_user(users[order], test_share, leave_out)
    return drawn[pair]


def _of_first_pairs(events: Events, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mark the events of the pairs that each user met first, `(n,)`."""
    pairs, pair = np.unique(_pair_of_each_event(events), return_inverse=True)
    users = pairs // events.n_items
    met = np.full(len(pairs), np.inf)
    np.minimum.at(met, pair, _untimed_first(events))
    order = np.lexsort((rng.permutation(len(pairs)), met, users))
    _, first, counts = np.unique(users, return_index=True, return_counts=True)
    chosen = np.zeros(len(pairs), dtype=np.bool_)
    chosen[order] = np.arange(len(pairs)) - np.repeat(first, counts) < count
    return chosen[pair]


def _portion(test_share: float, leave_out: int | None) -> str:
    return f"{test_share:.1%}" if leave_out is None else f"{leave_out:,}"


def _last_of_each_user(users: NDArray[np.int64], test_share: float, leave_out: int | None) -> NDArray[np.bool_]:
    """Mark the last share of each run of equal `users`, of two or more at least one and never all, `(n_pairs,)`.

    With `leave_out` mark that many of each run that is longer, and nothing of the others.
    """
    _, first, counts = np.unique(users, return_index=True, return_counts=True)
    if leave_out is None:
        held_out = np.minimum(np.maximum(np.rint(counts * test_share).astype(np.int64), 1), counts - 1)
    else:
        held_out = np.where(counts > leave_out, leave_out, 0)
    return np.arange(len(users)) >= np.repeat(first + counts - held_out, counts)


def _split(
    name: str,
    description: str,
    train: Events,
    history: Events,
    later: Events,
    *,
    candidates: NDArray[np.int64] | None = None,
    untold: Events | None = None,
) -> Split:
    relevant = strength_matrix(later)
    test = csr_array(relevant - relevant.multiply(seen_matrix(history)))
    test.eliminate_zeros()
    split = Split(name, description, train, history, test, candidates, untold)
    if not len(split.audience().users):
        message = f"the {name} split leaves no user with both a history and a held-out title that they liked"
        raise NothingToEvaluate(message, hint="import more events, or change evaluate.split or evaluate.test_share")
    return split


def _has_enough_users(split: Split, events: Events) -> bool:
    active = len(np.unique(events.users))
    return len(split.audience().users) >= min(active / 2, max(ENOUGH_USERS, active / 100))


def _pair_of_each_event(events: Events) -> NDArray[np.int64]:
    return events.users.astype(np.int64) * events.n_items + events.items


def _untimed_first(events: Events) -> NDArray[np.float64]:
    """Times at which an unknown one is earlier than all, `(n,)`: what nobody dated cannot be called the future."""
    return np.nan_to_num(events.at, nan=-np.inf)


def _require(events: Events) -> None:
    if not len(events):
        raise NoEvents("there are no viewing events to evaluate on", hint="import some first: mgw import")
