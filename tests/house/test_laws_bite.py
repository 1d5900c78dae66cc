"""Each law finds a breach that was planted for it, and lets the sound house next to it stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from . import import_laws, purity_laws, shape_laws, suite_laws
from .blueprint import Fault, House, floors_in_pyproject

Law = Callable[[House], list[Fault]]

SOUND = {
    "__init__.py": "from stepwell.api.pipeline import Pipeline",
    "errors.py": "",
    "clock.py": "from stepwell.errors import StepwellError",
    "events.py": "import msgspec",
    "state.py": "from stepwell.events import Event",
    "journal/__init__.py": "",
    "journal/port.py": "from stepwell.events import Event",
    "journal/sqlite.py": "import apsw\nfrom stepwell.journal.port import Journal\nfrom .sqlite_schema import SCHEMA",
    "journal/sqlite_schema.py": "",
    "engine/__init__.py": "",
    "engine/decide.py": "from stepwell.state import State",
    "views/__init__.py": "from stepwell.state import State",
    "api/__init__.py": "",
    "api/pipeline.py": "from stepwell.journal.sqlite import SqliteJournal\nfrom stepwell.engine import decide",
    "cli/__init__.py": "",
    "cli/main.py": "import rich\nfrom stepwell.api.pipeline import Pipeline",
}

LAWS: list[Law] = [
    import_laws.every_room_has_a_floor,
    import_laws.imports_go_downward,
    import_laws.doing_and_telling_never_meet,
    import_laws.nobody_imports_the_face,
    import_laws.the_face_shows_no_door,
    import_laws.only_api_and_doors_name_adapters,
    import_laws.third_parties_stay_at_the_edge,
    import_laws.no_circle_between_files,
    shape_laws.files_begin_with_a_caption,
    shape_laws.files_are_short,
    shape_laws.functions_are_short,
    shape_laws.exceptions_are_needed,
    shape_laws.no_room_outgrows_the_house,
    shape_laws.names_say_something,
    purity_laws.the_core_imports_nothing_impure,
    purity_laws.the_core_never_waits,
    purity_laws.nothing_recurses,
]

HIDDEN = "def late():\n    from stepwell.{0} import x"
UNDER_TYPE_CHECKING = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stepwell.{0} import x"
BY_CALL = "import importlib\nimportlib.import_module('stepwell.{0}')"

MUTUAL = "def here(n):\n    return there(n)\n\n\ndef there(n):\n    return here(n - 1)"
METHOD = "class Walk:\n    def down(self, node):\n        return [self.down(child) for child in node]"

BREACHES: list[tuple[Law, str, str]] = [
    (import_laws.every_room_has_a_floor, "attic.py", ""),
    (import_laws.imports_go_downward, "events.py", "import stepwell.state"),
    (import_laws.imports_go_downward, "events.py", HIDDEN.format("engine.decide")),
    (import_laws.imports_go_downward, "events.py", UNDER_TYPE_CHECKING.format("state")),
    (import_laws.imports_go_downward, "events.py", BY_CALL.format("state")),
    (import_laws.imports_go_downward, "events.py", "from .state import State"),
    (import_laws.imports_go_downward, "journal/port.py", "from ..state import State"),
    (import_laws.imports_go_downward, "journal/port.py", "from stepwell import state"),
    (import_laws.doing_and_telling_never_meet, "views/__init__.py", "from stepwell.engine.decide import decide"),
    (import_laws.doing_and_telling_never_meet, "engine/decide.py", HIDDEN.format("views")),
    (import_laws.nobody_imports_the_face, "cli/main.py", "from stepwell import Pipeline"),
    (import_laws.nobody_imports_the_face, "api/pipeline.py", "def f():\n    import stepwell"),
    (import_laws.nobody_imports_the_face, "api/pipeline.py", "from .. import Pipeline"),
    (import_laws.the_face_shows_no_door, "__init__.py", "from stepwell.cli.main import main"),
    (import_laws.only_api_and_doors_name_adapters, "engine/decide.py", "from stepwell.journal.sqlite import x"),
    (import_laws.only_api_and_doors_name_adapters, "journal/__init__.py", "from stepwell.journal import sqlite"),
    (import_laws.only_api_and_doors_name_adapters, "journal/memory.py", "from .sqlite_schema import SCHEMA"),
    (import_laws.third_parties_stay_at_the_edge, "engine/decide.py", "import pydantic"),
    (import_laws.third_parties_stay_at_the_edge, "journal/port.py", "def f():\n    import apsw"),
    (import_laws.no_circle_between_files, "journal/port.py", "def f():\n    from .sqlite import x"),
    (import_laws.no_circle_between_files, "journal/port.py", "from stepwell.journal.port import x"),
    (import_laws.no_circle_between_files, "errors.py", UNDER_TYPE_CHECKING.format("clock")),
    (shape_laws.files_are_short, "events.py", "x = 1\n" * 300),
    (shape_laws.functions_are_short, "events.py", "def f():\n" + "    x = 1\n" * 50),
    (shape_laws.names_say_something, "journal/utils.py", ""),
    (shape_laws.names_say_something, "journal/sql_helpers.py", ""),
    (shape_laws.names_say_something, "events.py", "class RunManager:\n    pass"),
    (purity_laws.the_core_imports_nothing_impure, "state.py", "import time"),
    (purity_laws.the_core_imports_nothing_impure, "engine/decide.py", "def f():\n    from random import random"),
    (purity_laws.the_core_never_waits, "engine/decide.py", "async def f():\n    pass"),
    (purity_laws.nothing_recurses, "engine/decide.py", "def walk(n):\n    return walk(n - 1)"),
    (purity_laws.nothing_recurses, "engine/decide.py", "def f():\n    def walk(n):\n        return walk(n - 1)"),
    (purity_laws.nothing_recurses, "engine/runner.py", "async def work(group):\n    await work(group)"),
    (purity_laws.nothing_recurses, "state.py", METHOD),
    (purity_laws.nothing_recurses, "state.py", MUTUAL),
]


def build(folder: Path, files: dict[str, str], caption: str = '"""What it is for."""\n') -> House:
    source = folder / "src" / "stepwell"
    for name, code in files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(caption + code + "\n", encoding="utf-8")
    return House(source, floors_in_pyproject())


def test_a_sound_house_breaks_no_law(tmp_path: Path) -> None:
    house = build(tmp_path, SOUND)
    assert [str(fault) for law in LAWS for fault in law(house)] == []


@pytest.mark.parametrize(("law", "file", "code"), BREACHES)
def test_a_planted_breach_is_found_where_it_is(law: Law, file: str, code: str, tmp_path: Path) -> None:
    faults = law(build(tmp_path, {**SOUND, file: code}))
    assert [fault.where for fault in faults] == [f"src/stepwell/{file}"]
    assert all(fault.line and fault.what and fault.way_out for fault in faults)


def test_a_file_without_a_caption_is_found(tmp_path: Path) -> None:
    faults = shape_laws.files_begin_with_a_caption(build(tmp_path, {"errors.py": "x = 1"}, caption=""))
    assert len(faults) == 1


def test_a_room_that_outgrows_the_house_is_found(tmp_path: Path) -> None:
    rooms = {f"{name}.py": "" for floor in floors_in_pyproject() for name in floor if name != "engine"}
    house = build(tmp_path, {**rooms, "engine/decide.py": "x = 1\n" * 200})
    assert [fault.where for fault in shape_laws.no_room_outgrows_the_house(house)] == ["src/stepwell/engine"]


def test_an_exception_must_be_needed_and_explained(tmp_path: Path) -> None:
    house = build(tmp_path, {"errors.py": "x = 1\n" * 300, "clock.py": ""})
    large, small = "src/stepwell/errors.py", "src/stepwell/clock.py"
    assert shape_laws.files_are_short(house, {large: "one tree in one place"}) == []
    assert shape_laws.exceptions_are_needed(house, {large: "one tree in one place"}) == []
    assert len(shape_laws.exceptions_are_needed(house, {large: "", small: "it was large once"})) == 2


def test_a_long_docstring_does_not_make_a_function_long(tmp_path: Path) -> None:
    code = 'def f():\n    """Say much.\n' + "\n" * 60 + '    """\n    return 1'
    assert shape_laws.functions_are_short(build(tmp_path, {"errors.py": code})) == []


def test_a_method_may_call_its_namesake_on_another_object(tmp_path: Path) -> None:
    code = "class Outer:\n    def close(self):\n        self.inner.close()\n        close()\n"
    assert purity_laws.nothing_recurses(build(tmp_path, {"state.py": code})) == []


def test_a_function_may_start_itself_as_a_new_task(tmp_path: Path) -> None:
    code = "async def work(group):\n    group.create_task(work(group))\n"
    assert purity_laws.nothing_recurses(build(tmp_path, {"engine/runner.py": code})) == []


SUITE = """
    import pytest

    def test_two_words(): ...

    async def test_three_words_here(): ...

    @pytest.mark.skip
    def test_skipped_without_a_reason():
        pytest.skip()

    @pytest.mark.skipif(True)
    def test_skipped_at_times_without_a_reason():
        pytest.skip("")

    @pytest.mark.skipif(True, reason="no Windows here")
    def test_skipped_at_times_with_a_reason():
        pytest.skip("no disk to fill")
        pytest.skip(reason=f"no {1}")

    @pytest.mark.xfail(strict=True)
    def test_that_fails_without_a_reason(): ...
"""


def test_short_names_and_silent_skips_are_found_in_a_suite(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_planted.py").write_text(dedent(SUITE).lstrip(), encoding="utf-8")
    assert [fault.line for fault in suite_laws.names_are_sentences(tests)] == [3]
    assert sorted(fault.line for fault in suite_laws.skips_give_a_reason(tests)) == [7, 9, 11, 13, 20]
