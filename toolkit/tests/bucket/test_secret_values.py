"""Which texts give a value to the name of a credential. In each, VALUE stands for one."""

import pytest

from dvc_bucket.git.secrets import values

SHORT, LONG = "abc", "hunter2hunter2"

GIVEN = [
    (".env", "OS_SECRET_ACCESS_KEY=VALUE\n"),
    (".env", 'OS_SECRET_ACCESS_KEY="VALUE"\r\n'),
    (".env", "export OS_ACCESS_KEY_ID='VALUE'"),
    (".env", "#OS_SECRET_ACCESS_KEY=VALUE"),
    (".env", "OS_SECRET_ACCESS_KEY = VALUE  # mine"),
    ("run.sh", "OS_SESSION_TOKEN=VALUE python run.py"),
    ("run.sh", "docker run -e OS_SECRET_ACCESS_KEY=VALUE image"),
    ("run.sh", "dvc remote modify storage secret_access_key VALUE"),
    ("run.sh", "dvc remote modify --local storage secret_access_key 'VALUE'"),
    ("run.sh", "aws configure set aws_secret_access_key VALUE"),
    ("run.csh", "setenv OS_SECRET_ACCESS_KEY VALUE"),
    ("run.fish", "set -gx OS_SECRET_ACCESS_KEY VALUE"),
    ("run.ps1", '$env:OS_SECRET_ACCESS_KEY = "VALUE"'),
    ("run.bat", "set OS_SECRET_ACCESS_KEY=VALUE\r\n"),
    ("job.sbatch", "#SBATCH --export=OS_SECRET_ACCESS_KEY=VALUE,DEBUG=1"),
    ("Makefile", "OS_SECRET_ACCESS_KEY := VALUE\n"),
    ("Dockerfile", "ENV OS_SECRET_ACCESS_KEY=VALUE"),
    ("Dockerfile", "ENV OS_SECRET_ACCESS_KEY VALUE"),
    ("ci.yaml", "OS_SECRET_ACCESS_KEY: VALUE\n"),
    ("ci.yaml", 'OS_SECRET_ACCESS_KEY: "VALUE"'),
    ("ci.yaml", "env: {OS_SECRET_ACCESS_KEY: VALUE, DEBUG: 1}"),
    ("ci.yaml", "AWS_SESSION_TOKEN: >-\n  VALUE\n"),
    ("pod.yaml", "  - name: OS_SECRET_ACCESS_KEY\n    value: VALUE\n"),
    ("task.json", '{"name": "OS_SECRET_ACCESS_KEY", "value": "VALUE"}'),
    ("a.json", '{"OS_SECRET_ACCESS_KEY": "VALUE"}'),
    ("sts.json", '{"SecretAccessKey": "VALUE"}'),
    ("a.py", 'os.environ["OS_SECRET_ACCESS_KEY"] = "VALUE"'),
    ("a.py", "os.environ.setdefault('OS_SECRET_ACCESS_KEY', 'VALUE')"),
    ("a.py", 'monkeypatch.setenv(\n    "OS_SECRET_ACCESS_KEY",\n    "VALUE",\n)'),
    ("a.py", 'OS_SECRET_ACCESS_KEY = (\n    "VALUE"\n)'),
    ("a.py", 'secret_access_key: SecretStr = "VALUE"'),
    ("a.py", 'boto3.client("s3", aws_secret_access_key=r"VALUE")'),
    ("a.py", 'run("OS_SECRET_ACCESS_KEY=VALUE make")'),
    ("a.ipynb", r'"os.environ[\"OS_SECRET_ACCESS_KEY\"] = \"VALUE\"\n",'),
    ("a.ipynb", r'"%env OS_SECRET_ACCESS_KEY=VALUE\n",'),
    ("a.ipynb", r'"%env OS_SECRET_ACCESS_KEY VALUE\n",'),
    ("a.js", "const client = {secretAccessKey: 'VALUE'}"),
    ("a.r", 'Sys.setenv(AWS_SECRET_ACCESS_KEY = "VALUE")'),
    ("a.rb", 'ENV["OS_SECRET_ACCESS_KEY"] ||= "VALUE"'),
    ("main.tf", 'AWS_SECRET_ACCESS_KEY = "VALUE"'),
    ("a.toml", 'access-key-id = "VALUE"'),
    ("a.xml", '<env name="OS_SECRET_ACCESS_KEY" value="VALUE"/>'),
    ("README.md", "OS_SECRET_ACCESS_KEY=VALUE"),
    ("README.md", "- `OS_SECRET_ACCESS_KEY`: `VALUE`"),
    ("a.html", "<code>OS_SECRET_ACCESS_KEY=VALUE</code>"),
    ("aws.ini", "[default]\naws_secret_access_key = VALUE\n"),
    ("swift.sh", "export OS_PASSWORD=VALUE"),
    (".dvc/config", "    secret_access_key = VALUE\n"),
    (".dvc/config", "    access_key_id = VALUE\n"),
    (".dvc/config", "    session_token = VALUE\n"),
    (".dvc/config", "    password = VALUE\n"),
    ("work/.dvc/config", '    password = "VALUE"\r\n'),
]

