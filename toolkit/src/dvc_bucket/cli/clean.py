"""`bucket clean`."""


def clean() -> None:
    """Remove data from the work tree that the cache or the bucket can restore.

    Outputs of stages are removed if they match dvc.lock and the cache or the bucket has them. Data
    of `dvc add` is removed if the bucket has it. Data that DVC does not track, the cache and the
    embedded store stay. The output lists what stays and why.

    Examples:
      bucket clean
      make clean       # also removes the caches of tools, and .venv
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs import clean as cleaning

    print(cleaning.describe(cleaning.clean(Project.find())))
