"""The keeper: a small process that owns `postgres`, and shuts it down when nobody needs it any more.

It exists because a command must not own the server that another command shares, and because nothing may be left
running after `kill -9`. So the server is the direct child of a process of its own, detached from every terminal.

A client holds a *lease*: an open connection to the keeper's Unix socket. The kernel closes it however the client ends.
When the last connection is gone and the server is not *pinned*, the keeper stops the server and ends. On Linux the
kernel signals the server if the keeper itself is killed.

The protocol is one JSON object on one line each way:

    client   {"protocol": 1, "op": "lease" | "pin" | "status" | "stop"}
    keeper   {"protocol": 1, "status": {...}}      `wire.Status`, once the server accepts connections
             {"protocol": 1, "error": "..."}       the server did not start, or the request was not understood
             nothing, and the end of the stream    the keeper is going away: wait for its lock, start another

A `lease` lasts until its connection closes. `stop` is answered after the server has ended and the lock is free.

This package runs under `python -I -S`, started by its path: it imports the standard library and itself, nothing else,
and none of the slower modules of the standard library.
"""
