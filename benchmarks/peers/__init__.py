"""The peers: one script each, which runs in an environment of its own; peers.toml says which versions and sizes."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

TABLE = Path(__file__).parent.parent / "peers.toml"
HOME = Path(__file__).parent.parent / ".peers"


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer: the versions to install, and the size of each row that is not that of Stepwell."""

    name: str
    install: tuple[str, ...]
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The folder of its environment."""
        return HOME / self.name

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return self.home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def module(self) -> str:
        """Its script, as `python -m` takes it."""
        return f"benchmarks.peers.{self.name.replace('-', '_')}"

    @property
    def installed(self) -> bool:
        """Whether `make bench-peers` has been here."""
        return (self.home / ".installed").exists()


def peers() -> list[Peer]:
    """All peers, in the order of peers.toml."""
    table = tomllib.loads(TABLE.read_text())
    return [Peer(name, tuple(row["install"]), row.get("sizes", {})) for name, row in table.items()]
