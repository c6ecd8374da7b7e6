"""The stored form of an adapter: what went in comes out, and anything else is refused by name."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mgw.core.errors import AdapterDamaged, ParametersInvalid
from mgw.recommend.lora.payload import pack, unpack

HALF = st.floats(-60_000, 60_000, width=16)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=HALF))
def test_what_float16_can_hold_comes_back_as_it_was(weights):
    payload, checksum = pack(weights)
    np.testing.assert_array_equal(unpack(payload, checksum), weights)
    assert len(payload) == 10 + 2 * weights.size


@pytest.mark.parametrize("value", [np.nan, np.inf, 70_000.0])
def test_what_float16_cannot_hold_is_refused(value):
    with pytest.raises(ParametersInvalid):
        pack(np.array([[1.0, value]], dtype=np.float32))


def sealed(payload):
    return payload, hashlib.sha256(payload).digest()


GOOD = pack(np.ones((1, 4), dtype=np.float32))


@pytest.mark.parametrize(
    ("payload", "checksum", "why"),
    [
        (GOOD[0], bytes(32), "checksum"),
        (GOOD[0][:-1] + b"\x01", GOOD[1], "checksum"),
        (*sealed(b""), "no header"),
        (*sealed(GOOD[0][:-2]), "cannot have"),
        (*sealed(GOOD[0] + b"xx"), "cannot have"),
        (*sealed(b"ABCD" + GOOD[0][4:]), "not known"),
        (*sealed(GOOD[0][:4] + b"\x02" + GOOD[0][5:]), "version 2"),
        (*sealed(GOOD[0][:-2] + b"\x00\x7c"), "not finite"),
    ],
)
def test_anything_else_is_damaged(payload, checksum, why):
    with pytest.raises(AdapterDamaged, match=why):
        unpack(payload, checksum)
