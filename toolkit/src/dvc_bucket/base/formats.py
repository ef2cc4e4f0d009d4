"""Kinds of files by the end of their names: the same whatever a machine has registered."""

from pathlib import PurePosixPath

#: Of https://www.iana.org/assignments/media-types, but for what has none there.
MEDIA_TYPES = {
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".h5": "application/x-hdf5",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".jpg": "image/jpeg",
    ".j2": "text/plain",
    ".json": "application/json",
    ".lock": "text/plain",
    ".md": "text/markdown",
    ".nc": "application/netcdf",
    ".npy": "application/octet-stream",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".r": "text/x-r",
    ".sh": "application/x-sh",
    ".svg": "image/svg+xml",
    ".tar": "application/x-tar",
    ".toml": "application/toml",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}

#: By the whole name.
NAMED = {
    "config": "text/plain",
    "dvc.lock": "application/yaml",
    "LICENSE": "text/plain",
}


#: How the names of programs end, where the file is not executable.
CODE = (
    *(".awk", ".do", ".ipynb", ".jl", ".js", ".lua", ".m", ".pl", ".py", ".qmd", ".r", ".rb"),
    *(".rmd", ".sas", ".scala", ".sh", ".sql", ".ts"),
)


def is_code(path: str) -> bool:
    """Whether the name of a file says that it is a program."""
    return PurePosixPath(path).suffix.lower() in CODE


def media_type(path: str) -> str:
    """The media type of a file; empty where its name does not say."""
    name = PurePosixPath(path)
    return NAMED.get(name.name) or MEDIA_TYPES.get(name.suffix.lower(), "")
