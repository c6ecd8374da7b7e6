"""The life of an experiment: every way that there is and none besides, each audited; changes only where they may be."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from mgw.core.audit import Actor
from mgw.core.errors import ExperimentExists, ExperimentStatusInvalid, ExperimentUnknown
from mgw.experiments.store import MOVES, create_experiment, load_experiment, replace_experiment, set_status

ACTOR = Actor("ann", "10.0.0.1", "curl")
PATHS = {
    "draft": (), "running": ("running",), "paused": ("running", "paused"), "completed": ("running", "completed"),
    "archived": ("archived",),
}  # fmt: skip


def trail(database):
    rows = database.execute(
        "SELECT action, resource_id, user_id, host(ip), details FROM audit_logs"
        " WHERE resource_type = 'experiment' ORDER BY position"
    )
    return rows.fetchall()


@pytest.mark.parametrize(("before", "after"), list(itertools.product(MOVES, MOVES)))
def test_only_the_ways_that_there_are_can_be_gone(database, define, before, after):
    create_experiment(database, define(), ACTOR)
    for status in PATHS[before]:
        set_status(database, "blend", status, ACTOR)
    entries = len(trail(database))
    if after in MOVES[before]:
        assert set_status(database, "blend", after, ACTOR, why="so").status == after
        *_, (action, name, user, ip, details) = trail(database)
        assert action.startswith("experiment.")
        assert (name, user, ip) == ("blend", "ann", "10.0.0.1")
        assert details == {"before": before, "after": after, "why": "so"}
    else:
        with pytest.raises(ExperimentStatusInvalid):
            set_status(database, "blend", after, ACTOR)
        assert load_experiment(database, "blend").status == before
        assert len(trail(database)) == entries


def test_what_is_kept_is_what_was_written(database, define):
    definition = define(
        targeting={"device_type": "tv"}, forced={"qa": "more"}, holdout={"name": "all", "share": 0.1},
        ramp=[{"after_days": 0.5, "traffic": 0.2}],
    )  # fmt: skip
    made = create_experiment(database, definition, ACTOR)
    assert made.definition == definition == load_experiment(database, "blend").definition
    with pytest.raises(ExperimentExists, match="blend"):
        create_experiment(database, definition, ACTOR)
    with pytest.raises(ExperimentUnknown, match="none"):
        load_experiment(database, "none")
    with pytest.raises(ExperimentUnknown):
        set_status(database, "none", "running", ACTOR)


def test_a_draft_is_defined_anew_and_a_running_one_is_not(database, define):
    create_experiment(database, define(), ACTOR)
    three = [{"name": name, "weight": 1 / 3} for name in ("control", "more", "most")]
    changed = define(variants=three, metrics=[{"name": "bought"}, {"name": "liked"}])
    assert replace_experiment(database, changed, ACTOR).definition == changed
    assert database.execute("SELECT name FROM experiment_variants ORDER BY position").fetchall() == [
        ("control",), ("more",), ("most",)
    ]  # fmt: skip
    assert trail(database)[-1][0] == "experiment.redefined"
    set_status(database, "blend", "running", ACTOR)
    for status in ("running", "completed"):
        if status == "completed":
            set_status(database, "blend", status, ACTOR)
        with pytest.raises(ExperimentStatusInvalid, match=f"is {status}"):
            replace_experiment(database, define(), ACTOR)
    assert load_experiment(database, "blend").definition == changed


def weighed(define, control, **given):
    variants = [{"name": "control", "weight": control}, {"name": "more", "weight": 1 - control}]
    return define(variants=variants, **given)


def test_a_paused_one_gets_other_weights_in_a_phase_of_its_own(database, define, begin):
    begin(define())
    set_status(database, "blend", "paused", ACTOR)
    found = replace_experiment(database, weighed(define, 0.2, traffic=0.5), ACTOR)
    assert [phase.weights for phase in found.phases] == [(0.5, 0.5), (0.2, 0.8)]
    again = replace_experiment(database, weighed(define, 0.2, traffic=0.9), ACTOR)
    assert len(again.phases) == 2  # the same weights go on with the same phase
    assert again.definition.traffic == 0.9


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": [{"name": "liked"}]}, {"salt": "other"}, {"targeting": {"mood": "sad"}}, {"interleave": True},
        {"variants": [{"name": "control", "weight": 0.5}, {"name": "other", "weight": 0.5}]},
        {"variants": [{"name": "control", "weight": 0.5}, {"name": "more", "weight": 0.5, "config": {"model": "m"}}]},
    ],
)  # fmt: skip
def test_what_users_see_and_what_is_counted_stays_as_it_was_started(database, define, begin, change):
    begin(define())
    set_status(database, "blend", "paused", ACTOR)
    with pytest.raises(ExperimentStatusInvalid, match="cannot change"):
        replace_experiment(database, define(**change), ACTOR)


def test_weights_do_not_change_where_users_would_change_the_variant(database, define, begin):
    begin(define(sticky=False))
    set_status(database, "blend", "paused", ACTOR)
    with pytest.raises(ExperimentStatusInvalid, match="sticky"):
        replace_experiment(database, weighed(define, 0.2, sticky=False), ACTOR)


def test_a_change_that_fails_leaves_no_trace(database, define):
    with pytest.raises(msgspec.ValidationError):
        create_experiment(database, define(name="no spaces please"), ACTOR)
    assert trail(database) == []
