"""Bad records, queries and parameters: each refused with its place and remedy."""
import json
import os
import subprocess

from graphs import expect, refusing

MEBIBYTE = 1 << 20
START = [{"type": "Person", "data": {"name": "ana", "age": 3}},
         {"type": "Person", "data": {"name": "bob", "face": [1, 2, 3, 4]}},
         {"type": "Company", "data": {"name": "acme", "code": "a1"}},
         {"edge": "Knows", "from": "ana", "to": "bob", "data": {"id": "k1"}}]


def person(**data):
    return json.dumps({"type": "Person", "data": {"name": "zoe", **data}})


# Loads that are refused: name, the lines of the file, what the message must hold, and the modes when
# not all refuse.
GOOD = '{"type":"Person","data":{"name":"good"}}'
LOADS = [
    ("json_wrong", [GOOD, "", '{"type":"Person",', ' "data":{"name":"zoe",}}'],
     ["data.jsonl:3: ", "invalid JSON at record 2: expected a key in quotes, found '}'", "byte 82, on line 4"]),
    ("json_truncated", [GOOD, '{"type":"Person","data":{"name":'],
     ["data.jsonl:2: ", "expected a value, found the end of the input", "byte 73"]),
    ("json_truncated_text", [GOOD, '{"type":"Person","data":{"name":"zo'],
     ["data.jsonl:2: ", "found the end of the input"]),
    ("json_word", [GOOD, '{"type":"Person","data":{"name":nil}}'],
     ["data.jsonl:2: ", "expected true, false or null, found 'i'"]),
    ("json_not_a_record", [GOOD, "5"], ["data.jsonl:2: ", "record 2: expected 'type' or 'edge' field"]),
    ("json_no_type", [GOOD, '{"typ":"Person","data":{}}'],
     ["data.jsonl:2: ", "expected 'type' or 'edge' field"]),
    ("json_data_no_object", [GOOD, '{"type":"Person","data":[]}'], ["data.jsonl:2: ", "'data' of a record must be an object"]),
    ("invalid_utf8", [GOOD, b'{"type":"Person","data":{"name":"a\xff"}}'],
     ["data.jsonl:2: ", "expected well-formed UTF-8, found byte 0xff"]),
    ("invalid_utf8_surrogate", [GOOD, b'{"type":"Person","data":{"name":"a\xed\xa0\x80"}}'],
     ["data.jsonl:2: ", "expected well-formed UTF-8"]),
    ("deep_nest", [GOOD, '{"type":"Person","data":{"tags":' + "[" * 200_000],
     ["data.jsonl:2: ", "expected at most 128 levels of nesting"]),
    ("unknown_node_type", [GOOD, '{"type":"Persn","data":{"name":"zoe"}}'],
     ["data.jsonl:2: ", "unknown node type 'Persn'", "Did you mean 'Person'?"]),
    ("unknown_edge_type", [GOOD, '{"edge":"Know","from":"ana","to":"bob"}'],
     ["data.jsonl:2: ", "unknown edge type 'Know'", "Did you mean 'Knows'?"]),
    ("edge_given_as_node", [GOOD, '{"type":"Knows","data":{}}'],
     ["data.jsonl:2: ", "unknown node type 'Knows'", "'Knows' is the name of an edge type"]),
    ("node_given_as_edge", [GOOD, '{"edge":"Person","from":"ana","to":"bob"}'],
     ["data.jsonl:2: ", "unknown edge type 'Person'", "'Person' is the name of a node type"]),
    ("unknown_property", [GOOD, person(agee=1)],
     ["data.jsonl:2: ", "unknown property 'agee' on node Person", "Did you mean 'age'?"]),
    ("unknown_edge_property", [GOOD, '{"edge":"Knows","from":"ana","to":"bob","data":{"sinse":null}}'],
     ["data.jsonl:2: ", "unknown property 'sinse' on edge Knows", "Did you mean 'since'?"]),
    ("wrong_type_integer", [GOOD, person(age="three")],
     ["data.jsonl:2: ", "property 'age' expects I32, got text 'three'"]),
    ("wrong_type_fraction", [GOOD, person(age=1.5)], ["data.jsonl:2: ", "property 'age' expects I32, got number 1.5"]),
    ("wrong_type_text", [GOOD, person(note=5)], ["data.jsonl:2: ", "property 'note' expects String, got number 5"]),
    ("wrong_type_bool", [GOOD, person(open="yes")], ["data.jsonl:2: ", "property 'open' expects Bool, got text 'yes'"]),
    ("wrong_type_list", [GOOD, person(tags="x")], ["data.jsonl:2: ", "list property 'tags' expects a JSON array, got \"x\""]),
    ("wrong_type_list_item", [GOOD, person(tags=["x", 1])],
     ["data.jsonl:2: ", "list property 'tags' expects items of String, got number 1"]),
    ("wrong_type_key", [GOOD, '{"type":"Person","data":{"name":7}}'], ["data.jsonl:2: ", "'name'"]),
    ("wrong_type_date", [GOOD, person(born="2024-02-30")],
     ["data.jsonl:2: ", "invalid Date literal '2024-02-30'", "'born'"]),
    ("wrong_type_datetime", [GOOD, person(seen="noon")], ["data.jsonl:2: ", "invalid DateTime literal 'noon'", "'seen'"]),
    ("wrong_enum_value", [GOOD, person(mood="angry")], ["data.jsonl:2: ", "'angry'"]),
    ("missing_key", [GOOD, '{"type":"Person","data":{"age":1}}'],
     ["data.jsonl:2: ", "missing @key property 'name'"]),
    ("missing_required", [GOOD, '{"edge":"WorksAt","from":"ana","to":"acme","data":{}}'], ["data.jsonl:2: ", "'role'"]),
    ("duplicate_key", [GOOD, GOOD], ["data.jsonl:2: ", "@unique violation on Person.name", "'good'"]),
    ("duplicate_unique", ['{"type":"Company","data":{"name":"new","code":"a1"}}'],
     ["data.jsonl:1: ", "@unique violation", "'a1'"], ("append", "merge")),
    ("dangling_from", [GOOD, '{"edge":"Knows","from":"nobody","to":"bob"}'],
     ["data.jsonl:2: ", "edge Knows", "src 'nobody' not found in Person"]),
    ("dangling_to", [GOOD, '{"edge":"Knows","from":"ana","to":"acme"}'],
     ["data.jsonl:2: ", "edge Knows", "dst 'acme' not found in Person"], ("append", "merge")),
    ("missing_endpoint", [GOOD, '{"edge":"Knows","from":"ana"}'], ["data.jsonl:2: ", "edge missing 'to'"]),
    ("out_of_range_i32", [GOOD, person(age=2**31)],
     ["data.jsonl:2: ", "value 2147483648 of property 'age' is out of range for I32"]),
    ("out_of_range_i64", [GOOD, person(size=2**63)],
     ["data.jsonl:2: ", "value 9223372036854775808 of property 'size' is out of range for I64"]),
    ("out_of_range_u32", [GOOD, person(small=-1)], ["data.jsonl:2: ", "value -1 of property 'small' is out of range for U32"]),
    ("out_of_range_u64", [GOOD, person(big=2**64)], ["data.jsonl:2: ", "'big'", "U64", "18446744073709551616"]),
    ("out_of_range_f32", [GOOD, person(ratio=1e39)], ["data.jsonl:2: ", "'ratio' is out of range for F32"]),
    ("out_of_range_f64", [GOOD, '{"type":"Person","data":{"name":"zoe","exact":1e999}}'], ["data.jsonl:2: ", "'exact'", "1e999"]),
    ("nan_in_vector", [GOOD, '{"type":"Person","data":{"name":"zoe","face":[1,NaN,3,4]}}'],
     ["data.jsonl:2: ", "expected a value, found 'N'"]),
    ("nan_text_in_vector", [GOOD, person(face=[1, "NaN", 3, 4])],
     ["data.jsonl:2: ", "vector property 'face' expects numbers, got text 'NaN'"]),
    ("infinity_in_vector", [GOOD, person(face=[1, 1e39, 3, 4])], ["data.jsonl:2: ", "'face'", "F32"]),
    ("vector_too_long", [GOOD, person(face=[1, 2, 3, 4, 5])],
     ["data.jsonl:2: ", "vector property 'face' expects 4 dimensions, got 5"]),
    ("vector_too_short", [GOOD, person(face=[])], ["data.jsonl:2: ", "expects 4 dimensions, got 0"]),
    ("blob_not_base64", [GOOD, person(picture="base64:*")], ["data.jsonl:2: ", "'picture'"]),
]

