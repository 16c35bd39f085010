"""Where we differ from the reference on purpose: steps that show it, and what is right instead.

A query among these comes with an equivalent: how to get the right rows from the reference by asking in
another way. A load among these is refused by ours; under --lenient (names in LENIENT) it must then do what
the reference does without being asked. `explained` recognises the differences that ordinary steps meet.
"""
import datetime
import json
import re

from programs import Failure, message, rows_of
from queries import Query
from values import INTEGERS, Type
from writes import Load, good_record

LENIENT = {"unknown-properties", "wrong-types", "wrapped-integers", "fractions-as-integers", "vector-items", "list-items"}

# name: (what ours says, what the reference says); None = succeeds
EXPLANATIONS = {
    "mixed-mutation": (None, "mixes inserts/updates and deletes"),
    "blob-batches": (None, "accumulated mutation batches with mismatched schemas"),
    "dates-in-where": (None, "could not convert to literal of type 'Date"),
    "empty-lists": (None, r"has type \[.*\]\?? but got \[String\]"),
    "null-items-in-params": (None, "^param '.*': expected"),
    "vector-index-without-vectors": (None, "KMeans cannot train"),
    "orphan-heads": (None, "stale view of"),
}


# Mutations that the reference can only run one statement at a time.
SPLIT = {"mixed-mutation", "blob-batches"}


def rows_from_one(ours, theirs):
    """The reference's refusal, but for the numbers of two rows, which are one more."""
    said = re.sub(r"(appears in rows) (\d+) and (\d+)", lambda m: f"{m[1]} {int(m[2]) + 1} and {int(m[3]) + 1}", message(theirs))
    return ours.code != 0 and theirs.code != 0 and said != message(theirs) and said in message(ours)


def explained(ours, theirs):
    if rows_from_one(ours, theirs):
        return "rows-from-one"
    for name, patterns in EXPLANATIONS.items():
        if all(said_as_expected(pattern, result) for pattern, result in zip(patterns, (ours, theirs))):
            return name
    return None


def said_as_expected(pattern, result):
    if pattern is None:
        return result.code == 0
    return result.code != 0 and re.search(pattern, message(result)) is not None


def same_rows(ours, theirs):
    """Multisets of JSON values; a reason when they differ."""
    ours, theirs = (sorted(json.dumps(r, sort_keys=True, ensure_ascii=False) for r in rows) for rows in (ours, theirs))
    if ours == theirs:
        return None
    only_ours, only_theirs = list(ours), list(theirs)
    for row in ours:
        if row in only_theirs:
            only_theirs.remove(row)
            only_ours.remove(row)
    return f"rows differ ({len(ours)} and {len(theirs)}); ours only {only_ours[:3]}, reference only {only_theirs[:3]}"


def without_empty_blobs(export):
    return sorted(line.replace('"base64:"', "null") for line in export)


# ---- queries ------------------------------------------------------------------------------------------

def query(graph):
    """A query whose answer may differ on purpose; its equivalent is None where ours must refuse."""
    while True:  # undeclared_in_braces and bound_twice suit any schema
        made = graph.rng.choice(QUERIES)(graph)
        if made:
            graph.coverage["deliberate", made.difference] += 1
            return made


def differing(name, text, equivalent):
    q = Query()
    q.text, q.difference, q.equivalent = f"query q() {{ {text} }}", name, equivalent
    return q


def asked(text, change=lambda rows: rows):
    """An equivalent: another query, whose rows may need a change."""
    def rows(program, graph):
        run = program.run("query", graph, "-e", f"query q() {{ {text} }}", "--json")
        if run.code:
            raise Failure(f"the reference refuses the equivalent {text}: {message(run)}")
        return change(rows_of(run)["rows"])
    return rows


def some_edge(graph, same_ends):
    edges = [e for e in graph.edges if e.same_ends() == same_ends]
    return graph.rng.choice(edges) if edges else None


def some_property(graph, wanted):
    options = [(n, p) for n in graph.nodes for p in n.properties if wanted(p) and not p.type.listed]
    return graph.rng.choice(options) if options else (None, None)


def hops_between_types(graph):
    edge = some_edge(graph, same_ends=False)
    if not edge:
        return None
    low = graph.rng.choice((1, 1, 2))
    head, tail = f"match {{ $a: {edge.source.name} $a {edge.spelled(graph.rng)}", " $b } return { $a, $b }"
    right = asked(f"{head}{tail}") if low == 1 else lambda *_: []
    return differing("hops-between-types", f"{head}{{{low},{low + 1}}}{tail}", right)


