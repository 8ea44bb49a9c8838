#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check.sh [DIR [ARGUMENT...]]: builds weft on Debian 13 (trixie), with its Open MPI 5 and HDF5 1.14,
# and runs the tests there; the arguments go to ctest, such as -R '^(unit|mpi)\.'.
#
# DIR (default /var/tmp/weft-trixie) is a chroot, made by debootstrap if it is not there, which takes
# about two minutes and 1.6 GB; remove it like any folder. The build is in build/trixie. Needs root.
# All happens in namespaces of its own: at the end, however it comes, nothing is mounted there and
# nothing runs. Status 77: this machine cannot do it, and what is missing has been said.
set -euo pipefail

suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
needed_mb=2048
cannot=77
source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")

say() {
    echo "trixie: $*"
}

fail() {
    echo "trixie: $*" >&2
    exit 1
}

cannot() {
    echo "trixie: $*" >&2
    exit "$cannot"
}

# The mirror that apt uses on this machine; none: debootstrap knows Debian's own.
mirror() {
    # shellcheck disable=SC2016  # apt-get expands it
    apt-get indextargets --format '$(SITE)' 'Label: Debian' 'Created-By: Packages' 2>/dev/null |
        sed -n 1p
}

is_reachable() {
    local copy status=0
    copy=$(mktemp)
    /usr/lib/apt/apt-helper -o Acquire::Retries=0 download-file "$1" "$copy" >/dev/null 2>&1 ||
        status=$?
    rm -f "$copy"
    return "$status"
}

# A Debian 12 that was never updated has not got the keys of its successor. They come with a later
# debian-archive-keyring, which apt checks by the keys that are here.
keyring_with_suite() {
    if compgen -G "${keyring%/*}/debian-archive-$suite-*" >/dev/null; then
        return 0
    fi
    say "the keys of $suite are not in $keyring: looking into the newest debian-archive-keyring"
    mkdir "$1.keys"
    (cd "$1.keys" && apt-get -q update && apt-get -q download debian-archive-keyring) ||
        cannot "debian-archive-keyring could not be fetched"
    dpkg-deb -x "$1.keys"/*.deb "$1.keys"
    compgen -G "$1.keys${keyring%/*}/debian-archive-$suite-*" >/dev/null ||
        cannot "debian-archive-keyring has not got the keys of $suite: update this machine's apt sources"
    keyring=$1.keys$keyring
}

# Made under another name, so that a DIR which is there is whole.
make_root() {
    local root=$1 url available_mb
    url=$(mirror)
    available_mb=$(df --output=avail -m "${root%/*}" | tail -n 1)
    [[ $available_mb -ge $needed_mb ]] ||
        cannot "$root needs $needed_mb MB, and there are $((available_mb)) MB; name a folder elsewhere"
    [[ -z $url ]] || is_reachable "$url/dists/$suite/InRelease" ||
        cannot "$url cannot be reached, or has no $suite"
    rm -rf --one-file-system "$root.new" "$root.keys"
    keyring_with_suite "$root"
    say "making $root${url:+ from $url}"
    debootstrap --force-check-gpg --keyring="$keyring" --variant=minbase \
        --include=ca-certificates "$suite" "$root.new" ${url:+"$url"} >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        fail "debootstrap failed; $root.log has all that it said"
    }
    rm -rf "$root.keys" "$root.log"
    mv -T "$root.new" "$root"
}

# Refuses what is something else.
find_root() {
    if [[ ! -e $1 || -d $1 && -z $(ls -A "$1") ]]; then
        make_root "$1"
    elif ! grep -qsx "VERSION_CODENAME=$suite" "$1/etc/os-release"; then
        fail "$1 is there, and is not a $suite; name another folder"
    fi
}

# The sources are read-only in there, but for build, which is build/trixie out here.
mount_in() {
    local root=$1 folder file
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    # Open MPI names its folders by process ids, which begin anew in each namespace.
    for folder in /dev/shm /tmp; do
        mount -t tmpfs -o mode=1777 tmpfs "$root$folder"
    done
    mkdir -p "$root/weft" "$source/build/$suite"
    mount --bind "$source" "$root/weft"
    mount -o remount,bind,ro "$root/weft"
    mount --bind "$source/build/$suite" "$root/weft/build"
    for file in /etc/resolv.conf /etc/hosts; do
        [[ ! -e $file ]] || cp -L "$file" "$root$file"
    done
}

# Where a network card has an IPv6 address, too, Open MPI 5.0.7 says at every start that it finds no
# "reachable pairing", and tests see what nobody should.
quieten_mpi() {
    mkdir -p "$1/root/.openmpi"
    echo "btl_tcp_disable_family = 6" >"$1/root/.openmpi/mca-params.conf"
}

# inside ROOT COMMAND...: runs a command in the chroot, in the folder of the sources, with nothing of
# this environment but the way out.
inside() {
    local name clean=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CFLAGS=-Werror)
    for name in http_proxy https_proxy no_proxy; do
        [[ -z ${!name:-} ]] || clean+=("$name=${!name}")
    done
    chroot "$1" /usr/bin/env -i -C /weft "${clean[@]}" "${@:2}"
}

# Runs as the first process of its namespaces. One at a time makes the chroot and installs.
check() {
    local root=$1 lock
    trap 'exit 130' INT TERM
    exec {lock}>"$root.lock"
    flock "$lock"
    find_root "$root"
    mount_in "$root"
    quieten_mpi "$root"
    # A run that was ended may have left packages half installed.
    inside "$root" dpkg --configure -a
    inside "$root" cluster/local.sh setup
    inside "$root" apt-get clean
    exec {lock}>&-
    inside "$root" cluster/local.sh test --no-install "${@:2}"
}

# With the first process of the namespaces all others and all mounts go. Job control: without it what
# runs in the background would ignore SIGINT, and so would the programs that are tested.
main() {
    local root=${1:-/var/tmp/weft-$suite} tool namespaces
    namespaces=(unshare --mount --pid --fork --kill-child --mount-proc)
    [[ $(id -u) -eq 0 ]] || cannot "a chroot needs root"
    for tool in debootstrap unshare flock; do
        [[ -n $(type -P "$tool") ]] || cannot "there is no $tool; apt-get install debootstrap util-linux"
    done
    "${namespaces[@]}" true || cannot "this machine gives no namespaces"
    mkdir -p "$(dirname "$root")"
    set -m
    "${namespaces[@]}" "$0" --inside "$(realpath "$root")" "${@:2}" </dev/null &
    trap 'kill -KILL $!' INT TERM
    wait $!
}

if [[ ${1:-} == --inside ]]; then
    check "${@:2}"
else
    main "$@"
fi
