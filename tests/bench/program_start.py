#!/usr/bin/env python3
"""How long lowbit takes to start: `--version`, and `plan` of an experiment, in processor time and by the clock.

    tests/bench/program_start.py LOWBIT EXPERIMENT [--rounds N]

The first start of each command is not counted: it may describe plugins and read their files.
"""

import argparse
import os
import sys
import time


def start(words):
    """(processor time, time by the clock) of one process, in milliseconds."""
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.execv(words[0], words)
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"error: {' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return (usage.ru_utime + usage.ru_stime) * 1e3, (time.perf_counter() - began) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lowbit")
    parser.add_argument("experiment")
    parser.add_argument("--rounds", type=int, default=21)
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.lowbit)
    print(f"{'':16} processor, ms  median   clock, ms  median   smallest")
    for name, words in (("lowbit --version", ["--version"]), ("lowbit plan", ["plan", arguments.experiment])):
        start([program, *words])
        rounds = [start([program, *words]) for _ in range(arguments.rounds)]
        processor, clock = (sorted(one[side] for one in rounds) for side in (0, 1))
        middle = arguments.rounds // 2
        print(f"{name:16} {processor[middle]:20.1f}{clock[middle]:20.1f}{clock[0]:11.1f}")


if __name__ == "__main__":
    main()
