"""The places inside DVC that add and check out data, and that run stages and experiments.

The other places are in `touch_points`.
"""

from dvc_bucket.dvc.patched.differences import ATTRIBUTE, CLASS
from dvc_bucket.dvc.patched.touch_points import TRANSFER_OBJECTS, attributes

#: Compares the work tree with stages one by one, each of which is locked.
STAGES_STATUS = "dvc.repo.status:_joint_status"

#: Reads the stages of a project; and finds the file system of an output, as each output calls it.
INDEX = "dvc.repo.index:Index.from_repo"
FILE_SYSTEM = "dvc.output:get_cloud_fs"

#: Notes where the data of an output is kept.
LOAD_STORAGE = "dvc.repo.index:_load_storage_from_out"

#: What reads the stages of a project in a process that is DVC.
READING_STAGES = {
    STAGES_STATUS: "pairs, check_updates=",
    INDEX: "cls, repo, onerror=",
    FILE_SYSTEM: "repo_config, **kwargs",
    LOAD_STORAGE: "storage_map, key, out",
    "dvc.data_cloud:DataCloud.get_remote": "self, name=, command=",
    "dvc.repo:Repo.cloud": ATTRIBUTE,
    "dvc.repo:Repo.stage_collection_error_handler": ATTRIBUTE,
    "dvc.stage.decorators:rwlocked": "call, read=, write=",
    "dvc_objects.fs.base:FileSystem._strip_protocol": "cls, path",
}

#: What records a stage: its entry in a lock file, its lines in `.gitignore`; and what unlocks the
#: clone while its command runs.
RECORD = "dvc.dvcfile:Lockfile.dump_stages"
DUMP = "dvc.stage:Stage.dump"
UNLOCKED = "dvc.stage.run:unlocked_repo"

#: What runs stages one after another, and the commands of one.
RUN_STAGES = "dvc.repo.reproduce:_reproduce"
RUN_COMMANDS = "dvc.stage.run:cmd_run"
REMOVE_OUTS = "dvc.stage:Stage.remove_outs"

#: What runs a stage, or takes it from the run cache.
RUN_STAGE = "dvc.stage:Stage.run"
RESTORE = "dvc.stage.cache:StageCache.restore"

#: What tells whether git tracks an output, and what notes a file that was put into the work tree.
IS_TRACKED = "scmrepo.git.backend.dulwich:DulwichBackend.is_tracked"
SET_LINK = "dvc_data.hashfile.state:State.set_link"

#: What tells whether such a file was changed since.
TIMES = "dvc_data.hashfile.state:get_mtime_and_size"

#: What writes a content as YAML.
DUMP_YAML = "dvc.utils.serialize._yaml:_dump"

#: What clones a file, and what tries which kinds of link two folders allow.
REFLINK = "dvc_objects.fs.system:reflink"
TRY_LINKS = "dvc_data.hashfile.checkout:test_links"

#: What runs the stages of a project.
REPRODUCING = {
    RUN_STAGE: "self, dry=, no_commit=, force=, allow_missing=, no_download=, **kwargs",
    RESTORE: "self, stage, run_cache=, pull=, dry=",
    RECORD: "self, stages, **kwargs",
    DUMP: "self, **kwargs",
    UNLOCKED: "f",
    RUN_STAGES: "stages, graph=, force_downstream=, on_error=, force=, repro_fn=, **kwargs",
    RUN_COMMANDS: "stage, dry=, run_env=",
    REMOVE_OUTS: "self, ignore_remove=, force=",
    IS_TRACKED: "self, path",
    SET_LINK: "self, path, inode, mtime",
    TIMES: "path, fs, ignore=",
    "dvc_data.hashfile.utils:_tokenize_mtimes": "files_mtimes",
    DUMP_YAML: "data, stream",
    REFLINK: "src, dst",
    TRY_LINKS: "links, from_fs, from_path, to_fs, to_path",
    **attributes("scmrepo.git.backend.dulwich:DulwichBackend", "repo root_dir"),
    **attributes("dvc_data.hashfile.state:State", "links root_dir"),
    **attributes("dvc.stage:Stage", "path_in_repo"),
    "dvc.stage:Stage.save_deps": "self, allow_missing=",
    "dvc.stage.cache:_can_hash": "stage",
    "dvc.stage.cache:_get_stage_hash": "stage",
    "dvc.repo.reproduce:_reproduce_stage": "stage, **kwargs",
    "dvc.repo.reproduce:_raise_error": "exc, *stages",
    "dvc.repo.reproduce:handle_error": "graph, on_error, exc, stage",
    "dvc.stage.run:_enforce_cmd_list": "cmd",
    "dvc.stage.run:_make_cmd": "executable, cmd",
    "dvc.stage.run:display_command": "cmd",
    "dvc.stage.run:get_executable": "",
    "dvc.stage.run:logger": ATTRIBUTE,
    "dvc.stage.run:prepare_kwargs": "stage, run_env=",
    "dvc.stage.exceptions:StageCmdFailedError.__init__": "self, cmd, status=",
    "dvc_data.hashfile.hash:hash_file": "path, fs, name, state=, callback=, info=",
    **attributes("dvc.output:Output", "hash_name"),
    "dvc.dvcfile:logger": ATTRIBUTE,
    "dvc.dvcfile:FileMixin.relpath": ATTRIBUTE,
    "dvc.stage.serialize:to_lockfile": "stage, **kwargs",
    "dvc.repo.scm_context:SCMContext.track_file": "self, paths=",
    "dvc.repo.scm_context:SCMContext.ignored_paths": ATTRIBUTE,
    **attributes("dvc.repo:Repo", "datafs dvcfs lock scm_context state"),
}

