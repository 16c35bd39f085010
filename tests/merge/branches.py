#!/usr/bin/env python3
"""Random programs of branches, writes and merges, on a program and on the model.

    branches.py PROGRAM [--seeds A..B] [--steps N] [--reference PATH] [--jobs N]

PROGRAM is the command, or the shared library, which is a hundred times as fast. After each merge outcome,
conflicts with texts and values, and the export of the target are those of the model (model.py), and so is
each difference between two branches; at the end the exports and histories of all branches, and fsck finds
nothing. The programs compact branches and clean up old versions in between.

With --reference ("ask": as $OMNIGRAPH_REFERENCE says) the reference's program runs the same commands on a
graph of its own; what it does otherwise has a name in docs/dev/architecture.md and is counted. A failure names
its seed.
"""
import argparse
import collections
import concurrent.futures
import itertools
import os
import random
import subprocess
import sys
import tempfile
import traceback

import model
from operations import Operation, city, knows, lives, person, put
from programs import Failure, difference, open_program, place

SKIPPED = 77
PEOPLE = [f"p{i}" for i in range(7)]
CITIES = [f"c{i}" for i in range(3)]
EDGES = [f"e{i}" for i in range(8)]
NAMES = ["one", "two", "two/half", "three"]
ROW_KINDS = {"divergent_insert", "divergent_update", "delete_vs_update"}
# Where the reference fails at a command that is right: its graph is of no use afterwards.
REFERENCE_FAILS = {"stale view of": "orphan-heads", "storage: ": "lost-files", "orphaned table state": "left-forks"}


class Stopped(Exception):
    """The reference can't go on."""


class Generator:
    """Random rows and writes. Few values of each kind, so that sides often meet."""

    def __init__(self, rng, with_reference):
        self.rng, self.with_reference = rng, with_reference

    def maybe(self, *values):
        return self.rng.choice((None,) + values)

    def person(self, name):
        # The reference's merge takes null and "" for one value, and so blobs of one size.
        nicks, photos = (["n"], [None]) if self.with_reference else (["n", ""], [None, "base64:AAEC", "base64:"])
        return person(name, age=self.maybe(1, 2), nick=self.maybe(*nicks), email=self.maybe("a@x", "b@x", "c@x"),
                      tags=self.maybe([], ["t"], ["t", "u"]), spot=self.maybe([0.5, 1.0], [0.5, 1.5]),
                      photo=self.rng.choice(photos))

    def put(self, state):
        """One to three rows; edges between nodes that are there."""
        rows = []
        for _ in range(self.rng.randint(1, 3)):
            kind = self.rng.choice(["person", "person", "city", "knows", "knows", "lives"])
            people, cities = sorted(state["node:Person"]), sorted(state["node:City"])
            if kind == "person":
                name = self.rng.choice(PEOPLE)
                rows.append(("node:Person", name, self.person(name)))
            elif kind == "city":
                name = self.rng.choice(CITIES)
                rows.append(("node:City", name, city(name, self.maybe(1, 2))))
            elif kind == "knows" and people:
                rows.append(("edge:Knows", self.rng.choice(EDGES),
                             knows(self.rng.choice(people), self.rng.choice(people), self.maybe(10), self.maybe(0.5))))
            elif kind == "lives" and people and cities:
                rows.append(("edge:Lives", self.rng.choice(EDGES),
                             lives(self.rng.choice(people), self.rng.choice(cities))))
        return put("put", *rows)

    def removal(self, state):
        kind, field, rows = self.rng.choice([("Person", "name", "node:Person"), ("City", "name", "node:City"),
                                             ("Knows", "from", "edge:Knows"), ("Lives", "from", "edge:Lives")])
        values = sorted(record[field] for record in state[rows].values())
        return Operation("remove", statement=(kind, field, self.rng.choice(values))) if values else None

    def update(self, state):
        """Some properties of a person; the others stay."""
        names, values = sorted(state["node:Person"]), self.person("")
        chosen = self.rng.sample(["age", "nick", "email", "tags"], self.rng.randint(1, 3))
        if not names:
            return None
        return Operation("update", update=(self.rng.choice(names), {name: values[name] for name in chosen}))

    def overwrite(self, state):
        """All rows of a table anew, some as they were: no version before tells what changed."""
        table = self.rng.choice(model.TABLES)
        rows = {(table, row): record for row, record in state[table].items() if self.rng.random() < 0.8}
        more = self.put(state).puts
        rows.update({key: record for key, record in more.items() if key[0] == table})
        return Operation("overwrite", rows, overwrite=True)

    def write(self, state):
        if self.with_reference:
            return self.put(state) if self.rng.random() < 0.75 else self.removal(state)
        return self.rng.choices([self.put, self.removal, self.update, self.overwrite], [12, 4, 4, 1])[0](state)


