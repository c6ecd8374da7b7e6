"""The text encoder: a small ONNX model that is built here, held against the same sums in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from small_encoder import TABLE, by_hand, small_model, small_tokenizer

from mgw.core.errors import EncoderInvalid
from mgw.core.settings import EncoderSettings
from mgw.recommend.content import Encoder


@pytest.fixture
def files(tmp_path):
    return small_model(tmp_path / "model.onnx"), small_tokenizer(tmp_path / "tokenizer.json")


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_texts_of_any_length_are_encoded_as_each_would_be_alone(files, batch):
    encoder = Encoder.load(*files, EncoderSettings(batch=batch), threads=1)
    texts = ["Heat thief crime heat", "Whale", "", "sea whale unheard", "   "]
    found = encoder.encode(texts)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(by_hand([4, 6, 7, 4]), abs=1e-6)
    assert found[1] == pytest.approx(by_hand([9]), abs=1e-6)
    assert found[3] == pytest.approx(by_hand([8, 9, 1]), abs=1e-6)
    assert not found[[2, 4]].any()


def test_a_text_is_cut_with_its_end_kept(files):
    encoder = Encoder.load(*files, EncoderSettings(max_tokens=4), threads=1)
    assert encoder.encode(["heat thief crime heat"])[0] == pytest.approx(by_hand([4, 6]), abs=1e-6)


def test_no_text_and_empty_texts_have_no_embedding(files):
    encoder = Encoder.load(*files, EncoderSettings(), threads=1)
    assert encoder.encode([]).shape[0] == 0
    assert not encoder.encode(["", ""]).any()


def test_the_name_has_the_file_and_what_is_in_it(files):
    encoder = Encoder.load(*files, EncoderSettings(), threads=1)
    assert encoder.name.startswith("model.onnx sha256:")
    table = TABLE.copy()
    TABLE[0] += 1
    try:
        other = Encoder.load(small_model(files[0]), files[1], EncoderSettings(), threads=1)
    finally:
        TABLE[:] = table
    assert other.name != encoder.name


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda model, _: model.unlink(), "there is no encoder"),
        (lambda model, _: model.write_bytes(b"no model"), "cannot be read"),
        (lambda _, tokenizer: tokenizer.unlink(), "there is no tokenizer"),
        (lambda _, tokenizer: tokenizer.write_text("{}"), "cannot be read"),
        (lambda model, _: small_model(model, pooled=True), "no output with a vector for each token"),
        (lambda model, _: small_model(model, inputs=("input_ids", "attention_mask", "pixels")), "wants input_ids, att"),
    ],
)
def test_what_is_no_encoder_is_refused(files, spoil, said):
    spoil(*files)
    with pytest.raises(EncoderInvalid, match=said):
        Encoder.load(*files, EncoderSettings(), threads=1)


def test_a_tokenizer_of_another_model_and_no_numbers_are_told(files, tmp_path):
    text = files[1].read_text().replace('"whale": 9', '"whale": 9999')
    files[1].write_text(text)
    with pytest.raises(EncoderInvalid, match="the encoder fails"):
        Encoder.load(*files, EncoderSettings(), threads=1).encode(["whale"])
    table = TABLE.copy()
    TABLE[4] = np.nan
    try:
        model = small_model(tmp_path / "nan.onnx")
    finally:
        TABLE[:] = table
    with pytest.raises(EncoderInvalid, match="not a number"):
        Encoder.load(model, files[1], EncoderSettings(), threads=1).encode(["heat"])
