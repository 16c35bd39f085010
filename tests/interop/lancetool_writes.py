#!/usr/bin/env python3
"""The commands of `lancetool` that write, each read and gone on with by pylance 6.0.1.

    lancetool_writes.py LANCETOOL

Run it with a Python that has pylance 6.0.1; without one it says SKIPPED.
"""
import datetime
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import pylance

try:
    import lance
    import pyarrow as pa
except ImportError:
    lance = None

R = random.Random(5)


class Tool:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def __call__(self, *args, code=0, given=None):
        run = subprocess.run([self.program, *map(str, args)], cwd=self.folder, input=given, capture_output=True)
        assert run.returncode == code, (args, run.returncode, run.stdout[-300:], run.stderr[-500:])
        return run.stdout.decode()

    def rows(self, table, *options):
        return [json.loads(line) for line in self("cat", *options, table).splitlines()]


def every_type(n):
    def maybe(i, value):
        return None if R.random() < 0.2 else value
    rows = range(n)
    fields = {
        "b": pa.array([maybe(i, i % 3 == 0) for i in rows], pa.bool_()),
        **{f"{s}{w}": pa.array([maybe(i, i % 100) for i in rows], getattr(pa, f"{s}{w}")()) for s in ("int", "uint") for w in (8, 16, 32, 64)},
        "f": pa.array([maybe(i, i / 4) for i in rows], pa.float32()), "d": pa.array([maybe(i, i * 1e-3) for i in rows], pa.float64()),
        "s": pa.array([maybe(i, "ä" * (i % 5)) for i in rows], pa.utf8()), "ls": pa.array([maybe(i, "x" * i) for i in rows], pa.large_utf8()),
        "z": pa.array([maybe(i, b"\0\xff" * (i % 4)) for i in rows], pa.binary()), "lz": pa.array([maybe(i, b"q") for i in rows], pa.large_binary()),
        "day": pa.array([maybe(i, datetime.date(2024, 1, 1) + datetime.timedelta(i)) for i in rows], pa.date32()),
        "list": pa.array([maybe(i, [None if j == 1 else j for j in range(i % 4)]) for i in rows], pa.list_(pa.int32())),
        "vec": pa.array([maybe(i, [float(i), 1.0, 2.0]) for i in rows], pa.list_(pa.float32(), 3)),
        "p": pa.array([maybe(i, {"x": i, "t": [f"t{i}"]}) for i in rows], pa.struct({"x": pa.int64(), "t": pa.list_(pa.utf8())})),
    }
    return pa.table(fields)


