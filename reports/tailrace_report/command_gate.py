# SPDX-License-Identifier: MIT
"""The deciding half of `tailrace gate`: what the runs of baseline and head in DIR say so far."""

import os
import random

from .gate_files import annotations, files, markdown
from .gate_resample import resample, told
from .gate_result import build_result, refuse_nothing, too_few
from .gate_rule import look
from .gate_set import named, read_gate_set
from .gate_words import human
from .output import write_files
from .resultset import ReportError

NEEDS = ()


def describe(parser):
    """Text and arguments."""
    parser.description = (
        "Judges the gate whose runs are in DIR by the rule that its manifest fixes: prints the\n"
        "result, writes gate.json, gate.md and gate.xml (JUnit) into DIR and ends with 0 (pass)\n"
        "or 1 (fail); adds to GITHUB_STEP_SUMMARY and, with GITHUB_ACTIONS, annotates.\n"
        "--look prints one word: pass (stop), continue (to the next look) or confirm (on fresh\n"
        "blocks). --resample tells from recorded gates of a build against its copy how often the\n"
        "rule cries wolf.")
    parser.add_argument("dirs", metavar="DIR", nargs="*", help="what the gate measured")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--look", type=int, metavar="K", help="judge look K = 1, 2 …")
    mode.add_argument("--final", action="store_true", help="the result, from all runs (default)")
    mode.add_argument("--resample", type=int, metavar="N", help="draw N gates from recorded ones")
    mode.add_argument("--check-metrics", nargs="+", metavar="M",
                      help="only say whether these are metrics")
    parser.add_argument("--seed", type=int, default=1, help="of --resample (default: 1)")


def run(arguments):
    """Do what is asked for; the exit status."""
    if arguments.check_metrics:
        list(map(named, arguments.check_metrics))
        return 0
    if not arguments.dirs:
        raise ReportError("gate needs the folder that a gate measured (`tailrace gate --help`)")
    if arguments.resample is not None:
        return print_resampled(arguments.dirs, arguments.resample, arguments.seed)
    if len(arguments.dirs) > 1:
        raise ReportError("--look and --final judge one gate: give one folder")
    gate_set = read_gate_set(arguments.dirs[0])
    if arguments.look is not None:
        return print_look(gate_set, arguments.look)
    return finish(gate_set, arguments.dirs[0])


def print_look(gate_set, number):
    """The word of look `number`."""
    looks = len(gate_set.rule.looks)
    if not 1 <= number <= looks:
        raise ReportError(f"there is no look {number}: this gate's looks are 1 to {looks}")
    if gate_set.looks_made < number:
        raise too_few(gate_set, gate_set.rule.blocks(number))
    seen = look(gate_set.rule, gate_set.table, number)
    refuse_nothing(gate_set, seen)
    print(seen.word)
    return 0


def finish(gate_set, directory):
    """Write and print the result: 0 if it passes, 1 if it fails."""
    result = build_result(gate_set)
    write_files(directory, files(result))
    print(human(result), end="")
    if os.environ.get("GITHUB_ACTIONS"):
        print("".join(f"{line}\n" for line in annotations(result)), end="")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with open(summary, "a", encoding="utf-8") as page:
            page.write(markdown(result))
    return int(result["verdict"] == "fail")


def print_resampled(directories, draws, seed):
    """How often gates drawn from the recorded ones fail."""
    if draws < 1:
        raise ReportError(f"--resample {draws} draws nothing: 1,000 gates tell a rate of 2 %")
    gate_sets = [read_gate_set(directory) for directory in directories]
    recorded = sum(build_result(one)["verdict"] == "fail" for one in gate_sets)
    failed, found = resample(gate_sets, draws, random.Random(seed))
    print(told(gate_sets, recorded, draws, failed, found), end="")
    return 0
