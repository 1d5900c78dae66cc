"""The file system that a store lies on: one of a network is refused, since all who share a store need one kernel."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from stepwell.errors import StoreError

NETWORK = frozenset({
    "9p over rdma", "9p over tcp", "acfs", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.blobfuse",
    "fuse.blobfuse2", "fuse.ceph", "fuse.ceph-fuse", "fuse.curlftpfs", "fuse.davfs", "fuse.davfs2", "fuse.gcsfuse",
    "fuse.glusterfs", "fuse.goofys", "fuse.juicefs", "fuse.mfs", "fuse.mount-s3", "fuse.rclone", "fuse.s3fs",
    "fuse.seaweedfs", "fuse.smbnetfs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "webdav",
})  # fmt: skip
"""Several machines may have these mounted at a time. Not here: what a virtual machine or a container has of its host
(9p, virtiofs, vboxsf, overlay and the like), which is how many of them have any disk at all."""
MEMORY = frozenset({"tmpfs", "ramfs"})
MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux says what is mounted."""

_OCTAL = re.compile(rb"\\([0-7]{3})")
_ELSEWHERE = (
    "name a store on a disk of this machine with `--store`, STEPWELL_STORE or `store` in stepwell.toml "
    '(in a program: `App("/var/tmp/runs.db")`)'
)


class FileSystem(NamedTuple):
    """The kind, such as `ext4`, `apfs` or `nfs4`, "" where that cannot be found out; and whether it is a network's."""

    kind: str
    network: bool = False


def refuse_network(path: Path) -> None:
    """Raise StoreError where a store would lie on a network."""
    found = file_system(path.parent)
    if found.network:
        raise StoreError(
            f"the store {path} would be on a network file system ({found.kind}) and could be damaged there: "
            "the memory that the processes of a store share, and often their locks, do not reach to another machine; "
            f"{_ELSEWHERE}"
        )


def file_system(folder: Path) -> FileSystem:
    """What the folder is on, or will be if it is still to be made; costs well below a millisecond."""
    try:
        folder = folder.resolve()
        if sys.platform == "linux":
            kind = kind_among(folder, linux_mounts(MOUNTS.read_bytes()))
            return FileSystem(kind, kind in NETWORK)
        if sys.platform == "win32":
            return _on_windows(folder)
        if sys.platform == "darwin":
            return _on_a_mac(next(one for one in (folder, *folder.parents) if one.exists()))
    except (OSError, ValueError):
        pass
    return FileSystem("")


def linux_mounts(text: bytes) -> Iterator[tuple[str, str]]:
    """Mount points and kinds out of Linux's `mountinfo`, in the order in which they were mounted."""
    for line in text.splitlines():
        before, _, after = line.partition(b" - ")
        fields, (kind, *more) = before.split(b" "), after.split(b" ")
        if len(fields) > 4 and kind:
            place = _OCTAL.sub(lambda found: bytes([int(found[1], 8)]), fields[4])
            over = b" over tcp" if b"trans=tcp" in more[-1] else b" over rdma" if b"trans=rdma" in more[-1] else b""
            yield os.fsdecode(place), os.fsdecode(kind + over if kind == b"9p" else kind)


def kind_among(folder: PurePath, found: Iterable[tuple[str, str]]) -> str:
    """The kind of the innermost mount that holds the folder; of two on one place the later hides the earlier.

    >>> kind_among(PurePath("/home/me"), [("/", "ext4"), ("/home", "nfs4"), ("/homework", "xfs")])
    'nfs4'
    """
    text = f"{folder}/"
    best, deepest = "", -1
    for place, kind in found:
        if len(place) >= deepest and text.startswith(place if place == "/" else f"{place}/"):
            best, deepest = kind, len(place)
    return best


def kind_in_statfs(answer: bytes) -> FileSystem:
    """What macOS's `statfs` says: the kind is a text at byte 72, and a flag of the word at 64 says that it is local."""
    kind = answer[72:88].partition(b"\0")[0].decode("ascii", "replace")
    local = int.from_bytes(answer[64:68], sys.byteorder) & 0x1000
    return FileSystem(kind, not local or kind in NETWORK)


def _on_a_mac(folder: Path) -> FileSystem:
    import ctypes

    system = ctypes.CDLL(None)
    answer = ctypes.create_string_buffer(4096)
    # On Intel the name without the suffix is that of an older, smaller answer; on Apple's own processors it is the one.
    ask = getattr(system, "statfs$INODE64", None) or system.statfs
    return FileSystem("") if ask(os.fsencode(folder), answer) else kind_in_statfs(answer.raw)


def _on_windows(folder: Path) -> FileSystem:
    if sys.platform != "win32":
        return FileSystem("")
    import ctypes

    remote = 4
    network = ctypes.windll.kernel32.GetDriveTypeW(f"{folder.drive}\\") == remote
    return FileSystem("network drive" if network else "", network)
