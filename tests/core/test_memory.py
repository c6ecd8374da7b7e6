"""The memory that is left, as the kernel tells it and as a container's limit cuts it."""

from mgw.core import memory


def test_the_machine_has_some_memory_left():
    assert memory.available_bytes() > 10_000_000


def test_a_containers_limit_counts_where_it_is_smaller(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("5000000\n")
    (tmp_path / "memory.current").write_text("2000000\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.available_bytes() == 3_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_bytes() > 10_000_000
