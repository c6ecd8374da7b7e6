"""Asks the admin port of a gateway that runs on this machine."""

from __future__ import annotations

import http.client
from http import HTTPStatus
from typing import Any

import msgspec

from mgw.core.changes import Actor
from mgw.core.errors import GatewayRefused, GatewayUnreachable
from mgw.core.problems import ACTOR

_HOST = "127.0.0.1"
_PATIENCE_S = 30.0


class AdminClient:
    """The way there.

    Args:
        port: where it listens.
        token: that has to be shown.
    """

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token

    def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - as many kinds as questions
        """Ask, and return what is answered.

        Raises:
            GatewayUnreachable: nobody answers there.
            GatewayRefused: it says why it does not do it.
        """
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=_PATIENCE_S)
        content = None if body is None else msgspec.json.encode(body)
        try:
            headers = {"authorization": f"Bearer {self._token}", ACTOR: Actor.on_this_machine().user_id or ""}
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            received = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise GatewayUnreachable(
                f"no gateway answers at {_HOST}:{self._port}: {error}", hint="`mgw serve` runs one"
            ) from error
        finally:
            connection.close()
        try:
            found = msgspec.json.decode(received)
        except msgspec.DecodeError as error:
            raise GatewayRefused(f"what answers at {_HOST}:{self._port} is no admin port of a gateway") from error
        if answer.status != HTTPStatus.OK:
            raise GatewayRefused(str(found["error"]["message"]))
        return found
