#!/usr/bin/env python3
"""Commits and earlier states of graphs that both programs wrote, told alike by both.

    history.py [--seeds A..B] [--binary PATH] [--jobs N]

Each seed lets both programs write in turn to one graph with branches and merges. Afterwards both must list
the same commits of every branch, byte for byte, and show each alike; and at every commit our export is what
the reference exported when that commit was the newest, our answers to queries are the reference's, and a time
leads to the commit it should.
"""
import datetime
import json
import random

import suite
from exchange import Course
from programs import message

GRAPH = "shared.omni"
SCHEMA = """node Person { name: String @key
  age: I32? }
node City { name: String @key }
edge Knows: Person -> Person { since: I32? }
edge LivesIn: Person -> City
"""
QUERIES = ["match { $p: Person } return { $p.name, $p.age } order { $p.name }",
           "match { $p: Person { name: \"p1\" } } return { $p.age }",
           "match { $p: Person $p knows $q } return { $p.name, $q.name } order { $p.name, $q.name }",
           "match { $p: Person not { $p livesIn $_ } } return { count($p) as homeless }"]


class Timeline(Course):
    def __init__(self, seed, place):
        super().__init__(seed, place)
        self.branches, self.people, self.exports, self.serial = ["main"], {"main": ["p0", "p1"]}, {}, 0
        self.nested = set()  # branches of branches: the reference loses the indexes of their tables, and fails to write

    def commits(self, branch, program=None):
        run = self.must((program or self.place.theirs).run("commit", "list", GRAPH, "--branch", branch, "--json"), f"commit list of {branch}")
        return json.loads(run.out)["commits"]

    def remember(self, branch):
        """What the newest commit of a branch made."""
        run = self.must(self.place.theirs.run("export", GRAPH, "--branch", branch), f"export of {branch}")
        self.exports[self.commits(branch)[-1]["graph_commit_id"]] = (branch, run.out)

    def write(self, who, branch):
        self.serial += 1
        known, rng = self.people[branch], self.rng
        kind = rng.choice(("insert", "insert", "update", "forget", "load", "edges"))
        if kind == "forget" and who != "ours":  # one that finds nothing leaves a head behind
            kind = "update"
        person, other = rng.choice(known), rng.choice(known)
        actor = ["--as", rng.choice(("ana", "bo"))] if rng.random() < 0.5 else []
        if kind == "load":
            fresh = f"{branch[0]}{self.serial}"
            records = [{"type": "Person", "data": {"name": fresh, "age": self.serial}}, {"type": "City", "data": {"name": f"c-{fresh}"}},
                       {"edge": "LivesIn", "from": fresh, "to": f"c-{fresh}"}]
            known.append(fresh)
            name = self.place.write(f"load{self.serial}.jsonl", "".join(json.dumps(r) + "\n" for r in records))
            run = self.program(who).run("load", "--data", name, "--mode", "merge", "--branch", branch, *actor, GRAPH)
        else:
            text = {"insert": f'insert Person {{ name: "{branch[0]}{self.serial}", age: {self.serial} }}',
                    "update": f'update Person set {{ age: {self.serial} }} where name = "{person}"',
                    "forget": f'delete Knows where from = "{person}"',
                    "edges": f'insert Knows {{ from: "{person}", to: "{other}", since: {self.serial} }}'}[kind]
            if kind == "insert":
                known.append(f"{branch[0]}{self.serial}")
            run = self.program(who).run("mutate", GRAPH, "--branch", branch, "-e", f"query m() {{ {text} }}", *actor)
        self.must(run, f"{kind} by {who} on {branch}")
        self.coverage[f"written by {who}", kind] += 1
        self.remember(branch)

    def load_first(self, who):
        self.place.write("first.jsonl", "".join(json.dumps({"type": "Person", "data": {"name": p, "age": 1}}) + "\n" for p in ("p0", "p1")))
        self.must(self.program(who).run("load", "--data", "first.jsonl", GRAPH), "first load")
        self.remember("main")

    def fork(self, parent=None):
        parent, name = parent or self.rng.choice(self.branches), f"{'abcdefgh'[len(self.branches)]}/work"
        who = self.rng.choice((self.place.ours, self.place.theirs))
        self.must(who.run("branch", "create", "--uri", GRAPH, "--from", parent, name), f"branch {name} of {parent}")
        self.branches.append(name)
        self.people[name] = list(self.people[parent])
        if parent != "main":
            self.nested.add(name)
        self.coverage["history", "branches"] += 1

    def merge(self):
        target = self.rng.choice([b for b in self.branches if b not in self.nested])
        source = self.rng.choice([b for b in self.branches if b != target])
        who = self.rng.choice((self.place.ours, self.place.theirs))
        run = who.run("branch", "merge", "--uri", GRAPH, source, "--into", target, "--as", "merger")
        if run.code == 0:
            self.people[target] = list(dict.fromkeys(self.people[target] + self.people[source]))
            self.remember(target)
        self.coverage["history", "merges" if run.code == 0 else "merges with conflicts"] += 1

    # ---- told alike ---------------------------------------------------------------------------------------

    def both(self, *args):
        ours, theirs = self.place.ours.run(*args), self.place.theirs.run(*args)
        self.check(ours.code == theirs.code and ours.out == theirs.out,
                   f"{' '.join(args)}: exit {ours.code} and {theirs.code}: {message(ours)} {message(theirs)}\n{ours.out}\n{theirs.out}")
        return ours

    def compare_lists(self):
        for branch in self.branches:
            self.both("commit", "list", GRAPH, "--branch", branch)
            self.both("commit", "list", GRAPH, "--branch", branch, "--json")
            for commit in self.commits(branch):
                self.both("commit", "show", "--uri", GRAPH, commit["graph_commit_id"])
                self.both("commit", "show", "--uri", GRAPH, commit["graph_commit_id"], "--json")
                self.coverage["told alike", "commits"] += 1

    def compare_states(self):
        for commit, (branch, export) in self.exports.items():
            ours = self.must(self.place.ours.run("export", GRAPH, "--snapshot", commit), f"export at {commit}")
            self.check(sorted(ours.out.splitlines()) == sorted(export.splitlines()),
                       f"export at {commit} of {branch} differs:\n{ours.out}\n{export}")
            self.coverage["told alike", "states"] += 1
        for commit in self.rng.sample(sorted(self.exports), min(4, len(self.exports))):
            for text in QUERIES:
                self.both("query", "--uri", GRAPH, "--snapshot", commit, "-e", f"query q() {{ {text} }}", "--json")
                self.coverage["told alike", "queries"] += 1

    def compare_times(self):
        """At the time of a commit the branch is as that commit made it, a microsecond earlier as the one before."""
        for branch in self.branches:
            commits = self.commits(branch)
            for i, commit in enumerate(commits):
                for back, wanted in ((0, commit), (1, commits[i - 1] if i else None)):
                    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=commit["created_at"] - back)
                    run = self.place.ours.run("query", "--uri", GRAPH, "--branch", branch, "--at", at.isoformat() + "Z",
                                              "-e", f"query q() {{ {QUERIES[0]} }}", "--json")
                    if wanted is None:
                        self.check(run.code == 1, f"a state before the first commit of {branch}")
                        continue
                    found = json.loads(self.must(run, f"{branch} at {at}").out)["target"]["snapshot"]
                    self.check(found == wanted["graph_commit_id"], f"{branch} at {at}: {found}, not {wanted['graph_commit_id']}")
                    self.coverage["told alike", "times"] += 1

    def check_whole(self):
        """Nothing is wrong with the graph, but for the indexes that the reference loses when a branch gets its
        table from another branch than main, by a fork or a merge."""
        run = self.place.ours.run("fsck", GRAPH)
        wrong = [text for text in run.out.splitlines()[:-1] if not text.startswith("leftover index ") or " on main: " in text]
        self.check(not wrong and not run.err, f"fsck: {run.out}{run.err}")


def one_history(seed, place):
    line = Timeline(seed, place)
    first = line.rng.choice(("ours", "the reference"))
    line.init(first, GRAPH, SCHEMA)
    line.remember("main")
    line.load_first(first)
    for _ in range(line.rng.randrange(8, 15)):
        chance = line.rng.random()
        if chance < 0.15 and len(line.branches) < 4:
            line.fork()
        elif chance < 0.3 and len(line.branches) > 1:
            line.merge()
        else:
            branch = line.rng.choice([b for b in line.branches if b not in line.nested])
            line.write(line.rng.choice(("ours", "the reference")), branch)
    line.compare_lists()
    line.compare_states()
    line.compare_times()
    line.check_whole()
    return line.coverage, None


def main(argv):
    return suite.run_seeds(argv, __file__, __doc__, "1..12", one_history)


if __name__ == "__main__":
    suite.start(main)
