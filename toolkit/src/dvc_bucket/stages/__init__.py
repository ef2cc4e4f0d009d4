"""For the author of a stage: all that lies between `dvc.yaml` and a pure function.

Importing it has a script that is in a package import the modules of its own checkout: queued and
temporary experiments of DVC, and `bucket check`, run copies. Import it before those modules.

The shell of a script
    run_stage           run `main` as the stage's command line; one clear line on bad input
    run_program         the same for a program that is no stage
    StageError          bad input: what was found, where, and the fix

Parameters
    Params              one section of `params.yaml` as a typed, validated model

Tables and small files, the same bytes for the same content
    read_parquet        a Parquet file, or those of a folder, as a frame
    write_parquet       a frame as Parquet of a given schema
    conform             the columns of a schema, sorted by a key
    split_by            rows to one Arrow file for each value of a column
    read_json           a JSON file
    write_json          JSON with sorted keys and rounded floats
    write_csv           a small table for `dvc plots`
    write_text          UTF-8 text
    DECIMALS            decimals of floats in JSON and CSV

Files and folders of any format
    complete_or_absent  a path that takes its name when it is complete
    scratch             a folder for one block

Partitions
    map_partitions      a function applied to each, in processes or on a cluster of Dask
    resumable           an output folder that a second run completes
    ResumableFolder     that folder while it is made
    unfinished          the partitions that it still lacks
"""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names
from dvc_bucket.base.own_code import import_own_code

if TYPE_CHECKING:
    from dvc_bucket.base.errors import StageError
    from dvc_bucket.stages.outputs import complete_or_absent, scratch
    from dvc_bucket.stages.params import Params
    from dvc_bucket.stages.partitions import map_partitions
    from dvc_bucket.stages.resume import ResumableFolder, resumable, unfinished
    from dvc_bucket.stages.shell import run_program, run_stage
    from dvc_bucket.stages.tables import conform, read_parquet, split_by, write_parquet
    from dvc_bucket.stages.text_files import DECIMALS, read_json, write_csv, write_json, write_text
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "DECIMALS": "dvc_bucket.stages.text_files",
            "Params": "dvc_bucket.stages.params",
            "ResumableFolder": "dvc_bucket.stages.resume",
            "StageError": "dvc_bucket.base.errors",
            "complete_or_absent": "dvc_bucket.stages.outputs",
            "conform": "dvc_bucket.stages.tables",
            "map_partitions": "dvc_bucket.stages.partitions",
            "read_json": "dvc_bucket.stages.text_files",
            "read_parquet": "dvc_bucket.stages.tables",
            "resumable": "dvc_bucket.stages.resume",
            "run_program": "dvc_bucket.stages.shell",
            "run_stage": "dvc_bucket.stages.shell",
            "scratch": "dvc_bucket.stages.outputs",
            "split_by": "dvc_bucket.stages.tables",
            "unfinished": "dvc_bucket.stages.resume",
            "write_csv": "dvc_bucket.stages.text_files",
            "write_json": "dvc_bucket.stages.text_files",
            "write_parquet": "dvc_bucket.stages.tables",
            "write_text": "dvc_bucket.stages.text_files",
        },
    )

# Here and not in `run_stage`: the imports of the script's own modules come before that.
import_own_code()

__all__ = [
    "DECIMALS",
    "Params",
    "ResumableFolder",
    "StageError",
    "complete_or_absent",
    "conform",
    "map_partitions",
    "read_json",
    "read_parquet",
    "resumable",
    "run_program",
    "run_stage",
    "scratch",
    "split_by",
    "unfinished",
    "write_csv",
    "write_json",
    "write_parquet",
    "write_text",
]
