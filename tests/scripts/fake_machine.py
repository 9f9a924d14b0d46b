"""A machine for shell scripts: a PATH that holds the real coreutils and, in front of them, programs written here."""

import os
import pty
import subprocess
import tempfile
import unittest
from pathlib import Path

# Answers as Debian 12's apt and dpkg do. `state/` holds: installed (names), lists (there: package lists were fetched),
# calls (every call that would change the machine), broken (there: that many installations fail).
APT_GET = r"""
verb= ; simulate=0 ; packages=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -o) shift ;;
    --assume-no) simulate=1 ;;
    -*) ;;
    update | install) verb=$1 ;;
    *) packages+=("$1") ;;
  esac
  shift
done
known() { [[ -e $STATE/lists && $1 != nosuch* ]]; }
if [[ $simulate -eq 1 ]]; then
  for p in "${packages[@]}"; do known "$p" || { echo "E: Unable to locate package $p" >&2; exit 100; }; done
  echo "0 upgraded, 7 newly installed, 0 to remove and 0 not upgraded."
  echo "Need to get 10.4 MB/1,200 MB of archives."
  echo "After this operation, 4.8 GB of additional disk space will be used."
  exit 1
fi
echo "$verb ${packages[*]} frontend=$DEBIAN_FRONTEND" >> "$STATE/calls"
case $verb in
  update) [[ -e $STATE/offline ]] && exit 100; touch "$STATE/lists" ;;
  install)
    if [[ -s $STATE/broken ]]; then sed -i 1d "$STATE/broken"; exit 100; fi
    printf '%s\n' "${packages[@]}" >> "$STATE/installed" ;;
esac
"""
DPKG_QUERY = r"""
grep -qx -- "${@: -1}" "$STATE/installed" && echo -n installed
"""
SUDO = r"""
echo "sudo $1" >> "$STATE/calls"
[[ $1 == -n ]] && shift
FAKE_ID=0 exec "$@"
"""
ID = 'echo "${FAKE_ID:-1000}"\n'

TOOLS = ["bash", "env", "cat", "grep", "sed", "awk", "fold", "dirname", "readlink", "nproc", "mkdir", "tee", "touch",
         "find", "sort", "xargs", "uname", "rm", "tail", "true"]


class FakeMachine:
    def __init__(self, root=False, programs=None, installed=(), lists=True):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.bin = self.path / "bin"
        self.state = self.path / "state"
        self.bin.mkdir()
        self.state.mkdir()
        for tool in TOOLS:
            self.link(tool)
        if programs is None:
            programs = {"apt-get": APT_GET, "dpkg-query": DPKG_QUERY, "sudo": SUDO}
        for name, text in {"id": ID, **programs}.items():
            program = self.bin / name
            program.write_text(f"#!{self.bin}/bash\n{text}")
            program.chmod(0o755)
        (self.state / "installed").write_text("".join(f"{name}\n" for name in installed))
        (self.state / "calls").touch()
        if lists:
            (self.state / "lists").touch()
        self.environment = {"PATH": str(self.bin), "STATE": str(self.state), "FAKE_ID": "0" if root else "1000"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def link(self, tool):
        for place in ("/usr/bin", "/bin", "/usr/sbin"):
            if os.path.exists(f"{place}/{tool}"):
                (self.bin / tool).symlink_to(f"{place}/{tool}")
                return
        raise FileNotFoundError(tool)

    def run(self, *command, answer=None):
        """Returns (exit code, output); with `answer` standard input is a terminal on which it is typed."""
        if answer is None:
            done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            return done.returncode, done.stdout
        try:
            host, terminal = pty.openpty()
        except OSError as problem:
            raise unittest.SkipTest(f"this machine gives out no terminals: {problem}") from None
        try:
            os.write(host, answer.encode())
            done = subprocess.run(command, env=self.environment, stdin=terminal, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
        finally:
            os.close(terminal)
            os.close(host)
        return done.returncode, done.stdout

    def calls(self):
        return (self.state / "calls").read_text().splitlines()
