"""Which file system a folder is on, out of what Linux and macOS say."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import pytest

from stepwell.cli.disk import NETWORK, kind_among, kind_of, linux_mounts, mounts

LINUX = """22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:5 / /mnt/my\\040disk rw - xfs /dev/sdb1 rw
24 22 0:44 / /home rw shared:2 master:1 - nfs4 server:/home rw,vers=4.2
25 24 0:50 / /home/me/fast rw - btrfs /dev/sdc rw
broken line
"""
MAC = """/dev/disk3s1s1 on / (apfs, sealed, local, read-only)
//me@server/share on /Volumes/share (1) (smbfs, nodev, nosuid)
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/homework", "ext4"),
        ("/home/me", "nfs4"),
        ("/home/me/fast/a", "btrfs"),
        ("/mnt/my disk/x", "xfs"),
    ],
)
def test_the_innermost_mount_of_linux_counts(folder: str, kind: str) -> None:
    assert kind_among(PurePosixPath(folder), linux_mounts(LINUX)) == kind


def test_a_share_that_is_mounted_on_macos_is_a_network() -> None:
    assert kind_among(PurePosixPath("/Volumes/share (1)/a"), mounts(MAC)) in NETWORK
    assert kind_among(PurePosixPath("/Users/me"), mounts(MAC)) == "apfs"


@pytest.mark.skipif(sys.platform != "linux", reason="each system has its own file systems")
def test_the_process_folder_of_linux_is_known() -> None:
    assert kind_of(Path("/proc/self")) == "proc"
