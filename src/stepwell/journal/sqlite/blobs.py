"""Large values as files named by their content: written, synced and renamed before any row speaks of them."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from stepwell.errors import PayloadLost
from stepwell.events import Payload
from stepwell.failpoints import failpoint
from stepwell.journal.sqlite.disk import sync_file, sync_folder, sync_handle

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_TEMPORARY = "unfinished"
_REMEMBERED = 10_000


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
        if digest not in self._safe:
            place = self._place(digest)
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
        place = self._place(payload.digest)
        try:
            data = place.read_bytes()
        except OSError as error:
            raise PayloadLost(
                f"the recorded value in {place} is gone ({error.strerror}); restore the file from a backup, "
                "or start a new run"
            ) from error
        if len(data) != payload.size or hashlib.sha256(data).hexdigest() != payload.digest:
            raise PayloadLost(
                f"the recorded value in {place} is damaged ({len(data)} bytes of {payload.size}, or others); "
                "restore the file from a backup, or start a new run"
            )
        return data

    def sweep(self, alive: Callable[[str], bool]) -> None:
        """Remove what owners that are dead did not finish."""
        for path in (self._folder / _TEMPORARY).glob("*-*.*"):
            if not alive(path.stem):
                path.unlink(missing_ok=True)

    def _place(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

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
        unfinished.replace(place)
        if self._sync:
            sync_folder(place.parent)


def _holds(place: Path, digest: str) -> bool:
    """Whether the file is there with this content: one that was damaged is written again."""
    try:
        return hashlib.sha256(place.read_bytes()).hexdigest() == digest
    except FileNotFoundError:
        return False
