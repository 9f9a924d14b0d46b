#!/usr/bin/env python3
"""Whether every test that someone wrote is run.

    scripts/check_orphan_tests.py [ROOT]

Every tests/**/*_test.cpp and *_test.py has to be named in a CMakeLists.txt that tests/CMakeLists.txt leads to, and
every directory of *.case files in a test program that is named there. Prints one line for each orphan, exits 1 when
there is one.
"""

import re
import sys
from pathlib import Path


def cmake_files(directory):
    """The CMakeLists.txt of `directory` and those it leads to by add_subdirectory(): [(directory, text)]."""
    file = directory / "CMakeLists.txt"
    if not file.is_file():
        return []
    text = re.sub(r"#[^\n]*", "", file.read_text(encoding="utf-8"))
    files = [(directory, text)]
    for child in re.findall(r"\badd_subdirectory\s*\(\s*([^\s)]+)", text):
        files += cmake_files(directory / child)
    return files


def named_files(directory, text):
    """Files of the source tree that a CMakeLists.txt names, by absolute path."""
    words = (word.strip('"').replace("${CMAKE_CURRENT_SOURCE_DIR}/", "") for word in re.findall(r"[^\s()]+", text))
    return {path.resolve() for path in (directory / word for word in words if "$" not in word) if path.is_file()}


def orphans(root):
    tests = (root / "tests").resolve()
    named = set()
    for directory, text in cmake_files(tests):
        named |= named_files(directory, text)

    for test in sorted([*tests.rglob("*_test.cpp"), *tests.rglob("*_test.py")]):
        if test not in named:
            yield f"{test.relative_to(tests.parent)}: no CMakeLists.txt that tests/CMakeLists.txt leads to names it"

    programs = "\n".join(path.read_text(encoding="utf-8") for path in named if path.suffix == ".cpp")
    for directory in sorted({case.parent for case in tests.rglob("*.case")}):
        name = directory.relative_to(tests).as_posix()
        if not re.search(rf'{re.escape(name)}["/]', programs):
            yield f"tests/{name}: holds cases, but no test program names \"{name}\""


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(orphans(root))
    for line in found:
        print(line)
    if found:
        print(f"error: {len(found)} test{'s are' if len(found) > 1 else ' is'} never run")
        return 1
    print("every test file and every case is run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