# Mutations that are refused: name, source, parameters, what the message must hold.
MUTATIONS = [
    ("syntax", "query q() { insert Person { name: } }", None, ["1:"]),
    ("invalid_utf8", b"query q() { insert Person { name: \"a\xff\" } }".decode("utf-8", "surrogateescape"), None, ["UTF-8"]),
    ("unknown_type", 'query q() { insert Persn { name: "z" } }', None, ["Persn", "Person"]),
    ("unknown_property", 'query q() { insert Person { name: "z", agee: 1 } }', None, ["agee", "age"]),
    ("wrong_type", 'query q() { insert Person { name: "z", age: "x" } }', None, ["age"]),
    ("dangling_endpoint", 'query q() { insert Knows { from: "ana", to: "nobody" } }', None,
     ["'nobody' not found in Person"]),
    ("second_statement_fails",
     'query q() { insert Person { name: "z" } insert Knows { from: "z", to: "nobody" } }', None, ["nobody"]),
    ("duplicate_unique", 'query q() { insert Company { name: "n", code: "a1" } }', None, ["@unique", "a1"]),
    ("param_missing", "query q($n: String) { insert Person { name: $n } }", {}, ["'n'"]),
    ("param_wrong_type", "query q($a: I32) { update Person set { age: $a } where name = \"ana\" }", {"a": "x"}, ["'a'", "x"]),
    ("param_out_of_range", "query q($a: I32) { update Person set { age: $a } where name = \"ana\" }", {"a": 2**31},
     ["'a'", "2147483648", "I32"]),
    ("param_vector_length", 'query q($f: Vector(4)) { insert Person { name: "z", face: $f } }', {"f": [1]}, ["'f'", "4"]),
]


