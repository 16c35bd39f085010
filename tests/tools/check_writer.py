#!/usr/bin/env python3
"""Check our data files with Lance itself.

    LANCE_TOOLS=<folder of encode.py, decode.py> check_writer.py LANCEWRITE [FIXTURES] [--only TEXT]

Each case is a pyarrow table.  lancewrite writes its columns, a hand-made manifest makes it a
dataset, and pylance must scan, take, filter and validate it; decode.py must read the same rows.
Then pylance writes the same batches and the sizes are compared.  FIXTURES is a folder of
datasets whose current version is used as further cases.
"""
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile

import lance
import pyarrow as pa

sys.path.insert(0, os.environ["LANCE_TOOLS"])
import decode  # noqa: E402
import encode  # noqa: E402

NAMES = {"int32": "int32", "int64": "int64", "uint32": "uint32", "uint64": "uint64", "bool": "bool",
         "float": "float32", "double": "float64", "string": "utf8", "large_string": "large_utf8",
         "binary": "binary", "large_binary": "large_binary", "date32[day]": "date32",
         "date64[ms]": "date64", "uint8": "uint8", "int8": "int8", "int16": "int16", "uint16": "uint16"}
LOGICAL = {"date32[day]": "date32:day", "date64[ms]": "date64:ms"}


def is_blob(field):
    return (field.metadata or {}).get(b"ARROW:extension:name") == b"lance.blob.v2"


def our_type(t):
    if pa.types.is_fixed_size_list(t):
        return f"fixed_size_list<{our_type(t.value_type)},{t.list_size}>"
    if pa.types.is_large_list(t):
        return f"large_list<{our_type(t.value_type)}>"
    if pa.types.is_list(t):
        return f"list<{our_type(t.value_type)}>"
    if pa.types.is_struct(t):
        return "struct<" + ",".join(f"{f.name}:{our_type(f.type)}" for f in t) + ">"
    return NAMES[str(t)]


def schema_field(f):
    t = f.type
    if is_blob(f):
        return encode.blob_field(f.name)
    if pa.types.is_fixed_size_list(t):
        inner = LOGICAL.get(str(t.value_type), str(t.value_type))
        return encode.F(f.name, f"fixed_size_list:{inner}:{t.list_size}", f.nullable)
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        kind = "large_list" if pa.types.is_large_list(t) else "list"
        item = t.value_field
        return encode.F(f.name, kind + (".struct" if pa.types.is_struct(item.type) else ""), f.nullable,
                        [schema_field(item)])
    if pa.types.is_struct(t):
        return encode.F(f.name, "struct", f.nullable, [schema_field(c) for c in t])
    return encode.F(f.name, LOGICAL.get(str(t), str(t)), f.nullable)


def as_json(t, v):
    if v is None:
        return None
    if isinstance(v, (bytes, bytearray)):
        return v.hex()
    if isinstance(v, float):
        return v if math.isfinite(v) else repr(v)
    if pa.types.is_date32(t):
        return (v - __import__("datetime").date(1970, 1, 1)).days
    if pa.types.is_date64(t):
        return (v - __import__("datetime").date(1970, 1, 1)).days * 86400000
    if pa.types.is_struct(t):
        return {f.name: as_json(f.type, v[f.name]) for f in t}
    if isinstance(v, list):
        return [as_json(t.value_type, x) for x in v]
    return v


def leaf_ids(fields):
    out = []
    for f in fields:
        out += [f.id] if f.leaf() else leaf_ids(f.children)
    return out


