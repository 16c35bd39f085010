#!/usr/bin/env python3
"""One program is killed at a random moment of a write, the other goes on.

    killed.py [--seeds A..B] [--binary PATH] [--jobs N]

A seed is one kill (SIGKILL): of the reference by even seeds, of ours by every other odd one. Whoever exports
the graph then must see it as it was before the write, or after it; nothing between. Writes of both
programs must go through again, and at the end both see the same. What a dead writer left half done is
left to it for ten seconds, so all kills come first, then one wait, then the looks.

By the other odd seeds ours is only stopped (SIGSTOP), while the reference reads, and so acts on what it takes
for a dead writer's. Then ours goes on, and must come to its end, whatever became of its tables.
"""
import collections
import functools
import json
import os
import random
import signal
import subprocess
import threading
import time

import suite
from programs import Failure, message, without_ulids

GRAPH, GRACE = "graph.omni", 11.0
SCHEMA = """
node Person { name: String @key  age: I32? }
node Company { name: String @key }
edge WorksAt: Person -> Company { role: String? }
edge Knows: Person -> Person
"""
OPERATIONS = ("merge load", "overwrite load", "insert", "update", "delete", "branch merge")
# Of the time that the first such write took, in which programs were loaded, too.
SHARE = {"ours": (0.05, 0.5), "reference": (0.2, 1.0)}
typical, wait = {}, {"until": 0.0, "left": 0}
lock, busy = threading.Condition(), threading.Semaphore(2)


def person(name, age):
    return {"type": "Person", "data": {"name": name, "age": age}}


def edge(kind, source, target):
    return {"edge": kind, "from": source, "to": target, "data": {}}


def lines(records):
    return "".join(json.dumps(r) + "\n" for r in records)


def base():
    records = [person(f"p{i:02d}", i) for i in range(12)] + [{"type": "Company", "data": {"name": c}} for c in "xy"]
    return records + [edge("WorksAt", f"p{i:02d}", "xy"[i % 2]) for i in range(12)] + [edge("Knows", f"p{i:02d}", "p00") for i in range(1, 6)]


def operation(kind, place):
    """The arguments of the write that is to be killed; what must be done before it is done."""
    mutate = ("mutate", GRAPH, "-e")
    if kind == "insert":
        return *mutate, 'query q() { insert Person { name: "new", age: 1 } insert WorksAt { from: "new", to: "x" } }'
    if kind == "update":
        return *mutate, "query q() { update Person set { age: 99 } where age < 6 }"
    if kind == "delete":
        return *mutate, 'query q() { delete Person where name = "p00" }'
    changed = [person(f"p{i:02d}", 50 + i) for i in range(6, 16)] + [edge("WorksAt", "p15", "y"), edge("Knows", "p14", "p15")]
    if kind == "branch merge":
        place.write("branch.jsonl", lines(changed))
        for args in (("branch", "create", "work", "--uri", GRAPH), ("load", "--data", "branch.jsonl", "--mode", "merge", "--branch", "work", GRAPH)):
            must(place.theirs.run(*args), " ".join(args[:2]))
        return "branch", "merge", "work", "--into", "main", "--uri", GRAPH
    mode = kind.split()[0]
    place.write("next.jsonl", lines(changed if mode == "merge" else base()[:9] + base()[12:13] + [edge("WorksAt", "p01", "x"), edge("Knows", "p01", "p02")]))
    return "load", "--data", "next.jsonl", "--mode", mode, GRAPH


def must(run, what):
    if run.code:
        raise Failure(f"{what}: {message(run)}")
    return run


def seen_by(program):
    return sorted(without_ulids(must(program.run("export", GRAPH), f"export by {program.name}").out).splitlines())


def start_graph(place):
    place.write("schema.pg", SCHEMA)
    place.write("base.jsonl", lines(base()))
    must(place.theirs.run("init", "--schema", "schema.pg", GRAPH), "init")
    must(place.theirs.run("load", "--data", "base.jsonl", "--mode", "overwrite", GRAPH), "load")


