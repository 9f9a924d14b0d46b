#!/usr/bin/env python3
"""Whether every arrow between the rooms of core/ is one that docs/architecture.md draws.

    scripts/check_layering.py [ROOT]

Reads the #include lines of core/ and plugins/ and the CMake link lines of every room. Prints one line for each
forbidden arrow, `file:line: what, and the rule`, and exits 1 when there is one.
"""

import re
import sys
from pathlib import Path

# What each room may include besides itself and base.
ROOMS = {
    "base": [],
    "domain": [],
    "sdk": [],
    "env": [],
    "spec": ["domain"],
    "graph": ["domain"],
    "store": ["domain", "env", "graph"],
    "plugin": ["domain", "env", "sdk"],
    "exec": ["domain", "env", "graph", "plugin", "store", "sdk"],
    "report": ["domain"],
    "interchange": ["domain"],
    "worker": ["domain", "env", "plugin", "exec", "sdk"],
    "cli": ["domain", "sdk", "env", "spec", "graph", "store", "plugin", "exec", "report", "interchange", "worker"],
}
WITHOUT_BASE = {"base", "sdk"}

# Third-party headers by prefix, the longest match decides: the places that may include them.
LIBRARIES = {
    "nlohmann/": ["core", "plugins"],
    "yaml-cpp/": ["core/spec"],
    "SQLiteCpp/": ["core/store/sqlite"],
    "sqlite3.h": ["core/store/sqlite"],
    "boost/dll": ["core/plugin"],
    "boost/asio": ["core/exec", "core/env/posix", "plugins/openai"],
    "boost/beast": ["plugins/openai"],
    "boost/system": ["core/exec", "core/env/posix", "core/plugin", "plugins/openai"],
    "boost/math": ["core/report"],
    "boost/random": ["core/report"],
    "boost/crc.hpp": ["core/exec", "core/interchange"],
    "valijson/": ["core/exec", "plugins/judge-llm"],
    "boost/program_options": ["core/cli"],
    "openssl/": ["core/base", "plugins"],
    "tbb/": ["core/exec", "core/env"],
    "oneapi/tbb": ["core/exec", "core/env"],
    "torch/": ["plugins"],
    "ATen/": ["plugins"],
    "c10/": ["plugins"],
}
# A header that another room can see shows no third-party type. JSON is lowbit's own vocabulary (docs/adr/0003).
PUBLIC_LIBRARIES = {"nlohmann/"}

# CMake targets, likewise.
TARGETS = {
    "nlohmann_json": ["core/base", "core/sdk"],
    "yaml-cpp": ["core/spec"],
    "lowbit_sqlitecpp": ["core/store"],
    "SQLite": ["core/store"],
    "Boost::program_options": ["core/cli"],
    "Boost": ["core/plugin", "core/exec", "core/env", "core/report", "core/interchange", "core/cli"],
    "OpenSSL": ["core/base"],
    "TBB": ["core/exec", "core/env"],
    "torch": [],
    "Torch": [],
    "TORCH_LIBRARIES": [],
}

# Rooms of pure functions: no file, clock, environment variable, process or thread.
PURE = ["core/base", "core/domain", "core/spec", "core/graph", "core/report", "core/interchange"]
IMPURE_HEADERS = {"fstream", "iostream", "random", "thread", "mutex", "condition_variable", "future", "csignal", "ctime"}
OPERATING_SYSTEM = re.compile(r"(sys|linux|netinet|arpa|net)/.*\.h|(unistd|malloc|fcntl|poll|signal|dlfcn|spawn|sched|"
                              r"pthread|dirent|termios|pwd|glob|link|elf|time|stdlib|string)\.h")
