#!/usr/bin/env python3
"""Makes tests/data/lance: small data files written by pylance, and what they hold.

    make_lance_files.py tests/data/lance tests/fuzz/corpus/lance_file

Beside each NAME.lance there is NAME.txt, one line per field: "TYPE@COLUMN[,COLUMN..] JSON", as
tests/unit/lance/lance_text.c prints it. The files differ from run to run in nothing that a
test looks at.
"""
import glob
import json
import os
import shutil
import sys
import tempfile

import lance
import pyarrow as pa

NAMES = {pa.bool_(): "bool", pa.int8(): "i8", pa.int16(): "i16", pa.int32(): "i32", pa.int64(): "i64",
         pa.uint8(): "u8", pa.uint16(): "u16", pa.uint32(): "u32", pa.uint64(): "u64",
         pa.float32(): "f32", pa.float64(): "f64", pa.date32(): "date32", pa.string(): "utf8",
         pa.large_string(): "large_utf8", pa.binary(): "binary", pa.large_binary(): "large_binary"}


def type_text(t):
    if pa.types.is_fixed_size_list(t):
        return f"fsl<{type_text(t.value_type)},{t.list_size}>"
    if pa.types.is_large_list(t):
        return f"large_list<{type_text(t.value_type)}>"
    if pa.types.is_list(t):
        return f"list<{type_text(t.value_type)}>"
    if pa.types.is_struct(t):
        return "struct<" + ",".join(f"{f.name}:{type_text(f.type)}" for f in t) + ">"
    return NAMES[t]


def leaf_count(t):
    if pa.types.is_large_list(t) or pa.types.is_list(t):
        return leaf_count(t.value_type)
    if pa.types.is_struct(t):
        return sum(leaf_count(f.type) for f in t)
    return 1


def text(v):
    if v is None:
        return "null"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        if v != v or abs(v) == float("inf"):
            return json.dumps(str(v))
        return "%.17g" % v
    if isinstance(v, bytes):
        return '{"hex":"' + v.hex() + '"}'
    if isinstance(v, list):
        return "[" + ",".join(map(text, v)) + "]"
    if isinstance(v, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{text(x)}" for k, x in v.items()) + "}"
    return json.dumps(v, ensure_ascii=False)


