#!/usr/bin/env python3
"""Tables of later writers: a manifest with a field that nobody knows in each of its messages. It is read, every change carries all of them on,
or only loses those whose message it replaces; unknown flags and kinds of what one must understand are refused.

    newer.py LANCETOOL
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

UNKNOWN = 900


# ---- the wire ---------------------------------------------------------------------------------------------

def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def take_varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return n, at


def parse(data):
    """[(field, wire type, value)]"""
    at, out = 0, []
    while at < len(data):
        tag, at = take_varint(data, at)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = take_varint(data, at)
        else:
            size, at = take_varint(data, at) if wire == 2 else (8 if wire == 1 else 4, at)
            value, at = data[at:at + size], at + size
        out.append((field, wire, value))
    return out


def pack(fields):
    out = b""
    for field, wire, value in fields:
        out += varint(field << 3 | wire)
        out += varint(value) if wire == 0 else (varint(len(value)) if wire == 2 else b"") + value
    return out


# Messages within messages, by field; all that a manifest and its indexes are made of.
PAIR = ("Pair", {})
SEGMENT = ("Segment", {1: ("Range", {}), 2: ("RangeWithHoles", {}), 4: ("Array", {}), 5: ("Array", {})})
VERSIONS = ("Versions", {1: ("Run", {1: SEGMENT})})
FRAGMENT = ("DataFragment", {2: ("DataFile", {}), 3: ("DeletionFile", {}), 5: ("RowIds", {1: SEGMENT}), 7: VERSIONS, 9: VERSIONS})
MANIFEST = ("Manifest", {1: ("Field", {10: PAIR}), 2: FRAGMENT, 5: PAIR, 13: ("WriterVersion", {}), 15: ("DataFormat", {}), 16: PAIR, 19: PAIR})
INDEXES = ("IndexSection", {1: ("IndexMetadata", {1: ("Uuid", {}), 6: ("Any", {}), 10: ("IndexFile", {})})})


def add_unknown(data, kind, path=""):
    """The message with an unknown field in it and in all within; each has a text of its own."""
    name, inner = kind
    out, seen = [], {}
    for field, wire, value in parse(data):
        if field in inner and wire == 2:
            seen[field] = seen.get(field, -1) + 1
            value = add_unknown(value, inner[field], f"{path}{name}.{field}[{seen[field]}].")
        out.append((field, wire, value))
    return pack(out + [(UNKNOWN, 2, f"<{path}{name}>".encode())])


class Manifest:
    """The sections of a manifest file."""

    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        place = struct.unpack("<q", data[-16:-8])[0]
        section = lambda at: data[at + 4:at + 4 + struct.unpack_from("<I", data, at)[0]]
        self.message, self.tail, self.data = section(place), data[-8:], data
        offsets = {field: value for field, wire, value in parse(self.message) if field in (6, 21)}
        self.indexes = section(offsets[6]) if 6 in offsets else None
        self.transaction = section(offsets[21]) if 21 in offsets else None

    def write(self, path, message, indexes):
        out, fields = b"", [f for f in parse(message) if f[0] not in (6, 21)]
        for field, data in ((6, indexes), (21, self.transaction)):
            if data is not None:
                fields.append((field, 0, len(out)))
                out += struct.pack("<I", len(data)) + data
        place, message = len(out), pack(fields)
        with open(path, "wb") as f:
            f.write(out + struct.pack("<I", len(message)) + message + struct.pack("<q", place) + self.tail)

    def marks(self):
        """The unknown texts that it holds."""
        found, at = set(), 0
        while (at := self.data.find(b"<", at)) >= 0:
            end = self.data.find(b">", at)
            text = self.data[at:end + 1]
            if text.startswith((b"<Manifest", b"<IndexSection")):
                found.add(text.decode())
            at += 1
        return found


# ---- tables -----------------------------------------------------------------------------------------------

class Table:
    def __init__(self, program):
        self.program = os.path.abspath(program)

    def run(self, *words, code=0, given=""):
        run = subprocess.run([self.program, *words], capture_output=True, text=True, input=given)
        assert run.returncode == code, (words, run.returncode, run.stderr)
        return run.stdout if code == 0 else run.stderr

    def newest(self):
        return os.path.join("t/_versions", min(n for n in os.listdir("t/_versions") if n.endswith(".manifest")))

    def rows(self):
        return self.run("cat", "--row-ids", "t")

    def make(self):
        shutil.rmtree("t", ignore_errors=True)
        lines = lambda first: "".join(json.dumps({"id": i, "s": f"text {i}", "p": {"x": i}}) + "\n" for i in range(first, first + 20))
        self.run("import", "--schema", "id: int64!, s: utf8, p: struct<x: int32>", "t", given=lines(0))
        for first in (20, 40):
            self.run("append", "t", given=lines(first))
        self.run("delete", "--ids", "3,4,5,6", "t")
        self.run("index", "t", "create", "id")
        self.run("append", "--key", "id", "t", given='{"id": 21, "s": "new"}\n')


def carried(table):
    """Every change, each on the table as a later writer left it."""
    ops = {
        "append": (["append", "t"], '{"id": 100}', ()),
        "delete": (["delete", "--where", "id = 45", "t"], "", ()),
        # A new deletion file takes the place of the old one.
        "delete more": (["delete", "--where", "id = 8", "t"], "", ("<Manifest.2[0].DataFragment.3[0].DeletionFile>",)),
        "update": (["append", "--key", "id", "t"], '{"id": 50, "s": "x"}', ()),
        "add": (["add-columns", "t", "more: int8"], "", ()),
        # A schema that loses a column loses what was said of it.
        "drop": (["drop-columns", "t", "s"], "", ("<Manifest.1[1].Field>",)),
        "rename": (["rename-column", "t", "s", "q"], "", ()),
        "index": (["index", "t", "create", "s"], "", ()),
        "compact": (["compact", "--all-deletions", "t"], "", ()),
        "restore": (["restore", "--version", "6", "t"], "", ()),
    }
    for name, (words, given, replaced) in ops.items():
        table.make()
        before = table.rows()
        old = Manifest(table.newest())
        old.write(table.newest(), add_unknown(old.message, MANIFEST), add_unknown(old.indexes, INDEXES))
        marks = Manifest(table.newest()).marks()
        assert len(marks) > 40 and table.rows() == before, (name, len(marks))
        table.run("verify", "t")
        said = table.run(*words, given=given)
        lost = marks - Manifest(table.newest()).marks()
        # Who wrote a version is the writer's own.
        assert lost <= {"<Manifest.13[0].WriterVersion>", *replaced}, (name, sorted(lost))
        assert name != "compact" or "nothing to do" in said, "fragments of which more is said stay as they are"
        table.run("verify", "t")


def changed(table, field, make):
    """The newest manifest with another value of a field."""
    table.make()
    old = Manifest(table.newest())
    fields = [f for f in parse(old.message) if f[0] != field]
    value = next((f[2] for f in parse(old.message) if f[0] == field), 0)
    old.write(table.newest(), pack(fields + [(field, 0, make(value))]), old.indexes)


def refused(table):
    for flag in (64, 1 << 20):
        changed(table, 9, lambda flags: flags | flag)
        for words in (["cat", "t"], ["inspect", "t"], ["verify", "t"], ["append", "t"]):
            assert "features" in table.run(*words, code=3, given='{"id": 1}'), words
        changed(table, 10, lambda flags: flags | flag)  # who reads need not know it
        table.run("cat", "t")
        for words in (["append", "t"], ["delete", "--ids", "1", "t"], ["compact", "t"], ["index", "t", "drop", "id_idx"],
                      ["drop-columns", "t", "s"], ["restore", "--version", "1", "t"]):
            assert "features" in table.run(*words, code=3, given='{"id": 1}'), words
    # What a fragment must be understood by: kinds of deletion files, of row ids.
    for words, path, new, message in ((["cat", "t"], (2, 3), (1, 0, 7), "deletion file of type 7"),
                                      (["append", "t"], (2, 3), (1, 0, 7), "deletion file of type 7"),
                                      (["cat", "--row-ids", "t"], (2, 5, 1), None, "field 900"),
                                      (["delete", "--ids", "1", "t"], (2, 5, 1), None, "field 900"),
                                      (["append", "--key", "id", "t"], (2, 5, 1), None, "field 900")):
        table.make()
        old = Manifest(table.newest())
        old.write(table.newest(), replace(old.message, path, new), old.indexes)
        assert message in table.run(*words, code=3, given='{"id": 1}'), words


def jsonb(table):
    """A column of type json, good and with every byte changed or cut off: JSON, else the bytes."""
    good = bytes.fromhex("40000002 10000001 10000001 20000002 50000016 61 62 5001 80000003 40000000 10000001 20000005 78 5000011170")
    values = [good, bytes.fromhex("20000000 10000003 737472"), bytes.fromhex("80000000"), b""]
    values += [good[:at] + bytes([good[at] ^ bit]) + good[at + 1:] for at in range(len(good)) for bit in (1, 16, 32, 64, 128)]
    values += [good[:at] for at in range(len(good))]
    values.append(bytes.fromhex("80000001") * 3000)
    shutil.rmtree("t", ignore_errors=True)
    table.run("import", "--schema", "x: large_binary", "t", given="".join(json.dumps({"x": {"hex": v.hex()}}) + "\n" for v in values))
    old = Manifest(table.newest())
    fields = [(f, w, pack([(5, 2, b"json") if i[0] == 5 else i for i in parse(v)]) if f == 1 else v) for f, w, v in parse(old.message)]
    old.write(table.newest(), pack(fields), old.indexes)
    rows = [json.loads(line)["x"] for line in table.run("cat", "--all-bytes", "t").splitlines()]
    assert rows[:4] == [{"a": 1, "b": [True, "x", 70000]}, "str", [], {"hex": ""}], rows[:4]
    assert len(rows) == len(values) and rows[-1] == {"hex": values[-1].hex()}
    assert all(row == {"hex": v.hex()} for row, v in zip(rows[-1 - len(good):-1], values[-1 - len(good):-1]))
    assert "x: json" in table.run("inspect", "t")
    assert "json" in table.run("append", "t", code=3, given='{"x": 1}')
    assert "json" in table.run("index", "t", "create", "x", code=3)


def replace(data, path, new):
    """The first message at `path` with the field `new`, or with nothing but an unknown one."""
    out, done = [], False
    for field, wire, value in parse(data):
        if field == path[0] and not done:
            done = True
            if len(path) > 1:
                value = replace(value, path[1:], new)
            else:
                value = pack([f for f in parse(value) if f[0] != new[0]] + [new]) if new else pack([(UNKNOWN, 2, b"?")])
        out.append((field, wire, value))
    return pack(out)


def main(argv):
    table = Table(argv[1])
    folder = tempfile.mkdtemp(prefix="og-newer-")
    os.chdir(folder)
    try:
        for case in (carried, refused, jsonb):
            case(table)
            print("ok", case.__name__)
    finally:
        os.chdir("/")
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
