# shellcheck shell=bash
# Finding and installing what the build and the tests need. Sourced by ./run, ./test; changes nothing by itself.

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# install_packages WHAT PACKAGE...: installs Debian packages, or says what is missing and how to get it.
install_packages() {
    local what=$1
    shift
    if have apt-get && [ "$(id -u)" = 0 ]; then
        printf 'Installing %s: apt-get install %s\n' "$what" "$*"
        export DEBIAN_FRONTEND=noninteractive
        apt-get install --yes --no-install-recommends "$@" >/dev/null 2>&1 && return
        apt-get update >/dev/null && apt-get install --yes --no-install-recommends "$@" >/dev/null && return
        fail "$what is missing and could not be installed; try: apt-get install $*"
    elif have apt-get; then
        fail "$what is missing; install it with: sudo apt-get install $*"
    else
        fail "$what is missing; install what this system calls $* (the names are Debian's)"
    fi
}

# The compiler named in rust-toolchain.toml, a C compiler, and OpenSSL's headers.
need_build_tools() {
    have cc || install_packages "a C compiler" gcc libc6-dev
    have pkg-config || install_packages "pkg-config" pkg-config
    if [ -z "${OPENSSL_DIR:-}" ] && ! pkg-config --exists openssl; then
        install_packages "OpenSSL with its headers" libssl-dev
    fi
    if ! have cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    if ! have cargo && have apt-get && [ -n "$(apt-cache search --names-only '^rustup$')" ]; then
        install_packages "Rust" rustup
    fi
    have cargo || fail "Rust is missing; install it as https://rustup.rs says, then run this again"
    if ! cargo --version >/dev/null 2>&1 && have rustup; then
        printf 'Installing the Rust that rust-toolchain.toml names\n'
        rustup toolchain install || fail "rustup could not install the Rust that rust-toolchain.toml names"
    fi
    cargo --version >/dev/null || fail "cargo does not start; rust-toolchain.toml names the Rust that is needed"
}

# schemathesis as tests/schemathesis/requirements.txt pins it, in an environment of its own below target/.
need_schemathesis() {
    local folder=$PWD/target/schemathesis wanted=$PWD/tests/schemathesis/requirements.txt
    schemathesis_python=$folder/bin/python
    have python3 || install_packages "Python" python3 python3-venv
    if ! cmp -s "$wanted" "$folder/installed.txt"; then
        python3 -m venv --clear "$folder" >/dev/null 2>&1 || {
            install_packages "Python's venv" python3-venv
            python3 -m venv --clear "$folder" || fail "python3 -m venv does not work"
        }
        "$schemathesis_python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted" ||
            fail "schemathesis could not be installed; try: $folder/bin/pip install -r tests/schemathesis/requirements.txt"
        cp "$wanted" "$folder/installed.txt"
    fi
    have psql || install_packages "PostgreSQL's psql" postgresql-client
}