def write(out, name, table, version="2.2", blobs=False):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t")
        dataset = lance.write_dataset(table, path, data_storage_version=version)
        files = glob.glob(os.path.join(path, "data", "*.lance"))
        assert len(files) == 1, files
        shutil.copyfile(files[0], os.path.join(out, name + ".lance"))
        if blobs:
            # A scan of pylance shows a null blob as one without kind, place and size.
            descriptors = [d if any(d.values()) else None for d in dataset.to_table().column("b").to_pylist()]
            lines = ["i32@0 " + text(table["id"].to_pylist()), "blob@1 " + text(descriptors)]
    if not blobs:
        lines, column = [], 0
        for field in table.schema:
            n = leaf_count(field.type)
            where = ",".join(str(column + i) for i in range(n))
            values = table[field.name]
            if field.type == pa.date32():
                values = values.cast(pa.int32())
            lines.append(f"{type_text(field.type)}@{where} {text(values.to_pylist())}")
            column += n
    with open(os.path.join(out, name + ".txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def table(**columns):
    return pa.table({k: pa.array(*v) for k, v in columns.items()})


def numbers(n=1100):
    """Flat, inline bit-packing of several widths, RLE, dictionary, constants; def levels of each kind."""
    return table(
        packed=([(i * 7919) % 1000 for i in range(n)], pa.int32()),
        packed_null=([None if i % 5 == 0 else i % 13 for i in range(n)], pa.int32()),
        packed64=([(1 << 40) + (i * 104729) % 60000 for i in range(n)], pa.int64()),
        flat=([(i * 2654435761) % (1 << 32) for i in range(n)], pa.uint32()),
        negative=([-i if i % 2 else i for i in range(n)], pa.int64()),
        runs=([(i // 120) * 1000003 for i in range(n)], pa.int32()),
        few=([[0.5, -0.0, 1e300, float("inf")][i * 7 % 4] for i in range(n)], pa.float64()),
        floats=([None if i % 2 else i * 0.1 for i in range(n)], pa.float32()),
        flags=([i % 3 == 0 for i in range(n)], pa.bool_()),
        flags_null=([None if 400 < i < 700 else i % 7 < 3 for i in range(n)], pa.bool_()),
        days=([19000 + i % 40 for i in range(n)], pa.date32()),
        same=([42] * n, pa.int64()),
        same_null=([None if i % 9 == 0 else 7 for i in range(n)], pa.uint64()),
        yes=([True] * n, pa.bool_()),
        nothing=([None] * n, pa.int32()),
        tiny=([(i * 31) % 256 for i in range(n)], pa.uint8()),
        short=([(i * 263) % 65536 - 32768 for i in range(n)], pa.int16()),
    )


def dictionaries(n=4000):
    """64-bit dictionaries: few entries, and enough to be bit-packed out of line with a raw tail."""
    return table(
        few=([(i * 37 % 5) << 50 if i % 40 == 0 else i % 2 for i in range(n)], pa.int64()),
        many=([(i * 7 % 1100) * 5 for i in range(n)], pa.uint64()),
        texts=([None if i % 11 == 0 else f"v{i * 17 % 23}" for i in range(n)], pa.string()),
    )


def texts(n=300):
    words = ["graph", "node", "edge", "Kante", "Knoten", "größer", "ребро", "辺", ""]
    sentence = [" ".join(words[(i * k) % 9] for k in (1, 2, 4, 5, 7, 8)) for i in range(n)]
    return table(
        plain=([f"{i}:{words[i % 9]}" for i in range(n)], pa.string()),
        null=([None if i % 4 == 0 else f"{i * i}" for i in range(n)], pa.string()),
        large=([f"L{i * 3}" for i in range(n)], pa.large_string()),
        bytes=([bytes([i % 256, 255 - i % 256]) * (i % 4) for i in range(n)], pa.binary()),
        fsst=([(s * 3)[:120] + f" number {i}" for i, s in enumerate(sentence)], pa.string()),
        wide=([None if i % 10 == 3 else "x" * (i % 5) if i % 50 else f"{i:04}" * 70 for i in range(n)],
              pa.string()),
        wide_bytes=([bytes([i % 7]) * (300 if i == 17 else i % 3) for i in range(n)], pa.large_binary()),
        same=(["unchanging"] * n, pa.string()),
        same_null=([None if i % 3 else "seldom" for i in range(n)], pa.large_string()),
        nothing=([None] * n, pa.string()),
    )


def huge():
    """Values over 32 KiB: zstd around each, beside empty and null ones."""
    values = ["", None, "0123456789abcdef" * 2500, "short", "fedcba9876543210" * 2200]
    return table(value=(values, pa.string()))


def lists(n=120, length=1500):
    point = pa.struct([("x", pa.int32()), ("label", pa.string())])
    kinds = [None, [], [1], [2, None, 3], [4, 5]]
    return table(
        valid=([[i, i + 1] for i in range(n)], pa.list_(pa.int32())),
        all_kinds=([kinds[i * 7 % 5] for i in range(n)], pa.list_(pa.int64())),
        long=([list(range(i, i + (length if i % 40 == 7 else 2))) for i in range(n)], pa.list_(pa.int32())),
        texts=([None if i % 6 == 0 else [f"t{i}", "", None][: i % 4] for i in range(n)], pa.list_(pa.string())),
        wide=([[("w%d " % i) * (90 * (i % 2))] * (i % 3) if i % 7 else None for i in range(n)],
              pa.large_list(pa.string())),
        nested=([[[i], None, []][: i % 4] if i % 5 else None for i in range(n)],
                pa.list_(pa.list_(pa.int32()))),
        points=([[{"x": i, "label": None}, None, {"x": None, "label": "p"}][: i % 4] if i % 9 else None
                 for i in range(n)], pa.list_(point)),
        place=([None if i % 5 == 0 else {"x": None if i % 3 == 0 else i, "label": f"at {i}"}
                for i in range(n)], point),
        empty=([[] if i % 2 else None for i in range(n)], pa.list_(pa.int32())),
        same=([[9] * (i % 3) for i in range(n)], pa.list_(pa.int32())),
    )


def sparse(n=5000):
    """So few values among empty lists that levels do not fit in chunks."""
    return table(rare=([[True, False] if i % 2500 == 3 else [] for i in range(n)], pa.list_(pa.bool_())))


def vectors(n=40):
    small = pa.list_(pa.float32(), 4)
    wide = pa.list_(pa.float32(), 64)
    row = lambda i, k: [float(i + j) for j in range(k)]
    return table(
        small=([row(i, 4) for i in range(n)], small),
        small_null=([None if i % 7 == 0 else row(i, 4) for i in range(n)], small),
        small_items=([None if i % 7 == 0 else [None if j == i % 5 else float(j) for j in range(4)]
                      for i in range(n)], small),
        wide=([row(i, 64) for i in range(n)], wide),
        wide_null=([None if i % 7 == 0 else row(i, 64) for i in range(n)], wide),
        wide_items=([None if i % 7 == 0 else [None if j == i else float(j) for j in range(64)]
                     for i in range(n)], wide),
        nothing=([None] * n, small),
    )


def blobs():
    """Inline, empty, null, and one in a file of its own (which is not kept: descriptors only)."""
    field = pa.field("b", pa.struct([pa.field("data", pa.large_binary()), pa.field("uri", pa.string())]),
                     metadata={"ARROW:extension:name": "lance.blob.v2"})
    payloads = [b"first", b"", None, b"inline", bytes(70000)]
    rows = [None if p is None else {"data": p, "uri": None} for p in payloads]
    return pa.table([pa.array(range(len(rows)), pa.int32()), pa.array(rows, field.type)],
                    schema=pa.schema([pa.field("id", pa.int32()), field]))


def main(out):
    os.makedirs(out, exist_ok=True)
    write(out, "numbers", numbers())
    write(out, "dictionaries", dictionaries())
    write(out, "texts", texts())
    write(out, "huge", huge())
    write(out, "lists", lists())
    write(out, "sparse", sparse())
    write(out, "vectors", vectors())
    write(out, "version21", numbers(200), version="2.1")
    write(out, "one_row", table(a=([1], pa.int32()), b=(["only"], pa.string()), c=([None], pa.list_(pa.int32()))))
    write(out, "blobs", blobs(), blobs=True)


def seeds(out):
    """The same kinds of pages, smaller: where a fuzzer starts from."""
    os.makedirs(out, exist_ok=True)
    write(out, "numbers", numbers(64))
    write(out, "dictionaries", dictionaries(200))
    write(out, "texts", texts(20))
    write(out, "fsst", texts().select(["fsst"]).slice(0, 290))
    write(out, "lists", lists(12, 30))
    write(out, "vectors", vectors(5))
    write(out, "version21", numbers(20), version="2.1")
    write(out, "blobs", blobs(), blobs=True)
    for path in glob.glob(os.path.join(out, "*.txt")):
        os.remove(path)


if __name__ == "__main__":
    main(sys.argv[1])
    seeds(sys.argv[2])
