"""A run's inputs from the command line: `--folder docs`, `-p folder=docs`, `--params file`; all mistakes at once."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import msgspec

from stepwell.codecs.node import name_of
from stepwell.definition.suggest import closest, did_you_mean
from stepwell.errors import CodecError, InputError
from stepwell.plan.plan import InputSpec, Plan

_SPOKEN = frozenset({"yes", "no", "true", "false"})


def kinds(spec: InputSpec) -> frozenset[str]:
    """What JSON would call a value of this input: "boolean", "array", …; one of several in a union."""
    schema = spec.codec.schema()
    members = cast("Sequence[Mapping[str, object]]", schema.get("anyOf") or [schema])
    return frozenset(str(member.get("type", "")) for member in members) - {"null"}


def is_flag(spec: InputSpec) -> bool:
    """Whether it is given as `--name` or `--no-name`."""
    return kinds(spec) == frozenset({"boolean"})


def takes_several(spec: InputSpec) -> bool:
    """Whether several values may follow its option."""
    return "array" in kinds(spec)


def type_name(spec: InputSpec) -> str:
    """Its type in few words, for the help and for messages."""
    return "text" if not kinds(spec) - {""} and "declared" in name_of(spec.annotation) else name_of(spec.annotation)


class Given:
    """Collects what was given, and every mistake in it."""

    def __init__(self, plan: Plan, own_options: Collection[str]) -> None:
        self.plan = plan
        self.values: dict[str, object] = {}
        self.wrong: list[str] = []
        self._own = own_options
        self._texts: dict[str, list[str]] = {}
        self._refused: set[str] = set()
        self._misspelt: set[str] = set()
        """Inputs that an unknown option was probably meant for: told once, not also as missing."""
        self._by_option = {name.replace("-", "_"): name for name in plan.inputs}

    # --- a file -------------------------------------------------------------------------------------------------------

    def read_params(self, source: str) -> None:
        """A JSON object, out of a file or, for `-`, from stdin."""
        found = _json_of(source)
        if not isinstance(found, dict):
            raise InputError(f"--params {source}: expected a JSON object of inputs, got {type(found).__name__}")
        for name, value in cast("dict[str, object]", found).items():
            spec = self.plan.inputs.get(name)
            if spec is None:
                self._unknown_name(name, f"--params {source}: ")
                continue
            try:
                self.values[name] = spec.codec.from_builtins(value)
            except CodecError as error:
                self._refuse(name, f"--params {source}: `{name}`", error)

    # --- key=value ----------------------------------------------------------------------------------------------------

    def read_pairs(self, pairs: Sequence[str]) -> None:
        """Each `-p key=value`."""
        for pair in pairs:
            name, found, text = pair.partition("=")
            name = self._by_option.get(name.strip().replace("-", "_"), name.strip())
            if not found:
                self.wrong.append(f"-p {pair}: expected key=value")
            elif name in self.plan.inputs:
                self._texts.setdefault(name, []).append(text)
            else:
                self._unknown_name(name, "-p: ")

    # --- options ------------------------------------------------------------------------------------------------------

    def read_options(self, tokens: Sequence[str]) -> None:
        """What is left of the command line when the command's own options are taken out."""
        left = iter(_Rest(tokens))
        for token in left:
            if not token.startswith("-") or _is_number(token):
                self._stray(token)
                continue
            option, found, text = token.partition("=")
            word = option.removeprefix("--").replace("-", "_")
            name = self._by_option.get(word) if option.startswith("--") else None
            off = self._by_option.get(word.removeprefix("no_")) if word.startswith("no_") else None
            if name is not None:
                self._option(name, text if found else None, left)
            elif off is not None and not found and option.startswith("--") and is_flag(self.plan.inputs[off]):
                self._texts.setdefault(off, []).append("no")
            else:
                self._unknown_option(option)
                if not found:
                    left.skip_values()

    def _option(self, name: str, text: str | None, left: _Rest) -> None:
        spec = self.plan.inputs[name]
        texts = self._texts.setdefault(name, [])
        if text is not None:
            texts.append(text)
        elif is_flag(spec):
            texts.append(next(left) if (left.peek() or "").casefold() in _SPOKEN else "yes")
        elif takes_several(spec):
            values = list(left.take_values())
            if not values:
                self._no_value(name)
            texts += values
        elif (value := left.peek()) is None or value.startswith("--"):
            self._no_value(name)
        else:
            texts.append(next(left))

    def _no_value(self, name: str) -> None:
        self._refused.add(name)
        self.wrong.append(f"{option(name)} needs a value: {type_name(self.plan.inputs[name])}")

    def _stray(self, token: str) -> None:
        missing = [name for name, spec in self.plan.inputs.items() if spec.required and name not in self._texts]
        hint = f"; did you mean `{option(missing[0])} {token}`?" if len(missing) == 1 else ""
        self.wrong.append(f"`{token}` belongs to no option; inputs are given by name{hint}")

    def _unknown_option(self, text: str) -> None:
        options = {option(name): name for name in self.plan.inputs}
        known = [*options, *sorted(self._own)]
        self._misspelt.add(options.get(closest(text, known), ""))
        meant = did_you_mean(text, known) or self._known()
        self.wrong.append(f"there is no option `{text}`{meant}")

    def _unknown_name(self, name: str, where: str) -> None:
        meant = did_you_mean(name, self.plan.inputs) or self._known()
        self.wrong.append(f"{where}pipeline `{self.plan.name}` has no input `{name}`{meant}")

    def _known(self) -> str:
        names = [option(name) for name in self.plan.inputs]
        if not names:
            return f"; pipeline `{self.plan.name}` has no inputs"
        return f"; the inputs of pipeline `{self.plan.name}` are {', '.join(names)}"

    def _refuse(self, name: str, where: str, error: CodecError) -> None:
        self._refused.add(name)
        self.wrong.append(f"{where}: {str(error).removeprefix('`$`: ')}")

    # --- the sum ------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Make values of all texts."""
        for name, texts in self._texts.items():
            if name in self._refused or not texts:
                continue
            spec = self.plan.inputs[name]
            try:
                several = takes_several(spec)
                self.values[name] = spec.codec.from_text(texts if several or len(texts) > 1 else texts[0])
            except CodecError as error:
                self._refuse(name, option(name), error)

    def missing(self) -> list[InputSpec]:
        """The inputs without which the run cannot start."""
        given = self.values.keys() | self._refused | self._misspelt
        return [spec for name, spec in self.plan.inputs.items() if spec.required and name not in given]

    def check(self) -> dict[str, object]:
        """The values; raises InputError with everything that is wrong."""
        wrong = [*self.wrong, *(self._missing(spec) for spec in self.missing())]
        if not wrong:
            return self.values
        if len(wrong) == 1:
            raise InputError(wrong[0])
        raise InputError(f"{len(wrong)} inputs of pipeline `{self.plan.name}` are wrong:\n  - " + "\n  - ".join(wrong))

    def _missing(self, spec: InputSpec) -> str:
        step = misspelt_step(self.plan, spec)
        if step:
            return f"no input `{spec.name}`; did you mean the step `{step}` (in step `{spec.used_by[0]}`)?"
        users = f" (step `{spec.used_by[0]}` needs it)" if spec.used_by else ""
        return f"{option(spec.name)} is missing: {type_name(spec)}{users}"


