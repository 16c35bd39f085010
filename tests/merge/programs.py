"""The program under test, spoken to by commands."""
import collections
import datetime
import json
import os
import re
import subprocess

from model import Conflict, empty

ANSI = re.compile(r"\x1b\[[0-9;]*m")
# How the reference prints a conflict.
DEBUG = re.compile(r'MergeConflict \{ table_key: "([^"]*)", row_id: (?:Some\("((?:[^"\\]|\\.)*)"\)|None), kind: (\w+), '
                   r'message: "((?:[^"\\]|\\.)*)"')
SUM = re.compile(r", xxh3 [0-9a-f]{16}")

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

    def load(self, branch, records, mode="merge"):
        with open(os.path.join(self.cwd, "data.jsonl"), "w", encoding="utf-8") as f:
            f.write("".join(json.dumps(record) + "\n" for record in records))
        return self.run("load", "--data", "data.jsonl", "--mode", mode, "--branch", branch, self.graph)

    def mutate(self, branch, statement):
        return self.run("mutate", "--branch", branch, "-e", "query q() { %s }" % statement, "--uri", self.graph)

    def create(self, name, source):
        self.must("branch", "create", "--uri", self.graph, "--from", source, name)

    def delete(self, name):
        self.must("branch", "delete", "--uri", self.graph, name)

    def merge(self, source, target, by_property=False, preview=False):
        """(outcome, conflicts, counts of a preview), or None when the program failed."""
        options = ["--property-level"] * by_property + ["--preview"] * preview
        result = self.run("branch", "merge", source, "--into", target, "--uri", self.graph, "--json", *options)
        if result.out.startswith("{"):
            told = merge_told(result.out)
            if (told[0] == "conflicts") != (result.code == 1):
                raise Failure(f"merge {source} into {target}: {told[0]} with exit {result.code}")
            return told
        found = DEBUG.findall(ANSI.sub("", result.err))
        if not found:
            return None
        return "conflicts", [Conflict(table, json.loads(f'"{row}"') if row else None, snake(kind),
                                      json.loads(f'"{message}"')) for table, row, kind, message in found], None

    def state(self, branch):
        return state_exported(self.must("export", "--branch", branch, self.graph).out)

    def diff(self, old, new):
        """The changes from one branch to another, as model.changes."""
        return changes_told(self.must("diff", "--json", "--uri", self.graph, old, new).out)

    def commits(self, branch):
        return json.loads(self.must("commit", "list", "--json", "--branch", branch, self.graph).out)["commits"]

    def optimize(self, branch):
        """How many tables got a version: each is a commit."""
        tables = json.loads(self.must("optimize", "--branch", branch, "--json", self.graph).out)["tables"]
        return sum(table["committed"] for table in tables)

    def cleanup(self, keep):
        self.must("cleanup", "--keep", str(keep), "--confirm", self.graph)

    def fsck(self):
        """What is wrong in the graph, as texts."""
        result = self.run("fsck", self.graph)
        return [] if result.code == 0 else [result.out + result.err]

    def close(self):
        """Each command opens the graph and closes it."""


def open_program(path, cwd, graph):
    """The engine as a command or, when the path is that of a shared library, in this process."""
    if ".so" in os.path.basename(path):
        import library  # pylint: disable=import-outside-toplevel
        return library.Library(path, cwd, graph)
    return Program(path, cwd, graph)


def place():
    """Where graphs are made: in memory, where the system has such a folder."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


# ---- what is told -------------------------------------------------------------------------------------

def merge_told(text):
    """Of a merge in JSON: (outcome, conflicts, counts by table); without a preview counts are None."""
    told = json.loads(text)
    conflicts = [Conflict(c["table_key"], c["row_id"], c["kind"], c["message"], values_told(c))
                 for c in told.get("merge_conflicts", [])]
    counts = {t["table_key"]: [t["inserted"], t["updated"], t["deleted"]] for t in told.get("tables", [])}
    return told["outcome"], conflicts, counts if "preview" in told else None


def values_told(conflict):
    values = [as_exported(conflict["property"], conflict[side]) for side in ("base", "ours", "theirs")]
    return None if values == [None] * 3 else (conflict["property"], *values)


def as_exported(name, value):
    """A value of a conflict or a difference as export prints it: dates are numbers of days. Of blobs that are told
    by a sum, without it."""
    if isinstance(value, dict):
        return {key: as_exported(key, part) for key, part in value.items()}
    if name == "since" and value is not None:
        return datetime.date.fromisoformat(value).toordinal() - datetime.date(1970, 1, 1).toordinal()
    return SUM.sub("", value) if isinstance(value, str) else value


def record_told(row):
    ends = {"src": "from", "dst": "to"}
    return row and {ends.get(name, name): value for name, value in as_exported(None, row).items()}


def changes_told(text):
    """Of a difference in JSON lines, as model.changes."""
    rows = [json.loads(line) for line in text.splitlines()]
    return {(f"{row['kind']}:{row['type']}", row["id"]): (record_told(row.get("before")), record_told(row.get("after")))
            for row in rows if "summary" not in row}


def state_exported(lines):
    """What export tells, as the model keeps it."""
    state = empty()
    for line in lines.splitlines():
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
