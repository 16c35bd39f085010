#!/usr/bin/env python3
"""What holds for the whole tree: check.py ROOT

- layers: a folder of src includes only folders below it, and another's _priv.h never;
- functions that are never called: their limits can't be told or they depend on the locale;
- text: UTF-8, no tabs, no blanks at the end of a line, a newline at the end, lines of 120 columns at most;
- files of at most 1,000 lines;
- each case of tests/cli is a test.
"""
import os
import re
import sys

# docs/dev/architecture.md, Layers: what each folder of src may include.
BELOW = {
    "base": set(),
    "store": {"base"},
    "columnar": {"base"},
    "lance": {"store", "columnar", "base"},
    "lancetool": {"lance", "store", "columnar", "base"},
    "lang": {"columnar", "base"},
    "topo": {"lance", "store", "columnar", "base"},
    "exec": {"topo", "lang", "lance", "store", "columnar", "base"},
    "graph": {"exec", "topo", "lang", "lance", "store", "columnar", "base"},
    "api": {"graph", "exec", "topo", "lang", "lance", "store", "columnar", "base"},
    "cli": {"base"},
}
NEVER = ["strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "gets", "atoi", "atol", "atoll", "atof", "strtok",
         "localtime", "gmtime", "ctime", "asctime", "mktime", "tmpnam", "mktemp", "rand", "srand", "alloca",
         "setlocale", "longjmp", "setjmp"]
# Of C's heap only base/alloc.c may know; strtod and its kin depend on the locale.
ONLY_BASE = ["malloc", "calloc", "realloc", "free", "strdup", "strtod", "strtof"]
CALL = re.compile(r"(?<![\w.>])(" + "|".join(NEVER) + r")\s*\(")
BASE_CALL = re.compile(r"(?<![\w.>])(" + "|".join(ONLY_BASE) + r")\s*\(")
INCLUDE = re.compile(r'^#include "(?:([a-z]+)/)?([^"]*)"')
MAX_COLUMNS = 120  # .clang-format lays out at 100; a comment may stand over it
MAX_LINES = 1000


def without_comments_and_text(source):
    """Comments and literals blanked out, lines kept."""
    blank = lambda m: re.sub(r"[^\n]", " ", m.group())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, source, flags=re.S)


def check_includes(path, source):
    parts = path.split("/")
    if parts[0] != "src":
        return
    layer = parts[1]
    for number, line in enumerate(source.split("\n"), 1):
        found = INCLUDE.match(line)
        folder = found and found.group(1)
        if not folder or folder == layer:
            continue
        if folder not in BELOW.get(layer, set()):
            yield number, f"{layer} may not include {folder}"
        elif found.group(2).endswith("_priv.h"):
            yield number, f"{found.group(2)} is private to {folder}"


def check_calls(path, source):
    code = without_comments_and_text(source)
    for number, line in enumerate(code.split("\n"), 1):
        for found in CALL.finditer(line):
            yield number, f"{found.group(1)} is never called here"
        if path.startswith("src/") and not path.startswith("src/base/"):
            for found in BASE_CALL.finditer(line):
                yield number, f"{found.group(1)}: use base"


def check_text(source):
    lines = source.split("\n")
    if lines[-1] != "":
        yield len(lines), "no newline at the end of the file"
    if len(lines) > MAX_LINES:
        yield MAX_LINES, f"{len(lines)} lines, more than {MAX_LINES}"
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if len(line) > MAX_COLUMNS:
            yield number, f"{len(line)} columns, more than {MAX_COLUMNS}"


def check_file(root, path):
    try:
        source = open(os.path.join(root, path), encoding="utf-8").read()
    except UnicodeDecodeError:
        yield 1, "not UTF-8"
        return
    yield from check_includes(path, source)
    yield from check_calls(path, source)
    yield from check_text(source)


def check_cases(root):
    listed = set(re.findall(r"'([a-z_]+)'", open(os.path.join(root, "tests/cli/meson.build")).read()))
    for name in sorted(os.listdir(os.path.join(root, "tests/cli/cases"))):
        if name.endswith(".txt") and name[:-4] not in listed:
            yield f"tests/cli/cases/{name}: not listed in tests/cli/meson.build"


def main(root):
    problems = list(check_cases(root))
    for top in ("include", "src", "tests"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".cc")):
                    path = os.path.relpath(os.path.join(folder, name), root)
                    problems += [f"{path}:{n}: {what}" for n, what in check_file(root, path)]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
