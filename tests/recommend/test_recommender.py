"""Recommendations from a snapshot: nothing seen, best first, explained by what carries the score."""

import numpy as np
import pytest

from mgw.core.artifacts import ModelStore
from mgw.core.errors import ContentUnknown
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings
from mgw.recommend.everyone import recommend_everyone
from mgw.recommend.history import read_history
from mgw.recommend.recommender import RecommendationType, Recommender
from mgw.recommend.source import read_training_data
from mgw.recommend.title_features import read_title_features
from mgw.recommend.titles import nearest_titles, read_titles
from mgw.recommend.training import train_als

SETTINGS = AlsSettings(factors=8, epochs=10)


@pytest.fixture
def recommender(platform, tmp_path):
    data = read_training_data(platform)
    return Recommender(train_als(data, ModelStore(tmp_path / "models"), SETTINGS, threads=0, progress=SILENT))


def watch(connection, user, content, **values):
    """Insert one event, finished unless said otherwise."""
    row = {"completion_rate": 1.0, "rating": None, "dismissed": False, "at": "2026-02-01 20:00Z", **values}
    connection.execute("INSERT INTO users (external_id) VALUES (%s) ON CONFLICT DO NOTHING", (user,))
    connection.execute(
        "INSERT INTO viewing_events (user_id, content_id, at, completion_rate, rating, dismissed)"
        " SELECT u.id, c.id, %s, %s, %s, %s FROM users u, content c WHERE u.external_id = %s AND c.external_id = %s",
        (row["at"], row["completion_rate"], row["rating"], row["dismissed"], user, content),
    )


def test_recommendations_are_unseen_distinct_and_in_order(platform, recommender):
    history = read_history(platform, "u00007")
    found = recommender.recommend(history, 10, reasons=2)
    ids = [entry.content_id for entry in found]
    assert len(set(ids)) == 10
    assert not set(ids) & set(history.seen)
    assert [entry.score for entry in found] == sorted((entry.score for entry in found), reverse=True)
    assert {entry.type for entry in found} == {RecommendationType.COLLABORATIVE}


def test_they_are_the_best_of_all_unseen_titles_under_the_exact_fold_in(platform, recommender):
    history = read_history(platform, "u00007")
    y = np.asarray(recommender.snapshot.array("item_factors"), dtype=float)
    ids = [name.decode() for name in recommender.snapshot.array("content_ids")]
    strength = np.zeros(len(ids))
    strength[[ids.index(name) for name in history.liked]] = history.strength
    typical = recommender.snapshot.manifest.parameters["activity_reference"]
    strength *= (np.count_nonzero(strength) / typical) ** -SETTINGS.activity_exponent
    seen = np.count_nonzero(strength) + SETTINGS.unobserved_weight * len(ids)
    system = SETTINGS.unobserved_weight * y.T @ y + (y.T * strength) @ y + SETTINGS.regularization * seen * np.eye(8)
    scores = y @ np.linalg.solve(system, y.T @ strength)
    unseen = sorted((name for name in ids if name not in history.seen), key=lambda name: -scores[ids.index(name)])
    assert [entry.content_id for entry in recommender.recommend(history, 10, reasons=2)] == unseen[:10]


def test_reasons_are_watched_titles_whose_loss_would_lower_the_score_most(platform, recommender):
    history = read_history(platform, "u00007")
    best = recommender.recommend(history, 1, reasons=3)[0]
    assert len(best.based_on) == 3
    assert set(best.based_on) <= set(history.liked)


def test_an_unknown_user_gets_the_titles_with_the_most_viewers(platform, recommender):
    history = read_history(platform, "nobody")
    assert not history.user_exists
    found = recommender.recommend(history, 5, reasons=2)
    viewers = recommender.snapshot.array("viewers")
    assert [entry.score for entry in found] == sorted(viewers / 60, reverse=True)[:5]
    assert {(entry.type, entry.based_on) for entry in found} == {(RecommendationType.COLD_START, ())}


def test_a_user_newer_than_the_model_is_answered_from_their_own_events(platform, recommender):
    likes = read_history(platform, "u00007").liked[:6]
    for content in likes:
        watch(platform, "newcomer", content, rating=5)
    found = recommender.recommend(read_history(platform, "newcomer"), 5, reasons=2)
    assert {entry.type for entry in found} == {RecommendationType.COLLABORATIVE}
    assert all(set(entry.based_on) <= set(likes) for entry in found)


def test_a_user_who_only_dismissed_gets_popular_titles_but_never_those(platform, recommender):
    popular = recommender.recommend(read_history(platform, "nobody"), 3, reasons=2)
    watch(platform, "grump", popular[0].content_id, completion_rate=0.0, dismissed=True)
    found = recommender.recommend(read_history(platform, "grump"), 3, reasons=2)
    assert [entry.content_id for entry in found][:2] == [entry.content_id for entry in popular][1:]