def kill_after(program, args, seconds):
    child = subprocess.Popen([program.path, *args], cwd=program.cwd, env=program.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()
    return child.returncode


def stop_after(place, args, seconds):
    """Stop ours, let the reference read, let ours go on."""
    child = subprocess.Popen([place.ours.path, *args], cwd=place.ours.cwd, env=place.ours.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    child.send_signal(signal.SIGSTOP)
    met = child.poll() is None
    must(place.theirs.run("query", GRAPH, "-e", "query q() { match { $p: Person } return { $p.name } }"), "a query meanwhile")
    child.send_signal(signal.SIGCONT)
    _, err = child.communicate(timeout=120)
    if child.returncode:
        raise Failure(f"stopped for a while, then: {err}")
    return met


def all_are_killed():
    """The last of the kills begins the wait, and all wait for its end."""
    with lock:
        wait["left"] -= 1
        wait["until"] = time.monotonic() + GRACE
        lock.notify_all()
        while wait["left"] > 0:
            lock.wait()
    time.sleep(max(0.0, wait["until"] - time.monotonic()))


def expected_of(place, options, kind, who):
    """The exports before and after the write, and how long it takes: done once on a graph of its own."""
    with lock:
        known = typical.get((kind, who))
    if known is None:
        aside = suite.Workplace(options)
        try:
            start_graph(aside)
            args, before = operation(kind, aside), seen_by(aside.theirs)
            program = aside.theirs if who == "reference" else aside.ours
            began = time.monotonic()
            must(program.run(*args), f"{kind} by {who}")
            known = before, seen_by(aside.theirs), time.monotonic() - began
        finally:
            aside.close()
        with lock:
            typical[kind, who] = known
    return known


def add_person(place, program, name, known):
    file = place.write(f"{name}.jsonl", lines([person(name, 7)]))
    must(program.run("load", "--data", file, "--mode", "merge", GRAPH), f"the next write, by {program.name}")
    seen = seen_by(program)
    rest = [line for line in seen if f'"name":"{name}"' not in line]
    if len(rest) != len(seen) - 1 or rest not in known:
        raise Failure(f"after the next write by {program.name} neither before nor after: "
                      f"{[x for x in rest if x not in known[0]][:3]} {[x for x in known[0] if x not in rest][:3]}")
    return [seen]


def killed(options, seed, place):
    rng = random.Random(seed)
    who = "ours" if seed % 2 else "reference"
    kind = OPERATIONS[seed // 4 % len(OPERATIONS)]
    try:
        with busy:
            before, after, seconds = expected_of(place, options, kind, who)
            start_graph(place)
            args = operation(kind, place)
            dying, pause = place.ours if who == "ours" else place.theirs, rng.uniform(*SHARE[who]) * seconds
            if seed % 4 == 3:
                met = stop_after(place, args, pause)
            else:
                code = kill_after(dying, args, pause)
    finally:
        all_are_killed()
    if seed % 4 == 3:
        for program in (place.ours, place.theirs):
            if seen_by(program) != after:
                raise Failure(f"{kind}, stopped for a while: {program.name} does not see all of it, once")
        return collections.Counter({("ours stopped", kind if met else f"{kind} (done)"): 1}), None
    with busy:
        return go_on(place, kind, who, code, before, after)


def go_on(place, kind, who, code, before, after):
    other = place.theirs if who == "ours" else place.ours
    coverage = collections.Counter({(f"{who} killed", kind if code < 0 else f"{kind} (done)"): 1})
    if who == "reference":
        now = seen_by(place.ours)
        coverage["seen by ours", "after" if now == after else "before"] += 1
        if now not in (before, after):
            raise Failure(f"{kind}: ours sees neither before nor after")
    known = add_person(place, other, "q1", [before, after])
    known = add_person(place, place.ours if other is place.theirs else place.theirs, "q2", known)
    if seen_by(place.ours) != seen_by(place.theirs):
        raise Failure(f"{kind}: both go on, and see different things")
    left = [n for n in os.listdir(place.path(GRAPH + "/__recovery")) if n.endswith(".json")] \
        if os.path.isdir(place.path(GRAPH + "/__recovery")) else []
    if left:
        raise Failure(f"{kind}: sidecars stay: {left}")
    return coverage, None


def main(argv):
    options = suite.arguments(argv, __doc__.split("\n")[0], "0..23")
    reason = suite.prerequisites(options)
    if reason:
        return suite.skip(reason)
    seeds = list(options.seeds)
    wait["left"], options.jobs = len(seeds), len(seeds)
    cases = [(f"--seeds {seed}", functools.partial(killed, options, seed)) for seed in seeds]
    outcomes, coverage = list(suite.run_all(options, cases)), collections.Counter()
    for outcome in outcomes:
        coverage.update(outcome.coverage)
    suite.print_coverage(coverage)
    return suite.finish(__file__, options, outcomes)


if __name__ == "__main__":
    suite.start(main)
