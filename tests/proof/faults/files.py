"""What Stepwell itself asks of the system for files beside the store: values, locks of owners, logs, folders."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from .disk import HALF, Disk, refusal


class Frail(io.FileIO):
    """A file whose writes may be refused, or done by half."""

    def __init__(self, handle: int, mode: str, disk: Disk, path: str) -> None:
        super().__init__(handle, mode)
        self._disk, self._path = disk, path

    def write(self, data: Any, /) -> int:
        number = self._disk.meets("write", self._path)
        if number == HALF:
            data = memoryview(data).cast("B")
            data = data[: max(1, len(data) // 2)]
        elif number:
            raise refusal(number, self._path)
        return super().write(data)


class Files:
    """Stands between Python and the system while it is entered."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        for name, what in (("mkdir", "mkdir"), ("replace", "rename"), ("unlink", "delete"), ("scandir", "list")):
            self._patch.setattr(os, name, self._of_path(what, getattr(os, name)))
        for name, make in (("open", self._open), ("fdopen", self._fdopen), ("fsync", self._sync), ("write", self._raw)):
            self._patch.setattr(os, name, make(getattr(os, name)))
        self._patch.setattr(io, "open", self._read(io.open))
        self._patch.setattr(fcntl, "flock", self._flock(fcntl.flock))

    def __exit__(self, *_: object) -> None:
        self._patch.undo()

    def _path(self, handle: int) -> str:
        """The file that a handle of ours is of; empty for all others."""
        return self._disk.handles.get(handle, "")

    def _ask(self, what: str, path: str) -> None:
        number = self._disk.meets(what, path)
        if number:
            raise refusal(number, path)

    def _of_path(self, what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **more: Any) -> Any:
            if isinstance(path, (str, os.PathLike)):
                self._ask(what, os.fspath(cast("os.PathLike[str]", path)))
            return real(path, *rest, **more)

        return call

    def _open(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: str | os.PathLike[str], flags: int, mode: int = 0o777, **more: Any) -> int:
            name = os.fspath(path)
            self._ask("create" if flags & os.O_CREAT else "open", name)
            handle = real(path, flags, mode, **more)
            self._disk.opened(handle, name)
            return handle

        return call

    def _fdopen(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(handle: int, mode: str = "r", *rest: Any, **more: Any) -> Any:
            path = self._path(handle)
            if not path or "b" not in mode or "r" in mode:
                return real(handle, mode, *rest, **more)
            return io.BufferedWriter(Frail(handle, mode, self._disk, path))

        return call

    def _sync(self, real: Callable[..., None]) -> Callable[..., None]:
        def call(handle: int) -> None:
            path = self._path(handle)
            if not path:
                real(handle)
                return
            self._ask("sync", path)  # and nothing more: no power is cut here

        return call

    def _raw(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(handle: int, data: bytes, /) -> int:
            path = self._path(handle)
            number = self._disk.meets("write", path) if path else 0
            if number > 0:
                raise refusal(number, path)
            return real(handle, data[: max(1, len(data) // 2)] if number else data)

        return call

    def _read(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if isinstance(path, (str, os.PathLike)):
                self._ask("read" if "r" in mode else "create", os.fspath(cast("os.PathLike[str]", path)))
            return real(path, mode, *rest, **more)

        return call

    def _flock(self, real: Callable[..., None]) -> Callable[..., None]:
        def call(handle: int, how: int) -> None:
            path = self._path(handle)
            if path and not how & fcntl.LOCK_UN:  # giving a lock up needs no disk
                self._ask("lock", path)
            real(handle, how)

        return call


def open_handles(folder: str) -> list[str]:
    """The files in this folder that this process has open."""
    found: list[str] = []
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the listing itself
            path = str(handle.readlink())
            if path.startswith(folder):
                found.append(path)
    return found
