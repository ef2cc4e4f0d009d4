"""One repository with a stage for each fault, so that one check finds them all."""

from pathlib import Path
from typing import Any

from tests.check.small import Stages, make, script, stage

THREADS = """
import os, random, threading, time

done = []
alone = os.environ.get("OMP_NUM_THREADS") == "1"
all_there = threading.Barrier(1 if alone else 12)


def work(number):
    all_there.wait()
    time.sleep(random.random() / 50)
    done.append(str(number))


workers = [threading.Thread(target=work, args=[number]) for number in range(12)]
for worker in workers:
    worker.start()
    if alone:
        worker.join()
for worker in workers:
    worker.join()
write("threads.txt", " ".join(done))
"""

#: A server and a client in one stage are no connection to anybody else.
SERVER = """
import socket

server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
write("server.txt", "served")
"""

CALL = "import socket\n\nsocket.socket().connect_ex(('127.0.0.1', 9))\n"

BODIES = {
    "good": "write('good.txt', read('input.txt').upper())",
    "seed": "import random\n\nrandom.seed(read('params.yaml'))\n"
    "write('seed.csv', 'n,value\\n1,0.5\\n2,%f\\n' % random.random())",
    "clock": "import json, time\n\nwrite('clock.json', json.dumps({'n': 1, 'made': time.time()}))",
    "threads": THREADS,
    "edits": "write('edits.txt', 'x')\nwrite('notes.txt', read('notes.txt') + '+')",
    "imports": "import helper\n\nwrite('imports.txt', helper.TEXT)",
    "reads": "write('reads.txt', read('good.txt'))",
    "hand": "write('hand.txt', 'made')",
    "changed": "write('changed.txt', 'the same')",
    "calls": f"{CALL}write('calls.txt', 'called')",
    "may_call": f"{CALL}write('may_call.txt', 'called')",
    "server": SERVER,
    "maker": "write('maker.txt', 'x')\nwrite('kept.txt', 'x')",
    "keeper": "print('nothing')",
    "metrics": "write('metrics.json', '{\"a\": 1}')",
    "fails": "write('fails.txt', read('fails.flag'))\n",
    "after": "write('after.txt', read('fails.txt'))",
}

STAGES: dict[str, Any] = {
    "good": stage("good", deps=["input.txt"]),
    "seed": stage("seed", outs=["seed.csv"]),
    "clock": stage("clock", outs=["clock.json"]),
    "threads": stage("threads"),
    "edits": stage("edits", deps=["notes.txt"]),
    "imports": stage("imports"),
    "reads": stage("reads"),
    "hand": stage("hand"),
    "changed": stage("changed"),
    "calls": stage("calls"),
    "may_call": stage("may_call", meta={"network": True}),
    "server": stage("server"),
    "maker": stage("maker"),
    "keeper": stage("keeper", deps=["maker.txt"], outs=[{"kept.txt": {"persist": True}}]),
    "metrics": stage("metrics", outs=[{"metrics.json": {"cache": False}}]),
    "fails": stage("fails", deps=["fails.flag"]),
    "after": stage("after", deps=["fails.txt"]),
}

FILES = {f"src/{name}.py": script(body) for name, body in BODIES.items()} | {
    "src/helper.py": "TEXT = 'helped'\n",
    "input.txt": "words\n",
    "notes.txt": "+",
    "params.yaml": "seed: 1\n",
    "fails.flag": "is there",
}


def make_faulty(root: Path) -> Stages:
    """The repository after the changes that nothing told DVC of; committed."""
    made = make(root, FILES, STAGES)
    made.repo.write("params.yaml", "seed: 2\n")
    (root / "hand.txt").unlink()  # a link to the cache
    made.repo.write("hand.txt", "embellished")
    made.dvc("commit", "--quiet", "--force", "hand")
    made.repo.write("src/changed.py", f"{FILES['src/changed.py']}# and another line\n")
    made.repo.write("metrics.json", '{"a": 2}')
    made.repo.write("src/fails.py", "raise SystemExit('no such luck')\n")
    made.commit()
    return made
