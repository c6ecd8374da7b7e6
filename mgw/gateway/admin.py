"""The port for whoever looks after the gateway: on 127.0.0.1 alone, with a token, answered by the main process.

GET  /state             how each worker and each upstream stands
GET  /metrics           what all workers counted
GET  /config            what the file says, without what is secret
POST /reload            read the file anew
POST /purge             {"by": "url" | "prefix" | "tag" | "everything", "value": …}
POST /breakers/NAME     {"to": "open" | "closed" | "auto"}
"""

from __future__ import annotations

import hmac
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import msgspec
from msgspec import Struct

from mgw.core.changes import Actor
from mgw.core.errors import AddressInUse, MgwError
from mgw.core.listeners import holder_of
from mgw.core.metrics import PROMETHEUS, merged, render
from mgw.core.problems import ACTOR, Problem, bad_request, internal_error
from mgw.gateway.files import redacted
from mgw.gateway.worker_link import CommandFailed, Report

if TYPE_CHECKING:
    from mgw.gateway.control import Control
    from mgw.gateway.runtime import RuntimeFolder

_Body = TypeVar("_Body", bound=Struct)
_HOST = "127.0.0.1"
_LONGEST = 65_536
_LONGEST_NAME = 200
_OWN_NAMES = frozenset({"127.0.0.1", "localhost"})


class Admin:
    """Answers on the port until it is ended.

    Args:
        port: to listen on.
        token: that has to be shown.
        control: does what is asked.
        runtime: where workers keep what they counted.

    Raises:
        AddressInUse: somebody listens there.
    """

    def __init__(self, port: int, token: str, control: Control, runtime: RuntimeFolder) -> None:
        self.token = token
        self.control = control
        self.runtime = runtime
        try:
            self._server = _Server((_HOST, port), _Handler)
        except OSError as error:
            holder = holder_of(port)
            by = f", by {holder}" if holder else ""
            raise AddressInUse(
                f"{_HOST}:{port} cannot be listened on: {error.strerror}{by}", hint="take another: admin.port"
            ) from error
        self._server.admin = self
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway-admin", daemon=True)

    def begin(self) -> None:
        """Answer."""
        self._thread.start()

    def end(self) -> None:
        """Answer no longer."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes, actor: Actor) -> tuple[Any, str]:
        """Do what is asked, and return what is answered and its content type.

        Raises:
            Problem: there is no such thing, or the body is not right.
            MgwError: the file cannot be used.
            CommandFailed: a worker did not do it.
        """
        name = path.removeprefix("/breakers/")
        if method == "GET" and path == "/state":
            return {"workers": self.control.command(Report())}, "application/json"
        if method == "GET" and path == "/metrics":
            return render(merged(self.runtime.counts.read())), PROMETHEUS
        if method == "GET" and path == "/config":
            return redacted(self.control.gateway), "application/json"
        if method == "POST" and path == "/reload":
            return {"changed": self.control.reload(actor)}, "application/json"
        if method == "POST" and path == "/purge":
            what = _decoded(body, _PurgeBody)
            return {"purged": self.control.purge(what.by, what.value, actor)}, "application/json"
        if method == "POST" and path.startswith("/breakers/"):
            known = self.control.gateway.upstreams
            if name not in known:
                raise Problem(
                    HTTPStatus.NOT_FOUND, "NOT_FOUND", f"there is no upstream of this name; {', '.join(known)}"
                )
            wanted = _decoded(body, _BreakerBody)
            return {"workers": self.control.set_breaker(name, wanted.to, actor)}, "application/json"
        raise Problem(HTTPStatus.NOT_FOUND, "NOT_FOUND", "there is no such thing here")


class _PurgeBody(Struct, frozen=True, forbid_unknown_fields=True):
    by: Literal["url", "prefix", "tag", "everything"]
    value: str = ""


class _BreakerBody(Struct, frozen=True, forbid_unknown_fields=True):
    to: Literal["open", "closed", "auto"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    admin: Admin


class _Handler(BaseHTTPRequestHandler):
    timeout = 10
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
        """Say nothing: a request of this port is no request of the gateway."""

    def _answer(self) -> None:
        request_id = secrets.token_hex(8)
        try:
            body = self._allowed_body()
            admin = cast("_Server", self.server).admin
            claimed = self.headers.get(ACTOR) or ""
            actor = Actor(claimed if claimed.isprintable() and len(claimed) < _LONGEST_NAME else None, _HOST)
            answer, kind = admin.answer(self.command, self.path, body, actor)
            self._send(HTTPStatus.OK, answer, kind)
        except Problem as problem:
            self._send(problem.status, problem.reply(request_id))
        except (MgwError, CommandFailed) as error:
            message = error.message if isinstance(error, MgwError) else str(error)
            code = error.code if isinstance(error, MgwError) else "WORKER_FAILED"
            self._send(HTTPStatus.CONFLICT, Problem(HTTPStatus.CONFLICT, code, message).reply(request_id))
        except Exception:  # noqa: BLE001 - the outermost edge
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, internal_error().reply(request_id))

    def _allowed_body(self) -> bytes:
        """Read the body of whoever may ask.

        Raises:
            Problem: the token is not shown, or a page of the web asks by way of a browser on this machine.
        """
        admin = cast("_Server", self.server).admin
        host = (self.headers.get("host") or "").rpartition(":")[0]
        if host not in _OWN_NAMES or self.headers.get("origin") is not None:
            raise Problem(HTTPStatus.FORBIDDEN, "FORBIDDEN", "this is for programs of this machine")
        scheme, _, token = (self.headers.get("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), admin.token.encode()):
            raise Problem(HTTPStatus.UNAUTHORIZED, "TOKEN_INVALID", "this takes the token of admin.token_file")
        length = self.headers.get("content-length") or "0"
        if not length.isdecimal() or int(length) > _LONGEST:
            raise bad_request("the body is too long")
        return self.rfile.read(int(length))

    def _send(self, status: HTTPStatus, answer: Any, kind: str = "application/json") -> None:  # noqa: ANN401
        content = answer.encode() if isinstance(answer, str) else msgspec.json.encode(answer)
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True


def _decoded(body: bytes, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise bad_request(str(error)) from error
