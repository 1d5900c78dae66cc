"""What a command leaves on a terminal: it runs behind a pseudo-terminal, and a screen is drawn from what it writes."""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

NO_TERMINAL = "the pages are typed into a pseudo-terminal, and Windows has none of this kind"
pty = pytest.importorskip("pty", reason=NO_TERMINAL)
fcntl = pytest.importorskip("fcntl", reason=NO_TERMINAL)
termios = pytest.importorskip("termios", reason=NO_TERMINAL)

WIDTH, HEIGHT = 100, 60
TOO_LONG = 60
"""Seconds after which a command of the manual hangs."""

_TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|(.)", re.DOTALL)
_SGR = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str) -> str:
    """The same without colours."""
    return _SGR.sub("", text)


def run(command: str, folder: Path, environ: Mapping[str, str]) -> tuple[int, list[str]]:
    """The exit code of a command line and the lines that it leaves on the screen, with their colours."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    try:
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=its, stderr=its,
            start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(its)
    try:
        written = _all_of(ours)
        code = process.wait(TOO_LONG)
    except (TimeoutError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise TimeoutError(f"`{command}` hangs, or leaves something behind that writes to the terminal") from None
    finally:
        os.close(ours)
    lines = screen(written)
    if code in (-9, 137):  # as the shell in front of which one sits would say
        lines.append("Killed")
        code = 137
    return code, lines


def _all_of(end: int) -> str:
    """What is written until the last writer is gone, which Linux tells by an error. Raises TimeoutError."""
    parts: list[bytes] = []
    give_up = time.monotonic() + TOO_LONG
    while select.select([end], [], [], max(0.0, give_up - time.monotonic()))[0]:
        try:
            part = os.read(end, 65536)
        except OSError:
            part = b""
        if not part:
            break
        parts.append(part)
    else:
        raise TimeoutError
    return b"".join(parts).decode("utf-8", "replace")


def screen(written: str) -> list[str]:
    """The lines that are left, as far as Stepwell moves the cursor: up, to the left, and erasing a line or the rest."""
    rows: list[list[str]] = [[]]
    row = column = 0
    colour = ""
    for arguments, action, char in _TOKEN.findall(written):
        if action == "m":
            colour = "" if arguments in ("", "0") else f"{colour}\x1b[{arguments}m"
        elif action == "A":
            row = max(0, row - int(arguments or 1))
        elif action == "K":
            rows[row] = [] if arguments == "2" else rows[row][:column]
        elif action == "J":
            rows[row:] = [rows[row][:column]]
        elif char == "\r":
            column = 0
        elif char == "\n":
            row += 1
            rows += [[] for _ in range(row + 1 - len(rows))]
        elif char:
            line = rows[row]
            line += [" "] * (column + 1 - len(line))
            line[column] = f"{colour}{char}\x1b[0m" if colour else char
            column += 1
    lines = ["".join(line).rstrip() for line in rows]
    while lines and not lines[-1]:
        lines.pop()
    return lines
