"""`bucket verify` of 100,000 objects: what it costs beyond the listing."""

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import obstore
import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.store.server import Server
from tests.bucket.store_tools import BUCKET
from tests.projects import NAMES

COUNT = int(os.environ.get("SOAK_OBJECTS", "100000"))

#: Beyond the listing: programs to start and load, then some microseconds an object.
SECONDS = 3 + COUNT * 30e-6
MEGABYTES = 300


def fill(project: Project) -> bytes:
    """Have the project track a directory that is on the remote; return one object's content."""
    store = Settings.load(project).obstore()
    contents = [f"object {number}\n".encode() for number in range(COUNT)]
    names = [hashlib.md5(content).hexdigest() for content in contents]
    entries = [
        {"md5": name, "relpath": f"{number // 1000:03}/{number:07}.txt"}
        for number, name in enumerate(names)
    ]
    text = json.dumps(entries, sort_keys=True).encode()
    oid = hashlib.md5(text).hexdigest() + ".dir"

    def put(name: str, content: bytes) -> None:
        obstore.put(store, f"{NAMES.prefix}/files/md5/{name[:2]}/{name[2:]}", content)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, names, contents))
    put(oid, text)
    cached = project.root / ".dvc" / "cache" / "files" / "md5" / oid[:2] / oid[2:]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(text)
    size = sum(map(len, contents))
    (project.root / "many.dvc").write_text(
        f"outs:\n- md5: {oid}\n  size: {size}\n  nfiles: {COUNT}\n  hash: md5\n  path: many\n"
    )
    return contents[COUNT // 2]


#: Runs a command and says on the last line what it took. In a process of its own: what a large one
#: forks starts with its memory.
MEASURE = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
seconds = time.perf_counter() - started
print(json.dumps([process.returncode, seconds, usage.ru_maxrss / 1024]))
"""


def verify(project: Project, *options: str) -> tuple[int, str, float, float]:
    """Exit status, output, seconds and megabytes of a run."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, BUCKET, "verify", *options],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    )
    said, _, figures = done.stdout.rstrip().rpartition("\n")
    code, seconds, megabytes = json.loads(figures)
    return code, said, seconds, megabytes


@pytest.mark.timeout(3600)
def test_many_objects_cost_little_more_than_their_listing(project: Project) -> None:
    Server(project).start()
    content = fill(project)
    store = Settings.load(project).obstore()
    started = time.perf_counter()
    listed = sum(map(len, obstore.list(store, f"{NAMES.prefix}/files/md5/", chunk_size=1000)))
    listing = time.perf_counter() - started
    assert listed == COUNT + 1
    code, said, seconds, megabytes = verify(project)
    print(
        f"\n{COUNT:,} objects: listing {listing:.1f} s, verify {seconds:.1f} s, {megabytes:.0f} MB"
    )
    assert code == 0, said
    assert megabytes < MEGABYTES
    assert seconds < listing * 1.5 + SECONDS
    name = hashlib.md5(content).hexdigest()
    obstore.delete(store, f"{NAMES.prefix}/files/md5/{name[:2]}/{name[2:]}")
    code, said, seconds, _ = verify(project)
    print(f"one of them gone: {seconds:.1f} s")
    assert code == 1
    assert f"missing  many/{COUNT // 2 // 1000:03}/{COUNT // 2:07}.txt" in said
