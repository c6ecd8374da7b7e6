"""Many at once while things go wrong: no request is answered wrongly, none is done twice, no answer is shared."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import re
import signal
import threading
from collections import Counter

from ports import free_port
from waiting import until

from .conftest import answering, listening, token

MUCH = {"per_second": 100_000, "per_minute": 6_000_000, "burst": 100_000}
MANY = {"anonymous": MUCH, "free": MUCH, "enterprise": MUCH}
ECHO = {"path": "/echo/{id}", "methods": ["GET", "POST"], "auth": "none"}
MINE = {"path": "/mine/{id}", "auth": "optional", "cache": {"ttl_s": 60}}
_numbers = itertools.count()


def in_threads(count, work):
    """Run work in threads, and raise what it raised."""
    failures = []

    def run(number):
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def echoing(seen, fails):
    """Answer with what was asked for, and every so often not at all, or with half, or with a fault."""

    def answer(connection, request):
        wanted = re.search(rb"/echo/(\d+)", request)[1]
        if request.startswith(b"POST"):
            seen[int(wanted)] += 1
        turn = next(_numbers) % 8 if fails.is_set() else 7
        if turn == 0:
            return
        if turn == 1:
            connection.sendall(answering(body=wanted)[:-1])
        elif turn == 2:
            connection.sendall(answering("connection: close", status="503 Off"))
        else:
            connection.sendall(answering("connection: close", body=wanted))

    return answer


def test_upstreams_that_come_and_go(start, upstream):
    """Instances fail in every way, and recover: what is answered is right, and what changes something is done once."""
    seen, fails = Counter(), threading.Event()
    with listening() as other:
        upstream.answer = other.answer = echoing(seen, fails)
        urls = [f"http://127.0.0.1:{one.port}" for one in (upstream, other)]
        own = {"urls": urls, "breaker": {"failures": 1_000_000}, "retries": {"attempts": 2, "budget": 1}}
        gateway = start(ECHO, upstreams={"own": own}, limits=MANY, workers=2)
        statuses, asked = Counter(), itertools.count()

        def ask(thread):
            for step in range(150):
                # By how many have asked, and not by how far one thread is: half of the requests meet failures, whatever
                # else the machine has to do.
                (fails.clear if next(asked) // 150 % 2 else fails.set)()
                number = 1_000 * thread + step
                method = "POST" if step % 3 == 0 else "GET"
                reply = gateway.ask(method, f"/api/echo/{number}", b"{}" if method == "POST" else None)
                statuses[method, reply.status] += 1
                if reply.status == 200:
                    assert reply.body == str(number).encode()
                else:
                    assert reply.status in {502, 503, 504}, reply

        in_threads(6, ask)
        assert max(seen.values()) == 1
        assert statuses["POST", 200] <= len(seen)
        assert statuses["GET", 200] > 0.9 * sum(count for (method, _), count in statuses.items() if method == "GET")
        fails.clear()
        until(lambda: [gateway.ask("GET", "/api/echo/1").status for _ in range(20)] == [200] * 20)


def test_personal_answers_are_shared_with_nobody_whatever_happens(start, upstream):
    """Users ask for the same, while the file is read anew, answers are purged, and workers die."""

    def answer(connection, request):
        who = re.search(rb"x-auth-user: (\w+)", request, re.IGNORECASE)
        number = re.search(rb"/mine/(\d+)", request)[1]
        body = (who[1] if who else b"nobody") + b" " + number
        connection.sendall(answering("cache-control: public, max-age=60", "connection: close", body=body))

    upstream.answer = answer
    gateway = start(MINE, limits=MANY, workers=2, admin={"port": free_port()})
    until(lambda: len(gateway.workers()) == 2)
    outcomes, ended = Counter(), threading.Event()

    def ask(thread):
        name = f"u{thread}" if thread % 4 else "nobody"
        headers = {"Authorization": token(name)} if thread % 4 else {}
        for number in itertools.cycle(range(5)):
            if ended.is_set():
                return
            try:
                reply = gateway.ask("GET", f"/api/mine/{number}", **headers)
            except (OSError, http.client.HTTPException):  # of a worker that was killed
                outcomes["broken"] += 1
                continue
            assert reply.status == 200, reply
            assert reply.body == f"{name} {number}".encode()
            outcomes["hit" if "hit" in reply.headers["cache-status"] else "miss"] += 1

    def disturb(_):
        with contextlib.ExitStack() as stack:
            stack.callback(ended.set)
            for turn in range(6):
                threading.Event().wait(0.4)
                gateway.write(body_limit_bytes=1_000_000 + turn)
                gateway.told("was read anew", times=turn + 1)
                gateway.admin("POST", "/purge", {"by": "prefix", "value": "/api/mine/1"})
                if turn in {2, 4}:
                    os.kill(gateway.workers()[0], signal.SIGKILL)
                    until(lambda: len(gateway.workers()) == 2)

    in_threads(9, lambda number: disturb(0) if number == 8 else ask(number))
    assert outcomes["hit"] > outcomes["miss"] > 0
    assert outcomes["broken"] <= 40
