"""Hybrid recommendations on a real database: nothing seen, explained truthfully, alive to new events, cold users."""

from datetime import UTC, datetime
from typing import get_args

import numpy as np
import pytest
from msgspec.structs import replace

from mgw.cli import recommend as commands
from mgw.core.artifacts import ModelStore
from mgw.core.errors import ModelForeign, UsageInvalid
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings, BlendSettings, ContentSettings, DiversitySettings, Settings
from mgw.recommend import context as moments
from mgw.recommend.blend import Source
from mgw.recommend.content import read_catalogue
from mgw.recommend.context import Context, Trends
from mgw.recommend.eligibility import Eligibility
from mgw.recommend.history import History, read_history
from mgw.recommend.hybrid import Hybrid
from mgw.recommend.recommender import RecommendationType
from mgw.recommend.source import read_training_data
from mgw.recommend.training import Shelf, train_als

SETTINGS = Settings(als=AlsSettings(factors=8, epochs=6), content=ContentSettings(dimensions=16))
USER = "u00007"


@pytest.fixture
def snapshot(platform, tmp_path):
    data = read_training_data(platform)
    catalogue = read_catalogue(platform, data.events, SETTINGS.content)
    shelf = Shelf(catalogue, Trends.of(data.events, catalogue.field("genre")[0], SETTINGS.context))
    platform.commit()
    return train_als(data, ModelStore(tmp_path), SETTINGS.als, threads=0, progress=SILENT, shelf=shelf)


def ask(platform, snapshot, user=USER, top_k=10, settings=SETTINGS, **values):
    hybrid = Hybrid(snapshot, settings)
    return hybrid.recommend(platform, user, top_k, rng=np.random.default_rng(0), **values)


def only(source, **values):
    weights = {name: 1.0 if name == source else 0.0 for name in ("collaborative", "content", "graph", "context")}
    return replace(SETTINGS, blend=BlendSettings(**weights, prior_events=0), **values)


def watch(connection, user, content, **values):
    row = {"completion_rate": 1.0, "dismissed": False, "at": "2026-02-01 20:00Z", **values}
    connection.execute("INSERT INTO users (external_id) VALUES (%s) ON CONFLICT DO NOTHING", (user,))
    connection.execute(
        "INSERT INTO viewing_events (user_id, content_id, at, completion_rate, dismissed)"
        " SELECT u.id, c.id, %s, %s, %s FROM users u, content c WHERE u.external_id = %s AND c.external_id = %s",
        (row["at"], row["completion_rate"], row["dismissed"], user, content),
    )


def test_a_list_has_nothing_seen_is_in_order_and_hears_all_sources(platform, snapshot):
    answer = ask(platform, snapshot)
    ids = [entry.content_id for entry in answer.recommendations]
    assert len(set(ids)) == 10
    assert not set(ids) & set(read_history(platform, USER).seen)
    confidences = [entry.confidence for entry in answer.recommendations]
    assert confidences == sorted(confidences, reverse=True)
    assert 0 < confidences[-1] <= confidences[0] <= 1
    assert all(any(entry.components[name] for entry in answer.recommendations) for name in map(str, Source))
    assert 0 < answer.similarity < 1


@pytest.mark.parametrize("source", ["collaborative", "content"])
def test_what_a_list_is_based_on_was_watched_and_liked(platform, snapshot, source):
    liked = set(read_history(platform, USER).liked)
    for entry in ask(platform, snapshot, settings=only(source)).recommendations:
        assert entry.based_on
        assert set(entry.based_on) <= liked
        assert entry.explanation.startswith("because you watched")


def test_what_is_said_to_be_shared_is_shared(platform, snapshot):
    tables = {"cast": "credits", "director": "credits", "writer": "credits", "theme": "content_themes",
              "genre": "content_genres"}  # fmt: skip
    columns = {"theme": "theme", "genre": "genre"}
    found = 0
    for entry in ask(platform, snapshot, settings=only("content"), top_k=20).recommendations:
        if not entry.explanation.endswith(")"):
            continue
        field, _, name = entry.explanation[:-1].rpartition(" (")[2].partition(": ")
        having = {
            row[0]
            for row in platform.execute(
                f"SELECT c.external_id FROM content c JOIN {tables[field]} t ON t.content_id = c.id"
                f" WHERE t.{columns.get(field, 'person')} = %s",
                (name,),
            )
        }
        assert {entry.content_id, *entry.based_on} <= having
        found += 1
    assert found


