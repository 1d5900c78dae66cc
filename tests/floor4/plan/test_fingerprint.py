"""S8: a fingerprint changes when the code does that a step runs, and with nothing else."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest

from stepwell.api.pipeline import Pipeline
from stepwell.definition.options import Written, step_spec
from stepwell.plan.fingerprint import Fingerprint, Fingerprints

SOURCE = Path(__file__).resolve().parents[3] / "src" / "stepwell"

BASE = '''
import helpers
from helpers import clean as tidy

LIMIT = 3
OTHER = 4


def scale(x):
    return x * LIMIT


class Note:
    """A note."""

    words: int = 0

    def size(self):
        return scale(self.words)


def step(rows, other: Note = Note()):
    """What it does."""
    total = sum(scale(row) for row in rows)  # a comment
    return tidy(f"{total:>{LIMIT}} {helpers.shown(total)!r}"), LIMIT


def unrelated(rows):
    return OTHER
'''

HELPERS = """
UNIT = "words"
UNUSED = 1


def clean(text):
    return text.strip()


def shown(total):
    return f"{total} {UNIT}"
"""


class Project:
    """A folder with `main.py` and `helpers.py`, imported anew for each fingerprint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.main, self.helpers = BASE, HELPERS

    def fingerprint(self, name: str = "step") -> Fingerprint:
        for file, text in (("main.py", self.main), ("helpers.py", self.helpers)):
            path = self.folder / file
            before = path.stat().st_mtime_ns if path.exists() else 0
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(before + 1_000_000, before + 1_000_000))
        return fingerprint(getattr(self.load("main"), name))

    def load(self, name: str) -> types.ModuleType:
        for one in ("main", "helpers"):
            sys.modules.pop(one, None)
        spec = importlib.util.spec_from_file_location(name, self.folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        exec(
            compile((self.folder / f"{name}.py").read_text(), str(self.folder / f"{name}.py"), "exec"), module.__dict__
        )
        return module


def fingerprint(function: Callable[..., object], version: str = "") -> Fingerprint:
    return Fingerprints().of(step_spec(Written("step", function, {"name": "step_1", "version": version})))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Project(tmp_path)
    for one in ("main", "helpers"):
        sys.modules.pop(one, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another one\n"),
        ('"""What it does."""', '"""Something else."""'),
        ('    """What it does."""\n', ""),
        ("import helpers\n", "import helpers\nimport os\n\n\n\n"),
        ("total = sum(scale(row) for row in rows)", "total = (\n        sum(scale(row) for row in rows)\n    )"),
        ("OTHER = 4", "OTHER = 5"),
        ("def unrelated(rows):", "def unrelated(rows, more):"),
        ("LIMIT = 3\n", "LIMIT = 0x3\n"),
        ("def step(rows,", "@str.step(retry=3)\ndef step(rows,"),
    ],
)
def test_what_the_step_does_not_run_changes_nothing(project: Project, old: str, new: str) -> None:
    """S8: comments, docstrings, formatting, moved lines, options, and code that is not named."""
    before = project.fingerprint()
    assert old in project.main
    project.main = project.main.replace(old, new)
    if "@str" in new:
        project.main = "class str(str):\n    step = staticmethod(lambda **o: lambda f: f)\n" + project.main
    assert project.fingerprint() == before
    assert not before.opaque


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("main", "return tidy(", "return str("),
        ("main", "LIMIT = 3", "LIMIT = 4"),
        ("main", "x * LIMIT", "x + LIMIT"),
        ("main", "words: int = 0", "words: int = 1"),
        ("main", "from helpers import clean as tidy", "from helpers import shown as tidy"),
        ("main", ">{LIMIT}", "<{LIMIT}"),
        ("helpers", 'UNIT = "words"', 'UNIT = "lines"'),
        ("helpers", "text.strip()", "text.lstrip()"),
    ],
)
def test_a_change_of_anything_the_step_names_is_seen(project: Project, file: str, old: str, new: str) -> None:
    """S8: functions, classes and constants, also by `module.name`, also through other functions and files."""
    before = project.fingerprint()
    text: str = getattr(project, file)
    assert old in text
    setattr(project, file, text.replace(old, new))
    assert project.fingerprint() != before


def test_what_nothing_names_in_another_file_changes_nothing(project: Project) -> None:
    """S8: not the file counts, but what is named of it."""
    before = project.fingerprint()
    project.helpers = project.helpers.replace("UNUSED = 1", "UNUSED = 2\nimport json")
    assert project.fingerprint() == before


