#!/usr/bin/env python3
"""A graph that was moved, and relocated by ours: the reference reads and writes it as before.

    relocate.py [--seeds A..B] [--binary PATH] [--jobs N]

Both programs write to one graph with branches; then its folder takes another name, `relocate` writes its places
anew, and both must export what they exported before, go on writing, and agree again. A check finds the
wrong places before and nothing afterwards. Ours reads every earlier state as before the move, with or without
`relocate`, and merges a branch of that time; to the reference states are lost that are older than
`relocate`, until a link stands in the old place.
"""
import json
import os

import suite
from history import GRAPH, SCHEMA, Timeline

MOVED, QUERY = "moved.omni", "all.gq"


def exports(line, program, graph):
    return {branch: sorted(line.must(program.run("export", graph, "--branch", branch), f"export of {branch} by {program.name}")
                           .out.splitlines()) for branch in line.branches if branch not in line.nested}


def states(line, graph):
    """Our export at every commit of every branch."""
    commits = set()
    for branch in line.branches:
        run = line.must(line.place.ours.run("commit", "list", graph, "--branch", branch, "--json"), "commit list")
        commits.update(c["graph_commit_id"] for c in json.loads(run.out)["commits"])
    return {c: line.must(line.place.ours.run("export", graph, "--snapshot", c), f"state {c} of {graph}").out for c in commits}


def asked_of_reference(line, commit):
    return line.place.theirs.run("query", "--uri", MOVED, "--query", QUERY, "--snapshot", commit, "--json")


def check_old_states(line, past):
    """What the reference makes of states from before the move: nothing, unless the old place leads to the new."""
    commit = max(past)
    line.check(asked_of_reference(line, commit).code != 0, "the reference reads an old state: tell so on docs/user/maintenance.md")
    os.symlink(MOVED, line.place.path(GRAPH))
    theirs = line.must(asked_of_reference(line, commit), f"state {commit} through a link")
    ours = line.must(line.place.ours.run("query", "--uri", MOVED, "--query", QUERY, "--snapshot", commit, "--json"), "the same by ours")
    line.check(json.loads(theirs.out)["rows"] == json.loads(ours.out)["rows"], f"state {commit} through a link")
    os.remove(line.place.path(GRAPH))
    line.coverage["after the move", "old states"] += len(past)


def merge_old_branch(line):
    """Its base is a state from before the move."""
    branch = next((b for b in line.branches if b != "main" and b not in line.nested), None)
    if branch is not None:
        run = line.place.ours.run("branch", "merge", branch, "--into", "main", "--uri", MOVED)
        line.check(run.code == 0 or "conflict" in run.out + run.err, f"merge of {branch}: {run.out}{run.err}")
        line.coverage["after the move", "merges of ours"] += 1


def fsck(line, graph, kinds):
    run = line.place.ours.run("fsck", graph)
    found = sorted({text.split(" ")[1].rstrip(":") for text in run.out.splitlines() if text.startswith(("damage ", "leftover ", "note "))})
    line.check(found == kinds, f"fsck of {graph}: {run.out}{run.err}")
    line.check(run.code == 0, f"fsck of {graph}: exit {run.code}")


def one_move(seed, place):
    line = Timeline(seed, place)
    line.init(line.rng.choice(("ours", "the reference")), GRAPH, SCHEMA)
    line.load_first("ours")
    place.write(QUERY, "query q() { match { $p: Person } return { $p.name, $p.age } order { $p.name } }\n")
    for step in range(line.rng.randrange(6, 10)):
        if step == 2 or (step == 5 and seed % 2):
            line.fork(parent="main")
        else:
            line.write(line.rng.choice(("ours", "the reference")), line.rng.choice(line.branches))
    before = exports(line, place.ours, GRAPH)
    line.check(before == exports(line, place.theirs, GRAPH), "exports before the move")
    fsck(line, GRAPH, [])
    past = states(line, GRAPH)
    os.rename(place.path(GRAPH), place.path(MOVED))
    fsck(line, MOVED, ["place"])
    line.check(states(line, MOVED) == past, "states after the move")
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
    line.check(past.items() <= states(line, MOVED).items(), "states after relocate")
    check_old_states(line, past)
    merge_old_branch(line)
    fsck(line, MOVED, [])
    return line.coverage, None


def main(argv):
    return suite.run_seeds(argv, __file__, __doc__, "1..6", one_move)


if __name__ == "__main__":
    suite.start(main)
