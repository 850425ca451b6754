# shellcheck shell=bash
# Messages of the scripts: what is done and why goes to stderr, so that stdout stays an answer.

say() { printf '%s\n' "$*" >&2; }

# What went wrong and what to do about it; 2 is "wrong use or a missing piece".
die() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# help_asked "$@": for --help or -h, prints the script's opening comment and ends.
help_asked() {
  local argument
  for argument in "$@"; do
    [[ $argument == --help || $argument == -h ]] || continue
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "scripts/${0##*/}"
    exit 0
  done
}