def bounds_in_negation(graph):
    edge = some_edge(graph, same_ends=True)
    if not edge:
        return None
    name, hop = edge.source.name, f"$a {edge.spelled(graph.rng)}{{2,{graph.rng.choice((2, 3))}}} $b"

    def right(program, path):
        everyone = asked(f"match {{ $a: {name} }} return {{ $a }}")(program, path)
        reaching = asked(f"match {{ $a: {name} {hop} }} return {{ $a }}")(program, path)
        return [row for row in everyone if row not in reaching]
    return differing("bounds-in-negation", f"match {{ $a: {name} not {{ {hop} }} }} return {{ $a }}", right)


def integer_with_fraction(graph):
    node, p = some_property(graph, lambda p: p.type.base in INTEGERS)
    if not node:
        return None
    op, whole = graph.rng.choice(("<", "<=", ">", ">=", "=", "!=")), abs(graph.rng.choice(p.pool)) % 1000
    same = {"<": f"<= {whole}", "<=": f"<= {whole}", ">": f"> {whole}", ">=": f"> {whole}", "!=": f"= $a.{p.name}", "=": "none"}[op]
    head, tail = f"match {{ $a: {node.name} $a.{p.name}", f"}} return {{ $a, $a.{p.name} as v }}"
    right = asked(f"{head} {same} {tail}") if same != "none" else lambda *_: []
    return differing("integer-with-fraction", f"{head} {op} {whole}.5 {tail}", right)


def capitals_in_braces(graph):
    node, p = some_property(graph, lambda p: p.capital() and p.type.comparable() and p.type.literal(p.pool[0]))
    if not node:
        return None
    value, tail = p.type.literal(p.pool[0]), "} return { $a }"
    return differing("capitals-in-braces", f"match {{ $a: {node.name} {{ {p.name}: {value} }} {tail}",
                     asked(f"match {{ $a: {node.name} $a.{p.name} = {value} {tail}"))


def extremes_of_dates(graph):
    node, p = some_property(graph, lambda p: p.type.base in ("Date", "DateTime"))
    if not node:
        return None

    def extremes(rows):
        values = sorted((r["v"] for r in rows if r["v"] is not None), key=lambda text: (text[0] != "-", text))
        return [{"low": values[0] if values else None, "high": values[-1] if values else None}]
    return differing("extremes-of-dates", f"match {{ $a: {node.name} }} return {{ min($a.{p.name}) as low, max($a.{p.name}) as high }}",
                     asked(f"match {{ $a: {node.name} }} return {{ $a.{p.name} as v }}", extremes))


def parts_of_text(graph):
    node, p = some_property(graph, lambda p: p.type.base == "String")
    if not node:
        return None
    rng, text = graph.rng, graph.rng.choice(p.pool)
    start = rng.randrange(len(text) + 1)
    part = text[start:start + 3]
    op = rng.choice(("contains", "starts_with"))
    part = text[:2] if op == "starts_with" else part
    test = (lambda v: part in v) if op == "contains" else (lambda v: v.startswith(part))
    head, tail = f"match {{ $a: {node.name}", f"}} return {{ $a, $a.{p.name} as v }}"
    return differing("parts-of-text", f"{head} $a.{p.name} {op} {Type('String').literal(part)} {tail}",
                     asked(f"{head} {tail}", lambda rows: [r for r in rows if r["v"] is not None and test(r["v"])]))


def negative_literal(graph):
    node, p = some_property(graph, lambda p: p.type.base in ("I32", "I64", "F64"))
    if not node:
        return None
    head, tail = f"match {{ $a: {node.name}", f"}} return {{ $a, $a.{p.name} as v }}"
    return differing("wider-literals", f"{head} $a.{p.name} > -3 {tail}",
                     asked(f"{head} {tail}", lambda rows: [r for r in rows if r["v"] is not None and r["v"] > -3]))


def null_literal(graph):
    node, p = some_property(graph, lambda p: p.type.comparable())
    return node and differing("wider-literals", f"match {{ $a: {node.name} $a.{p.name} != null }} return {{ $a }}", lambda *_: [])


def both_directions(graph):
    edge = some_edge(graph, same_ends=True)
    if not edge:
        return None
    name, spelled = edge.source.name, edge.spelled(graph.rng)

    def right(program, path):
        pairs = [asked(f"match {{ $a: {name} {hop} }} return {{ $a, $b }}")(program, path)
                 for hop in (f"$a {spelled} $b", f"$b {spelled} $a")]
        return pairs[0] + [row for row in pairs[1] if row not in pairs[0]]
    return differing("both-directions", f"match {{ $a: {name} $a <{spelled}> $b }} return {{ $a, $b }}", right)


