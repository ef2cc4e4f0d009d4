"""The paths of stages are locked once, and not for longer than DVC would lock them."""

import subprocess
import sys
import textwrap

from tests.patched.small_repos import Small

#: Runs `status` as `bucket` does. Prints its exit status, how often the list of locked paths was
#: edited, and what is locked while the stages are compared.
COUNT = """
    import json
    from pathlib import Path
    from dvc import rwlock
    from dvc.stage import Stage
    from dvc_bucket.dvc import process
    edits, edit, status, held = [], rwlock._edit_rwlock, Stage.status, []
    def counted(*arguments):
        edits.append(arguments)
        return edit(*arguments)
    def seen(*arguments, **named):
        held.append(json.loads(Path(".dvc/tmp/rwlock").read_text()))
        return status(*arguments, **named)
    rwlock._edit_rwlock, Stage.status = counted, seen
    done = process.main(["status"])
    print(done, len(edits), len(held), any(map(any, map(dict.values, held))))
"""


def test_status_locks_the_paths_of_all_stages_at_once(ran: Small) -> None:
    command = [sys.executable, "-c", textwrap.dedent(COUNT)]
    done = subprocess.run(command, cwd=ran.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 2 2 False"
