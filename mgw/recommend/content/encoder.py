"""Embeddings of texts by a sentence encoder: an ONNX model of the transformer kind, and its tokenizer.

    h_1 … h_m        what the model says of each token
    e = Σ_t a_t h_t / Σ_t a_t,  then of unit length         a_t is 1 for a token, 0 for what only fills up a batch

Reimers & Gurevych (2019), "Sentence-BERT", section 3: the mean over the tokens. Texts of about the same length go into
one batch, so that little is filled up.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from mgw.core.errors import EncoderInvalid, ExtraMissing
from mgw.core.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mgw.core.progress import Progress
    from mgw.core.settings import EncoderSettings

_IDS: Final = "input_ids"
_MASK: Final = "attention_mask"
_TYPES: Final = "token_type_ids"
_ONLY_ERRORS: Final = 3
_OF_TOKENS: Final = 3
"""Dimensions of an output that has a vector for each token of each text."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """A model and its tokenizer, ready.

    Attributes:
        name: the model's file and the start of its SHA-256, for a manifest.
        session: of ONNX Runtime.
        tokenizer: of the `tokenizers` library; it cuts and fills up.
        inputs: the names of what the model wants.
        output: the name of the output with a vector for each token.
        batch: how many texts at once.
    """

    name: str
    session: Any
    tokenizer: Any
    inputs: tuple[str, ...]
    output: str
    batch: int

    @classmethod
    def load(cls, model: Path, tokenizer: Path, settings: EncoderSettings, *, threads: int) -> Self:
        """Read a model and its tokenizer.

        Args:
            model: an ONNX file; a model above 2 GiB has its weights beside it.
            tokenizer: a `tokenizer.json`.
            settings: read are `max_tokens` and `batch`.
            threads: how many; 0 means one for each CPU.

        Raises:
            ExtraMissing: the `tokenizers` library is not installed.
            EncoderInvalid: a file is missing, is not what it should be, or is of a model of another kind.
        """
        if find_spec("tokenizers") is None:
            raise ExtraMissing("recommend.encoder needs the tokenizers library", hint="pip install 'mgw[encoder]'")
        session = _session(model, threads)
        names = tuple(each.name for each in session.get_inputs())
        if _IDS not in names or not {_IDS, _MASK, _TYPES}.issuperset(names):
            raise EncoderInvalid(
                f"{model} wants {', '.join(names)}",
                hint=f"an encoder wants {_IDS}, and {_MASK} and {_TYPES} at most",
            )
        outputs = [each.name for each in session.get_outputs() if len(each.shape or ()) == _OF_TOKENS]
        if not outputs:
            raise EncoderInvalid(
                f"{model} has no output with a vector for each token",
                hint="export the model with its last hidden state, without pooling",
            )
        name = f"{model.name} sha256:{_digest(model)[:16]}"
        return cls(name, session, _tokenizer(tokenizer, settings.max_tokens), names, outputs[0], settings.batch)

    def encode(self, texts: Sequence[str], progress: Progress = SILENT) -> NDArray[np.float32]:
        """Embed texts.

        Returns:
            Rows of unit length, zero for an empty text, `(len(texts), d)`.

        Raises:
            EncoderInvalid: the model fails, or gives something that is not a number.
        """
        tokens = self.tokenizer.encode_batch([text for text in texts if text.strip()])
        full = [place for place, text in enumerate(texts) if text.strip()]
        order = sorted(range(len(full)), key=lambda place: sum(tokens[place].attention_mask))
        found = np.zeros((len(texts), 0), dtype=np.float32)
        with progress.stage("Encoding titles", total=len(full)) as stage:
            for start in range(0, len(order), self.batch):
                chosen = order[start : start + self.batch]
                rows = self._of_tokens([tokens[place] for place in chosen])
                if not found.shape[1]:
                    found = np.zeros((len(texts), rows.shape[1]), dtype=np.float32)
                found[[full[place] for place in chosen]] = rows
                stage.advance(len(chosen))
        return found

    def _of_tokens(self, tokens: Sequence[Any]) -> NDArray[np.float32]:
        longest = max(sum(each.attention_mask) for each in tokens)
        mask = _padded([each.attention_mask for each in tokens], longest)
        given = {
            _IDS: _padded([each.ids for each in tokens], longest),
            _MASK: mask,
            _TYPES: _padded([each.type_ids for each in tokens], longest),
        }
        try:
            hidden = self.session.run([self.output], {name: given[name] for name in self.inputs})[0]
        except Exception as error:  # ONNX Runtime's errors have no base of their own
            message = f"the encoder fails: {str(error).splitlines()[0]}"
            raise EncoderInvalid(
                message,
                hint="are the model and the tokenizer of one kind? recommend.encoder.max_tokens may be too long",
            ) from error
        weights = mask[:, :, None].astype(np.float32)
        pooled = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
        if not np.isfinite(pooled).all():
            raise EncoderInvalid("the encoder gives something that is not a number", hint="use another model")
        lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
        unit: NDArray[np.float32] = np.divide(pooled, lengths, out=np.zeros_like(pooled), where=lengths > 0)
        return unit.astype(np.float32)


def _session(model: Path, threads: int) -> Any:  # noqa: ANN401 - ONNX Runtime carries no types
    import onnxruntime  # noqa: PLC0415 - heavy, and seldom wanted

    if not model.is_file():
        raise EncoderInvalid(f"there is no encoder {model}", hint="recommend.encoder.model is the path of an ONNX file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ONLY_ERRORS
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no base of their own
        message = f"{model} cannot be read: {str(error).splitlines()[0]}"
        raise EncoderInvalid(message, hint="recommend.encoder.model is the path of an ONNX file") from error


def _tokenizer(path: Path, max_tokens: int) -> Any:  # noqa: ANN401 - the library may not be there
    from tokenizers import Tokenizer  # noqa: PLC0415 - of an extra

    hint = "recommend.encoder.tokenizer is the path of a tokenizer.json"
    if not path.is_file():
        raise EncoderInvalid(f"there is no tokenizer {path}", hint=hint)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare exceptions
        raise EncoderInvalid(f"{path} cannot be read: {error}", hint=hint) from error
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


def _padded(rows: Sequence[Sequence[int]], length: int) -> NDArray[np.int64]:
    """Fill up with zeros, which the mask leaves out whatever token 0 is."""
    filled = np.zeros((len(rows), length), dtype=np.int64)
    for place, row in enumerate(rows):
        filled[place, : len(row)] = row
    return filled


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
