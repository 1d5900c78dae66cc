"""What the simulated disk keeps, loses and tears."""

from __future__ import annotations

from random import Random

import pytest

from .disk import HOWS, ROOT, SECTOR, Disk, Entry, Image, Made, Removed, Renamed, Resized, Synced, Wrote

FILE = Made(1, ROOT, "file")


def images(*log: Entry, how: str, found: Image | None = None) -> list[Image]:
    """What many cuts after these entries leave, each different one once."""
    disk = Disk(found)
    for entry in log:
        disk.take(entry)
    different: list[Image] = []
    for seed in range(200):
        image = disk.image(how, Random(seed))
        if image not in different:
            different.append(image)
    return different


@pytest.mark.parametrize("how", HOWS)
def test_what_was_synced_with_its_name_is_there_however_the_power_is_cut(how: str) -> None:
    """S5 rests on this alone."""
    assert images(FILE, Wrote(1, 0, b"a"), Synced(1, 2), Synced(ROOT, 3), how=how) == [{"file": b"a"}]


def test_a_file_whose_name_was_not_synced_may_be_gone_with_all_that_was_synced_in_it() -> None:
    assert images(FILE, Wrote(1, 0, b"a"), Synced(1, 2), how="lost") == [{}]
    assert images(FILE, Wrote(1, 0, b"a"), Synced(1, 2), how="kept") == [{"file": b"a"}]
    assert len(images(FILE, Wrote(1, 0, b"a"), Synced(1, 2), how="subset")) == 2


def test_a_sync_makes_nothing_safe_that_was_written_after_it_began() -> None:
    log = (FILE, Synced(ROOT, 1), Wrote(1, 0, b"a"), Wrote(1, 1, b"b"), Synced(1, 3))
    assert images(*log, how="lost") == [{"file": b"a"}]


def test_of_writes_in_a_row_the_first_ones_may_be_there_or_any_of_them() -> None:
    log = (FILE, Synced(ROOT, 1), Wrote(1, 0, b"a"), Wrote(1, 1, b"b"))
    first = [image["file"] for image in images(*log, how="prefix")]
    some = [image["file"] for image in images(*log, how="subset")]
    assert sorted(first) == [b"", b"a", b"ab"]
    assert sorted(some) == [b"", b"\0b", b"a", b"ab"]


def test_a_write_is_torn_at_the_sectors_of_the_disk_and_harms_nothing_beside_it() -> None:
    old, new = b"o" * 4 * SECTOR, b"n" * 2 * SECTOR
    for image in images(Wrote(1, SECTOR // 2, new), how="torn", found={"file": old}):
        content = image["file"]
        assert content is not None
        assert content[: SECTOR // 2] == old[: SECTOR // 2]
        assert content[SECTOR // 2 + len(new) :] == old[SECTOR // 2 + len(new) :]
        starts = (SECTOR // 2, SECTOR, 2 * SECTOR)
        assert all(len(set(content[start : start + SECTOR // 2])) == 1 for start in starts)
    assert len(images(Wrote(1, SECTOR // 2, new), how="torn", found={"file": old})) == 8


def test_sectors_of_a_torn_write_may_hold_what_nobody_wrote() -> None:
    contents = {image["file"] for image in images(Wrote(1, 0, b"n" * SECTOR), how="noise", found={"file": b""})}
    assert {b"", b"n" * SECTOR, bytes(SECTOR)} < contents
    assert len(contents) > 3


def test_a_file_may_have_its_new_size_or_its_old_one() -> None:
    found = {"file": b"abcd"}
    assert sorted(map(str, images(Resized(1, 2), how="subset", found=dict(found)))) == [
        "{'file': b'ab'}", "{'file': b'abcd'}",
    ]  # fmt: skip


def test_a_name_that_was_not_synced_is_the_old_one_the_new_one_or_both() -> None:
    found: Image = {"from": None, "from/old": b"a", "to": None}
    log = Renamed(2, (1, "old"), (3, "new"))
    names = [tuple(path for path in image if "/" in path) for image in images(log, how="kept", found=found)]
    assert names == [("to/new",)]
    assert images(log, how="lost", found=found) == [found]
    both = images(log, Synced(3, 1), how="lost", found=found)
    assert both == [{**found, "to/new": b"a"}]


def test_what_was_removed_may_come_back_until_its_folder_is_synced() -> None:
    log = Removed(ROOT, "file")
    assert sorted(map(len, images(log, how="subset", found={"file": b"a"}))) == [0, 1]
    assert images(log, Synced(ROOT, 1), how="lost", found={"file": b"a"}) == [{}]
