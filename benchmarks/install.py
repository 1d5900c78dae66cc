"""`make bench-peers`: each peer of peers.toml in an environment of its own, under benchmarks/.peers/."""

from __future__ import annotations

import subprocess
import sys
import venv

from benchmarks.peers import HOME, Peer, peers


def install(peer: Peer) -> bool:
    """Make the environment of one peer, unless it holds these very versions already."""
    stamp = peer.home / ".installed"
    wanted = "\n".join([sys.version, str(peer.home), *peer.install])
    if stamp.exists() and stamp.read_text() == wanted:
        print(f"{peer.name}: as it was")
        return True
    venv.create(peer.home, with_pip=True, clear=True)
    pip = [str(peer.python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    if subprocess.run([*pip, *peer.install]).returncode != 0:
        print(f"{peer.name}: could not be installed; the benchmarks go on without it")
        return False
    stamp.write_text(wanted)
    print(f"{peer.name}: installed")
    return True


def main() -> int:
    HOME.mkdir(exist_ok=True)
    wanted = sys.argv[1:]
    chosen = [peer for peer in peers() if not wanted or peer.name in wanted]
    installed = [install(peer) for peer in chosen]
    return 0 if all(installed) else 1


if __name__ == "__main__":
    sys.exit(main())
