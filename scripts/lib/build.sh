# How lowbit's scripts build it. Reads `root`. Sourced, not run.
export LC_ALL=C.UTF-8
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1  # a fresh clone finds what another clone compiled

configure() { [[ -f build/$1/build.ninja ]] || cmake --preset "$1"; }

elapsed() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }
