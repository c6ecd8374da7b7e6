"""The stored form of a user's tier: float16 behind a header that says what it is, beside its checksum.

4 bytes   "MGWB"
uint8     version of this format
uint8     dtype: 1 is IEEE 754 float16
uint16    rows, the outputs of the adapted matrix
uint16    columns, the rank
…         the numbers, row by row, little-endian as everything here
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.errors import AdapterDamaged, ParametersInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT_VERSION = 1
_MAGIC, _FLOAT16 = b"MGWB", 1
_HEADER = struct.Struct("<4sBBHH")
_LARGEST = float(np.finfo(np.float16).max)


def pack(weights: NDArray[np.float32]) -> tuple[bytes, bytes]:
    """Return the stored form of B, `(rows, rank)`, and its SHA-256.

    Raises:
        ParametersInvalid: a weight is not finite, or too large for float16.
    """
    if not np.all(np.abs(weights) <= _LARGEST):  # NaN is not
        raise ParametersInvalid("an adapter has weights that float16 cannot hold", hint="a larger lora.weight_decay")
    rows, rank = weights.shape
    payload = _HEADER.pack(_MAGIC, FORMAT_VERSION, _FLOAT16, rows, rank) + weights.astype("<f2").tobytes()
    return payload, hashlib.sha256(payload).digest()


def unpack(payload: bytes, checksum: bytes) -> NDArray[np.float32]:
    """Return B, `(rows, rank)`, from its stored form.

    Raises:
        AdapterDamaged: the checksum is another, or the form is none that is known here.
    """
    if hashlib.sha256(payload).digest() != checksum:
        raise AdapterDamaged("an adapter is not what was stored: its checksum differs")
    if len(payload) < _HEADER.size:
        raise AdapterDamaged(f"an adapter of {len(payload)} bytes has no header")
    magic, version, kind, rows, rank = _HEADER.unpack_from(payload)
    if (magic, version, kind) != (_MAGIC, FORMAT_VERSION, _FLOAT16):
        raise AdapterDamaged(f"an adapter is of a form that is not known here: version {version}")
    if len(payload) != _HEADER.size + 2 * rows * rank:
        raise AdapterDamaged(f"an adapter of {rows} × {rank} weights cannot have {len(payload)} bytes")
    weights = np.frombuffer(payload, dtype="<f2", offset=_HEADER.size).reshape(rows, rank).astype(np.float32)
    if not np.isfinite(weights).all():
        raise AdapterDamaged("an adapter has weights that are not finite")
    return weights
