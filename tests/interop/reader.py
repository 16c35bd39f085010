#!/usr/bin/env python3
"""Tables of every type and encoding that pylance 6.0.1 can be made to write, read by `lancetool cat`.

    reader.py LANCETOOL [CASE...]

Run it with a Python that has pylance 6.0.1; without one it says SKIPPED.
"""
import decimal
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile

import pylance

try:
    import lance
    import pyarrow as pa
except ImportError:
    lance = None

ROWS = 3000
SYSTEM = ["_rowid", "_rowaddr", "_row_created_at_version", "_row_last_updated_at_version"]
PACKED = {"lance-encoding:packed": "true"}
FULL_ZIP = {"lance-encoding:structural-encoding": "fullzip"}


# ---- what a column should print as -----------------------------------------------------------------------

def plain(value):
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, float) and (math.isnan(value) or math.isinf(value)):
        return repr(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return value


def lists(array, items):
    offsets, valid = array.offsets.to_pylist(), array.is_valid().to_pylist()
    return [items[offsets[i]:offsets[i + 1]] if valid[i] else None for i in range(len(array))]


def values(array):
    """An Arrow array as the values of JSON that lancetool prints."""
    if isinstance(array, pa.ChunkedArray):
        return [v for chunk in array.chunks for v in values(chunk)]
    t = array.type
    if isinstance(array, pa.ExtensionArray) and t.extension_name == "arrow.json":
        return [None if v is None else json.loads(v) for v in array.storage.to_pylist()]
    if isinstance(array, pa.ExtensionArray):
        return values(array.storage)
    if pa.types.is_dictionary(t):
        return values(array.dictionary_decode())
    if pa.types.is_date32(t) or pa.types.is_time32(t):
        return array.view(pa.int32()).to_pylist()
    if pa.types.is_date64(t) or pa.types.is_timestamp(t) or pa.types.is_duration(t) or pa.types.is_time64(t):
        return array.view(pa.int64()).to_pylist()
    if pa.types.is_map(t):
        return lists(array, [{"key": k, "value": v} for k, v in zip(values(array.keys), values(array.items))])
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return lists(array, values(array.values))
    if pa.types.is_fixed_size_list(t):
        items, n, valid = values(array.values), t.list_size, array.is_valid().to_pylist()
        start = array.offset
        return [items[(start + i) * n:(start + i + 1) * n] if valid[i] else None for i in range(len(array))]
    if pa.types.is_struct(t):
        fields = [(t.field(i).name, values(array.field(i))) for i in range(t.num_fields)]
        valid = array.is_valid().to_pylist()
        return [{name: column[i] for name, column in fields} if valid[i] else None for i in range(len(array))]
    return [plain(v) for v in array.to_pylist()]


class Tool:
    def __init__(self, path):
        self.path = path

    def cat(self, uri, *options):
        run = subprocess.run([self.path, "cat", *options, uri], capture_output=True, text=True)
        assert run.returncode == 0, (uri, run.returncode, run.stderr.strip()[-800:])
        return [json.loads(line) for line in run.stdout.splitlines()]

    def refuses(self, uri, code, words, *options):
        run = subprocess.run([self.path, "cat", *options, uri], capture_output=True, text=True)
        assert run.returncode == code and words in run.stderr, (uri, run.returncode, run.stderr)

    def same(self, uri, dataset, *options):
        """What cat prints is what the dataset has, row ids included: the addresses where it has no stable ones."""
        system = SYSTEM if dataset.has_stable_row_ids else SYSTEM[:2]
        table = dataset.scanner(columns=[f.name for f in dataset.schema] + system).to_table()
        rows = self.cat(uri, "--row-ids", *options)
        assert len(rows) == table.num_rows, (uri, len(rows), table.num_rows)
        for name in table.column_names:
            want, got = values(table[name]), [row[name] for row in rows]
            if want != got:
                at = next(i for i in range(len(want)) if want[i] != got[i])
                raise AssertionError((uri, name, at, str(got[at])[:200], str(want[at])[:200]))


# ---- columns ----------------------------------------------------------------------------------------------

R = random.Random(7)


def some(items, nulls=0.15):
    return [None if R.random() < nulls else item for item in items]


def structs(make, fields, nulls=0.0):
    return pa.array(some([make(i) for i in range(ROWS)], nulls), pa.struct(fields))


def typed_columns():
    """name -> array: every logical type that Lance has."""
    d = decimal.Decimal
    numbers = range(ROWS)
    yield "nothing", pa.nulls(ROWS)
    for t in (pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns", "UTC"), pa.time32("s"),
              pa.time32("ms"), pa.time64("us"), pa.time64("ns"), pa.duration("s"), pa.duration("ns"), pa.date32()):
        yield str(t), pa.array(some(numbers), t)
    yield "date64", pa.array(some([i * 86400000 for i in numbers]), pa.date64())
    yield "small", pa.array(some([i % 100 for i in numbers]), pa.int8())
    yield "unsigned", pa.array(some(numbers), pa.uint16())
    yield "half", pa.array(some([float(i) for i in range(2000)] * 2)[:ROWS], pa.float16())
    yield "decimal", pa.array(some([d(i - 1500) / 100 for i in numbers]), pa.decimal128(20, 2))
    yield "decimal_few", pa.array(some([d(i % 7) * 10 ** 20 for i in numbers]), pa.decimal128(38, 3))
    yield "decimal_wide", pa.array(some([d(-i) * 10 ** 40 for i in numbers]), pa.decimal256(60, 5))
    yield "decimal_constant", pa.array([d("0.001")] * ROWS, pa.decimal128(5, 3))
    for width in (1, 7, 16, 40, 300):
        yield f"binary{width}", pa.array(some([bytes([i % 251] * width) for i in numbers]), pa.binary(width))
    yield "binary_constant", pa.array([b"seven b"] * ROWS, pa.binary(7))
    yield "large_text", pa.array(some([f"t{i}" for i in numbers]), pa.large_string())
    yield "large_bytes", pa.array(some([b"b%d" % i for i in numbers]), pa.large_binary())
    yield "dictionary", pa.array(some([f"w{i % 9}" for i in numbers])).dictionary_encode()
    yield "dictionary8", pa.array(some([f"w{i % 9}" for i in numbers])).cast(pa.dictionary(pa.int8(), pa.string()))
    yield "dictionary_of_numbers", pa.array(some([i % 9 for i in numbers]), pa.int64()).dictionary_encode()
    yield "times", pa.array(some([list(range(i % 4)) for i in numbers]), pa.list_(pa.timestamp("us")))
    yield "decimals", pa.array(some([[d(j) for j in range(i % 4)] for i in numbers]), pa.list_(pa.decimal128(9, 0)))
    yield "large_list", pa.array(some([list(range(i % 4)) for i in numbers]), pa.large_list(pa.int16()))
    yield "empty_struct", structs(lambda i: {}, [])
    texts = ['{"a": 1, "b": [true, null, "x", 1.5, -3, 300, 70000, -5000000000]}', "[]", '"str"', "12", "1e300", "null", "0", "-1.25", "{}",
             '{"z": {"y": [{"x": "\u00e4\\n"}]}, "": 18446744073709551615}', "false", "-9223372036854775808"]
    yield "json", pa.array(some([texts[i % len(texts)] for i in numbers]), pa.json_())


def fixed_list_columns():
    numbers = range(ROWS)
    pair = pa.list_(pa.float32(), 2)
    yield "bits3", pa.array(some([[True, None, i % 2 == 0] for i in numbers]), pa.list_(pa.bool_(), 3))
    yield "bits8", pa.array([[i >> k & 1 == 1 for k in range(8)] for i in numbers], pa.list_(pa.bool_(), 8))
    yield "shorts", pa.array(some([[i, None, 3] for i in numbers]), pa.list_(pa.int16(), 3))
    yield "times", pa.array(some([[1, i] for i in numbers]), pa.list_(pa.timestamp("ms"), 2))
    yield "decimals", pa.array(some([[decimal.Decimal(i), None] for i in numbers]), pa.list_(pa.decimal128(9, 0), 2))
    yield "pairs", pa.array(some([[[float(i), 1.0], [2.0, None], [3.0, 4.0]] for i in numbers]), pa.list_(pair, 3))
    yield "null_pairs", pa.array(some([[[float(i), 1.0], None, [3.0, None]] for i in numbers]), pa.list_(pair, 3))
    yield "wide", pa.array(some([[[float(i)] * 40, [2.0] * 40, [i / 4] * 40] for i in numbers]),
                           pa.list_(pa.list_(pa.float32(), 40), 3))
    yield "in_lists", pa.array(some([[[float(j)] * 4 for j in range(i % 4)] for i in numbers]),
                               pa.list_(pa.list_(pa.float32(), 4)))


def hinted_columns():
    """name -> array, field metadata: encodings one has to ask for."""
    numbers = range(ROWS)
    i64, f32 = ("a", pa.int64()), ("b", pa.float32())
    yield "packed", structs(lambda i: {"a": i, "b": i / 2, "c": i % 100}, [i64, f32, ("c", pa.int8())], 0.1), PACKED
    yield "packed_decimal", structs(lambda i: {"a": decimal.Decimal(i), "b": i / 2}, [("a", pa.decimal128(9, 0)), f32]), PACKED
    yield "packed_in_lists", pa.array([[{"a": j, "b": i / 2} for j in range(i % 4)] for i in numbers],
                                      pa.list_(pa.field("item", pa.struct([i64, f32]), metadata=PACKED))), {}
    yield "packed_in_struct", structs(lambda i: {"n": i, "p": {"a": i, "b": 0.5}, "s": f"t{i}"},
                                      [("n", pa.int32()), pa.field("p", pa.struct([i64, f32]), metadata=PACKED),
                                       ("s", pa.string())]), {}
    floats = pa.array(some([math.sin(i) for i in numbers]), pa.float32())
    ints = pa.array(some([R.randrange(10 ** 6) for _ in numbers]), pa.int64())
    texts = pa.array(some([f"hello world {i}" for i in numbers]))
    long_texts = pa.array(some([f"text {i} " * 100 for i in range(300)]))
    for scheme in ("zstd", "lz4", "none", "fsst"):
        for name, array in (("floats", floats), ("ints", ints), ("texts", texts), ("long_texts", long_texts)):
            yield f"{scheme}_{name}", array, {"lance-encoding:compression": scheme}
    yield "split", floats, {"lance-encoding:bss": "on", "lance-encoding:compression": "zstd"}
    yield "split64", pa.array([math.sin(i) for i in numbers]), {"lance-encoding:bss": "on",
                                                                 "lance-encoding:compression": "lz4"}
    yield "runs", pa.array([i // 50 for i in numbers], pa.int32()), {"lance-encoding:rle-threshold": "0.9"}
    for name, array in (("ints", ints), ("texts", texts), ("bits", pa.array(some([i % 3 == 0 for i in numbers]))),
                        ("lists", pa.array(some([list(range(i % 5)) for i in numbers]))),
                        ("binary", pa.array(some([bytes([i % 251] * 7) for i in numbers]), pa.binary(7))),
                        ("pairs", pa.array(some([[[1.0, i], None, [None, 4.0]] for i in numbers]),
                                           pa.list_(pa.list_(pa.float32(), 2), 3)))):
        yield f"zip_{name}", array, FULL_ZIP
    yield "chunked_vectors", pa.array(some([[1.0] * 100] * 300), pa.list_(pa.float32(), 100)), {
        "lance-encoding:structural-encoding": "miniblock"}
    for scheme in ("zstd", "none"):
        yield f"words_{scheme}", pa.array([f"some word {i % 40}" for i in numbers]), {
            "lance-encoding:dict-values-compression": scheme}


def columns_of_22():
    """What only files of 2.2 can have."""
    numbers = range(ROWS)
    i64 = ("a", pa.int64())
    pairs = pa.list_(pa.struct([("a", pa.int32()), ("s", pa.string()), ("l", pa.list_(pa.int16()))]), 2)
    pair = lambda i: {"a": i, "s": f"t{i}", "l": [i % 9] * (i % 3)} if i % 11 else None
    yield "lists_of_structs", pa.array(some([[pair(i), {"a": None, "s": "x", "l": None}] for i in numbers]), pairs), {}
    yield "plain_lists_of_structs", pa.array([[{"a": i}, {"a": -i}, {"a": 7}] for i in numbers],
                                             pa.list_(pa.struct([("a", pa.int64())]), 3)), {}
    yield "structs_of_lists_of_structs", structs(lambda i: {"n": i, "p": [pair(i), pair(i + 1)] if i % 7 else None},
                                                 [("n", pa.int32()), ("p", pairs)], 0.1), {}
    yield "map", pa.array(some([[(f"k{j}", j) for j in range(i % 4)] for i in numbers]), pa.map_(pa.string(), pa.int32())), {}
    yield "packed_text", structs(lambda i: {"a": i, "s": f"text {i}"}, [i64, ("s", pa.string())], 0.1), PACKED
    yield "packed_texts", structs(lambda i: {"s": f"text {i}", "b": b"x" * (i % 7), "c": i},
                                  [("s", pa.string()), ("b", pa.large_binary()), ("c", pa.int16())]), PACKED
    yield "packed_vector", structs(lambda i: {"a": i, "v": [1.0, 2.0, i]}, [i64, ("v", pa.list_(pa.float32(), 3))]), PACKED


def write_and_compare(tool, root, version, columns):
    for name, array, hints in columns:
        uri = os.path.join(root, f"{name}-{version}")
        schema = pa.schema([pa.field("i", pa.int32()), pa.field("x", array.type, metadata=hints)])
        table = pa.table([pa.array(range(len(array)), pa.int32()), array], schema=schema)
        dataset = lance.write_dataset(table, uri, data_storage_version=version, enable_stable_row_ids=True)
        tool.same(uri, dataset)
        shutil.rmtree(uri)


def types(tool, root):
    for version in ("2.1", "2.2"):
        write_and_compare(tool, root, version, ((n, a, {}) for n, a in typed_columns()))


def fixed_lists(tool, root):
    for version in ("2.1", "2.2"):
        write_and_compare(tool, root, version, ((n, a, {}) for n, a in fixed_list_columns()))


def encodings(tool, root):
    for version in ("2.1", "2.2"):
        write_and_compare(tool, root, version, hinted_columns())
    write_and_compare(tool, root, "2.2", columns_of_22())


def blobs_of_21(tool, root):
    """Version 1 of blobs: their bytes lie anywhere in the data file."""
    uri = os.path.join(root, "blobs")
    payloads = some([b"x" * (i * 100) for i in range(60)], 0.2)
    field = pa.field("x", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
    dataset = lance.write_dataset(pa.table([pa.array(payloads, pa.large_binary())], schema=pa.schema([field])), uri,
                                  data_storage_version="2.1")
    dataset.insert(pa.table([pa.array([b"", None, b"end"], pa.large_binary())], schema=pa.schema([field])))
    got = [row["x"] for row in tool.cat(uri, "--all-bytes")]
    assert got == [plain(v) for v in payloads + [b"", None, b"end"]]


# ---- tables -----------------------------------------------------------------------------------------------

def people(first, count):
    return pa.table({"id": pa.array(range(first, first + count), pa.int64()),
                     "name": [f"n{i}" for i in range(first, first + count)]})


def every_version(tool, uri):
    for entry in lance.dataset(uri).versions():
        version = entry["version"]
        tool.same(uri, lance.dataset(uri, version=version), "--version", str(version))


def changing_fields(tool, root):
    """Fields added, dropped, renamed, retyped and put in another order, over many fragments."""
    for stable in (True, False):
        uri = os.path.join(root, f"fields-{stable}")
        dataset = lance.write_dataset(people(0, 500), uri, max_rows_per_file=100, enable_stable_row_ids=stable)
        dataset.add_columns({"twice": "id * 2"})
        dataset.alter_columns({"path": "name", "name": "called"})
        dataset.drop_columns(["twice"])
        dataset.add_columns({"later": "cast(null as double)"})
        dataset.alter_columns({"path": "id", "data_type": pa.int32()})
        dataset.insert(pa.table({"called": ["z"], "later": [0.5], "id": pa.array([9000], pa.int32())}))
        dataset.add_columns(pa.schema([pa.field("st", pa.struct([("a", pa.int32()), ("b", pa.string())]))]))
        dataset.insert(pa.table({"id": pa.array([9001], pa.int32()), "called": ["y"], "later": [1.5],
                                 "st": pa.array([{"a": 1, "b": "x"}], pa.struct([("a", pa.int32()), ("b", pa.string())]))}))
        dataset.drop_columns(["st.a"])
        dataset.delete("id % 3 = 1")
        every_version(tool, uri)


def old_names(tool, root):
    """Manifests named by plain numbers, also once they are migrated."""
    uri = os.path.join(root, "names")
    dataset = lance.write_dataset(people(0, 10), uri, enable_v2_manifest_paths=False)
    for i in range(11):  # past 9: names do not sort as numbers do
        dataset.insert(people(10 + i, 1))
    assert "1.manifest" in os.listdir(os.path.join(uri, "_versions"))
    every_version(tool, uri)
    assert len(tool.cat(uri)) == 21
    dataset.migrate_manifest_paths_v2()
    assert "1.manifest" not in os.listdir(os.path.join(uri, "_versions"))
    every_version(tool, uri)
    shutil.copy(os.path.join(uri, "_versions", f"{2 ** 64 - 1 - 12:020}.manifest"),
                os.path.join(uri, "_versions", "12.manifest"))
    tool.refuses(uri, 1, "two schemes")


def tags_and_branches(tool, root):
    uri = os.path.join(root, "refs")
    dataset = lance.write_dataset(people(0, 50), uri, enable_stable_row_ids=True)
    dataset.delete("id < 5")
    dataset.tags.create("first", 1)
    dataset.create_branch("side/way", 2)
    branch = lance.dataset(uri).checkout_version(("side/way", None))
    branch.insert(people(100, 7))
    branch.delete("id = 10")
    lance.dataset(uri).tags.create("on-branch", ("side/way", 3))
    tool.same(uri, lance.dataset(uri).checkout_version("first"), "--version", "first")
    tool.same(uri, lance.dataset(uri).checkout_version(("side/way", None)), "--branch", "side/way")
    tool.same(uri, lance.dataset(uri).checkout_version("on-branch"), "--version", "on-branch")
    moved = os.path.join(root, "elsewhere", "refs")
    os.makedirs(os.path.dirname(moved))
    want = tool.cat(uri, "--row-ids", "--branch", "side/way")
    shutil.move(uri, moved)
    assert tool.cat(moved, "--row-ids", "--branch", "side/way") == want
    tool.refuses(moved, 2, "no version or tag 'none'", "--version", "none")


def deletion_files(tool, root):
    """Arrow files under any compression; Lance writes zstd."""
    uri = os.path.join(root, "deleted")
    dataset = lance.write_dataset(people(0, 2000), uri)
    dataset.delete("id % 3 = 0")
    name = os.path.join(uri, "_deletions", os.listdir(os.path.join(uri, "_deletions"))[0])
    assert name.endswith(".arrow")
    with pa.OSFile(name) as f:
        rows = pa.ipc.open_file(f).read_all()
    for compression in ("lz4", None, "zstd"):
        options = pa.ipc.IpcWriteOptions(compression=compression)
        with pa.OSFile(name, "wb") as f, pa.ipc.new_file(f, rows.schema, options=options) as writer:
            writer.write_table(rows)
        assert [row["id"] for row in tool.cat(uri)] == [i for i in range(2000) if i % 3 != 0]
    os.truncate(name, os.path.getsize(name) // 2)
    tool.refuses(uri, 1, "_deletions/")


def row_addresses(tool, root):
    """Without stable row ids; after a compaction and updates, too."""
    uri = os.path.join(root, "addresses")
    dataset = lance.write_dataset(people(0, 100), uri, max_rows_per_file=20)
    dataset.delete("id % 7 = 0")
    dataset.update({"name": "'changed'"}, where="id % 5 = 1")
    dataset.optimize.compact_files(target_rows_per_fragment=50)
    dataset.insert(people(500, 30))
    every_version(tool, uri)


def damage(tool, root):
    """verify finds files that are gone, cut or of another table, and outlives flipped bits."""
    uri = os.path.join(root, "damage")
    dataset = lance.write_dataset(pa.table({"id": pa.array(range(5000), pa.int64()), "t": [f"text {i}" for i in range(5000)],
                                            "l": [["a"] * (i % 3) for i in range(5000)]}), uri,
                                  enable_stable_row_ids=True, max_rows_per_file=2500)
    dataset.delete("id % 9 = 0")
    verify = lambda: subprocess.run([tool.path, "verify", uri], capture_output=True, text=True)
    assert verify().returncode == 0 and "0 problems" in verify().stdout
    files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(uri) for name in names
                   if name.endswith((".lance", ".arrow", ".manifest")))
    files = [name for name in files if f"{2 ** 64 - 2:020}" not in name]  # not version 1
    seen = 0
    for name in files:
        with open(name, "rb") as f:
            good = f.read()
        if not name.endswith(".manifest"):  # without the newest, the one before is the newest
            os.remove(name)
            assert verify().returncode == 1, name
        for cut in (0, 7, len(good) // 2, len(good) - 1):
            with open(name, "wb") as f:
                f.write(good[:cut])
            run = verify()
            assert run.returncode == 1, (name, cut, run.returncode)
        for _ in range(40):
            at = R.randrange(len(good))
            with open(name, "wb") as f:
                f.write(good[:at] + bytes([good[at] ^ 1 << R.randrange(8)]) + good[at + 1:])
            run = verify()
            assert run.returncode in (0, 1, 2, 3), (name, at, run.returncode, run.stderr[-500:])
            seen += run.returncode != 0
        with open(name, "wb") as f:
            f.write(good)
    assert verify().returncode == 0 and seen > 20, seen


def refusals(tool, root):
    """What is not read is named."""
    for version, words in (("2.0", "2.0"), ("legacy", "0.1"), ("next", "2.3")):
        uri = os.path.join(root, f"old-{version}")
        lance.write_dataset(people(0, 10), uri, data_storage_version=version)
        tool.refuses(uri, 3, words)
        for options in ([], ["--all"]):
            run = subprocess.run([tool.path, "verify", *options, uri], capture_output=True, text=True)
            assert run.returncode == 3 and words in run.stderr, (version, run)
    uri = os.path.join(root, "lists-of-structs")
    item = pa.list_(pa.list_(pa.struct([("a", pa.int32())]), 2))
    lance.write_dataset(pa.table({"x": pa.array([[[{"a": 1}, {"a": 2}]]], item)}), uri, data_storage_version="2.2")
    tool.refuses(uri, 3, "fixed-size lists of structs inside of lists")
    tool.refuses(os.path.join(root, "nowhere"), 2, "no table at")


CASES = (types, fixed_lists, encodings, blobs_of_21, changing_fields, old_names, tags_and_branches, deletion_files, row_addresses,
         damage, refusals)


def main(argv):
    if pylance.is_missing(argv):
        return 77  # meson: skipped
    for case in CASES:
        if argv[2:] and case.__name__ not in argv[2:]:
            continue
        root = tempfile.mkdtemp(prefix="og-reader-")
        try:
            case(Tool(argv[1]), root)
            print("ok", case.__name__)
        finally:
            shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
