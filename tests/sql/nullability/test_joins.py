"""Outer joins, derived from the join tree, against what PostgreSQL 16 and later write beside each column."""

from __future__ import annotations

import random

import pytest

from mgw.sql.nullability import QueryRefused, joins
from mgw.sql.nullability.probe import Prober
from mgw.sql.nullability.tree import Node, parse

from .random_query import Writer
from .random_schema import random_schema
from .random_triples import attempt


def test_derived_joins_are_those_that_postgresql_writes(connection, version):
    if version < 16:
        pytest.skip("version 15 does not write varnullingrels; its join trees are read by the same code")
    compared, nulled = 0, 0
    for seed in range(8):
        rng = random.Random(seed)
        schema = random_schema(rng, version)
        with connection.transaction(force_rollback=True):
            for statement in schema.statements:
                attempt(connection, statement)
            for _ in range(15):
                for expected, derived in _pairs(connection, Writer(rng, schema, version).statement()):
                    assert expected == derived
                    compared += 1
                    nulled += bool(expected)
    assert compared > 500
    assert nulled > 100


def _pairs(connection, query: str) -> list[tuple[set[int], set[int]]]:
    try:
        with connection.transaction(force_rollback=True):
            tree = parse(Prober(connection).ask(query, ["int", "text", "bool"]).tree, whole=True)
    except QueryRefused:
        return []
    while isinstance(tree, list):
        tree = tree[0]
    return [pair for each in _queries(tree) for pair in _pairs_of(each)]


def _pairs_of(query: Node) -> list[tuple[set[int], set[int]]]:
    """The columns of the SELECT list, which stand above all joins of their query."""
    if query.node("jointree") is None or query.number("commandType") != 1 or query.node("setOperations") is not None:
        return []
    root = joins.read(query.need("jointree"))
    relations = query.nodes("rtable")
    columns = []
    todo = [entry.need("expr") for entry in query.nodes("targetList")]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, Node) and node.tag == "VAR" and node.number("varlevelsup") == 0:
            columns.append(node)
        elif isinstance(node, Node) and node.tag != "QUERY":
            todo.extend(node.fields.values())
    kinds = {index: each.number("rtekind") for index, each in enumerate(relations, 1)}
    return [
        (
            set(node.numbers("varnullingrels")),
            {each.join.index for each in joins.optional_for(root, node.number("varno"))},
        )
        for node in columns
        if kinds[node.number("varno")] != 9
    ]


def _queries(node) -> list[Node]:
    if isinstance(node, list):
        return [query for item in node for query in _queries(item)]
    if not isinstance(node, Node):
        return []
    below = [query for field in node.fields.values() for query in _queries(field)]
    return [node, *below] if node.tag == "QUERY" else below
