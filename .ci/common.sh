# shellcheck shell=sh
# Sourced by the scripts of .ci/: where things live on this machine.

root=$(cd "$(dirname "$0")" && while [ ! -d .ci ] && [ "$PWD" != / ]; do cd ..; done && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/deploy-action

die() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

case ${PINS:-first} in first | second) ;; *) die "PINS is first or second, not '$PINS'" ;; esac

# key FILE… - a name for what these files, this compiler and this machine produce
key() {
	{ cat "$@"; gcc -dumpfullversion -dumpmachine 2>/dev/null || echo none; } | sha256sum | cut -c1-16
}

# pins - the lines of pins; with PINS=second, without the first of each package that has others
pins() {
	sed '/^#/d' "$root/.ci/deps/pins" | awk -v from="${PINS:-first}" '
		{ line[NR] = $0; package[NR] = $1; lines[$1]++ }
		END {
			for (i = 1; i <= NR; i++)
				if (from == "first" || seen[package[i]]++ || lines[package[i]] == 1) print line[i]
		}'
}

# deps_path FLAVOUR - the folder that holds the built libraries of a flavour
deps_path() {
	echo "$cache/$1-$(pins | key - "$root"/.ci/deps/build "$root"/.ci/deps/gate.c)"
}

tools_path() {
	echo "$cache/tools-$(sha256sum <"$root/.ci/tools" | cut -c1-16)"
}

# find_go - prints the path of a go command, or nothing
find_go() {
	command -v go 2>/dev/null && return
	for g in /usr/local/go/bin/go /usr/lib/go/bin/go; do
		[ -x "$g" ] && echo "$g" && return
	done
	return 0
}