def refused_load(lines, parts, modes=("append", "merge", "overwrite")):
    def case(graph):
        graph.load(START)
        data = b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines)
        with refusing(graph):
            for mode in modes:
                expect(graph.load(data, mode=mode), *parts)
    return case


def refused_mutation(source, params, parts):
    def case(graph):
        graph.load(START)
        with refusing(graph):
            expect(graph.mutate(source, params), *parts)
    return case


def stored_key_appended(graph):
    graph.load(START)
    with refusing(graph):
        expect(graph.load([{"type": "Person", "data": {"name": "ana"}}], mode="append"), "data.jsonl:1: ", "'ana'",
               "Use merge")


def params_no_json(graph):
    graph.load(START)
    source = "query q($n: String) { insert Person { name: $n } }"
    with refusing(graph):
        for text, part in (("{", "found the end"), ("[]", "must be an object"), ("", "--params"),
                           ("[" * 100_000, "levels of nesting"), ('{"n": "a"} x', "found 'x'")):
            expect(graph.run("mutate", "-e", source, "--params", text, graph.folder), part)


def empty_file(graph):
    """An empty file is no error and changes no row."""
    graph.load(START)
    before = graph.export()
    for mode in ("overwrite", "append", "merge"):
        for text in (b"", b"\n \r\n", b"\xef\xbb\xbf"):
            assert graph.load(text, mode=mode).code == 0
    assert graph.export() == before
    with refusing(graph):
        expect(graph.run("mutate", "-e", " ", graph.folder), "must not be empty")
        empty = os.path.join(graph.scratch, "empty")
        open(empty, "w").close()
        assert graph.run("mutate", "--query", empty, graph.folder).code == 1
        assert graph.run("mutate", "-e", "query q() { delete Person }", "--params-file", empty, graph.folder).code == 1
        new = os.path.join(graph.scratch, "new")
        assert graph.run("init", "--schema", empty, new).code in (0, 1)


def no_such_file(graph):
    graph.load(START)
    with refusing(graph):
        expect(graph.run("load", "--data", "nowhere.jsonl", graph.folder), "can't read nowhere.jsonl", "No such file")
        expect(graph.run("load", "--data", ".", graph.folder), "can't read .", "directory")


def record_over_256_mib(graph):
    """Through a pipe, so that nothing but the program could hold it; refused with its line, and it
    takes no more memory than the largest record that is allowed."""
    graph.load(START)
    with refusing(graph):
        command = ["sh", "-c", 'ulimit -c 0; exec "$@"', "sh", "python3", "-c", MEASURE, graph.binary, graph.folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=graph.scratch)
        code, peak_kib, sent = (int(x) for x in done.stdout.split())
        assert code == 1, done
        for part in ("standard input:2: ", "record 2", "larger than 268435456 bytes"):
            assert part in done.stderr, done.stderr
        sanitized = "__asan" in subprocess.run(["nm", "-D", graph.binary], capture_output=True, text=True).stdout
        limit = (300 if not sanitized else 1200) * 1024
        assert peak_kib < limit, f"{peak_kib} KiB for {sent} MiB"
    return f"peak {peak_kib // 1024} MiB"


# Feeds a record without an end to a load, until it gives up.
MEASURE = """
import resource, subprocess, sys
p = subprocess.Popen([sys.argv[1], "load", "--mode", "merge", "--data", "-", sys.argv[2]],
                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
sent = 0
try:
    p.stdin.write(b'{"type":"Person","data":{"name":"ok"}}\\n{"type":"Person","data":{"name":"')
    block = b"x" * (1 << 20)
    while sent < 2048:
        p.stdin.write(block)
        sent += 1
    p.stdin.close()
except BrokenPipeError:
    pass
print(p.wait(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, sent)
"""


def large_record(graph):
    """Below the limit there is no other one."""
    text = "x" * (20 * MEBIBYTE)
    assert graph.load([{"type": "Person", "data": {"name": "big", "note": text}}]).code == 0
    assert text.encode() in graph.export()
    graph.still_works()


def add_to(runner):
    for name, *what in LOADS:
        runner.add("load_" + name, refused_load(*what))
    for name, source, params, parts in MUTATIONS:
        runner.add("mutate_" + name, refused_mutation(source, params, parts))
    for function in (stored_key_appended, params_no_json, empty_file, no_such_file, record_over_256_mib, large_record):
        runner.add(function.__name__, function)
