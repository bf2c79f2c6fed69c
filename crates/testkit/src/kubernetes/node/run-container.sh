#!/bin/bash
# Runs the program of one container: in namespaces of its own for mounts, processes and the host
# name, with a copy of the machine's files. The node calls it as the first process there.
#
# usage: run-container.sh FOLDER HOSTNAME DIRECTORY COMMAND…
#
# The folder has, each item ended by a zero byte:
#   environment  NAME=VALUE
#   mounts       SOURCE, TARGET, ro or rw: three items for each
#   shown        folders of the machine that the container must see
# and, as marks: `spark`, a link to the folder for /opt/spark; `read-only`, for a root that is.
set -euo pipefail
folder=$1 name=$2 directory=$3
shift 3

fail() {
    printf '%s' "$1" >"$folder/start-error"
    exit 128
}

hostname "$name"
layers=$folder/layers
mkdir -p "$layers"
mount -t tmpfs tmpfs "$layers"
mkdir "$layers"/{upper,work,root,spark-upper,spark-work}
root=$layers/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"

# The machine's own /tmp belongs to other programs.
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

# Shows a file or folder in the container. Links in the target are the container's.
show() {
    local target
    target=$(chroot "$root" realpath --canonicalize-missing "$2")
    if [[ -d $1 ]]; then
        mkdir -p "$root$target"
    else
        mkdir -p "$root$(dirname "$target")"
        [[ -e $root$target ]] || : >"$root$target"
    fi
    mount --bind "$1" "$root$target"
    if [[ $3 == ro ]]; then
        mount -o remount,bind,ro "$root$target"
    fi
}

while IFS= read -r -d '' path; do
    [[ -e $root$path ]] || show "$path" "$path" ro
done <"$folder/shown"

if [[ -e $folder/spark ]]; then
    mkdir -p "$root/opt/spark"
    spark=$(readlink "$folder/spark")
    mount -t overlay overlay \
        -o "lowerdir=$spark,upperdir=$layers/spark-upper,workdir=$layers/spark-work" \
        "$root/opt/spark"
fi
mkdir -p "$root$directory"

while IFS= read -r -d '' source && IFS= read -r -d '' target && IFS= read -r -d '' mode; do
    show "$source" "$target" "$mode"
done <"$folder/mounts"

if [[ -e $folder/read-only ]]; then
    mount -o remount,ro "$root/tmp"
    mount -o remount,bind,ro "$root"
fi

variables=()
while IFS= read -r -d '' variable; do
    variables+=("$variable")
done <"$folder/environment"
# The shell that made this process has set some signals to be ignored.
inside=(chroot "$root" /usr/bin/env --ignore-environment --default-signal --chdir="$directory"
    -- "${variables[@]}")

# A runtime of containers finds the program before it starts it.
# shellcheck disable=SC2016
"${inside[@]}" /bin/sh -c 'command -v -- "$1" >/dev/null' sh "$1" ||
    fail "exec: \"$1\": executable file not found in \$PATH"
exec "${inside[@]}" "$@"
