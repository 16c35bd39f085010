#!/usr/bin/env python3
"""Every pair of operations, one on a branch and one on main: merged, looked at, and merged back.

    truth.py PROGRAM [--only NAME] [--every N]

Each pair is merged by the row rule and by the property rule. After each merge outcome, conflicts and
the export of the target are those of the model (model.py); a preview says the same and writes nothing. Then
main is merged into the branch, which must leave both equal when the first merge went through.
"""
import argparse
import concurrent.futures
import itertools
import os
import shutil
import sys
import tempfile
import traceback

import model
from operations import Operation, city, knows, lives, person, put, put_person
from programs import Failure, Program, difference

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


def alice(**values):
    return put_person("Alice", **{"age": 30, "nick": "al", "tags": ["x"], "spot": [0.5, 1.0], **values})


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
    "spot": alice(spot=[0.5, 2.0]),
    "photo": alice(photo="base64:AQID"),
    "other photo": alice(photo="base64:AQIE"),
    "add Eve": put_person("Eve", age=1),
    "add Eve too": put_person("Eve", age=2),
    "add Eve with Alice's email": put_person("Eve", email="new@x"),
    "remove Alice": Operation("remove Alice", statement=("Person", "name", "Alice")),
    "remove Bob": Operation("remove Bob", statement=("Person", "name", "Bob")),
    "remove Carol": Operation("remove Carol", statement=("Person", "name", "Carol")),
    "remove Oslo": Operation("remove Oslo", statement=("City", "name", "Oslo")),
    "add edge": put("add edge", ("edge:Knows", "k9", knows("Alice", "Carol"))),
    "add edge elsewhere": put("add edge elsewhere", ("edge:Knows", "k9", knows("Alice", "Bob"))),
    "add edge between others": put("add edge between others", ("edge:Knows", "k8", knows("Bob", "Dan"))),
    "remove edge": Operation("remove edge", statement=("Knows", "from", "Bob")),
    "weigh edge": put("weigh edge", ("edge:Knows", "k1", knows("Bob", "Carol", weight=0.75))),
    "date edge": put("date edge", ("edge:Knows", "k1", knows("Bob", "Carol", since=5, weight=0.5))),
    "bend edge": put("bend edge", ("edge:Knows", "k1", knows("Bob", "Dan", weight=0.5))),
    "turn edge": put("turn edge", ("edge:Knows", "k1", knows("Dan", "Carol", weight=0.5))),
    "move to Rome": put("move to Rome", ("edge:Lives", "l2", lives("Dan", "Rome"))),
    "move to Bern": put("move to Bern", ("edge:Lives", "l3", lives("Dan", "Bern"))),
}


class Pair:
    def __init__(self, program, property_level):
        self.program, self.model, self.property_level = program, model.Model(), property_level
        self.model.write("main", BASE.after(model.empty()))

    def write(self, branch, operation):
        after = operation.after(self.model.state(branch))
        if operation.puts or operation.statement:
            if not operation.apply(self.program, branch):
                raise Failure(f"{operation.name} on {branch} was refused: {self.program.history[-1]}")
            if operation.puts or after != self.model.state(branch):
                self.model.write(branch, after)

    def merge(self, source, target, preview):
        options = ["--property-level"] * self.property_level + ["--preview"] * preview
        found = self.program.merge(source, target, *options)
        if found is None:
            raise Failure(f"merge {source} into {target}: {self.program.last.err[:2000]}")
        outcome, conflicts = found
        expected = self.model.merge(source, target, self.property_level, preview)
        if (outcome, sorted(conflicts, key=str)) != (expected[0], sorted(expected[1], key=str)):
            raise Failure(f"merge {source} into {target}{' (preview)' * preview}: expected {expected}, "
                          f"found {(outcome, conflicts)}")

    def look(self, branch):
        found = self.program.state(branch)
        if found != self.model.state(branch):
            raise Failure(f"{branch}:\n    {difference(self.model.state(branch), found)}")

    def run(self, left, right):
        self.write("feature", OPERATIONS[left])
        self.write("main", OPERATIONS[right])
        for source, target in (("feature", "main"), ("main", "feature")):
            self.merge(source, target, True)
            self.look(target)
            self.merge(source, target, False)
            self.look(target)


def run_pair(options, base, left, right, property_level):
    name = f"{left} | {right}{' | by property' * property_level}"
    with tempfile.TemporaryDirectory(prefix="og-merge-") as place:
        shutil.copytree(base, os.path.join(place, "g"))
        try:
            pair = Pair(Program(options.program, place, "g"), property_level)
            pair.model.create("feature", "main")
            pair.run(left, right)
        except Failure as failure:
            return f"{name}: {failure}"
        except Exception:  # a fault of the suite must not pass for agreement
            return f"{name}: {traceback.format_exc()}"
    return None


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--only", help="pairs whose name contains it")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th pair (default: all)")
    options = parser.parse_args(argv[1:])
    pairs = [(l, r, by) for by in (False, True) for l, r in itertools.product(OPERATIONS, OPERATIONS)
             if not options.only or options.only in f"{l} | {r}{' | by property' * by}"]
    pairs = pairs[::options.every]
    with tempfile.TemporaryDirectory(prefix="og-merge-base-") as place:
        program = Program(options.program, place, "g")
        program.init(model.SCHEMA)
        BASE.apply(program, "main")
        program.create("feature", "main")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            failures = [f for f in pool.map(lambda p: run_pair(options, os.path.join(place, "g"), *p), pairs) if f]
    for failure in failures[:20]:
        print(f"FAILED {failure}\n")
    print(f"{len(pairs) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
