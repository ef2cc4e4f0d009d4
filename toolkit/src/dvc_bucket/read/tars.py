"""The files of a tar as a stream, to its very end: a damaged tar is none that ends early."""

import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Self

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import FormatError

#: Bytes of a tar that are read at a time.
TAR_BYTES = 8 * 1024 * 1024


def files_in(stream: BinaryIO, place: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of a tar.

    Args:
        stream: the tar.
        place: its name, for messages.

    Raises:
        FormatError: the tar is damaged or incomplete, or has a sparse file: that can claim any
            number of bytes that are not in the tar.
        UnsafePathError: a name is not a path in a folder.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Entry) as archive:
            for entry in archive:
                if entry.isfile() and (file := archive.extractfile(entry)):
                    safe_paths.check(entry.name.removeprefix("./"))
                    yield entry.name, file.read()
            _check_end(archive)
    except (tarfile.TarError, ValueError, RecursionError) as error:
        raise FormatError(
            f"{place} is a damaged or incomplete tar ({error}). Download it again, or pack it "
            "again with `bucket pack`."
        ) from None


class _Entry(tarfile.TarInfo):
    """A header of a tar. Python's own takes a damaged one for the end of the tar."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """Read the next header.

        Raises:
            ReadError: it is damaged, or says more of a file than a tar has bytes.
        """
        try:
            entry = super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the proper end
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None
        if entry.issparse():
            raise tarfile.ReadError(f"{entry.name!r} is a sparse file")
        if entry.type not in tarfile.SUPPORTED_TYPES or entry.size < 0:
            raise tarfile.ReadError(f"{entry.name!r} is of an unknown kind or size")
        return entry


def _check_end(archive: tarfile.TarFile) -> None:
    """After the last file come zeros: anything else are files that were not read."""
    stream: Any = archive.fileobj
    while piece := stream.read(TAR_BYTES):
        if piece.strip(b"\0"):
            raise tarfile.ReadError("there is data after the end mark")
