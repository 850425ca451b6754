# shellcheck shell=bash
# What a script needs on the machine: installed on Debian and Ubuntu, named with its command elsewhere.

# Where scripts keep what outlives a clone: builds, jars, tools.
export cache_dir="${XDG_CACHE_HOME:-$HOME/.cache}/millrace"

# ensure_command COMMAND PACKAGE WHY: installs the package when the command is missing.
ensure_command() {
  command -v "$1" >/dev/null 2>&1 || install_packages "$2" "$3"
}

# install_packages "PACKAGE …" WHY. What can't be installed from here is named with its command, all at once at the end of
# ensure_packages.
install_packages() {
  local packages=$1 why=$2 status=0
  if ! command -v apt-get >/dev/null 2>&1 || ! may_be_root; then
    missing+=" $packages"
    say "missing: $packages ($why)"
    [[ -n ${collecting:-} ]] || die_missing
    return
  fi
  say "installing $packages: $why"
  list_packages
  # shellcheck disable=SC2086 # one word a package
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >&2 || status=$?
  [[ $status -eq 0 ]] || die "apt-get could not install $packages ($why)"
}

missing=
die_missing() {
  if command -v apt-get >/dev/null 2>&1; then
    die "run this as root, then this script again: apt-get install --no-install-recommends$missing"
  fi
  die "install these with this system's package manager (Debian's names):$missing"
}

may_be_root() { [[ $(id -u) -eq 0 ]] || sudo -n true 2>/dev/null; }

as_root() { if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi; }

# A fresh machine knows no packages until it is told to look.
list_packages() {
  [[ -n ${packages_listed:-} ]] && return
  as_root apt-get update -qq >&2
  packages_listed=yes
}

# find_package PATTERN…: sets `package` to the newest package that fits the first pattern that fits any, else to the first pattern.
find_package() {
  local pattern
  package=
  command -v apt-cache >/dev/null 2>&1 && may_be_root && list_packages
  for pattern in "$@"; do
    [[ -n $package ]] || package=$(apt-cache search --names-only "^$pattern\$" 2>/dev/null | awk '{print $1}' | sort -V | tail -n 1 || true)
  done
  package=${package:-$1}
}

# ensure_compose PURPOSE OTHER_WAY: docker with its compose plugin and an engine.
ensure_compose() {
  command -v docker >/dev/null 2>&1 || die "missing: docker, which $1; $2 needs none"
  docker compose version >/dev/null 2>&1 || die "missing: docker's compose plugin; on Debian and Ubuntu: apt-get install docker-compose-plugin or docker-compose-v2"
  docker info >/dev/null 2>&1 || die "docker does not reach an engine: start it, or use $2"
}

# What building and running the stack needs. With `compose` the services come as containers.
ensure_packages() {
  local engine=$1 collecting=yes
  command -v cargo >/dev/null 2>&1 || die "missing: cargo (Rust 1.95 or later). Install it with rustup, then run this again"
  if ! command -v cc >/dev/null 2>&1 || ! command -v c++ >/dev/null 2>&1 || ! command -v make >/dev/null 2>&1; then
    install_packages "gcc g++ make libc6-dev" "the Kafka client is built from C"
  fi
  [[ -e /usr/include/zlib.h || $(uname) == Darwin ]] || install_packages zlib1g-dev "the Kafka client compresses with it"
  if [[ $engine == compose ]]; then
    ensure_compose "runs the services of --engine compose" "--engine native"
    [[ -z $missing ]] || die_missing
    return
  fi
  if ! java_is_17 || ! command -v javac >/dev/null 2>&1; then
    find_package openjdk-17-jdk-headless openjdk-21-jdk-headless default-jdk-headless
    install_packages "$package" "Kafka and the document server run on Java 17 or later"
    [[ -n $missing ]] || java_is_17 || die "java is older than 17: put a JDK 17 or later first on the PATH"
  fi
  ensure_command mvn maven "fetches the jars of Kafka and of the document server"
  if ! mysqld_is_there; then
    # The server's programs alone: the package `mariadb-server` would make a service of the system's own of them.
    find_package mariadb-server-core 'mariadb-server-core-[0-9.]+'
    install_packages "$package ${package/server/client}" "the database server's programs"
  fi
  [[ -z $missing ]] || die_missing
}

java_is_17() {
  local version
  version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  [[ -n $version && $version -ge 17 ]]
}

mysqld_is_there() {
  PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v mariadbd >/dev/null 2>&1 || PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v mysqld >/dev/null 2>&1
}
