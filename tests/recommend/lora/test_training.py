"""A whole training on a real database: who gets an adapter, what an interrupted one leaves, and two at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest
from msgspec.structs import replace

from mgw.core.artifacts import ModelStore
from mgw.core.errors import TooFewEvents, TrainingBusy
from mgw.core.settings import LoraSettings
from mgw.recommend.lora import training
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.report import write_report
from mgw.recommend.lora.store import save_adapters
from mgw.recommend.lora.training import train_since
from tests.recommend.lora.conftest import SETTINGS


def stored(project, name):
    return project.connection.execute(
        "SELECT u.external_id, a.version, a.weights FROM lora_adapters a JOIN users u ON u.id = a.user_id"
        " WHERE base_snapshot = %s ORDER BY 1, 2", (name,),
    ).fetchall()  # fmt: skip


def test_each_user_who_is_supported_has_an_adapter(project):
    done, counts = project.trained, Recency.of(project.data.events).counts
    assert done.stored == np.count_nonzero(counts >= 20) - 1 > 10
    assert sorted(done.skipped.values()) == sorted(
        [int(np.count_nonzero(counts < 10)), int(np.count_nonzero((counts >= 10) & (counts < 20))) + 1]
    )
    assert (done.base, done.shared) == (project.snapshot.manifest.name, project.tiers.current_name())
    kept = stored(project, done.shared)
    assert [version for _, version, _ in kept] == [1] * (done.stored + 1)
    zero = [user for user, _, _ in kept if project.adapters.load(project.connection, user).is_zero]
    assert zero == [project.opposed]
    assert project.adapters.is_supported(25)
    assert not project.adapters.is_supported(12)


def test_the_rank_is_at_most_what_the_vectors_of_the_model_have_room_for(project):
    asked, most = (project.train(replace(SETTINGS, lora=LoraSettings(rank=rank))) for rank in (32, 8))
    assert (asked.rank, most.rank, project.trained.rank) == (8, 8, 3)
    tiers = [project.tiers.open(done.shared) for done in (asked, most)]
    assert tiers[0].manifest.arrays == tiers[1].manifest.arrays
    assert [tier.manifest.parameters["rank"] for tier in tiers] == [8, 8]
    assert [row[2] for row in stored(project, asked.shared)] == [row[2] for row in stored(project, most.shared)]
    assert project.adapters.settings.rank == 8
    assert project.adapters.towers.numbers == 16


def test_nobody_with_enough_titles_is_said(project):
    many = replace(SETTINGS, lora=LoraSettings(rank=3, minimum_events=1000))
    with pytest.raises(TooFewEvents, match="nobody has 1000 liked titles"):
        project.train(many)


def test_answers_are_made_with_the_tier_before_until_everybodys_adapter_is_stored(project, monkeypatch):
    def cut_short(connection, base, adapters, **_):
        save_adapters(connection, base, adapters[:5])
        raise KeyboardInterrupt

    before = project.trained.shared
    settings = replace(SETTINGS, lora=LoraSettings(rank=3, keep=1, half_life=5.0))
    with monkeypatch.context() as cut:
        cut.setattr(training, "save_adapters", cut_short)
        with pytest.raises(KeyboardInterrupt):
            project.train(settings)
    assert project.tiers.current_name() == before
    assert len(stored(project, before)) == project.trained.stored + 1
    (left,) = set(project.tiers.names()) - {before}
    assert len(stored(project, left)) == 5
    with monkeypatch.context() as learnt_already:
        learnt_already.setattr(training, "measure_support", None)
        done = project.train(settings, resume=True)
    assert (done.shared, done.resumed, done.stored) == (left, 4, project.trained.stored)  # one of the five is zero
    assert project.tiers.current_name() == left
    resumed = stored(project, left)
    assert stored(project, before) == []  # one version is kept
    whole = project.train(settings)
    assert [(user, weights) for user, _, weights in stored(project, whole.shared)] == [
        (user, weights) for user, _, weights in resumed
    ]


@pytest.mark.parametrize("change", ["settings", "damage", "nothing was cut short"])
def test_what_another_training_left_is_not_gone_on_from(project, monkeypatch, change):
    settings = replace(SETTINGS, lora=LoraSettings(rank=3, half_life=5.0))
    if change != "nothing was cut short":
        with monkeypatch.context() as cut:
            cut.setattr(ModelStore, "use", lambda _self, _name: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                project.train(settings)
    (left,) = set(project.tiers.names()) - {project.trained.shared} or {project.trained.shared}
    if change == "damage":
        (project.tiers.root / left / "gain.npy").write_bytes(b"")
        time.sleep(1)  # the name of what is trained anew has the second
    asked = replace(SETTINGS, lora=LoraSettings(rank=3, half_life=7.0)) if change == "settings" else settings
    assert project.train(asked, resume=True).resumed is None


def test_two_do_not_train_at_once(project, database_url):
    with psycopg.connect(database_url) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('mgw train lora'))")
        with pytest.raises(TrainingBusy):
            project.train()
        other.execute("SELECT pg_advisory_unlock_all()")  # the server sees a closed connection some time later
    assert project.train().stored == project.trained.stored
    with psycopg.connect(database_url) as other:
        assert other.execute("SELECT pg_try_advisory_lock(hashtext('mgw train lora'))").fetchone() == (True,)


def test_those_with_events_since_are_trained_by_the_tier_that_there_is(project):
    everybody = datetime(2000, 1, 1, tzinfo=UTC)
    first = train_since(project.connection, everybody, project.adapters, project.columns)
    counts = Recency.of(project.data.events).counts
    assert first == {
        "trained": 0,
        "unchanged": project.trained.stored,
        "unsupported": int(np.count_nonzero((counts >= 10) & (counts < 20))) + 1,
        "too few events": int(np.count_nonzero((counts < 10) & (np.diff(_events_of(project)) > 0))),
    }
    assert train_since(project.connection, datetime(2100, 1, 1, tzinfo=UTC), project.adapters, project.columns) == {
        "trained": 0
    }


def _events_of(project):
    return np.searchsorted(np.sort(project.data.events.users), np.arange(len(project.data.user_ids) + 1))


def test_the_report_shows_every_user_and_every_group(project, tmp_path):
    write_report(tmp_path / "report.html", project.trained)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"Gains of {len(project.trained.support.gain)} users" in page
    assert page.count("<rect") >= 4
    for name, group in project.trained.groups.items():
        assert f"<tr><th>{name}</th><td>{group['users']:,}</td>" in page
    assert "NaN" not in page
