"""Adapters in files: as JSON, to be taken in again, and as `.onnx_adapter`, for whatever runs the scoring graph."""

from __future__ import annotations

import base64
import binascii
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from mgw.core.errors import AdapterDamaged, AdapterForeign, FileUnreadable, UsageInvalid
from mgw.core.files import write_atomic
from mgw.recommend.lora.payload import pack, unpack
from mgw.recommend.lora.store import Adapter

if TYPE_CHECKING:
    from mgw.recommend.lora.adapters import Adapters

JSON, ONNX = ".json", ".onnx_adapter"
LORA_A, LORA_B = "lora_A", "lora_B"
"""The names of the adapter's matrices in `.onnx_adapter` files and in the scoring graph."""


class AdapterFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An adapter as JSON.

    Attributes:
        format: always "mgw-adapter".
        format_version: of this file.
        user_id: the caller's id.
        shared_tier: the name of the shared tier that it belongs to.
        version: that it had in the database.
        events_used: how many titles it was made from.
        gain: what it did for the user's held-out titles; 0 where that was not measured.
        error: the standard error of that.
        weights: the stored form (`payload`), in base64.
        checksum: SHA-256 of the stored form, in hexadecimal.
    """

    format: Literal["mgw-adapter"] = "mgw-adapter"
    format_version: Literal[1] = 1
    user_id: str
    shared_tier: str
    version: int
    events_used: int
    gain: float
    error: float
    weights: str
    checksum: str


def write_adapter(path: Path, adapters: Adapters, adapter: Adapter) -> None:
    """Write an adapter; the name of the file says how.

    Raises:
        UsageInvalid: the name ends in neither `.json` nor `.onnx_adapter`.
        DiskFull, ReadOnly: it could not be written.
    """
    if path.suffix == JSON:
        write_atomic(path, _as_json(adapters, adapter))
    elif path.suffix == ONNX:
        write_atomic(path, _as_onnx(adapters, adapter))
    else:
        raise UsageInvalid(f"{path.name}: an adapter is written as {JSON} or {ONNX}", hint=f"for example ada{JSON}")


def read_adapter(path: Path, adapters: Adapters) -> Adapter:
    """Read an adapter that was written as JSON.

    Raises:
        FileUnreadable: the file cannot be read.
        AdapterDamaged: it is no adapter, or not what was written.
        AdapterForeign: it belongs to another shared tier.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=AdapterFile)
        weights = unpack(base64.b64decode(found.weights, validate=True), bytes.fromhex(found.checksum))
    except OSError as error:
        raise FileUnreadable(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise AdapterDamaged(f"{path}: {error}", hint="a file of `mgw adapters export`") from error
    if found.shared_tier != adapters.name:
        raise AdapterForeign(f"{path}: it is of the shared tier {found.shared_tier}, and {adapters.name} is in use")
    if weights.shape != (1, numbers := adapters.towers.numbers):
        raise AdapterDamaged(f"{path}: it is {weights.shape[0]} × {weights.shape[1]}, not 1 × {numbers}")
    return Adapter(found.user_id, weights, found.events_used, found.gain, found.error)


def _as_json(adapters: Adapters, adapter: Adapter) -> bytes:
    payload, checksum = pack(adapter.weights)
    file = AdapterFile(
        user_id=adapter.user_id, shared_tier=adapters.name, version=adapter.version, events_used=adapter.events_used,
        gain=adapter.gain, error=adapter.error, weights=base64.b64encode(payload).decode(), checksum=checksum.hex(),
    )  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def _as_onnx(adapters: Adapters, adapter: Adapter) -> bytes:
    import onnxruntime  # noqa: PLC0415 - takes longer to import than most commands to run

    form = onnxruntime.AdapterFormat()
    form.set_adapter_version(adapter.version)
    form.set_model_version(zlib.crc32(adapters.name.encode()) & 0x7FFFFFFF)
    value = onnxruntime.OrtValue.ortvalue_from_numpy
    form.set_parameters({LORA_A: value(adapters.towers.directions), LORA_B: value(adapters.scaled(adapter.weights))})
    with tempfile.TemporaryDirectory() as folder:  # the library writes to a path, and not aside
        path = Path(folder, "adapter")
        form.export_adapter(str(path))
        return path.read_bytes()