SYSTEM_PLACES = ["core/env/posix", "core/exec", "core/store/sqlite", "core/plugin", "core/worker", "core/cli"]
RUNTIME_HEADERS = {"stddef.h", "stdint.h", "cxxabi.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = {".h", ".hpp", ".c", ".cpp"}


def inside(path, places):
    return any(path == place or path.startswith(place + "/") for place in places)


def longest_prefix(name, table):
    return max((key for key in table if name.startswith(key)), key=len, default=None)


def room_of(path):
    """The room of a path like core/exec/run.h; None outside core/."""
    parts = Path(path).parts
    return parts[1] if len(parts) > 2 and parts[0] == "core" else None


class Layering:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.includes = {}  # file: [(line, header)], headers of this tree by their path from the root

    def problem(self, path, line, text):
        self.problems.append(f"{path}:{line}: {text}")

    def check(self):
        for top in ("core", "plugins"):
            for path in sorted((self.root / top).rglob("*")):
                relative = path.relative_to(self.root).as_posix()
                if path.suffix in SOURCES:
                    self.check_source(path, relative)
                elif path.name == "CMakeLists.txt":
                    self.check_links(path, relative)
        self.check_public_headers()
        self.check_table()
        return self.problems

    def check_table(self):
        """The table of docs/architecture.md says the same as ROOMS."""
        document = self.root / "docs" / "architecture.md"
        lines = document.read_text(encoding="utf-8").splitlines() if document.is_file() else []
        for number, line in enumerate(lines, 1):
            row = re.match(r"\| `(\w+)` \|[^|]*\|([^|]*)\|", line)
            if not row:
                continue
            written = [] if row[2].strip() == "nothing" else row[2].strip().split(", ")
            if sorted(written) != sorted(self.allowed(row[1])):
                self.problem("docs/architecture.md", number, f"{row[1]} may use {self.names(row[1])}, says this script")

    @staticmethod
    def allowed(room):
        return ([] if room in WITHOUT_BASE else ["base"]) + ROOMS.get(room, [])

    def names(self, room):
        return ", ".join(self.allowed(room)) or "nothing"

    def check_source(self, path, relative):
        room = room_of(relative)
        if room is not None and room not in ROOMS:
            self.problem(relative, 1, f"`{room}` is no room of core/: add it to docs/architecture.md and to this script")
            return
        self.includes[relative] = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quoted, header = match[1] == '"', match[2]
            own = self.own_header(relative, header)
            self.includes[relative].append((number, own or header))
            if own:
                self.check_arrow(relative, number, room, room_of(own), own)
            elif quoted and not self.is_generated(relative, room, header):
                self.problem(relative, number, f'"{header}" is no header of this tree: paths start below core/, and '
                                               "other people's headers stand in <>")
            elif not quoted:
                self.check_library(relative, number, header)

    def is_generated(self, includer, room, header):
        """Headers that CMake writes are named in the CMakeLists.txt of their room or plugin."""
        lists = (self.root / "core" / room if room else self.root / Path(includer).parent) / "CMakeLists.txt"
        return lists.is_file() and header in lists.read_text(encoding="utf-8")

    def own_header(self, includer, header):
        for base in ("core", "core/sdk/include"):
            if (self.root / base / header).is_file():
                return f"{base}/{header}"
        if includer.startswith("plugins/"):
            for base in (Path(includer).parent, Path("plugins")):
                if (self.root / base / header).is_file():
                    return (base / header).as_posix()
        return None

    def check_arrow(self, path, number, room, target, what):
        if target is None or target == room:
            return
        if room is None:
            if target != "sdk":
                self.problem(path, number, f"a plugin may not use {what}: plugins see sdk and each other only")
            return
        if target not in self.allowed(room):
            self.problem(path, number, f"{room} may not use {what}: it may use {self.names(room)}")

    def check_library(self, path, number, header):
        library = longest_prefix(header, LIBRARIES)
        if library is not None:
            if not inside(path, LIBRARIES[library]):
                self.problem(path, number, f"<{header}> may not be used here: only in {', '.join(LIBRARIES[library])}")
        elif header in IMPURE_HEADERS or OPERATING_SYSTEM.fullmatch(header):
            if inside(path, PURE):
                self.problem(path, number, f"<{header}> may not be used here: {room_of(path)} is pure functions")
            elif OPERATING_SYSTEM.fullmatch(header) and not inside(path, SYSTEM_PLACES + ["plugins"]):
                self.problem(path, number, f"<{header}> may not be used here: only in {', '.join(SYSTEM_PLACES)}")
        elif "/" in header or ("." in header and header not in RUNTIME_HEADERS):
            if path.startswith("core/"):
                self.problem(path, number, f"<{header}> belongs to no library that this script knows: add it to LIBRARIES")

    def check_public_headers(self):
        """A header that another room includes, and whatever it includes of its own room, is public."""
        public = {own for path, includes in self.includes.items() for _, own in includes
                  if own in self.includes and room_of(path) != room_of(own)}
        queue = list(public)
        while queue:
            for _, own in self.includes[queue.pop()]:
                if own in self.includes and own not in public:
                    public.add(own)
                    queue.append(own)
        for path in sorted(public):
            if not path.startswith("core/"):
                continue
            for number, header in self.includes[path]:
                library = None if header in self.includes else longest_prefix(header, LIBRARIES)
                if library is not None and library not in PUBLIC_LIBRARIES:
                    self.problem(path, number, f"<{header}> may not be used here: other rooms include this header")

    def check_links(self, path, relative):
        room = room_of(relative)
        text = re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8"))
        for call in re.finditer(r"(\w+)\s*\(([^()]*)\)", text):
            if call[1] not in ("lowbit_add_room", "lowbit_add_plugin", "target_link_libraries"):
                continue
            visible = "PRIVATE"
            for word in re.finditer(r"[^\s]+", call[2]):
                number = text.count("\n", 0, call.start(2) + word.start()) + 1
                if word[0] in ("PUBLIC", "PRIVATE", "INTERFACE", "SOURCES", "LINK"):
                    visible = word[0]
                    continue
                own = re.fullmatch(r"lowbit::(\w+)", word[0])
                if own and own[1] in ROOMS:
                    self.check_arrow(relative, number, room, own[1], word[0])
                elif room is not None and visible != "SOURCES":
                    self.check_target(relative, number, room, word[0], visible)

    def check_target(self, relative, number, room, word, visible):
        target = longest_prefix(word.removeprefix("${"), TARGETS)
        if target is None:
            return
        if not inside(f"core/{room}", TARGETS[target]):
            where = ", ".join(TARGETS[target]) or "no room: libtorch lives in plugins only"
            self.problem(relative, number, f"{word} may not be linked here: only in {where}")
        elif visible != "PRIVATE" and target != "nlohmann_json":
            self.problem(relative, number, f"{word} has to be PRIVATE: it is nobody's business but {room}'s")


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = Layering(root).check()
    for problem in problems:
        print(problem)
    if problems:
        print(f"error: {len(problems)} forbidden arrow{'s' if len(problems) > 1 else ''}")
        print("  = help: the table of docs/architecture.md says what each room may use; a new arrow needs a reason there")
        return 1
    print("every arrow between the rooms is allowed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
