"""A hostile writer: somebody who can write to the bucket and send a pull request."""

import hashlib
import json
from random import Random

import obstore

from dvc_bucket.git import lfs_layout as layout
from tests.soak.campaign.inventory import Place, md5
from tests.soak.campaign.ledger import Allowed, exactly, nothing
from tests.soak.campaign.sandbox import Sandbox

#: The path that the pull request tracks.
NAME = "hostile"

#: Names in the list of a directory that lead out of it.
LEADING_OUT = (
    "../victim/thesis.txt",
    "../../victim/thesis.txt",
    "../../../victim/thesis.txt",
    "../todo.txt",
    "../data/raw/field-notes.txt",
    "a/../../todo.txt",
    "kept/data/../../../victim/thesis.txt",
)


def hostile_list(box: Sandbox, random: Random) -> Allowed:
    """A `.dvc` file and objects whose directory has files elsewhere."""
    body = f"owned {random.getrandbits(32):x}\n".encode()
    names = [*random.sample(LEADING_OUT, 3), str(box.root / "victim" / "thesis.txt"), "ok.txt"]
    random.shuffle(names)
    entries = [{"md5": md5(body), "relpath": name} for name in names[: random.choice((1, 2, 5))]]
    text = json.dumps(entries).encode()
    for content, end in ((body, ""), (text, ".dir")):
        name = md5(content)
        key = f"{box.prefix}/files/md5/{name[:2]}/{name[2:]}{end}"
        obstore.put(box.bucket, key, content)
    path = box.clone / f"{NAME}.dvc"
    path.write_text(
        f"outs:\n- md5: {md5(text)}.dir\n  size: {len(body) * len(entries)}\n"
        f"  nfiles: {len(entries)}\n  hash: md5\n  path: {NAME}\n"
    )
    return exactly([f"clone/{path.name}"])


def hostile_object(box: Sandbox, random: Random) -> Allowed:
    """An object of the bucket goes, or has other bytes: what only it had is given up."""
    keys = [one["path"] for batch in obstore.list(box.bucket, box.prefix) for one in batch]
    folder = random.choice((layout.FOLDER, "files/md5/"))
    objects = sorted(key for key in keys if folder in key)
    if not objects:
        return nothing
    key = random.choice(objects)
    if random.random() < 0.5:
        obstore.delete(box.bucket, key)
    else:
        wrong = hashlib.sha256(random.randbytes(8)).hexdigest()
        obstore.put(box.bucket, key, wrong.encode())
    return lambda _, place: place == Place(place.kind, f"bucket:{key}")