def write_ours(tool, root, table, batch_rows):
    """-> size of the data file"""
    columns = []
    for f in table.schema:
        values = table[f.name].to_pylist()
        columns.append({"name": f.name, "type": "blob" if is_blob(f) else our_type(f.type),
                        "values": [as_json(f.type, v) for v in values]})
    path = os.path.join(root, "columns.json")
    with open(path, "w") as out:
        json.dump({"rows": table.num_rows, "batch_rows": batch_rows, "columns": columns}, out)
    done = subprocess.run([tool, root, "data/ours.lance", path], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    os.unlink(path)
    t = encode.Table(root, [schema_field(f) for f in table.schema])
    size = os.path.getsize(os.path.join(root, "data/ours.lance"))
    ids = leaf_ids(t.fields)
    t.max_frag = 0
    data_file = (encode.pb(1, "ours.lance") + encode.packed(2, ids) + encode.packed(3, list(range(len(ids))))
                 + encode.pv(4, 2) + encode.pv(5, 2) + encode.pv(6, size))
    rows = table.num_rows
    t.frags = [encode.Frag(0, [data_file], rows, list(range(rows)), [1] * rows, [1] * rows)] if rows else []
    t.next_row = rows
    op = b"".join(encode.pm(1, t.bare(f)) for f in t.frags)
    t.commit(encode.pm(102, op + b"".join(encode.pm(2, x) for x in encode.fields_pb(t.fields))))
    return size, done.stderr.strip()


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


def first_difference(want, got):
    for i, (a, b) in enumerate(zip(want, got)):
        if not same(a, b):
            return f"row {i}: want {str(a)[:300]} got {str(b)[:300]}"
    return f"{len(want)} rows wanted, {len(got)} read"


def check_blobs(root, table):
    ds = lance.dataset(root)
    for f in table.schema:
        if not is_blob(f):
            continue
        want = table[f.name].to_pylist()
        at = [i for i, v in enumerate(want) if v is not None and v["data"] is not None]
        got = [b.readall() for b in ds.take_blobs(f.name, indices=at)]
        assert got == [want[i]["data"] for i in at], "blob bytes differ"


def check_case(tool, name, table, batch_rows=8192):
    root = tempfile.mkdtemp(prefix="writer-")
    try:
        size, timing = write_ours(tool, root, table, batch_rows)
        ds = lance.dataset(root)
        plain = [f.name for f in table.schema if not is_blob(f)]
        want = table.select(plain).to_pylist()
        assert ds.count_rows() == table.num_rows
        got = ds.to_table(columns=plain).to_pylist()
        assert same(want, got), first_difference(want, got)
        rng = random.Random(7)
        if table.num_rows:
            at = sorted(rng.sample(range(table.num_rows), min(50, table.num_rows)))
            got = ds.take(at, columns=plain).to_pylist()
            assert same([want[i] for i in at], got), "take: " + first_difference([want[i] for i in at], got)
        for f in table.schema:
            if f.name in plain:
                got = ds.to_table(columns=[f.name], filter=f"{f.name} is not null").num_rows
                assert got == table.num_rows - table[f.name].null_count, f"filter {f.name}"
        ds.validate()
        if len(plain) < len(table.schema):
            check_blobs(root, table)
        reference = reference_size(table, batch_rows)
        flag = "" if size <= max(reference * 1.05, reference + 512) else "   LARGER"
        print(f"ok   {name:34s} {table.num_rows:7d} rows {size:9d} bytes, Lance {reference:9d}"
              f" ({size / reference:5.2f}) {timing}{flag}")
        return True
    except BaseException as e:
        print(f"FAIL {name}: {type(e).__name__} {str(e)[:600]}; kept {root}")
        root = None
        return False
    finally:
        if root:
            shutil.rmtree(root)


def reference_size(table, batch_rows):
    root = tempfile.mkdtemp(prefix="writer-")
    try:
        lance.write_dataset(pa.Table.from_batches(table.to_batches(max_chunksize=batch_rows), table.schema), root,
                            data_storage_version="2.2", mode="overwrite", enable_stable_row_ids=True)
        total = 0
        for folder, _, files in os.walk(os.path.join(root, "data")):
            total += sum(os.path.getsize(os.path.join(folder, f)) for f in files if f.endswith(".lance"))
        return max(total, 1)
    finally:
        shutil.rmtree(root)


# ------------------------------------------------------------------- cases

def with_nulls(rng, values, share):
    return [None if rng.random() < share else v for v in values]


WORDS = ("the quick brown fox jumps over a lazy dog while graph databases store nodes edges and many "
         "properties Zürich naïve 東京 of people places events in columns that compress well").split()
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(rng, at):
    time = "".join(ULID[(at + 1700000000000) >> (45 - 5 * i) & 31] for i in range(10))
    return time + "".join(rng.choice(ULID) for _ in range(16))


def text(rng, low, high):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(low, high)))