class Case:
    def __init__(self, seed, options, folder):
        self.rng = random.Random(seed)
        self.model, self.counts = model.Model(), collections.Counter()
        self.parents = {}  # branch -> the one it was made of
        self.programs = [open_program(options.program, folder, "ours.omni")]
        if options.reference:
            self.programs.append(open_program(options.reference, folder, "theirs.omni"))
        self.generator = Generator(self.rng, bool(options.reference))

    def branch(self):
        return self.rng.choice(sorted(self.model.branches))

    # ---- steps ----------------------------------------------------------------------------------------

    def write(self):
        branch = self.branch()
        before = self.model.state(branch)
        operation = self.generator.write(before)
        if operation is None or not (operation.puts or operation.statement or operation.update):
            return
        after = operation.after(before)
        is_valid = not model.violations(after)
        if not is_valid and len(self.programs) > 1:
            return  # the reference lets some violations through
        for program in self.programs:
            if operation.apply(program, branch) != is_valid:
                self.stop_if_reference_fails(program)
                raise Failure(f"{branch}: {program.history[-1]} was {'refused' * is_valid or 'taken'}: "
                              f"{model.violations(after)} {program.last.err[:500]}")
        self.counts["write" if is_valid else "refused write"] += 1
        if is_valid:
            self.model.write(branch, after)

    def create(self):
        free = [name for name in NAMES if name not in self.model.branches]
        if not free:
            return
        # A branch of a branch loses its tables' indexes in the reference, and fails to write.
        name, source = self.rng.choice(free), self.branch() if len(self.programs) == 1 else "main"
        for program in self.programs:
            program.create(name, source)
        self.model.create(name, source)
        self.parents[name] = source
        self.counts["create"] += 1

    def delete(self):
        leaves = [name for name in sorted(self.parents) if name not in self.parents.values()]
        if not leaves:
            return
        name = self.rng.choice(leaves)
        for program in self.programs:
            program.delete(name)
        self.model.delete(name)
        del self.parents[name]
        self.counts["delete"] += 1

    def merge(self):
        source, target = self.branch(), self.branch()
        if source == target:
            return
        alone = len(self.programs) == 1
        by_property, preview = alone and self.rng.random() < 0.4, alone and self.rng.random() < 0.2
        expected = self.model.merge(source, target, by_property, preview)
        for program in self.programs:
            found = program.merge(source, target, by_property, preview)
            if found is None:
                self.stop_if_reference_fails(program)
                raise Failure(f"{program.graph}, merge {source} into {target}: {program.last.err[:2000]}")
            self.compare(program, found, expected, f"{source} into {target}")
            self.look(program, target)
        self.counts[expected[0]] += 1
        self.counts.update(conflict.kind for conflict in expected[1])

    def diff(self):
        old, new = self.branch(), self.branch()
        found = self.programs[0].diff(old, new)
        expected = model.changes(self.model.state(old), self.model.state(new))
        if found != expected:
            raise Failure(f"diff {old} {new}: expected {expected}, found {found}")
        self.counts["diff"] += 1

    # Upkeep changes nothing that is seen, and leaves what later merges need.

    def optimize(self):
        branch = self.branch()
        for _ in range(self.programs[0].optimize(branch)):
            self.model.write(branch, self.model.state(branch))
        self.counts["optimize"] += 1

    def cleanup(self):
        self.programs[0].cleanup(self.rng.randint(0, 2))
        self.counts["cleanup"] += 1

    def reopen(self):
        self.programs[0].close()

    def stop_if_reference_fails(self, program):
        for text, name in REFERENCE_FAILS.items():
            if program is not self.programs[0] and text in program.last.err:
                self.counts[f"stopped: {name}"] += 1
                raise Stopped

    # ---- judging --------------------------------------------------------------------------------------

    def compare(self, program, found, expected, what):
        outcome, conflicts, counts = expected
        if program is not self.programs[0]:
            conflicts = [c._replace(values=None) for c in conflicts]
            if any(c.kind in ROW_KINDS for c in conflicts) and any(c.kind not in ROW_KINDS for c in conflicts):
                self.counts["difference: all-conflicts"] += 1
                conflicts = [c for c in conflicts if c.kind in ROW_KINDS]
        if conflicts or found[2] is None:
            counts = found[2]  # only a preview tells them, and of a conflict they mean little
        expected = outcome, sorted(conflicts, key=str), counts
        if (found[0], sorted(found[1], key=str), found[2]) != expected:
            raise Failure(f"{program.graph}, merge {what}: expected {expected}, found {found}")

    def look(self, program, branch):
        found, expected = program.state(branch), self.model.state(branch)
        if found != expected:
            raise Failure(f"{program.graph}, {branch}:\n    {difference(expected, found)}")

    def look_at_histories(self):
        """Each commit has one id on all branches, and its parents. (A cleanup takes versions, too.)"""
        ids, told = {None: None}, {}
        for branch in self.model.branches:
            commits, rows = self.model.history(branch), self.programs[0].commits(branch)
            versions = [row["manifest_version"] for row in rows]
            if len(commits) != len(rows) or versions != sorted(versions):
                raise Failure(f"{branch}: expected {len(commits)} commits, found {rows}")
            for commit, row in zip(commits, rows):
                ids.setdefault(commit, row["graph_commit_id"])
                told.setdefault(commit, []).append(row)
        for commit, rows in told.items():
            first, merged = (*commit.parents, None, None)[:2]
            merged = ids.get(merged, rows[0]["merged_parent_commit_id"])  # a deleted branch's is not known
            expected = ids[commit], ids[first], merged
            for row in rows:
                found = row["graph_commit_id"], row["parent_commit_id"], row["merged_parent_commit_id"]
                if found != expected or (commit.parents[1:] and not merged):
                    raise Failure(f"expected commit, parent and merged parent {expected}, found {row}")

    def run(self, steps):
        for program in self.programs:
            program.init(model.SCHEMA)
        kinds = [self.write] * 11 + [self.create] * 2 + [self.delete] + [self.merge] * 6
        if len(self.programs) == 1:
            kinds += [self.diff, self.reopen, self.optimize, self.cleanup]
        for _ in range(steps):
            self.rng.choice(kinds)()
        for program in self.programs:
            for branch in sorted(self.model.branches):
                self.look(program, branch)
        self.look_at_histories()
        problems = self.programs[0].fsck()
        if problems:
            raise Failure(f"fsck: {problems[:5]}")

    def close(self):
        for program in self.programs:
            program.close()


