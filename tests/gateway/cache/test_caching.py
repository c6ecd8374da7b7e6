"""The cache, case by case from RFC 9111, on a simulated clock: what is asked upstream, and what is answered."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.problems import Problem
from mgw.gateway.cache.caching import Caching
from mgw.gateway.cache.directives import parse_directives, seconds_of
from mgw.gateway.cache.serving import Asked
from mgw.gateway.cache.store import Store
from mgw.gateway.refusals import Unanswered, failing
from mgw.gateway.transport import UpstreamBroken, UpstreamUnreachable

START = 1_900_000_000.0


def lower(headers):
    """What a server and a client hand on, whatever was written."""
    return [(name.lower(), value) for name, value in headers]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self._body = status, lower(headers), body
        self.closed = False

    async def body(self):
        for place in range(0, len(self._body), 4):
            await asyncio.sleep(0)
            yield self._body[place : place + 4]

    async def close(self):
        self.closed = True


class Broken(Answer):
    """Ends before its end."""

    async def body(self):
        yield self._body[:2]
        raise UpstreamBroken("gone", sent=True)


class World:
    """A cache, its clock, and an upstream that answers as it is told."""

    def __init__(self, size_bytes=1_000_000, object_bytes=1_000):
        self.now = START
        self.cache = Caching(Store(size_bytes), object_bytes, lambda: self.now)
        self.seen = []
        self.answers = []
        self.error = None

    def will(self, *headers, status=200, body=b"hello"):
        self.answers.append((status, list(headers), body))

    async def fetch(self, headers):
        self.seen.append({name.lower(): value for name, value in headers})
        await asyncio.sleep(0.001)
        if self.error is not None:
            raise self.error
        status, given_headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Answer(status, [("date", formatdate(self.now, usegmt=True)), *given_headers], body)

    async def ask(self, *headers, method="GET", user="", ttl_s=None, target="/a"):
        asked = Asked(method, "own", target, user, lower(headers), ttl_s=ttl_s)
        given = self.cache.at_once(asked) or await self.cache.answer(asked, self.fetch)
        body = given.body
        if not isinstance(body, bytes):
            body = b"".join([piece async for piece in given.body.body()])
            await given.body.close()
        return Reply(given.status, {name.lower(): value for name, value in given.headers}, body, given.how)


class Reply:
    def __init__(self, status, headers, body, how):
        self.status, self.headers, self.body, self.how = status, headers, body, how


@pytest.fixture
def world():
    return World()


def run(work):
    return asyncio.run(work)


def cc(value):
    return ("Cache-Control", value)


STORED = [
    # what the answer says, whether the request had a token, the route's own time, whether it is stored
    ([cc("max-age=60")], "", None, True),
    ([cc("s-maxage=60")], "", None, True),
    ([("Expires", formatdate(START + 60, usegmt=True))], "", None, True),
    ([cc("public")], "", 60, True),
    ([], "", None, False),
    ([], "", 60, True),
    ([cc("no-store")], "", 60, False),
    ([cc("private")], "", 60, False),
    ([cc("max-age=60, private")], "", 60, False),
    ([cc("max-age=60"), ("Set-Cookie", "a=b")], "", 60, False),
    ([cc("max-age=60"), ("Vary", "*")], "", 60, False),
    ([cc("max-age=60")], "ann", 60, False),
    ([], "ann", 60, False),
    ([cc("public, max-age=60")], "ann", None, True),
    ([cc("s-maxage=60")], "ann", None, True),
    ([cc("max-age=0")], "", 60, False),
    ([cc("no-cache")], "", 60, False),
    ([cc("max-age=nonsense")], "", 60, False),
    ([("Expires", "0")], "", 60, False),
    ([cc('max-age="60"')], "", None, True),
    ([cc("max-age=60, max-age=0")], "", None, True),
    ([cc("s-maxage=0, max-age=60")], "", None, False),
    ([("Expires", formatdate(START + 60, usegmt=True)), cc("max-age=0")], "", None, False),
]


@pytest.mark.parametrize(("headers", "user", "ttl_s", "kept"), STORED)
def test_what_may_be_used_again(world, headers, user, ttl_s, kept):
    async def story():
        world.will(*headers)
        await world.ask(user=user, ttl_s=ttl_s)
        return await world.ask(user=user, ttl_s=ttl_s)

    assert run(story()).how.startswith("hit") == kept
    assert len(world.seen) == (1 if kept else 2)


@pytest.mark.parametrize("status", [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
def test_what_is_stored_by_default(world, status):
    async def story():
        world.will(status=status)
        await world.ask(ttl_s=60)
        return await world.ask(ttl_s=60)

    reply = run(story())
    assert (reply.status, len(world.seen)) == (status, 1)


@pytest.mark.parametrize("status", [206, 302, 400, 401, 403, 429, 500, 502, 503])
def test_what_is_not_stored_by_default(world, status):
    async def story():
        world.will(status=status)
        await world.ask(ttl_s=60)
        await world.ask(ttl_s=60)

    run(story())
    assert len(world.seen) == 2


def test_it_ages_and_gets_stale(world):
    async def story():
        world.will(cc("max-age=60"), ("Age", "10"))
        await world.ask()
        world.now += 49
        young = await world.ask()
        world.now += 2
        return young, await world.ask()

    young, old = run(story())
    assert (young.headers["age"], young.how) == ("59", "hit; ttl=1")
    assert old.how == "fwd=stale; fwd-status=200; stored"
    assert len(world.seen) == 2


def test_one_user_never_gets_what_was_kept_for_another(world):
    async def story():
        world.will(cc("public, max-age=60"), body=b"ann's")
        world.will(cc("public, max-age=60"), body=b"ben's")
        world.will(cc("public, max-age=60"), body=b"all")
        return [(await world.ask(user=user)).body for user in ("ann", "ben", "", "ann", "ben", "")]

    assert run(story()) == [b"ann's", b"ben's", b"all"] * 2


@pytest.mark.parametrize("credential", [("Cookie", "a=b"), ("Authorization", "Basic x")])
def test_what_was_asked_for_with_an_unknown_credential_is_not_shared(world, credential):
    async def story():
        world.will(cc("public, max-age=60"))
        await world.ask(credential)
        await world.ask(credential)
        return await world.ask()

    assert run(story()).how == "fwd=uri-miss; stored"
    assert len(world.seen) == 3


def test_variants_are_kept_apart(world):
    async def story():
        for language in (b"de", b"en"):
            world.will(cc("max-age=60"), ("Vary", "Accept-Language, X-A"), body=language)
        asked = [await world.ask(("Accept-Language", name)) for name in ("de", "en", "de", "en")]
        world.answers[:] = [(200, [cc("max-age=60")], b"other")]
        return [each.body for each in asked], (await world.ask(("accept-language", "de"), ("X-A", "1"))).body

    assert run(story()) == ([b"de", b"en", b"de", b"en"], b"other")
    assert len(world.seen) == 3


REQUESTS = [
    # what the request says, how old what is stored for 60 s is, whether it is good enough
    ("no-cache", 0, False),
    ("no-store", 0, False),
    ("max-age=0", 1, False),
    ("max-age=10", 9, True),
    ("max-age=10", 11, False),
    ("min-fresh=30", 29, True),
    ("min-fresh=30", 31, False),
    ("max-stale", 100, True),
    ("max-stale=50", 100, True),
    ("max-stale=30", 100, False),
    ("only-if-cached", 10, True),
]


@pytest.mark.parametrize(("says", "age", "good"), REQUESTS)
def test_what_a_request_wants(world, says, age, good):
    async def story():
        world.will(cc("max-age=60"))
        await world.ask()
        world.now += age
        return await world.ask(cc(says))

    assert run(story()).how.startswith("hit") == good
    assert len(world.seen) == (1 if good else 2)


def test_only_what_is_cached_or_nothing(world):
    with pytest.raises(Problem, match="only what is cached"):
        run(world.ask(cc("only-if-cached")))
    assert world.seen == []


def test_stale_is_asked_about_and_a_304_renews_it(world):
    async def story():
        world.will(cc("max-age=60"), ("ETag", '"1"'), ("Last-Modified", formatdate(START, usegmt=True)), ("X-A", "old"))
        world.will(cc("max-age=90"), ("X-A", "new"), ("Content-Length", "0"), status=304, body=b"")
        await world.ask()
        world.now += 61
        renewed = await world.ask()
        world.now += 89
        return renewed, await world.ask()

    renewed, later = run(story())
    assert (world.seen[1]["if-none-match"], world.seen[1]["if-modified-since"]) == (
        '"1"',
        formatdate(START, usegmt=True),
    )
    assert (renewed.status, renewed.body, renewed.headers["x-a"], renewed.headers["age"]) == (200, b"hello", "new", "0")
    assert renewed.how == "fwd=stale; fwd-status=304; stored"
    assert later.how == "hit; ttl=1"


def test_stale_is_given_while_a_new_one_is_fetched_once(world):
    async def story():
        world.will(cc("max-age=60, stale-while-revalidate=30"), body=b"old")
        await world.ask()
        world.now += 70
        world.answers[:] = [(200, [cc("max-age=60")], b"new")]
        stale = [await world.ask() for _ in range(3)]
        await asyncio.sleep(0.05)
        return stale, await world.ask()

    stale, fresh = run(story())
    assert [each.body for each in stale] == [b"old"] * 3
    assert (fresh.body, fresh.how) == (b"new", "hit; ttl=60")
    assert len(world.seen) == 2


@pytest.mark.parametrize(
    ("says", "given_stale"),
    [
        ("max-age=60, stale-if-error=100", True),
        ("max-age=60, stale-if-error=5", False),
        ("max-age=60", False),
        ("max-age=60, stale-if-error=100, must-revalidate", False),
        ("s-maxage=60", False),
        ("s-maxage=60, stale-if-error=100", True),
    ],
)
@pytest.mark.parametrize("failure", ["error", "left alone", "500"])
def test_stale_is_given_where_there_is_nothing_else(world, says, given_stale, failure):
    async def story():
        world.will(cc(says))
        await world.ask()
        world.now += 70
        if failure == "error":
            world.error = UpstreamUnreachable("gone", sent=False)
        elif failure == "left alone":
            world.error = failing("own", 1.0)
        else:
            world.answers[:] = [(500, [], b"oh")]
        return await world.ask()

    if given_stale:
        reply = run(story())
        assert (reply.status, reply.body) == (200, b"hello")
        assert "stale-if-error" in reply.how
    elif failure != "500":
        with pytest.raises((UpstreamUnreachable, Unanswered)):
            run(story())
    else:
        assert run(story()).status == 500


def test_many_at_once_are_one_question(world):
    async def story():
        world.will(cc("max-age=60"))
        return await asyncio.gather(*(world.ask() for _ in range(50)))

    replies = run(story())
    assert {reply.body for reply in replies} == {b"hello"}
    assert len(world.seen) == 1
    assert sum("collapsed" in reply.how for reply in replies) == 49


def test_those_who_waited_for_what_may_not_be_shared_ask_themselves(world):
    async def story():
        world.will(cc("private"))
        return await asyncio.gather(*(world.ask() for _ in range(10)))

    assert all(reply.body == b"hello" for reply in run(story()))
    assert len(world.seen) == 10


def test_those_who_waited_for_an_answer_that_never_came_ask_themselves(world):
    async def story():
        world.error = UpstreamUnreachable("gone", sent=False)
        return await asyncio.gather(*(world.ask() for _ in range(5)), return_exceptions=True)

    assert all(isinstance(each, UpstreamUnreachable) for each in run(story()))
    assert world.cache._pending == {}


def test_what_changes_something_forgets_it_for_everybody(world):
    async def story():
        world.will(cc("public, max-age=60"))
        for user in ("", "ann"):
            await world.ask(user=user)
        world.answers[:] = [(200, [("Location", "/b"), cc("public, max-age=60")], b"done")]
        await world.ask(target="/b")
        await world.ask(method="POST")
        return [
            (await world.ask(user=user, target=target)).how for user, target in (("", "/a"), ("ann", "/a"), ("", "/b"))
        ]

    assert run(story()) == ["fwd=uri-miss; stored"] * 3


def test_a_change_that_failed_forgets_nothing(world):
    async def story():
        world.will(cc("max-age=60"))
        await world.ask()
        world.answers[:] = [(409, [], b"no")]
        await world.ask(method="PUT")
        return await world.ask()

    assert run(story()).how.startswith("hit")


CONDITIONS = [
    ([("If-None-Match", '"1"')], 304),
    ([("If-None-Match", 'W/"1"')], 304),
    ([("If-None-Match", '"2", "1"')], 304),
    ([("If-None-Match", "*")], 304),
    ([("If-None-Match", '"2"')], 200),
    ([("If-Modified-Since", formatdate(START, usegmt=True))], 304),
    ([("If-Modified-Since", formatdate(START - 1, usegmt=True))], 200),
    ([("If-Modified-Since", "nonsense")], 200),
    ([("If-None-Match", '"2"'), ("If-Modified-Since", formatdate(START, usegmt=True))], 200),
]


@pytest.mark.parametrize(("headers", "status"), CONDITIONS)
@pytest.mark.parametrize("is_stored", [True, False])
def test_a_client_that_has_it_is_told_so(world, headers, status, is_stored):
    async def story():
        world.will(
            cc("max-age=60"),
            ("ETag", '"1"'),
            ("Last-Modified", formatdate(START, usegmt=True)),
            ("Content-Type", "x/y"),
        )
        if is_stored:
            await world.ask()
        return await world.ask(*headers)

    reply = run(story())
    assert (reply.status, reply.body) == (status, b"" if status == 304 else b"hello")
    assert ("content-type" in reply.headers) == (status == 200)
    assert reply.headers["etag"] == '"1"'
    assert "if-none-match" not in world.seen[0]


RANGES = [
    ("bytes=0-1", 206, b"he"),
    ("bytes=1-", 206, b"ello"),
    ("bytes=-2", 206, b"lo"),
    ("bytes=3-99", 206, b"lo"),
    ("bytes=5-", 416, b""),
    ("bytes=-0", 416, b""),
    ("bytes=3-1", 200, b"hello"),
    ("bytes=0-1,3-4", 200, b"hello"),
    ("lines=0-1", 200, b"hello"),
    ("bytes=-", 200, b"hello"),
    ("bytes=-99", 206, b"hello"),
]


@pytest.mark.parametrize(("asked", "status", "body"), RANGES)
def test_a_part_of_what_is_stored(world, asked, status, body):
    async def story():
        world.will(cc("max-age=60"), ("ETag", '"1"'), ("Content-Length", "5"))
        await world.ask()
        other = await world.ask(("Range", asked), ("If-Range", '"2"'))
        assert (other.status, other.body) == (200, b"hello")
        return await world.ask(("Range", asked))

    reply = run(story())
    assert (reply.status, reply.body) == (status, body)
    if status == 206:
        first = b"hello".index(body)
        assert reply.headers["content-range"] == f"bytes {first}-{first + len(body) - 1}/5"
        assert "content-length" not in reply.headers
    if status == 416:
        assert reply.headers["content-range"] == "bytes */5"
    assert len(world.seen) == 1


def test_head_is_answered_from_get_and_never_stored(world):
    async def story():
        world.will(cc("max-age=60"), body=b"")
        await world.ask(method="HEAD")
        world.answers[:] = [(200, [cc("max-age=60"), ("Content-Length", "5")], b"hello")]
        whole = await world.ask()
        head = await world.ask(method="HEAD")
        world.now += 61
        world.answers[:] = [(200, [cc("max-age=60")], b"")]
        stale = await world.ask(method="HEAD")
        world.answers[:] = [(200, [cc("max-age=60")], b"again")]
        return whole, head, stale, await world.ask()

    whole, head, stale, again = run(story())
    assert (whole.body, head.headers["content-length"], head.how) == (b"hello", "5", "hit; ttl=60")
    assert stale.how == "fwd=stale"
    assert again.body == b"again"


def test_what_is_too_long_to_be_stored_arrives_all_the_same(world):
    body = bytes(range(256)) * 16

    async def story():
        world.will(cc("max-age=60"), body=body)
        return await world.ask(), await world.ask()

    first, second = run(story())
    assert first.body == second.body == body
    assert first.how == "fwd=uri-miss"
    assert len(world.seen) == 2


def test_half_of_an_answer_is_neither_stored_nor_kept_open(world):
    half = Broken(200, [cc("max-age=60")], b"hello")

    async def story():
        async def fetch(_headers):
            return half

        with pytest.raises(UpstreamBroken):
            await world.cache.answer(Asked("GET", "own", "/a", "", []), fetch)
        world.will(cc("max-age=60"))
        return await world.ask()

    assert run(story()).how == "fwd=uri-miss; stored"
    assert half.closed


def test_what_was_longest_not_asked_for_goes_first():
    world = World(size_bytes=2_000)

    async def story():
        world.will(cc("max-age=60"), body=b"x" * 300)
        for target in ("/1", "/2", "/1", "/3"):
            await world.ask(target=target)
        return [(await world.ask(target=target)).how.startswith("hit") for target in ("/1", "/3")], await world.ask(
            target="/2"
        )

    kept, gone = run(story())
    assert kept == [True, True]
    assert gone.how.startswith("fwd=uri-miss")
    assert world.cache.store.size_bytes <= 2_000


@given(st.text(max_size=60))
def test_any_cache_control_can_be_read(text):
    found = parse_directives([text])
    assert all(name == name.lower() and name for name in found)
    assert seconds_of({"max-age": text}, "max-age") >= 0


def test_nobody_waits_for_an_answer_that_will_not_be_kept(world):
    """Once it is known that an answer may not be kept, those who ask at the same time are not put in a row."""
    world.will(cc("no-store"))

    async def run():
        await world.ask()
        before, loop = len(world.seen), asyncio.get_running_loop()
        asked = [loop.create_task(world.ask()) for _ in range(5)]
        await asyncio.sleep(0)
        assert len(world.seen) == before + 5
        assert {reply.status for reply in await asyncio.gather(*asked)} == {200}

    asyncio.run(run())


def test_an_answer_that_is_encoded_is_given_to_those_alone_who_asked_for_it_so(world):
    """Even where the upstream forgets `Vary`."""
    world.will(cc("max-age=60"), ("Content-Encoding", "gzip"), body=b"packed")

    async def run():
        await world.ask(("Accept-Encoding", "gzip"))
        assert (await world.ask(("Accept-Encoding", "gzip"))).how.startswith("hit")
        world.will(cc("max-age=60"), body=b"plain")
        assert (await world.ask()).body == b"packed"  # the upstream was asked again, and has only this
        assert len(world.seen) == 2

    asyncio.run(run())
