# Sourced, at the root: where things lie, and how a script installs what it needs.

tools="$PWD/target/tools"
built="${CARGO_TARGET_DIR:-$PWD/target}/debug"
functions=(order-webhook points-accrual tier-review order-sweep notifications member-api erasure)

# Name of a command, names of the Debian packages that have it.
need() {
  command -v "$1" >/dev/null || install_packages "${@:2}"
}

install_packages() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  if ! "${as_root[@]}" apt-get --version >/dev/null; then
    echo "Please install $*: there is no apt-get here, or no sudo." >&2
    return 1
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# A name: what scripts/requirements has under it, each file with its hash, in a virtual environment of that name, because
# two tools may want different versions of one package. The list is whole, so nothing is resolved. Installed anew when the requirements change.
python_tool() {
  local folder="$tools/$1" requirements="scripts/requirements/$1.txt"
  cmp --silent "$requirements" "$folder/complete" && return
  need python3 python3 python3-venv
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$requirements"
  cp "$requirements" "$folder/complete"
}

# In $tools/sam, with AWS's Runtime Interface Emulator inside.
sam_cli() {
  python_tool sam
}
