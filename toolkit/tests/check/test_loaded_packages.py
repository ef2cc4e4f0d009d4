"""The packages that stages load against those that they name, and against packages.yaml."""

import platform
from importlib.metadata import version
from pathlib import Path

from tests.check.small import make, script, stage

FILE = "packages.yaml"

IMPORTS = "import six, tomlkit\nfrom dateutil import parser\n"


def test_a_package_that_is_loaded_and_not_named_and_one_of_another_version_are_faults(
    tmp_path: Path,
) -> None:
    versions = {"python-dateutil": version("python-dateutil"), "six": "9.9"}
    files = {
        "src/bad.py": IMPORTS + script("write('bad.txt', tomlkit.dumps({}))"),
        # What is imported and never loaded is no fault, nor what a package loads in its turn.
        "src/good.py": "from dateutil import parser\n"
        + script(
            "def never():\n    import tomlkit\n\nwrite('good.txt', str(parser.parse('2020')))"
        ),
        # As the stage shell does before it runs a stage without packages.
        "src/bare.py": script(f"open('{FILE}').read()\nwrite('bare.txt', '')"),
        FILE: "".join(f'{name}: "{text}"\n' for name, text in versions.items()),
    }
    stages = {
        "bad": stage("bad", params=[{FILE: ["python-dateutil", "six"]}]),
        "good": stage("good", params=[{FILE: ["python-dateutil"]}]),
        "bare": stage("bare"),
    }
    made = make(tmp_path / "project", files, stages)
    made.commit()
    found = made.found()
    assert [(one.kind, one.stage, one.path) for one in found.findings] == [
        ("undeclared package", "bad", FILE),
        ("other package", "bad", FILE),
    ]
    unnamed, other = (one.text for one in found.findings)
    assert unnamed.startswith("bad loads tomlkit, which src/bad.py imports but its params do not")
    assert other.startswith(f"bad ran with six {version('six')}, but packages.yaml has 9.9.")
    assert found.environment.endswith(f"Python {platform.python_version()}")

    # A stage that was recorded before it named packages is of other code, and can be compared.
    lock = made.root / "dvc.lock"
    text = lock.read_text()
    lock.write_text(text[: text.index("    params:")] + text[text.index("    outs:") :])
    made.commit()
    kinds = {one.kind for one in made.found(stages=["bad"]).findings}
    assert kinds == {"undeclared package", "other package", "other code"}
