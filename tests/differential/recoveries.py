#!/usr/bin/env python3
"""What both programs record of unfinished writes, in one table.

    recoveries.py [--seeds A..B] [--binary PATH] [--jobs N]

A sidecar is left as a writer leaves it that died before its first table. Whoever comes next removes it, makes
a commit, and notes it in `_graph_commit_recoveries.lance`; in turns, so that each appends to what the other has
written. By odd seeds ours begins, which then makes the table. At the end every row must be there, the
rows of both must say the same of the same kind of sidecar, and each must name a commit that both list.
"""
import collections
import json
import os
import subprocess

import suite
from programs import message

GRAPH = "graph.omni"
TABLE = "_graph_commit_recoveries.lance"
KINDS = ("Load", "Mutation", "BranchMerge", "EnsureIndices")


def check(condition, what):
    if not condition:
        raise suite.Failure(what)


def must(run, what):
    check(run.code == 0, f"{what}: {message(run)}")
    return run


def leave_sidecar(place, number, kind):
    operation = f"01ARZ3NDEKTSV4RRFFQ69G5F{number:02d}"
    snapshot = json.loads(must(place.ours.run("snapshot", GRAPH, "--json"), "snapshot").out)
    table = next(t for t in snapshot["tables"] if t["table_key"] == "node:Person")
    pin = {"table_key": "node:Person", "table_path": place.path(os.path.join(GRAPH, table["table_path"])),
           "expected_version": table["table_version"], "post_commit_pin": table["table_version"] + 1}
    sidecar = {"schema_version": 1, "operation_id": operation, "started_at": "1700000000000000", "branch": None,
               "actor_id": f"actor{number}", "writer_kind": kind, "tables": [pin]}
    os.makedirs(place.path(os.path.join(GRAPH, "__recovery")), exist_ok=True)
    name = os.path.join(GRAPH, "__recovery", operation + ".json")
    place.write(name, json.dumps(sidecar))
    return operation, name


def rows(place):
    tool = os.path.join(os.path.dirname(place.ours.path), "..", "lancetool", "lancetool")
    run = subprocess.run([tool, "cat", place.path(os.path.join(GRAPH, TABLE))], capture_output=True, text=True, check=False)
    check(run.returncode == 0, f"reading {TABLE}: {run.stderr}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def commits(program):
    listed = json.loads(must(program.run("commit", "list", GRAPH, "--json"), "commit list").out)
    return {c["graph_commit_id"]: c for c in listed["commits"]}


def one_graph(seed, place):
    coverage = collections.Counter()
    place.write("schema.pg", "node Person { name: String @key  age: I32? }\n")
    must(place.ours.run("init", "--schema", "schema.pg", GRAPH), "init")
    expected = {}
    for number in range(2 * len(KINDS)):
        who = (place.theirs, place.ours)[(number + seed) % 2]
        kind = KINDS[number // 2]
        operation, sidecar = leave_sidecar(place, number, kind)
        insert = f'query m() {{ insert Person {{ name: "p{number}" }} }}'
        must(who.run("mutate", GRAPH, "-e", insert), f"a write of {who.name} beside a sidecar")
        check(not os.path.exists(place.path(sidecar)), f"{who.name} left the sidecar")
        expected[operation] = (kind, f"actor{number}", who.name)
        coverage["recorded", f"{kind} by {who.name}"] += 1
    found = rows(place)
    check(sorted(r["operation_id"] for r in found) == sorted(expected), f"rows: {found}")
    listed = [commits(program) for program in (place.ours, place.theirs)]
    said = collections.defaultdict(set)
    for row in found:
        kind, actor, who = expected[row["operation_id"]]
        check((row["sidecar_writer_kind"], row["recovery_for_actor"]) == (kind, actor), f"row {row}")
        said[kind].add((row["recovery_kind"], row["per_table_outcomes_json"]))
        for known in listed:
            commit = known.get(row["graph_commit_id"])
            check(commit is not None and commit["actor_id"] == "omnigraph:recovery", f"commit of {row} by {who}: {commit}")
    for kind, texts in said.items():
        check(len(texts) == 1, f"{kind} is recorded in two ways: {texts}")
    check(place.ours.export(GRAPH) == place.theirs.export(GRAPH), "exports")
    return coverage, None


def main(argv):
    return suite.run_seeds(argv, __file__, __doc__, "1..2", one_graph)


if __name__ == "__main__":
    suite.start(main)
