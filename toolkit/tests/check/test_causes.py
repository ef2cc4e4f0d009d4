"""Each kind of cause has a stage with just that fault, and the check names just that cause."""

import json
import re
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from threading import Thread
from typing import Any

import pytest

from dvc_bucket.jobs.check import preload
from dvc_bucket.jobs.check.experiments import can_cut_off
from dvc_bucket.jobs.check.report import as_json
from tests.check.small import Stages, make, script, stage

#: Of each stage what its program does. Each writes NAME.txt.
BODIES = {
    "seed": "write('seed.txt', ' '.join({'a', 'b', 'c', 'd', 'e'}))",
    "clock": "import datetime, time\n\ntime.sleep(0.01)\n"
    "moment = datetime.datetime.now(datetime.UTC)\n"
    "write('clock.txt', f'{moment:%Y-%m-%d %H:%M}')",
    "year": "import time\n\nwrite('year.txt', time.strftime('%Y'))",
    "took": "import time\n\nbegin = time.perf_counter()\n"
    "write('took.txt', f'{time.perf_counter() - begin:.9f}')",
    "chance": "import random, uuid\n\nwrite('chance.txt', f'{random.random()} {uuid.uuid4()}')",
    "folder": "import os\n\nwrite('folder.txt', os.getcwd())",
    "zone": "import time\n\nwrite('zone.txt', time.strftime('%H', time.localtime(0)))",
    "locale": "import os\n\nwrite('locale.txt', os.environ.get('LC_ALL', 'none'))",
    "threads": "import os\n\nwrite('threads.txt', os.environ.get('OMP_NUM_THREADS', 'all'))",
    "listing": "import os\n\nwrite('listing.txt', ' '.join(os.listdir('files')))",
    "network": "import urllib.request\n\n"
    "write('network.txt', urllib.request.urlopen(read('address')).read().decode())",
    "input": "import re\n\nwrite('input.txt', re.sub('[^0-9]', '', read('params.yaml')))",
    "earlier": "write('earlier.txt', str(len(read('notes'))))",
    "address": "write('address.txt', str(id(object())) + open('/proc/self/stat').read())",
    "hand": "write('hand.txt', 'made')",
    "two": "import os, time\n\nwrite('two.txt', os.getcwd() + str(time.time()))",
    "package": "import six\n\nwrite('package.txt', six.__version__)",
    "library": "import ctypes\n\nwrite('library.txt', str(ctypes.CDLL(None).time(None)))",
}

#: Stages without Python; what each writes to NAME.txt.
COMMANDS = {
    "date": "date +%s",
    "shuffled": "shuf -i 1-1000 -n 9",
    "bash": "bash -c 'echo $RANDOM'",
    "fetched": "python -I -S -c 'from urllib.request import urlopen; "
    'print(urlopen(open("address").read()).read())\'',
    "r": "Rscript -e 'Sys.sleep(0.01); cat(as.numeric(Sys.time()), runif(1))'",
}

#: What is found of each.
CAUSES = {
    "seed": {"seed"},
    "clock": {"clock"},
    "year": {"clock"},
    "took": {"clock"},
    "chance": {"random"},
    "folder": {"folder"},
    "zone": {"zone"},
    "locale": {"locale"},
    "threads": {"threads"},
    "listing": {"listing"},
    "network": {"network"},
    "input": {"undeclared input params.yaml"},
    "earlier": {"undeclared input notes"},
    "address": set(),
    "hand": set(),
    "two": {"clock", "folder"},
    "package": {"package six"},
    "library": {"clock"},
    "date": {"clock"},
    "shuffled": {"random"},
    "bash": {"random"},
    "fetched": {"network"},
    "r": {"clock", "random"},
}

#: What programs need that may not be on a machine, by name of the stage.
NEEDED = {"bash": ("bash",), "r": ("Rscript", "faketime")}
NEEDED |= dict.fromkeys(("library", "date", "shuffled"), ("faketime",))


class Counter(BaseHTTPRequestHandler):
    """Answers each request with another number."""

    numbers = count()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d" % next(self.numbers))

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Counter) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, address: str) -> Stages:
    """Stages whose recorded outputs are those of another time, place or content."""
    stages: dict[str, Any] = {name: stage(name) for name in BODIES}
    for name, command in COMMANDS.items():
        if not lacking(name):
            outs = [f"{name}.txt"]
            stages[name] = {"cmd": f"{command} > {name}.txt", "deps": ["address"], "outs": outs}
    stages["network"] = stage("network", deps=["address"])
    files = {f"src/{name}.py": script(body) for name, body in BODIES.items()}
    files |= {f"files/{name}": "" for name in "bca"}
    files |= {"address": address, "params.yaml": "number: 1\n", "notes": "12"}
    made = make(tmp_path_factory.mktemp("causes") / "project", files, stages)
    made.commit()
    made.repo.write("notes", "123")
    made.repo.write("requirements.lock", "six==1.0\n")
    for name in stages:
        (made.root / f"{name}.txt").unlink()  # a link to the cache
        made.repo.write(f"{name}.txt", "2" if name == "earlier" else f"other {name}")
    made.dvc("commit", "--quiet", "--force")
    made.commit()
    return made


@pytest.fixture(scope="module")
def report(faulty: Stages) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(as_json(faulty.found()))
    return found


def lacking(name: str) -> str:
    """The program that a stage needs and that is not here; empty if it is."""
    if name == "fetched" and not can_cut_off():
        return "unshare"
    return next((one for one in NEEDED.get(name, ()) if not shutil.which(one)), "")


@pytest.mark.parametrize("name", CAUSES)
def test_just_the_cause_is_named(report: dict[str, Any], name: str) -> None:
    if program := lacking(name):
        pytest.skip(f"no {program} here (Debian: faketime, r-base), or it is not permitted")
    assert set(report["found"][name]) == CAUSES[name], report["causes"][name]


def test_a_cause_that_is_not_found_is_said_to_be_not_found(report: dict[str, Any]) -> None:
    for name, said in (("address", "other bytes each time"), ("hand", "the same bytes whatever")):
        assert report["causes"][name][0].startswith("Cause not found: ")
        assert said in report["causes"][name][0]
    assert "edited by hand" in report["causes"]["hand"][1]
    assert "edited by hand" not in " ".join(report["causes"]["address"])


def test_a_file_whose_earlier_content_makes_what_is_recorded_is_named_with_its_commit(
    faulty: Stages, report: dict[str, Any]
) -> None:
    before = faulty.repo.git("rev-parse", "--short=7", "HEAD~1").stdout.strip()
    assert f"with its content in {before}" in report["causes"]["earlier"][0]


def test_the_time_in_an_output_is_shown_as_the_clock_is_its_cause(report: dict[str, Any]) -> None:
    said = " ".join(report["causes"]["clock"])
    assert "clock.txt contains the time at which it was written" in said


def test_a_package_of_another_version_is_named_with_both(report: dict[str, Any]) -> None:
    assert re.search(
        r"package loads six 1\.\d+\.\d+ \(1\.0 in requirements\.lock of [0-9a-f]{7}\)\.",
        report["causes"]["package"][0],
    )


def test_without_libfaketime_it_is_said_what_was_not_changed(
    faulty: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload, "library", lambda: "")
    found = faulty.found(stages=["date", "clock"])
    assert found.found == {"date": [], "clock": ["clock"]}
    assert found.causes["date"][-1].startswith("libfaketime is not installed, so the clock is")
