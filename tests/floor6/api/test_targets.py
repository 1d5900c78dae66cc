"""Targets: from a text to a pipeline, once in a process, from any folder; and every way to fail at it (O3, O7)."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepwell.api.targets import find_target, find_targets, load_target
from stepwell.errors import DefinitionError, TargetError

Write = Callable[[str, str], Path]
ONE = 'from stepwell import Pipeline\n{name} = Pipeline("{name}")\n@{name}.step\ndef a() -> int:\n    return 1\n'


def one(name: str = "pipe") -> str:
    return ONE.format(name=name)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    yield put
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def refusal(text: str) -> str:
    with pytest.raises(TargetError) as caught:
        load_target(text)
    return str(caught.value)


def test_every_pipeline_of_a_file_is_found_where_none_is_named(write: Write, tmp_path: Path) -> None:
    """A12: so that all of them can be checked."""
    write("two.py", one("pipe") + one("other"))
    found = find_targets("two.py")
    assert [(target.pipeline.name, target.kept) for target in found] == [
        ("pipe", f"{tmp_path / 'two.py'}:pipe"), ("other", f"{tmp_path / 'two.py'}:other"),
    ]  # fmt: skip
    assert [target.pipeline.name for target in find_targets("two.py:other")] == ["other"]
    write("none.py", "")
    with pytest.raises(TargetError, match="has no pipeline"):
        find_targets("none.py")


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_with_one_pipeline_needs_no_name(write: Write, tmp_path: Path) -> None:
    write("flow.py", one("flow"))
    found = find_target("flow.py")
    assert found.pipeline.name == "flow"
    assert found.kept == f"{tmp_path / 'flow.py'}:flow"


def test_what_is_kept_leads_to_the_pipeline_from_any_folder(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("deep/flow.py", one())
    kept = find_target("deep/flow.py").kept
    monkeypatch.chdir("/")
    assert load_target(kept).name == "pipe"


def test_a_file_is_executed_once(write: Write, tmp_path: Path) -> None:
    write("flow.py", one() + "with open('count', 'a') as count:\n    count.write('x')\n")
    assert load_target("flow.py") is load_target(str(tmp_path / "flow.py")) is load_target("flow.py:pipe")
    assert (tmp_path / "count").read_text() == "x"


def test_files_beside_it_can_be_imported_and_it_is_not_main(write: Write) -> None:
    write("parts.py", "NAME = 'from-parts'\n")
    write(
        "flow.py",
        "import parts\nfrom stepwell import Pipeline\nassert __name__ != '__main__'\npipe = Pipeline(parts.NAME)\n",
    )
    assert load_target("flow.py").name == "from-parts"


def test_what_a_file_defines_can_be_pickled_and_its_hints_resolve(write: Write) -> None:
    write(
        "flow.py",
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom stepwell import Pipeline\n"
        "pipe = Pipeline('p')\n@dataclass\nclass Note:\n    text: str\n"
        "@pipe.step\ndef make() -> Note:\n    return Note('x')\n",
    )
    result = load_target("flow.py").run_sync()  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(result.output)) == result.output


@pytest.mark.parametrize("name", ["json.py", "my-flow.py", "2fast.py", "über flow.py"])
def test_a_file_may_be_called_as_it_likes(write: Write, name: str) -> None:
    import json

    write(name, one())
    assert load_target(name).name == "pipe"
    assert sys.modules["json"] is json


def test_two_files_of_one_name_are_two_modules(write: Write) -> None:
    write("a/flow.py", one("first"))
    write("b/flow.py", one("second"))
    assert [load_target(f"{folder}/flow.py").name for folder in "ab"] == ["first", "second"]


def test_a_file_that_was_imported_before_is_not_executed_again(write: Write, tmp_path: Path) -> None:
    write("flow.py", one())
    sys.path.insert(0, str(tmp_path))
    import flow  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

    assert load_target("flow.py") is flow.pipe


# --- which pipeline ---------------------------------------------------------------------------------------------------


def test_of_several_pipelines_the_usual_name_is_meant(write: Write) -> None:
    write("flow.py", one("other") + one("pipeline").removeprefix("from stepwell import Pipeline\n"))
    found = find_target("flow.py")
    assert (found.pipeline.name, found.kept.rpartition(":")[2]) == ("pipeline", "pipeline")
    assert load_target("flow.py:other").name == "other"


def test_of_several_without_a_usual_name_each_is_spelled_out(write: Write) -> None:
    write("flow.py", one("left") + one("right"))
    said = refusal("flow.py")
    assert "has 2 pipelines" in said
    assert "`flow.py:left`, `flow.py:right`" in said


def test_one_pipeline_with_two_names_is_one(write: Write) -> None:
    write("flow.py", one("flow") + "alias = flow\n")
    assert find_target("flow.py").kept.endswith(":flow")


def test_a_factory_is_called_and_may_be_in_a_class(write: Write) -> None:
    """A24."""
    write("flow.py", one("inner") + "def build() -> Pipeline:\n    return inner\nclass Flows:\n    main = inner\n")
    assert load_target("flow.py:build").name == "inner"
    assert load_target("flow.py:Flows.main").name == "inner"


def test_a_factory_that_cannot_be_used_says_why(write: Write) -> None:
    write(
        "flow.py",
        "from stepwell import Pipeline\ndef build(chip: int, out='x') -> Pipeline: ...\ndef number():\n    return 3\n"
        "def broken():\n    return 1 / 0\nasync def late():\n    return None\n",
    )
    assert "needs `chip`" in refusal("flow.py:build")
    assert "gave a int, not a pipeline" in refusal("flow.py:number")
    assert "gave a coroutine" in refusal("flow.py:late")
    said = refusal("flow.py:broken")
    assert 'flow.py", line 6, in broken' in said
    assert "ZeroDivisionError" in said


def test_a_file_with_factories_only_names_them(write: Write) -> None:
    write("flow.py", "from stepwell import Pipeline\ndef build() -> Pipeline: ...\ndef other() -> int: ...\n")
    said = refusal("flow.py")
    assert "`flow.py:build`" in said
    assert "other" not in said


# --- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("digset.py", "did you mean `digest.py`?"),
        ("gone/x.py", "there is no folder gone"),
        ("digest", "did you mean `digest.py`?"),
        ("digest:pipe", "did you mean `digest.py:pipe`?"),
        ("digest.py:pip", "has no `pip`; did you mean `pipe`?"),
        ("digest.py:", "has no name after the colon; give one of them: `digest.py:pipe`"),
        ("digest.py:number", "is no pipeline but of type int; give one of them: `digest.py:pipe`"),
        ("empty.py", 'has no pipeline; define one in it: pipe = Pipeline("empty")'),
        ("flow.yml", "no pipelines in YAML yet"),
        ("flow.ipynb", "is a notebook"),
        ("notes.txt", "is no Python file"),
        ("folder", "is a folder"),
        ("folder.py", "is a folder"),
        ("no.such.module:pipe", "there is no module no"),
        ("a b:c", "is no target"),
        ("", "is no target"),
        ("nul\0.py", "nul"),
        ("x" * 300, "there is no module xxx"),
        ("x" * 300 + ":pipe", "there is no module xxx"),
        ("x" * 300 + ".py", "cannot be looked at"),
    ],
)
def test_a_target_that_leads_nowhere_says_the_way_out(write: Write, tmp_path: Path, text: str, words: str) -> None:
    write("digest.py", one() + "number = 3\n")
    write("empty.py", "")
    write("notes.txt", "")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.py").mkdir()
    assert words in refusal(text)


def test_a_file_that_fails_shows_its_own_frames_only(write: Write) -> None:
    write("parts.py", "def work():\n    raise RuntimeError('out of order')\n")
    write("flow.py", "import parts\nparts.work()\n")
    said = refusal("flow.py")
    assert 'flow.py", line 2, in <module>' in said
    assert 'parts.py", line 2, in work' in said
    assert "RuntimeError: out of order" in said
    assert "importlib" not in said
    assert "stepwell/api" not in said
    assert "flow" not in sys.modules


def test_a_file_that_failed_is_tried_again(write: Write) -> None:
    write("flow.py", "raise RuntimeError\n")
    refusal("flow.py")
    write("flow.py", one() + "# mended\n")
    assert load_target("flow.py").name == "pipe"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import nothing_like_this\n", "is it installed for"),
        ("from . import parts\n", "is given as package.module:name"),
        ("import sys\nsys.exit(3)\n", 'if __name__ == "__main__":'),
    ],
)
def test_common_mistakes_in_a_file_come_with_a_hint(write: Write, source: str, words: str) -> None:
    write("flow.py", source)
    assert words in refusal("flow.py")


def test_a_mistake_in_the_definition_stays_what_it_is(write: Write) -> None:
    write("flow.py", one() + "@pipe.step(retires=3)\ndef b() -> int:\n    return 1\n")
    with pytest.raises(DefinitionError, match="retry"):
        load_target("flow.py")


def test_an_interrupt_while_a_file_is_imported_is_no_mistake_of_the_file(write: Write) -> None:
    write("flow.py", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_target("flow.py")


# --- modules ----------------------------------------------------------------------------------------------------------


def test_a_module_of_this_folder_is_found_again_from_another(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("labs/__init__.py", "")
    write("labs/parts.py", "NAME = 'lab'\n")
    write("labs/flow.py", "from .parts import NAME\nfrom stepwell import Pipeline\npipe = Pipeline(NAME)\n")
    found = find_target("labs.flow")
    assert (found.pipeline.name, found.kept) == ("lab", f"{tmp_path}::labs.flow:pipe")
    monkeypatch.chdir("/")
    assert load_target(found.kept) is found.pipeline
    assert "there is no folder /gone" in refusal("/gone::labs.flow:pipe")


def test_a_module_that_is_installed_is_kept_by_its_name(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("site/stocked.py", one())
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert find_target("stocked:pipe").kept == "stocked:pipe"


def test_a_module_that_fails_shows_the_frames_of_the_user(write: Write) -> None:
    write("wrong.py", "import nothing_like_this\n")
    assert "did you mean `wrong.py:pipe`" in refusal("wrong:pipe")
    write("lab/__init__.py", "")
    write("lab/flow.py", "import nothing_like_this\n")
    said = refusal("lab.flow:pipe")
    assert 'flow.py", line 1' in said
    assert "is it installed for" in said
    write("lab/bad.py", "1 / 0\n")
    assert "ZeroDivisionError" in refusal("lab.bad:pipe")
    assert "there is no module lab.none" in refusal("lab.none:pipe")


def test_a_target_that_names_a_step_says_whose_it_is_and_does_not_call_it(write: Write, tmp_path: Path) -> None:
    """O3: its function is no factory; it would run outside of any run."""
    write(
        "p.py",
        "from pathlib import Path\nfrom stepwell import Pipeline\npipe = Pipeline('p')\n"
        "@pipe.step\ndef a() -> int:\n    Path('called').touch()\n    return 1\n",
    )
    assert refusal("p.py:a") == "`a` in p.py is a step of `pipe`; give p.py:pipe"
    assert not (tmp_path / "called").exists()
