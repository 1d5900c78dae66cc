"""How large a file, a function and a room may be, what a file begins with, and how things are called."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from .blueprint import Fault, House, SourceFile

FILE_LINES = 300
FUNCTION_LINES = 50
ROOM_SHARE = 0.25
"""Largest share of the house that one room may hold. The aim is 0.15."""
ROOMS_BEFORE_SHARES_COUNT = 15
"""In a house with few rooms each is large."""

EXCEPTIONS: Mapping[str, str] = {}
"""What may be larger, and why: `src/stepwell/a.py` for a file, `src/stepwell/a.py:name` for a function."""

NAMES_THAT_SAY_NOTHING = ("utils", "util", "helpers", "helper", "manager", "handler", "coordinator", "kernel", "misc")


def files_begin_with_a_caption(house: House) -> list[Fault]:
    faults: list[Fault] = []
    for file in house:
        first = file.tree.body[0] if file.tree.body else None
        caption = ast.get_docstring(file.tree) or ""
        if not caption or first is None or first.lineno != 1 or not caption.splitlines()[0].strip():
            what = "the file does not begin with its caption"
            faults.append(file.fault(1, what, "say in one line, as a docstring on line 1, what the file is for"))
    return faults


def files_are_short(house: House, exceptions: Mapping[str, str] = EXCEPTIONS) -> list[Fault]:
    way_out = f"under {FILE_LINES}: find the second purpose inside and give it a file of its own"
    return [
        file.fault(FILE_LINES, f"the file has {file.lines} lines", way_out)
        for file in house
        if file.lines >= FILE_LINES and file.where not in exceptions
    ]


def functions_are_short(house: House, exceptions: Mapping[str, str] = EXCEPTIONS) -> list[Fault]:
    way_out = f"under {FUNCTION_LINES} without its docstring: give its parts names"
    return [
        file.fault(function.lineno, f"`{function.name}` has {lines} lines", way_out)
        for file in house
        for function in file.functions()
        if (lines := _lines(function)) >= FUNCTION_LINES and f"{file.where}:{function.name}" not in exceptions
    ]


def exceptions_are_needed(house: House, exceptions: Mapping[str, str] = EXCEPTIONS) -> list[Fault]:
    needed = {file.where for file in house if file.lines >= FILE_LINES}
    for file in house:
        needed |= {f"{file.where}:{one.name}" for one in file.functions() if _lines(one) >= FUNCTION_LINES}
    faults: list[Fault] = []
    for name, reason in exceptions.items():
        where = name.partition(":")[0]
        if name not in needed:
            faults.append(Fault(where, 1, f"`{name}` needs no exception any more", "take it out of EXCEPTIONS"))
        if len(reason.split()) < 3:
            faults.append(Fault(where, 1, f"the exception `{name}` gives no reason", "say why in a sentence"))
    return faults


def no_room_outgrows_the_house(house: House) -> list[Fault]:
    if len(house.rooms) < ROOMS_BEFORE_SHARES_COUNT:
        return []
    lines = Counter({room: sum(file.lines for file in house if file.room == room) for room in house.rooms})
    total = lines.total()
    way_out = f"under {ROOM_SHARE:.0%}: part it by what it is for"
    return [
        Fault(f"src/stepwell/{room}", 1, f"the room holds {count / total:.0%} of the house", way_out)
        for room, count in lines.most_common()
        if count > ROOM_SHARE * total
    ]


def names_say_something(house: House) -> list[Fault]:
    faults: list[Fault] = []
    way_out = "name it after what it does or holds"
    for file in house:
        for line, name in [(1, file.module.rpartition(".")[2]), *_classes(file)]:
            words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
            if words and words[-1].lower() in NAMES_THAT_SAY_NOTHING:
                faults.append(file.fault(line, f"the name `{name}` says nothing", way_out))
    return faults


def _classes(file: SourceFile) -> Iterator[tuple[int, str]]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, node.name


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From `def` to the end, without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines
