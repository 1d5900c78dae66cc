"""What kind of file system a folder is on: of those of a network, many do not lock and sync as a store needs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

NETWORK = frozenset({
    "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs",
    "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "network drive", "nfs", "nfs4",
    "osxfuse", "panfs", "prl_fs", "smb2", "smb3", "smbfs", "vboxsf", "vmhgfs", "webdav",
})  # fmt: skip
MEMORY = frozenset({"tmpfs", "ramfs"})


def kind_of(folder: Path) -> str:
    """The kind of the file system, such as `ext4`, `apfs` or `nfs4`; "" where that cannot be found out."""
    try:
        folder = folder.resolve()
        if sys.platform == "linux":
            return kind_among(folder, linux_mounts(Path("/proc/self/mountinfo").read_text(encoding="utf-8")))
        if sys.platform == "win32":
            return _windows_kind(folder)
        done = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=5, check=False)
        return kind_among(folder, mounts(done.stdout))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""


def linux_mounts(text: str) -> Iterator[tuple[str, str]]:
    """Mount points and kinds out of Linux's `mountinfo`, in the order in which they were mounted."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.partition(" ")[0]
        if len(fields) > 4 and kind:
            yield fields[4].encode().decode("unicode_escape"), kind


def mounts(text: str) -> Iterator[tuple[str, str]]:
    """The same out of what `mount` prints on macOS and the BSDs: `/dev/disk3s1 on /Volumes/a (apfs, local)`."""
    for line in text.splitlines():
        _, _, rest = line.partition(" on ")
        place, _, kind = rest.rpartition(" (")
        if place:
            yield place, kind.rstrip(")").partition(",")[0]


def kind_among(folder: PurePath, found: Iterable[tuple[str, str]]) -> str:
    """The kind of the innermost mount that holds the folder; of two on one place the later hides the earlier.

    >>> kind_among(PurePath("/home/me"), [("/", "ext4"), ("/home", "nfs4"), ("/homework", "xfs")])
    'nfs4'
    """
    best, deepest = "", -1
    for place, kind in found:
        depth = len(PurePath(place).parts)
        if depth >= deepest and folder.is_relative_to(place):
            best, deepest = kind, depth
    return best


def _windows_kind(folder: Path) -> str:
    if sys.platform != "win32":
        return ""
    import ctypes

    remote = 4
    drive = f"{folder.drive}\\"
    return "network drive" if ctypes.windll.kernel32.GetDriveTypeW(drive) == remote else ""
