"""Who may import whom. Each law takes a house and gives its faults."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from .blueprint import PACKAGE, Fault, House, Import, SourceFile, foreign_imports, own_imports, room_of

DOORS = frozenset({"__main__", "cli", "dashboard", "testing"})
COMPOSITION = "api"

ADAPTERS = (
    "journal.memory",
    "journal.sqlite",
    "journal.postgres",
    "executors.local",
    "executors.process",
    "executors.ray",
    "libraries",
)
"""Concrete things behind a port. A name also stands for the files that begin with it: `journal.sqlite_schema`."""

THIRD_PARTIES_EVERYWHERE = frozenset({"msgspec"})

ROOMS_AROUND_A_LIBRARY = frozenset({"conditions", "libraries", "yaml", "limits", "telemetry"})
"""Rooms that are adapters from wall to wall."""

ADAPTERS_AROUND_A_LIBRARY = (
    "journal.sqlite",
    "journal.postgres",
    "executors.process",
    "executors.ray",
    "api.settings",
)


def every_room_has_a_floor(house: House) -> list[Fault]:
    return [
        file.fault(
            1, f"the room `{file.room}` stands on no floor", "give it one in [tool.importlinter], pyproject.toml"
        )
        for file in house
        if file.room and house.floor_of(file.room) is None
    ]


def imports_go_downward(house: House) -> list[Fault]:
    faults: list[Fault] = []
    for file, one in own_imports(house):
        here, there = file.room, room_of(one.module)
        if not here or not there or here == there:
            continue
        height, other = house.floor_of(here), house.floor_of(there)
        if height is None or other is None or other < height:
            continue
        how = "on the same shelf" if height == other else f"floor {other}, from floor {height} up"
        way_out = "move what both need to a floor below, or pass it in as an argument from `api`"
        faults.append(file.fault(one.line, f"`{here}` imports `{one.module}` ({how})", way_out))
    return faults


def doing_and_telling_never_meet(house: House) -> list[Fault]:
    faults: list[Fault] = []
    for file, one in own_imports(house):
        if {file.room, room_of(one.module)} == {"engine", "views"}:
            what = f"`{file.room}` imports `{one.module}`"
            faults.append(file.fault(one.line, what, "they share events and state, both on floors below; nothing else"))
    return faults


def nobody_imports_the_face(house: House) -> list[Fault]:
    return [
        file.fault(one.line, "imports the package's own face", f"import from the file: `from {PACKAGE}.room import …`")
        for file, one in own_imports(house)
        if one.module == PACKAGE and not file.is_face
    ]


def the_face_shows_no_door(house: House) -> list[Fault]:
    return [
        file.fault(one.line, f"the face imports the door `{one.module}`", "a door is imported by its own name")
        for file, one in own_imports(house)
        if file.is_face and room_of(one.module) in DOORS
    ]


def only_api_and_doors_name_adapters(house: House) -> list[Fault]:
    faults: list[Fault] = []
    for file, one in own_imports(house):
        adapter = _adapter(one.module.removeprefix(f"{PACKAGE}."), ADAPTERS)
        if not adapter or file.room == COMPOSITION or file.room in DOORS or _adapter(file.place, ADAPTERS) == adapter:
            continue
        way_out = "take the port as an argument; `api` chooses the adapter"
        faults.append(file.fault(one.line, f"names the adapter `{one.module}`", way_out))
    return faults


def third_parties_stay_at_the_edge(house: House) -> list[Fault]:
    faults: list[Fault] = []
    for file, one in foreign_imports(house):
        if one.top in THIRD_PARTIES_EVERYWHERE or file.room in DOORS | ROOMS_AROUND_A_LIBRARY:
            continue
        if not _adapter(file.place, ADAPTERS_AROUND_A_LIBRARY):
            way_out = "only adapters and doors import third parties; put a port here and the library behind it"
            faults.append(file.fault(one.line, f"imports the third party `{one.top}`", way_out))
    return faults


def no_circle_between_files(house: House) -> list[Fault]:
    lines: dict[tuple[str, str], int] = {}
    for file, one in own_imports(house):
        for target in _loaded(house, file, one):
            lines.setdefault((file.module, target), one.line)
    graph: dict[str, set[str]] = {file.module: set() for file in house}
    for importer, target in lines:
        graph[importer].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = _from_the_lowest(house, error.args[1][:0:-1])  # graphlib: from the imported to the importer, closed
        line = lines[circle[0], circle[1 % len(circle)]]
        way_out = "one of these imports points the wrong way, also where it hides in a function or under TYPE_CHECKING"
        return [house.files[circle[0]].fault(line, f"circle of imports: {' -> '.join([*circle, circle[0]])}", way_out)]
    return []


def _from_the_lowest(house: House, circle: list[str]) -> list[str]:
    lowest = min(circle, key=lambda module: (house.floor_of(room_of(module)) or 0, module))
    start = circle.index(lowest)
    return circle[start:] + circle[:start]


def _adapter(place: str, adapters: tuple[str, ...]) -> str:
    return next((adapter for adapter in adapters if place.startswith(adapter)), "")


def _loaded(house: House, file: SourceFile, one: Import) -> list[str]:
    """The module and the packages around it that are loaded with it, but for those around the importer."""
    parts = one.module.split(".")
    chain = [".".join(parts[:length]) for length in range(2, len(parts) + 1)] or [one.module]
    return [
        name
        for name in chain
        if name in house.files and (name == one.module or not f"{file.module}.".startswith(f"{name}."))
    ]
