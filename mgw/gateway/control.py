"""The gateway's main process: it reads the file anew when it changes or on SIGHUP, and hands commands to the workers.

A file that cannot be used is refused, and said to be; what was taken before stays. What was taken is handed to every
worker, and those that are started later find it, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import signal
import threading
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from mgw.core.changes import Action, Actor, Change
from mgw.core.errors import MgwError
from mgw.gateway.counting import MainCounts
from mgw.gateway.worker_link import CommandFailed, Purge, Reload, SetBreaker, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mgw.gateway.definition import Gateway
    from mgw.gateway.runtime import RuntimeFolder
    from mgw.gateway.worker_link import Command

_LOOK_S = 0.25
_OF_THE_START = (
    "host", "port", "workers", "drain_s", "connections", "header_timeout_s", "tls", "http2", "transport", "admin",
    "redis", "telemetry",
)  # fmt: skip
"""What processes and sockets were made of; it stays as it is until the gateway is started anew."""


class Control:
    """Looks after the workers.

    Args:
        read: reads the file, and checks it with all that it names.
        files: whose change has it read again.
        runtime: what the processes share.
        tell: says what happens, to whoever runs the gateway.
        note: keeps a change for the audit trail.
    """

    def __init__(
        self,
        read: Callable[[], Gateway],
        files: Callable[[Gateway], Sequence[Path]],
        runtime: RuntimeFolder,
        tell: Callable[[str], None],
        note: Callable[[Actor, Change], None],
    ) -> None:
        self.gateway = read()
        self._read = read
        self._files = files
        self._runtime = runtime
        self._tell = tell
        self._note = note
        self._wake = threading.Event()
        self._is_asked = self._is_ended = False
        self._one_at_a_time = threading.Lock()
        self._seen = self._state_of_files()
        self._watch = threading.Thread(target=self._watch_files, name="gateway-file", daemon=True)
        self._counts = MainCounts()
        runtime.keep_gateway(self.gateway)

    def begin(self) -> None:
        """Watch the file, and take SIGHUP; called in the main thread, after the server has set its signals."""
        signal.signal(signal.SIGHUP, lambda *_: self._ask())
        self._watch.start()

    def end(self) -> None:
        """Watch no longer."""
        self._is_ended = True
        self._wake.set()
        if self._watch.is_alive():
            self._watch.join()

    def command(self, command: Command) -> list[Any]:
        """Have every worker do something, and return what they answer.

        Raises:
            CommandFailed: one does not.
        """
        return [ask(path, command) for path in self._runtime.sockets()]

    def purge(self, by: Literal["url", "prefix", "tag", "everything"], value: str, actor: Actor) -> int:
        """Have answers forgotten, by all gateways that share what they keep, and return how many there were here.

        Raises:
            CommandFailed: a worker does not do it.
        """
        paths = self._runtime.sockets()
        count: int = sum(ask(path, Purge(by, value, is_first=not number)) for number, path in enumerate(paths))
        self._note(actor, Change(Action.CACHE_PURGED, "gateway", value, {"by": by, "answers": count}))
        return count

    def set_breaker(self, upstream: str, to: Literal["open", "closed", "auto"], actor: Actor) -> list[Any]:
        """Have every worker leave an upstream alone, ask it in any case, or decide again; return what it is then.

        Raises:
            CommandFailed: a worker does not do it.
        """
        stands = self.command(SetBreaker(upstream, to))
        self._note(actor, Change(Action.BREAKER_SET, "upstream", upstream, {"to": to}))
        return stands

    def reload(self, actor: Actor) -> bool:
        """Read the file anew; return whether it says anything else, having handed it out if it does.

        Raises:
            MgwError: it cannot be used; nothing has changed.
            CommandFailed: a worker did not take it.
        """
        before, content = self.gateway, self._seen
        try:
            is_other = self._reload()
        except MgwError as error:
            self._note(actor, self._change(Action.GATEWAY_RELOAD_REFUSED, code=error.code))
            raise
        if is_other:
            changed = [
                name for name in before.__struct_fields__ if getattr(before, name) != getattr(self.gateway, name)
            ]
            self._note(actor, self._change(Action.GATEWAY_RELOADED, changed=changed, before=content, after=self._seen))
        return is_other

    def _change(self, action: Action, **details: object) -> Change:
        return Change(action, "gateway", f"{self.gateway.host}:{self.gateway.port}", details)

    def _reload(self) -> bool:
        with self._one_at_a_time:
            self._seen = self._state_of_files()
            read = self._read()
            stays = {name: getattr(self.gateway, name) for name in _OF_THE_START}
            ignored = [name for name in _OF_THE_START if getattr(read, name) != stays[name]]
            if ignored:
                self._tell(f"{', '.join(ignored)}: taken when the gateway is started anew")
            new = msgspec.structs.replace(read, **stays)
            is_other = new != self.gateway
            self._runtime.keep_gateway(new)
            self.gateway = new
            self.command(Reload())
            return is_other

    def _ask(self) -> None:
        self._is_asked = True
        self._wake.set()

    def _watch_files(self) -> None:
        before = self._seen
        while not self._is_ended:
            self._wake.wait(_LOOK_S)
            self._wake.clear()
            now = self._state_of_files()
            has_settled, before = now == before, now  # a file that is half written says something else than was meant
            if not self._is_ended and (self._is_asked or (now != self._seen and has_settled)):
                self._is_asked = False
                self._reload_and_tell()

    def _reload_and_tell(self) -> None:
        taken = False
        try:
            changed = self.reload(Actor.on_this_machine())
            taken = True
        except MgwError as error:
            self._tell(f"the gateway's file is refused, what was read before stays: {error.message}")
        except CommandFailed as error:
            self._tell(f"the gateway's file was read anew, but {error}")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a file, the next one is looked at
            self._tell(f"the gateway's file cannot be read: {type(error).__name__}: {error}")
        else:
            self._tell("the gateway's file was read anew" + ("" if changed else ", and says what it said"))
        self._counts.reloaded(taken=taken)
        with contextlib.suppress(OSError):  # the next reading tells of this one, too
            self._runtime.counts.keep(self._counts.sample())

    def _state_of_files(self) -> str:
        """Return what tells a change: the content, because an editor may keep the time and a copy the size."""
        digest = hashlib.sha256()
        for path in self._files(self.gateway):
            digest.update(str(path).encode())
            with contextlib.suppress(OSError):
                digest.update(path.read_bytes())
        return digest.hexdigest()
