# shellcheck shell=bash
# Builds into a target folder that outlives the clone, and leaves the binaries in the clone.

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/millrace/target}"

# One build of the whole workspace, so that no dependency is built twice with other features.
build_release() {
  say "building (the first time takes some minutes)"
  cargo build --release --locked --workspace --bins
}

# install_binaries ROOT: copies millrace and every function to ROOT/target/release. Each is renamed into place: a process that
# runs the old one keeps it.
install_binaries() {
  local root=$1 release="$1/target/release" name
  mkdir -p "$release"
  [[ "$(realpath "$CARGO_TARGET_DIR")" == "$(realpath "$root/target")" ]] && return
  for name in millrace $(cd "$root/functions" && echo */); do
    name=${name%/}
    cmp -s "$CARGO_TARGET_DIR/release/$name" "$release/$name" && continue
    cp "$CARGO_TARGET_DIR/release/$name" "$release/.$name.$$"
    mv "$release/.$name.$$" "$release/$name"
  done
}
