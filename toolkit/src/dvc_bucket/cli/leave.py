"""`bucket leave`."""


def leave() -> None:
    """Write what this project needs to go on with plain DVC.

    LEAVING.md lists the steps: the remote, the keys, the packages, the stages and files that use
    the toolkit, and the hooks in this clone. requirements-plain.lock has the packages without the
    toolkit. Nothing else changes, and data stays where it is.

    Examples:
      bucket leave
      make leave
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.base.words import counted
    from dvc_bucket.jobs import leave as leaving

    project = Project.find()
    planned = leaving.plan(project)
    new = leaving.write(project, planned)
    print(f"Wrote {' and '.join(new)}." if new else f"{leaving.PAGE} is up to date.")
    print(f"Imports of the toolkit: in {counted(len(planned.stages), 'stage')}.")