def edge_variable(graph):
    """One row an edge, with its properties: what an export has."""
    edge = graph.rng.choice(graph.edges)
    shown = [p for p in edge.properties if p.type.base not in ("F32", "Date", "DateTime")]

    def right(program, path):
        records = (json.loads(line) for line in program.run("export", path, "--type", edge.name).out.splitlines())
        return [{"a": r["from"], "b": r["to"], **{p.name: r["data"][p.name] for p in shown}} for r in records
                if r.get("edge") == edge.name and (r["from"] != r["to"] or not edge.same_ends())]
    returns = ", ".join(["$a", "$b"] + [f"$e.{p.name} as {p.name}" for p in shown])
    return differing("edge-variables", f"match {{ $a: {edge.source.name} $a $e:{edge.spelled(graph.rng)} $b }} return {{ {returns} }}", right)


def reversed_negation(graph):
    edge = some_edge(graph, same_ends=False)
    if not edge:
        return None
    name, spelled = edge.source.name, edge.spelled(graph.rng)
    return differing("reversed-negation", f"match {{ $a: {name} not {{ $b {spelled} $a }} }} return {{ $a }}",
                     asked(f"match {{ $a: {name} not {{ $a {spelled} $b }} }} return {{ $a }}"))


def loops_in_negation(graph):
    edge = some_edge(graph, same_ends=True)
    if not edge:
        return None
    name, hop = edge.source.name, f"$a {edge.spelled(graph.rng)} $b"

    def right(program, path):
        everyone = asked(f"match {{ $a: {name} }} return {{ $a }}")(program, path)
        reaching = asked(f"match {{ $a: {name} {hop} }} return {{ $a }}")(program, path)
        return [row for row in everyone if row not in reaching]
    return differing("loops-in-negation", f"match {{ $a: {name} not {{ {hop} }} }} return {{ $a }}", right)


def closing_hops(graph):
    """Three hops between the same two variables: a row for each pair that all three join."""
    edges = [e for e in graph.edges if e.same_ends()]
    if not edges:
        return None
    edge = graph.rng.choice(edges)
    others = [e for e in graph.edges if (e.source, e.target) == (edge.source, edge.target)]
    hops = [f"$a {edge.spelled(graph.rng)}{{1,2}} $b", f"$b {graph.rng.choice(others).spelled(graph.rng)}{{1,3}} $a",
            f"$a {graph.rng.choice(others).spelled(graph.rng)}{{1,6}} $b"]
    head, tail = f"match {{ $a: {edge.source.name}", "} return { $a, $b }"

    def right(program, path):
        pairs = [asked(f"{head} {hop} {tail}")(program, path) for hop in hops]
        return [row for row in pairs[0] if row in pairs[1] and row in pairs[2]]
    return differing("closing-hops", f"{head} {' '.join(hops)} {tail}", right)


def now_in_read(graph):
    node, p = some_property(graph, lambda p: p.type.base == "DateTime")
    if not node:
        return None
    now, tail = datetime.datetime.utcnow().isoformat(), f"}} return {{ $a, $a.{p.name} as v }}"
    return differing("now-in-reads", f"match {{ $a: {node.name} $a.{p.name} < now() {tail}",
                     asked(f"match {{ $a: {node.name} {tail}",
                           lambda rows: [r for r in rows if r["v"] is not None and (r["v"][0] == "-" or r["v"] < now)]))


def wide_parameter(graph):
    node, p = some_property(graph, lambda p: p.type.base == "U64")
    if not node:
        return None
    limit = graph.rng.choice((2**63, 2**64 - 1))
    q = differing("wider-parameters", f"match {{ $a: {node.name} $a.{p.name} < $p }} return {{ $a, $a.{p.name} as v }}",
                  asked(f"match {{ $a: {node.name} }} return {{ $a, $a.{p.name} as v }}",
                        lambda rows: [r for r in rows if r["v"] is not None and r["v"] < limit]))
    q.text, q.params = q.text.replace("q()", "q($p: U64)"), json.dumps({"p": limit})
    return q


def wide_on_the_right(graph):
    node, p = some_property(graph, lambda p: p.type.base == "U64")
    if not node:
        return None
    tail = f"}} return {{ $a, $a.{p.name} as v }}"
    return differing("wide-on-the-right", f"match {{ $a: {node.name} 5 <= $a.{p.name} {tail}",
                     asked(f"match {{ $a: {node.name} $a.{p.name} >= 5 {tail}"))


