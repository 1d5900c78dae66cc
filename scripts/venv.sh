#!/bin/sh
# Makes .venv, with Stepwell in it (editable) and the tools of the `dev` group: by uv where uv is found, else by
# venv and pip. Called by `make venv`, from the top folder; may be called again, and then brings .venv up to date.
# VENV names another folder than .venv, PYTHON the Python to make it with.
set -eu

venv=${VENV:-.venv}
stamp=$venv/.made-in
case $(uname -s) in
MINGW* | MSYS* | CYGWIN*) bin=$venv/Scripts ;; # a shell on Windows
*) bin=$venv/bin ;;
esac

# Being on the PATH is not enough: a version manager leaves commands there that refuse to start.
find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$name" -c "import sys; sys.exit(sys.version_info < (3, 11))$1" >/dev/null 2>&1; then
            # In an active .venv the Python to use is the one below it.
            "$name" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
            return 0
        fi
    done
    return 1
}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

up_to_date_here() {
    [ "$(cat "$stamp" 2>/dev/null || true)" = "$PWD" ] &&
        "$bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

by_uv() {
    python=$(find_python "") || return 1
    up_to_date_here || uv venv --quiet --clear --python "$python" "$venv" || return 1
    uv pip install --quiet --python "$bin/python" --editable . --group dev
}

by_pip() {
    if ! up_to_date_here; then
        python=$(find_python "; import venv, ensurepip") || fail \
            "Stepwell needs Python 3.11 or newer with the venv module, and found none." \
            "Install one (on Debian: apt-get install python3 python3-venv), or name one: make venv PYTHON=/path/to/python3"
        "$python" -m venv --clear "$venv"
    fi
    "$bin/python" -m pip --version >/dev/null 2>&1 || "$bin/python" -m ensurepip >/dev/null
    # Dependency groups need a pip of 2025 or later.
    "$bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
    "$bin/python" -m pip install --quiet --disable-pip-version-check --editable . --group dev
}

if ! command -v uv >/dev/null 2>&1; then
    by_pip
elif ! by_uv; then
    echo "uv did not manage; now with venv and pip" >&2
    by_pip
fi
printf '%s\n' "$PWD" >"$stamp"
