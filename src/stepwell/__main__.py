"""`python -m stepwell`: the command `stepwell`, for where the scripts of an environment are not on the PATH."""

from __future__ import annotations

from stepwell.cli.main import main

if __name__ == "__main__":
    main()
