"""Which file system a store lies on, out of what Linux and macOS say; one of a network takes no store."""

from __future__ import annotations

import struct
import sys
from pathlib import Path, PurePosixPath

import pytest

from stepwell.errors import StoreError
from stepwell.journal.sqlite import SqliteStore, place
from stepwell.journal.sqlite.place import NETWORK, file_system, kind_among, kind_in_statfs, linux_mounts

LINUX = b"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:5 / /mnt/my\\040disk rw - xfs /dev/sdb1 rw
24 22 0:44 / /home rw shared:2 master:1 - nfs4 server:/home rw,vers=4.2
25 24 0:50 / /home/me/fast rw - btrfs /dev/sdc rw
26 22 0:51 / /mnt/b\xc3\xbccher rw - cifs //server/books rw,vers=3.1.1
27 22 0:52 / /mnt/c rw - 9p C:\\134 rw,aname=drvfs,trans=fd,rfd=5,wfd=5
28 22 0:53 / /mnt/far rw - 9p server rw,trans=tcp,port=564
29 22 0:54 / /auto rw - autofs systemd-1 rw
30 29 0:55 / /auto rw - fuse.sshfs me@server: rw
broken line
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="each system has its own file systems")


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/homework", "ext4"),
        ("/home", "nfs4"),
        ("/home/me", "nfs4"),
        ("/home/me/fast/a", "btrfs"),
        ("/mnt/my disk/x", "xfs"),
        ("/mnt/bücher/x", "cifs"),
        ("/mnt/c/Users", "9p"),
        ("/mnt/far/x", "9p over tcp"),
        ("/auto/x", "fuse.sshfs"),
    ],
)
def test_the_innermost_mount_of_linux_counts(folder: str, kind: str) -> None:
    assert kind_among(PurePosixPath(folder), linux_mounts(LINUX)) == kind


@pytest.mark.parametrize("kind", ["9p", "overlay", "virtiofs", "vboxsf", "fuse", "ext4", "tmpfs", "zfs", "drvfs"])
def test_what_a_container_or_a_virtual_machine_has_of_its_host_is_no_network(kind: str) -> None:
    assert kind not in NETWORK


def answer(kind: bytes, flags: int) -> bytes:
    """What macOS's statfs writes: sizes and counts, then the flags, then the kind."""
    return struct.pack("=IiQQQQQiiIIII16s", 4096, 1 << 20, 1, 1, 1, 1, 1, 0, 0, 0, 0, flags, 0, kind) + bytes(2048)


@pytest.mark.parametrize(
    ("kind", "flags", "network"),
    [(b"apfs", 0x1000, False), (b"smbfs", 0, True), (b"nfs", 0x1000, True), (b"somethingnew", 0, True)],
)
def test_on_macos_what_is_not_local_is_a_network(kind: bytes, flags: int, network: bool) -> None:
    assert kind_in_statfs(answer(kind, flags)) == (kind.decode(), network)


@on_linux
def test_the_process_folder_of_linux_is_known() -> None:
    assert file_system(Path("/proc/self")) == ("proc", False)


@on_linux
def test_a_folder_that_is_still_to_be_made_is_where_it_will_be(tmp_path: Path) -> None:
    assert file_system(tmp_path / "a" / "b") == file_system(tmp_path)


@pytest.fixture
def on_nfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Linux says to be mounted from a server."""
    mounts = tmp_path / "mountinfo"
    mounts.write_bytes(b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n24 22 0:44 / %s rw - nfs4 s:/h rw\n" % bytes(tmp_path))
    monkeypatch.setattr(place, "MOUNTS", mounts)
    return tmp_path / "far"


@on_linux
def test_a_store_on_a_network_is_refused_with_the_reason_before_anything_is_made(on_nfs: Path) -> None:
    store = SqliteStore(on_nfs / "runs.db")
    with pytest.raises(StoreError, match=r"runs\.db would be on a network file system \(nfs4\).*disk of this machine"):
        store.create("R", "p", "")
    store.close()
    assert not on_nfs.exists()


@on_linux
def test_a_store_that_lies_on_a_network_can_still_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_nfs: Path
) -> None:
    with monkeypatch.context() as before:
        before.setattr(place, "MOUNTS", Path("/proc/self/mountinfo"))
        store = SqliteStore(on_nfs / "runs.db")
        store.create("R", "p", "")
        store.close()
    store = SqliteStore(on_nfs / "runs.db")
    assert store.runs() == []
    store.close()


@on_linux
def test_where_linux_does_not_say_what_is_mounted_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "MOUNTS", tmp_path / "none")
    assert file_system(tmp_path) == ("", False)
