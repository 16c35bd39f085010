#!/usr/bin/env python3
"""Schemas on us and on the reference: of accepted ones the files of `init` must be equal byte for
byte, of refused ones the message, and for syntax errors the frame with its place.

    schemas.py OMNIGRAPH [--seed N] [--schemas N] [--mutants N] [FILE.pg ...]

The files given, random schemas, and mutants of both (schema_gen.py). The reference's program comes
from the folder OMNIGRAPH_REFERENCE; without it the answer is SKIPPED.
"""
import argparse
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile

import schema_gen

# What docs/dev/architecture.md calls refused-at-init: the reference accepts it.
OURS_ALONE = re.compile(r"@default on |declares @default multiple times|@check on \S+: |"
                        r"@range on \S+: (a bound is beyond the largest number|no value is within)")
# Where the reference refuses in its storage layer it prints more than the sentence.
STORAGE = re.compile(r'Duplicate field name "\w+" in schema:|'
                     r"The column \w+ is a reserved name and cannot be used in a Lance dataset")


def find_reference():
    """Path of the reference's program, or None."""
    unpack = os.path.join(os.environ.get("OMNIGRAPH_REFERENCE", ""), "oracle", "unpack")
    if not os.access(unpack, os.X_OK):
        return None
    folder = subprocess.run([unpack], capture_output=True, text=True, check=True).stdout.strip()
    return os.path.join(folder, "omnigraph")


def reference_message(stderr):
    """The first report without colours, numbers and indentation, and control characters spelled out."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", stderr)
    report = text.split("   0: ", 1)[-1]
    report = re.split(r"\n   1: |\n\nLocation:", report)[0]
    text = "\n".join(line[6:] if line.startswith("      ") else line for line in report.split("\n"))
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda c: f"\\u{ord(c[0]):04x}", text)


def init(program, path, folder):
    """(True, the files that tell the schema) or (False, stderr)"""
    run = subprocess.run([program, "init", "--schema", path, folder], capture_output=True,
                         cwd=os.path.dirname(path), env=dict(os.environ, NO_COLOR="1"))
    if run.returncode != 0:
        stderr = run.stderr.decode()
        return False, stderr if run.returncode == 1 else f"CRASH {run.returncode} {stderr}"
    files = {}
    for name in "_schema.ir.json", "__schema_state.json", "_schema.pg":
        with open(os.path.join(folder, name), newline="") as f:
            files[name] = f.read()
    return True, files


def same_refusal(ours, theirs):
    if not ours.startswith("Error: "):
        return False
    ours, theirs = ours[len("Error: "):], reference_message(theirs)
    storage = STORAGE.search(theirs)
    if storage:
        return STORAGE.search(ours) is not None
    # A frame is the whole message; a sentence is followed by the place.
    return ours.startswith(theirs + "\n")


def compare(reference, program, source):
    """'accepted', 'refused', 'refused at init', or what differs."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "schema.pg")
        with open(path, "w", newline="") as f:
            f.write(source)
        theirs, ours = (init(p, path, os.path.join(folder, name))
                        for p, name in ((reference, "theirs"), (program, "ours")))
    if theirs[0] and not ours[0] and OURS_ALONE.search(ours[1]):
        return "refused at init"
    if theirs[0] and ours[0]:
        different = [f"{name}: {text} want {theirs[1][name]}" for name, text in ours[1].items()
                     if text != theirs[1][name]]
        return different[0] if different else "accepted"
    if not theirs[0] and not ours[0] and same_refusal(ours[1], theirs[1]):
        return "refused"
    return f"we: {ours}\nreference: {theirs}"


def cases(args):
    files = [(path, open(path, newline="").read()) for path in args.files]
    yield from files
    for i in range(args.schemas):
        yield f"schema {args.seed}/{i}", schema_gen.schema(random.Random(f"{args.seed}/{i}"))
    for i in range(args.mutants):
        rng = random.Random(f"{args.seed}/mutant/{i}")
        base = rng.choice(files)[1] if rng.random() < 0.2 and files else schema_gen.schema(rng)
        yield f"mutant {args.seed}/{i}", schema_gen.mutant(base, rng)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--schemas", type=int, default=300)
    parser.add_argument("--mutants", type=int, default=1000)
    parser.add_argument("--show", type=int, default=10, help="failures printed with their text")
    args = parser.parse_intermixed_args()
    args.program = os.path.abspath(args.program)
    reference = find_reference()
    if reference is None:
        print("SKIPPED: no OMNIGRAPH_REFERENCE")
        return 77
    counts, failures = {}, []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        names, sources = zip(*cases(args))
        for name, source, result in zip(names, sources, pool.map(lambda s: compare(reference, args.program, s), sources)):
            known = result in ("accepted", "refused", "refused at init")
            counts[result if known else "failed"] = counts.get(result if known else "failed", 0) + 1
            if not known:
                failures.append((name, result, source))
    for name, result, source in failures[:args.show]:
        print(f"---- {name}: {result}\n{source}")
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    print(f"{len(names) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
