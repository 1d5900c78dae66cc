"""`stepwell completion SHELL` and `stepwell --install-completion`: what the shell needs to complete our words."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from stepwell.cli.streams import output, tell
from stepwell.errors import InputError

Shell = Literal["bash", "zsh", "fish", "powershell"]
_AFTERWARDS = {
    "bash": "open a new terminal, or type: source ~/.bashrc",
    "zsh": "open a new terminal; where nothing happens, ~/.zshrc needs: autoload -Uz compinit && compinit",
    "fish": "open a new terminal",
    "powershell": "open a new terminal",
}
_BY_HAND = {
    "bash": "source <(stepwell completion bash)   # in ~/.bashrc",
    "zsh": "stepwell completion zsh > ~/.zfunc/_stepwell   # a folder of your fpath",
    "fish": "stepwell completion fish > ~/.config/fish/completions/stepwell.fish",
    "powershell": "stepwell completion powershell | Out-String | Invoke-Expression   # in $PROFILE",
}


def completion(shell: Annotated[Shell, Parameter(help="Which shell's.")], /) -> int:
    """Print the completion of a shell: commands, options, their values, runs and files.

    `stepwell --install-completion` puts it where the shell finds it.
    """
    out = output()
    out.text(_app().generate_completion(shell=shell))
    if out.is_terminal:
        tell(f"to have it always: {_BY_HAND[shell]}")
    return 0


def install_completion(shell: Shell | None = None, /) -> int:
    """Install the completion for the shell that you are in, or for the one that is named."""
    from cyclopts.completion.detect import ShellDetectionError, detect_shell

    try:
        found = shell or detect_shell()
    except ShellDetectionError:
        raise InputError(
            "--install-completion cannot tell which shell this is; name it: bash, zsh, fish or powershell"
        ) from None
    try:
        path = _app().install_completion(shell=found)
    except OSError as error:
        raise InputError(
            f"--install-completion: {error.filename} cannot be written: {error.strerror}; "
            f"do it by hand: {_BY_HAND[found]}"
        ) from None
    tell(f"completion for {found} is in {path}; {_AFTERWARDS[found]}")
    return 0


def _app() -> App:
    from stepwell.cli.main import application

    return application()
