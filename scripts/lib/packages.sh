# The Debian packages of lowbit, and the one rule by which its scripts install them:
#   - say what is missing, how large it is and how long it takes; touch nothing that is there
#   - ask on a terminal; `--yes` answers; without a terminal root needs no `--yes`
#   - root or sudo for the installation itself and for nothing else
#   - exit 3 (the machine) with the command to run by hand when it cannot be done
# Works on a minimal Debian 12: bash, coreutils, dpkg and apt only. Sourced, not run.

packages_build=(
  cmake ninja-build g++
  libboost-dev libboost-filesystem-dev libboost-program-options-dev
  libyaml-cpp-dev nlohmann-json3-dev libvalijson-dev libsqlitecpp-dev libsqlite3-dev
  libtbb-dev libssl-dev libpcre2-dev libutf8proc-dev
  libtorch-dev libopenblas0-openmp  # OpenMP: the plain build of OpenBLAS starts threads, after which lowbit may not fork
  ca-certificates  # at run time: whom a TLS connection to a judge's endpoint trusts
  catch2 python3 openssl  # tests only
)
packages_ci=(clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14 ccache)

# packages_require YES GROUP...
# Returns once every package of the groups is installed; else exits 3. YES: 1 answers every question.
packages_require() {
  local yes=$1 group name
  shift
  local -a missing=()
  for group in "$@"; do
    local -n packages="packages_$group"
    for name in "${packages[@]}"; do
      packages_installed "$name" || missing+=("$name")
    done
  done
  [[ ${#missing[@]} -eq 0 ]] || packages_install "$yes" "${missing[@]}"
}

packages_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

packages_install() {
  local yes=$1
  shift
  echo "lowbit needs ${#} Debian packages that this machine lacks:"
  echo "  $*" | fold -s -w 100 | sed '2,$s/^/  /'

  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    packages_give_up "this machine has no apt-get; lowbit's package names are those of Debian 12" \
      "install these by your system's own means, then run this again"
  fi
  local by_hand="apt-get update && apt-get install --no-install-recommends $*"
  local -a as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || packages_give_up "installing needs root, and there is no sudo" "as root: $by_hand"
    as_root=(sudo)
    [[ -t 0 ]] || as_root=(sudo -n)
    by_hand="sudo apt-get update && sudo ${by_hand#*&& }"
  elif [[ ! -t 0 ]]; then
    yes=1
  fi

  local estimate
  if ! estimate=$(packages_estimate "$@"); then
    packages_ask "$yes" "The package lists must be fetched first (apt-get update, about 10 MB)." "$by_hand"
    packages_apt update || packages_give_up "apt-get update failed" "by hand: $by_hand"
    estimate=$(packages_estimate "$@") ||
      packages_give_up "not all of these packages are offered to this machine:
$(packages_simulate "$@" 2>&1 | grep '^E:')" "use Debian 12 (bookworm), or add its main archive to apt's sources"
  fi
  packages_ask "$yes" "$estimate" "$by_hand"
  # Lists that are too old name files that are gone: fetch them again, once.
  packages_apt install "$@" || { packages_apt update && packages_apt install "$@"; } ||
    packages_give_up "apt-get could not install them" "by hand: $by_hand"
}

# Prints what apt would do; fails when apt does not know the packages.
packages_estimate() {
  local text
  text=$(packages_simulate "$@" 2>/dev/null)
  grep -q '^After this operation' <<<"$text" || return 1
  # Cautious: 8 MB/s over the network; 7 MB/s from archive to disk was measured on two busy cores.
  awk '
    function megabytes(number, unit) {
      gsub(",", "", number)
      return number * (unit == "GB" ? 1000 : unit == "MB" ? 1 : unit == "kB" ? 0.001 : 0.000001)
    }
    /newly installed/ { count = $3 }
    /^Need to get/ { sub("/.*", "", $5); download = megabytes($4, $5) }  # "10 MB/12 MB": 2 MB are there already
    /^After this operation/ { disk = megabytes($4, $5) }
    END {
      minutes = int((download / 8 + disk / 7) / 60 + 1)
      printf "With what they need: %d packages, %d MB to download, %d MB on disk, about %d minute%s.\n",
             count, download + 0.5, disk + 0.5, minutes, minutes == 1 ? "" : "s"
    }' <<<"$text"
}

packages_simulate() {
  LC_ALL=C apt-get -o Debug::NoLocking=1 --assume-no --no-install-recommends install "$@"
}

# packages_apt update | install PACKAGE...   Reads `as_root` of packages_install.
packages_apt() {
  local verb=$1
  shift
  local -a options=(-q -y)
  [[ $verb != install ]] || options+=(--no-install-recommends)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get "${options[@]}" "$verb" "$@" </dev/null
}

# packages_ask YES SENTENCE BY_HAND: returns on yes, exits 3 otherwise.
packages_ask() {
  local answer
  echo "$2"
  [[ $1 -ne 1 ]] || return 0
  [[ -t 0 ]] || packages_give_up "nobody is there to ask, and this is not root" "add --yes, or by hand: $3"
  read -r -p "Go on? [y/N] " answer
  [[ $answer == [yY]* ]] || packages_give_up "not installed, as you said" "by hand: $3"
}

packages_give_up() {
  printf 'error: %s\n  = help: %s\n' "$1" "$2" >&2
  exit 3
}