def test_graph_titles_are_those_of_the_seeds_or_of_similar_users(platform, snapshot):
    found = ask(platform, snapshot, settings=only("graph")).recommendations
    assert {entry.type for entry in found} == {RecommendationType.GRAPH_BASED}
    said = [entry.explanation for entry in found if not entry.based_on]
    assert set(said) <= {"people who watched what you watched watched it too"}


@pytest.mark.parametrize("times_known", [True, False])
def test_the_graph_is_asked_only_where_it_weighs_something(platform, snapshot, monkeypatch, times_known):
    if not times_known:
        platform.execute(
            "UPDATE viewing_events SET at = NULL WHERE (user_id, content_id, at) IN ("
            "SELECT user_id, content_id, min(at) FROM viewing_events e JOIN users u ON u.id = e.user_id"
            " WHERE u.external_id = %s GROUP BY 1, 2)", (USER,)
        )  # fmt: skip
        platform.execute(
            "DELETE FROM viewing_events e USING users u WHERE u.id = e.user_id AND u.external_id = %s"
            " AND at IS NOT NULL", (USER,)
        )  # fmt: skip
    evidence = Hybrid(snapshot, SETTINGS).read(platform, USER)
    assert len(evidence.viewer.liked) > 0
    assert (evidence.graph is not None) == times_known
    unheard = replace(SETTINGS, blend=BlendSettings(graph=0.0))
    assert Hybrid(snapshot, unheard).read(platform, USER).graph is None
    listed = ask(platform, snapshot).recommendations
    monkeypatch.setattr(Hybrid, "_hears_graph", lambda _self, _viewer: True)
    asked_anyway = ask(platform, snapshot).recommendations
    assert [(each.content_id, each.confidence) for each in listed] == [
        (each.content_id, each.confidence) for each in asked_anyway
    ]


def test_somebody_unknown_gets_what_is_watched_these_days(platform, snapshot):
    answer = ask(platform, snapshot, "nobody")
    assert not answer.known_user
    assert {entry.type for entry in answer.recommendations} == {RecommendationType.COLD_START}
    assert {entry.based_on for entry in answer.recommendations} == {()}
    assert not any(entry.components["collaborative"] for entry in answer.recommendations)


def test_stated_genres_lead_somebody_unknown_there(platform, snapshot):
    (genre,) = platform.execute("SELECT genre FROM content_genres GROUP BY 1 ORDER BY count(*), 1 LIMIT 1").fetchone()
    having = {row[0] for row in platform.execute(
        "SELECT c.external_id FROM content c JOIN content_genres g ON g.content_id = c.id WHERE g.genre = %s", (genre,)
    )}  # fmt: skip
    with_it = ask(platform, snapshot, "nobody", 5, stated_genres=[genre.upper()]).recommendations
    without = ask(platform, snapshot, "nobody", 5).recommendations
    count = [len(having & {entry.content_id for entry in found}) for found in (without, with_it)]
    assert count[1] > count[0]
    with pytest.raises(UsageInvalid, match="no genre 'Nonsense'"):
        ask(platform, snapshot, "nobody", stated_genres=["Nonsense"])


def test_the_first_events_count_at_once_and_the_list_converges(platform, snapshot):
    likes = read_history(platform, USER).liked[:6]
    shares = []
    for count, content in enumerate(likes, start=1):
        watch(platform, "newcomer", content, at=f"2026-02-0{count} 20:00Z")
        found = ask(platform, snapshot, "newcomer", 5).recommendations
        assert not {entry.content_id for entry in found} & set(likes[:count])
        shares.append(sum(entry.components["collaborative"] > 0 for entry in found))
        assert {entry.type for entry in found} != {RecommendationType.COLD_START}
    assert shares[-1] >= shares[0]
    assert shares[-1] == 5


def test_somebody_who_only_dismissed_gets_other_titles(platform, snapshot):
    popular = ask(platform, snapshot, "nobody", 1).recommendations[0].content_id
    watch(platform, "grump", popular, completion_rate=0.1, dismissed=True)
    found = ask(platform, snapshot, "grump", 5).recommendations
    assert popular not in {entry.content_id for entry in found}
    assert {entry.type for entry in found} == {RecommendationType.COLD_START}