#: The functions with which an output hashes its files, moves them to the cache, notes their times,
#: and compares the work tree with what belongs there.
BUILD = "dvc.output:build"
ADDED = "dvc.output:otransfer"
ADDED_TIMES = "dvc_data.hashfile.utils:_get_mtime_from_changes"
DIFFERENCE = "dvc_data.hashfile.checkout:_diff"

#: What compares an output with the cache, and the cache with a remote.
CHANGED_CACHE = "dvc.output:Output.changed_cache"
CLOUD_STATUS = "dvc.repo.status:_cloud_status"

#: What is called for each file of a directory: which names are ignored, what was noted of a file,
#: and the list of all files.
WANTED = "dvc.ignore:DvcIgnorePatterns.__call__"
NOTED = "dvc_data.hashfile.state:State._get"
AS_BYTES = "dvc_data.hashfile.tree:Tree.as_bytes"

#: What adds a directory, and compares one.
ADDING = {
    BUILD: "odb, path, fs, name, upload=, dry_run=, ignore=, callback=, checksum_jobs=, **kwargs",
    ADDED: TRANSFER_OBJECTS,
    CHANGED_CACHE: "self, filter_info=",
    CLOUD_STATUS: (
        "self, targets=, jobs=, remote=, all_branches=, with_deps=, all_tags=, recursive=, "
        "all_commits="
    ),
    WANTED: "self, root, dirs, files",
    NOTED: "self, path, raw, info",
    AS_BYTES: "self, with_meta=",
    "dvc.data_cloud:DataCloud.get_remote_odb": "self, name=, command=, hash_name=",
    "dvc.ignore:DvcIgnorePatterns._get_normalize_path": "self, dirname, basename",
    "dvc.ignore:DvcIgnorePatterns._find_matching_pattern": "self, path, is_dir",
    "dvc.ignore:DvcIgnorePatterns._ignore": "self, path, is_dir",
    **attributes("dvc.ignore:DvcIgnorePatterns", "ignore_spec sep"),
    "dvc.output:Output.get_used_objs": "self, **kwargs",
    **attributes("dvc.output:Output", "cache files obj"),
    **attributes("dvc.stage:Stage", "is_partial_import"),
    "dvc_data.fsutils:_localfs_info": "path",
    "dvc_data.hashfile.build:DefaultIgnoreFile": ATTRIBUTE,
    "dvc_data.hashfile.build:_build_tree": (
        "path, fs, fs_info, name, odb=, upload_odb=, ignore=, callback=, dry_run=, "
        "checksum_jobs=, **kwargs"
    ),
    "dvc_data.hashfile.build:_get_hashes": (
        "paths, fs, name, infos, state=, callback=, jobs=, large_file_threshold="
    ),
    "dvc_data.hashfile.build:_get_staging": "odb",
    "dvc_data.hashfile.db:add_update_tree": "odb, tree",
    "dvc_data.hashfile.db:get_index": "odb",
    **attributes("dvc_data.hashfile.cache:Cache", "_sql"),
    "dvc_data.hashfile.meta:Meta.from_info": "cls, info, protocol=",
    "dvc_data.hashfile.state:_checksum": "info",
    "dvc_data.hashfile.state:State.HASH_VERSION": ATTRIBUTE,
    **attributes("dvc_data.hashfile.state:State", "hashes"),
    "dvc_data.json_compat:loads": "data",
    DIFFERENCE: "path, fs, obj, cache, relink=, ignore=, old=",
    "dvc_data.hashfile.checkout:_needs_relink": "path, cache, meta, cache_meta, oid",
    "dvc_data.hashfile.db.local:LocalHashFileDB.CACHE_MODE": ATTRIBUTE,
    "dvc_data.hashfile.db.reference:ReferenceHashFileDB.__init__": "self, fs, path, **config",
    "dvc_data.hashfile.db.reference:ReferenceHashFileDB.add": (
        "self, path, fs, oid, hardlink=, callback=, check_exists=, on_error=, **kwargs"
    ),
    "dvc_data.hashfile.db.reference:ReferenceHashFileDB.exists": "self, oid",
    "dvc_data.hashfile.db.reference:ReferenceHashFileDB.get": "self, oid",
    "dvc_data.hashfile.diff:Change.__init__": "self, old=, new=",
    "dvc_data.hashfile.diff:DiffResult.__init__": "self, added=, modified=, deleted=, unchanged=",
    "dvc_data.hashfile.diff:TreeEntry.__init__": "self, cache_meta=, key=, meta=, oid=",
    "dvc_data.hashfile.transfer:TransferResult": CLASS,
    "dvc_data.hashfile.tree:Tree.__init__": "self",
    "dvc_data.hashfile.tree:Tree.__iter__": "self",
    "dvc_data.hashfile.tree:Tree.__len__": "self",
    "dvc_data.hashfile.tree:Tree.digest": "self, with_meta=, name=",
    **attributes("dvc_data.hashfile.tree:Tree", "_dict"),
    ADDED_TIMES: "path, fs, diff, updated_mtimes",
    **attributes("dvc_data.hashfile.db:HashFileDB", "cache_types hash_name state"),
}

