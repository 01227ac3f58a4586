#!/usr/bin/env bash
# For sites without an image registry: makes a base image from this Debian's own packages.
# Usage: base-image.sh NAME:TAG PACKAGE...
set -euo pipefail
image=$1
packages=$(IFS=,; echo "${*:2}")
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
# The mirror is whichever this machine is configured for.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
root=$(mktemp -d)
trap 'umount -q "$root/proc" "$root/sys" || :; rm -rf "$root"' EXIT # debootstrap leaves them mounted where it is interrupted
debootstrap --variant=minbase --include="$packages" "$release" "$root" "$mirror" >&2
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}
chmod 755 "$root" # mktemp made it for root alone; inside it is the root folder of every account
[[ ! -e $root/usr/bin/python3 ]] || ln -sf python3 "$root/usr/bin/python"
tar --numeric-owner -C "$root" -c . | docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$image"
