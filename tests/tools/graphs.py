"""Graphs driven through the command line, for the drivers of tests/bad_input and tests/crash.

A driver makes a Runner, which runs each case in a folder of its own and counts; a case gets a Graph
and says what it expects of it. Nothing here needs more than Python's standard library.
"""
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import traceback

SCHEMA = """
node Person {
    name: String @key
    age: I32?
    size: I64?
    small: U32?
    big: U64?
    ratio: F32?
    exact: F64?
    born: Date?
    seen: DateTime?
    open: Bool?
    mood: enum(calm, happy)?
    note: String?
    tags: [String]?
    face: Vector(4)?
    picture: Blob?
}
node Company {
    name: String @key
    code: String?
    @unique(code)
}
edge Knows: Person -> Person { since: Date? note: String? }
edge WorksAt: Person -> Company { role: String }
"""

# What no output of a program that met bad input may hold, and no exit code may be.
CRASH_WORDS = ("Sanitizer", "runtime error", "Assertion", "core dumped")


class Skip(Exception):
    """A case that can't run here, with the reason."""


class Result:
    def __init__(self, args, code, out, err):
        self.args, self.code, self.out = args, code, out
        self.err = err.decode("utf-8", "replace")

    def __repr__(self):
        return f"{self.args} -> {self.code}\n{self.out[-300:]!r}\n{self.err[-2000:]}"


def run(binary, *args, stdin=None, timeout=120, cwd=None):
    """Run the program; fails when it crashed, whatever else was expected."""
    done = subprocess.run([binary, *args], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                          capture_output=True, timeout=timeout, cwd=cwd,
                          env={**os.environ, "NO_COLOR": "1"})
    result = Result(args, done.returncode, done.stdout, done.stderr)
    crashed = result.code not in (0, 1, 2) or any(w in result.err for w in CRASH_WORDS)
    assert not crashed, f"crashed: {result}"
    return result


class Graph:
    """A graph in `folder`; work files of the case lie in `scratch`."""

    def __init__(self, binary, folder, scratch):
        self.binary, self.folder, self.scratch = binary, folder, scratch
        self.writes = 0

    def run(self, *args, **more):
        return run(self.binary, *args, cwd=self.scratch, **more)

    def ok(self, *args, **more):
        result = self.run(*args, **more)
        assert result.code == 0, f"expected success: {result}"
        return result

    def init(self, schema=SCHEMA):
        path = os.path.join(self.scratch, "schema.pg")
        with open(path, "w") as f:
            f.write(schema)
        self.ok("init", "--schema", path, self.folder)

    def load(self, data, mode="merge", more=()):
        """`data`: records as a list, or the bytes of the file. The file's name is data.jsonl."""
        if isinstance(data, list):
            data = "".join(json.dumps(r) + "\n" for r in data).encode()
        with open(os.path.join(self.scratch, "data.jsonl"), "wb") as f:
            f.write(data)
        return self.run("load", "--mode", mode, "--data", "data.jsonl", *more, self.folder)

    def mutate(self, source, params=None, more=()):
        given = ("--params", json.dumps(params)) if params is not None else ()
        return self.run("mutate", "-e", source, *given, *more, self.folder)

    def query(self, source, params=None, more=()):
        given = ("--params", json.dumps(params)) if params is not None else ()
        return self.run("query", "--json", "-e", source, *given, *more, self.folder)

    def export(self):
        return self.ok("export", self.folder).out

    def still_works(self):
        """A load and a mutation succeed, and both are seen."""
        self.writes += 1
        names = [f"works-{self.writes}-load", f"works-{self.writes}-insert"]
        done = self.load([{"type": "Person", "data": {"name": names[0]}}])
        assert done.code == 0, f"load after the failure: {done}"
        done = self.mutate("query add($n: String) { insert Person { name: $n } }", {"n": names[1]})
        assert done.code == 0, f"mutation after the failure: {done}"
        after = self.export()
        assert all(f'"id":"{n}"'.encode() in after for n in names), "an acknowledged write is missing"


