#!/usr/bin/env python3
"""Branches of one graph, made, written and deleted in turn by our program and by the reference's.

    branches.py [--seeds A..B] [--binary PATH] [--jobs N]

After every step both must list the same branches, and export the same rows of each. What is written on a branch
must be seen there and nowhere else, by a model kept beside. Names are used again after a delete, branches are
made of branches, and what one program refuses the other refuses, too.
"""
import collections
import json
import random

import suite
from exchange import Course
from programs import message, same_refusal

GRAPH = "shared.omni"
SCHEMA = """node Person { name: String @key
  age: I32? }
node City { name: String @key }
edge Knows: Person -> Person { since: I32? }
edge LivesIn: Person -> City
"""
NAMES = ["b", "b/c", "review", "x-1_2.y", "_versions/B"]  # ASCII: the reference never ends writing on others
NO_NAMES = ["", "main", "a..b", "a b", "/a", "a/", "a//b", "a.lock", "__schema_apply_lock__"]


class Tree(Course):
    def __init__(self, seed, place):
        super().__init__(seed, place)
        self.people = {"main": {"ana": 1, "bo": 2}}  # by branch: name -> age
        self.parents = {}
        # Where the reference can't write first: it gives the indexes of a branch's branch a wrong place, and it
        # refuses tables that a deleted branch of the name has left. We have neither.
        self.ours_only = set()
        self.used, self.serial = set(), 0

    def who(self):
        return self.rng.choice(("ours", "the reference"))

    def run(self, who, *args):
        return self.program(who).run(*args)

    # ---- steps --------------------------------------------------------------------------------------------

    def create(self):
        free = [n for n in NAMES if n not in self.people]
        if not free:
            return
        name, parent, who = self.rng.choice(free), self.rng.choice(sorted(self.people)), self.who()
        json_flag = self.rng.choice(([], ["--json"]))
        run = self.must(self.run(who, "branch", "create", "--uri", GRAPH, "--from", parent, name, *json_flag), f"create {name} by {who}")
        expected = (json.dumps({"uri": GRAPH, "from": parent, "name": name, "actor_id": None}, indent=2, ensure_ascii=False) + "\n"
                    if json_flag else f"created branch {name} from {parent}\n")
        self.check(run.out == expected, f"create by {who} says {run.out!r}, not {expected!r}")
        self.people[name], self.parents[name] = dict(self.people[parent]), parent
        if parent != "main" or name in self.used:
            self.ours_only.add(name)
        self.coverage["branches", f"made by {who}"] += 1

    def delete(self):
        made = [n for n in self.people if n != "main"]
        if not made:
            return
        name, who = self.rng.choice(made), self.who()
        run = self.run(who, "branch", "delete", "--uri", GRAPH, name)
        children = sorted(n for n in self.people if self.parents.get(n) == name)
        if children:
            self.check(run.code == 1 and f"because descendant branch '{children[0]}' still depends on it" in run.err,
                       f"delete of {name}, which has {children}, by {who}: {message(run)}")
            self.coverage["branches", "deletes refused"] += 1
            return
        self.check(self.must(run, f"delete {name} by {who}").out == f"deleted branch {name}\n", f"delete by {who}: {run.out}")
        del self.people[name], self.parents[name]
        self.ours_only.discard(name)
        self.used.add(name)
        self.coverage["branches", f"deleted by {who}"] += 1

    def write(self):
        branch = self.rng.choice(sorted(self.people))
        who = "ours" if branch in self.ours_only else self.who()
        people = self.people[branch]
        self.serial += 1
        kind = self.rng.choice(("insert", "update", "delete", "load", "ingest"))
        name, age = f"p{self.serial}", self.serial
        if kind in ("update", "delete"):
            name = self.rng.choice(sorted(people))
        if kind == "delete" and (len(people) < 2 or who != "ours"):  # the reference's leaves heads behind
            kind = "update"
        if kind in ("load", "ingest"):
            records = [{"type": "Person", "data": {"name": name, "age": age}}, {"type": "City", "data": {"name": f"c{age}"}},
                       {"edge": "LivesIn", "from": name, "to": f"c{age}"}, {"edge": "Knows", "from": name, "to": self.rng.choice(sorted(people))}]
            data = self.place.write(f"load{self.serial}.jsonl", "".join(json.dumps(r) + "\n" for r in records))
            run = self.run(who, kind, "--data", data, "--mode", "merge", "--branch", branch, GRAPH)
            if kind == "ingest":
                self.check_ingest(run, branch)
        else:
            text = {"insert": f'insert Person {{ name: "{name}", age: {age} }}', "update": f'update Person set {{ age: {age} }} where name = "{name}"',
                    "delete": f'delete Person where name = "{name}"'}[kind]
            run = self.run(who, "mutate", GRAPH, "--branch", branch, "-e", f"query m() {{ {text} }}")
        self.must(run, f"{kind} by {who} on {branch}")
        if kind == "delete":
            del people[name]
        else:
            people[name] = age
        if who == "ours" and kind in ("load", "ingest"):
            self.ours_only.discard(branch)  # all tables are forked now
        self.coverage[f"written by {who}", kind] += 1

    def check_ingest(self, run, branch):
        expected = (f"ingested {GRAPH} into branch {branch} from main with merge (branch exists)\nedge:Knows rows_loaded=1\n"
                    "edge:LivesIn rows_loaded=1\nnode:City rows_loaded=1\nnode:Person rows_loaded=1\n")
        self.check(run.code != 0 or run.out == expected, f"ingest says {run.out!r}")

    def ingest_new(self):
        free = [n for n in NAMES if n not in self.people and n not in self.used]
        if not free:
            return
        name, who = self.rng.choice(free), self.who()
        data = self.place.write("new.jsonl", '{"type": "Person", "data": {"name": "neu", "age": 9}}\n')
        run = self.must(self.run(who, "ingest", "--data", data, "--branch", name, GRAPH, "--json"), f"ingest into {name} by {who}")
        self.check(json.loads(run.out) == {"uri": GRAPH, "branch": name, "base_branch": "main", "branch_created": True, "mode": "merge",
                                           "tables": [{"table_key": "node:Person", "rows_loaded": 1}], "actor_id": None}, f"ingest says {run.out}")
        self.people[name], self.parents[name] = {**self.people["main"], "neu": 9}, "main"
        self.coverage["branches", f"ingested by {who}"] += 1

    def refuse(self):
        kind = self.rng.choice(("name", "exists", "from", "delete"))
        arguments = {"name": ("create", self.rng.choice(NO_NAMES)), "exists": ("create", self.rng.choice(sorted(self.people))),
                     "from": ("create", "--from", "nowhere", "new"), "delete": ("delete", self.rng.choice(("main", "nowhere")))}[kind]
        # Ours only: a name that the reference refuses, it leaves a dead branch for.
        whose = ("ours",) if kind in ("name", "exists") else ("ours", "the reference")
        runs = [self.run(who, "branch", arguments[0], "--uri", GRAPH, *arguments[1:]) for who in whose]
        self.check(all(run.code == 1 and run.out == "" for run in runs), f"{arguments}: {[run.code for run in runs]}")
        if kind == "delete":
            self.check(same_refusal(*runs), f"{arguments}: {message(runs[0])!r}, not {message(runs[1])!r}")
        self.coverage["refused", kind] += 1

    # ---- what both must say ---------------------------------------------------------------------------------

    def compare(self):
        names = "".join(f"{n}\n" for n in sorted(self.people))
        for program in (self.place.ours, self.place.theirs):
            run = self.must(program.run("branch", "list", "--uri", GRAPH), f"list by {program.name}")
            self.check(run.out == names, f"{program.name} lists {run.out!r}, not {names!r}")
        for branch, people in self.people.items():
            exports = [sorted(self.must(p.run("export", GRAPH, "--branch", branch), f"export of {branch} by {p.name}").out.splitlines())
                       for p in (self.place.ours, self.place.theirs)]
            self.check(exports[0] == exports[1], f"exports of {branch} differ: {set(exports[0]) ^ set(exports[1])}")
            rows = [json.loads(line) for line in exports[0]]
            seen = {r["data"]["name"]: r["data"]["age"] for r in rows if r.get("type") == "Person"}
            self.check(seen == people, f"{branch} has {seen}, not {people}")
            self.coverage["told alike", "exports"] += 1


