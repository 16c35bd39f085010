"""The program under test, spoken to by commands."""
import collections
import json
import os
import re
import subprocess

from model import Conflict, empty

ANSI = re.compile(r"\x1b\[[0-9;]*m")
# How the reference prints a conflict.
DEBUG = re.compile(r'MergeConflict \{ table_key: "([^"]*)", row_id: (?:Some\("((?:[^"\\]|\\.)*)"\)|None), kind: (\w+)')

Result = collections.namedtuple("Result", "code out err")


class Failure(Exception):
    """Program and model disagree."""


class Program:
    """One binary working on one graph in `cwd`."""

    def __init__(self, path, cwd, graph):
        self.path, self.cwd, self.graph = os.path.realpath(path), cwd, graph
        self.env = {"PATH": os.environ.get("PATH", ""), "HOME": cwd, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        self.env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
        self.history, self.last = [], None

    def run(self, *args):
        self.history.append(args)
        run = subprocess.run([self.path, *args], cwd=self.cwd, env=self.env, capture_output=True, timeout=120,
                             stdin=subprocess.DEVNULL, check=False)
        self.last = Result(run.returncode, run.stdout.decode("utf-8", "surrogateescape"),
                           run.stderr.decode("utf-8", "surrogateescape"))
        return self.last

    def must(self, *args):
        result = self.run(*args)
        if result.code != 0:
            raise Failure(f"{' '.join(args)}: exit {result.code}: {result.err[:2000]}")
        return result

    def init(self, schema):
        with open(os.path.join(self.cwd, "schema.pg"), "w", encoding="utf-8") as f:
            f.write(schema)
        self.must("init", "--schema", "schema.pg", self.graph)

    def load(self, branch, records):
        with open(os.path.join(self.cwd, "data.jsonl"), "w", encoding="utf-8") as f:
            f.write("".join(json.dumps(record) + "\n" for record in records))
        return self.run("load", "--data", "data.jsonl", "--mode", "merge", "--branch", branch, self.graph)

    def mutate(self, branch, statement):
        return self.run("mutate", "--branch", branch, "-e", "query q() { %s }" % statement, "--uri", self.graph)

    def create(self, name, source):
        self.must("branch", "create", "--uri", self.graph, "--from", source, name)

    def delete(self, name):
        self.must("branch", "delete", "--uri", self.graph, name)

    def merge(self, source, target, *options):
        """(outcome, conflicts), or None when the program failed."""
        result = self.run("branch", "merge", source, "--into", target, "--uri", self.graph, "--json", *options)
        if result.out.startswith("{"):
            told = json.loads(result.out)
            conflicts = [Conflict(c["table_key"], c["row_id"], c["kind"]) for c in told.get("merge_conflicts", [])]
            if (told["outcome"] == "conflicts") != (result.code == 1):
                raise Failure(f"merge {source} into {target}: {told['outcome']} with exit {result.code}")
            return told["outcome"], conflicts
        found = DEBUG.findall(ANSI.sub("", result.err))
        if not found:
            return None
        return "conflicts", [Conflict(table, json.loads(f'"{row}"') if row else None, snake(kind))
                             for table, row, kind in found]

    def state(self, branch):
        """What export tells, as the model keeps it."""
        state = empty()
        for line in self.must("export", "--branch", branch, self.graph).out.splitlines():
            record = json.loads(line)
            row = dict(record["data"])
            row_id = row.pop("id")
            if "edge" in record:
                state["edge:" + record["edge"]][row_id] = {**row, "from": record["from"], "to": record["to"]}
            else:
                state["node:" + record["type"]][row_id] = row
        return state


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def as_record(table, row_id, record):
    """A row of the model as input of load."""
    kind, _, name = table.partition(":")
    data = {key: value for key, value in record.items() if key not in ("from", "to") and value is not None}
    if kind == "node":
        return {"type": name, "data": data}
    return {"edge": name, "from": record["from"], "to": record["to"], "data": {"id": row_id, **data}}


def difference(expected, found):
    """The first few rows in which two states differ."""
    lines = []
    for table, rows in expected.items():
        for row in sorted(set(rows) | set(found[table])):
            if rows.get(row) != found[table].get(row):
                lines.append(f"{table} {row}: expected {rows.get(row)}, found {found[table].get(row)}")
    return "\n    ".join(lines[:6])
