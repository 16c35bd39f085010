#!/usr/bin/env python3
"""Processes that die at any moment, and several writers at once.

    run.py OMNIGRAPH [FILTER]

Children of the program work on a real folder and are killed (SIGKILL) at random moments. Afterwards: what
was acknowledged is there, once; what was not is there whole or not at all; the next write succeeds;
reads meanwhile see whole commits only. OMNIGRAPH_SEED seeds the moments, OMNIGRAPH_SECONDS is the time for
each of the cases that kill (default 12). What a kill can't show, loss of power, is the memory store's to
show (tests/unit/graph).
"""
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools")]

import graphs  # noqa: E402

SECONDS = float(os.environ.get("OMNIGRAPH_SECONDS", "12"))
SEED = int(os.environ.get("OMNIGRAPH_SEED", str(int(time.time()))))
RETRY = "run the operation again"
SCHEMA = """
node Person { name: String @key  age: I32? }
node Company { name: String @key }
edge WorksAt: Person -> Company { role: String }
"""
# One commit of three tables: all of it is seen, or nothing.
HIRE = """query hire($n: String, $a: I32) {
    insert Person { name: $n, age: $a }
    insert Company { name: $n }
    insert WorksAt { from: $n, to: $n, role: "boss" }
}"""
# An interrupted init waits ten seconds for its process; a marker of this age does not.
OLD_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


class Content:
    """An export as names: person -> age, companies, and edges with their count."""

    def __init__(self, text):
        self.people, self.companies, self.edges = {}, set(), collections.Counter()
        for line in text.splitlines():
            record = json.loads(line)
            if "edge" in record:
                self.edges[record["from"], record["to"]] += 1
            elif record["type"] == "Person":
                assert record["data"]["id"] not in self.people, f"twice: {line}"
                self.people[record["data"]["id"]] = record["data"]["age"]
            else:
                assert record["data"]["id"] not in self.companies, f"twice: {line}"
                self.companies.add(record["data"]["id"])

    def check_whole(self):
        """Every hire is there in all three tables, once."""
        assert set(self.people) == self.companies, sorted(set(self.people) ^ self.companies)[:5]
        assert set(self.edges) == {(n, n) for n in self.people}, "edges without people, or the reverse"
        assert all(n == 1 for n in self.edges.values()), self.edges.most_common(3)


