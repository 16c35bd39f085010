#!/usr/bin/env python3
"""Compare `lancefile` with an independent decoder over all data files below some folders.

    check_lance_files.py LANCEFILE DECODE_PY FOLDER...

DECODE_PY is a module with DataFile(path) (fields, rows, read_field): a second implementation of
the format, kept outside of this tree.
"""
import glob
import importlib.util
import json
import os
import struct
import subprocess
import sys

PLAIN = {"bool": "bool", "int8": "i8", "uint8": "u8", "int16": "i16", "uint16": "u16", "int32": "i32",
         "uint32": "u32", "int64": "i64", "uint64": "u64", "halffloat": "f16", "float": "f32",
         "double": "f64", "string": "utf8", "large_string": "large_utf8", "binary": "binary",
         "large_binary": "large_binary", "date32:day": "date32", "date64:ms": "date64"}


def type_text(field):
    if field.is_blob() and field.is_struct():
        return "blob"
    if field.is_list():
        kind = "large_list" if field.type.startswith("large") else "list"
        return f"{kind}<{type_text(field.children[0])}>"
    if field.is_struct():
        return "struct<" + ",".join(f"{c.name}:{type_text(c)}" for c in field.children) + ">"
    if field.type.startswith("fixed_size_list:"):
        inner, n = field.type[len("fixed_size_list:"):].rsplit(":", 1)
        return f"fsl<{PLAIN[inner]},{n}>"
    return PLAIN[field.type]


def leaves(field):
    if field.leaf():
        return [field]
    return [x for c in field.children for x in leaves(c)]


def plain(v, field):
    """The decoder's value in the shape of lancefile's JSON."""
    if v is None:
        return None
    if isinstance(v, (bytes, bytearray)):
        return {"hex": bytes(v).hex()}
    if isinstance(v, float):
        return v if v == v and abs(v) != float("inf") else str(v)
    if isinstance(v, list):
        return [plain(x, field) for x in v]
    if isinstance(v, dict):
        return {k: plain(x, field) for k, x in v.items()}
    return v


def blob(v):
    if v is None or v["kind"] is None or (not v["kind"] and not v["position"] and not v["size"] and not v["blob_uri"]):
        return None
    return plain(v, None)


def check(tool, decode, path):
    f = decode.DataFile(path)
    if f.ncol == 0:
        return None
    specs, columns, at = [], {}, 0
    # The descriptor lists the children of a blob without ids; they own no column.
    f.fields = [field for field in f.fields if field.id != -1]
    for field in f.fields:
        ids = []
        for leaf in leaves(field):
            columns[id(leaf)] = at
            leaf.id = ("leaf", at)
            ids.append(at)
            at += 1
        specs.append(f"{type_text(field)}@{','.join(map(str, ids))}")
    run = subprocess.run([tool, path] + specs, capture_output=True, text=True)
    if run.returncode != 0:
        return f"exit {run.returncode}: {run.stderr.strip()[:2000]}"
    lines = run.stdout.split("\n")
    colmap = {("leaf", i): i for i in range(at)}
    for field, line in zip(f.fields, lines):
        got = json.loads(line)
        want = f.read_field(field, colmap)
        is_blob = field.is_blob() and field.is_struct()
        want = [blob(v) if is_blob else plain(v, field) for v in want]
        if got != want:
            for i, (a, b) in enumerate(zip(got, want)):
                if a != b:
                    return f"{field.name} ({field.type}) row {i}: {str(a)[:300]} != {str(b)[:300]}"
            return f"{field.name}: {len(got)} rows, not {len(want)}"
    return None


def main(argv):
    spec = importlib.util.spec_from_file_location("decode", argv[2])
    decode = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(decode)
    bad = count = 0
    for folder in argv[3:]:
        paths = sorted(glob.glob(os.path.join(glob.escape(folder), "**", "*.lance"), recursive=True))
        for path in [p for p in paths if os.path.isfile(p)]:
            count += 1
            try:
                result = check(argv[1], decode, path)
            except Exception as e:  # a file the other decoder does not know
                result = f"{type(e).__name__}: {e}"
            if result:
                bad += 1
                print(f"{path}: {result}")
    print(f"{count} files, {bad} differ")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
