"""The scoring graph, for ONNX Runtime: scores of candidates with adapters, in any program that can run it.

    scores[b, n] = base_scores[b, n] + lora_B[b] · lora_A · [y, e][candidates[b, n]]

    base_scores   (batch, n) float32    what the blend, or whatever else ranks, gives to each candidate
    candidates    (batch, n) int64      rows of the model's titles; `content_ids` of the metadata names them, as JSON
    lora_A        (numbers, d + e)      the shared tier; left out: 0 × (d + e), and the scores are the base scores
    lora_B        (batch or 1, numbers) each user's tier times strength · α/r; left out: 1 × 0

y and e are the factors and the embeddings of the titles, which are in the graph.

A user's adapter is given as `.onnx_adapter` (`exchange`), or, for a batch of several users, both matrices as inputs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.errors import ExtraMissing
from mgw.core.files import write_atomic
from mgw.recommend.lora.exchange import LORA_A, LORA_B
from mgw.recommend.lora.towers import spaces_of

if TYPE_CHECKING:
    from pathlib import Path

    from mgw.core.artifacts import Snapshot

_OPSET, _IR_VERSION = 17, 9  # what ONNX Runtime 1.20 knows


def write_scoring_graph(path: Path, snapshot: Snapshot) -> None:
    """Write the graph of a model's titles.

    Raises:
        ExtraMissing: the onnx library is not installed.
        ModelForeign: the model is of a version that kept no embeddings.
        DiskFull, ReadOnly: it could not be written.
    """
    try:
        from onnx import TensorProto, checker, helper, numpy_helper  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExtraMissing("the onnx library is not installed", hint="pip install 'mgw[onnx]'") from error
    vectors = np.hstack([space.item_factors for space in spaces_of(snapshot)]).astype(np.float32)
    length = vectors.shape[1]
    nodes = [
        helper.make_node("Gather", ["vectors", "candidates"], ["y"]),  # (batch, n, d + e)
        helper.make_node("MatMul", [LORA_B, LORA_A], ["query"]),  # (batch or 1, d + e)
        helper.make_node("Unsqueeze", ["query", "last"], ["queries"]),  # (batch or 1, d + e, 1)
        helper.make_node("MatMul", ["y", "queries"], ["products"]),  # (batch, n, 1)
        helper.make_node("Squeeze", ["products", "last"], ["boost"]),
        helper.make_node("Add", ["base_scores", "boost"], ["scores"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "scoring",
        [
            value("base_scores", TensorProto.FLOAT, ["batch", "n"]),
            value("candidates", TensorProto.INT64, ["batch", "n"]),
            value(LORA_A, TensorProto.FLOAT, ["numbers", length]),
            value(LORA_B, TensorProto.FLOAT, ["users", "numbers"]),
        ],
        [value("scores", TensorProto.FLOAT, ["batch", "n"])],
        [
            numpy_helper.from_array(vectors, "vectors"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
            numpy_helper.from_array(np.zeros((0, length), dtype=np.float32), LORA_A),
            numpy_helper.from_array(np.zeros((1, 0), dtype=np.float32), LORA_B),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    model.producer_name = "mgw"
    names = [name.decode() for name in snapshot.array("content_ids").tolist()]
    helper.set_model_props(model, {"model": snapshot.manifest.name, "content_ids": json.dumps(names)})
    checker.check_model(model)
    write_atomic(path, model.SerializeToString())