def test_a_parameter_is_not_the_function_that_has_its_name(project: Project) -> None:
    """S8: data parameters are called like steps, and do not make one step's code the code of the next."""
    project.main += "\n\ndef last(step, unrelated):\n    return [step for step in unrelated]\n"
    before = project.fingerprint("last")
    project.main = project.main.replace("LIMIT = 3", "LIMIT = 4").replace("return OTHER", "return OTHER + 1")
    assert project.fingerprint("last") == before


def test_functions_that_call_each_other_share_their_changes(project: Project) -> None:
    """S8: circles of names end."""
    project.main += textwrap.dedent("""
        def even(n): return n == 0 or odd(n - 1)
        def odd(n): return n != 0 and even(n - 1)
        def use(n): return even(n)
    """)
    before = project.fingerprint("use")
    project.main = project.main.replace("n != 0 and", "n > 0 and")
    assert project.fingerprint("use") != before


def test_imports_inside_a_function_and_through_a_package_are_followed(project: Project) -> None:
    """S8: relative imports, re-exports, stars, and modules that nobody has imported yet."""
    package = project.folder / "kit"
    package.mkdir()
    (package / "__init__.py").write_text("from .deep import *\nfrom . import other as another\n")
    (package / "deep.py").write_text("def work(x):\n    return x\n")
    (package / "other.py").write_text("from .deep import work\nVALUE = 1\n")
    project.main = "def step(x):\n    from kit import work\n    import kit.other\n    return work(x), kit.other.VALUE\n"
    one = project.fingerprint()
    (package / "deep.py").write_text("def work(x):\n    return x + 1\n")
    two = project.fingerprint()
    (package / "other.py").write_text("from .deep import work\nVALUE = 22\n")
    three = project.fingerprint()
    assert len({one.digest, two.digest, three.digest}) == 3
    assert "kit" not in sys.modules


def test_all_that_a_name_may_be_imported_as_is_followed(project: Project) -> None:
    """S8: which of the two is imported depends on the machine, and not the fingerprint."""
    (project.folder / "slow.py").write_text("def clean(text):\n    return text\n")
    project.main = textwrap.dedent("""
        try:
            from helpers import clean
        except ImportError:
            from slow import clean
        def step(x): return clean(x)
    """)
    before = project.fingerprint()
    (project.folder / "slow.py").write_text("def clean(text):\n    return text * 2\n")
    assert project.fingerprint() != before
    before = project.fingerprint()
    project.helpers = HELPERS.replace("text.strip()", "text.rstrip()")
    assert project.fingerprint() != before


def test_a_declared_version_stands_for_the_code(project: Project) -> None:
    """S8: and only a new one changes the fingerprint."""
    assert fingerprint(len, "1") == fingerprint(sorted, "1") != fingerprint(len, "2")


def test_code_without_source_and_closure_values_are_opaque() -> None:
    """S8: a WARNING asks for `version=` there."""
    space: dict[str, Any] = {}
    exec("def step(x): return x", space)
    assert fingerprint(space["step"]).opaque

    def make(n: int) -> Callable[[], int]:
        return lambda: n

    assert fingerprint(make(1)).opaque
    assert fingerprint(make(1)) == fingerprint(make(2))


def test_closures_over_functions_are_followed_and_not_opaque() -> None:
    """S8: a local helper is code like any other."""

    def inner_one() -> int:
        return 1

    def inner_two() -> int:
        return 2

    def make(inner: Callable[[], int]) -> Callable[[], int]:
        return lambda: inner()

    one, two = fingerprint(make(inner_one)), fingerprint(make(inner_two))
    assert not one.opaque
    assert one.digest != two.digest


class Job:
    def __init__(self, state: object = None) -> None:
        if state:
            self.state = state

    def run(self, x: int) -> int:
        return self.helper() + x

    def helper(self) -> int:
        return 1

    __call__ = run


class OtherJob(Job):
    def helper(self) -> int:
        return 2


def plain(x: int, y: int = 0) -> int:
    return x + y


def test_methods_and_objects_count_with_their_class() -> None:
    """S8: what `self.helper()` does is the class's code; what the object holds is nobody's."""
    assert fingerprint(Job().run) != fingerprint(OtherJob().run)
    assert fingerprint(Job()) != fingerprint(OtherJob())
    assert not fingerprint(Job().run).opaque
    assert fingerprint(Job({"a": 1}).run).opaque
    assert fingerprint(Job({"a": 1})).opaque
    assert not fingerprint(Job).opaque


def test_partials_count_with_what_they_bind() -> None:
    """S8: plain values have a text that is the same everywhere; others make it opaque."""
    assert fingerprint(partial(plain, 1)) == fingerprint(partial(plain, 1))
    assert (
        len({fingerprint(one).digest for one in (plain, partial(plain, 1), partial(plain, 2), partial(plain, y=1))})
        == 4
    )
    assert not fingerprint(partial(plain, 1)).opaque
    assert fingerprint(partial(plain, [object()])).opaque


