# shellcheck shell=bash
# Python environments with pinned packages, made once and kept in the cache.

: "${cache_dir:=${XDG_CACHE_HOME:-$HOME/.cache}/millrace}"

# python_environment NAME REQUIREMENTS: makes the environment when its requirements changed, and sets `python_folder`. Fails when
# python3 with venv and pip could not be used.
python_environment() {
  local requirements=$2 sum
  python_folder=$cache_dir/$1
  sum=$(cksum <"$requirements")
  if [[ -f "$python_folder/complete" && "$(<"$python_folder/complete")" == "$sum" ]]; then return; fi
  say "installing the packages of $requirements into $python_folder"
  rm -rf "$python_folder"
  { python3 -m venv "$python_folder" && "$python_folder/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"; } >&2 || return 1
  printf '%s\n' "$sum" >"$python_folder/complete"
}
