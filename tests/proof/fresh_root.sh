#!/bin/sh
# Proof that the README's two commands work on an empty machine: a Debian root made by debootstrap with git and stock
# Python and nothing else, and a fresh clone of this checkout's HEAD in it.
#
#   sh tests/proof/fresh_root.sh [options] [try|test|user]...     (default: try test user)
#
#   try    ./plantproof try as root
#   test   ./plantproof test as root; test=ENVS runs only these tox environments
#   user   ./plantproof try as an ordinary user in user namespaces (after try or test installed the system packages)
#
#   --suite NAME    Debian suite, default bookworm
#   --mirror URL    Debian mirror, default the first one this machine uses
#   --with PATH     copy this file or folder into the root as well (repeat): a package index configuration, certificates
#   --keep          keep the root and say where it is
#
# Needs root and debootstrap. The root has its own mount and process namespaces: when the script ends nothing is left.
set -eu

suite=bookworm mirror="" keep="" with="" phases=""
while [ $# -gt 0 ]; do
  case "$1" in
    --suite) suite=$2; shift ;;
    --mirror) mirror=$2; shift ;;
    --with) with="$with $2"; shift ;;
    --keep) keep=yes ;;
    try | test | test=* | user) phases="$phases $1" ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
checkout=$(cd "$(dirname "$0")/../.." && pwd)
[ -n "$mirror" ] || mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\).*/\2/p' | head -n 1)

root=$(mktemp -d /var/tmp/plantproof-root.XXXXXX)
chmod 755 "$root" # it becomes / of its ordinary users too
clean() { [ -n "$keep" ] && echo "root kept: $root" || rm -rf --one-file-system "$root"; }
trap clean EXIT
trap 'exit 130' INT TERM

echo "== debootstrap $suite"
debootstrap --variant=minbase --include=git,python3,ca-certificates "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -n 20 "$root.log" >&2; exit 1; }
rm -f "$root.log"
for path in $with; do
  mkdir -p "$root$(dirname "$path")"
  cp -a "$path" "$root$(dirname "$path")/"
done
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
git clone -q --no-hardlinks "$checkout" "$root/srv/plantproof"

# pivot_root and not chroot: the kernel refuses user namespaces to a process whose root is not its namespace's.
inside() {
  unshare --mount --pid --fork --kill-child sh -eu -c '
    mount --bind "$0" "$0"; cd "$0"
    mount -t proc proc proc; mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp; mount -t sysfs sysfs sys
    mount --rbind /dev dev
    mkdir -p .host; pivot_root . .host; umount -l /.host
    cd /srv/plantproof; exec "$@"' "$root" "$@"
}

for phase in ${phases:-try test user}; do
  echo "== ./plantproof ${phase}"
  started=$(date +%s)
  case "$phase" in
    user)
      inside sh -c 'id tester >/dev/null 2>&1 || useradd -m tester; git clone -q . /home/tester/plantproof 2>/dev/null || true
        chown -R tester: /home/tester; exec setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester \
        sh -c "cd /home/tester/plantproof && ./plantproof try"'
      ;;
    test=*) inside ./plantproof test "${phase#test=}" ;;
    *) inside ./plantproof "$phase" ;;
  esac
  echo "== ./plantproof $phase: $(($(date +%s) - started)) s"
done
