"""Set-ups whose fault is in the clone: `.env`, git, DVC's configuration, places that disagree."""

from dvc_bucket.connection import dvc_config as config
from tests.doctor.case import Case, SetUps

SET_UPS = SetUps()
add = SET_UPS.add


@add("no `.env`", ".env present", says="there is no .env")
def _(case: Case) -> None:
    case.project.env_file.unlink()


@add("keys not filled in", "settings", says="is not filled in")
def _(case: Case) -> None:
    case.env(OS_ACCESS_KEY_ID="<your-access-key>", OS_SECRET_ACCESS_KEY="<your-secret-key>")


@add("endpoint with a stray `)`", "settings", says="is not of the form https://host")
def _(case: Case) -> None:
    case.env(OS_ENDPOINT_URL=f"'{case.world.weed_tls})'")


@add("impossible bucket name", "settings", says="is not a bucket name")
def _(case: Case) -> None:
    case.env(OS_BUCKET_NAME="Research_Data")


@add("`.env` with Windows line ends", "settings", says="Windows line end")
def _(case: Case) -> None:
    case.project.env_file.write_bytes(case.read(".env").replace("\n", "\r\n").encode())


@add("spaces around `=` in `.env`", "settings", says="spaces around `=`")
def _(case: Case) -> None:
    case.edit(".env", "^OS_BUCKET_NAME=", "OS_BUCKET_NAME = ")


@add("`.env` saved as UTF-16", "settings", says="is not UTF-8 text")
def _(case: Case) -> None:
    case.project.env_file.write_bytes(case.read(".env").encode("utf-16"))


@add("a name set twice in `.env`", "settings", says="sets OS_BUCKET_NAME again")
def _(case: Case) -> None:
    case.write(".env", case.read(".env") + "OS_BUCKET_NAME=other-data\n")


@add("secret with a line break, in the environment", "settings", says="white space or a line break")
def _(case: Case) -> None:
    settings = case.world.weed.settings()
    assert settings.secret_access_key
    case.environment["OS_SECRET_ACCESS_KEY"] = settings.secret_access_key.get_secret_value() + "\n"


@add("`OS_CACERT` names no file", "settings", says="names /nowhere/authority.pem, which")
def _(case: Case) -> None:
    case.env(OS_CACERT="/nowhere/authority.pem")


@add("Swift's own URL as the endpoint", "settings", says="OpenStack Swift's own API")
def _(case: Case) -> None:
    case.env(OS_ENDPOINT_URL=f"{case.world.swift_tls}/v1/AUTH_test")


@add("Keystone's URL as the endpoint", "settings", says="Keystone, OpenStack's login service")
def _(case: Case) -> None:
    case.env(OS_ENDPOINT_URL="https://cloud.example.org:5000/v3")


@add("`.env` readable by others", ".env private", says="permissions 0644")
def _(case: Case) -> None:
    case.project.env_file.chmod(0o644)


@add("`.env` writable by others", "settings", ".env private", says="other users can change it")
def _(case: Case) -> None:
    case.project.env_file.chmod(0o666)


@add("`.env` not ignored", ".env ignored", says="git does not ignore .env")
def _(case: Case) -> None:
    case.edit(".gitignore", "^.env$", "")


@add(
    "`.env` tracked by git", "settings", ".env not in git", "tracked files", says="git tracks .env"
)
def _(case: Case) -> None:
    case.git("add", "--force", ".env")


@add("`.env` committed once, then removed", ".env not in git", says="contains an .env")
def _(case: Case) -> None:
    case.git("add", "--force", ".env")
    case.git("commit", "--quiet", "--message", "Oops")
    case.git("rm", "--quiet", "--cached", ".env")
    case.git("commit", "--quiet", "--message", "Remove it")


@add("credentials in `.dvc/config`", ".dvc/config", "tracked files", says="holds access_key_id")
def _(case: Case) -> None:
    settings = case.world.weed.settings()
    assert settings.secret_access_key
    secret = settings.secret_access_key.get_secret_value()
    lines = f"    access_key_id = {settings.access_key_id}\n    secret_access_key = {secret}\n"
    case.write(".dvc/config", case.read(".dvc/config") + lines)


@add("the key in a tracked script", "tracked files", says="upload.py, line 2")
def _(case: Case) -> None:
    settings = case.world.weed.settings()
    assert settings.secret_access_key
    secret = settings.secret_access_key.get_secret_value()
    case.write("upload.py", f'import boto3\nsecret_key = "{secret}"\n')
    case.git("add", "upload.py")


