#!/usr/bin/env python3
"""Checks what the plugin interface promises.

  check_abi.py exports PATH...                      every plugin (*.so file, or those in a directory) exports
                                                    lowbit_plugin and nothing else
  check_abi.py offsets --program P --golden FILE    the table that P prints (tests/abi/offsets.c) is FILE

A golden table changes on purpose only: members may be appended to a struct that starts with `size`, and the minor
version counts up. Exit status: 0 all is well, 1 a promise is broken, 2 the command line.
"""
import argparse
import difflib
import pathlib
import subprocess
import sys


def plugins_in(paths):
    for path in map(pathlib.Path, paths):
        yield from sorted(path.glob("*.so")) if path.is_dir() else [path]


def exported_names(library):
    lines = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix", library], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return sorted(line.split()[0] for line in lines)


def check_exports(paths):
    libraries = list(plugins_in(paths))
    if not libraries:
        sys.exit(f"no plugins in {', '.join(paths)}: nothing was checked")
    bad = 0
    for library in libraries:
        names = exported_names(library)
        if names != ["lowbit_plugin"]:
            print(f"{library}: expected exactly `lowbit_plugin`, found: {', '.join(names) or 'nothing'}")
            bad += 1
    print(f"{len(libraries) - bad} of {len(libraries)} plugins export lowbit_plugin alone")
    return bad == 0


def check_offsets(program, golden):
    found = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    expected = pathlib.Path(golden).read_text(encoding="utf-8").splitlines()
    if found == expected:
        return True
    print("the plugin interface has another layout than when it was frozen:")
    print("\n".join(difflib.unified_diff(expected, found, golden, "this build", lineterm="")))
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("exports").add_argument("paths", nargs="+")
    offsets = commands.add_parser("offsets")
    offsets.add_argument("--program", required=True)
    offsets.add_argument("--golden", required=True)
    arguments = parser.parse_args()
    if arguments.command == "exports":
        ok = check_exports(arguments.paths)
    else:
        ok = check_offsets(arguments.program, arguments.golden)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
