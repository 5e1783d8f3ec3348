#!/bin/sh
# autogen.sh - make configure from configure.ac (needed in a git checkout only).
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --force
