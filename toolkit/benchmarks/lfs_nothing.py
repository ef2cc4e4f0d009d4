"""An agent of git-lfs that has nothing to do: what is left is what git-lfs itself takes.

`python -I -S benchmarks/lfs_nothing.py OBJECTS`, started by git-lfs: an upload is done at once, and
a download is a second name of the file in the folder OBJECTS.
"""

import json
import os
import sys


def main(objects: str) -> None:
    """Answer until git-lfs says `terminate`."""
    os.makedirs(".git/lfs/tmp", exist_ok=True)  # noqa: PTH103 (for speed, here and below)
    for line in sys.stdin:
        request = json.loads(line)
        if request["event"] == "terminate":
            return
        answer = {}
        if request["event"] != "init":
            oid = request["oid"]
            answer = {"event": "complete", "oid": oid}
            if request["event"] == "download":
                answer["path"] = os.path.abspath(f".git/lfs/tmp/{oid}-nothing")  # noqa: PTH100
                os.link(f"{objects}/{oid[:2]}/{oid[2:4]}/{oid}", answer["path"])
        print(json.dumps(answer), flush=True)


main(sys.argv[1])
