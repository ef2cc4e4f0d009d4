"""The places inside DVC that the toolkit uses, each with the signature that it was written for.

A function or method has its parameters: names, kinds and whether there is a default. A class, and
anything that is neither, has what it is. The places are grouped by what uses them.
"""

from dvc_bucket.dvc.patched.differences import ATTRIBUTE, CLASS


def attributes(holder: str, names: str) -> dict[str, str]:
    """The places of some attributes of a class: `module:Class`, and names separated by blanks."""
    return {f"{holder}.{name}": ATTRIBUTE for name in names.split()}


#: What is replaced in a process that is DVC: the dictionary of file systems by scheme ...
REGISTRY = "dvc_objects.fs:known_implementations"

#: ... the function that moves many files, which its module and `dvc.fs` look up at each call ...
COPY = "dvc_objects.fs.generic:copy"

#: ... its caller, which tries links first, and so moves the first file of many by itself ...
TRANSFER = "dvc_objects.fs.generic:transfer"

#: ... the function that lists what a push or a pull is about. It keeps its list in DVC's index on
#: disk, bit by bit, and does not make it again: when a command is interrupted there, the next one
#: takes the part for the whole, and a push says that everything is sent. In memory it is fast ...
COLLECT = "dvc_data.index.fetch:collect"

#: ... the locks: of paths, where ours waits, and of the clone, which it lets go meanwhile ...
PATHS_LOCK = "dvc.rwlock:rwlock"
MAKE_LOCK = "dvc.lock:make_lock"
REPRODUCE = "dvc.stage:Stage.reproduce"

#: ... and the method that reads the list of a directory. A check-out joins its names to a folder.
READ_LIST = "dvc_data.hashfile.tree:Tree.from_list"

#: The method that finds out which objects a remote has, by a listing or one by one.
EXIST = "dvc_objects.db:ObjectDB.oids_exist"

#: The method that makes the folder for an object, which an object store does not need.
FOLDERS = "dvc_objects.db:ObjectDB._init"

#: The methods that find a key in DVC's index: the nodes on the path to it, and its storages.
NODES = "sqltrie.sqlite.sqlite:SQLiteTrie._traverse"
STORAGE = "dvc_data.index.index:StorageMapping.__getitem__"

#: The function that moves what `collect` lists, as `fetch` and `push` call it.
FETCHED = "dvc_data.index.fetch:transfer"
PUSHED = "dvc_data.index.push:transfer"
TRANSFER_OBJECTS = (
    "src, dest, obj_ids, jobs=, verify=, hardlink=, validate_status=, src_index=, dest_index=, "
    "cache_odb=, shallow=, callback="
)

#: The functions that compare the work tree with what belongs there, and change it.
COMPARE = "dvc_data.index.checkout:compare"
APPLY = "dvc_data.index.checkout:apply"

#: The property that has the configuration of a project, our own or another one.
CONFIG = "dvc.repo:Repo.config"

#: The function that reports an error which is none of DVC's own.
REPORT = "dvc.cli:_log_exceptions"

#: The method that makes the options of the S3 client.
CREDENTIALS = "dvc_s3:S3FileSystem._prepare_credentials"

