"""The crate: who, what and under which licence; then the run (`actions`) and its data (`data`)."""

from typing import TYPE_CHECKING

from dvc_bucket.jobs.provenance import actions
from dvc_bucket.jobs.provenance.data import Data
from dvc_bucket.jobs.provenance.facts import Facts
from dvc_bucket.jobs.provenance.graph import Graph, local_id
from dvc_bucket.jobs.provenance.licences import licence
from dvc_bucket.jobs.provenance.papers import README, Author

if TYPE_CHECKING:
    from rocrate.model import Entity


def graph(facts: Facts) -> Graph:
    """The crate of a commit; the same for the same facts."""
    made = Graph(facts.revision.date)
    data = Data(made, facts)
    _root(made, facts)
    for path in facts.papers.pages:
        data.text(path)
    if README in facts.papers.pages:
        made.say(made.crate.get(README), about=made.root)
    actions.add(made, facts, data)
    return made


def _root(made: Graph, facts: Facts) -> None:
    papers, commit = facts.papers, facts.revision.commit
    authors = [_author(made, author, number) for number, author in enumerate(papers.authors, 1)]
    code = made.context(
        f"{papers.repository}/commit/{commit}" if papers.repository else local_id("commit", commit),
        "SoftwareSourceCode",
        name=f"The git commit {commit[:12]}",
        version=commit,
        # https://docs.softwareheritage.org/devel/swh-model/persistent-identifiers.html
        identifier=f"swh:1:rev:{commit}" if len(commit) == 40 else None,
        codeRepository=papers.repository,
        dateModified=facts.revision.date,
        license=licence(made, papers.licence),
        author=authors,
    )
    made.say(
        made.root,
        name=papers.title,
        description=f"{papers.description.rstrip('.')}. The run of its stages that the git commit "
        f"{commit} records, with the code; data is referred to by its hash where it is not in here."
        if papers.description
        else f"The run of the stages that the git commit {commit} records, with the code.",
        license=licence(made, papers.licence),
        author=authors,
        isBasedOn=code,
        version=commit,
    )


def _author(made: Graph, author: Author, number: int) -> "Entity":
    group = not author.family_name and not author.given_name
    return made.context(
        author.address or local_id("author", str(number)),
        "Organization" if group else "Person",
        name=author.name,
        familyName=author.family_name,
        givenName=author.given_name,
        url=author.address if group else None,
        affiliation=made.context(
            local_id("organization", author.affiliation), "Organization", name=author.affiliation
        )
        if author.affiliation
        else None,
    )