def run_seed(options, seed):
    with tempfile.TemporaryDirectory(prefix="og-branches-", dir=place()) as folder:
        case = Case(seed, options, folder)
        try:
            case.run(options.steps)
        except Stopped:
            pass
        except Failure as failure:
            commands = "\n      ".join(" ".join(map(str, c)) for c in case.programs[0].history[-8:])
            return seed, f"{failure}\n    last commands:\n      {commands}", case.counts
        except Exception:  # a fault of the suite must not pass for agreement
            return seed, traceback.format_exc(), case.counts
        finally:
            case.close()
        return seed, None, case.counts


def find_reference():
    unpack = os.path.join(os.environ.get("OMNIGRAPH_REFERENCE", ""), "oracle", "unpack")
    if not os.path.exists(unpack):
        return None
    run = subprocess.run([unpack], capture_output=True, text=True, check=True)
    return os.path.join(run.stdout.strip().split("\n")[-1], "omnigraph")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--seeds", default="1..100", metavar="A..B")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--reference")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(argv[1:])
    if options.reference == "ask":
        options.reference = find_reference()
        if not options.reference:
            print("SKIPPED: OMNIGRAPH_REFERENCE does not lead to the reference's program")
            return SKIPPED
    first, _, last = options.seeds.partition("..")
    seeds, counts, failed = range(int(first), int(last or first) + 1), collections.Counter(), 0
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        for seed, failure, counted in pool.map(run_seed, itertools.repeat(options), seeds, chunksize=8):
            counts.update(counted)
            if failure:
                failed += 1
                print(f"FAILED seed {seed}: {failure}\n", flush=True)
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    print(f"{len(seeds) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
