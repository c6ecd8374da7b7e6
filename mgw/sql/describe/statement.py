"""What PostgreSQL says of a statement that it has parsed and not run: Parse and Describe of the extended protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import errors, pq

from mgw.sql.errors import ParameterUntyped, QueryFault, QueryRefused, SyntaxInvalid, TwoStatements
from mgw.sql.wire import together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from mgw.sql.source import Query

_VOID = 2278  # the oid of `void`, the same on every server
_FIELD = pq.DiagnosticField
_SYNTAX = {"42601", "42P02", "22021"}  # "cannot insert multiple commands" is a syntax error too
_UNTYPED = {"42P18", "42P08"}
# The fault of whoever wrote the query; everything else (rights, locks, timeouts, a lost connection) is the server's.
_OF_THE_QUERY = ("0A", "21", "22", "26", "2F", "34", "3D", "3F", "42", "44")
_OF_THE_SERVER = {"42501"}


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a result: its name, its type, and the table and column that it is, or 0."""

    name: str
    type: int
    relation: int
    number: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What a statement takes and gives: types of the parameters, and the columns."""

    parameters: tuple[int, ...]
    fields: tuple[Field, ...]

    @property
    def is_void(self) -> bool:
        """Whether the result is that of a function without one, such as `pg_advisory_lock`."""
        return len(self.fields) == 1 and self.fields[0].type == _VOID


def ask(connection: Connection[Any], sql: str, types: Sequence[int]) -> Shape | pq.abc.PGresult:
    """Return the shape of a statement, or the refusal of it.

    Args:
        connection: in a transaction that is rolled back afterwards: a refusal ends it.
        sql: with `$1` for parameters.
        types: of the parameters; 0 where PostgreSQL is to find out.
    """
    parsed, result = together(
        connection.pgconn,
        [
            lambda pgconn: pgconn.send_prepare(b"", sql.encode(), list(types)),
            lambda pgconn: pgconn.send_describe_prepared(b""),
        ],
    )
    for each in (parsed, result):
        if each.status != pq.ExecStatus.COMMAND_OK:
            return each
    return Shape(
        tuple(result.param_type(index) for index in range(result.nparams)),
        tuple(
            Field(
                (result.fname(index) or b"").decode(),
                result.ftype(index),
                result.ftable(index),
                result.ftablecol(index),
            )
            for index in range(result.nfields)
        ),
    )


def is_of_the_query(state: str | None) -> bool:
    """Return whether an SQLSTATE is about the statement, and not about the server or the user's rights."""
    return state is not None and state.startswith(_OF_THE_QUERY) and state not in _OF_THE_SERVER


def refusal(query: Query, result: pq.abc.PGresult) -> QueryFault:
    """Return what PostgreSQL has against a query, at its place in the file.

    Raises:
        psycopg.Error: it has nothing against the query: the server failed, or went away.
    """
    state = _text(result, _FIELD.SQLSTATE)
    if not is_of_the_query(state):
        raise errors.error_from_result(result)
    position = _text(result, _FIELD.STATEMENT_POSITION)
    message, hint = _text(result, _FIELD.MESSAGE_PRIMARY) or "", _text(result, _FIELD.MESSAGE_HINT)
    return fault(query, state or "", message, hint or _text(result, _FIELD.MESSAGE_DETAIL), position)


def fault(query: Query, state: str, message: str, hint: str | None, position: str | int | None) -> QueryFault:
    """Return an error of PostgreSQL as that of a query, at its place in the file."""
    offset = query.offset_in_file(int(position) - 1) if position else query.start
    parameter = _parameter(query, message)
    message = _named(query, message)
    if state in _UNTYPED and parameter is not None:
        name = query.parameters[parameter - 1]
        return ParameterUntyped(
            f"PostgreSQL cannot tell the type of :{name}",
            path=query.path,
            text=query.text,
            offset=query.offset_of_parameter(name),
            hint=f"write :{name}::integer where it is used, or `-- param {name}: integer` into the header",
        )
    kind: type[QueryFault] = SyntaxInvalid if state in _SYNTAX else QueryRefused
    if "multiple commands" in message:
        kind = TwoStatements
    return kind(message, path=query.path, text=query.text, offset=offset, hint=hint)


def _parameter(query: Query, message: str) -> int | None:
    for number in range(len(query.parameters), 0, -1):
        if f"${number}" in message:
            return number
    return None


def _named(query: Query, message: str) -> str:
    """Return a message with the names of the parameters, which PostgreSQL knows by number."""
    for number in range(len(query.parameters), 0, -1):
        message = message.replace(f"${number}", f":{query.parameters[number - 1]}")
    return message


def _text(result: pq.abc.PGresult, field: pq.DiagnosticField) -> str | None:
    value = result.error_field(field)
    return value.decode("utf-8", "replace") if value is not None else None
