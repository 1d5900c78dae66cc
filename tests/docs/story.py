"""Runs a page as a reader would: writes its files, runs its Python, types its commands and compares what they print.

With `MANUAL=write` in the environment what came is written into the page instead (a shown line `?` asks for it).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from . import pictures, terminal
from .normal import same
from .page import Block, blocks, replaced

WRITE = os.environ.get("MANUAL") == "write"
HOME = "/home/you/work"
"""What the scratch folder is called in the pages."""

_EXIT = re.compile(r"#.*\bexit code (\d+)")
_UNREAD = ("text", "markdown", "mermaid", "html", "diff", "sql", "ini")


@dataclass
class Story:
    """The folder in which pages are run, and what they have done in it so far."""

    folder: Path
    problems: list[str] = field(default_factory=list)
    python: subprocess.Popen[str] | None = None
    printed: str = ""
    written: dict[Path, list[tuple[tuple[int, int], str]]] = field(default_factory=dict)
    differs: bool = False

    def environ(self) -> dict[str, str]:
        """A plain terminal, a hundred columns wide, with this Stepwell on its path."""
        keep = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR", "PYTHONPATH") if name in os.environ}
        commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        own = {"PATH": commands, "HOME": str(self.folder), "COLUMNS": str(terminal.WIDTH), "TERM": "xterm-256color"}
        return {**keep, **own, "PYTHONUTF8": "1", "PYTHONWARNINGS": "error"}

    def typed(self, command: str) -> tuple[int, list[str]]:
        """The exit code of a command and what it leaves on the screen; raises TimeoutError if it hangs."""
        code, lines = terminal.run(command, self.folder, self.environ())
        return code, [line.replace(str(self.folder), HOME) for line in lines]

    def tell(self, page: Path) -> None:
        """Run one page; what is not as it says is added to `problems`."""
        changes = self.written.setdefault(page, [])
        found = blocks(page)
        typed = "\n".join(block.text for block in found if block.language == "console")
        try:
            for block in found:
                text = None if block.reason else self._do(block, typed)
                if text is not None:
                    changes.append((block.span, text))
        finally:
            self._end_session()

    def write(self) -> None:
        """Write what came into the pages: all of it if anything differs, so that a run has one id in all of them."""
        for page, changes in self.written.items() if WRITE and self.differs else ():
            replaced(page, changes)

    def _do(self, block: Block, typed: str) -> str | None:
        """Do what a block says; gives what should stand there where that is something else."""
        if block.file:
            return self._file(block, typed)
        match block.language:
            case "python":
                self._python(block)
            case "console":
                return self._console(block)
            case "text" if block.note == "prints":
                return self._compare(block, self.printed.splitlines(), block.text)
            case "toml":
                tomllib.loads(block.text)
            case "json":
                json.loads(block.text)
            case "yaml":
                import yaml  # it comes with the tools that build the manual

                yaml.safe_load(block.text)
            case language if language not in _UNREAD:
                self.problems.append(
                    f"{block.place}: a block of language {language!r} cannot be run; say why it is not"
                )
        return None

    def _file(self, block: Block, typed: str) -> None:
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        if path.suffix == ".py" and path.stem not in typed:
            code, lines = self.typed(f"python {block.file}")
            if code:
                self.problems.append("\n".join([f"{block.place}: {block.file} exits with {code}:", *lines]))

    def _python(self, block: Block) -> None:
        python = self._session()
        assert python.stdin is not None
        assert python.stdout is not None
        python.stdin.write(json.dumps({"place": block.place, "text": block.text}) + "\n")
        python.stdin.flush()
        answer = json.loads(python.stdout.readline() or '{"error": "the process is gone", "printed": ""}')
        self.printed = answer["printed"]
        if answer["error"]:
            self.problems.append(f"{block.place}:\n{answer['error']}")

    def _console(self, block: Block) -> str | None:
        texts: list[str] = []
        last: tuple[str, list[str]] | None = None
        for command, shown in commands(block.text):
            try:
                code, coloured = self.typed(command)
            except TimeoutError as error:
                self.problems.append(f"{block.place}: {error}")
                return None
            lines = [terminal.plain(line) for line in coloured]
            expected = int(found[1]) if (found := _EXIT.search(command)) else 0
            if code != expected:
                self.problems.append("\n".join([f"{block.place}: `{command}` exits with {code}:", *lines]))
            text = self._compare(block, lines, shown, command) if code == expected else None
            texts.append(f"$ {command}\n{shown if text is None else text}")
            last = command, coloured
        if block.note.startswith("picture: ") and last is not None:
            self.problems += pictures.check(block.page, block.note.removeprefix("picture: "), *last, write=WRITE)
        made = "".join(texts)
        return None if made == block.text else made

    def _compare(self, block: Block, came: list[str], shown: str, what: str = "this") -> str | None:
        """What is to be shown instead, if it is; a command without output shown may print what it likes."""
        text = "".join(f"{line}\n" for line in came)
        if not shown or same(shown.splitlines(), came):
            return None if not shown or "...\n" in shown else text
        self.differs = True
        if WRITE:
            return text
        self.problems.append(f"{block.place}: `{what}` shows\n{shown}\nand what came is\n{text}")
        return None

    def _session(self) -> subprocess.Popen[str]:
        """The Python for the blocks of this page."""
        if self.python is None:
            self.python = subprocess.Popen(
                [sys.executable, "-W", "error", str(Path(__file__).with_name("session.py"))],
                cwd=self.folder, env=self.environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        return self.python

    def _end_session(self) -> None:
        python, self.python = self.python, None
        if python is not None:
            python.communicate()


def commands(text: str) -> list[tuple[str, str]]:
    """Each command of a console block, with the output that is shown under it."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:].rstrip("\n"), ""))
        elif found and line.startswith("> "):  # the command goes on
            found[-1] = (f"{found[-1][0]}\n{line[2:].rstrip()}", "")
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found
