from types import SimpleNamespace

import pytest

from spacy_bioner import cores
from spacy_bioner.cores import count_threads, read_cpu_limit


def write_files(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


V1 = "12:memory:/x\n4:cpu,cpuacct:/jobs/a\n1:name=systemd:/init\n"
V1_FOLDER = "sys/fs/cgroup/cpu,cpuacct"
HYBRID = "4:cpu:/\n0::/jobs/a\n"


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("", {}, None),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/jobs/a\n", {"jobs/a/cpu.max": "400000 100000\n"}, 4.0),
        # The tightest of those above counts; a path of the host is not there in a container.
        ("0::/jobs/a\n", {"jobs/a/cpu.max": "max 100000", "jobs/cpu.max": "50000 25000"}, 2.0),
        ("0::/jobs/a\n", {"cpu.max": "300000 100000\n"}, 3.0),
    ],
)
def test_limits_of_version_2(groups, files, limit, tmp_path):
    write_files(tmp_path, {"proc/self/cgroup": groups})
    write_files(tmp_path, {f"sys/fs/cgroup/{name}": text for name, text in files.items()})
    assert read_cpu_limit(tmp_path) == limit


@pytest.mark.parametrize(
    ("groups", "folder", "quota", "limit"),
    [
        (V1, f"{V1_FOLDER}/jobs/a", "250000", 2.5),
        (V1, f"{V1_FOLDER}/jobs", "100000", 1.0),
        (V1, V1_FOLDER, "-1", None),
        (V1, "sys/fs/cgroup/cpu", "50000", 0.5),
        (V1, "sys/fs/cgroup/memory/x", "50000", None),
        (HYBRID, "sys/fs/cgroup/cpu", "200000", 2.0),
    ],
)
def test_limits_of_version_1(groups, folder, quota, limit, tmp_path):
    files = {f"{folder}/cpu.cfs_quota_us": f"{quota}\n", f"{folder}/cpu.cfs_period_us": "100000\n"}
    write_files(tmp_path, {"proc/self/cgroup": groups, **files})
    assert read_cpu_limit(tmp_path) == limit


@pytest.mark.parametrize(
    ("affinity", "limit", "expected"),
    [(8, None, 8), (8, 2.0, 2), (8, 2.5, 3), (2, 4.0, 2), (4, 0.5, 1)],
)
def test_cores_are_what_affinity_and_limit_leave(affinity, limit, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(cores, "count_affinity", lambda: affinity)
    monkeypatch.setattr(cores, "read_cpu_limit", lambda root: limit)
    assert cores.count_cores(tmp_path) == expected


@pytest.mark.parametrize(
    ("parent", "wanted", "affinity", "expected"),
    [
        (None, "", {0, 1, 5}, 3),
        (None, "2", {0, 1, 5}, 2),
        (None, "4,2", {0}, 4),
        (None, "many", {0}, 1),
        (None, "0", {0, 1}, 2),
        (object(), "4", {0, 1}, 1),
    ],
)
def test_threads_follow_the_process(monkeypatch, parent, wanted, affinity, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    monkeypatch.setattr(cores, "multiprocessing", SimpleNamespace(parent_process=lambda: parent))
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: affinity, raising=False)
    monkeypatch.setattr(cores, "read_cpu_limit", lambda root: None)
    assert count_threads() == expected