def stream(table, rows=None, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue().to_pybytes()


def arrow(tool):
    table = every_type(500)
    tool("import", "t.lance", given=stream(table, 100))
    dataset = lance.dataset(os.path.join(tool.folder, "t.lance"))
    dataset.validate()
    assert dataset.to_table().to_pylist() == table.to_pylist()
    tool("append", "t.lance", "-", given=stream(table.slice(3, 7)))  # slices: offsets that do not begin at 0
    tool("append", "t.lance", given=stream(table.select(["s", "int32"]).slice(0, 2)))
    got = lance.dataset(os.path.join(tool.folder, "t.lance")).to_table()
    assert got.slice(500, 7).to_pylist() == table.slice(3, 7).to_pylist()
    assert got.slice(507).column("int32").to_pylist() == table.column("int32").to_pylist()[:2]
    assert got.slice(507).column("vec").null_count == 2
    whole = stream(table.slice(0, 20))
    for cut in range(0, len(whole) - 16, 61):
        tool("import", f"cut{cut}.lance", code=1 if cut >= 4 else 2, given=whole[:cut])
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[R.randrange(len(damaged))] ^= 1 << R.randrange(8)
        run = subprocess.run([tool.program, "import", f"d{_}.lance"], cwd=tool.folder, input=bytes(damaged), capture_output=True)
        assert run.returncode in (0, 1, 2, 3), run.stderr
    tool("append", "t.lance", code=1, given=stream(pa.table({"other": [1]})))
    for codec in ("zstd", "lz4"):
        whole = stream(table, 100, compression=codec)
        tool("import", f"{codec}.lance", given=whole)
        assert lance.dataset(os.path.join(tool.folder, f"{codec}.lance")).to_table().to_pylist() == table.to_pylist()
        flips(tool, codec, whole)


def flips(tool, name, whole):
    for i in range(100):
        damaged = bytearray(whole)
        damaged[R.randrange(len(damaged))] ^= 1 << R.randrange(8)
        run = subprocess.run([tool.program, "import", f"{name}{i}.lance"], cwd=tool.folder, input=bytes(damaged), capture_output=True)
        assert run.returncode in (0, 1, 2, 3), run.stderr


def dictionaries(tool):
    """Columns with a dictionary, of every type of index, in lists and structs too; dictionaries that grow and that are replaced."""
    words = ["a", None, "bb", "", "ccc", "a", None, "bb"]
    batches = []
    for values in (["a", "bb", "", "ccc"], ["a", "bb", "", "ccc", "dddd"], ["x", "y", "z", None, "w"]):
        columns = {}
        for index in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
            places = pa.array([0, None, 1, 2, 3, 0, None, len(values) - 1], getattr(pa, index)())
            columns[index] = pa.DictionaryArray.from_arrays(places, pa.array(values, pa.utf8()))
        numbers = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, None, 0, 1, 2, 2], pa.int32()), pa.array([7.5, None, -1.0]))
        columns["numbers"] = numbers
        columns["list"] = pa.ListArray.from_arrays(pa.array([0, 2, 2, 3, 3, 4, 5, 6, 8], pa.int32()), columns["int8"])
        columns["p"] = pa.StructArray.from_arrays([columns["int16"], numbers], names=["t", "n"])
        batches.append(pa.record_batch(list(columns.values()), names=list(columns)))
    expected = [row for batch in batches for row in batch.to_pylist()]
    for i, options in enumerate(({}, {"emit_dictionary_deltas": True}, {"compression": "lz4", "emit_dictionary_deltas": True})):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batches[0].schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
            for batch in batches:
                writer.write_batch(batch)
        whole = sink.getvalue().to_pybytes()
        tool("import", f"dict{i}.lance", given=whole)
        assert lance.dataset(os.path.join(tool.folder, f"dict{i}.lance")).to_table().to_pylist() == expected
        flips(tool, f"dict{i}-", whole)
    nothing = pa.table({"c": pa.array([None, None], pa.utf8()).dictionary_encode()})
    tool("import", "nothing.lance", given=stream(nothing))
    assert tool.rows("nothing.lance") == [{"c": None}] * 2
    tool("import", "swapped.lance", code=3, given=big_endian(stream(pa.table({"n": pa.array([1], pa.int32())}))))


def big_endian(whole):
    """The stream with another byte order than 0, little-endian, which writers leave out of the schema: its slot now names the place of a
    number that is there."""
    whole = bytearray(whole)
    at = 8 + struct.unpack_from("<I", whole, 8)[0]
    header = at + struct.unpack_from("<H", whole, at - struct.unpack_from("<i", whole, at)[0] + 8)[0]
    schema = header + struct.unpack_from("<I", whole, header)[0]
    slots = schema - struct.unpack_from("<i", whole, schema)[0] + 4
    struct.pack_into("<H", whole, slots, struct.unpack_from("<H", whole, slots + 2)[0])
    return bytes(whole)


def json_rows(tool):
    schema = "id: utf8!, n: int64, tags: list<utf8>, v: fixed_size_list<float32, 2>, p: struct<x: int32>, z: binary, body: blob"
    rows = [{"id": f"k{i}", "n": i, "tags": [f"t{i}", None], "v": [i, 0.5], "p": {"x": i}, "z": {"hex": "00ff"}, "body": "b" * i} for i in range(40)]
    text = "\n".join(map(json.dumps, rows)).encode()
    tool("import", "--schema", schema, "j.lance", given=text)
    tool("import", "--schema", schema, "j.lance", code=2, given=text)
    uri = os.path.join(tool.folder, "j.lance")
    dataset = lance.dataset(uri)
    dataset.validate()
    assert dataset.to_table(columns=["id", "n", "tags", "v", "p", "z"]).slice(5, 1).to_pylist() == [
        {"id": "k5", "n": 5, "tags": ["t5", None], "v": [5.0, 0.5], "p": {"x": 5}, "z": b"\0\xff"}]
    with dataset.take_blobs("body", indices=[7])[0] as f:
        assert f.readall() == b"b" * 7
    for bad in ({"id": "x", "n": "1"}, {"id": "x", "q": 1}, {"id": None}, {"id": "x", "v": [1]}, {"id": "x", "n": 2 ** 63}, 3):
        tool("append", "j.lance", code=1, given=json.dumps(bad).encode())
    before = {r["id"]: r["_rowid"] for r in tool.rows("j.lance", "--row-ids")}
    tool("append", "--key", "id", "j.lance", given=b'{"id": "k3", "n": 300} {"id": "new", "n": 1} {"id": "k4", "n": 400}')
    after = {r["id"]: r for r in tool.rows("j.lance", "--row-ids")}
    assert len(after) == 41 and after["k3"]["n"] == 300 and after["k3"]["_rowid"] == before["k3"] and after["k4"]["n"] == 400
    tool("delete", "--ids", f"{before['k0']},{before['k1']}", "j.lance")
    tool("delete", "--where", "n >= 300", "j.lance")
    tool("delete", "--where", "id = 'k9'", "j.lance")
    tool("delete", "--where", "n", "j.lance", code=2)
    tool("delete", "j.lance", code=2)
    left = {r["id"] for r in tool.rows("j.lance")}
    assert left == {f"k{i}" for i in range(2, 40) if i not in (3, 4, 9)} | {"new"}
    lance.dataset(uri).validate()
    tool("compact", "j.lance")
    assert "nothing" in tool("compact", "j.lance")
    assert {r["id"] for r in tool.rows("j.lance")} == left == set(lance.dataset(uri).to_table(columns=["id"])["id"].to_pylist())