def course(seed, place):
    tree = Tree(seed, place)
    data = place.write("seed.jsonl", '{"type": "Person", "data": {"name": "ana", "age": 1}}\n{"type": "Person", "data": {"name": "bo", "age": 2}}\n'
                       '{"type": "City", "data": {"name": "Oslo"}}\n{"edge": "Knows", "from": "ana", "to": "bo"}\n{"edge": "LivesIn", "from": "bo", "to": "Oslo"}\n')
    who = "ours" if seed % 2 else "the reference"
    tree.init(who, GRAPH, SCHEMA)
    tree.must(tree.run(who, "load", "--data", data, GRAPH), "load")
    steps = (tree.create, tree.create, tree.delete, tree.write, tree.write, tree.write, tree.write, tree.ingest_new, tree.refuse)
    for i in range(18):
        (tree.create if i == 0 else tree.rng.choice(steps))()
        if i % 3 == 2:
            tree.compare()
    for branch in tree.people:
        lists = [tree.must(p.run("commit", "list", GRAPH, "--branch", branch), "commit list").out for p in (place.ours, place.theirs)]
        tree.check(lists[0] == lists[1], f"commits of {branch}:\n{lists[0]}\n{lists[1]}")
    return tree.coverage, None


def main(argv):
    options = suite.arguments(argv, __doc__, "1..8")
    reason = suite.prerequisites(options)
    if reason:
        return suite.skip(reason)
    coverage, outcomes = collections.Counter(), []
    for outcome in suite.run_all(options, [(f"--seeds {s}..{s}", lambda place, s=s: course(s, place)) for s in options.seeds]):
        outcomes.append(outcome)
        coverage.update(outcome.coverage)
    suite.print_coverage(coverage)
    return suite.finish(__file__, options, outcomes)


if __name__ == "__main__":
    suite.start(main)
