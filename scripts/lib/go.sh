# shellcheck shell=bash
# Tools that come by Go's modules, each at one version, kept in the cache.

: "${cache_dir:=${XDG_CACHE_HOME:-$HOME/.cache}/millrace}"

# go_tool PACKAGE VERSION: sets `tool` to the program, which is installed when it is missing. Fails when it can't be.
go_tool() {
  local package=$1 version=$2 log
  tool=$cache_dir/tools/bin/${package##*/}
  [[ "$("$tool" --version 2>/dev/null)" == *"$version"* ]] && return
  command -v go >/dev/null || return 1
  say "installing ${package##*/} $version (once)"
  log=$(GOBIN=$cache_dir/tools/bin go install "$package@v$version" 2>&1) || { say "$log"; return 1; }
}
