"""What the service counts: read by Prometheus' own parsers, of all workers together, and true."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from mgw.core.count_files import CountFiles
from mgw.recommend.training_counts import counted
from mgw.service.counting import Counts, Metrics

from .conftest import serving

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def value(service, name, **labels):
    """Return the sum of the samples of a name that have some labels."""
    text = service.ask("GET", "/metrics").body.decode()
    samples = [sample for family in parse_prometheus(text) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


@pytest.fixture
def counting(project):
    project.train()
    project.train_adapters()
    project.options["workers"] = 2
    with serving(project) as service:
        yield service


def test_requests_are_counted_by_template_over_all_workers(counting):
    for number in range(20):
        assert counting.recommend(f"u{number:05}").status == 200
    assert counting.ask("GET", "/api/v1/experiments/one").status == 404
    assert counting.ask("GET", "/api/v1/experiments/two").status == 404
    assert counting.ask("GET", "/nowhere/1").status == counting.ask("PUT", "/nowhere/2").status == 404
    counted = "mgw_service_requests_total"
    counting.until(lambda: value(counting, counted, route="/api/v1/recommendations", status="200") == 20)
    counting.until(lambda: value(counting, counted, route="/api/v1/experiments/{name}", status="404") == 2)
    counting.until(lambda: value(counting, counted, route="none", status="404") == 2)
    assert value(counting, "mgw_service_request_seconds_count", route="/api/v1/recommendations") == 20
    assert 0 < value(counting, "mgw_service_request_seconds_sum", route="/api/v1/recommendations") < 20


def test_lists_are_counted_by_source_stage_adapter_and_cache(counting):
    made = [counting.recommend(f"u{number:05}", limit=7).json for number in range(10)]
    again = counting.recommend("u00001", limit=7)
    titles = sum(len(each["recommendations"]) for each in made)
    counting.until(lambda: value(counting, "mgw_service_cache_total") == 11)
    hits = value(counting, "mgw_service_cache_total", outcome="hit")
    assert hits == (again.headers["x-cache"] == "hit")  # the other worker has not seen it
    lists = 11 - hits
    counting.until(lambda: value(counting, "mgw_service_adapters_total") == lists)
    assert value(counting, "mgw_service_recommended_titles_total") == titles + 7 * (lists - 10)
    assert value(counting, "mgw_service_adapters_total", outcome="used") > 0
    for stage in ("read", "rank"):
        assert value(counting, "mgw_service_stage_seconds_count", stage=stage) == lists
    assert value(counting, "mgw_service_database_connections") >= 1


def test_trainings_and_how_things_stand(counting):
    assert counting.post("/lora/train", {"user_id": "u00001", "force": True}).status in {200, 400}
    counting.until(lambda: value(counting, "mgw_service_requests_total", route="/api/v1/lora/train") == 1)
    assert value(counting, "mgw_service_database_away") == 0
    assert value(counting, "mgw_service_model_created_timestamp_seconds") > 1.7e9
    assert value(counting, "mgw_service_audit_backlog_files") == 0
    folder = counting.project.folder / ".mgw" / "audit"
    folder.mkdir(exist_ok=True)
    (folder / "held.jsonl").write_text("")
    counting.until(lambda: not (folder / "held.jsonl").exists())  # a worker brings it to the database


def test_the_model_that_answers_is_told_alone_by_every_worker_also_after_a_rollback(counting):
    name = "mgw_service_model_created_timestamp_seconds"

    def told():
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", counting.port, timeout=30)) as connection:
            connection.request("GET", "/metrics")  # another connection, and so another worker, each time
            text = connection.getresponse().read().decode()
        samples = [sample for family in parse_prometheus(text) for sample in family.samples]
        return {sample.labels["model"]: sample.value for sample in samples if sample.name == name}

    kept = counting.project.folder / ".mgw" / "service" / f"127.0.0.1-{counting.port}.counts"
    counting.until(lambda: len(list(kept.glob("*.counts"))) == 2)  # the other worker may have been starting still
    store = counting.project.store
    old = store.current()
    new = store.open(counting.project.train(seed=1))
    for each in (new, old):
        store.use(each.manifest.name)
        expected = {each.manifest.name: each.manifest.created_at.timestamp()}
        counting.until(lambda expected=expected: told() == expected)
        assert [told() for _ in range(20)] == [expected] * 20


def test_trainings_of_commands_are_told_too(counting):
    text = counting.ask("GET", "/metrics").body.decode()
    assert 'mgw_training_runs_total{kind="als",outcome="failed"} 0' in text, "so that the first one is a rise"
    for outcome in (None, KeyboardInterrupt, ValueError):
        with contextlib.suppress(KeyboardInterrupt, ValueError), counted(counting.project.folder / ".mgw", "als"):
            if outcome is not None:
                raise outcome
    found = {
        outcome: value(counting, "mgw_training_runs_total", kind="als", outcome=outcome)
        for outcome in ("done", "failed", "interrupted")
    }
    assert found == {"done": 1, "failed": 1, "interrupted": 1}
    assert value(counting, "mgw_training_seconds_count", kind="als") == 1
    (counting.project.folder / ".mgw" / "training.counts").write_bytes(b"\xc1")
    assert value(counting, "mgw_training_runs_total") == 0
    with counted(counting.project.folder / ".mgw", "lora"):
        pass
    assert value(counting, "mgw_training_runs_total", kind="lora") == 1


class Slow(Counts):
    """Counts of which the first sample is on its way for a while."""

    def __init__(self):
        super().__init__()
        self.goes_on, self.was_taken = threading.Event(), threading.Event()

    def sample(self):
        taken = super().sample()
        if not self.was_taken.is_set():
            self.was_taken.set()
            assert self.goes_on.wait(60)
        return taken


def test_what_was_kept_is_not_replaced_by_what_was_counted_before(tmp_path):
    counts, files = Slow(), CountFiles(tmp_path)
    metrics = Metrics(counts, files, tmp_path)
    threads = [threading.Thread(target=metrics.keep) for _ in range(2)]
    threads[0].start()
    assert counts.was_taken.wait(60)
    counts.refused()
    threads[1].start()
    threads[1].join(0.5)
    counts.goes_on.set()
    for thread in threads:
        thread.join(60)
    (kept,) = files.read()
    (refused,) = (family for family in kept if family.name == "mgw_service_refused_total")
    assert refused.children[0].numbers == (1.0,)


def test_openmetrics_has_the_traces_that_somebody_keeps(counting):
    trace = "0af7651916cd43dd8448eb211c80319c"
    counting.ask("POST", "/api/v1/recommendations", b'{"user_id": "u00001"}', traceparent=f"00-{trace}-{'1' * 16}-01")
    counting.ask(
        "POST", "/api/v1/recommendations", b'{"user_id": "u00002"}', traceparent=f"00-{'2' * 32}-{'1' * 16}-00"
    )

    def exemplars():
        text = counting.ask("GET", "/metrics", accept=OPENMETRICS).body.decode()
        samples = [sample for family in parse_openmetrics(text) for sample in family.samples]
        return {sample.exemplar.labels["trace_id"] for sample in samples if sample.exemplar}

    counting.until(lambda: exemplars() == {trace})
    assert (
        counting.ask("GET", "/metrics", accept=OPENMETRICS)
        .headers["content-type"]
        .startswith("application/openmetrics-text")
    )
    assert counting.ask("POST", "/metrics").status == 405


def test_a_worker_that_is_replaced_takes_nothing_with_it(counting):
    for number in range(10):
        counting.recommend(f"u{number:05}")
    counting.until(lambda: value(counting, "mgw_service_requests_total", route="/api/v1/recommendations") == 10)
    (first, *_) = counting.workers()
    os.kill(first, signal.SIGKILL)
    counting.until(lambda: first not in counting.workers() and len(counting.workers()) == 2)

    def counts_as_before():
        try:
            return value(counting, "mgw_service_requests_total", route="/api/v1/recommendations") == 10
        except OSError:  # the connection was one that the dead worker would have taken
            return False

    counting.until(counts_as_before)