def test_a_wrapped_function_is_unwrapped() -> None:
    """S8: the syntax tree of the unwrapped function."""

    @wraps(plain)
    def wrapper(*arguments: int) -> int:
        return plain(*arguments)

    assert fingerprint(wrapper) == fingerprint(plain)


def test_functions_of_libraries_count_by_name() -> None:
    """S8: a library upgrade alone never blocks."""
    assert fingerprint(textwrap.dedent) != fingerprint(textwrap.indent)
    assert not fingerprint(textwrap.dedent).opaque
    assert not fingerprint(len).opaque


def test_two_lambdas_in_one_line_are_told_apart() -> None:
    """S8: by their places in the line."""
    one, two = (lambda x: x + 1), (lambda x: x + 2)
    assert fingerprint(one) != fingerprint(two)


GOLDEN = '''
import os
from dataclasses import dataclass

BIG = 0xFFFFFFFFFFFFFFFFFFFF
TEXT = "ü\\u2028" 'b' f"{os.sep}" u"c"


@dataclass(frozen=True)
class Row:
    a: int = 1


async def step(rows: list[Row], *rest, key=lambda x: -x, **more) -> str:
    """Doc."""
    global TEXT
    try:
        async with rows as held, more:
            out = {k: v for k, v in sorted(held) if k not in (1, 2.5, 3j, None, ..., b"x", True)}
    except* (ValueError, OSError) as error:
        raise RuntimeError from error
    match out:
        case {"a": [1, *others], **left} if (n := len(others)) > 2:
            return f"{n!r:>{key(BIG)}} {TEXT=} {left}" f"{out:}" "tail"
        case Row(a=None) | {"b": True} as whole:
            del out
            await whole
    return TEXT[1:-1, ::2]
'''


def test_the_fingerprint_is_the_same_in_every_version_of_python(tmp_path: Path) -> None:
    """S8: this digest was made once, and every Python that runs the suite must make it again."""
    project = Project(tmp_path)
    project.main = GOLDEN
    assert project.fingerprint() == Fingerprint("78c34db99a221f3aed6b16a564c20175")
    for one in ("main", "helpers"):
        sys.modules.pop(one, None)


PROGRAM = """
import importlib.util, json, sys, types
package = types.ModuleType("stepwell"); package.__path__ = [sys.argv[1]]; sys.modules["stepwell"] = package
from stepwell.definition.spec import StepSpec
from stepwell.plan.fingerprint import Fingerprints
spec = importlib.util.spec_from_file_location("main", sys.argv[2]); module = importlib.util.module_from_spec(spec)
sys.modules["main"] = module; spec.loader.exec_module(module)
found = Fingerprints().of(StepSpec("s", "step", getattr(module, sys.argv[3]), "", 0))
print(json.dumps([found.digest, found.opaque]))
"""


def interpreters() -> list[str]:
    """This Python, and others that are on the machine."""
    names = [sys.executable, *(shutil.which(f"python3.{minor}") or "" for minor in range(11, 16))]
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob("3.1[1-9]*/bin/python"))
    return list(dict.fromkeys([name for name in names if name] + [str(path) for path in pyenv]))


def test_other_processes_hash_seeds_and_pythons_agree(project: Project, tmp_path: Path) -> None:
    """S8: what was recorded by one process is compared by another."""
    here = project.fingerprint()
    seen: set[tuple[str, bool]] = {(here.digest, here.opaque)}
    for python in interpreters():
        for seed in ("0", "1"):
            environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(tmp_path)}
            command = [python, "-c", PROGRAM, str(SOURCE), str(tmp_path / "main.py"), "step"]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
            if done.returncode == 0:  # a name on the PATH may be a stub that starts nothing
                seen.add(tuple(json.loads(done.stdout)))
            else:
                assert python != sys.executable, done.stderr
    assert seen == {(here.digest, False)}


def test_values_bound_by_add_step_are_part_of_the_fingerprint() -> None:
    """S8: a run that goes on with other bound values than it began with would mix two things silently."""

    def fetch(url: str, limit: object = None) -> str:
        return url

    def mark(url: str, limit: object = None) -> tuple[str, bool]:
        step = Pipeline("site").add_step("home", fetch, url=url, kwargs={"limit": limit}).compile().steps[0]
        return step.fingerprint, step.opaque

    assert mark("/") == mark("/")
    assert mark("/") != mark("/news")
    assert mark("/", limit=object())[1], "what cannot be compared later must be said to be unseen"
