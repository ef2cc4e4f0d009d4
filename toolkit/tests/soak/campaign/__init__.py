"""The fault campaign: random days of a user, with faults, and a ledger of every content.

**The promise.** No content that exists before a step is gone after it, unless the step allows it.
A content is the bytes of a file, known by their SHA-256. It exists as long as one of these places
has it:

- a file, tracked or not: the clone, a colleague's clone, folders outside, output folders;
- git: blobs that a reference, the stash, the reflog or the index of any work tree reaches, in both
  clones and in `origin.git`; a hook that the user wrote;
- DVC: objects in the cache of a clone and in the bucket;
- Git LFS: objects in the clones and in the bucket.

An object of DVC or Git LFS counts only if its bytes have the hash in its name: a damaged copy is no
copy. A symbolic link counts for nothing; its target is counted where it is.

**Not counted**: empty files, and files that the tools make again: `.dvc/tmp`,
`.dvc/config.local`, `.venv`, `__pycache__`, caches of linters, files below the sandbox's `home` and
`tmp`, DVC's cache of runs.

**Allowed losses.** A step allows the loss of a content only if *each* place that had it is allowed
to lose it:

- *The user's own steps* declare the paths that they edit or remove. Commands of git that rewrite
  the index (`git add`, `git stash pop`) allow the loss of blobs.
- *add* rewrites `.dvc` files and `.gitignore`; *reproduce* also rewrites `dvc.lock` and the outputs
  that `dvc.yaml` or `dvc.lock` declares.
- *stage* and *provenance* replace files in their output folder that an earlier step of theirs wrote
  and that nobody changed since. `stage --force` also replaces files of the names that it brings, if
  neither git nor DVC tracks them.
- *gc* deletes objects of DVC that nothing needs. The campaign computes the need by itself
  (`needs.py`): `.dvc` files and `dvc.lock` of all commits that references reach, of every stash, of
  the index and of the files on disk, and with `--reflog` of the commits in the reflog.
- `git lfs prune` is not ours. It may lose local objects that no branch or tag needs, and any object
  after `bucket lfs setup --undo`. `bucket lfs prune` may lose nothing.
- *clean* and all other commands allow nothing. A stage's output that `clean` removes must therefore
  be in the cache or in the bucket.

**Faults.** A command can be killed (SIGKILL to its process group) at a random moment, meet a full
disk, or lose the store. The ledger must hold after the fault. The same command then runs without a
fault: it must finish or refuse in words, without a traceback, and the ledger must hold again.
Contents that first appear in an interrupted command count only where a name proves them: the rest
can be half a file.

A sequence is reproduced by its seed, except for the moment of a kill, which depends on the machine.
"""
