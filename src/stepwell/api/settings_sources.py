"""What the files and the environment say about each setting, checked by pydantic-settings; loaded where they speak."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, cast

from msgspec import Struct
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from stepwell.api.settings_files import SettingsFile
from stepwell.clock import seconds
from stepwell.definition.suggest import did_you_mean

_DURATION = 'a duration such as "30s", "10m" or "2h", or a number of seconds'
PREFIX = "STEPWELL_"
MEMORY = ("memory", ":memory:")


def _checked(duration: str | float) -> str | float:
    try:
        seconds(float(duration) if isinstance(duration, str) and duration.isdecimal() else duration)
    except ValueError:
        raise ValueError(f"{_DURATION}, not {duration!r}") from None
    return duration


class _Model(BaseSettings):
    """The settings and their types; None where nothing was said."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid")

    store: Annotated[str, Field(min_length=1)] | None = None
    on_failure: Literal["stop", "cancel", "finish"] | None = None
    run_timeout: Annotated[str | int | float, AfterValidator(_checked)] | None = None
    strict: bool | None = None
    quiet: bool | None = None
    progress: Literal["auto", "live", "plain", "none"] | None = None
    sync: Literal["full", "process"] | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: each source is asked and checked by itself, so that each value has its origin."""
        return (init_settings,)


class Said(Struct, frozen=True):
    """What one source says about one setting."""

    name: str
    value: object
    kind: Literal["env", "file", "user file"]
    place: str
    """The variable, or the file and the line."""


def read(files: Iterable[SettingsFile], problems: list[str]) -> list[Said]:
    """All that is said, that which counts most first; what is wrong comes to the problems and is left out."""
    said = list(_of_environment(problems))
    for file in files:
        said += _of_file(file, problems)
    return said


def _of_environment(problems: list[str]) -> Iterator[Said]:
    given = {name: value for name, value in EnvSettingsSource(_Model)().items() if variable(name) in os.environ}
    for name, value in _valid(given, variable, problems):
        yield Said(name, value, "env", variable(name))


def variable(name: str) -> str:
    """The environment's name of a setting."""
    return PREFIX + name.upper()


def _of_file(file: SettingsFile, problems: list[str]) -> Iterator[Said]:
    def place(name: str) -> str:
        line = file.line_of(name)
        return f"{nearby(file.path)}:{line}" if line else nearby(file.path)

    if file.problem:
        problems.append(f"{nearby(file.path)}: {file.problem}")
        return
    try:
        source = TomlConfigSettingsSource(_Model, file.path, file.table)
        given = cast("dict[str, object]", source.init_kwargs)  # pyright: ignore[reportUnknownMemberType]
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{nearby(file.path)}: it is not TOML: {error}")
        return
    except KeyError:  # the word stands in it, and no such table
        return
    except (AttributeError, TypeError):  # pydantic-settings takes it for a table without looking
        problems.append(f"{nearby(file.path)}: `{'.'.join(file.table)}` is no table of settings")
        return
    for name, value in _valid(given, place, problems):
        if name == "store":
            value = _beside(file.path, str(value))
        yield Said(name, value, "user file" if file.users else "file", place(name))


def _beside(file: Path, store: str) -> str:
    """A store that a file names is looked for from that file's folder on, wherever one stands."""
    return store if store in MEMORY or "://" in store else str(file.parent / Path(store).expanduser())


def _valid(
    given: Mapping[str, object], place: Callable[[str], str], problems: list[str]
) -> Iterator[tuple[str, object]]:
    """The settings that are right, as they are to be used; the others are told."""
    wrong: set[str] = set()
    try:
        model = _Model(**cast("dict[str, object]", given))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        for one in error.errors(include_url=False):
            name = str(one["loc"][0])
            if name not in wrong:
                problems.append(f"{place(name)}: {_told(name, one['type'], one['msg'], one['input'])}")
            wrong.add(name)
        right = {name: value for name, value in given.items() if name not in wrong}
        model = _Model(**right)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for name in given:
        if name not in wrong:
            yield name, getattr(model, name)


def _told(name: str, kind: str, message: str, value: object) -> str:
    if kind == "extra_forbidden":
        return f"`{name}` is no setting{did_you_mean(name, _Model.model_fields, what='settings')}"
    if kind == "literal_error":
        message = message.removeprefix("Input should be ")
        return f"`{name}` must be {message}, not {value!r}"
    if kind == "value_error":
        return f"`{name}` must be {message.removeprefix('Value error, ')}"
    words = message.removeprefix("Input should be ").removeprefix("a valid ").partition(",")[0]
    return f"`{name}` must be {_TYPES.get(kind, words)}, not {value!r}"


_TYPES = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text in quotes",
    "string_too_short": "a path",
    "int_type": _DURATION,
    "float_type": _DURATION,
}


def nearby(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
