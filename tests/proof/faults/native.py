"""What SQLite asks of the system, each call put before a disk that may refuse it: with the errno a real disk gives.

SQLite lets its system calls be replaced by name (`xSetSystemCall`), so that its own code meets ENOSPC, EIO or half a
write as it would on a real disk, -shm files and locks included, and makes its own errors of them. Only syncing has no
name there; for that the table of methods of each file that is opened is replaced by one with another `xSync`.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_longlong, c_size_t, c_ssize_t, c_void_p
from functools import partial
from typing import Any

import apsw

from .disk import Disk

_VFS_POINTER = 27
"""SQLITE_FCNTL_VFS_POINTER"""
_SETLK, _UNLOCK = 6, 2
"""F_SETLK, F_UNLCK: of Linux."""
_NOT_MAPPED = (1 << 64) - 1
_HANDLE = 24
"""Where a file of the unix VFS has its handle: after its methods, its VFS and its inode."""
_SYNC_FAILED = apsw.SQLITE_IOERR_FSYNC

_OPEN = CFUNCTYPE(c_int, c_char_p, c_int, c_int, use_errno=True)
_CLOSE = CFUNCTYPE(c_int, c_int, use_errno=True)
_PLACED = CFUNCTYPE(c_ssize_t, c_int, c_void_p, c_size_t, c_longlong, use_errno=True)
_TRUNCATE = CFUNCTYPE(c_int, c_int, c_longlong, use_errno=True)
_FCNTL = CFUNCTYPE(c_int, c_int, c_int, c_void_p, use_errno=True)
_MMAP = CFUNCTYPE(c_void_p, c_void_p, c_size_t, c_int, c_int, c_int, c_longlong, use_errno=True)
_STAT = CFUNCTYPE(c_int, c_int, c_void_p, use_errno=True)
_UNLINK = CFUNCTYPE(c_int, c_char_p, use_errno=True)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_OPEN_FILE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_SLEEP = CFUNCTYPE(c_int, c_void_p, c_int)


class _Methods(Structure):
    """sqlite3_io_methods"""

    _fields_ = [("version", c_int), ("before", c_void_p * 4), ("sync", c_void_p), ("after", c_void_p * 13)]


class _File(Structure):
    """sqlite3_file"""

    _fields_ = [("methods", POINTER(_Methods))]


class _Vfs(Structure):
    """sqlite3_vfs, as far as it is needed"""

    _fields_ = [
        ("version", c_int), ("size", c_int), ("longest", c_int), ("next", c_void_p), ("name", c_char_p),
        ("data", c_void_p), ("open", c_void_p), ("between", c_void_p * 8), ("sleep", c_void_p),
    ]  # fmt: skip


class Native:
    """Stands between SQLite and the system while it is entered; one at a time."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._door = apsw.VFS("stepwell-faults", "unix")
        self._kept: list[object] = []
        self._names: list[str] = []
        self._methods: dict[int, _Methods] = {}
        self._files: dict[int, str] = {}
        """Paths by the address of the file that SQLite has open."""
        db = apsw.Connection(":memory:")
        pointer = c_void_p()
        assert db.file_control("main", _VFS_POINTER, ctypes.addressof(pointer))
        db.close()
        self._vfs = _Vfs.from_address(pointer.value or 0)
        assert self._vfs.name == b"unix"
        self._before = (self._vfs.open, self._vfs.sleep)

    def __enter__(self) -> None:
        for name, shape, make in (
            ("open", _OPEN, self._open), ("close", _CLOSE, self._close),
            ("pread64", _PLACED, partial(self._placed, "read")), ("pwrite64", _PLACED, partial(self._placed, "write")),
            ("ftruncate", _TRUNCATE, partial(self._of_handle, "truncate")), ("fcntl", _FCNTL, self._fcntl),
            ("mmap", _MMAP, self._mmap), ("fstat", _STAT, partial(self._of_handle, "stat")),
            ("unlink", _UNLINK, self._unlink),
        ):  # fmt: skip
            address = self._door.xGetSystemCall(name)
            assert address is not None
            call = shape(make(shape(address)))
            self._kept.append(call)
            self._names.append(name)
            self._door.xSetSystemCall(name, ctypes.cast(call, c_void_p).value or 0)
        opening, sync = _OPEN_FILE(self._opening(_OPEN_FILE(self._vfs.open))), _SYNC(self._sync)
        sleep = _SLEEP(self._sleep)
        self._kept += [opening, sync, sleep]
        self._sync_address = ctypes.cast(sync, c_void_p).value
        self._really_sleep = _SLEEP(self._vfs.sleep)
        self._vfs.open = ctypes.cast(opening, c_void_p).value
        self._vfs.sleep = ctypes.cast(sleep, c_void_p).value

    def __exit__(self, *_: object) -> None:
        self._vfs.open, self._vfs.sleep = self._before
        for name in self._names:
            self._door.xSetSystemCall(name, 0)
        self._door.unregister()
        self._kept.clear()

    # --- the calls ----------------------------------------------------------------------------------------------------

    def _refuses(self, what: str, path: str, handle: int = -1) -> int:
        number = self._disk.meets(what, path, handle) if path else 0
        if number > 0:
            ctypes.set_errno(number)
        return number

    def _open(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: bytes, flags: int, mode: int) -> int:
            name = os.fsdecode(path)
            creates = flags & os.O_CREAT and not os.path.exists(path)  # noqa: PTH110 - in the midst of a system call
            if self._refuses("create" if creates else "open", name):
                return -1
            handle = real(path, flags, mode)
            if handle >= 0:
                self._disk.opened(handle, name)
            return handle

        return call

    def _close(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(handle: int) -> int:
            self._disk.handles.pop(handle, None)
            return real(handle)

        return call

    def _placed(self, what: str, real: Callable[..., int]) -> Callable[..., int]:
        """Reading and writing at a place, of which half may be done."""

        def call(handle: int, data: int, size: int, place: int) -> int:
            number = self._refuses(what, self._disk.handles.get(handle, ""), handle)
            if number > 0:
                return -1
            return real(handle, data, max(1, size // 2) if number else size, place)

        return call

    def _of_handle(self, what: str, real: Callable[..., int]) -> Callable[..., int]:
        def call(handle: int, *rest: object) -> int:
            refused = self._refuses(what, self._disk.handles.get(handle, ""), handle)
            return -1 if refused else real(handle, *rest)

        return call

    def _fcntl(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(handle: int, command: int, rest: int) -> int:
            if command == _SETLK:
                what = "unlock" if ctypes.c_short.from_address(rest).value == _UNLOCK else "lock"
                if self._refuses(what, self._disk.handles.get(handle, "")):
                    return -1
            return real(handle, command, rest)

        return call

    def _mmap(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(start: int, size: int, rights: int, flags: int, handle: int, place: int) -> int:
            if self._refuses("map", self._disk.handles.get(handle, "")):
                return _NOT_MAPPED
            return real(start, size, rights, flags, handle, place)

        return call

    def _unlink(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: bytes) -> int:
            return -1 if self._refuses("delete", os.fsdecode(path)) else real(path)

        return call

    # --- syncing ------------------------------------------------------------------------------------------------------

    def _opening(self, real: Callable[..., int]) -> Callable[..., int]:
        """Give each file that is opened methods of its own, with another `xSync`."""

        def call(vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
            code = real(vfs, name, file, flags, out)
            opened = _File.from_address(file)
            if not code and name and opened.methods:
                self._files[file] = os.fsdecode(ctypes.string_at(name))
                own = ctypes.addressof(opened.methods.contents)
                if own not in self._methods:
                    copy = _Methods.from_buffer_copy(opened.methods.contents)
                    copy.sync = self._sync_address
                    self._methods[own] = copy
                opened.methods = ctypes.pointer(self._methods[own])
            return code

        return call

    def _sync(self, file: int, _flags: int) -> int:
        """Refuse, or do nothing: no power is cut here."""
        path = self._files.get(file, "")
        return _SYNC_FAILED if self._refuses("sync", path, c_int.from_address(file + _HANDLE).value) else 0

    def _sleep(self, _vfs: int | None, micros: int) -> int:
        """SQLite's own waits, which take ten seconds before it gives a lock up: a hundred times as fast."""
        self._really_sleep(None, micros // 100)
        return micros
