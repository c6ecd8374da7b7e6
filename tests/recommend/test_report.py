"""The report: figures of groups against loops, and a page that needs nothing but itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings, Settings
from mgw.core.settings.schema import EvaluateSettings
from mgw.recommend.comparison import compare_with_baselines, write_report
from mgw.recommend.evaluate import Estimate
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.report import by_epoch, by_history, by_popularity, heading
from mgw.recommend.report.breakdown import Breakdown
from mgw.recommend.report.plot import svg
from mgw.recommend.split import choose_split

from .als.test_solver import planted
from .test_evaluate import events_of

SETTINGS = Settings(
    als=AlsSettings(factors=6, epochs=4),
    evaluate=EvaluateSettings(split="random", top_k=5, recall_k=5, bootstrap_samples=50),
)


@pytest.fixture(scope="module")
def events():
    matrix = planted(240, 80)
    users = np.repeat(np.arange(240), np.diff(matrix.indptr))
    return events_of(list(zip(users.tolist(), matrix.indices.tolist(), strict=True)), 240, 80)


@pytest.fixture(scope="module")
def split(events):
    return choose_split(events, SETTINGS.evaluate)


@pytest.fixture(scope="module")
def evaluation(split):
    return compare_with_baselines(split, SETTINGS, SILENT)


def test_history_groups_hold_everybody_once(evaluation, split):
    found = by_history(evaluation, split)
    lengths = np.diff(strength_matrix(split.train).indptr)[evaluation.audience.users]
    bounds = [tuple(map(int, label.split("-"))) for label in found.groups]
    members = [(lengths >= low) & (lengths <= high) for low, high in bounds]
    assert np.sum(members, axis=0).tolist() == [1] * len(lengths)
    for name, estimates in found.models.items():
        values = evaluation.models[name].per_user["ndcg@5"]
        for mine, estimate in zip(members, estimates, strict=True):
            assert estimate.value == pytest.approx(values[mine].mean())
            assert estimate.low <= estimate.value <= estimate.high


def test_popularity_bands_are_recall_of_their_titles_alone(evaluation, split):
    found = by_popularity(evaluation, split)
    viewers = np.bincount(strength_matrix(split.train).indices, minlength=80)
    wanted = split.test[evaluation.audience.users]
    edges = np.quantile(viewers[wanted.indices], [0.25, 0.5, 0.75])
    for name, estimates in found.models.items():
        lists = evaluation.models[name].lists
        for band, estimate in enumerate(estimates):
            recalls = []
            for row, user in enumerate(evaluation.audience.users):
                asked = {i for i in split.test[[user]].indices.tolist() if sum(viewers[i] > edges) == band}
                if asked:
                    recalls.append(len(asked & set(lists[row].tolist())) / len(asked))
            assert estimate.value == pytest.approx(np.mean(recalls)), (name, band)


def test_the_last_epoch_is_the_model_that_was_measured(evaluation, split):
    found = by_epoch(split, SETTINGS, SILENT)
    assert found.groups == ("1", "2", "3", "4")
    assert found.models["ALS"][-1].value == pytest.approx(evaluation.models["ALS"].metrics["ndcg@5"].value, abs=1e-6)


def test_groups_with_few_users_say_nothing(evaluation, split, monkeypatch):
    monkeypatch.setattr("mgw.recommend.report.breakdown._FEWEST", 10**6)
    assert set(by_history(evaluation, split).models["ALS"]) == {None}


class Balanced(HTMLParser):
    """Checks that what is opened is closed, and collects what a browser would fetch."""

    VOID = frozenset({"meta", "line", "circle", "polyline"})

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.tags = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [value for name, value in attributes if name in {"src", "href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_needs_nothing_but_itself(split, evaluation, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, evaluation, split, SETTINGS, SILENT)
    text = path.read_text(encoding="utf-8")
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert parser.fetched == []
    assert "url(" not in text
    assert "@import" not in text
    assert parser.tags.count("svg") == 3
    assert "script" not in parser.tags
    for name in ("popularity", "item-kNN", "RP3β", "EASE", "ALS", "NDCG@5", "Hit rate@5", "Gini@5"):
        assert name in text
    value = evaluation.models["ALS"].metrics["ndcg@5"].value
    assert f"{value:.4f}" in text


def test_names_are_escaped_and_what_is_missing_is_left_out():
    estimates = (Estimate(0.1, 0.05, 0.2), None, Estimate(0.4))
    drawn = svg(Breakdown("T", "<axis>", "m", ("<a>", "b", "c"), {"<m>": estimates}), "<M>", {"<m>": 3})
    assert not re.search(r"<(a|m|M|axis)>", drawn)
    assert drawn.count("<circle") == 2
    assert drawn.count(' bar"') == 1
    assert 'class="m3"' in drawn


def test_without_room_for_ease_the_others_are_measured(split, monkeypatch):
    monkeypatch.setattr("mgw.recommend.baselines.ease.available_bytes", lambda: 1000)
    found = compare_with_baselines(split, SETTINGS, SILENT)
    assert list(found.models) == ["popularity", "item-kNN", "RP3β", "ALS"]


def test_headings():
    assert [heading(name) for name in ("ndcg@10", "hit_rate@5", "recall@20")] == ["NDCG@10", "Hit rate@5", "Recall@20"]