#: What a process that is DVC uses to move data fast and to wait for another one.
MOVING = {
    REGISTRY: ATTRIBUTE,
    COPY: "from_fs, from_path, to_fs, to_path, callback=, batch_size=, on_error=",
    TRANSFER: (
        "from_fs, from_path, to_fs, to_path, hardlink=, links=, callback=, batch_size=, on_error="
    ),
    COLLECT: "idxs, storage, callback=, cache_index=, cache_key=, push=",
    PATHS_LOCK: "tmp_dir, fs, cmd, read, write, hardlink",
    MAKE_LOCK: "lockfile, tmp_dir=, friendly=, hardlink_lock=, wait=",
    REPRODUCE: "self, interactive=, **kwargs",
    READ_LIST: "cls, lst, hash_name=",
    CONFIG: ATTRIBUTE,
    REPORT: "exc",
    EXIST: "self, oids, jobs=, progress=",
    FOLDERS: "self, dname",
    NODES: "self, key",
    STORAGE: "self, key",
    FETCHED: TRANSFER_OBJECTS,
    PUSHED: TRANSFER_OBJECTS,
    COMPARE: "old, new, relink=, delete=, callback=, **kwargs",
    APPLY: ("diff, path, fs, callback=, update_meta=, jobs=, storage=, onerror=, state=, links="),
    "dvc_data.hashfile.cache:Cache.__init__": (
        "self, directory=, timeout=, disk=, type=, **settings"
    ),
    "dvc_data.hashfile.meta:Meta.__init__": (
        "self, isdir=, size=, nfiles=, isexec=, version_id=, etag=, checksum=, md5=, inode=, "
        "mtime=, remote=, is_link=, destination=, nlink="
    ),
    "dvc_data.hashfile.state:State.save_many": "self, items, fs",
    "dvc_data.index.diff:Change.__init__": ("self, typ, old, new"),
    "dvc_data.index.index:DataIndexEntry.__init__": ("self, key=, meta=, hash_info=, loaded="),
    "dvc_data.index.index:DataIndex.has_node": "self, key",
    "dvc_data.index.view:DataIndexView.__init__": "self, index, filter_fn",
    "dvc_data.hashfile.db.index:ObjectDBIndex.update": "self, dir_hashes, file_hashes",
    "dvc_data.hashfile.db.index:ObjectDBIndexBase.clear": "self",
    "dvc_data.hashfile.db.index:ObjectDBIndexBase.dir_hashes": "self",
    "dvc_data.hashfile.db.index:ObjectDBIndexBase.intersection": "self, hashes",
    **attributes("dvc_data.hashfile.db.index:ObjectDBIndex", "_cache"),
    "dvc_data.hashfile.db.local:LocalHashFileDB.check": "self, oid, check_hash=, _info=",
    "dvc_data.hashfile.db.local:LocalHashFileDB.protect": "self, path",
    "dvc_data.hashfile.hash_info:HashInfo.__init__": "self, name=, value=, obj_name=",
    "dvc_data.hashfile.transfer:_log_exception": "oid, exc",
    "dvc_data.index.index:ObjectStorage.__init__": ("self, key, odb, index=, read_only="),
    "dvc_data.index.view:DataIndexView.has_node": "self, key",
    **attributes("dvc_data.index.view:DataIndexView", "_index filter_fn"),
    "dvc_objects.db:ObjectDB.list_oids_exists": "self, oids, jobs=",
    "dvc_data.index.index:StorageInfo.__init__": "self, data=, cache=, remote=",
    **attributes("dvc_data.index.index:StorageMapping", "_map"),
    **attributes("sqltrie.sqlite.sqlite:SQLiteTrie", "_conn _root_id"),
    "dvc_objects.db:ObjectDB.oid_to_path": "self, oid",
    **attributes("dvc_objects.db:ObjectDB", "fs path"),
    CREDENTIALS: "self, **config",
    "dvc_s3:S3FileSystem.__init__": "self, fs=, **kwargs",
    "dvc_s3:S3FileSystem.exists": "self, path, callback=, batch_size=",
    "dvc_s3:S3FileSystem.isfile": "self, path",
    "dvc_s3:S3FileSystem.find": "self, path, prefix=, batch_size=, **kwargs",
    "dvc_s3:S3FileSystem.ls": "self, path, detail=, **kwargs",
    "dvc_s3:S3FileSystem.open": "self, path, mode=, **kwargs",
    "dvc_s3:S3FileSystem.rm": "self, path, recursive=, **kwargs",
    "dvc_s3:S3FileSystem.remove": "self, path, recursive=, **kwargs",
    **attributes("dvc_objects.fs.base:FileSystem", "config jobs _JOBS CAN_TRAVERSE"),
    "dvc_objects.fs.local:LocalFileSystem": CLASS,
    "dvc_objects.errors:ObjectFormatError": CLASS,
    "dvc.cli:main": "argv=",
    "dvc.exceptions:DvcException": CLASS,
    "dvc.lock:LockError": CLASS,
    "dvc.lock:Lock.lock": "self",
    "dvc.lock:Lock.unlock": "self",
    "dvc.lock:Lock.is_locked": ATTRIBUTE,
    "dvc.lock:HardlinkLock.lock": "self, timeout=",
    "dvc.stage:Stage.reload": "self",
    "dvc.repo:Repo._reset": "self",
}

