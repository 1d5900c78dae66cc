"""Large values as files named by their content: written, synced and renamed before any row speaks of them."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from stepwell.errors import PayloadLost, StoreError
from stepwell.events import Payload
from stepwell.failpoints import failpoint
from stepwell.journal.sqlite.disk import sync_file, sync_folder, sync_handle

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_TEMPORARY = "unfinished"
_REMEMBERED = 10_000
_RESTORE = (
    "restore it from a backup and resume, or start a new run; `stepwell db check` lists all that is lost. "
    "Nothing that is recorded as done runs again by itself"
)


class BlobFolder:
    """The folder `<store>.blobs`: `ab/abcdef…` by the SHA-256 of the content."""

    def __init__(self, store: Path, sync: bool) -> None:
        self._folder = store.with_name(f"{store.name}.blobs")
        self._sync = sync
        self._safe: set[str] = set()
        """Digests whose file was seen, or made, durable by this process."""
        self._ready_folders: set[Path] = set()

    def save(self, data: bytes, owner: str) -> bytes:
        """Make the content durable and give back its digest; raises OSError."""
        digest = hashlib.sha256(data).hexdigest()
        place = self.place(digest)
        if digest not in self._safe or not place.exists():  # somebody may have cleaned up
            if not _holds(place, digest):
                self._ready(place.parent)
                unfinished = self._folder / _TEMPORARY / f"{owner}.{secrets.token_hex(4)}"
                self._write(unfinished, data)
                self._rename(unfinished, place)
            elif self._sync:  # another process may have died between its rename and its sync
                sync_file(place)
                sync_folder(place.parent)
            if len(self._safe) >= _REMEMBERED:
                self._safe.clear()
            self._safe.add(digest)
        return bytes.fromhex(digest)

    def load(self, payload: Payload) -> bytes:
        """The content; raises PayloadLost where it is gone or not what was written."""
        if not _DIGEST.match(payload.digest):
            raise PayloadLost(f"{payload.digest!r} is no SHA-256 digest; the record is damaged: restore a backup")
        place = self.place(payload.digest)
        try:
            data = place.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise PayloadLost(f"the file {place} is gone ({error.strerror}); {_RESTORE}") from error
        except OSError as error:  # another time it may be read
            raise StoreError(
                f"the file {place} of a recorded value cannot be read ({error.strerror}); mend that and resume the run"
            ) from error
        if len(data) != payload.size or hashlib.sha256(data).hexdigest() != payload.digest:
            raise PayloadLost(f"the file {place} is damaged ({_told(len(data), payload.size)}); {_RESTORE}")
        return data

    def place(self, digest: str) -> Path:
        """Where the content of this digest lies, or would."""
        return self._folder / digest[:2] / digest

    def files(self) -> Iterator[os.DirEntry[str]]:
        """Every finished file."""
        for folder in _entries(self._folder):
            if folder.is_dir() and folder.name != _TEMPORARY:
                yield from _entries(folder.path)

    def unfinished(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Every file that was begun and not finished, with the owner who is at it, or was."""
        for entry in _entries(self._folder / _TEMPORARY):
            yield entry.name.partition(".")[0], entry

    def sweep(self, alive: Callable[[str], bool]) -> None:
        """Remove what owners that are dead did not finish; what cannot be, now, is left to who comes next."""
        with suppress(OSError):
            for owner, entry in self.unfinished():
                if not alive(owner):
                    Path(entry.path).unlink(missing_ok=True)

    def _ready(self, folder: Path) -> None:
        """Make the folders, and make it durable that they are there: whoever made them may have died before that."""
        if folder in self._ready_folders:
            return
        for each in (self._folder, self._folder / _TEMPORARY, folder):
            each.mkdir(mode=0o700, exist_ok=True)
        if self._sync:
            sync_folder(self._folder.parent)
            sync_folder(self._folder)
        self._ready_folders.add(folder)

    @failpoint("blob.write")
    def _write(self, unfinished: Path, data: bytes) -> None:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if self._sync:
                sync_handle(file.fileno())

    @failpoint("blob.rename")
    def _rename(self, unfinished: Path, place: Path) -> None:
        try:
            unfinished.replace(place)
        except PermissionError:  # on Windows, while somebody reads the same value there
            if not _holds(place, place.name):
                raise
            unfinished.unlink()
        if self._sync:
            sync_folder(place.parent)


def _told(there: int, written: int) -> str:
    return f"{there:,} bytes of {written:,}" if there != written else "other bytes than were written"


def _entries(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    """What is in a folder; nothing where there is none."""
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except FileNotFoundError:
        return


def _holds(place: Path, digest: str) -> bool:
    """Whether the file is there with this content: one that was damaged is written again."""
    try:
        return hashlib.sha256(place.read_bytes()).hexdigest() == digest
    except FileNotFoundError:
        return False
