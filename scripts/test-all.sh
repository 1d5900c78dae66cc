#!/bin/sh
# Runs the suite under each Python that Stepwell is for and that is found here, each in an environment of its own below
# .venvs/. What was found, and how it went, is said at the end; fails where one failed, or where none was found.
# PYTHONS chooses others ("3.12 3.14t"; `t` is a free-threaded build); arguments go on to pytest.
set -u

wanted=${PYTHONS:-3.11 3.12 3.13 3.14 3.13t 3.14t}
if [ $# -eq 0 ]; then set -- -q -n 2 --dist loadgroup; fi

# A command of this name may belong to a version manager and refuse to start: what counts is what it says it is.
is_version() {
    [ "$("$2" -c 'import sys, sysconfig
print("%d.%d" % sys.version_info[:2] + "t" * bool(sysconfig.get_config_var("Py_GIL_DISABLED")))' 2>/dev/null)" = "$1" ]
}

find_version() {
    managed=$(pyenv root 2>/dev/null)/versions
    by_uv=$(uv python find --no-project "$1" 2>/dev/null)
    for python in "python$1" "$managed/${1%t}".*"/bin/python$1" "$managed/$1"*/bin/python "$by_uv" python3 python; do
        if is_version "$1" "$python"; then
            "$python" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

# An environment is made anew where what it needs has changed.
environment() {
    if [ "$1/.made-in" -nt pyproject.toml ] && [ "$(cat "$1/.made-in")" = "$PWD" ]; then return 0; fi
    VENV=$1 PYTHON=$2 sh scripts/venv.sh
}

found=0
failed=0
said=""
say() { said="$said$1
"; }

for version in $wanted; do
    if ! python=$(find_version "$version"); then
        say "Python $version: not found"
        continue
    fi
    found=$((found + 1))
    venv=.venvs/$version
    printf '\nPython %s: %s\n' "$version" "$python"
    made=true
    environment "$venv" "$python" || made=false
    run=$venv/bin/python
    [ -x "$run" ] || run=$venv/Scripts/python
    # A Python that is too old is passed over for another one.
    if [ $made = false ] || ! is_version "$version" "$run"; then
        failed=$((failed + 1))
        say "Python $version: FAILED, its environment could not be made ($python)"
        continue
    fi
    if "$run" -m pytest "$@"; then
        say "Python $version: passed ($python)"
    else
        failed=$((failed + 1))
        say "Python $version: FAILED ($python)"
    fi
done

printf '\n%s' "$said"
[ "$found" -gt 0 ] && [ "$failed" -eq 0 ]
