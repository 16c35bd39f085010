#!/usr/bin/env python3
"""Every pair of operations, one on a branch and one on main: merged, looked at, and merged back.

    truth.py PROGRAM [--only NAME] [--every N]

PROGRAM is the command, or the shared library, which is a hundred times as fast. Each pair is merged by the row
rule and by the property rule. After each merge outcome, conflicts with their texts and values, and the
export of the target are those of the model (model.py); a preview says the same, and the counts, and writes
nothing. Then main is merged into the branch, which must leave both equal when the first merge went
through; what differs between both, before and after, is as the model says.
"""
import argparse
import concurrent.futures
import itertools
import sys
import tempfile
import traceback

import model
from operations import Operation, city, knows, lives, person, put, put_person
from programs import Failure, difference, open_program, place

BASE = put("base",
           ("node:Person", "Alice", person("Alice", age=30, nick="al", tags=["x"], spot=[0.5, 1.0])),
           ("node:Person", "Bob", person("Bob", age=25, photo="base64:AAEC")),
           ("node:Person", "Carol", person("Carol", email="carol@x")),
           ("node:Person", "Dan", person("Dan", age=50)),
           ("node:City", "Oslo", city("Oslo", 7)), ("node:City", "Rome", city("Rome")),
           ("node:City", "Bern", city("Bern")),
           ("edge:Knows", "k1", knows("Bob", "Carol", weight=0.5)),
           ("edge:Knows", "k2", knows("Carol", "Dan", since=100)),
           ("edge:Lives", "l1", lives("Dan", "Oslo")))


ALICE = BASE.puts["node:Person", "Alice"]


def alice(**values):
    return put("Alice", ("node:Person", "Alice", {**ALICE, **values}))


def put_again(statement, record):
    return Operation(f"make {record['name']}", {("node:Person", record["name"]): record}, statement)


OPERATIONS = {
    "nothing": Operation("nothing"),
    "rewritten": alice(),
    "age 31": alice(age=31),
    "age 32": alice(age=32),
    "age gone": alice(age=None),
    "nick": alice(nick="Al"),
    "nick empty": alice(nick=""),
    "nick gone": alice(nick=None),
    "age and nick": alice(age=31, nick="Al"),
    "email taken": alice(email="new@x"),
    "tags": alice(tags=["x", "y"]),
    "tags with null": alice(tags=["x", None]),
    "tags empty": alice(tags=[]),
    "tags gone": alice(tags=None),
    "spot": alice(spot=[0.5, 2.0]),
    "spot gone": alice(spot=None),
    "photo": alice(photo="base64:AQID"),
    "other photo": alice(photo="base64:AQIE"),
    "empty photo": alice(photo="base64:"),
    "Bob's photo": put_person("Bob", age=25, photo="base64:AAED"),
    "Bob's photo gone": put_person("Bob", age=25),
    "add Eve": put_person("Eve", age=1),
    "add Eve too": put_person("Eve", age=2),
    "add Eve with Alice's email": put_person("Eve", email="new@x"),
    "make Alice again": put_again(("Person", "name", "Alice"), ALICE),
    "make Alice anew": put_again(("Person", "name", "Alice"), person("Alice", age=31)),
    "make Bob again": put_again(("Person", "name", "Bob"), person("Bob", age=25, photo="base64:AAEC")),
    "remove Alice": Operation("remove Alice", statement=("Person", "name", "Alice")),
    "remove Bob": Operation("remove Bob", statement=("Person", "name", "Bob")),
    "remove Carol": Operation("remove Carol", statement=("Person", "name", "Carol")),
    "remove Oslo": Operation("remove Oslo", statement=("City", "name", "Oslo")),
    "add edge": put("add edge", ("edge:Knows", "k9", knows("Alice", "Carol"))),
    "add edge elsewhere": put("add edge elsewhere", ("edge:Knows", "k9", knows("Alice", "Bob"))),
    "add edge between others": put("add edge between others", ("edge:Knows", "k8", knows("Bob", "Dan"))),
    "remove edge": Operation("remove edge", statement=("Knows", "from", "Bob")),
    "weigh edge": put("weigh edge", ("edge:Knows", "k1", knows("Bob", "Carol", weight=0.75))),
    "unweigh edge": put("unweigh edge", ("edge:Knows", "k1", knows("Bob", "Carol"))),
    "date edge": put("date edge", ("edge:Knows", "k1", knows("Bob", "Carol", since=5, weight=0.5))),
    "bend edge": put("bend edge", ("edge:Knows", "k1", knows("Bob", "Dan", weight=0.5))),
    "turn edge": put("turn edge", ("edge:Knows", "k1", knows("Dan", "Carol", weight=0.5))),
    "move to Rome": put("move to Rome", ("edge:Lives", "l2", lives("Dan", "Rome"))),
    "move to Bern": put("move to Bern", ("edge:Lives", "l3", lives("Dan", "Bern"))),
}


