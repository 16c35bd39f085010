"""The two programs under comparison: how to find, run and understand them.

A result is judged by what the texts promise: exit code, standard output, and that our message contains
the reference's. ULIDs are made at the moment of writing, so every one is replaced by the word ULID.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import time

SKIPPED = 77  # the exit code that meson and the runner count as skipped
ULID = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
REPORT = re.compile(r"^\s*0: (.*?)(?=^\s*1: |^Location:|\Z)", re.S | re.M)

Result = collections.namedtuple("Result", "code out err")


def find_reference():
    """Path of the reference's program, or None: the folder $OMNIGRAPH_REFERENCE knows how to unpack it."""
    root = os.environ.get("OMNIGRAPH_REFERENCE")
    unpack = os.path.join(root, "oracle", "unpack") if root else ""
    if not os.path.exists(unpack):
        return None
    run = subprocess.run([unpack], capture_output=True, text=True, check=False)
    program = os.path.join(run.stdout.strip().split("\n")[-1], "omnigraph")
    return program if run.returncode == 0 and os.access(program, os.X_OK) else None


class Program:
    """One binary; every command runs in `cwd` with a plain environment."""

    def __init__(self, name, path, cwd):
        self.name, self.path, self.cwd = name, os.path.realpath(path), cwd
        self.env = {"PATH": os.environ.get("PATH", ""), "HOME": cwd, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        self.env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
        self.history, self.seconds = [], 0.0

    def run(self, *args, timeout=120):
        started = time.monotonic()
        self.history.append([self.path, *args])
        try:
            run = subprocess.run([self.path, *args], cwd=self.cwd, env=self.env, capture_output=True, timeout=timeout,
                                 stdin=subprocess.DEVNULL, check=False)
            result = Result(run.returncode, text(run.stdout), text(run.stderr))
        except subprocess.TimeoutExpired:
            result = Result(-1, "", f"no answer within {timeout} s")
        self.seconds += time.monotonic() - started
        return result

    def export(self, graph):
        """Every row of a graph as a sorted list of lines without ULIDs."""
        run = self.run("export", graph)
        if run.code:
            raise Failure(f"{self.name} can't export {graph}: {message(run)}")
        return sorted(without_ulids(run.out).splitlines())


class Failure(Exception):
    """A disagreement that no named difference explains."""


def text(raw):
    return raw.decode("utf-8", "surrogateescape")


def without_ulids(s):
    return ULID.sub("ULID", s)


def message(result):
    """What a failed command says, without the reference's report around it, white space made single."""
    err = ANSI.sub("", result.err)
    report = REPORT.search(err)
    return " ".join((report.group(1) if report else err).split())


def core_message(theirs):
    """The part of the reference's message that ours must contain."""
    said = message(theirs)
    said = re.sub(r"\s*= expected .*", "", said)  # of a syntax error: place and frame
    said = re.sub(r"(must provide non-nullable property) `.*", r"\1", said)  # of several, any one
    return without_ulids(said)


def same_refusal(ours, theirs):
    return core_message(theirs) in without_ulids(" ".join(ANSI.sub("", ours.out + ours.err).split()))


def rows_of(result):
    return json.loads(result.out)


def copy_graph(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
