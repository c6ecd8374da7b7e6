"""The program's SQL is in `queries/`, where it is described and checked, and nowhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import mgw

PACKAGE = Path(mgw.__file__).parent
SQL = re.compile(
    r"\s*(SELECT|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|MERGE\s+INTO|WITH\s+\w+\s+AS|CREATE|ALTER|DROP|TRUNCATE"
    r"|COPY\s+\(|COPY\s+\w+\s+(FROM|TO)|SET\s+(LOCAL\s+)?\w+\s*(=|TO)|EXPLAIN|PREPARE|EXECUTE|DEALLOCATE|VACUUM|ANALYZE)\s",
)
GENERATED = PACKAGE / "core" / "database" / "queries.py"
# What these say cannot be described: the query that they carry, or the name of the place, is known only when they run.
CARRIERS = {
    "core/database/embedded/template.py": "CREATE DATABASE in a server that nobody can connect to yet",
    "recommend/eligibility.py": "SELECT around the predicate that a user writes",
    "sql/accessors/function.py": "COPY around a query, in the code that is written",
    "sql/describe/describing.py": "settings of the session that describes",
    "sql/nullability/probe.py": "CREATE FUNCTION around a query, to read its analysed tree",
    "sql/plan/findings.py": "EXPLAIN of a query, and the index that would serve it",
    "sql/shadow.py": "CREATE and DROP DATABASE",
}

SENDING = {"execute", "executemany", "stream", "exec_", "exec_params", "send_prepare", "send_query_params"}
# What these send was not written for the program, or carries what was not.
SENDERS = {
    *CARRIERS,
    "core/database/migrations.py",  # the migrations of a project
    "gateway/cache/second_level.py",  # commands to Redis, all at once
    "sql/describe/needs.py",  # queries of a project that create temporary tables
    "sql/describe/statement.py",  # queries of a project, to be parsed
    "sql/wire.py",  # whatever the modules beside it give it
}


def strings(tree):
    """Yield the string constants of a module, and the constant parts of its f-strings, but for its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    loose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, documented):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in loose:
            yield node


def found(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.value[:50]!r}"
        for node in strings(tree)
        if SQL.match(node.value)
    ]


def test_no_module_holds_sql():
    modules = [path for path in PACKAGE.rglob("*.py") if path != GENERATED]
    allowed = {PACKAGE / name for name in CARRIERS}
    assert [place for path in modules if path not in allowed for place in found(path)] == []


def sent(path):
    """Return the lines at which a module sends a statement itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if isinstance(call, ast.Attribute) and call.attr in SENDING]


def test_no_module_sends_statements_but_by_the_accessors():
    modules = [path for path in PACKAGE.rglob("*.py") if path != GENERATED]
    senders = {str(path.relative_to(PACKAGE)) for path in modules if sent(path)}
    assert senders <= SENDERS
    assert len(sent(GENERATED)) > 100


def test_every_exception_is_one():
    assert all(found(PACKAGE / name) for name in CARRIERS)


def test_sql_would_be_found(tmp_path):
    module = tmp_path / "module.py"
    module.write_text('"""SELECT in prose."""\nx = "SELECT 1 FROM t"\ny = f"DELETE FROM {x}"\nz = "Select a user"\n')
    lines = [node.lineno for node in strings(ast.parse(module.read_text())) if SQL.match(node.value)]
    assert lines == [2, 3]
