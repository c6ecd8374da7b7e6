"""Reports: the numbers are those of the statistics, the advice is never stronger, and nothing is made up."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from mgw.core.audit import Actor
from mgw.experiments.comparison import Method
from mgw.experiments.conversions import Conversion, record_conversions
from mgw.experiments.exposure import Exposure, record_exposures
from mgw.experiments.guard import guard_experiments
from mgw.experiments.measure import Look
from mgw.experiments.page import moments_between, write_page
from mgw.experiments.report import make_report
from mgw.experiments.sequential import confidence_sequence
from mgw.experiments.statistics import Difference, Moments
from mgw.experiments.store import load_experiment, replace_experiment, set_status

from .conftest import START

DAY = timedelta(days=1)
END = START + 30 * DAY
ACTOR = Actor("tester")
METRICS = [
    {"name": "bought", "kind": "binary"},
    {"name": "spent", "event": "bought"},
    {"name": "returned", "kind": "binary", "direction": "decrease", "guardrail": True, "margin": 0.05},
]


@pytest.fixture
def people(database):
    """A function that exposes people to variants and lets shares of them convert."""

    def come(experiment, counts, rates, *, event="bought", start=0, phase=0, value=1.0):
        rng = np.random.default_rng(7)
        shown, done = [], []
        for position, (count, rate) in enumerate(zip(counts, rates, strict=True)):
            for number in range(count):
                user = f"{phase}-{position}-{number}"
                at = START + (start + 20 * number / count) * DAY
                shown.append(
                    Exposure(experiment_id=experiment.id, position=position, phase=phase, user_id=user, exposed_at=at,
                             window_start=at)
                )  # fmt: skip
                if rng.random() < rate:
                    done.append(
                        Conversion(user_id=user, event=event, idempotency_key=f"{event}-{user}", value=value,
                                   converted_at=at + 0.5 * DAY)
                    )  # fmt: skip
        record_exposures(database, shown)
        record_conversions(database, done)

    return come


def test_a_winner_is_found_with_the_interval_of_the_statistics(database, define, begin, people):
    experiment = begin(define(metrics=METRICS, analysis={"correction": "none"}))
    people(experiment, (2_000, 2_000), (0.2, 0.3))
    people(experiment, (2_000, 2_000), (0.1, 0.1), event="returned")
    report = make_report(Look(database, experiment, END))
    bought = report.metrics[0]
    rates = bought.values
    sides = [Moments(2_000, 2_000 * rate, 2_000 * rate * (1 - rate)) for rate in rates]
    expected = confidence_sequence(Difference.of(*sides), 0.05)
    found = bought.comparisons[0].difference
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (report.audience.users, report.shares_p_value) == ((2_000, 2_000), 1.0)
    assert report.advice.verdict == "wait"  # whether it harms returns is not clear
    assert "returned is not clear" in report.advice.sentence
    assert report.advice.variant == "more"


def test_a_difference_that_several_metrics_share_is_harder_to_find(database, define, begin, people):
    many = [{"name": f"m{number}", "kind": "binary", "event": "bought"} for number in range(10)]
    experiment = begin(define(metrics=many))
    people(experiment, (3_000, 3_000), (0.2, 0.24))
    (each, *_) = make_report(Look(database, experiment, END)).metrics
    assert each.comparisons[0].adjusted_p_value == pytest.approx(min(10 * each.comparisons[0].p_value, 1))


def test_a_guardrail_that_is_broken_stops_what_wins(database, define, begin, people):
    experiment = begin(define(metrics=METRICS))
    people(experiment, (3_000, 3_000), (0.2, 0.3))
    people(experiment, (3_000, 3_000), (0.1, 0.2), event="returned")
    advice = make_report(Look(database, experiment, END)).advice
    assert (advice.verdict, advice.variant) == ("stop", "more")
    assert "returned" in advice.sentence
    (kept,) = guard_experiments(database, END, ACTOR, pause=lambda definition: not definition.pause_on_harm)
    assert (kept.harm, kept.paused) == (advice.sentence, False)
    (found,) = guard_experiments(database, END, ACTOR, pause=lambda definition: definition.pause_on_harm)
    assert found.paused
    assert load_experiment(database, "blend").status == "paused"
    assert database.execute("SELECT details->>'why' FROM audit_logs ORDER BY position DESC LIMIT 1").fetchone() == (
        found.harm,
    )
    assert guard_experiments(database, END, ACTOR, pause=lambda _: True) == []


def test_a_loss_of_users_on_one_side_is_told_before_all_else(database, define, begin, people):
    experiment = begin(define())
    people(experiment, (3_000, 2_400), (0.2, 0.4))
    report = make_report(Look(database, experiment, END))
    assert report.advice.verdict == "do-not-trust"
    assert report.shares_p_value < 1e-4


def test_a_clear_loss_keeps_the_control_and_too_little_waits(database, define, begin, people):
    experiment = begin(define())
    people(experiment, (3_000, 3_000), (0.3, 0.2))
    advice = make_report(Look(database, experiment, END)).advice
    assert (advice.verdict, advice.variant) == ("keep-control", "control")
    early = make_report(Look(database, experiment, START + DAY)).advice
    assert early.verdict == "wait"
    assert "not the same as no difference" in early.sentence


def test_of_several_variants_one_that_is_worse_is_said(database, define, begin, people):
    three = [{"name": name, "weight": 1 / 3} for name in ("control", "more", "most")]
    experiment = begin(define(variants=three))
    people(experiment, (3_000, 3_000, 3_000), (0.3, 0.2, 0.3))
    advice = make_report(Look(database, experiment, END)).advice
    assert advice.verdict == "wait"
    assert advice.sentence.startswith("more is worse in bought")
    assert "Of the other variants no difference" in advice.sentence


def test_what_is_too_small_to_be_worth_finding_is_ruled_out(database, define, begin, people):
    experiment = begin(define(analysis={"minimum_effect": 0.5}))
    people(experiment, (3_000, 3_000), (0.4, 0.4))
    advice = make_report(Look(database, experiment, END)).advice
    assert advice.verdict == "keep-control"
    assert "50.0%" in advice.sentence


def test_a_fixed_horizon_is_no_ground_to_decide_before_it(database, define, begin, people):
    experiment = begin(define(analysis={"method": "fixed", "users": 5_000}))
    people(experiment, (2_000, 2_000), (0.2, 0.4))
    report = make_report(Look(database, experiment, END))
    assert report.advice.verdict == "wait"
    assert report.metrics[0].comparisons[0].p_value < 1e-6


def test_a_belief_has_a_chance_and_no_p_value(database, define, begin, people):
    experiment = begin(define(analysis={"method": "bayesian", "prior_sd": 0.1}))
    people(experiment, (2_000, 2_000), (0.2, 0.4))
    report = make_report(Look(database, experiment, END))
    found = report.metrics[0].comparisons[0]
    assert (found.p_value, report.advice.verdict) == (None, "ship")
    assert 0 < found.lift.estimate < 0.9  # drawn towards what was believed
    assert found.chance_to_win > 0.99


@pytest.mark.parametrize("counts", [(0, 0), (5, 0), (0, 5), (1, 1)])
def test_without_users_nothing_is_said_in_numbers(database, define, begin, people, counts):
    quantile = {"name": "p50", "kind": "quantile", "quantile": 0.5, "event": "bought"}
    ratio = {"name": "each", "kind": "ratio", "event": "bought", "per": "visit"}
    experiment = begin(define(metrics=[*METRICS, quantile, ratio]))
    people(experiment, counts, (0.5, 0.5))
    report = make_report(Look(database, experiment, END))
    assert report.advice.verdict == "cannot-say"
    for metric in report.metrics:
        for each in metric.comparisons:
            assert each.problem
            assert (each.difference, each.lift, each.p_value, each.chance_to_win) == (None, None, None, None)
    assert (report.shares_p_value is None) == (sum(counts) == 0)


def test_where_nobody_converts_there_is_no_difference_to_speak_of(database, define, begin, people):
    experiment = begin(define())
    people(experiment, (100, 100), (0.0, 0.0))
    report = make_report(Look(database, experiment, END))
    assert (report.metrics[0].values, report.advice.verdict) == ((0.0, 0.0), "cannot-say")
    assert "same value" in report.metrics[0].comparisons[0].problem


def test_other_weights_are_compared_by_themselves(database, define, begin, people):
    """Late users buy more and mostly get the new variant: put together it would seem to win."""
    experiment = begin(define())
    people(experiment, (2_700, 2_700), (0.1, 0.1))
    set_status(database, "blend", "paused", ACTOR)
    variants = [{"name": "control", "weight": 0.1}, {"name": "more", "weight": 0.9}]
    replace_experiment(database, define(variants=variants), ACTOR)
    experiment = set_status(database, "blend", "running", ACTOR)
    people(experiment, (600, 5_400), (0.5, 0.5), phase=1)
    report = make_report(Look(database, experiment, END))
    assert report.metrics[0].values[1] > 1.5 * report.metrics[0].values[0]
    assert not report.metrics[0].comparisons[0].difference.excludes_zero
    assert report.shares_p_value > 0.01
    assert report.advice.verdict == "wait"


def test_a_quantile_has_an_interval(database, define, begin, people):
    quantile = {"name": "p50", "kind": "quantile", "quantile": 0.5, "event": "bought"}
    experiment = begin(define(metrics=[quantile]))
    people(experiment, (1_000, 1_000), (0.2, 0.9))
    found = make_report(Look(database, experiment, END)).metrics[0]
    assert found.values == (0.0, 1.0)
    difference = found.comparisons[0].difference
    assert (difference.low, difference.estimate, difference.high) == (1.0, 1.0, 1.0)


def test_the_page_has_the_lift_over_time_and_lets_no_markup_in(database, define, begin, people, tmp_path):
    experiment = begin(define(metrics=METRICS, hypothesis="<script>alert(1)</script>"))
    database.execute("UPDATE experiments SET started_at = %s", [START])
    experiment = load_experiment(database, "blend")
    people(experiment, (500, 500), (0.2, 0.3))
    look = Look(database, experiment, END)
    write_page(tmp_path / "e.html", look, make_report(look), looks=10)
    page = (tmp_path / "e.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "polygon" in page
    for word in ("Decides", "Guardrails", "bought", "confidence sequences", "weights"):
        assert word in page


def test_moments_are_even_and_end_at_the_end():
    found = moments_between(START, START + 10 * DAY, 5)
    assert found == [START + 2 * place * DAY for place in range(1, 6)]
    assert moments_between(START, START + 0.1 * DAY, 30) == [START + 0.1 * DAY]


def test_a_planned_number_of_users_is_where_a_sequence_is_narrowest(define):
    assert Method.of(define(analysis={"users": 50_000})).tuned_for == 50_000
    assert Method.of(define()).tuned_for == 10_000
