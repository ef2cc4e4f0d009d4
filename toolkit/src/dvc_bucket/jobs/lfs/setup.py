"""`bucket lfs setup`: configures git-lfs of this clone to use the bucket, and undoes it.

All of it is in the clone's own git configuration: git-lfs reads these keys from no file that is in
git. Nothing of it is secret, and no path of this machine is in it: a clone can be moved.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from dvc_bucket.base.errors import ProgramError, ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.git import lfs_layout as layout
from dvc_bucket.git.contents import Repository, ended, git
from dvc_bucket.git.hooks import configuration, push
from dvc_bucket.git.hooks.install import script, write

#: What git-lfs calls the agent.
NAME = "bucket"

#: The agent's script in the folder that all work trees share.
SCRIPT = "bucket-lfs-agent"

#: git-lfs starts `PATH ARGS` by a shell, which becomes the agent: so all agents have one parent.
AGENT = {"path": "exec", "args": f'sh "$(git rev-parse --git-common-dir)/{SCRIPT}"'}

#: The key that says for which remote an agent is.
STANDALONE = "standalonetransferagent"

#: With these `git lfs prune` keeps every object that a branch or tag needs: nothing was pushed to a
#: remote that does not exist, and a commit of the last hundred years is a recent one. git-lfs has
#: no switch for pruning, and asks no standalone agent whether the remote has an object.
NO_PRUNE = {
    "lfs.pruneremotetocheck": "none-use-bucket-lfs-prune",
    "lfs.pruneoffsetdays": "36500",
    "lfs.fetchrecentcommitsdays": "1",
}

#: What is in git-lfs's own hook, and in one that calls it.
CALLS_LFS = (b"git lfs pre-push", b"git-lfs pre-push")


def setup(project: Project, remote: str | None = None) -> list[str]:
    """Have git-lfs move the objects of a git remote to and from the bucket.

    Args:
        project: in the clone.
        remote: git's name of it; None for `origin`, or the only one.

    Returns:
        Sentences about the configuration now.

    Raises:
        ProgramError: git-lfs is not installed.
        ProjectError: there is no such remote, no git repository, or the hook cannot be put there.
    """
    repository = Repository.of(project)
    root = repository.project
    _require_git_lfs(root)
    name = _remote(root, remote)
    scopes = list(dict.fromkeys(_scopes(root, name)))
    pattern = Path(__file__).with_name("agent.sh")
    write(repository.git_dir / SCRIPT, script(pattern, repository))
    for key, value in AGENT.items():
        git(root, "config", "--local", f"lfs.customtransfer.{NAME}.{key}", value)
    for scope in scopes:
        configuration.put(root, f"lfs.{scope}.{STANDALONE}", NAME)
    for key, value in NO_PRUNE.items():
        configuration.put(root, key, value)
    where = "s3://{}/{}".format(*config.address(project))
    sentences = [
        f"In this clone git-lfs now stores the objects of the remote {name} ({', '.join(scopes)}) "
        f"in {where}/{layout.FOLDER}.",
        "`git lfs prune` deletes local copies without checking the bucket. In this clone it now "
        "keeps objects that branches and tags need. It still deletes all other objects. Use "
        "`bucket lfs prune`, which deletes only objects that are in the bucket.",
    ]
    return [*sentences, *filter(None, (_filters(root), _hook(repository, project)))]


def undo(project: Project) -> list[str]:
    """Take back what `setup` did; filters stay, as files of Git LFS are of no use without them.

    Returns:
        Sentences about the configuration now.

    Raises:
        ProjectError: there is no git repository.
    """
    repository = Repository.of(project)
    root = repository.project
    pattern = rf"^lfs\..*\.{STANDALONE}$"
    names = ended(root, "config", "--local", "--null", "--name-only", "--get-regexp", pattern)
    for key in filter(None, os.fsdecode(names.stdout).split("\0")):
        configuration.drop(root, key, NAME)
    ended(root, "config", "--local", "--remove-section", f"lfs.customtransfer.{NAME}")
    for key, value in NO_PRUNE.items():
        configuration.drop(root, key, value)
    (repository.git_dir / SCRIPT).unlink(missing_ok=True)
    push.remove_for_lfs(project)
    return ["git-lfs in this clone uses the LFS server of its remotes again, not the bucket."]


def _require_git_lfs(root: Path) -> None:
    """Make sure that git-lfs is installed; the error is that of `setup`."""
    try:
        git(root, "lfs", "version")
    except ProjectError:
        raise ProgramError(
            "git-lfs is not installed, or not on the PATH. Install it (Debian and Ubuntu: "
            "`apt install git-lfs`; macOS: `brew install git-lfs`), then run this again."
        ) from None


def _remote(root: Path, name: str | None) -> str:
    """The name of the remote: the given one, `origin`, or the only one."""
    names = git(root, "remote").decode().split()
    chosen = name or ("origin" if "origin" in names else names[0] if len(names) == 1 else "")
    if chosen in names:
        return chosen
    if not names:
        raise ProjectError("This clone has no git remote. Add one: `git remote add origin URL`.")
    fault = f"has no remote {name}" if name else "has several remotes, and none is origin"
    raise ProjectError(
        f"This clone {fault}. Name one of {', '.join(names)}: `bucket lfs setup --remote NAME`."
    )


def _scopes(root: Path, remote: str) -> Iterator[str]:
    """The remote's URLs, to fetch from and to push to, as git-lfs looks for them."""
    for way in ([], ["--push"]):
        url = os.fsdecode(git(root, "remote", "get-url", *way, remote)).rstrip("\n")
        if url.startswith("/"):
            yield f"file://{url}"
        elif url.startswith("."):
            raise ProjectError(
                f"The remote {remote} has the relative path {url}, for which git-lfs accepts no "
                f'agent. Make it absolute: `git remote set-url {remote} "$(realpath {url})"`.'
            )
        else:
            yield _endpoint(root, remote, url)


def _endpoint(root: Path, remote: str, url: str) -> str:
    """What git-lfs makes of a remote's URL, which for SSH is another; without a person's name."""
    text = os.fsdecode(git(root, "-c", f"remote.{remote}.url={url}", "lfs", "env"))
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    endpoint = lines.get(f"Endpoint ({remote})") or lines.get("Endpoint", url)
    parts = urlsplit(endpoint.rpartition(" (auth=")[0] or endpoint)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _filters(root: Path) -> str | None:
    """Have git run git-lfs for the files that `.gitattributes` names, if it does not."""
    if ended(root, "config", "--includes", "--get", "filter.lfs.process").stdout:
        return None
    git(root, "lfs", "install", "--local", "--skip-repo")
    return "git now runs git-lfs for the files that .gitattributes names (`git lfs track`)."


def _hook(repository: Repository, project: Project) -> str | None:
    """Have a push send the objects first, whatever hook is there."""
    if push.HOOK.found(repository) is None:
        push.LFS_ONLY.check_is_of(repository)
        with suppress(ProjectError):  # another of its hooks is somebody else's: it needs none
            git(repository.project, "lfs", "install", "--local")
    text = push.HOOK.found(repository) or b""
    if not push.HOOK.is_ours(text) and any(words in text for words in CALLS_LFS):
        return None
    return push.install_for_lfs(project)