def test_a_user_of_titles_that_the_model_does_not_know_gets_popular_titles(platform, recommender):
    platform.execute("INSERT INTO content (external_id, title) VALUES ('brand-new', 'Brand New')")
    watch(platform, "early", "brand-new", rating=5)
    found = recommender.recommend(read_history(platform, "early"), 3, reasons=2)
    assert {entry.type for entry in found} == {RecommendationType.COLD_START}


def test_asking_for_more_than_there_is_gives_what_there_is(platform, recommender):
    history = read_history(platform, "u00007")
    watched_by_somebody = int(np.count_nonzero(recommender.snapshot.array("viewers")))
    found = recommender.recommend(history, 10_000, reasons=1)
    assert 80 - len(history.seen) >= len(found) > 0
    assert len(found) <= watched_by_somebody


def test_similar_titles_are_ordered_by_cosine_and_leave_out_the_title_itself(recommender):
    found = recommender.similar("t0001", 5)
    y = np.asarray(recommender.snapshot.array("item_factors"), dtype=float)
    ids = [name.decode() for name in recommender.snapshot.array("content_ids")]
    place = ids.index("t0001")
    norms = np.linalg.norm(y, axis=1)
    cosine = np.divide(y @ y[place], norms * norms[place], out=np.full(len(y), -2.0), where=norms > 0)
    cosine[place] = -2
    assert [entry.content_id for entry in found] == [ids[column] for column in np.argsort(-cosine)[:5]]
    assert found[0].similarity == pytest.approx(cosine.max(), abs=1e-5)


def test_similar_to_a_title_without_viewers_is_an_error_that_says_so(recommender):
    with pytest.raises(ContentUnknown, match="does not know brand-new"):
        recommender.similar("brand-new", 5)


def test_history_sums_up_titles_and_a_dismissal_takes_a_like_back(platform):
    watch(platform, "fickle", "t0001", rating=5, at="2026-02-01 20:00Z")
    watch(platform, "fickle", "t0002", rating=4, at="2026-02-02 20:00Z")
    watch(platform, "fickle", "t0001", dismissed=True, at="2026-02-03 20:00Z")
    history = read_history(platform, "fickle")
    assert history.seen == ("t0001", "t0002")
    assert history.liked == ("t0002",)
    assert history.strength.tolist() == [0.75]


def test_titles_are_read_by_the_callers_ids_and_missing_ones_left_out(platform):
    titles = read_titles(platform, ["t0003", "no-such"])
    assert list(titles) == ["t0003"]
    assert titles["t0003"].genres == sorted(titles["t0003"].genres)


@pytest.mark.parametrize("wanted", ["T0003", "tt0003"])
def test_an_unknown_id_is_answered_with_the_nearest(platform, wanted):
    error = nearest_titles(platform, wanted)
    assert wanted in error.message
    assert "t0003 (" in (error.hint or "")


def test_a_name_in_place_of_an_id_finds_the_title(platform):
    name = read_titles(platform, ["t0010"])["t0010"].title
    assert "t0010 (" in (nearest_titles(platform, name.lower()).hint or "")


def test_a_title_that_nobody_watched_is_recommended_by_what_the_catalogue_says(platform, tmp_path):
    likes = read_history(platform, "u00007").liked
    platform.execute(
        "INSERT INTO content (external_id, title, year) VALUES ('twin', 'Twin', 2000), ('odd', 'Odd', NULL)"
    )
    for table, column in (("content_genres", "genre"), ("content_themes", "theme")):
        platform.execute(
            f"INSERT INTO {table} (content_id, {column}) SELECT t.id, g.{column} FROM {table} g"
            " JOIN content c ON c.id = g.content_id AND c.external_id = %s, content t WHERE t.external_id = 'twin'",
            (likes[0],),
        )
    platform.commit()
    data = read_training_data(platform)
    features = read_title_features(platform, data.events)
    store = ModelStore(tmp_path / "models")
    snapshot = train_als(data, store, SETTINGS, threads=0, progress=SILENT, features=features)
    column = snapshot.array("content_ids").tolist().index(b"twin")
    assert snapshot.array("viewers")[column] == 0
    found = Recommender(snapshot)
    listed = {entry.content_id: entry for entry in found.recommend(read_history(platform, "u00007"), 100, reasons=1)}
    assert listed["twin"].based_on
    assert found.similar("twin", 3)
    cold = found.recommend(read_history(platform, "nobody"), 100, reasons=1)
    assert "twin" not in {entry.content_id for entry in cold}
    watch(platform, "grump", "t0001", dismissed=True, completion_rate=0.1)
    platform.commit()
    (everybody,) = recommend_everyone(read_training_data(platform), snapshot, 100)
    for user in ("u00007", "grump"):
        mine = everybody.content_ids[everybody.user_ids == user.encode()].astype(str).tolist()
        alone = found.recommend(read_history(platform, user), 100, reasons=1)
        assert mine == [entry.content_id for entry in alone]
        assert ("twin" in mine) == (user == "u00007")
    platform.commit()
    without = Recommender(train_als(data, store, SETTINGS, threads=0, progress=SILENT))
    assert "twin" not in {
        entry.content_id for entry in without.recommend(read_history(platform, "u00007"), 100, reasons=1)
    }
