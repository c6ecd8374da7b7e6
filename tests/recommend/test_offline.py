"""The pipeline on a split: nothing that was held out is seen by the graph, and the table says what was asked."""

import numpy as np
import pytest

from mgw.core.database import queries
from mgw.core.settings import AlsSettings, ContentSettings, EvaluateSettings, GraphSettings, Settings
from mgw.recommend.blend import Source, source_weights
from mgw.recommend.content import read_catalogue
from mgw.recommend.evaluate import evaluate
from mgw.recommend.graph import GraphSource
from mgw.recommend.offline import ablations, only_events_of, score_split
from mgw.recommend.source import read_training_data
from mgw.recommend.split import choose_split

SETTINGS = Settings(
    als=AlsSettings(factors=8, epochs=6),
    content=ContentSettings(dimensions=16),
    evaluate=EvaluateSettings(split="user-time", bootstrap_samples=50),
)


@pytest.fixture
def data(platform):
    found = read_training_data(platform)
    platform.commit()
    return found


def test_queries_see_what_is_learned_from_and_afterwards_everything(platform, data):
    split = choose_split(data.events, SETTINGS.evaluate)
    every = platform.execute("SELECT count(*) FROM viewing_events").fetchone()[0]
    before = queries.graph_watch_history(platform, user_id="u00007", top_k=500)
    with only_events_of(platform, split.train):
        assert platform.execute("SELECT count(*) FROM viewing_events").fetchone()[0] == len(split.train) < every
        during = queries.graph_watch_history(platform, user_id="u00007", top_k=500)
    assert {row.content_id for row in during} < {row.content_id for row in before}
    held_out = {
        int(data.events.item_ids[column]) for column in split.test[[list(data.user_ids).index(b"u00007")]].indices
    }
    assert held_out
    assert not held_out & {row.content_id for row in during}
    assert platform.execute("SELECT count(*) FROM viewing_events").fetchone()[0] == every
    assert queries.graph_watch_history(platform, user_id="u00007", top_k=500) == before


def test_events_of_unknown_time_stay_too(platform, data):
    platform.execute("UPDATE viewing_events SET at = NULL WHERE user_id = (SELECT min(user_id) FROM viewing_events)"
                     " AND is_rewatch = false AND (user_id, content_id) IN (SELECT user_id, content_id FROM"
                     " viewing_events GROUP BY 1, 2 HAVING count(*) = 1)")  # fmt: skip
    platform.commit()
    events = read_training_data(platform).events
    assert np.isnan(events.at).any()
    platform.commit()
    with only_events_of(platform, events):
        assert platform.execute("SELECT count(*) FROM viewing_events").fetchone()[0] == len(events)


def test_a_time_between_two_seconds_is_not_cut(platform, data):
    platform.execute("UPDATE viewing_events SET at = at + interval '0.654321 s'")
    platform.commit()
    events = read_training_data(platform).events
    platform.commit()
    with only_events_of(platform, events):
        assert platform.execute("SELECT count(*) FROM viewing_events").fetchone()[0] == len(events)


def test_the_graph_asks_the_same_as_in_answering(platform, data):
    columns = {int(identity): place for place, identity in enumerate(data.events.item_ids)}
    catalogue = read_catalogue(platform, data.events, SETTINGS.content)
    graph = GraphSource.of(columns, np.ones(len(columns), dtype=np.int64), 60, catalogue, GraphSettings())
    everything = graph.scores(platform, "u00007").total
    with only_events_of(platform, data.events):
        assert graph.scores(platform, "u00007").total == pytest.approx(everything)
    assert everything.max() <= 1
    assert np.count_nonzero(everything) > 10
    assert not graph.scores(platform, "nobody").total.any()


def test_every_source_and_the_blend_are_measured_on_the_split(platform, data):
    catalogue = read_catalogue(platform, data.events, SETTINGS.content)
    platform.commit()
    split = choose_split(data.events, SETTINGS.evaluate)
    scored = score_split(platform, data, split, catalogue, SETTINGS)
    assert scored.table.shape == (len(split.audience().users), len(Source), data.events.n_items)
    models = ablations(scored, SETTINGS)
    assert len(models) == 2 + 2 * len(Source)
    found = evaluate(models, split, SETTINGS.evaluate, baseline="blend").models
    alone = {str(source): found[str(source)].metrics["ndcg@10"].value for source in Source}
    assert min(alone.values()) > 0
    only_graph = scored.blended(source_weights(SETTINGS.blend) * np.array([0, 0, 1, 0]))
    assert np.allclose(only_graph.scores(scored.users), models["graph"].scores(scored.users))
