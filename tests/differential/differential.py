#!/usr/bin/env python3
"""Random schemas, records, queries and mutations, given to our program and to the reference's.

    differential.py [--seeds A..B] [--binary PATH] [--jobs N]

Each seed is one graph: made, loaded, asked, changed, asked again and exported by both programs with the
same commands. Exit codes and standard output must agree (rows as multisets where no order is asked for,
ULIDs by shape), and where the reference refuses, our message must contain its own. What may differ stands
by name in docs/dev/architecture.md; where that is so, ours is held against an equivalent that the reference
answers rightly.
"""
import collections
import json
import random
import shlex

import deliberate
import queries
import suite
import writes
from differences import Differences
from graphs import Graph
from programs import Failure, copy_graph, message, rows_of, same_refusal, without_ulids

OURS, THEIRS = "ours.omni", "theirs.omni"


class Case:
    def __init__(self, seed, place):
        self.seed, self.place, self.rng = seed, place, random.Random(seed)
        self.coverage, self.differences = collections.Counter(), Differences()
        self.graph = Graph(self.rng, self.coverage)
        self.loads = 0

    # ---- running --------------------------------------------------------------------------------------

    def both(self, make):
        return self.place.ours.run(*make(OURS)), self.place.theirs.run(*make(THEIRS))

    def fail(self, what, reason, ours, theirs, make):
        def shown(result):
            return f"exit {result.code}\n      {(result.out + result.err)[:1500].strip()}"
        commands = [shlex.join([program.path, *make(graph)])
                    for program, graph in ((self.place.ours, OURS), (self.place.theirs, THEIRS))]
        raise Failure(f"seed {self.seed}, {what}: {reason}\n    {commands[0]}\n    {commands[1]}\n"
                      f"    ours: {shown(ours)}\n    reference: {shown(theirs)}")

    def agree(self, what, make, same_output):
        """Run a command on both and compare; returns our result."""
        return self.judge(what, make, same_output, *self.both(make))

    def judge(self, what, make, same_output, ours, theirs):
        reason = self.disagreement(ours, theirs, same_output)
        if reason:
            name = deliberate.explained(ours, theirs)
            if not (name and self.differences.allow(name)):
                self.fail(what, reason, ours, theirs, make)
            self.coverage["answer", "explained"] += 1
            if (ours.code == 0) != (theirs.code == 0) and what != "query":
                raise Diverged
        else:
            self.coverage["answer", "agreed" if ours.code == 0 else "refused by both"] += 1
        return ours

    def disagreement(self, ours, theirs, same_output):
        if ours.code != theirs.code:
            return "exit codes differ"
        if ours.code:
            return None if same_refusal(ours, theirs) else f"our message lacks {message(theirs)!r}"
        return same_output(ours, theirs)

    # ---- kinds of steps ---------------------------------------------------------------------------------

    def init(self):
        self.place.write("schema.pg", self.graph.schema)
        self.agree("init", lambda g: ["init", "--schema", "schema.pg", g], lambda a, b: None)

    def load(self, load):
        self.loads += 1
        name = self.place.write(f"load{self.loads}.jsonl", load.text)
        flag = ["--json"] if self.rng.random() < 0.5 else []
        return self.agree(f"load {load.mode}", lambda g: ["load", "--data", name, "--mode", load.mode, g, *flag], same_text)

    def mutate(self, mutation):
        ours, theirs = self.both(mutation.arguments)
        name = deliberate.explained(ours, theirs)
        if name in deliberate.SPLIT and mutation.steps and self.differences.allow(name):
            return self.compare_with_parts(mutation, ours, theirs)
        return self.judge("mutation", mutation.arguments, same_text, ours, theirs)

    def compare_with_parts(self, mutation, ours, theirs):
        """The reference refused the whole for a known reason; it gets the statements one by one."""
        counts = collections.Counter()
        for step in mutation.steps:
            part = self.place.theirs.run(*mutation.arguments(THEIRS, step))
            name = deliberate.explained(ours, part)
            if name and self.differences.allow(name):
                raise Diverged
            if part.code:
                self.fail("mutation", "the reference refuses a part", ours, part, mutation.arguments)
            counts.update({k: v for k, v in rows_of(part).items() if k.startswith("affected")})
        if any(rows_of(ours)[k] != v for k, v in counts.items()):
            self.fail("mutation", f"counts differ from {dict(counts)}", ours, theirs, mutation.arguments)
        return ours

    def query(self, query):
        if query.difference:
            return self.query_differently(query)
        ours = self.agree("query", query.arguments, lambda a, b: same_answer(query, a, b))
        if ours.code == 0 and query.format == "json":
            self.coverage["answer", "with rows" if rows_of(ours)["row_count"] else "without rows"] += 1
        return ours

    def query_differently(self, query):
        """Ours must answer as the reference does when asked in the way it answers rightly."""
        ours, theirs = self.both(query.arguments)
        if self.disagreement(ours, theirs, lambda a, b: same_answer(query, a, b)) and not self.differences.allow(query.difference):
            self.fail("query", f"{query.difference} is not listed", ours, theirs, query.arguments)
        if query.equivalent is None:
            reason = None if ours.code == 1 else "must be refused"
        elif ours.code:
            reason = "refused"
        else:
            wanted = query.equivalent(self.place.theirs, THEIRS)
            reason = deliberate.same_rows(rows_of(ours)["rows"], wanted)
        if reason:
            self.fail("query", f"{query.difference}: {reason}", ours, theirs, query.arguments)
        return ours

    def lenient_load(self, load):
        """Ours refuses; with --lenient it does what the reference does without."""
        self.loads += 1
        name = self.place.write(f"load{self.loads}.jsonl", load.text)

        def make(graph):
            return ["load", "--data", name, "--mode", load.mode, graph, "--json"]
        copy_graph(self.place.path(THEIRS), self.place.path("before.omni"))
        ours, theirs = self.both(make)
        if ours.code == theirs.code:
            return
        if not ours.code or theirs.code or not deliberate.refused_for(load.difference, ours):
            self.fail("load", f"not the difference {load.difference}", ours, theirs, make)
        if not self.differences.allow(load.difference):
            self.fail("load", f"{load.difference} is not listed", ours, theirs, make)
        if load.difference in deliberate.LENIENT:
            ours = self.place.ours.run(*make(OURS), "--lenient")
            if self.disagreement(ours, theirs, lambda a, b: None):
                self.fail("load --lenient", "is not what the reference does", ours, theirs, make)
            return
        copy_graph(self.place.path("before.omni"), self.place.path(THEIRS))

    def exports(self):
        ours, theirs = self.place.ours.export(OURS), self.place.theirs.export(THEIRS)
        self.coverage["answer", "export"] += 1
        if ours != theirs and deliberate.without_empty_blobs(ours) == deliberate.without_empty_blobs(theirs) and self.differences.allow("empty-blobs"):
            return
        if ours != theirs:
            only_ours = [line for line in ours if line not in theirs][:3]
            only_theirs = [line for line in theirs if line not in ours][:3]
            raise Failure(f"seed {self.seed}, exports differ ({len(ours)} and {len(theirs)} lines):\n"
                          f"    ours only: {only_ours}\n    reference only: {only_theirs}\n" + self.story())

    def story(self):
        return "\n".join("    " + shlex.join(command) for command in self.place.ours.history if command[1] not in ("query", "export"))

    # ---- the course of a case ---------------------------------------------------------------------------

    def run(self):
        try:
            self.course()
        except Diverged:
            self.coverage["answer", "graphs parted by a listed difference"] += 1
        return self.coverage, self.differences

    def course(self):
        graph, rng = self.graph, self.rng
        self.init()
        self.load(writes.first_load(graph))
        self.ask(4)
        self.refused(writes.bad_query(graph))
        for _ in range(rng.choice((1, 2, 2, 3))):
            self.change()
        self.exports()
        self.ask(3)
        deliberate_query = deliberate.query(graph)
        if deliberate_query:
            self.query(deliberate_query)
        deliberate_load = deliberate.load(graph)
        if deliberate_load:
            self.lenient_load(deliberate_load)
        delete = writes.node_delete(graph) if rng.random() < 0.6 else None
        if delete:
            self.mutate(delete)
            self.ask(1)
        self.exports()
        self.counts()

    def counts(self):
        """The tables of `snapshot` and their rows; versions may differ, as the reference commits each index by itself."""
        ours, theirs = self.both(lambda g: ["snapshot", g, "--json"])
        ours, theirs = ([(t["table_key"], t["row_count"], t["table_path"]) for t in rows_of(s)["tables"]] for s in (ours, theirs))
        if ours != theirs:
            raise Failure(f"seed {self.seed}, snapshots differ: {ours} and {theirs}\n" + self.story())

    def ask(self, count):
        for _ in range(count):
            self.query(queries.read_query(self.graph))

    def refused(self, text):
        self.agree("query", lambda g: ["query", g, "-e", text, "--params", '{"x": 1}', "--json"], lambda a, b: None)

    def change(self):
        graph = self.graph
        make = self.rng.choice((writes.append_load, writes.merge_load, writes.overwrite_load, writes.upserts, writes.upserts,
                                writes.edge_deletes, writes.bad_load, writes.bad_mutation, writes.mixed_mutation))
        step = make(graph)
        if isinstance(step, writes.Load):
            self.load(step)
        elif step:
            self.mutate(step)


