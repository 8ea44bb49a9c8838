#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sets this machine up, builds weft, and runs the main job or all tests.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's names: for the library and the program weft, and then for the other programs and the tests.
library_packages=(
    build-essential cmake pkg-config
    libopenmpi-dev openmpi-bin openssh-client
    libhdf5-openmpi-dev libhwloc-dev librandom123-dev libxxhash-dev
    libjansson-dev libpng-dev
)
packages=(
    "${library_packages[@]}"
    hdf5-tools groff-base libcmocka-dev libgsl-dev libproj-dev
    gmt-gshhg-low gmt-gshhg-high gmt-gshhg-full
    python3 python3-numpy python3-h5py python3-xarray python3-h5netcdf netcdf-bin
    procps iproute2 slurm-wlm munge
)
build=$PWD/build/release
result=$PWD/build/run/coast.h5
picture=$PWD/build/run/coast.png
jobs=$(nproc)
install=yes
rest=()

usage() {
    cat <<'END'
usage: cluster/local.sh COMMAND [--jobs N] [--no-install] [ARGUMENT...]

commands
  run    set up, build, and compute the distance to the sea's shoreline for the whole globe at half
         a degree: 2 ranks x 2 workers; further arguments go to coast, such as --fresh
  test   set up, build, and run all tests; further arguments go to ctest, such as -R unit
  install DIR
         set up what the library needs, build it and the program weft, install them to the folder
         DIR, and say how programs of one's own are built with it
  setup  install the Debian packages that are missing; further arguments are packages to add
  help   this text

options
  --jobs N      compile N files, or run N tests, at the same time (default: one per core)
  --no-install  install nothing: what weft needs is there already
END
}

say() {
    echo "local.sh: $*"
}

fail() {
    echo "local.sh: $*" >&2
    exit 1
}

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# Runs a command as root, or ends with what to ask an administrator for.
as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "installing needs root, and there is no sudo. Ask an administrator for
  apt-get install ${missing[*]}
and run this command again."
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

apt_install() {
    apt install -y --no-install-recommends "${missing[@]}"
}

# True if apt's lists know every missing package.
apt_knows() {
    apt-cache show --no-all-versions "${missing[@]}" >/dev/null 2>&1
}

# Old lists name files that are gone: then they are fetched anew, and it is tried once more.
install_missing() {
    if ! apt_knows; then
        apt update
        apt_install
    elif ! apt_install; then
        say "that failed; trying again with fresh package lists"
        apt update
        apt_install
    fi
}

# set_up PACKAGE...
set_up() {
    local wanted=("$@") package missing=()
    [[ $install == yes ]] || return 0
    command -v apt-get >/dev/null || fail "this system has no apt-get. Install what these Debian packages hold:
  ${wanted[*]}
and run this command again with --no-install."
    for package in "${wanted[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    if [[ ${#missing[@]} -eq 0 ]]; then
        say "all packages are installed"
        return 0
    fi
    say "installing ${missing[*]}"
    install_missing || fail "the packages could not be installed; apt-get's message is above"
}

build_release() {
    say "building in $build"
    cmake --preset release
    cmake --build --preset release --parallel "$jobs"
}

install_library() {
    local prefix libdir
    [[ $# -eq 1 ]] || fail "install needs a folder to install to, such as ~/weft"
    set_up "${library_packages[@]}"
    prefix=$(realpath -m "$1")
    cmake --preset user
    cmake --build --preset user --parallel "$jobs"
    cmake --install build/user --prefix "$prefix"
    libdir=$(dirname "$(find "$prefix" -name weft.pc -print -quit)")
    cat <<END

For a shell:
  export PATH=$prefix/bin:\$PATH
  export PKG_CONFIG_PATH=$libdir CMAKE_PREFIX_PATH=$prefix
Then, in a copy of $prefix/share/doc/weft/examples:
  make PREFIX=$prefix && ./pi
END
}

# The path of a program of this build; the tests make folders of their own, with other copies.
program() {
    local path
    path=$(find "$build" -path "$build/tests" -prune -o -type f -name "$1" -perm -u+x -print -quit)
    [[ -n $path ]] || fail "the build made no program named $1"
    echo "$path"
}

# Each rank is free to use all cores; by default Open MPI would bind both workers to one.
mpirun_command() {
    local words=(mpirun --bind-to none -n 2)
    [[ $(nproc) -ge 4 ]] || words+=(--oversubscribe)
    [[ $(id -u) -ne 0 ]] || words+=(--allow-run-as-root)
    echo "${words[@]}"
}

run_coast() {
    local coast mpirun command status=0
    coast=$(program coast)
    read -ra mpirun <<<"$(mpirun_command)"
    command=("${mpirun[@]}" "$coast" --resolution i --step 0.5 --threads 2
        --out "$result" --image "$picture" "$@")
    mkdir -p "$(dirname "$result")"
    say "running ${command[*]}"
    "${command[@]}" || status=$?
    tell_result "$status"
    return "$status"
}

tell_result() {
    if [[ $1 -ne 0 ]]; then
        say "coast ended with status $1"
    fi
    [[ -e $result ]] || return 0
    cat <<END

result   $result
picture  $picture

To look at it:
  h5dump -H $result
  $(program weft) status $result
  /usr/bin/python3 -c "import h5py; print(h5py.File('$result')['coast/distance'][:].max(), 'km')"
Run again, it resumes: what is done is not computed twice. With --fresh it starts over.
END
}

# What mpirun must know when the tests start it.
run_tests() {
    export OMPI_MCA_rmaps_base_oversubscribe=1                   # Open MPI 4.1
    export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe  # and 5
    if [[ $(id -u) -eq 0 ]]; then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    say "running the tests"
    ctest --preset release --no-tests=error --parallel "$jobs" "$@"
}

read_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --jobs)
            [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "--jobs needs a number of at least 1"
            jobs=$2
            shift
            ;;
        --no-install) install=no ;;
        *) rest+=("$1") ;;
        esac
        shift
    done
}

main() {
    local verb=${1:-help}
    read_options "${@:2}"
    case $verb in
    run)
        set_up "${packages[@]}"
        build_release
        run_coast "${rest[@]}"
        ;;
    test)
        set_up "${packages[@]}"
        build_release
        run_tests "${rest[@]}"
        ;;
    install) install_library "${rest[@]}" ;;
    setup) set_up "${packages[@]}" "${rest[@]}" ;;
    help | -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
}

main "$@"