#: The function that turns DVC to a commit.
TURN = "dvc.repo.brancher:_switch_fs"

#: Compares the work tree with the recorded hashes.
STATUS = "dvc.repo:Repo.status"

#: What reads a project: its stages, outputs, cache and ignored files.
READING = {
    STATUS: (
        "self, targets=, jobs=, cloud=, remote=, all_branches=, with_deps=, all_tags=, "
        "all_commits=, recursive=, check_updates="
    ),
    TURN: "repo, rev, repo_root_parts, cwd_parts",
    "dvc.repo:Repo.__init__": (
        "self, root_dir=, fs=, rev=, subrepos=, uninitialized=, config=, url=, repo_factory=, scm=,"
        " remote=, remote_config=, _wait_for_lock="
    ),
    "dvc.repo:Repo.close": "self",
    "dvc.repo:Repo.switch": "self, rev",
    **attributes("dvc.repo:Repo", "cache config dvcignore fs index root_dir scm"),
    **attributes("dvc.repo.index:Index", "deps outs stages"),
    **attributes(
        "dvc.output:Output",
        "can_push def_path fs_path fspath hash_info meta protocol remote stage use_cache",
    ),
    **attributes("dvc.stage:Stage", "is_repo_import path"),
    "dvc.dependency.repo:RepoDependency.__init__": "self, def_repo, stage, *args, **kwargs",
    "dvc.ignore:DvcIgnoreFilter.check_ignore": "self, target",
    "dvc.ignore:DvcIgnoreFilter.walk": "self, fs, path, **kwargs",
    "dvc.exceptions:DvcException": CLASS,
    "dvc.exceptions:NotDvcRepoError": CLASS,
    "dvc.scm:NoSCM": CLASS,
}

#: What a snapshot of a revision takes from DVC's index, beside what reads a project.
SNAPSHOT = {
    "dvc.dvcfile:load_file": "repo, path, **kwargs",
    "dvc.repo.plots:infer_data_sources": "plot_id, config=",
    "dvc.repo.reproduce:plan_repro": "graph, stages=, pipeline=, downstream=",
    "dvc.dependency:RepoDependency": CLASS,
    "dvc.dependency.db:AbstractDependency": CLASS,
    "dvc.dependency.param:ParamsDependency": CLASS,
    "dvc.dependency.param:ParamsDependency.read_params": "self, flatten=, **kwargs",
    "dvc.dependency.param:ParamsDependency.status": "self",
    "dvc.output:Output.status": "self",
    "dvc.stage:Stage.changed_stage": "self",
    "dvc.stage:PipelineStage.changed_stage": "self",
    **attributes("dvc.dependency.param:ParamsDependency", "params"),
    **attributes("dvc.dvcfile:ProjectFile", "lockfile_contents"),
    **attributes("dvc.output:Output", "persist"),
    **attributes("dvc.repo.index:Index", "_artifacts _metrics _plots graph metrics plots"),
    **attributes("dvc.stage:PipelineStage", "cmd_changed name"),
    **attributes(
        "dvc.stage:Stage",
        "always_changed cmd deps desc frozen is_callback is_import meta outs path_in_repo wdir",
    ),
}

#: What tells whether a command is `gc`.
PARSING = {"dvc.cli:parse_args": "argv=", "dvc.cli:DvcParserError": CLASS}

