# shellcheck shell=bash
# The jars of the native services, copied once from Maven's repository into the cache.

# Where `millrace` looks for them: MILLRACE_SERVICES, else the user's cache.
services_cache() { printf '%s' "${MILLRACE_SERVICES:-${XDG_CACHE_HOME:-$HOME/.cache}/millrace/services}"; }

# fetch_jars ROOT: fills the cache for every folder of ROOT/infra/native; one that is complete is left alone.
fetch_jars() {
  fetch_jars_of kafka-4.3.1 "$1/infra/native/kafka"
  fetch_jars_of documents-1.47.0 "$1/infra/native/documents"
}

# fetch_ubl_checks ROOT: what tests check electronic invoices with; they find it by MILLRACE_TEST_UBL_CHECKS.
fetch_ubl_checks() {
  fetch_jars_of ubl-checks-1 "$1/tests/ubl"
  MILLRACE_TEST_UBL_CHECKS="$(services_cache)/ubl-checks-1"
  export MILLRACE_TEST_UBL_CHECKS
}

# The file `complete` is written last and holds the checksum of what the folder was made from.
fetch_jars_of() {
  local name=$1 source=$2 target sum plugin
  target="$(services_cache)/$name"
  sum=$(find "$source" -type f \( -name pom.xml -o -name '*.java' \) -print0 | sort -z | xargs -0 cat | cksum)
  if [[ -f "$target/complete" && "$(<"$target/complete")" == "$sum" ]]; then return; fi
  say "fetching the jars of $name into $target (once, some 50 MB in all)"
  # A folder of its own, renamed when whole: two clones may do this at once.
  local fresh
  mkdir -p "$(dirname "$target")"
  fresh=$(mktemp -d "$target.XXXXXX")
  plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
  mvn -B -q -ntp -Dstyle.color=never -f "$source/pom.xml" "$plugin:copy-dependencies" -DincludeScope=runtime "-DoutputDirectory=$fresh/lib" >&2
  if compgen -G "$source/*.java" >/dev/null; then
    javac --release 17 -cp "$fresh/lib/*" -d "$fresh/classes" "$source"/*.java
  fi
  printf '%s\n' "$sum" >"$fresh/complete"
  rm -rf "$target"
  mv "$fresh" "$target"
  # Into the folder, if another script was faster in this moment.
  rm -rf "${target:?}/${fresh##*/}"
}
