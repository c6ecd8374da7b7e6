"""`mgw train lora` on a model with fewer factors than `lora.rank`, and what others say of its adapters."""

from __future__ import annotations

import json

import psycopg
import pytest
from commands import mgw


@pytest.fixture
def project(tmp_path, database_url, monkeypatch):
    monkeypatch.setenv("MGW_DATABASE_URL", database_url)
    (tmp_path / "mgw.yaml").write_text("als: {factors: 8, epochs: 2}\nlora: {rank: 32}\n")
    for step in (("sample", "--users", "200", "--titles", "80", "--events", "8000"), ("train", "als")):
        code, _, beside = mgw(tmp_path, *step)
        assert code == 0, beside
    return tmp_path


def test_a_model_of_few_factors_has_adapters_of_as_few_directions(project):
    code, _, beside = mgw(project, "train", "lora")
    assert code == 0, beside
    assert beside == "adapters have 8 directions, as many as the model's titles have numbers (lora.rank is 32)\n"
    code, said, beside = mgw(project, "train", "lora", "--rank", "8", "--json")
    assert (code, json.loads(said)["rank"], beside) == (0, 8, "")


def test_status_counts_the_adapters_that_the_training_counts(project, database_url):
    trained = json.loads(mgw(project, "train", "lora", "--json")[1])["adapters"]
    with psycopg.connect(database_url) as connection:
        ((stored,),) = connection.execute("SELECT count(*) FROM lora_adapters").fetchall()
    assert 0 < trained < stored, "of some the titles speak against one, which is zero"
    parts = {part["part"]: part for part in json.loads(mgw(project, "status", "--json")[1])["parts"]}
    assert parts["adapters"]["users"] == trained
    assert parts["adapters"]["detail"].startswith(f"{trained} users, of lora-")
