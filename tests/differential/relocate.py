#!/usr/bin/env python3
"""A graph that was moved, and relocated by ours: the reference reads and writes it as before.

    relocate.py [--seeds A..B] [--binary PATH] [--jobs N]

Both programs write to one graph with branches; then its folder takes another name, `relocate` writes its places
anew, and both must export what they exported before, go on writing, and agree again. A check finds the
wrong places before and nothing afterwards.
"""
import collections
import os

import suite
from history import GRAPH, SCHEMA, Timeline

MOVED = "moved.omni"


def exports(line, program, graph):
    return {branch: sorted(line.must(program.run("export", graph, "--branch", branch), f"export of {branch} by {program.name}")
                           .out.splitlines()) for branch in line.branches if branch not in line.nested}


def fsck(line, graph, kinds):
    run = line.place.ours.run("fsck", graph)
    found = sorted({text.split(" ")[1].rstrip(":") for text in run.out.splitlines() if text.startswith(("damage ", "leftover ", "note "))})
    line.check(found == kinds, f"fsck of {graph}: {run.out}{run.err}")
    line.check(run.code == 0, f"fsck of {graph}: exit {run.code}")


def one_move(seed, place):
    line = Timeline(seed, place)
    line.init(line.rng.choice(("ours", "the reference")), GRAPH, SCHEMA)
    line.load_first("ours")
    for step in range(line.rng.randrange(6, 10)):
        if step == 2 or (step == 5 and seed % 2):
            line.fork(parent="main")
        else:
            line.write(line.rng.choice(("ours", "the reference")), line.rng.choice(line.branches))
    before = exports(line, place.ours, GRAPH)
    line.check(before == exports(line, place.theirs, GRAPH), "exports before the move")
    fsck(line, GRAPH, [])
    os.rename(place.path(GRAPH), place.path(MOVED))
    fsck(line, MOVED, ["place"])
    line.must(place.ours.run("relocate", MOVED), "relocate")
    fsck(line, MOVED, [])
    line.check("all places are right" in place.ours.run("relocate", MOVED).out, "a second relocate")
    line.check(before == exports(line, place.theirs, MOVED), "exports by the reference after the move")
    for branch in line.branches:
        for who in (place.theirs, place.ours):
            text = f'query m() {{ insert Person {{ name: "{who.name} was here" }} insert Knows {{ from: "{who.name} was here", to: "p0" }} }}'
            line.must(who.run("mutate", MOVED, "--branch", branch, "-e", text), f"write by {who.name} on {branch}")
            line.coverage["after the move", f"writes of {who.name}"] += 1
    line.check(exports(line, place.ours, MOVED) == exports(line, place.theirs, MOVED), "exports after the move")
    fsck(line, MOVED, [])
    return line.coverage, None


def main(argv):
    options = suite.arguments(argv, __doc__, "1..6")
    reason = suite.prerequisites(options)
    if reason:
        return suite.skip(reason)
    coverage, outcomes = collections.Counter(), []
    cases = [(f"--seeds {seed}..{seed}", lambda place, seed=seed: one_move(seed, place)) for seed in options.seeds]
    for outcome in suite.run_all(options, cases):
        outcomes.append(outcome)
        coverage.update(outcome.coverage)
    suite.print_coverage(coverage)
    return suite.finish(__file__, options, outcomes)


if __name__ == "__main__":
    suite.start(main)