def membership_in_braces(graph):
    options = [(n, p) for n in graph.nodes for p in n.properties
               if p.type.listed and p.type.base in ("Date", "DateTime", "U64", "U32", "I32", "F32") and not p.capital()]
    if not options:
        return None
    node, p = graph.rng.choice(options)
    items = [p.type.item().literal(v) for value in p.pool for v in value if v is not None]
    item = next((i for i in items if i), None)
    return item and differing("membership-in-braces", f"match {{ $a: {node.name} {{ {p.name}: {item} }} }} return {{ $a }}",
                              asked(f"match {{ $a: {node.name} $a.{p.name} contains {item} }} return {{ $a }}"))


def undeclared_in_braces(graph):
    node, p = some_property(graph, lambda p: p.type.comparable())
    return node and differing("undeclared-in-braces", f"match {{ $a: {node.name} {{ {p.name}: $nothing }} }} return {{ $a }}", None)


def bound_twice(graph):
    name = graph.rng.choice(graph.nodes).name
    return differing("bound-twice", f"match {{ $a: {name} $a: {name} }} return {{ $a }}", None)


QUERIES = (reversed_negation, loops_in_negation, closing_hops, now_in_read, wide_parameter, wide_on_the_right, membership_in_braces, undeclared_in_braces,
           bound_twice, hops_between_types, bounds_in_negation, integer_with_fraction, capitals_in_braces, extremes_of_dates, parts_of_text,
           negative_literal, null_literal, both_directions, edge_variable)


# ---- loads --------------------------------------------------------------------------------------------

# What ours says when it refuses.
REFUSALS = {
    "unknown-properties": "no property|unknown property",
    "wrong-types": "expected|expects|must be",
    "wrapped-integers": "range",
    "fractions-as-integers": "expects",
    "vector-items": "number",
    "list-items": "expected|expects|must be|item",
    "repeated-ids": "duplicate id",
    "stored-keys": "already|exists|stored",
    "dangling-overwrite": "edge",
}


def refused_for(name, result):
    return re.search(REFUSALS[name], message(result), re.I) is not None


def load(graph):
    made = graph.rng.choice(LOADS)(graph)
    if made:
        graph.coverage["deliberate", made.difference] += 1
    return made


def one_changed(graph, name, wanted, value):
    options = [(n, p) for n in graph.nodes for p in n.properties if wanted(p) and not p.unique and not p.range and not p.check]
    if not options:
        return None
    node, p = graph.rng.choice(options)
    record = good_record(graph, node)
    record["data"][p.name] = value(p)
    return Load("append", json.dumps(record, ensure_ascii=False) + "\n", name)


def unknown_property(graph):
    record = good_record(graph)
    record["data"]["nothing_of_it"] = 1
    return Load("append", json.dumps(record), "unknown-properties")


def wrong_type(graph):
    return one_changed(graph, "wrong-types", lambda p: p.type.nullable and p.type.comparable() and p.type.base not in ("enum", "Date", "DateTime"),
                       lambda p: 7 if p.type.base in ("String", "Bool") else "seven")


def wrapped_integer(graph):
    return one_changed(graph, "wrapped-integers", lambda p: p.type.comparable() and p.type.base in ("I32", "U32"),
                       lambda p: 2**33 + 5)


def fraction(graph):
    return one_changed(graph, "fractions-as-integers", lambda p: p.type.comparable() and p.type.nullable and p.type.base in INTEGERS, lambda p: 1.5)


def vector_item(graph):
    return one_changed(graph, "vector-items", lambda p: p.type.base == "Vector", lambda p: ["x"] + [1.0] * (p.type.dimension - 1))


def list_item(graph):
    return one_changed(graph, "list-items", lambda p: p.type.listed and p.type.base in ("String", "Bool", "I64", "F64"),
                       lambda p: [{"a": 1}, p.type.item().value(graph.rng)])


def stored_key(graph):
    node = graph.rng.choice(graph.nodes)
    if not node.ids:
        return None
    return Load("append", json.dumps(graph.node_record(node, graph.rng.choice(node.ids))), "stored-keys")


def repeated_id(graph):
    node = next((n for n in graph.nodes if not n.key), None)
    if not node:
        return None
    record = json.dumps(good_record(graph, node))
    return Load("append", record + "\n" + record + "\n", "repeated-ids")


def dangling_overwrite(graph):
    edges = [e for e in graph.edges if sum(e.out.values())]
    if not edges:
        return None
    node = graph.rng.choice(edges).source
    return Load("overwrite", json.dumps(good_record(graph, node)), "dangling-overwrite")


LOADS = (unknown_property, wrong_type, wrapped_integer, fraction, vector_item, list_item, stored_key, repeated_id, dangling_overwrite)