def scalar_cases(n, share):
    rng = random.Random(n * 31 + int(share * 100))
    nodes = [ulid(rng, i // 3) for i in range(max(1, n // 5))]
    columns = {
        "flag": (pa.bool_(), [rng.random() < 0.3 for _ in range(n)]),
        "i32": (pa.int32(), [rng.randrange(-1000, 1000) for _ in range(n)]),
        "u32": (pa.uint32(), [rng.randrange(2**32) for _ in range(n)]),
        "small": (pa.int64(), [rng.randrange(100) for _ in range(n)]),
        "i64": (pa.int64(), [rng.randrange(-2**62, 2**62) for _ in range(n)]),
        "u64": (pa.uint64(), [2**63 + rng.randrange(2**62) for _ in range(n)]),
        "repeat": (pa.int64(), [rng.choice([-5, 2**60, 77]) for _ in range(n)]),
        "runs": (pa.int32(), [i // 300 * 7 - 50 for i in range(n)]),
        "f32": (pa.float32(), [float(rng.randrange(1 << 20)) / 64 for _ in range(n)]),
        "f64": (pa.float64(), [rng.gauss(0, 1) for _ in range(n)]),
        "price": (pa.float64(), [rng.randrange(10000) / 100 for _ in range(n)]),
        "day": (pa.date32(), [10957 + rng.randrange(9000) for _ in range(n)]),
        "ms": (pa.date64(), [(10957 + rng.randrange(9000)) * 86400000 for _ in range(n)]),
        "same": (pa.string(), ["a constant text"] * n),
        "nothing": (pa.string(), [None] * n),
        "word": (pa.string(), [rng.choice(WORDS) for _ in range(n)]),
        "sentence": (pa.string(), [text(rng, 0, 30) for _ in range(n)]),
        "big": (pa.large_string(), [text(rng, 0, 10) for _ in range(n)]),
        "id": (pa.string(), [ulid(rng, i) for i in range(n)]),
        "src": (pa.string(), [rng.choice(nodes) for _ in range(n)]),
        "slug": (pa.string(), [f"person-{i:06d}" for i in range(n)]),
        "bytes": (pa.binary(), [rng.randbytes(rng.randrange(40)) for _ in range(n)]),
        "lbytes": (pa.large_binary(), [rng.randbytes(rng.randrange(4)) * 3 for _ in range(n)]),
        "vec8": (pa.list_(pa.float32(), 8), [[rng.random() for _ in range(8)] for _ in range(n)]),
        "vec96": (pa.list_(pa.float32(), 96), [[rng.random()] * 96 for _ in range(n)]),
    }
    arrays = {}
    for name, (t, values) in columns.items():
        arrays[name] = pa.array(with_nulls(rng, values, share) if share else values, t)
    return pa.table(arrays)


def list_cases(n, share):
    rng = random.Random(n * 17 + int(share * 100))

    def lists(item, longest):
        return [[None if rng.random() < share / 2 else item() for _ in range(rng.randrange(longest))]
                for _ in range(n)]
    struct = pa.struct([("a", pa.int64()), ("b", pa.string())])
    one = lambda: {"a": rng.randrange(9) if rng.random() > share else None, "b": rng.choice(WORDS)}  # noqa: E731
    columns = {
        "tags": (pa.list_(pa.string()), lists(lambda: rng.choice(WORDS), 6)),
        "nums": (pa.list_(pa.int64()), lists(lambda: rng.randrange(1000), 6)),
        "flags": (pa.list_(pa.bool_()), lists(lambda: rng.random() < 0.5, 5)),
        "floats": (pa.list_(pa.float64()), lists(lambda: rng.random(), 4)),
        "long": (pa.large_list(pa.int32()), lists(lambda: rng.randrange(5), 3)),
        "sparse": (pa.list_(pa.int32()), [[i] if i % 977 == 5 else [] for i in range(n)]),
        "nested": (pa.list_(pa.list_(pa.int32())), [[list(range(rng.randrange(3))) for _ in range(rng.randrange(3))]
                                                    for _ in range(n)]),
        "person": (struct, [one() for _ in range(n)]),
        "people": (pa.list_(struct), lists(one, 3)),
        "holder": (pa.struct([("l", pa.list_(pa.int32())), ("x", pa.int32())]),
                   [{"l": None if rng.random() < share else list(range(rng.randrange(3))), "x": i} for i in range(n)]),
        "empty": (pa.list_(pa.int32()), [[] for _ in range(n)]),
        "vecs": (pa.list_(pa.list_(pa.float32(), 4)), lists(lambda: [1.5, 2.5, rng.random(), 0.0], 3)),
    }
    return pa.table({k: pa.array(with_nulls(rng, v, share) if share else v, t) for k, (t, v) in columns.items()})


def wide_cases():
    rng = random.Random(3)
    n = 300
    return pa.table({
        "doc": pa.array([text(rng, 500, 3000) for _ in range(n)]),
        "noise": pa.array([rng.randbytes(rng.randrange(8000)) if i % 9 else None for i in range(n)], pa.binary()),
        "mixed": pa.array([text(rng, 0, 5) if i % 50 else text(rng, 5000, 9000) for i in range(n)]),
        "v768": pa.array([[rng.random() for _ in range(64)] if i % 5 else None for i in range(n)], pa.list_(pa.float32(), 64)),
        "holes": pa.array([[rng.random() if k % 7 else None for k in range(64)] for i in range(n)], pa.list_(pa.float32(), 64)),
        "holes8": pa.array([[rng.random() if k % 3 else None for k in range(8)] for i in range(n)], pa.list_(pa.float32(), 8)),
        "docs": pa.array([[text(rng, 700, 900) for _ in range(rng.randrange(3))] if i % 4 else None for i in range(n)],
                         pa.list_(pa.string())),
    })


def blob_case():
    rng = random.Random(4)
    blob = pa.field("file", pa.struct([pa.field("data", pa.large_binary()), pa.field("uri", pa.string())]),
                    metadata={"ARROW:extension:name": "lance.blob.v2"})
    rows = [{"data": b"", "uri": None}, None, {"data": b"hello", "uri": None}, {"data": rng.randbytes(70000), "uri": None},
            {"data": rng.randbytes(5 << 20), "uri": None}, {"data": rng.randbytes(65536), "uri": None},
            {"data": rng.randbytes(100000), "uri": None}]
    return pa.table([pa.array(rows, blob.type), pa.array(range(len(rows)))], schema=pa.schema([blob, pa.field("n", pa.int64())]))


def cases():
    for n in (0, 1, 2, 20, 100, 1000, 1023, 1025, 8191, 8192, 8193):
        yield f"scalars {n}", scalar_cases(n, 0)
        yield f"scalars {n} nulls", scalar_cases(n, 0.2)
    for n in (1, 5, 100, 3000, 20000):
        yield f"lists {n}", list_cases(n, 0)
        yield f"lists {n} nulls", list_cases(n, 0.15)
    yield "wide", wide_cases()
    yield "blobs", blob_case()
    rng = random.Random(5)
    n = 300000
    yield "pages", pa.table({"id": [ulid(rng, i) for i in range(n)], "n": list(range(n))})


def fixture_cases(folder):
    for name in sorted(os.listdir(folder)):
        try:
            ds = lance.dataset(os.path.join(folder, name))
            table = ds.to_table().replace_schema_metadata(None)
            if any((f.metadata or {}).get(b"lance-encoding:blob") for f in table.schema):
                continue  # descriptors of blobs, not their bytes
            yield "fixture " + name, table
        except (ValueError, OSError) as e:
            print(f"skip fixture {name}: {str(e)[:100]}")


def main():
    args = [a for a in sys.argv[1:] if not a.startswith("--")]
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    args = [a for a in args if a != only or not only]
    todo = list(fixture_cases(args[1])) if len(args) > 1 else cases()
    bad = 0
    for name, table in todo:
        if only in name:
            bad += not check_case(args[0], name, table)
    sys.exit(bad > 0)


main()
