"""`main()`: the command `stepwell`. A command's code, and what it imports, is loaded when it is called for."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Never

from cyclopts import App, CycloptsError, UnusedCliTokensError

from stepwell.cli import exits, streams
from stepwell.cli.signals import Interrupted
from stepwell.cli.streams import Gone, output, prepare, tell, to_nowhere
from stepwell.cli.typed import typed
from stepwell.errors import StepwellError

_COMMANDS = (
    ("run", "run", "Run a pipeline."),
    ("plan", "plan", "Say what would run, and why; a target takes its inputs as in `run`."),
    ("resume", "resume", "Go on with a run that was interrupted, cancelled or failed."),
    ("cancel", "cancel", "End a run, in whichever process it lives."),
    ("ls", "ls", "List the runs."),
    ("show", "show", "Show a run, its steps and what failed."),
    ("events", "events", "Print what happened in a run, fact by fact."),
    ("logs", "logs", "Show what the steps of a run printed and logged."),
    ("validate", "validate", "Check a pipeline; everything that is wrong is told at once."),
    ("graph", "graph", "Draw a pipeline, or a run with what became of its steps."),
    ("completion", "completion", "Print the completion of a shell."),
    ("config", "config", "Show the settings, and where they are from."),
    ("db", "db", "Check a store."),
    ("doctor", "doctor", "Check this machine, the settings and the store."),
    ("version", "version", "Print the version."),
)
_HELP = """Durable multi-step pipelines: kill a run at any instant, then resume it.

stepwell run pipeline.py --help   shows the inputs of a pipeline
"""


def main() -> Never:
    """The entry point of the command."""
    sys.exit(command(sys.argv[1:]))


def command(tokens: Sequence[str]) -> int:
    """Do what a command line says; gives the exit code. It raises nothing; only our own mistakes show a traceback."""
    prepare()
    try:
        return _done(application()(list(tokens), exit_on_error=False, print_error=False))
    except CycloptsError as error:
        return _refused(tokens, "UsageError", _usage(error), exits.USAGE)
    except StepwellError as error:
        return _refused(tokens, type(error).__name__, str(error), exits.of_error(error))
    except Gone:
        return exits.OK
    except KeyboardInterrupt as error:
        tell("\nstepwell: interrupted")
        return error.code if isinstance(error, Interrupted) else exits.INTERRUPTED
    except SystemExit:
        return exits.OK  # by rich, when the reader of a help has gone away
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            return exits.OK
        if not _is_of_output(error):
            return _internal(error)
        to_nowhere(sys.stdout)
        return _refused((), "", f"stdout: {error}", exits.FAILED)
    except Exception as error:
        return _internal(error)


def application() -> App:
    """All commands by name; none of them is loaded yet."""
    app = App(
        name="stepwell", help=_HELP, version_flags=(), help_format="plaintext", result_action="return_value",
        suppress_keyboard_interrupt=False,
    )  # fmt: skip
    for name, module, said in _COMMANDS:
        own_help = {"help_flags": ()} if name == "run" else {}  # `run TARGET --help` shows the inputs of the target
        app.command(f"stepwell.cli.{module}:{name}", name=name, help=said, **own_help)
    app.command(_version, name="--version", help="Print the version.")
    app.command(
        "stepwell.cli.completion:install_completion",
        name="--install-completion",
        help="Have your shell complete commands, options and runs.",
    )
    return app


def _version() -> int:
    from stepwell.cli.version import version

    return version()


def _done(result: object) -> int:
    """A command gives its exit code; a help that was shown gives nothing."""
    return result if isinstance(result, int) else exits.OK


def _usage(error: CycloptsError) -> str:
    chain = error.command_chain or ()
    if isinstance(error, UnusedCliTokensError):
        unused = " ".join(map(typed, error.unused_tokens or ()))
        return f"there is nothing to do with {unused}; see `{' '.join(['stepwell', *chain])} --help`"
    return f"{str(error).rstrip('., ')}; see `{' '.join(['stepwell', *chain])} --help`"


def _refused(tokens: Sequence[str], kind: str, message: str, code: int) -> int:
    """One clear message; where a document was asked for, it says the same."""
    message = _with_store(message, tokens)
    tell(f"stepwell: {message}")
    if "--json" in tokens:
        try:
            output().versioned({"error": {"type": kind, "message": message}, "exit_code": code})
        except (Gone, OSError):
            pass
    return code


def _with_store(message: str, tokens: Sequence[str]) -> str:
    """The message with the store that was named in the commands that it proposes, which else would mean another one."""
    named = [after for word, after in pairwise(tokens) if word == "--store"]
    named += [word.removeprefix("--store=") for word in tokens if word.startswith("--store=")]
    if not named:
        return message
    place = f" --store {typed(named[0])}"
    return re.sub(
        r"`(stepwell (?:resume|cancel|show|ls|logs|events|plan|graph|db check)\b[^`]*)`",
        lambda match: f"`{match[1]}{place}`",
        message,
    )


def _is_of_output(error: OSError) -> bool:
    """Whether it was stdout that failed, say because of a full disk behind it; a help is written by rich."""
    from traceback import extract_tb

    last = [one.filename for one in extract_tb(error.__traceback__)[-1:]]
    return last == [streams.__file__] or any(Path(one).parts[-2:] == ("rich", "console.py") for one in last)


def _internal(error: Exception) -> int:
    """A mistake of ours: say so, with all that is needed to mend it."""
    from traceback import print_exception

    from stepwell.cli.version import installed

    print_exception(error)
    tell(
        "\nstepwell: this is a mistake in Stepwell itself, not in your pipeline; what is recorded of the run is safe.\n"
        "Please report it with the lines above, the command that you typed, and this line:\n"
        f"  stepwell {installed()}, Python {platform.python_version()}, {platform.platform()}"
    )
    return exits.FAILED


if __name__ == "__main__":
    main()
