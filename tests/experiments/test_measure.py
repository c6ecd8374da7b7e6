"""What is read of an experiment, against the same counted by hand; exposures and conversions in any order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest

from mgw.experiments.conversions import Conversion, conversion_faults, record_conversions
from mgw.experiments.exposure import Exposure, record_exposures, window_start
from mgw.experiments.measure import Look
from mgw.ingest.sample import SampleSize
from mgw.ingest.sampling import load_sample

from .conftest import START

DAY = timedelta(days=1)
END = START + 60 * DAY


def bought(user, key, days, value=1.0, *, event="bought", experiment=""):
    return Conversion(
        user_id=user, event=event, idempotency_key=key, converted_at=START + days * DAY, value=value,
        experiment=experiment,
    )  # fmt: skip


METRICS = [
    {"name": "any", "kind": "binary", "event": "bought", "window_days": 7},
    {"name": "times", "kind": "count", "event": "bought", "winsorize": 0.9},
    {"name": "spent", "kind": "mean", "event": "bought", "before_days": 10},
    {"name": "each", "kind": "ratio", "event": "bought", "per": "visit", "window_days": 20},
    {"name": "watched", "kind": "count", "event": "viewing.titles", "window_days": 30, "before_days": 500},
    {"name": "far", "kind": "mean", "event": "viewing.completion"},
]


@dataclass(frozen=True)
class Person:
    position: int
    exposed_at: object


@pytest.fixture
def crowd(database, define, begin, expose):
    """Sixty people with purchases and visits before and after their exposure, and with viewing from a sample."""
    load_sample(database, SampleSize(users=60, titles=80, events=2400), seed=1)
    latest = database.execute("SELECT max(at) FROM viewing_events").fetchone()[0]
    experiment = begin(define(metrics=METRICS))
    rng = np.random.default_rng(0)
    names = [row[0] for row in database.execute("SELECT external_id FROM users ORDER BY 1").fetchall()]
    people = {
        name: Person(int(rng.integers(2)), latest - float(rng.uniform(5, 60)) * DAY)
        for name in names
        if rng.random() < 0.9
    }
    done = []
    for name in names:
        for key in range(rng.poisson(3)):
            at = latest - float(rng.uniform(0, 70)) * DAY
            event = "bought" if rng.random() < 0.5 else "visit"
            done.append(
                Conversion(user_id=name, event=event, idempotency_key=f"{name}-{key}", converted_at=at,
                           value=float(rng.gamma(2, 5)) if event == "bought" else 1.0)
            )  # fmt: skip
    record_conversions(database, done[::2])
    for name, person in people.items():
        expose(experiment, name, person.position, person.exposed_at)
    record_conversions(database, done[1::2])
    viewing = database.execute(
        "SELECT u.external_id, v.at, v.completion_rate, v.dismissed"
        " FROM viewing_events v JOIN users u ON u.id = v.user_id"
    ).fetchall()
    events = [(each.user_id, each.event, each.converted_at, each.value) for each in done]
    events += [(user, "viewing.titles", at, 1.0) for user, at, _, dismissed in viewing if at and not dismissed]
    rates = [(user, at, float(np.float32(rate))) for user, at, rate, _ in viewing if at and rate]  # it is kept as real
    events += [(user, "viewing.completion", at, rate) for user, at, rate in rates]
    return experiment, people, events, latest


def by_hand(people, events, metric, until):
    """Return y and x of the people of each variant."""
    window = timedelta(days=metric.window_days or 10_000)
    sides = ([], [])
    for name, person in people.items():
        if person.exposed_at >= until:
            continue
        mine = [(event, at, value) for user, event, at, value in events if user == name and at < until]
        after = [(event, value) for event, at, value in mine if person.exposed_at <= at < person.exposed_at + window]
        earliest = person.exposed_at - timedelta(days=metric.before_days or 0)
        before = [(event, value) for event, at, value in mine if earliest <= at < person.exposed_at]
        y, x = (
            of_kind(metric, [value for event, value in each if event == metric.counted]) for each in (after, before)
        )
        if metric.kind == "ratio":
            x = sum(value for event, value in after if event == metric.per)
        sides[person.position].append((y, x))
    both = [np.array(side, dtype=float) for side in sides]
    if metric.winsorize:
        columns = np.concatenate(both).T
        caps = [np.quantile(column[column != 0], metric.winsorize) for column in columns if column.any()]
        both = [np.minimum(side, [*caps, np.inf][:2]) for side in both]
    return both


def of_kind(metric, values):
    return float(bool(values)) if metric.kind == "binary" else len(values) if metric.kind == "count" else sum(values)


@pytest.mark.parametrize("back_days", [0, 15])
def test_totals_are_those_counted_by_hand(database, crowd, back_days):
    experiment, people, events, latest = crowd
    until = latest - back_days * DAY
    look = Look(database, experiment, until)
    for metric in experiment.definition.metrics:
        (found,) = look.joints(metric, look.audience())
        for joint, side in zip(found, by_hand(people, events, metric, until), strict=True):
            y, x = side.T
            assert joint.n == len(side) > 10
            assert joint.y.mean == pytest.approx(y.mean()), metric.name
            assert joint.y.variance == pytest.approx(y.var(ddof=1), abs=1e-9), metric.name
            assert (joint.x.mean, joint.x.variance) == pytest.approx((x.mean(), x.var(ddof=1)), abs=1e-9), metric.name
            assert joint.covariance == pytest.approx(np.cov(y, x)[0, 1], abs=1e-9), metric.name
    assert sum(look.audience().users) == sum(person.exposed_at < until for person in people.values())


def test_quantiles_are_numpys(database, crowd):
    experiment, people, events, latest = crowd
    look = Look(database, experiment, latest)
    metric = experiment.definition.metrics[4]
    for position, side in enumerate(by_hand(people, events, metric, latest)):
        found = look.quantiles(metric, position, [0.25, 0.5, 0.9])
        assert found == np.quantile(side[:, 0], [0.25, 0.5, 0.9], method="inverted_cdf").tolist()


def test_a_conversion_counts_only_after_the_exposure_whichever_comes_first_to_the_database(
    database, define, begin, expose
):
    experiment = begin(define(metrics=[{"name": "spent", "event": "bought"}]))
    assert record_conversions(database, [bought("ann", "a", -1, 5.0), bought("ann", "b", 1, 2.0)]) == 2
    assert record_conversions(database, [bought("ben", "c", 1, 9.0)]) == 1
    expose(experiment, "ann", 0)
    look = Look(database, experiment, END)
    ((control, treatment),) = look.joints(experiment.definition.metrics[0], look.audience())
    assert (control.n, control.y.total, treatment.n) == (1, 2.0, 0)
    assert look.audience().uncounted == {"bought": (1, 1)}
    assert Look(database, experiment, START).audience().uncounted == {"bought": (1, 0)}


def test_the_same_conversion_twice_is_one(database, define, begin, expose):
    experiment = begin(define())
    expose(experiment, "ann", 0)
    assert record_conversions(database, [bought("ann", "a", 1), bought("ann", "a", 1), bought("ann", "b", 2)]) == 2
    assert record_conversions(database, [bought("ann", "a", 3, 100.0)]) == 0
    look = Look(database, experiment, END)
    ((control, _),) = look.joints(experiment.definition.metrics[0], look.audience())
    assert control.y.total == 2


def test_a_conversion_is_kept_for_every_experiment_that_counts_it_or_for_the_one_that_it_names(database, define, begin):
    for name in ("one", "two", "three"):
        begin(define(name=name, metrics=[{"name": "liked" if name == "three" else "bought"}]))
    assert record_conversions(database, [bought("ann", "a", 1), bought("ann", "b", 1, experiment="two")]) == 3


def test_a_user_is_one_however_often_exposed_and_keeps_the_first_exposure(database, define, begin, expose):
    experiment = begin(define())
    assert expose(experiment, "ann", 0, START + 2 * DAY) == 1
    assert expose(experiment, "ann", 0, START + 2 * DAY) == 0  # sent again
    assert expose(experiment, "ann", 0, START + 3 * DAY) == 1
    assert expose(experiment, "ann", 0, START + 1 * DAY) == 1  # was late
    row = database.execute("SELECT exposed_at, is_mixed FROM experiment_assignments").fetchall()
    assert row == [(START + 1 * DAY, False)]
    assert Look(database, experiment, END).audience().users == (1, 0)


def test_who_was_met_in_two_variants_is_left_out_and_said(database, define, begin, expose):
    experiment = begin(define())
    for user in ("ann", "ben"):
        expose(experiment, user, 0)
    expose(experiment, "ann", 1, START + DAY)
    same = {"experiment_id": experiment.id, "phase": 0, "user_id": "cleo", "exposed_at": START}
    record_exposures(
        database, [Exposure(**same, position=position, window_start=START + position * DAY) for position in (0, 1)]
    )
    audience = Look(database, experiment, END).audience()
    assert (audience.users, audience.mixed) == ((1, 0), 2)


def test_a_slate_is_kept_with_its_propensities_and_a_deleted_title_keeps_its_place(database, define, begin):
    load_sample(database, SampleSize(users=5, titles=20, events=50), seed=1)
    experiment = begin(define())
    shown = Exposure(
        experiment_id=experiment.id, position=1, phase=0, user_id="new", exposed_at=START, window_start=START,
        slate=("t0003", "gone", "t0001"), propensities=(1.0, 0.25, 0.5), teams=(0, 1, 0),
    )  # fmt: skip
    gone = Exposure(
        experiment_id=experiment.id + 1, position=1, phase=0, user_id="new", exposed_at=START, window_start=START
    )
    assert record_exposures(database, [shown, gone]) == 1
    ids = dict(database.execute("SELECT external_id, id FROM content").fetchall())
    assert database.execute("SELECT slate, propensities, teams FROM experiment_exposures").fetchall() == [
        ([ids["t0003"], 0, ids["t0001"]], [1.0, 0.25, 0.5], [0, 1, 0])
    ]
    assert record_exposures(database, []) == 0


def test_windows_are_counted_from_1970():
    assert window_start(START + timedelta(hours=13), 12) == START + timedelta(hours=12)
    assert window_start(START, 24) == START


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"event": "sold"}, ("event", "no metric of a running or paused experiment counts 'sold'")),
        ({"event": "sold", "experiment": "blend"}, ("event", "no metric of blend counts")),
        ({"experiment": "none"}, ("experiment", "no experiment 'none'")),
        ({"value": float("nan")}, ("value", "is not between")),
        ({"value": 1e300}, ("value", "is not between")),
        ({"days": 400}, ("at", "in the future")),
    ],
)
def test_what_cannot_be_recorded_is_said(database, define, begin, wrong, expected):
    begin(define())
    given = [bought("ann", "a", 0), bought("ann", "b", **{"days": 0, **wrong})]
    ((place, found, problem),) = conversion_faults(database, given, START)
    assert (place, found) == (1, expected[0])
    assert expected[1] in problem


def test_values_of_a_billion_keep_their_variance(database, define, begin, expose):
    experiment = begin(define(metrics=[{"name": "spent", "event": "bought"}]))
    values = [1e9 + value for value in (0.0, 1.0, 2.0, 3.0)]
    for number, value in enumerate(values):
        expose(experiment, f"u{number}", 0)
        record_conversions(database, [bought(f"u{number}", f"k{number}", 1, value)])
    look = Look(database, experiment, END)
    ((control, _),) = look.joints(experiment.definition.metrics[0], look.audience())
    assert control.y.variance == pytest.approx(np.var(values, ddof=1))


def test_who_was_exposed_since_the_audience_was_counted_does_no_harm(database, define, begin, expose):
    experiment = begin(define())
    look = Look(database, experiment, END)
    before = look.audience()
    expose(experiment, "ann", 0)
    record_conversions(database, [bought("ann", "a", 1)])
    ((control, treatment),) = look.joints(experiment.definition.metrics[0], before)
    assert (control.n, control.y.total, treatment.n) == (1, 1.0, 0)
