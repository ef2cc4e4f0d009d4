"""The objects that `dvc gc` would delete although git needs them, and the refusal to do it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.words import counted, shortened

#: Our own option. Its number is in the refusal, so that only a reader of the refusal can give it.
OPTION = "--delete-needed="

#: Entries of a long list that are shown.
MAX_LISTED_PLACES = 10


class NeededError(ProjectError):
    """A command would delete objects that commits need."""


@dataclass
class Lost:
    """The objects that would be deleted although commits need them.

    Attributes:
        command: in the words of the person.
        objects: of each, the path of the file, and the commits that need it.
        only_here: the number of those that are in this clone's cache and not on the remote.
        unknown: commits whose needs DVC cannot determine, and why.
        remotes: object databases of remotes that DVC would delete from.
        kept: hashes that are kept although no option of DVC's names them.
        failure: why the objects of a remote could not be listed.
    """

    command: str
    objects: dict[tuple[Any, str], tuple[str, list[str]]] = field(default_factory=dict)
    only_here: int = 0
    unknown: dict[str, str] = field(default_factory=dict)
    remotes: list[Any] = field(default_factory=list)
    kept: set[Any] = field(default_factory=set)
    failure: str = ""

    def refuse_unless(self, numbers: Sequence[str]) -> None:
        """Do nothing if nothing is needed, or if the person named the number of needed objects.

        Args:
            numbers: those that the person gave.

        Raises:
            NeededError: else; its message lists the objects, and names the options.
        """
        number = len(self.objects) + len(self.unknown)
        if number and self.failure:
            raise NeededError(
                f"`{self.command}` deleted nothing: it would delete objects that commits of this "
                f"clone may need, and the remote did not list its copies. {self.failure}"
            )
        if number and numbers != [str(number)]:
            wrong = [f"{OPTION}{numbers[0]} is not the right number."] if numbers else []
            raise NeededError("\n".join([*self._table(), self._ways_out(number), *wrong]))

    def _table(self) -> Iterator[str]:
        """The needed objects, and the commits that need them."""
        count = counted(len(self.objects), "object")
        only_here = (
            (f", {self.only_here:,} of which have no intact copy on the remote")
            if self.only_here
            else ""
        )
        yield (
            f"`{self.command}` would delete {count} that other commits of this clone need"
            f"{only_here}:"
            if self.objects
            else f"cannot determine which of the objects that `{self.command}` would delete "
            "these need:"
        )
        groups = Counter(
            (path.rpartition("/")[0] or path, ", ".join(commits[:MAX_LISTED_PLACES]))
            for path, commits in self.objects.values()
        )
        rows = [
            f"  {number:,} in {path}, needed by {commits}"
            for (path, commits), number in groups.most_common()
        ]
        yield from shortened(rows, MAX_LISTED_PLACES, " places")
        unknown = [f"  unknown: {name}: {why}" for name, why in self.unknown.items()]
        yield from shortened(unknown, MAX_LISTED_PLACES, " unknown")

    def _ways_out(self, number: int) -> str:
        """The options that keep the objects, and the one that deletes them."""
        push = "" if self.remotes else "push them (`bucket push --all-commits`), or "
        return (
            f"Nothing was deleted. To keep them, {push}add --all-branches --all-tags --all-commits "
            "(and --all-experiments for the data of `dvc exp`). To delete them, add "
            f"{OPTION}{number}."
        )