class Diverged(Exception):
    """A listed difference left the two graphs unequal; the case ends."""


def same_text(ours, theirs):
    def plain(result):
        return without_ulids(result.out).replace(OURS, "G").replace(THEIRS, "G").strip()
    return None if plain(ours) == plain(theirs) else "standard output differs"


def same_answer(query, ours, theirs):
    if query.format != "json":
        return same_lines(query, ours, theirs)
    ours, theirs = json.loads(without_ulids(ours.out)), json.loads(without_ulids(theirs.out))
    for key in theirs:
        if key != "rows" and ours.get(key) != theirs[key]:
            return f"{key} differs"
    return same_rows(query, ours["rows"], theirs["rows"])


def same_lines(query, ours, theirs):
    """Text formats: the same lines; with a limit that ties leave open, as many."""
    a, b = without_ulids(ours.out).splitlines(), without_ulids(theirs.out).splitlines()
    if query.limit is not None:
        return None if len(a) == len(b) and a[:1] == b[:1] else "number of lines differs"
    if query.rounded:
        return None if len(a) == len(b) else "number of lines differs"
    return None if sorted(a) == sorted(b) else "lines differ"


def same_rows(query, ours, theirs):
    """Multisets, and the order keys in sequence; what ties with the last row of a limit may be another choice."""
    def canonical(row):
        return json.dumps({k: float(f"{v:.11g}") if k in query.rounded and v is not None else v for k, v in row.items()},
                          sort_keys=True)

    def keys(row):
        return [json.dumps(row.get(column)) for column, _ in query.order]
    if query.order and [keys(r) for r in ours] != [keys(r) for r in theirs]:
        return "order differs"
    if query.limit is not None and len(theirs) == query.limit:
        last = keys(theirs[-1])
        ours, theirs = ([r for r in rows if keys(r) != last] for rows in (ours, theirs))
    difference = deliberate.same_rows([json.loads(canonical(r)) for r in ours], [json.loads(canonical(r)) for r in theirs])
    return difference


def main(argv):
    options = suite.arguments(argv, __doc__, "1..320")
    reason = suite.prerequisites(options)
    if reason:
        return suite.skip(reason)
    differences, coverage, outcomes = Differences(), collections.Counter(), []
    cases = [(f"--seeds {seed}..{seed}", lambda place, seed=seed: Case(seed, place).run()) for seed in options.seeds]
    for outcome in suite.run_all(options, cases):
        outcomes.append(outcome)
        coverage.update(outcome.coverage)
        if outcome.differences:
            differences.merge(outcome.differences)
    report(coverage, differences)
    return suite.finish(__file__, options, outcomes)


def report(coverage, differences):
    suite.print_coverage(coverage)
    print("listed differences that occurred:")
    print("\n".join(differences.report()) or "  none")


if __name__ == "__main__":
    suite.start(main)
