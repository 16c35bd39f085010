#!/usr/bin/env python3
"""Run transcripts of the command line and compare what it prints.

    run.py OMNIGRAPH CASE...         exit 0 when all are as written
    run.py --update OMNIGRAPH CASE...  write what was printed into the cases

A case is a text file:

    # a comment
    === file NAME          the lines up to the next mark go into NAME
    $ COMMAND              a line for sh; `omnigraph` is the program under test
    text                   its standard output
    2> text                its standard error
    ? 1                    its exit code when that is not 0
    ~ text                 a line of standard output whose last character is a blank is marked so

Each case runs in an empty folder of its own, which prints as DIR; ULIDs print as ULID. No terminal, no colours.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ULID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")


def parse(path):
    """The case as a list of ('file', name, lines), ('text', line) and ('run', command, lines)."""
    parts = []
    for line in open(path, encoding="utf-8").read().split("\n")[:-1]:
        if line.startswith("=== file "):
            parts.append(["file", line[9:], []])
        elif line.startswith("$ "):
            parts.append(["run", line[2:], []])
        elif parts and (parts[-1][0] == "file" or not line.startswith("#") and line):
            parts[-1][2].append(line)
        else:
            parts.append(["text", line, []])
    return parts


def shown(text, mark, folder):
    text = ULID.sub("ULID", text.replace(os.path.realpath(folder), "DIR").replace(folder, "DIR"))
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += "\\"  # no newline at the end
    lines = ["~ " + l if not mark and (l.endswith(" ") or l[:1] in "#~$" or l == "") else mark + l for l in lines]
    return lines


def run(command, folder, program):
    env = {"PATH": os.path.dirname(program) + ":/usr/bin:/bin", "HOME": folder, "LC_ALL": "C.UTF-8",
           "TZ": "UTC"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
        if name in os.environ:
            env[name] = os.environ[name]
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    out = shown(done.stdout.decode("utf-8", "replace"), "", folder)
    err = shown(done.stderr.decode("utf-8", "replace"), "2> ", folder)
    return out + err + ([f"? {done.returncode}"] if done.returncode else [])


def play(parts, program):
    """The parts as they should read, by running them."""
    folder = tempfile.mkdtemp(prefix="omnigraph-cli-")
    result = []
    try:
        for kind, text, lines in parts:
            if kind == "file":
                path = os.path.join(folder, text)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as f:
                    f.write("".join(line + "\n" for line in lines))
            elif kind == "run":
                lines = run(text, folder, program)
            result.append([kind, text, lines])
    finally:
        subprocess.run(["chmod", "-R", "u+rwx", folder])
        shutil.rmtree(folder, ignore_errors=True)
    return result


def write(path, parts):
    marks = {"file": "=== file ", "run": "$ ", "text": ""}
    with open(path, "w", encoding="utf-8") as f:
        for kind, text, lines in parts:
            f.write("".join(line + "\n" for line in [marks[kind] + text] + lines))


def main(args):
    update = args[:1] == ["--update"]
    program, cases = os.path.abspath(args[update]), args[update + 1:]
    failed = 0
    for path in cases:
        want = parse(path)
        got = play(want, program)
        if update:
            write(path, got)
        for (_, command, expected), (_, _, printed) in zip(want, got):
            if expected == printed or update:
                continue
            failed += 1
            print(f"{os.path.basename(path)}: $ {command}\n--- expected")
            print("\n".join(expected))
            print("--- printed")
            print("\n".join(printed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
