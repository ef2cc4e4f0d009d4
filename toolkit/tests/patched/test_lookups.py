"""What DVC notes of a directory in the work tree is the same, with less memory."""

from pathlib import Path
from typing import Any

import pytest
from dvc_data.hashfile.utils import get_mtime_and_size
from dvc_objects.fs.local import localfs

from dvc_bucket.dvc.patched import lookups


@pytest.mark.parametrize("ignored", ["", "*.tmp\nsub/b*\n"])
def test_whether_a_directory_changed_is_told_as_dvc_tells_it(
    ignored: str, tmp_dir: Any, dvc: Any
) -> None:
    root = Path(tmp_dir)
    (root / ".dvcignore").write_text(ignored, encoding="utf-8")
    folder = root / "data"
    (folder / "sub" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    for name in ("a.tmp", "sub/b", 'sub/é"\\', "sub/deep/c\n", "sub-b"):
        (folder / name).write_text(name, encoding="utf-8")
    (folder / "link").symlink_to("a.tmp")
    (folder / "broken").symlink_to("nowhere")
    ours = lookups.mtime_and_size(get_mtime_and_size)
    dvc._reset()
    for path in (folder, root / "empty", folder / "sub-b"):
        for ignore in (None, dvc.dvcignore):
            found = ours(str(path), localfs, ignore)
            assert found == get_mtime_and_size(str(path), localfs, ignore)
