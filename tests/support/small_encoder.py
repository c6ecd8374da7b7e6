"""A sentence encoder as small as one can be: an ONNX model, its tokenizer, and the same sums in NumPy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "heat", "ronin", "thief", "crime", "sea", "whale"]
TABLE = np.random.default_rng(5).normal(size=(len(WORDS), 6)).astype(np.float32)
MIX = np.random.default_rng(6).normal(size=(6, 6)).astype(np.float32)
ENDS = [2], [3]


def small_tokenizer(path: Path) -> Path:
    """Write a tokenizer of whole words with a start and an end, as BERT's has them."""
    special = [{"id": place, "content": WORDS[place], "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for place in range(4)]  # fmt: skip
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]  # fmt: skip
    pair = [*single, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    ends = {name: {"id": name, "ids": [WORDS.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")}
    found = {
        "version": "1.0", "truncation": None,
        "padding": {"strategy": {"Fixed": 40}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
                    "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": special, "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": ends},
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: place for place, word in enumerate(WORDS)},
                  "unk_token": "[UNK]"},
    }  # fmt: skip
    path.write_text(json.dumps(found))
    return path


def small_model(path: Path, *, inputs: tuple[str, ...] = ("input_ids", "attention_mask"), pooled: bool = False) -> Path:
    """Write a model in which a token's vector depends on the text's other tokens too, as attention makes it.

    h_t = tanh(E[t] · M + the mean of E over the tokens that the mask has)
    """
    constants = {"table": TABLE, "mix": MIX, "last": np.array([2]), "second": np.array([1])}
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["each"]),
        helper.make_node("Cast", ["attention_mask"], ["float_mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["float_mask", "last"], ["wide"]),
        helper.make_node("Mul", ["each", "wide"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "second"], ["sum"], keepdims=1),
        helper.make_node("ReduceSum", ["wide", "second"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("MatMul", ["each", "mix"], ["mixed"]),
        helper.make_node("Add", ["mixed", "mean"], ["added"]),
        helper.make_node("Tanh", ["added"], ["last_hidden_state"]),
    ]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [None, 6])] if pooled
        else [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", 6])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def by_hand(ids: list[int]) -> np.ndarray:
    """Encode one text alone, without a mask: nothing is filled up."""
    each = TABLE[[*ENDS[0], *ids, *ENDS[1]]]
    pooled = np.tanh(each @ MIX + each.mean(axis=0)).mean(axis=0)
    return pooled / np.linalg.norm(pooled)