def evolve(tool):
    uri = os.path.join(tool.folder, "j.lance")
    tool("add-columns", "j.lance", "note: utf8, more: list<int64>")
    tool("rename-column", "j.lance", "n", "number")
    tool("drop-columns", "j.lance", "z", "p")
    tool("drop-columns", "j.lance", "nothing", code=2)
    assert set(lance.dataset(uri).schema.names) == {"id", "number", "tags", "v", "body", "note", "more"}
    lance.dataset(uri).create_scalar_index("id", "BTREE")
    tool("append", "j.lance", given=b'{"id": "z", "note": "hello", "more": [1]}')
    assert lance.dataset(uri).to_table(filter="id = 'z'", columns=["note"])["note"].to_pylist() == ["hello"]
    tool("index", "j.lance", "drop", "id_idx")
    assert lance.dataset(uri).list_indices() == []


def blobs_of_lance(tool):
    """Blob columns as pylance's own helpers make them: four fields, parts of objects that lie elsewhere."""
    uri, far = os.path.join(tool.folder, "b.lance"), os.path.join(tool.folder, "far.bin")
    with open(far, "wb") as f:
        f.write(b"0123456789" * 10)
    values = [b"x", None, b"", b"y" * 100000, b"z" * 5000000, lance.Blob(uri="file://" + far), lance.Blob(uri="file://" + far, position=5, size=7)]
    schema = pa.schema([pa.field("i", pa.int64()), lance.blob_field("b")])
    lance.write_dataset(pa.table([pa.array(range(7)), lance.blob_array(values)], schema=schema), uri, data_storage_version="2.2",
                        enable_stable_row_ids=True, allow_external_blob_outside_bases=True)

    def read():
        dataset = lance.dataset(uri)
        dataset.validate()
        rows = dataset.scanner(columns=["i"], with_row_id=True).to_table().to_pylist()
        files = {r["i"]: dataset.take_blobs("b", ids=[r["_rowid"]]) for r in rows}
        return {i: f[0].readall() if f else None for i, f in files.items()}

    assert tool.rows("b.lance")[6]["b"] == {"uri": "file://" + far, "position": 5, "size": 7}
    part = {"uri": "file://" + far, "position": 3, "size": 4}
    tool("append", "b.lance", given="".join(json.dumps(r) + "\n" for r in (
        {"i": 10, "b": "hello"}, {"i": 11}, {"i": 12, "b": part}, {"i": 13, "b": {"uri": "file://" + far}})).encode())
    tool("append", "--key", "i", "b.lance", given=b'{"i": 0, "b": "new"}')
    tool("delete", "--where", "i = 3", "b.lance")
    wanted = {0: b"new", 1: None, 2: b"", 4: b"z" * 5000000, 5: b"0123456789" * 10, 6: b"5678901", 10: b"hello", 11: None, 12: b"3456",
              13: b"0123456789" * 10}
    assert read() == wanted
    tool("compact", "--all-deletions", "b.lance")
    assert read() == wanted and len(lance.dataset(uri).get_fragments()) == 1
    assert {r["i"]: r["b"] for r in tool.rows("b.lance")}[12] == part
    tool("verify", "b.lance")
    tool("append", "b.lance", code=1, given=b'{"i": 1, "b": {"uri": "x", "position": "y"}}')


