"""The reader of PostgreSQL's node trees: by hand, by round trips, and on what three versions write."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.sql.nullability.tree import Node, TreeUnreadable, parse

from .corpus_file import cases


def test_fields_by_kind():
    node = parse(
        r"{QUERY :commandType 1 :hasAggs true :limitCount <> :rtable ({RTE :rtekind 0} {RTE :rtekind 1})"
        r' :members (b 1 2) :groups (i 3 -4) :names ("a" "b\ c" "") :name a\{b\(\\ :none "" :constvalue 4 [ 1 0 -1 ]}'
    )
    assert (node.tag, node.number("commandType"), node.flag("hasAggs")) == ("QUERY", 1, True)
    assert node.node("limitCount") is None
    assert [each.number("rtekind") for each in node.nodes("rtable")] == [0, 1]
    assert (node.numbers("members"), node.numbers("groups")) == ([1, 2], [3, -4])
    assert node.texts("names") == ["a", "b c", ""]
    assert (node.text("name"), node.text("none"), node.text("limitCount")) == ("a{b(\\", "", None)
    assert node.octets("constvalue") == b"\x01\x00\xff"
    assert (node.node("nothing"), node.nodes("nothing"), node.number("nothing", -1)) == (None, [], -1)


@pytest.mark.parametrize("text", ["", "{A", "{A :b}", "(1", "1 2", "{A :b 1)", "(1}", ")", "{A :b (1}", "{"])
def test_what_is_no_tree_is_refused(text):
    with pytest.raises(TreeUnreadable):
        parse(text)


def test_a_node_that_has_to_be_there_is_missed():
    with pytest.raises(TreeUnreadable, match="A has no node b"):
        parse("{A :b 1}").need("b")


_names = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
_atoms = st.one_of(
    st.none(),
    st.integers().map(str),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).filter(
        lambda text: text[0] not in '<"0123456789+-.[' and "[" not in text
    ),
)


def _nodes(children):
    return st.builds(_node, _names.map(str.upper), st.dictionaries(_names, children, max_size=4))


def _node(tag, fields):
    node = Node(tag)
    node.fields = fields
    return node


_values = st.recursive(
    _atoms, lambda inner: st.one_of(_nodes(inner), st.lists(inner, min_size=1, max_size=4)), max_leaves=30
)


@given(_values)
def test_what_is_written_is_read_back(value):
    assert _plain(parse(_written(value)), unescaped=False) == _plain(value)


def test_a_name_that_looks_like_a_field_is_a_value():
    assert parse("{ALIAS :aliasname :location :colnames (1)}").text("aliasname") == ":location"


def test_every_version_writes_trees_that_are_read_whole(platform, version):
    platform.execute("SET check_function_bodies = off")
    seen = set()
    for case in cases():
        if case.since > version or case.needs_xml:
            continue
        with platform.transaction(force_rollback=True):
            types = ", ".join(case.parameters)
            head = f"CREATE FUNCTION pg_temp.f({types}) RETURNS void LANGUAGE sql"
            platform.execute(f"{head} BEGIN ATOMIC {case.query}; END")
            (text,) = platform.execute("SELECT prosqlbody::text FROM pg_proc WHERE proname = 'f'").fetchone()
        tags = _tags(parse(text))
        assert tags == re.findall(r"(?<!\\)\{(\w+)", text), case
        seen |= set(tags)
    assert {"QUERY", "VAR", "AGGREF", "WINDOWFUNC", "SUBLINK", "CASEEXPR", "COMMONTABLEEXPR", "GROUPINGSET"} <= seen


def _tags(value) -> list[str]:
    """The tags in the order in which they are written."""
    if isinstance(value, list):
        return [tag for item in value for tag in _tags(item)]
    if not isinstance(value, Node):
        return []
    return [value.tag, *(tag for field in value.fields.values() for tag in _tags(field))]


def _written(value) -> str:
    if value is None:
        return "<>"
    if isinstance(value, str):
        return re.sub(r"([\s(){}\\])", r"\\\1", value)
    if isinstance(value, list):
        return f"({' '.join(map(_written, value))})"
    return "{" + " ".join([value.tag, *(f":{name} {_written(field)}" for name, field in value.fields.items())]) + "}"


def _plain(value, *, unescaped: bool = True):
    if isinstance(value, Node):
        return value.tag, {name: _plain(field, unescaped=unescaped) for name, field in value.fields.items()}
    if isinstance(value, list):
        return [_plain(item, unescaped=unescaped) for item in value]
    return value if unescaped or value is None else re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
