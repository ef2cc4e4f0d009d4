"""The crate of a commit: title, authors and licence; its papers; then the run (`actions`)."""

from typing import TYPE_CHECKING

from dvc_bucket.jobs.provenance import actions
from dvc_bucket.jobs.provenance.facts import Facts
from dvc_bucket.jobs.provenance.files import FileGraph
from dvc_bucket.jobs.provenance.graph import Graph, local_id
from dvc_bucket.jobs.provenance.papers import README, Author

if TYPE_CHECKING:
    from rocrate.model import Entity


def graph_of(facts: Facts) -> Graph:
    """The crate of a commit; the same for the same facts."""
    graph = FileGraph(facts)
    _describe_root(graph)
    for path in facts.papers.pages:
        graph.file(path)
    if README in facts.papers.pages:
        graph.file(README, about=graph.root)
    actions.add(graph)
    return graph


def _describe_root(graph: FileGraph) -> None:
    papers, revision = graph.facts.papers, graph.facts.commit.revision
    commit = revision.commit
    authors = [_author(graph, author, number) for number, author in enumerate(papers.authors, 1)]
    code = graph.context(
        papers.commit_page(commit) or local_id("commit", commit),
        "SoftwareSourceCode",
        name=f"The git commit {commit[:12]}",
        version=commit,
        # https://docs.softwareheritage.org/devel/swh-model/persistent-identifiers.html
        identifier=f"swh:1:rev:{commit}" if len(commit) == 40 else None,
        codeRepository=papers.repository,
        dateModified=revision.date,
        license=graph.licence(papers.licence),
        author=authors,
    )
    graph.describe(
        graph.root,
        name=papers.title,
        description=f"{papers.description.rstrip('.')}. The run of its stages that the git commit "
        f"{commit} records, with the code; data is referred to by its hash where it is not in here."
        if papers.description
        else f"The run of the stages that the git commit {commit} records, with the code.",
        license=graph.licence(papers.licence),
        author=authors,
        isBasedOn=code,
        version=commit,
    )


def _author(graph: Graph, author: Author, number: int) -> "Entity":
    is_group = not author.family_name and not author.given_name
    return graph.context(
        author.address or local_id("author", str(number)),
        "Organization" if is_group else "Person",
        name=author.name,
        familyName=author.family_name,
        givenName=author.given_name,
        url=author.address if is_group else None,
        affiliation=graph.context(
            local_id("organization", author.affiliation), "Organization", name=author.affiliation
        )
        if author.affiliation
        else None,
    )
