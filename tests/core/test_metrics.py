"""Metrics: what is written is read back by Prometheus' own parsers, and what processes counted adds up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from mgw.core.metrics import Registry, merged, render

labels = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def registry_of(counts, times):
    registry = Registry()
    counter = registry.counter("mgw_requests_total", 'Requests "by" route\nand status.', "route", "status")
    gauge = registry.gauge("mgw_open", "Connections that are open.")
    histogram = registry.histogram("mgw_seconds", "Times.", "route", bounds=(0.1, 1.0))
    for route, amount in counts:
        counter.of(route, "200").add(amount)
    gauge.of().value = len(counts)
    for route, seconds in times:
        histogram.of(route).observe(seconds)
    return registry


counted = st.lists(st.tuples(labels, st.integers(0, 1000)), max_size=6)
timed = st.lists(st.tuples(labels, st.floats(0, 3)), max_size=6)


@given(counted, timed, st.sampled_from([(parse_prometheus, False), (parse_openmetrics, True)]))
def test_what_is_written_is_read_back(counts, times, how):
    parse, openmetrics = how
    text = render(registry_of(counts, times).sample(), openmetrics=openmetrics)
    families = {family.name.removesuffix("_total"): family for family in parse(text)}
    assert {name: family.type for name, family in families.items()} == {
        "mgw_requests": "counter", "mgw_open": "gauge", "mgw_seconds": "histogram",
    }  # fmt: skip
    read = {sample.labels["route"]: sample.value for sample in families["mgw_requests"].samples}
    assert read == {route: sum(n for each, n in counts if each == route) for route, _ in counts}
    assert families["mgw_open"].samples[0].value == len(counts)
    for route in {route for route, _ in times}:
        mine = [seconds for each, seconds in times if each == route]
        found = {
            (each.name.rpartition("_")[2], each.labels.get("le")): each.value
            for each in families["mgw_seconds"].samples
            if each.labels["route"] == route
        }
        assert found["count", None] == len(mine)
        assert found["sum", None] == pytest.approx(sum(mine))
        buckets = {float(le): value for (kind, le), value in found.items() if kind == "bucket"}
        assert buckets == {bound: sum(each <= bound for each in mine) for bound in (0.1, 1.0, math.inf)}


@given(counted, counted, timed, timed)
def test_what_two_processes_counted_adds_up(counts, others, times, more):
    apart = merged([registry_of(counts, times).sample(), registry_of(others, more).sample()])
    together = registry_of(counts + others, times + more)
    for one, other in zip(apart, together.sample(), strict=True):
        assert (one.name, one.kind, one.bounds) == (other.name, other.kind, other.bounds)
        left, right = ({child.labels: child.numbers for child in each.children} for each in (one, other))
        assert left.keys() == right.keys()
        for key, numbers in left.items():
            assert numbers == pytest.approx(right[key])


def test_labels_are_bounded_and_names_are_kept():
    registry = Registry()
    counter = registry.counter("mgw_asked_total", "Asked.", "who")
    for number in range(5_000):
        counter.of(str(number)).add()
    (family,) = registry.sample()
    assert len(family.children) == 2_001
    assert {child.labels: child.numbers for child in family.children}["other",] == (3_000,)
    with pytest.raises(ValueError, match="twice"):
        registry.gauge("mgw_asked_total", "Again.")
    with pytest.raises(ValueError, match="_total"):
        registry.counter("mgw_asked", "No total.")
    with pytest.raises(ValueError, match="labels"):
        counter.of("a", "b")
    other = Registry()
    other.gauge("mgw_asked_total", "Otherwise.")
    with pytest.raises(ValueError, match="two ways"):
        merged([registry.sample(), other.sample()])


def test_of_what_is_one_thing_at_a_time_there_is_one_child():
    registry = Registry()
    gauge = registry.gauge("mgw_made_timestamp_seconds", "When.", "model")
    for name, moment in (("new", 20.0), ("old", 10.0)):
        gauge.only(name).value = moment
    (family,) = registry.sample()
    assert {child.labels: child.numbers for child in family.children} == {("old",): (10.0,)}


def test_moments_of_several_processes_do_not_add_up():
    several = []
    for name, moment in (("a", 10.0), ("b", 30.0), ("a", 20.0)):
        registry = Registry()
        registry.gauge("mgw_made_timestamp_seconds", "When.", "model").only(name).value = moment
        several.append(registry.sample())
    (family,) = merged(several)
    assert {child.labels: child.numbers for child in family.children} == {("a",): (20.0,), ("b",): (30.0,)}


def buckets(registry, openmetrics=True):
    (family,) = parse_openmetrics(render(registry.sample(), openmetrics=openmetrics))
    return {each.labels["le"]: each.exemplar for each in family.samples if each.name.endswith("_bucket")}


def test_the_last_trace_of_each_bucket_is_told_in_openmetrics_alone():
    registry = Registry()
    child = registry.histogram("mgw_seconds", "Times.", bounds=(0.1, 1.0)).of()
    for value, trace in ((0.05, "a" * 32), (0.06, "b" * 32), (0.07, ""), (5.0, "c" * 32)):
        child.observe(value, trace)
    found = buckets(registry)
    assert (found["0.1"].labels, found["0.1"].value) == ({"trace_id": "b" * 32}, 0.06)
    assert (found["1"], found["+Inf"].value) == (None, 5.0)
    assert "trace_id" not in render(registry.sample())


def test_of_two_processes_the_later_trace_is_told():
    first, second = Registry(), Registry()
    for registry, trace in ((first, "a" * 32), (second, "b" * 32)):
        registry.histogram("mgw_seconds", "Times.", bounds=(1.0,)).of().observe(0.5, trace)
    for order in ((first, second), (second, first)):
        (family,) = merged(each.sample() for each in order)
        assert [each.trace_id for each in family.children[0].exemplars] == ["b" * 32]
        assert family.children[0].numbers == (2.0, 0.0, 1.0)