class _Rest(Iterator[str]):
    """The tokens that are still to be read, with a look at the next one."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def __iter__(self) -> _Rest:
        return self

    def __next__(self) -> str:
        token = self.peek()
        if token is None:
            raise StopIteration
        self._at += 1
        return token

    def peek(self) -> str | None:
        """The next token, which stays where it is."""
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take_values(self) -> Iterator[str]:
        """The tokens up to the next option."""
        while (token := self.peek()) is not None and (not token.startswith("-") or token == "-" or _is_number(token)):
            yield next(self)

    def skip_values(self) -> None:
        """What follows an option that nobody knows belongs to it."""
        for _ in self.take_values():
            pass


def option(name: str) -> str:
    """The option by which an input is given."""
    return "--" + name.replace("_", "-")


def misspelt_step(plan: Plan, spec: InputSpec) -> str:
    """The step that a required input sounds like: then a typing mistake made the input."""
    return closest(spec.name, plan.graph.names, cutoff=0.8)


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _json_of(source: str) -> object:
    if Path(source).suffix in (".yml", ".yaml"):
        raise InputError(f"--params {source}: this version reads JSON only; YAML comes later")
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
        return msgspec.json.decode(text)
    except OSError as error:
        raise InputError(f"--params {source}: the file cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"--params {source}: this is no JSON: {error}") from None
