"""Whether a person chose plain DVC."""

import os

from dvc_bucket.base.errors import SettingsError

#: The variable of the environment that does.
VARIABLE = "BUCKET_FAST"


def is_plain() -> bool:
    """Whether the environment has `BUCKET_FAST=0`.

    Raises:
        SettingsError: it has another value than 0 and 1.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen not in {"", "0", "1"}:
        raise SettingsError(f"{VARIABLE} is {chosen!r}. Set it to 0 for plain DVC, or unset it.")
    return chosen == "0"