def test_filters_hold_and_too_few_titles_are_as_many_as_there_are(platform, snapshot):
    seen = read_history(platform, USER).seen
    every = ask(platform, snapshot, top_k=10_000, eligibility=Eligibility(watched=True)).recommendations
    unseen = ask(platform, snapshot, top_k=10_000).recommendations
    assert {entry.content_id for entry in every} - {entry.content_id for entry in unseen} <= set(seen)
    assert [e.content_id for e in ask(platform, snapshot, eligibility=Eligibility(frozenset({"t0001"}), watched=True))
            .recommendations] == ["t0001"]  # fmt: skip
    assert ask(platform, snapshot, eligibility=Eligibility(frozenset())).recommendations == ()


def test_a_mood_lifts_its_genres(platform, snapshot):
    genres = {row[0] for row in platform.execute("SELECT DISTINCT genre FROM content_genres")}
    wanted = {mood: {name for name in genres if name.title() in names} for mood, names in moments.MOODS.items()}
    mood = max(wanted, key=lambda each: len(wanted[each]))
    calm = ask(platform, snapshot, settings=only("context"), top_k=80).recommendations
    moved = ask(platform, snapshot, settings=only("context"), top_k=80, context=Context(mood=mood)).recommendations
    rows = platform.execute(
        "SELECT DISTINCT c.external_id FROM content c JOIN content_genres g ON g.content_id = c.id"
        " WHERE g.genre = ANY(%s)",
        (list(wanted[mood]),),
    )
    having = {row[0] for row in rows}
    places = [
        np.mean([place for place, entry in enumerate(found) if entry.content_id in having]) for found in (calm, moved)
    ]
    assert places[1] < places[0]


def test_diversity_makes_a_list_less_alike(platform, snapshot):
    alike = ask(platform, snapshot).similarity
    settings = replace(SETTINGS, diversity=DiversitySettings(threshold=0.6))
    assert ask(platform, snapshot, settings=settings).similarity < alike


def test_a_snapshot_without_embeddings_is_refused(platform, tmp_path):
    data = read_training_data(platform)
    old = train_als(data, ModelStore(tmp_path), SETTINGS.als, threads=0, progress=SILENT)
    with pytest.raises(ModelForeign, match="no embeddings"):
        Hybrid(old, SETTINGS)


def test_the_command_knows_the_moments_that_the_source_knows():
    assert get_args(commands.Mood) == tuple(moments.MOODS)
    assert set(get_args(commands.TimeOfDay)) == set(moments.TIMES_OF_DAY)
    assert get_args(commands.Device) == moments.DEVICES
    assert [str(each) for each in commands.Company] == list(moments.COMPANY)


def test_new_events_are_added_to_a_profile_and_the_others_not_read_again(platform, snapshot, monkeypatch):
    hybrid = Hybrid(snapshot, SETTINGS)
    nothing = History.empty(user_exists=True)
    assert hybrid.load_sums(platform, USER) is None
    before = hybrid.update_profile(platform, USER, None, nothing)
    sums = hybrid.load_sums(platform, USER)
    assert sums is not None
    expected = read_history(platform, USER)
    monkeypatch.setattr("mgw.recommend.hybrid.read_history", None)
    same = hybrid.update_profile(platform, USER, sums, nothing)
    assert same.preference == pytest.approx(before.preference, abs=1e-6)
    (title,) = platform.execute(
        "SELECT c.external_id FROM content c WHERE c.external_id <> ALL(%s) LIMIT 1", (list(expected.seen),)
    ).fetchone()
    watch(platform, USER, title)
    at = np.array([datetime(2026, 2, 1, 20, tzinfo=UTC).timestamp()])
    label = np.array([0.65], dtype=np.float32)
    updated = hybrid.update_profile(platform, USER, sums, History(True, (title,), (title,), label, (title,), at, label))
    monkeypatch.undo()
    anew = hybrid.update_profile(platform, USER, None, nothing)
    assert updated.events == anew.events == before.events + 1
    assert updated.preference == pytest.approx(anew.preference, abs=1e-5)
    assert updated.genre_affinities == pytest.approx(anew.genre_affinities)
    assert not np.allclose(updated.preference, before.preference, atol=1e-4)