#: The functions of a check-out: what removes data that nothing tracks, what stops tracking data,
#: what refuses to remove files that are not in the cache, what sums up; what brings imported
#: data again; and what copies a file.
UNUSED_LINKS = "dvc.repo.checkout:_remove_unused_links"
REMOVE_STAGE = "dvc.stage:Stage.remove"
CAN_DELETE = "dvc.repo.checkout:_check_can_delete"
OUT_CHANGES = "dvc.repo.checkout:_build_out_changes"
UPDATE_IMPORT = "dvc.stage:update_import"
COPY_FILE = "dvc_objects.fs.local:copyfile"

#: What checks data out.
CHECKING_OUT = {
    UNUSED_LINKS: "repo",
    REMOVE_STAGE: "self, force=, remove_outs=, purge=",
    CAN_DELETE: "entries, index, path, fs",
    OUT_CHANGES: "index, changes",
    UPDATE_IMPORT: "stage, rev=, to_remote=, remote=, no_download=, jobs=, force=",
    COPY_FILE: "src, dest, callback=",
    "dvc_data.hashfile.hash:hash_file": "path, fs, name, state=, callback=, info=",
    "dvc_data.hashfile.state:State.get_unused_links": "self, used, fs",
    "dvc_data.index.index:StorageMapping.get_cache": "self, entry",
    "dvc_data.index.view:DataIndexView.iteritems": "self, prefix=, shallow=",
    **attributes("dvc.repo.index:IndexView", "repo"),
}

#: What runs the experiments of DVC's queue in folders of their own, and keeps their results.
EXECUTORS, QUEUES = "dvc.repo.experiments.executor", "dvc.repo.experiments.queue"
EXPERIMENTING = {
    "dvc.repo.experiments:Experiments.celery_queue": ATTRIBUTE,
    f"{QUEUES}.celery:LocalCeleryQueue._iter_queued": "self",
    f"{QUEUES}.celery:LocalCeleryQueue.celery": ATTRIBUTE,
    f"{QUEUES}.celery:LocalCeleryQueue.wdir": ATTRIBUTE,
    f"{QUEUES}.celery:LocalCeleryQueue.worker_status": "self",
    f"{QUEUES}.base:BaseStashQueue.collect_executor": "cls, exp, executor, exec_result",
    f"{QUEUES}.base:BaseStashQueue.get_infofile_path": "self, name",
    f"{QUEUES}.base:BaseStashQueue.get_stash_entry": "exp, queue_entry",
    f"{QUEUES}.base:BaseStashQueue.stash_failed": "self, entry",
    f"{EXECUTORS}.base:ExecutorInfo.load_json": "cls, filename",
    f"{EXECUTORS}.base:ExecutorInfo.dump_json": "self, filename",
    f"{EXECUTORS}.base:ExecutorInfo.result": ATTRIBUTE,
    f"{EXECUTORS}.base:BaseExecutor.from_info": "cls, info",
    f"{EXECUTORS}.base:BaseExecutor.info": ATTRIBUTE,
    f"{EXECUTORS}.local:ConfigObj": CLASS,
    f"{EXECUTORS}.local:TempDirExecutor.from_stash_entry": "cls, repo, entry, wdir=, **kwargs",
    f"{EXECUTORS}.local:TempDirExecutor.init_git": (
        "self, repo, scm, stash_rev, entry, infofile, branch="
    ),
    f"{EXECUTORS}.local:TempDirExecutor.init_cache": "self, repo, rev, run_cache=",
    f"{EXECUTORS}.local:TempDirExecutor.cleanup": "self, infofile=",
    "dvc.repo.experiments.stash:ExpStashEntry": CLASS,
    "dvc_task.app.filesystem:FSApp.reject": "self, delivery_tag",
    "dvc_task.app.filesystem:FSApp._queued_msg_path_cache": ATTRIBUTE,
}
