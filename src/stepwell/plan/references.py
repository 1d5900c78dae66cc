"""What the names in a piece of code lead to, from file to file, and one digest for all that is reached."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from stepwell.plan.modules import Modules
from stepwell.plan.syntax import Dotted, Imported, Piece

Key = tuple[str, str]
"""A definition on the top level of a file: path and name."""

_Lead = tuple[str, Dotted]
"""A file, and a name in it that is to be looked up."""


class References:
    """Definitions by where they are, with the digest of each and of all that it leads to."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._digests: dict[Key, bytes] = {}
        self._targets: dict[Key, list[Key]] = {}

    def digests(self, path: str, piece: Piece) -> tuple[list[bytes], list[str]]:
        """What the names of a piece in this file lead to, in an order of their own; and the names that lead nowhere."""
        keys, unknown = self._follow(path, piece)
        return self.of(keys), unknown

    def of(self, keys: list[Key]) -> list[bytes]:
        """The digests of these definitions, sorted: what a file or folder is called is no part of the code."""
        for key in keys:
            if key not in self._digests:
                self._settle(key)
        return sorted({self._digests[key] for key in keys})

    def _follow(self, path: str, piece: Piece) -> tuple[list[Key], list[str]]:
        keys: dict[Key, None] = {}
        unknown: list[str] = []
        for dotted in piece.names:
            local = piece.imports.get(dotted[0])
            leads = [(path, dotted)] if local is None else self._imported(local, dotted[1:], path)
            found = self._chase(leads)
            keys.update(dict.fromkeys(found))
            if not found and local is None:
                unknown.append(dotted[0])
        return list(keys), unknown

    def _chase(self, leads: list[_Lead]) -> list[Key]:
        """The definitions at the end of imports of imports."""
        keys: list[Key] = []
        met: set[_Lead] = set()
        while leads:
            lead = leads.pop()
            path, dotted = lead
            source = self._modules.source(path)
            if lead in met or not dotted or source is None:
                continue
            met.add(lead)
            name = dotted[0]
            if name in source.defined:
                keys.append((path, name))
            if name in source.imports:
                leads.extend(self._imported(source.imports[name], dotted[1:], path))
            elif name not in source.defined:
                stars = [one for bound, found in source.imports.items() if bound.startswith("*") for one in found]
                starred = (self._modules.find(one.module, one.level, path) for one in stars)
                leads.extend((other.path, dotted) for other in starred if other is not None)
        return keys

    def _imported(self, found: list[Imported], rest: Dotted, importer: str) -> list[_Lead]:
        """Where an imported name, and the attributes after it, may be defined: in a module, or as a module."""
        leads: list[_Lead] = []
        for what in found:
            module, names = what.module, (what.name, *rest) if what.name else rest
            source = self._modules.find(module, what.level, importer)
            while names:
                if source is not None:
                    leads.append((source.path, names))
                module, names = (f"{module}.{names[0]}" if module else names[0]), names[1:]
                source = self._modules.find(module, what.level, importer)
                if source is None:
                    break
        return leads

    def _settle(self, root: Key) -> None:
        """The digests of a definition and of all it leads to, by Tarjan's algorithm: a circle comes out as one.

        Source: https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm
        """
        order: dict[Key, int] = {}
        low: dict[Key, int] = {}
        stack: list[Key] = []
        work: list[tuple[Key, Iterator[Key]]] = [self._enter(root, order, low, stack)]
        while work:
            key, targets = work[-1]
            target = next(targets, None)
            if target is None:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[key])
                if low[key] == order[key]:
                    self._close(key, stack)
            elif target not in self._digests:
                if target in order:
                    low[key] = min(low[key], order[target])
                else:
                    work.append(self._enter(target, order, low, stack))

    def _enter(
        self, key: Key, order: dict[Key, int], low: dict[Key, int], stack: list[Key]
    ) -> tuple[Key, Iterator[Key]]:
        order[key] = low[key] = len(order)
        stack.append(key)
        if key not in self._targets:
            self._targets[key] = self._follow(key[0], self._piece(key))[0]
        return key, iter(self._targets[key])

    def _close(self, key: Key, stack: list[Key]) -> None:
        """The definitions of one circle, or the one that is in none, have all they lead to."""
        place = stack.index(key)
        members = stack[place:]
        del stack[place:]
        inside = set(members)
        own = sorted(name.encode() + b"\0" + self._piece((path, name)).digest for path, name in members)
        outside = {self._digests[target] for one in members for target in self._targets[one] if target not in inside}
        digest = sha256(b"\0".join([*own, b"leads to", *sorted(outside)])).digest()
        self._digests.update(dict.fromkeys(members, digest))

    def _piece(self, key: Key) -> Piece:
        path, name = key
        source = self._modules.source(path)
        if source is None:
            raise AssertionError("a key is of a file that was read")
        return source.piece(name)