def replaced(tool):
    """Overwritten by an Arrow stream with other columns; config and both kinds of metadata."""
    uri = os.path.join(tool.folder, "r.lance")
    tool("import", "r.lance", given=stream(pa.table({"a": [1, 2, 3]})))
    lance.dataset(uri).create_scalar_index("a", "BTREE")
    tool("import", "--overwrite", "r.lance", given=stream(pa.table({"a": ["x"], "b": [0.5]})))
    dataset = lance.dataset(uri)
    dataset.validate()
    assert dataset.to_table().to_pylist() == [{"a": "x", "b": 0.5}] and dataset.list_indices() == []
    assert lance.dataset(uri, version=1).count_rows() == 3
    lance.write_dataset(pa.table({"a": ["y"], "b": [1.5]}), uri, mode="append")
    tool("retype-column", "r.lance", "b", "float32")
    tool("retype-column", "r.lance", "a", "large_utf8")
    dataset = lance.dataset(uri)
    dataset.validate()
    assert dataset.schema.field("b").type == pa.float32() and dataset.schema.field("a").type == pa.large_string()
    assert dataset.to_table().to_pylist() == [{"a": "x", "b": 0.5}, {"a": "y", "b": 1.5}]
    tool("config", "r.lance", "mine=1", "other=2")
    tool("config", "--schema", "r.lance", "source=survey")
    tool("config", "--metadata", "r.lance", "m=n")
    dataset = lance.dataset(uri)
    assert dataset.config() == {"mine": "1", "other": "2"} and dataset.schema.metadata == {b"source": b"survey"}
    tool("config", "r.lance", "other")
    assert lance.dataset(uri).config() == {"mine": "1"}
    lance.dataset(uri).update_config({"theirs": "3"})
    assert "theirs=3" in tool("config", "r.lance") and len(tool.rows("r.lance")) == 2


def refs(tool):
    uri = os.path.join(tool.folder, "j.lance")
    rows, version = lance.dataset(uri).count_rows(), lance.dataset(uri).version
    tool("tag", "create", "j.lance", "first", "--version", "1")
    assert lance.dataset(uri).tags.list()["first"]["version"] == 1 and "first version 1" in tool("tag", "list", "j.lance")
    assert lance.dataset(uri, version="first").count_rows() == 40
    tool("branch", "create", "j.lance", "side")
    tool("branch", "create", "j.lance", "side/two", "--branch", "side")
    tool("append", "--branch", "side", "j.lance", given=b'{"id": "s"}')
    assert lance.dataset(uri).checkout_version(("side", None)).count_rows() == rows + 1
    assert set(lance.dataset(uri).branches.list()) == {"side", "side/two"}
    lance.dataset(uri).checkout_version(("side/two", None)).delete("id = 'k2'")
    assert len(tool.rows("j.lance", "--branch", "side/two")) == rows - 1
    lance.dataset(uri).checkout_version(("side", None)).create_branch("theirs", None)
    assert "theirs of side" in tool("branch", "list", "j.lance")
    tool("branch", "delete", "j.lance", "side", code=2)
    for name in ("theirs", "side/two", "side"):
        tool("branch", "delete", "j.lance", name)
    assert lance.dataset(uri).branches.list() == {} and not os.path.exists(os.path.join(uri, "tree", "side", "_versions", "x"))
    tool("restore", "--version", "first", "j.lance")
    assert lance.dataset(uri).count_rows() == 40 and lance.dataset(uri).version == version + 1
    tool("cleanup", "--keep", "1", "j.lance")
    assert [v["version"] for v in lance.dataset(uri).versions()] == [1, version, version + 1]
    assert lance.dataset(uri, version=1).count_rows() == lance.dataset(uri).count_rows() == 40
    tool("tag", "delete", "j.lance", "first")
    tool("tag", "delete", "j.lance", "first", code=2)
    tool("cleanup", "--keep", "0", "j.lance")
    dataset = lance.dataset(uri)
    dataset.validate()
    assert len(dataset.versions()) == 1 and dataset.to_table(columns=["id"]).num_rows == 40
    tool("verify", "j.lance")


def main(argv):
    if pylance.is_missing(argv):
        return 77  # meson: skipped
    folder = tempfile.mkdtemp(prefix="og-lancetool-")
    try:
        for case in (arrow, dictionaries, json_rows, blobs_of_lance, replaced, evolve, refs):
            if argv[2:] and case.__name__ not in argv[2:]:
                continue
            case(Tool(os.path.abspath(argv[1]), folder))
            print("ok", case.__name__)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