NOT_GIVEN = [
    (".env", "OS_SECRET_ACCESS_KEY=\nOTHER=abc\n"),
    (".env", "OS_SECRET_ACCESS_KEY=<your-secret-key>\n"),
    (".env", "AWS_SECRET_ACCESS_KEY=${OS_SECRET_ACCESS_KEY}"),
    ("run.sh", 'export AWS_SECRET_ACCESS_KEY="$OS_SECRET_ACCESS_KEY"'),
    ("run.sh", "export OS_SECRET_ACCESS_KEY=$(pass show key)"),
    ("run.sh", "export OS_SECRET_ACCESS_KEY=`pass show key`"),
    ("run.sh", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE"),
    ("run.sh", "echo OS_SECRET_ACCESS_KEY is missing"),
    ("run.sh", '[ -z "$OS_SECRET_ACCESS_KEY" ] && exit 1'),
    ("run.sh", "unset OS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"),
    ("run.sh", "OS_SECRET_ACCESS_KEY=***"),
    ("ci.yaml", "OS_SECRET_ACCESS_KEY: ${{ secrets.OS_SECRET_ACCESS_KEY }}"),
    ("ci.yaml", 'OS_SECRET_ACCESS_KEY: "{{ secrets.KEY }}"'),
    ("ci.yaml", "OS_SECRET_ACCESS_KEY: null"),
    ("pod.yaml", "  - name: OS_SECRET_ACCESS_KEY\n    valueFrom:\n      secretKeyRef:\n"),
    ("env.j2", "OS_SECRET_ACCESS_KEY={{ vault_key }}"),
    ("a.py", 'key = os.environ["OS_SECRET_ACCESS_KEY"]'),
    ("a.py", 'key = os.getenv("OS_SECRET_ACCESS_KEY", "")'),
    ("a.py", 'os.environ["OS_SECRET_ACCESS_KEY"] = key_of(user)'),
    ("a.py", '"AWS_SECRET_ACCESS_KEY": self.secret_access_key.get_secret_value(),'),
    ("a.py", 'NAMES = {"OS_SECRET_ACCESS_KEY": "secret_access_key"}'),
    ("a.py", '["OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY"]'),
    ("a.py", "        secret_access_key: the secret half.\n"),
    ("a.py", "    secret_access_key: SecretStr | None = None"),
    ("a.py", 'f"AWS_SECRET_ACCESS_KEY={key}"'),
    ("a.py", "Client(aws_secret_access_key=settings.secret)"),
    ("a.py", '"OS_SECRET_ACCESS_KEY": "0" * 40'),
    ("a.py", 'GOOD = {"OS_SECRET_ACCESS_KEY": "very-secret", "OS_ACCESS_KEY_ID": "key-id"}'),
    ("a.js", "secretAccessKey: process.env.OS_SECRET_ACCESS_KEY"),
    ("main.tf", "AWS_SECRET_ACCESS_KEY = var.secret"),
    ("README.md", "`OS_SECRET_ACCESS_KEY` (and the other two names)"),
    ("README.md", "OS_SECRET_ACCESS_KEY: the secret half of the key"),
    ("README.md", "- OS_SECRET_ACCESS_KEY: needed"),
    ("README.md", "dvc remote modify --local storage secret_access_key <key>"),
    (".dvc/config", "    ask_password = true\n    password =\n    keyfile = /home/me/key\n"),
    ("other/config", "password = abc"),
]


@pytest.mark.parametrize(("path", "text"), GIVEN)
@pytest.mark.parametrize("value", [SHORT, LONG])
def test_a_value_is_found_in_whatever_notation(path: str, text: str, value: str) -> None:
    written = text.replace("VALUE", value)
    (found,) = values.find(written, path)
    assert found.text == value
    assert value in written[found.start : found.end + 1]


@pytest.mark.parametrize(("path", "text"), NOT_GIVEN + GIVEN)
def test_a_placeholder_a_reference_or_a_name_alone_is_no_value(path: str, text: str) -> None:
    assert list(values.find(text, path)) == []


@pytest.mark.parametrize("words", ["your-secret-key", "SecretAccessKey", "changeme", "x" * 5000])
def test_words_that_say_themselves_to_be_no_secret_are_made_up(words: str) -> None:
    assert values.is_made_up(words)
    assert not values.is_made_up(f"{words}-q7Z")
