"""Keys for one Dask cluster: `tls.py FOLDER` writes them there, for its owner alone.

Whoever reaches a Dask scheduler or worker can have it run any code. So each asks for a certificate
of this job's own authority, whose key only the job has, and the network carries nothing readable.
"""

import os
import sys
from pathlib import Path

from distributed.security import Security


def write_keys(folder: Path) -> None:
    """Write `certificate.pem`, its own authority, and `key.pem` to a new private folder."""
    security = Security.temporary()
    folder.mkdir(mode=0o700)
    files = {"certificate.pem": security.tls_ca_file, "key.pem": security.tls_client_key}
    for name, text in files.items():
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(str(text))


if __name__ == "__main__":
    write_keys(Path(sys.argv[1]))
