"""Ways to damage a copy of a store; each is drawn with a seed and says in words what it did."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from .stores import NAME, Kit

PAGE, FRAME = 1024, 1024 + 24
ENDS = ("", "-wal", "-shm")
Damage = Callable[[Kit, Path, random.Random], str]
"""Damages the store whose file this is; gives what was done."""


def _some(store: Path, chance: random.Random, *ends: str) -> Path:
    """One of the store's files that is there and not empty."""
    files = [store.with_name(NAME + end) for end in ends or ENDS]
    return chance.choice([file for file in files if file.exists() and file.stat().st_size] or [store])


def _blob(store: Path, chance: random.Random) -> Path:
    return chance.choice(sorted(store.with_name(f"{NAME}.blobs").glob("[0-9a-f]*/*")))


def cut(kit: Kit, store: Path, chance: random.Random) -> str:
    """Any length: nothing left, within the header, at the border of a page, anywhere."""
    file = _some(store, chance)
    size = file.stat().st_size
    unit = FRAME if file.name.endswith("-wal") else PAGE
    left = chance.choice([0, chance.randrange(1, 100), chance.randrange(size // unit) * unit, chance.randrange(size)])
    with file.open("r+b") as opened:
        opened.truncate(left)
    return f"{file.name} cut to {left} of {size}"


def flip(kit: Kit, store: Path, chance: random.Random) -> str:
    """A few bits: in the header, on the page of the schema, or anywhere."""
    file = _some(store, chance)
    data = bytearray(file.read_bytes())
    reach = chance.choice([100, PAGE, len(data), len(data), len(data)])
    places = [chance.randrange(min(reach, len(data))) for _ in range(chance.choice([1, 1, 1, 2, 8]))]
    for place in places:
        data[place] ^= 1 << chance.randrange(8)
    file.write_bytes(data)
    return f"{file.name}: bits flipped at {places}"


def zero(kit: Kit, store: Path, chance: random.Random) -> str:
    """Bytes that read as zero: a few, or pages."""
    file = _some(store, chance)
    data = bytearray(file.read_bytes())
    start = chance.choice([0, chance.randrange(len(data)), chance.randrange(len(data)) // PAGE * PAGE])
    count = chance.choice([1, 16, 100, PAGE, 4 * PAGE])
    data[start : start + count] = bytes(len(data[start : start + count]))
    file.write_bytes(data)
    return f"{file.name}: {count} bytes zeroed from {start}"


def noise(kit: Kit, store: Path, chance: random.Random) -> str:
    """A stretch of random bytes; a sector that came back as another one's."""
    file = _some(store, chance)
    data = bytearray(file.read_bytes())
    start = chance.randrange(len(data))
    count = min(chance.choice([4, 64, 512, PAGE]), len(data) - start)
    data[start : start + count] = chance.randbytes(count)
    file.write_bytes(data)
    return f"{file.name}: {count} random bytes from {start}"


def swap(kit: Kit, store: Path, chance: random.Random) -> str:
    """Two pages, or frames, in each other's place; or one that stands twice."""
    file = _some(store, chance, "", "-wal")
    data = bytearray(file.read_bytes())
    head, unit = (32, FRAME) if file.name.endswith("-wal") else (0, PAGE)
    count = (len(data) - head) // unit
    one, two = (head + chance.randrange(count) * unit for _ in range(2))
    first, second = data[one : one + unit], data[two : two + unit]
    data[two : two + unit] = first
    twice = chance.random() < 0.5
    if not twice:
        data[one : one + unit] = second
    file.write_bytes(data)
    return f"{file.name}: the {unit} bytes at {one} and {two} {'are those of the first' if twice else 'swapped'}"


def grow(kit: Kit, store: Path, chance: random.Random) -> str:
    """Bytes that do not belong there at the end."""
    file = _some(store, chance, "", "-wal")
    count = chance.choice([1, 100, PAGE, FRAME])
    with file.open("ab") as opened:
        opened.write(chance.randbytes(count))
    return f"{file.name}: {count} bytes more"


def replace(kit: Kit, store: Path, chance: random.Random) -> str:
    """The file itself is another thing."""
    ways: dict[str, Callable[[], object]] = {
        "an empty file": lambda: store.write_bytes(b""),
        "a text": lambda: store.write_text("runs\n" * 400, encoding="utf-8"),
        "another database": lambda: _stranger(store),
        "another store's": lambda: shutil.copy(kit.other / NAME, store),
        "an older copy": lambda: shutil.copy(kit.older / NAME, store),
        "a folder": lambda: (store.unlink(), store.mkdir()),
        "a link to nowhere": lambda: (store.unlink(), store.symlink_to("nowhere")),
        "a link to itself": lambda: (store.unlink(), store.symlink_to(store.name)),
        "a device": lambda: (store.unlink(), store.symlink_to("/dev/null")),
        "a WAL": lambda: store.write_bytes((kit.live / f"{NAME}-wal").read_bytes()),
        "gone": store.unlink,
    }
    way = chance.choice(list(ways))
    ways[way]()
    return f"{NAME} is {way}"


def _stranger(store: Path) -> None:
    store.unlink()
    db = sqlite3.connect(store)
    db.execute("CREATE TABLE journal (run)")
    db.commit()
    db.close()


def replace_wal(kit: Kit, store: Path, chance: random.Random) -> str:
    """The WAL is gone, another one's, or another thing."""
    wal, shm = (store.with_name(NAME + end) for end in ("-wal", "-shm"))
    ways: dict[str, Callable[[], object]] = {
        "gone": lambda: wal.unlink(missing_ok=True),
        "gone, as is the -shm": lambda: (wal.unlink(missing_ok=True), shm.unlink(missing_ok=True)),
        "that of another store": lambda: shutil.copy(kit.other / wal.name, wal),
        "that of another store, with its -shm": lambda: [
            shutil.copy(kit.other / file.name, file) for file in (wal, shm)
        ],
        "that of a later time": lambda: shutil.copy(kit.live / wal.name, wal),
        "a text": lambda: wal.write_text("frames\n" * 400, encoding="utf-8"),
        "a folder": lambda: (wal.unlink(missing_ok=True), wal.mkdir()),
        "the store": lambda: shutil.copy(store, wal),
    }
    way = chance.choice(list(ways))
    ways[way]()
    return f"{wal.name} is {way}"


def blob(kit: Kit, store: Path, chance: random.Random) -> str:
    """A large value, or its folder."""
    file = _blob(store, chance)
    data = file.read_bytes()
    flipped = bytearray(data)
    flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    ways: dict[str, Callable[[], object]] = {
        "gone": file.unlink,
        "cut": lambda: file.write_bytes(data[: chance.randrange(len(data))]),
        "flipped": lambda: file.write_bytes(flipped),
        "longer": lambda: file.write_bytes(data + b"\0"),
        "another": lambda: file.write_bytes(bytes(len(data))),
        "a folder": lambda: (file.unlink(), file.mkdir()),
        "a link to itself": lambda: (file.unlink(), file.symlink_to(file.name)),
        "gone with all": lambda: shutil.rmtree(store.with_name(f"{NAME}.blobs")),
        "in a folder that is a file": lambda: (
            shutil.rmtree(store.with_name(f"{NAME}.blobs")),
            store.with_name(f"{NAME}.blobs").write_bytes(b""),
        ),
    }
    way = chance.choice(list(ways))
    ways[way]()
    return f"the blob is {way}"


def beside(kit: Kit, store: Path, chance: random.Random) -> str:
    """What lies beside the store, and holds nothing that cannot be done without."""
    owners = store.with_name(f"{NAME}.owners")
    shm = store.with_name(f"{NAME}-shm")
    ways: dict[str, Callable[[], object]] = {
        "the locks are gone": lambda: shutil.rmtree(owners),
        "the locks are a file": lambda: (shutil.rmtree(owners), owners.write_bytes(b"")),
        "the -shm is gone": lambda: shm.unlink(missing_ok=True),
        "the -shm is noise": lambda: shm.write_bytes(chance.randbytes(32768)),
        "the -shm is a folder": lambda: (shm.unlink(missing_ok=True), shm.mkdir()),
        "there is an old -journal": lambda: store.with_name(f"{NAME}-journal").write_bytes(chance.randbytes(2000)),
    }
    way = chance.choice(list(ways))
    ways[way]()
    return way