@contextlib.contextmanager
def refusing(graph):
    """Whatever happens inside leaves the graph as it was, byte for byte, and it still works."""
    before = graph.export()
    yield
    after = graph.export()
    assert after == before, "the graph changed"
    graph.still_works()


def expect(result, *parts, code=1):
    """The program refused, with each of `parts` in its message."""
    assert result.code == code, f"expected exit code {code}: {result}"
    assert result.err.startswith("Error: ") or "\nError: " in result.err, f"no error: {result}"
    for part in parts:
        assert part in result.err, f"expected {part!r} in the message: {result}"


def people(count, seed=1):
    """Records that make every encoding of a column occur: runs, few and many texts, nulls, lists."""
    r = random.Random(seed)
    words = ["".join(r.choice("abcdefgh") for _ in range(r.randint(3, 9))) for _ in range(200)]

    def maybe(value):
        return None if r.random() < 0.1 else value

    records = []
    for i in range(count):
        records.append({"type": "Person", "data": {
            "name": f"person-{i:05d}", "age": maybe(i % 90), "size": i * 1_000_003, "small": 7,
            "big": maybe(2**64 - 1 - i), "ratio": maybe(i / 8), "exact": maybe(i * 0.1),
            "born": maybe(f"19{i % 80 + 10}-01-02"), "seen": maybe("2024-05-06T07:08:09Z"),
            "open": maybe(i % 3 == 0), "mood": maybe(r.choice(["calm", "happy"])),
            "note": maybe(" ".join(r.choice(words) for _ in range(r.randint(0, 30)))),
            "tags": maybe([maybe(r.choice(words)) for _ in range(i % 4)]),
            "face": maybe([i, 0.5, -1, 2]), "picture": maybe("base64:" + "QUJD" * (i % 5))}})
    records += [{"type": "Company", "data": {"name": f"company-{i}", "code": f"c{i}"}}
                for i in range(max(1, count // 100))]
    for i in range(count):
        records.append({"edge": "Knows", "from": f"person-{i:05d}",
                        "to": f"person-{r.randrange(count):05d}",
                        "data": {"id": f"k{i:05d}", "since": maybe("2020-02-03"), "note": maybe(r.choice(words))}})
    return records


class Runner:
    """Cases by name; `filter`: only names that hold this text."""

    def __init__(self, filter_text=""):
        self.filter, self.cases = filter_text, []

    def case(self, function):
        self.cases.append((function.__name__, function))
        return function

    def add(self, name, function):
        self.cases.append((name, function))

    def run(self, make):
        """`make(scratch)` gives what a case is called with. Returns the exit code."""
        passed = failed = skipped = 0
        for name, function in self.cases:
            if self.filter not in name:
                continue
            scratch = tempfile.mkdtemp(prefix="omnigraph-test-")
            try:
                note = function(make(scratch))
                passed += 1
                print(f"ok       {name}" + (f": {note}" if note else ""), flush=True)
            except Skip as reason:
                skipped += 1
                print(f"skipped  {name}: {reason}", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as reason:
                failed += 1
                print(f"FAILED   {name}: {reason}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED   {name}: {traceback.format_exc()}", flush=True)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
        return 1 if failed > 0 or passed == 0 else 0


@contextlib.contextmanager
def small_disk(scratch, kib):
    """A file system of its own of so many KiB, for the time of the block; Skip where none can be made."""
    place = os.path.join(scratch, "disk")
    os.makedirs(place, exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", place], capture_output=True, text=True)
    if made.returncode != 0:
        raise Skip("no file system can be mounted: " + made.stderr.strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def enter_own_mounts():
    """Start again in a mount namespace (and user namespace) of our own, where one can be had, so that
    mounts need no rights and vanish with us."""
    if os.environ.get("OMNIGRAPH_TEST_NAMESPACE") or shutil.which("unshare") is None:
        return
    flags = "-m" if os.geteuid() == 0 else "-rm"
    if subprocess.run(["unshare", flags, "true"], capture_output=True).returncode == 0:
        os.environ["OMNIGRAPH_TEST_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", flags, sys.executable, *sys.argv])