class Pair:
    def __init__(self, program, property_level):
        self.program, self.model, self.property_level = program, model.Model(), property_level
        program.init(model.SCHEMA)
        self.write("main", BASE)
        program.create("feature", "main")
        self.model.create("feature", "main")

    def write(self, branch, operation):
        after = operation.after(self.model.state(branch))
        if operation.puts or operation.statement:
            if not operation.apply(self.program, branch):
                raise Failure(f"{operation.name} on {branch} was refused: {self.program.history[-1]}")
            if operation.puts or after != self.model.state(branch):
                self.model.write(branch, after)

    def merge(self, source, target, preview):
        found = self.program.merge(source, target, self.property_level, preview)
        if found is None:
            raise Failure(f"merge {source} into {target}: {self.program.last.err[:2000]}")
        outcome, conflicts, counts = self.model.merge(source, target, self.property_level, preview)
        expected = outcome, sorted(conflicts, key=str), counts if preview and not conflicts else found[2]
        if (found[0], sorted(found[1], key=str), found[2]) != expected:
            raise Failure(f"merge {source} into {target}{' (preview)' * preview}: expected {expected}, found {found}")

    def look(self, branch):
        found = self.program.state(branch)
        if found != self.model.state(branch):
            raise Failure(f"{branch}:\n    {difference(self.model.state(branch), found)}")

    def compare(self):
        found = self.program.diff("feature", "main")
        expected = model.changes(self.model.state("feature"), self.model.state("main"))
        if found != expected:
            raise Failure(f"diff feature main: expected {expected}, found {found}")

    def run(self, left, right):
        self.write("feature", OPERATIONS[left])
        self.write("main", OPERATIONS[right])
        for source, target in (("feature", "main"), ("main", "feature")):
            self.compare()
            self.merge(source, target, True)
            self.look(target)
            self.merge(source, target, False)
            self.look(target)
        self.compare()


def run_pair(program_path, left, right, property_level):
    name = f"{left} | {right}{' | by property' * property_level}"
    with tempfile.TemporaryDirectory(prefix="og-merge-", dir=place()) as folder:
        program = open_program(program_path, folder, "g")
        try:
            Pair(program, property_level).run(left, right)
        except Failure as failure:
            return f"{name}: {failure}"
        except Exception:  # a fault of the suite must not pass for agreement
            return f"{name}: {traceback.format_exc()}"
        finally:
            program.close()
    return None


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--only", help="pairs whose name contains it")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th pair (default: all)")
    options = parser.parse_args(argv[1:])
    pairs = [(options.program, l, r, by) for by in (False, True) for l, r in itertools.product(OPERATIONS, OPERATIONS)
             if not options.only or options.only in f"{l} | {r}{' | by property' * by}"]
    pairs = pairs[::options.every]
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        failures = [f for f in pool.map(run_pair, *zip(*pairs), chunksize=16) if f]
    for failure in failures[:20]:
        print(f"FAILED {failure}\n")
    print(f"{len(pairs) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures or not pairs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
