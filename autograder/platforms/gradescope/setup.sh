#!/usr/bin/env bash
# Builds the image in which Gradescope judges: a Python, the judge in its tested versions, its compiled kernels.
# Ubuntu 22.04, Gradescope's default, has Python 3.10, which is too old; there uv, from PyPI, brings a newer one.
set -euo pipefail
umask 022
source="$(cd "$(dirname "$0")" && pwd)"
[ -f "$source/settings.json" ] || source=/autograder/source
home="${CNNCOURSE_HOME:-/opt/cnncourse}"
mkdir -p "$home"

fits() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 15))' 2>/dev/null
}

packages() {
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

python=
for name in python3 python3.13 python3.12 python3.11 python3.14 python3.15; do
    if fits "$name"; then python="$name"; break; fi
done
if [ -n "$python" ]; then
    "$python" -m venv "$home/environment"
else
    python3 -m pip --version >/dev/null 2>&1 || packages python3-pip
    python3 -m pip install --target "$home/uv" uv
    export UV_PYTHON_INSTALL_DIR="$home/python"  # not in /root, where submissions cannot read an interpreter
    "$home/uv/bin/uv" venv --seed --managed-python --python 3.13 "$home/environment"
fi
ldconfig -p | grep -q 'libseccomp\.so\.2' || packages libseccomp2  # the filter for system calls

wheel="$(echo "$source"/*.whl)"
"$home/environment/bin/python" -m pip install --no-cache-dir --constraint "$source/constraints.txt" "$wheel[grade]"

# Machine code for any processor, since the image may be built on another machine than it runs on.
export NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=
"$home/environment/bin/python" -P -m cnncourse.warming
"$home/environment/bin/python" -P -m autograder.platforms.gradescope.run --check "$source"
chmod -R go= "$source"
