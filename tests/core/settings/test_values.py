"""Values against the type of their key, and what is said when they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from mgw.core.settings.keys import Key
from mgw.core.settings.values import UnfitError, checked

Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(gt=0, le=1)]
Secret = Annotated[str, Meta(extra={"secret": True})]


def key(declared: Any, *, secret: bool = False) -> Key:
    return Key(name="k", type=declared, default=None, secret=secret)


def complaint(declared: Any, value: object, *, from_text: bool = False, secret: bool = False) -> str:
    with pytest.raises(UnfitError) as caught:
        checked(key(declared, secret=secret), value, from_text=from_text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("declared", "value", "result"),
    [(int, 3, 3), (float, 3, 3.0), (str | None, None, None), (Literal[15, 16], 16, 16), (str, " a ", " a "),
     (int, 2**63 - 1, 2**63 - 1), (tuple[str, ...], ["a"], ("a",))],
)  # fmt: skip
def test_a_plain_value_of_the_right_type_is_taken(declared, value, result):
    found = checked(key(declared), value, from_text=False)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("declared", "text", "result"),
    [(Count, " 3 ", 3), (Share, "1e-3", 0.001), (bool, "true", True), (Literal[15, 16], "16", 16), (str, " 3", " 3"),
     (str | None, "null", "null"), (Literal["auto", "time"], "time", "time")],
)  # fmt: skip
def test_a_text_is_converted_where_texts_are_all_there_is(declared, text, result):
    found = checked(key(declared), text, from_text=True)
    assert found == result
    assert type(found) is type(result)


def test_a_path_from_a_flag_is_a_text():
    assert checked(key(str), Path("/a/b"), from_text=True) == "/a/b"


@pytest.mark.parametrize(
    ("declared", "value", "said"),
    [
        (Count, 0, "expected a whole number of at least 1, got 0"),
        (Count, "3", "expected a whole number of at least 1, got the text '3'"),
        (Count, 1.5, "expected a whole number of at least 1, got 1.5"),
        (Count, True, "expected a whole number of at least 1, got true"),
        (Count, None, "expected a whole number of at least 1, got nothing"),
        (Annotated[int, Meta(gt=1)], 1, "expected a whole number greater than 1, got 1"),
        (Annotated[int, Meta(le=5)], 6, "expected a whole number of at most 5, got 6"),
        (Annotated[float, Meta(lt=0.5)], 0.5, "expected a number less than 0.5, got 0.5"),
        (Annotated[float, Meta(ge=0, le=1)], 2, "expected a number from 0 to 1, got 2"),
        (Annotated[float, Meta(gt=0, lt=1)], 1, "expected a number from 0 to 1 (0 and 1 excluded), got 1"),
        (Share, 0, "expected a number from 0 to 1 (0 excluded), got 0"),
        (float, [1], "expected a number, got a list"),
        (float, 10**400, "expected a number, got a number of more than 64 bits"),
        (float, float("nan"), "is not a finite number; expected a number"),
        (Annotated[float, Meta(gt=0)], float("inf"), "is not a finite number; expected a number greater than 0"),
        (int, 2**63, "does not fit into 64 bits; expected a whole number"),
        (str, {"a": 1}, "expected text, got a section of keys"),
        (str | None, 5, "expected text, got 5"),
        (str | None, "  ", "is empty; leave the key out for its default; expected text"),
        (str, "a\nb", "holds a control character or is not UTF-8; expected text"),
        (str, "a\udc80", "holds a control character or is not UTF-8; expected text"),
        (bool, "maybe", "expected true or false, got the text 'maybe'"),
        (Literal["auto", "time"], "tme", "expected one of auto, time, got the text 'tme'"),
        (Literal[16, 18], 17, "expected one of 16, 18, got 17"),
        (tuple[str, ...], 1, "expected a list, got 1"),
        (int, "x" * 100, f"expected a whole number, got the text '{'x' * 60}…'"),
        (int, "postgresql://u:hunter2@h", "expected a whole number, got the text 'postgresql://u:***@h'"),
    ],
)
def test_a_value_that_does_not_fit_is_met_with_what_would(declared, value, said):
    assert complaint(declared, value) == said


@pytest.mark.parametrize("text", ["1.5", "", "nan"])
def test_a_text_that_is_no_such_number(text):
    assert complaint(Count, text, from_text=True).startswith("expected a whole number of at least 1, got the text")


def test_a_text_may_say_not_finite_but_is_not_taken():
    assert complaint(float, "inf", from_text=True) == "is not a finite number; expected a number"


@pytest.mark.parametrize("value", [8472, 8472.5, [8472], {"8472": 1}, "8472\n"])
def test_a_secret_is_not_echoed(value):
    assert "8472" in str(value)
    assert "8472" not in complaint(Secret, value, secret=True)
