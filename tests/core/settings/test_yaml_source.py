"""YAML with positions: what is kept, and what is refused with its place."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.errors import ConfigInvalid, ConfigNotFound, FileUnreadable
from mgw.core.settings.faults import Place
from mgw.core.settings.yaml_source import MAX_BYTES, Listing, Scalar, Section, parse_document, plain, read_document


def only_fault(text: str) -> str:
    """The sentence about the one thing that is wrong with `text`, whether or not the rest could be read."""
    try:
        (fault,) = parse_document(text, "f.yaml").faults
    except ConfigInvalid as error:
        return error.message
    return str(fault)


def test_every_key_and_value_knows_its_place():
    root = parse_document("# a comment\nals:\n  factors: 64\n  list: [1, b]\n", "f.yaml").root
    (als,) = root.entries
    factors, numbers = als.value.entries
    assert (als.key, als.place) == ("als", Place("f.yaml", 2, 1))
    assert isinstance(als.value, Section)
    assert als.value.place == Place("f.yaml", 3, 3)
    assert (factors.place, factors.value) == (Place("f.yaml", 3, 3), Scalar(64, Place("f.yaml", 3, 12)))
    assert isinstance(numbers.value, Listing)
    assert numbers.value.items[1] == Scalar("b", Place("f.yaml", 4, 13))
    assert plain(root) == {"als": {"factors": 64, "list": [1, "b"]}}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "~", "\N{BYTE ORDER MARK}"])
def test_a_file_without_values_is_an_empty_mapping(tmp_path, text):
    file = tmp_path / "f.yaml"
    file.write_text(text, encoding="utf-8")
    document = read_document(file)
    assert document.root.entries == ()
    assert document.faults == ()


@pytest.mark.parametrize(
    ("word", "value"),
    [
        # YAML 1.2.2, section 10.3.2, and the words for which YAML 1.1 differs.
        ("~", None), ("null", None), ("", None),
        ("true", True), ("False", False), ("no", "no"), ("on", "on"),
        ("12", 12), ("-7", -7), ("012", 12), ("0o14", 12), ("0xC", 12), ("1:30", "1:30"), ("1_000", "1_000"),
        ("1.5", 1.5), ("1e-3", 0.001), (".5", 0.5), ("-.inf", -math.inf), (".Inf", math.inf),
        ("2024-01-31", "2024-01-31"), ("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"), ("!!float 1", 1.0),
    ],
)  # fmt: skip
def test_words_mean_what_the_core_schema_says(word, value):
    found = plain(parse_document(f"a: {word}", "f.yaml").root)["a"]
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read_as_such():
    assert math.isnan(plain(parse_document("a: .nan", "f.yaml").root)["a"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: 'a' is already set on line 1"),
        ("a: 1\n---\nb: 1", "f.yaml:2:1: a second document starts here; one file holds one"),
        ("a:\n\tb: 1", "f.yaml:2:1: a tab character; YAML wants spaces here"),
        ("- a\n- b", "f.yaml:1:1: the file must be a mapping of `key: value` lines"),
        ("\n  just text", "f.yaml:2:3: the file must be a mapping of `key: value` lines"),
        ("? [a]\n: b", "f.yaml:1:3: a key must be a plain word"),
        ("'': b", "f.yaml:1:1: a key must be a plain word"),
        ("a: b: c", "f.yaml:1:5: a `:` that does not belong here; indent the line or quote the text"),
        ("a: 1\nb\nc: 2", "f.yaml:3:1: a key without its `:`"),
        ("a: &x [1, *x]", "f.yaml:1:4: an anchor contains an alias of itself"),
        ("a: &x 1\nb: &x 2", "f.yaml:2:4: an anchor (`&…`) that is defined twice"),
        ("a: !!python/name:os.system ls", "f.yaml:1:4: has a YAML tag (`!…`); quote the text if that was not meant"),
        ("a: !!map [1]", "f.yaml:1:4: has a YAML tag (`!…`); quote the text if that was not meant"),
        ("!x {a: 1}", "f.yaml:1:1: has a YAML tag (`!…`); quote the text if that was not meant"),
        ("a: !!int many", "f.yaml:1:4: does not have the form of its tag `!!int`"),
        ("a: " + "9" * 5000, "f.yaml:1:4: is a number with too many digits"),
        ('a: "\\U00110000"', "f.yaml:1:7: an escape or a number that is out of range"),
        ("ok: 1\na: \x01", "f.yaml:2:4: the character U+0001 is not allowed in YAML"),
        ("a: " + "[" * 1000, "f.yaml:1:43: is nested deeper than 40 levels"),
        (
            "b: 'open\n\n",
            (
                "f.yaml:3:1: is not YAML: found unexpected end of stream,"
                " while scanning a quoted scalar that starts on line 1"
            ),
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text, complaint):
    assert only_fault(text) == complaint


def test_an_alias_is_a_copy():
    assert plain(parse_document("a: &x [1]\nb: *x", "f.yaml").root) == {"a": [1], "b": [1]}


def test_aliases_that_multiply_stop_at_a_budget():
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 10):
        laughs += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
    with pytest.raises(ConfigInvalid, match=r"^f\.yaml:\d+:\d+: aliases expand the file to more than 20,000 values"):
        parse_document(laughs, "f.yaml")


def test_bytes_that_are_not_utf_8_have_a_place(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_bytes("ok: 1\nä: ".encode() + b"\xff")
    with pytest.raises(ConfigInvalid) as caught:
        read_document(file, shown_as="f.yaml")
    assert caught.value.message == "f.yaml:2:4: is not UTF-8 text; save the file as UTF-8"


def test_a_huge_file_is_not_read(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigInvalid, match="larger than"):
        read_document(file)
    file.write_bytes(b"#" * MAX_BYTES)
    assert read_document(file).root.entries == ()


def test_a_file_that_is_missing_or_a_folder(tmp_path):
    with pytest.raises(ConfigNotFound, match=r"no configuration file .*absent\.yaml"):
        read_document(tmp_path / "absent.yaml")
    with pytest.raises(FileUnreadable, match="directory"):
        read_document(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["url: *hunter2", "url: !hunter2 x", "url: !hunter2!x y", "a: &hunter2 1\nb: &hunter2 2", "hunter2",
     "a: 'hunter2", "url: hunter2: x", "url: @hunter2", "url: %hunter2", "url: [hunter2", 'url: "hunter2\\q"'],
)  # fmt: skip
def test_complaints_about_syntax_do_not_quote_the_file(text):
    assert "hunter2" not in only_fault(text)


SNIPPETS = st.sampled_from(
    [
        *":-?[]{}#&*!|>'\"%@`,~<\\\n\t =",
        "  ",
        "a",
        "als",
        "*a",
        "&a ",
        "!!int ",
        "1",
        "1e9",
        "\n- ",
        ": ",
        "---\n",
        "...\n",
    ]
)


@given(st.one_of(st.text(), st.lists(SNIPPETS).map("".join)))
def test_no_text_raises_anything_else(text):
    with suppress(ConfigInvalid):
        parse_document(text, "f.yaml")
