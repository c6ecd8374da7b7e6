"""Adapters in files, and ONNX Runtime, which must come to the same numbers as NumPy."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from mgw.core.errors import AdapterDamaged, AdapterForeign, ExtraMissing, FileUnreadable, UsageInvalid
from mgw.recommend.lora.exchange import LORA_A, LORA_B, read_adapter, write_adapter
from mgw.recommend.lora.scoring_graph import write_scoring_graph


@pytest.fixture
def written(project, adapter, tmp_path):
    """An adapter as JSON."""
    path = tmp_path / "adapter.json"
    write_adapter(path, project.adapters, adapter)
    return path


@pytest.fixture
def adapter(project):
    return project.adapters.load(project.connection, project.user)


@pytest.fixture
def graph(project, tmp_path):
    path = tmp_path / "scoring.onnx"
    write_scoring_graph(path, project.snapshot)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def asked(graph, users, **values):
    rng = np.random.default_rng(0)
    candidates = rng.integers(
        len(json.loads(graph.get_modelmeta().custom_metadata_map["content_ids"])), size=(users, 20)
    )
    return {"base_scores": rng.normal(size=(users, 20)).astype(np.float32), "candidates": candidates, **values}


def test_json_is_taken_in_as_it_was_written(project, adapter, written):
    again = read_adapter(written, project.adapters)
    np.testing.assert_array_equal(again.weights, adapter.weights)
    assert (again.user_id, again.events_used, again.gain, again.error) == (
        adapter.user_id, adapter.events_used, adapter.gain, adapter.error,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"weights": "TUdX"}, AdapterDamaged, "checksum"),
        ({"weights": "*"}, AdapterDamaged, "adapter.json"),
        ({"checksum": "xyz"}, AdapterDamaged, "adapter.json"),
        ({"format_version": 2}, AdapterDamaged, "format_version"),
        ({"surprise": 1}, AdapterDamaged, "surprise"),
        ({"shared_tier": "lora-other"}, AdapterForeign, "lora-other"),
    ],
)
def test_what_is_no_adapter_of_ours_is_refused(project, written, change, error, words):
    written.write_text(json.dumps({**json.loads(written.read_text()), **change}))
    with pytest.raises(error, match=words):
        read_adapter(written, project.adapters)


def test_files_that_are_none(project, adapter, tmp_path):
    with pytest.raises(FileUnreadable):
        read_adapter(tmp_path / "none.json", project.adapters)
    (tmp_path / "cut.json").write_bytes(b'{"format": "mgw-ad')
    with pytest.raises(AdapterDamaged):
        read_adapter(tmp_path / "cut.json", project.adapters)
    with pytest.raises(UsageInvalid, match="onnx_adapter"):
        write_adapter(tmp_path / "adapter.txt", project.adapters, adapter)
    assert not (tmp_path / "adapter.txt").exists()


def test_without_an_adapter_the_graph_gives_the_base_scores_back(graph):
    given = asked(graph, 3)
    (scores,) = graph.run(None, given)
    np.testing.assert_array_equal(scores, given["base_scores"])


def test_an_adapter_file_gives_the_scores_of_numpy(project, adapter, graph, tmp_path):
    path = tmp_path / "user.onnx_adapter"
    write_adapter(path, project.adapters, adapter)
    loaded = onnxruntime.LoraAdapter()
    loaded.Load(str(path))
    options = onnxruntime.RunOptions()
    options.add_active_adapter(loaded)
    given = asked(graph, 1)
    (scores,) = graph.run(None, given, options)
    boost = project.adapters.boost(adapter.weights)[given["candidates"]]
    assert np.abs(boost).max() > 0.1
    np.testing.assert_allclose(scores, given["base_scores"] + boost, atol=1e-5)


def test_a_batch_has_an_adapter_for_each_user(project, graph):
    adapters = project.adapters
    users = [name.decode() for name in project.data.user_ids.tolist()]
    weights = [found.weights for user in users if (found := adapters.load(project.connection, user))][:4]
    stacked = np.concatenate(
        [*map(adapters.scaled, weights[:3]), np.zeros((1, adapters.towers.numbers), dtype=np.float32)]
    )
    given = asked(graph, 4, **{LORA_A: adapters.towers.directions, LORA_B: stacked})
    (scores,) = graph.run(None, given)
    boosts = np.stack([adapters.boost(each) for each in weights[:3]] + [np.zeros(len(project.columns))])
    expected = given["base_scores"] + np.take_along_axis(boosts, given["candidates"], axis=1)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    np.testing.assert_array_equal(scores[3], given["base_scores"][3])


def test_the_graph_names_its_titles_and_its_model(project, graph):
    metadata = graph.get_modelmeta().custom_metadata_map
    assert metadata["model"] == project.snapshot.manifest.name
    assert json.loads(metadata["content_ids"]) == list(project.columns)


def test_without_the_library_the_extra_is_named(project, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ExtraMissing) as caught:
        write_scoring_graph(tmp_path / "scoring.onnx", project.snapshot)
    assert caught.value.hint == "pip install 'mgw[onnx]'"


def test_the_program_of_the_documentation_runs(project, adapter, tmp_path, monkeypatch, capsys):
    page = (Path(__file__).resolve().parents[3] / "docs" / "lora.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write_scoring_graph(Path("scoring.onnx"), project.snapshot)
    write_adapter(Path("42.onnx_adapter"), project.adapters, adapter)
    exec(compile(program, "docs/lora.md", "exec"), {})
    best = np.argsort(-project.adapters.boost(adapter.weights)[:50])[:5]
    assert capsys.readouterr().out == f"{[list(project.columns)[place] for place in best]}\n"