@add("`.env` and `.dvc/config` name two buckets", "named places", "bucket", says="other-data")
def _(case: Case) -> None:
    case.env(OS_BUCKET_NAME="other-data")


@add("`data/README.md` names another endpoint", "named places", says="data/README.md names")
def _(case: Case) -> None:
    case.edit("data/README.md", case.world.weed_tls, "https://old.example.org")


@add("a stale endpoint in `.dvc/config.local`", "named places", says="plain dvc uses")
def _(case: Case) -> None:
    config.set_overrides(case.project, {"endpointurl": "http://127.0.0.1:9"})


@add(
    "no `AWS_*` names in `.env`",
    says="does not pass on AWS_ACCESS_KEY_ID",
    warns=("AWS names in .env",),
)
def _(case: Case) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "ENDPOINT_URL", "DEFAULT_REGION"):
        case.edit(".env", f"^AWS_{name}=.*\n", "")


@add("no default remote", "named places", says="names no default remote")
def _(case: Case) -> None:
    case.edit(".dvc/config", "remote = storage", "")


@add("a default remote that is not S3", "named places", says="not of the form s3://")
def _(case: Case) -> None:
    case.edit(".dvc/config", "url = s3://.*$", "url = ../elsewhere")
    case.edit(".dvc/config", "endpointurl = .*$", "")


@add("a folder copied without `.git`", "git", says="not a git repository")
def _(case: Case) -> None:
    (case.project.root / ".git").rename(case.world.folder / f"git-of-{case.prefix}")


@add("DVC copies (`cache.type = copy`)", says="DVC copies", warns=("cache links",))
def _(case: Case) -> None:
    case.edit(".dvc/config", "type = .*$", "type = copy")


@add("a `.dvc` file that an ignore rule hides", "DVC's files", says=".gitignore:")
def _(case: Case) -> None:
    oid = "0123456789abcdef" * 2
    case.write("data/raw.dvc", f"outs:\n- md5: {oid}\n  size: 5\n  hash: md5\n  path: raw\n")
    case.git("add", "-f", "data/raw.dvc")
    case.write(".gitignore", case.read(".gitignore") + "/data/*\n")


@add(
    "an object of the cache that was written to",
    says="objects are damaged",
    warns=("cache contents",),
)
def _(case: Case) -> None:
    folder = case.project.root / ".dvc/cache/files/md5/01"
    folder.mkdir(parents=True)
    (folder / "23456789abcdef0123456789abcdef").write_text("written through a link")


@add(
    "two thousand small files in a folder",
    says="data/pictures has 2,000 files of 2.5 kB on average",
    warns=("small files",),
)
def _(case: Case) -> None:
    oid = "0123456789abcdef" * 2
    text = f"outs:\n- md5: {oid}.dir\n  size: {{}}\n  nfiles: 2000\n  hash: md5\n  path: {{}}\n"
    case.write("data/pictures.dvc", text.format(5_000_000, "pictures"))
    case.write("data/shards.dvc", text.format(5_000_000_000, "shards"))
    case.git("add", "-f", "data/pictures.dvc", "data/shards.dvc")


@add("tools of other versions than the lock file", says="(lock: 3.0.0)", warns=("tools",))
def _(case: Case) -> None:
    case.edit("requirements.lock", "^dvc==[0-9.]+", "dvc==3.0.0")


@add(
    "a lock file of another version than packages.yaml",
    says="packages.yaml has dvc 3.0.0 (lock: ",
    warns=("packages of stages",),
)
def _(case: Case) -> None:
    case.write("packages.yaml", 'dvc: "3.0.0"\n')


@add(
    "a package of another version than packages.yaml and lock file",
    says="is installed, not 3.0.0",
    warns=("packages of stages",),
)
def _(case: Case) -> None:
    case.write("requirements.lock", case.read("requirements.lock") + "pydantic==3.0.0\n")
    case.write("packages.yaml", 'pydantic: "3.0.0"\n')


@add("a template of another version", says="version 0.0.1; dvc-bucket is", warns=("template",))
def _(case: Case) -> None:
    case.write(".copier-answers.yml", "_commit: v0.0.1\nproject_name: river-levels\n")


@add("the template's answers are deleted", says="is missing", warns=("template",))
def _(case: Case) -> None:
    case.write(".copier-answers.yml", "_commit: v0.0.1\n")
    case.git("add", ".copier-answers.yml")
    case.git("commit", "--quiet", "--message", "Answers")
    case.git("rm", "--quiet", ".copier-answers.yml")


@add("a scratch folder that is not there", "scratch space", says="No such file or directory")
def _(case: Case) -> None:
    case.environment["SCRATCH"] = str(case.project.root / "nowhere")