def start(graph, *args):
    return subprocess.Popen([graph.binary, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, cwd=graph.scratch, env={**os.environ, "NO_COLOR": "1"})


def finish(process, kill_after=None):
    """'done', 'killed', or 'conflict'; anything else fails."""
    try:
        _, err = process.communicate(timeout=kill_after if kill_after is not None else 120)
    except subprocess.TimeoutExpired:
        assert kill_after is not None, "a write did not come to its end"
        process.send_signal(signal.SIGKILL)
        _, err = process.communicate()
    if process.returncode == 0:
        return "done"
    if process.returncode == -signal.SIGKILL:
        return "killed"
    text = err.decode("utf-8", "replace")
    assert process.returncode == 1 and RETRY in text, f"exit code {process.returncode}: {text}"
    return "conflict"


def hire_args(graph, name, age):
    return "mutate", "-e", HIRE, "--params", json.dumps({"n": name, "a": age}), graph.folder


class Reader(threading.Thread):
    """Exports again and again while others write; each must show whole commits, and never fewer rows."""

    def __init__(self, graph):
        super().__init__(daemon=True)
        self.graph, self.reads, self.failure, self.stopped = graph, 0, None, False
        self.start()

    def run(self):
        seen = 0
        while not self.stopped and self.failure is None:
            try:
                content = Content(self.graph.export())
                content.check_whole()
                assert len(content.people) >= seen, f"{len(content.people)} people after {seen}"
                seen = len(content.people)
                self.reads += 1
            except (AssertionError, ValueError) as failure:
                self.failure = failure

    def stop(self):
        self.stopped = True
        self.join()
        assert self.failure is None, f"while others wrote: {self.failure}"
        return self.reads


class Writer(threading.Thread):
    """Hires `count` names of its own, or as many as fit into the time; kills some of its processes, and
    tries conflicts again."""

    def __init__(self, graph, number, count, kill_share, until):
        super().__init__(daemon=True)
        self.graph, self.number, self.count, self.kill_share, self.until = graph, number, count, kill_share, until
        self.random, self.typical = random.Random(SEED * 100 + number), 0.05
        self.done, self.unknown, self.conflicts, self.failure = set(), set(), 0, None
        self.start()

    def run(self):
        try:
            for i in range(self.count):
                if time.monotonic() > self.until:
                    break
                self.hire(f"w{self.number}-{i:04d}", i)
        except Exception as failure:  # told to the case's thread
            self.failure = failure

    def hire(self, name, age):
        while True:
            killed = self.random.random() < self.kill_share
            began = time.monotonic()
            end = finish(start(self.graph, *hire_args(self.graph, name, age)),
                         self.random.uniform(0, self.typical * 1.2) if killed else None)
            if end == "done":
                self.typical = 0.8 * self.typical + 0.2 * (time.monotonic() - began)
                self.done.add(name)
                return
            if end == "killed":
                self.unknown.add(name)
                return
            self.conflicts += 1
            time.sleep(self.random.uniform(0, 0.02))


def write_together(graph, count, kill_share, seconds):
    graph.init(SCHEMA)
    reader = Reader(graph)
    until = time.monotonic() + seconds
    writers = [Writer(graph, n, count, kill_share, until) for n in range(4)]
    for w in writers:
        w.join()
    reads = reader.stop()
    for w in writers:
        assert w.failure is None, f"writer {w.number}: {w.failure!r}"
    done = set().union(*(w.done for w in writers))
    unknown = set().union(*(w.unknown for w in writers))
    began = time.monotonic()
    assert finish(start(graph, *hire_args(graph, "last", 1))) == "done", "the next write"
    waited = time.monotonic() - began
    content = Content(graph.export())
    content.check_whole()
    names = set(content.people) - {"last"}
    assert done <= names, f"acknowledged and gone: {sorted(done - names)[:5]}"
    assert names <= done | unknown, f"nobody wrote: {sorted(names - done - unknown)[:5]}"
    assert reads > 0 and done
    conflicts = sum(w.conflicts for w in writers)
    return (f"{len(done)} acknowledged, {len(unknown)} killed of which {len(names & unknown)} are there, "
            f"{conflicts} conflicts, {reads} reads, next write after {waited:.1f} s")


def several_writers(graph):
    return write_together(graph, 25, 0, 60)


class OwnRows(threading.Thread):
    """Inserts, updates, deletes and loads people that nobody else touches, edges to a company that all
    share; each operation by a process of its own."""

    def __init__(self, graph, number, count):
        super().__init__(daemon=True)
        self.graph, self.number, self.count = graph, number, count
        self.people, self.edges, self.done, self.conflicts, self.failure = {}, set(), 0, [], None
        self.start()

    def run(self):
        try:
            for i in range(self.count):
                self.step(i, f"w{self.number}-{i:03d}", f"w{self.number}-{i - i % 4:03d}")
        except Exception as failure:  # told to the case's thread
            self.failure = failure

    def step(self, i, name, older):
        people, edges = dict(self.people), set(self.edges)
        if i % 4 == 0:
            people[name] = i
            args = self.mutation("insert Person { name: $n, age: $a }", name, i)
        elif i % 4 == 1:
            people[older] = 1000 + i
            args = self.mutation("update Person set { age: $a } where name = $n", older, 1000 + i)
        elif i % 4 == 2:
            people[name] = i
            edges.add((name, "shared"))
            args = self.load([{"type": "Person", "data": {"name": name, "age": i}},
                              {"edge": "WorksAt", "from": name, "to": "shared", "data": {"role": "all"}}])
        else:
            people.pop(older)
            args = self.mutation("delete Person where name = $n", older, i)
        out = subprocess.run([self.graph.binary, *args, self.graph.folder], cwd=self.graph.scratch,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if out.returncode == 0:
            self.people, self.edges, self.done = people, edges, self.done + 1
        else:
            assert RETRY in out.stderr, out.stderr
            self.conflicts.append(out.stderr)

    @staticmethod
    def mutation(statement, name, age):
        return ("mutate", "-e", f"query q($n: String, $a: I32) {{ {statement} }}", "--params",
                json.dumps({"n": name, "a": age}))

    def load(self, records):
        path = os.path.join(self.graph.scratch, f"rows{self.number}.jsonl")
        with open(path, "w") as f:
            f.writelines(json.dumps(record) + "\n" for record in records)
        return "load", "--mode", "append", "--data", path


def own_rows(graph):
    """Eight processes on one branch: what is acknowledged is there, what is refused is not, and all but
    one in a hundred go through."""
    graph.init(SCHEMA)
    with open(os.path.join(graph.scratch, "shared.jsonl"), "w") as f:
        f.write(json.dumps({"type": "Company", "data": {"name": "shared"}}))
    graph.ok("load", "--mode", "append", "--data", os.path.join(graph.scratch, "shared.jsonl"), graph.folder)
    began = time.monotonic()
    writers = [OwnRows(graph, n, 20) for n in range(8)]
    for w in writers:
        w.join()
        assert w.failure is None, f"writer {w.number}: {w.failure!r}"
    took = time.monotonic() - began
    content = Content(graph.export())
    people = {name: age for w in writers for name, age in w.people.items()}
    edges = set().union(*(w.edges for w in writers))
    assert content.people == people, sorted(set(content.people.items()) ^ set(people.items()))[:5]
    assert set(content.edges) == edges and all(n == 1 for n in content.edges.values())
    done, conflicts = sum(w.done for w in writers), [c for w in writers for c in w.conflicts]
    assert len(conflicts) * 100 <= done, f"{len(conflicts)} conflicts of {done}: {conflicts[0]}"
    return f"{done} acknowledged in {took:.1f} s, {len(conflicts)} conflicts"


def several_writers_killed(graph):
    return write_together(graph, 10_000, 0.3, SECONDS)


# ---- one writer after the other, each killed: an operation is what it makes of {name: age}, and a command


def insert(r, step):
    name = f"p{r.randrange(40):02d}"
    return lambda people: {**people, name: step}, (
        "mutate", "-e", "query q($n: String, $a: I32) { insert Person { name: $n, age: $a } }",
        "--params", json.dumps({"n": name, "a": step}))


def update(r, step):
    below = r.randrange(step + 1)
    return lambda people: {n: step if a < below else a for n, a in people.items()}, (
        "mutate", "-e", "query q($b: I32, $a: I32) { update Person set { age: $a } where age < $b }",
        "--params", json.dumps({"b": below, "a": step}))


def delete(r, _):
    name = f"p{r.randrange(40):02d}"
    return lambda people: {n: a for n, a in people.items() if n != name}, (
        "mutate", "-e", "query q($n: String) { delete Person where name = $n }", "--params", json.dumps({"n": name}))


def load(r, step):
    mode = r.choice(["merge", "merge", "overwrite"])
    rows = {f"p{i:02d}": step for i in r.sample(range(40), r.randrange(1, 40))}
    records = [{"type": "Person", "data": {"name": name, "age": age}} for name, age in rows.items()]
    text = "".join(json.dumps(record) + "\n" for record in records)
    return lambda people: {**(people if mode == "merge" else {}), **rows}, (
        "load", "--mode", mode, "--data", ("data.jsonl", text))


class Expected:
    """What may be seen. An operation that was killed with its slots taken is nobody's yet: the next
    writer finishes it, or undoes it."""

    def __init__(self):
        self.people, self.pending = {}, []

    def after(self, operation, seen, acknowledged):
        """What became of it, or None when `seen` can't be."""
        helped = [p(self.people) for p in self.pending]
        made = [operation(people) for people in [self.people, *helped]]
        if acknowledged and seen not in made:
            return None
        if seen == self.people: # nothing, or an operation that changes nothing: what pends may go on so
            self.pending += [] if acknowledged else [operation]
        elif seen in made or seen in helped:
            self.people, self.pending = seen, [] if acknowledged else [operation]
        else:
            return None
        return "done" if acknowledged else "killed, and there" if seen in made else "killed, and not there"


def one_writer_killed(graph):
    graph.init(SCHEMA)
    r = random.Random(SEED)
    expected, step, ends, longest = Expected(), 0, collections.Counter(), 0.0
    typical = collections.defaultdict(lambda: 0.05)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        step += 1
        make = r.choice([insert, update, delete, load])
        operation, args = make(r, step)
        if make is load:
            with open(os.path.join(graph.scratch, args[-1][0]), "w") as f:
                f.write(args[-1][1])
            args = (*args[:-1], args[-1][0])
        kill_after = r.uniform(0, 1.2 * typical[make]) if r.random() < 0.7 else None
        began = time.monotonic()
        end = finish(start(graph, *args, graph.folder), kill_after)
        took = time.monotonic() - began
        assert end != "conflict", "a dead writer's conflict"
        if kill_after is None:
            typical[make], longest = min(took, 0.8 * typical[make] + 0.2 * took), max(longest, took)
        seen = Content(graph.export()).people
        became = expected.after(operation, seen, end == "done")
        assert became is not None, (f"step {step} of seed {SEED}, {end}, {args}: neither before nor after: there {seen}, "
                                    f"before {expected.people}")
        ends[became] += 1
    assert ends["done"] > 0 and ends["killed, and not there"] > 0, ends
    return ", ".join(f"{n} {what}" for what, n in sorted(ends.items())) + f", longest write {longest:.1f} s"


def init_killed(graph):
    """No graph, or a whole one; and init may be repeated."""
    schema = os.path.join(graph.scratch, "schema.pg")
    with open(schema, "w") as f:
        f.write(SCHEMA)
    r, typical = random.Random(SEED), 0.05
    ends = collections.Counter()
    until = time.monotonic() + SECONDS / 2
    while time.monotonic() < until:
        shutil.rmtree(graph.folder, ignore_errors=True)
        end = finish(start(graph, "init", "--schema", schema, graph.folder), r.uniform(0, 1.2 * typical))
        seen = graph.run("export", graph.folder)
        ends[end, seen.code] += 1
        assert end == "killed" or seen.code == 0
        marker = os.path.join(graph.folder, "_omnigraph", "init.json")
        if seen.code != 0:
            if os.path.exists(marker):
                with open(marker, "w") as f:
                    f.write(OLD_ULID)
            began = time.monotonic()
            graph.ok("init", "--schema", schema, graph.folder)
            typical = time.monotonic() - began
        assert finish(start(graph, *hire_args(graph, "first", 1))) == "done"
        Content(graph.export()).check_whole()
    assert ends["killed", 1] > 0, ends
    return f"{sum(ends.values())} inits, {ends['killed', 1]} left no graph, {ends['killed', 0]} were killed and whole"


def forced_init_killed(graph):
    """The old graph or the new one, never neither."""
    began = time.monotonic()
    graph.init(SCHEMA)
    typical = time.monotonic() - began
    schema = os.path.join(graph.scratch, "schema.pg")
    r = random.Random(SEED)
    ends = collections.Counter()
    until = time.monotonic() + SECONDS / 2
    while time.monotonic() < until:
        assert finish(start(graph, *hire_args(graph, "old", 1))) == "done"
        end = finish(start(graph, "init", "--force", "--schema", schema, graph.folder), r.uniform(0, 1.2 * typical))
        people = Content(graph.export()).people
        ends[end, len(people)] += 1
        assert len(people) == 1 or end in ("done", "killed") and not people
        assert end != "done" or not people
    assert ends["killed", 1] > 0, ends
    return f"{ends['killed', 1]} kept the old graph, {ends['killed', 0] + ends['done', 0]} have the new one"


def main():
    runner = graphs.Runner(sys.argv[2] if len(sys.argv) > 2 else "")
    for function in (several_writers, own_rows, several_writers_killed, one_writer_killed, init_killed, forced_init_killed):
        runner.case(function)
    print(f"seed {SEED}")

    def make(scratch):
        return graphs.Graph(os.path.abspath(sys.argv[1]), os.path.join(scratch, "g.omni"), scratch)

    return runner.run(make)


if __name__ == "__main__":
    sys.exit(main())