#: What the guard of `gc` uses, beside these two.
COLLECTING_GARBAGE = {
    "dvc_data.hashfile.gc:gc": "odb, used, jobs=, cache_odb=, shallow=, dry=",
    "dvc_data.hashfile.db:get_index": "odb",
    "dvc_data.hashfile.db:HashFileDB.all": "self, jobs=",
    "dvc_data.hashfile.db:HashFileDB.oid_to_path": "self, oid",
    "dvc_data.hashfile.db:HashFileDB.oids_exist": "self, oids, jobs=, progress=",
    "dvc.cachemgr:CacheManager.by_scheme": "self",
    "dvc.data_cloud:DataCloud.get_remote": "self, name=, command=",
    "dvc.data_cloud:Remote.odb": ATTRIBUTE,
    "dvc.data_cloud:Remote.legacy_odb": ATTRIBUTE,
    "dvc.output:Output.is_dir_checksum": ATTRIBUTE,
    "dvc.repo:Repo.cloud": ATTRIBUTE,
    "dvc.repo.brancher:brancher": (
        "self, revs=, all_branches=, all_tags=, all_commits=, all_experiments=, workspace=, "
        "commit_date=, sha_only=, num="
    ),
    "dvc.repo:Repo.gc": (
        "self, all_branches=, cloud=, remote=, with_deps=, all_tags=, all_commits=, "
        "all_experiments=, force=, jobs=, repos=, workspace=, commit_date=, rev=, num=, "
        "not_in_remote=, dry=, skip_failed="
    ),
    "dvc.repo.index:Index.used_objs": (
        "self, targets=, with_deps=, remote=, force=, recursive=, jobs=, push="
    ),
}

#: Parse and validate a text for DVC itself.
READING_YAML = {
    "dvc.schema:either_or": "primary, fallback, fallback_includes=",
    "dvc.schema:vol": ATTRIBUTE,
    "dvc.utils.strictyaml:parse_yaml": "text, path, typ=",
    "dvc.utils.strictyaml:validate": "data, schema, text=, path=, rev=",
}

#: What reads and writes YAML as DVC does, and accepts it as a lock file.
WRITING_YAML = {
    "dvc.schema:COMPILED_LOCKFILE_SCHEMA": "data",
    "dvc.utils.serialize:loads_yaml": "s, typ=",
    "dvc.utils.serialize:dumps_yaml": "d",
}

#: What computes DVC's hash of a file.
HASHING = {"dvc_data.hashfile.hash:fobj_md5": "fobj, chunk_size=, name="}

#: What tries the kinds of link between two folders.
LINKING = {
    "dvc_objects.fs.generic:test_links": "links, from_fs, from_path, to_fs, to_path",
    "dvc_objects.fs.local:localfs": ATTRIBUTE,
}

#: What keeps other DVC commands from some paths.
LOCKING = {
    PATHS_LOCK: MOVING[PATHS_LOCK],
    "dvc.lock:LockError": CLASS,
    "dvc.repo:Repo.lock": ATTRIBUTE,
    "dvc.repo:Repo.tmp_dir": ATTRIBUTE,
}

#: What reads and draws metrics and plots.
DRAWING = {
    "dvc.repo:Repo.metrics": ATTRIBUTE,
    "dvc.repo:Repo.plots": ATTRIBUTE,
    "dvc.repo.metrics.show:show": (
        "repo, targets=, stages=, outs_only=, all_branches=, all_tags=, revs=, all_commits=, "
        "hide_workspace=, on_error="
    ),
    "dvc.repo.plots:Plots.show": "self, targets=, revs=, props=, recursive=, onerror=",
    "dvc.render.match:match_defs_renderers": "data, out=, templates_dir=",
    "dvc_render:render_html": "renderers, output_file, html_template=, refresh_seconds=",
}

#: What lists the experiments of a commit, with their parameters and metrics.
LISTING = {
    "dvc.repo:Repo.experiments": ATTRIBUTE,
    "dvc.repo.experiments:Experiments.show": "self, *args, **kwargs",
    "dvc.repo.experiments.show:show": (
        "repo, revs=, all_branches=, all_tags=, all_commits=, num=, hide_queued=, hide_failed=, "
        "hide_workspace=, sha_only=, **kwargs"
    ),
    "dvc.repo.experiments.serialize:ExpRange.revs": ATTRIBUTE,
    **attributes("dvc.repo.experiments.serialize:ExpState", "rev name data experiments"),
    "dvc.repo.experiments.serialize:SerializableExp": CLASS,
}
