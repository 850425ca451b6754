# shellcheck shell=bash
# Ports for a stack of a script's own.

# free_port_base: prints a base from which ten ports are free, below the range that the system gives to outgoing connections.
free_port_base() {
  local base port free
  for base in $(seq 10100 20 11900 | shuf); do
    free=yes
    for port in $(seq "$base" $((base + 9))); do
      if (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        free=no
        break
      fi
    done
    [[ $free == yes ]] && { echo "$base"; return; }
  done
  echo "no ten free ports between 10100 and 11900" >&2
  return 1
}
