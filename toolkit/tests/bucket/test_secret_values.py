"""Which texts hold a secret, and which do not. In each, VALUE stands for a value."""

import re

import pytest

from dvc_bucket.git.secrets import kingfisher

SHORT, LONG = "abc", "hunter2hunter2"

#: Where a text gives a value to the name of a credential, any value is found.
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
    ("run.sh", "dvc remote modify --local storage password VALUE"),
    ("clouds.yaml", "clouds:\n  lab:\n    auth:\n      password: VALUE\n"),
    ("home/clouds.yml", "      application_credential_secret: 'VALUE'  # mine\n"),
    ("ci.yaml", "{OS_PASSWORD: VALUE, DEBUG: 1}"),
]

#: Where the name or the form means less, a value that is random is found.
RANDOM = [
    ("a.py", 'read_parquet(url, storage_options={"secret": "VALUE"})'),
    ("a.py", 'S3FileSystem(key="me", secret="VALUE")'),
    ("a.py", "S3FileSystem(access_key='me', secret_key='VALUE')"),
    ("a.yaml", 'secret: "VALUE"'),
    ("a.txt", "s3://me:VALUE@store.example"),
    ("a.py", '"postgres://me:VALUE@localhost/db"'),
]

#: What people choose is a secret, too, and what has a character of a URL.
CHOSEN = [
    (".env", "OS_PASSWORD=VALUE", "Password1"),
    (".env", "OS_PASSWORD=VALUE", "swift"),
    (".env", "OS_PASSWORD=VALUE", "12345678"),
    (".env", "OS_SECRET_ACCESS_KEY=VALUE", "secret1"),
    (".env", "OS_SECRET_ACCESS_KEY=VALUE", "minioadmin"),
    (".dvc/config", "    password = VALUE\n", "admin"),
    ("clouds.yaml", "  password: VALUE\n", "guest"),
    ("a.txt", "s3://me:VALUE@store.institute.edu/data", "x7/Q2+mZ="),
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
    ("other.yaml", "password: abc"),
    ("clouds.yaml", "  password: <password>\n"),
    ("tokens.json", '{"session_token": 50256}'),
    ("tokens.json", '{"session_token": 50256, "pad_token": 0}'),
    ("tokens.json", '{"session_token": "50256"}'),
    ("a.txt", "postgres://postgres:postgres@localhost/db"),
    ("a.txt", "postgres://user:password@localhost:5432/db"),
    ("a.txt", "http://test:tester@127.0.0.1:8080/auth/v1.0"),
    ("a.sh", "curl -u test:tester http://store.institute.edu/auth/v1.0"),
    ("a.sh", "swift -A http://localhost:8080/auth/v1.0 -U test:tester -K testing stat"),
    ("a.txt", "http://test:tester@store.institute.edu/v1"),
    ("a.txt", "http://localhost:8333/bucket/file@version"),
    ("a.py", 'f"s3://{key}:{secret}@{host}"'),
    ("a.py", 'Client(secret="the-secret-half")'),
    ("a.yaml", "secret: name-of-it"),
    ("a.py", '(".env", "OS_SECRET_ACCESS_KEY=\\nOTHER=abc")'),
]


#: Each text, and the value that is found in it; None where there is none.
TABLE = [
    *(
        (path, text.replace("VALUE", value), value)
        for value in (SHORT, LONG)
        for path, text in GIVEN
    ),
    *((path, text.replace("VALUE", LONG), LONG) for path, text in RANDOM),
    *((path, text.replace("VALUE", value), value) for path, text, value in CHOSEN),
    *((path, text, None) for path, text in NOT_GIVEN + GIVEN + RANDOM),
]


@pytest.mark.parametrize(("path", "text", "value"), TABLE)
def test_what_is_found_and_what_is_not(path: str, text: str, value: str | None) -> None:
    values = {match.value for match in kingfisher.matches(path, text.encode())}
    assert values == ({value} if value else set())


@pytest.mark.parametrize("words", ["your-secret-key", "SecretAccessKey", "changeme", "x" * 5000])
@pytest.mark.parametrize(("more", "count"), [("", 0), ("-q7Z", 1)])
def test_words_that_say_themselves_to_be_no_secret_are_made_up(
    words: str, more: str, count: int
) -> None:
    text = f"OS_PASSWORD={words}{more}"
    assert len({match.value for match in kingfisher.matches(".env", text.encode())}) == count


def test_every_rule_on_names_has_the_same_names() -> None:
    """The format has no variables, so a name must be added to each rule."""
    rules = kingfisher.RULES.read_text("utf-8").split("[[rules]]")
    stems = [
        re.findall(r"\(\?P<name>(\(\?:OS_.*?\n.*?CREDENTIAL_SECRET)", rule, re.S) for rule in rules
    ]
    names = [found[0] for found in stems if found]
    assert len(names) == 6
    assert len(set(names)) == 1
