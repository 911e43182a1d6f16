#!/bin/sh
# Installs and builds whatever is missing for the demo, the tests and the local cluster, and nothing else.
# Idempotent; takes about a second when all is there. Usage: sh test/setup.sh [--quiet] [--bench]
# With --quiet only work that takes time and trouble are reported; with --bench the benchmark's peer is there too.
# Everything printed goes to stderr.
set -eu

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$repository"

quiet=false
more_packages=
for argument; do
  case $argument in
    --quiet) quiet=true ;;
    --bench) more_packages=bpftrace ;;
    *) printf '%s\n' "setup: there is no $argument" >&2 && exit 2 ;;
  esac
done

say() { printf '%s\n' "setup: $*" >&2; }
note() { $quiet || say "$@"; }
fail() {
  say "$@"
  exit 3
}

# Debian packages that are not installed. dpkg-query prints one line for each that is.
packages='clang llvm libbpf-dev libelf-dev zlib1g-dev libjansson-dev bpftool make gcc libc6-dev libc6-dev-arm64-cross iproute2 iptables conntrack runc
containernetworking-plugins openssl strace util-linux '$more_packages

missing_packages() {
  # shellcheck disable=SC2086 # a list of words
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}|${Package}\n' $packages 2>/dev/null | sed -n 's/^ii *|//p')
  for package in $packages; do
    printf '%s\n' "$installed" | grep -qx -- "$package" || printf '%s ' "$package"
  done
}

install_packages() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    say "this is not a Debian system: make sure that you have the counterparts of:" $packages
    return 0
  fi
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "not root, so these packages were not installed: $missing"
    say "install them with: sudo apt-get install --no-install-recommends $missing"
    return 0
  fi
  log=$(mktemp)
  say "installing Debian packages: $missing"
  # shellcheck disable=SC2086 # a list of words
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    # Addresses of mirrors are the machine's business, not this output's.
    tail -n 5 "$log" | sed 's|https\{0,1\}://[^ ]*|(mirror)|g' >&2
    fail "apt-get could not install: $missing"
  fi
  rm -f "$log"
}

install_modules() {
  command -v npm >/dev/null 2>&1 || fail "npm is missing: install Node.js 20 or later with npm"
  marker=node_modules/.package-lock.json
  if [ -e "$marker" ] && [ ! package-lock.json -nt "$marker" ]; then return 0; fi
  say "installing npm packages"
  log=$(mktemp)
  # Where a registry mirror lacks optional packages of other platforms, `npm ci` refuses the lock file as incomplete;
  # `npm install` takes the same pinned versions, and --no-save leaves the lock file as it is.
  if ! npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1 &&
    ! { grep -q EUSAGE "$log" && npm install --no-save --no-audit --no-fund --loglevel=error >"$log" 2>&1; }; then
    tail -n 20 "$log" | sed 's|https\{0,1\}://[^ ]*|(registry)|g' >&2
    fail "npm packages could not be installed"
  fi
  rm -f "$log"
  # npm dates the marker by the packages' own times at times; it is compared with the lock file above.
  touch "$marker"
}

require_go() {
  command -v go >/dev/null 2>&1 || fail "Go is missing: the robots and the local cluster are built from source; install Go 1.26 or later"
}

started=$(date +%s)
install_packages
install_modules
require_go
PATH="$repository/node_modules/.bin:$PATH"
export PATH
if $quiet; then node test/build.ts --quiet; else node test/build.ts; fi
note "ready after $(($(date +%s) - started)) s"
