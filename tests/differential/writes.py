"""Random loads and mutations over a Graph: good ones, ones that both programs must refuse, and ones
about which the texts say that we differ (`difference`, with how the reference gets the same result)."""
import collections
import json

from queries import Params, narrowed
from values import BOUNDS, Type


class Load:
    def __init__(self, mode, text, difference=None):
        self.mode, self.text, self.difference = mode, text, difference


class Mutation:
    """`steps` are the statements one by one, for a program that can't run the whole at once."""

    def __init__(self, text, params=None, steps=()):
        self.text, self.params, self.steps = text, params, steps

    def arguments(self, graph, text=None):
        args = ["mutate", graph, "-e", text or self.text, "--json"]
        return args + (["--params", self.params] if self.params is not None else [])


# ---- loads ------------------------------------------------------------------------------------------

def first_load(graph):
    rng = graph.rng
    size = rng.choice((2, 6, 6, 10, 14, 30))
    records = graph.records(lambda: rng.randrange(1, size + 1), lambda: rng.randrange(0, 2 * size))
    graph.coverage["load", "overwrite, empty graph"] += 1
    return Load("overwrite", graph.spell(records))


def append_load(graph):
    rng = graph.rng
    graph.coverage["load", "append"] += 1
    return Load("append", graph.spell(graph.records(lambda: rng.randrange(0, 4), lambda: rng.randrange(0, 5))))


def merge_load(graph):
    """New rows, nodes replaced by key, edges replaced by id."""
    rng, records = graph.rng, []
    for node in graph.nodes:
        known = list(node.ids)
        for ident in rng.sample(known, min(len(known), rng.randrange(0, 3))):
            records.append(graph.node_record(node, ident))
            graph.coverage["load", "merge replaces a node"] += 1
        records += [graph.node_record(node) for _ in range(rng.randrange(0, 3))]
    for edge in graph.edges:
        known = list(edge.ids)
        for ident, ends in rng.sample(known, min(len(known), rng.randrange(0, 2))):
            edge.ids.remove((ident, ends))
            records.append(graph.edge_record(edge, ends, ident))
            graph.coverage["load", "merge replaces an edge"] += 1
        records += [r for r in (graph.edge_record(edge) for _ in range(rng.randrange(0, 3))) if r]
    graph.coverage["load", "merge"] += 1
    return Load("merge", graph.spell(records))


def overwrite_load(graph):
    """Replace one type: an edge type, or a node type keeping every id that edges may need."""
    rng = graph.rng
    if rng.random() < 0.5:
        edge = rng.choice(graph.edges)
        edge.ids, edge.out = [], {}
        records = [r for r in (graph.edge_record(edge) for _ in range(rng.randrange(1, 6))) if r]
        graph.coverage["load", "overwrite edges"] += 1
    else:
        node = rng.choice(graph.nodes)
        records = [graph.node_record(node, ident) for ident in list(node.ids)] + [graph.node_record(node)]
        graph.coverage["load", "overwrite nodes"] += 1
    return Load("overwrite", graph.spell(records))


def bad_load(graph):
    """A load with one fault that both refuse, and its name."""
    makers = [m for m in BAD_RECORDS]
    graph.rng.shuffle(makers)
    for make in makers:
        records = make(graph)
        if records:
            name = make.__name__.replace("_", " ")
            graph.coverage["refused load", name] += 1
            mode = "merge" if make is repeated_key else graph.rng.choice(("append", "merge"))
            return Load(mode, "\n".join(json.dumps(r, ensure_ascii=False) for r in records) + "\n")
    return None


def good_record(graph, node=None):
    """A record of a new node that later steps do not count on."""
    node = node or graph.rng.choice(graph.nodes)
    record = graph.node_record(node)
    node.ids.pop()
    return record


def unknown_type(graph):
    return [good_record(graph), {"type": "Nothing", "data": {"name": "x"}}]


def unknown_edge(_graph):
    return [{"edge": "Nowhere", "from": "a", "to": "b"}]


def neither_node_nor_edge(_graph):
    return [{"data": {"name": "x"}}]


def edge_without_end(graph):
    edge = graph.rng.choice(graph.edges)
    return [{"edge": edge.name, graph.rng.choice(("from", "to")): "x"}]


def dangling_edge(graph):
    edge = graph.rng.choice(graph.edges)
    if not edge.source.ids:
        return None
    record = {"edge": edge.name, "from": edge.source.ids[0], "to": "nobody at all"}
    data = {p.name: p.type.json(p.pool[0], graph.rng) for p in edge.properties}
    return [dict(record, data=data)]


def missing_key(graph):
    node = graph.rng.choice(graph.nodes)
    record = good_record(graph, node)
    return node.key and [{"type": node.name, "data": {k: v for k, v in record["data"].items() if k != node.key}}]


def other_id_than_key(graph):
    node = graph.rng.choice(graph.nodes)
    record = good_record(graph, node)
    record["data"]["id"] = "another"
    return node.key and [record]


def repeated_key(graph):
    node = graph.rng.choice(graph.nodes)
    record = good_record(graph, node)
    return node.key and [record, record]


def changed(graph, wanted, value):
    """A record with one property set to what `value` makes of it."""
    options = [(n, p) for n in graph.nodes for p in n.properties if wanted(p)]
    if not options:
        return None
    node, p = graph.rng.choice(options)
    record = good_record(graph, node)
    record["data"][p.name] = value(p)
    return [record]


def null_for_required(graph):
    return changed(graph, lambda p: not p.type.nullable, lambda p: None)


def unknown_enum_name(graph):
    return changed(graph, lambda p: p.type.base == "enum", lambda p: "nothing of it")


def outside_range(graph):
    return changed(graph, lambda p: p.range, lambda p: 101)


def failing_check(graph):
    return changed(graph, lambda p: p.check, lambda p: "x-1")


def impossible_date(graph):
    return changed(graph, lambda p: p.type.base == "Date" and not p.type.listed, lambda p: "2024-02-30")


def impossible_time(graph):
    return changed(graph, lambda p: p.type.base == "DateTime" and not p.type.listed, lambda p: "2024-02-29T24:00:00Z")


def wrong_vector_length(graph):
    return changed(graph, lambda p: p.type.base == "Vector", lambda p: [0.5] * (p.type.dimension + 1))


def text_for_required_number(graph):
    return changed(graph, lambda p: not p.type.nullable and p.type.comparable() and p.type.base in BOUNDS, lambda p: "text")


def repeated_unique(graph):
    options = [(n, p) for n in graph.nodes for p in n.properties if p.unique]
    if not options:
        return None
    node, p = graph.rng.choice(options)
    records = [good_record(graph, node), good_record(graph, node)]
    for record in records:
        record["data"][p.name] = {"String": "twice", "I64": 5, "Date": 5}[p.type.base]
    return records


def too_many_edges(graph):
    options = [e for e in graph.edges if e.card and e.card[1] is not None and e.source.ids and e.target.ids]
    if not options:
        return None
    edge = graph.rng.choice(options)
    data = {p.name: None if p.type.nullable else p.type.json(p.pool[0], graph.rng) for p in edge.properties}
    return [{"edge": edge.name, "from": edge.source.ids[0], "to": edge.target.ids[0], "data": data}] * (edge.card[1] + 1)


BAD_RECORDS = [unknown_type, unknown_edge, neither_node_nor_edge, edge_without_end, dangling_edge, missing_key,
               other_id_than_key, repeated_key, null_for_required, unknown_enum_name, outside_range, failing_check,
               impossible_date, impossible_time, wrong_vector_length, text_for_required_number, repeated_unique,
               too_many_edges]


# ---- mutations --------------------------------------------------------------------------------------

class Writer:
    """Statements of one mutation and their parameters."""

    def __init__(self, graph):
        self.graph, self.rng, self.coverage = graph, graph.rng, graph.coverage
        self.params = Params(self.rng, self.coverage)

    def spelled(self, p, value):
        """A literal or parameter for a property; null is a parameter without a value."""
        if value is None:
            self.params.declared.append(f"$n{len(self.params.declared)}: {p.type.as_param(True)}")
            name = self.params.declared[-1].split(":")[0]
            if self.rng.random() < 0.5:
                self.params.values[name[1:]] = None
            return name
        literal = p.type.literal(value)
        if literal == "[]" and self.rng.random() < 0.95:
            literal = None  # of another type to the reference
        if literal is not None and self.rng.random() < 0.6:
            return literal
        return self.params.add(p.type, value, may_be_null=False)

    def insert_node(self, node, ident=None):
        rng = self.rng
        fresh = ident is None
        ident = ident or node.new_id(rng)
        parts = [f"{node.key}: {self.spelled(Named(Type('String')), ident)}"]
        for p in node.properties:
            value = self.graph.value(p, node)
            if value is not None or not p.type.nullable or rng.random() < 0.3:
                parts.append(f"{p.name}: {self.spelled(p, value)}")
        rng.shuffle(parts)
        if fresh:
            node.ids.append(ident)
        self.coverage["mutation", "insert node" if fresh else "insert replaces"] += 1
        return f"insert {node.name} {{ {', '.join(parts)} }}"

    def insert_edge(self, edge):
        ends = self.graph.edge_ends(edge)
        if ends is None:
            return None
        text = Named(Type("String"))
        parts = [f"from: {self.spelled(text, ends[0])}", f"to: {self.spelled(text, ends[1])}"]
        for p in edge.properties:
            value = self.graph.value(p, edge)
            if value is not None or not p.type.nullable:
                parts.append(f"{p.name}: {self.spelled(p, value)}")
        self.coverage["mutation", "insert edge"] += 1
        return f"insert {edge.name} {{ {', '.join(parts)} }}"

    def where(self, owner):
        rng = self.rng
        options = [p for p in owner.properties if p.type.comparable() and not p.capital()
                   and (p.type.base not in ("Date", "DateTime") or rng.random() < 0.05)]  # the reference can't
        if getattr(owner, "key", None) and owner.ids and (not options or rng.random() < 0.5):
            return f"{owner.key} = {self.spelled(Named(Type('String')), rng.choice(owner.ids))}"
        if not options:
            return None
        p = rng.choice(options)
        op = rng.choice(("=", "=", "!=", "<", "<=", ">", ">="))
        self.coverage["where", f"{op} {p.type.base}"] += 1
        return f"{p.name} {op} {self.spelled(p, rng.choice(p.pool))}"

    def update(self, node):
        rng = self.rng
        options = [p for p in node.properties if p.type.base != "Blob" and not p.unique]
        where = self.where(node)
        if not options or not where:
            return None
        sets = [f"{p.name}: {self.spelled(p, self.graph.value(p, node))}" for p in rng.sample(options, min(len(options), 2))]
        self.coverage["mutation", "update"] += 1
        return f"update {node.name} set {{ {', '.join(sets)} }} where {where}"

    def delete_edges(self, edge):
        rng = self.rng
        if rng.random() < 0.6 and edge.source.ids and edge.target.ids:
            end = rng.choice(("from", "to"))
            ids = (edge.source if end == "from" else edge.target).ids
            where = f"{end} {rng.choice(('=', '=', '!='))} {self.spelled(Named(Type('String')), rng.choice(ids))}"
        else:
            where = self.where(edge)
        if not where:
            return None
        self.coverage["mutation", "delete edges"] += 1
        return f"delete {edge.name} where {where}"

    def mutation(self, statements):
        statements = [s for s in statements if s]
        if not statements:
            return None
        steps = [self.whole([statement]) for statement in statements] if len(statements) > 1 else []
        return Mutation(self.whole(statements), json.dumps(self.params.values, ensure_ascii=False), steps)

    def whole(self, statements):
        return f"query m({', '.join(self.params.declared)}) {{\n    " + "\n    ".join(statements) + "\n}\n"


class Named:
    """A property where only its type counts."""

    def __init__(self, type_):
        self.type = type_


def keyed_nodes(graph):
    return [n for n in graph.nodes if n.key]


def upserts(graph):
    """Inserts and updates, several in one mutation; later statements see earlier ones."""
    w, rng, statements, touched = Writer(graph), graph.rng, [], collections.Counter()
    for _ in range(rng.choice((1, 1, 2, 3))):
        pick, nodes = rng.random(), [n for n in keyed_nodes(graph) if touched[n] < 2]
        if pick < 0.35 and nodes:
            node = rng.choice(nodes)
            touched[node] += 1
            statements.append(w.insert_node(node, rng.choice(node.ids) if node.ids and rng.random() < 0.35 else None))
        elif pick < 0.6:
            statements.append(w.insert_edge(rng.choice(graph.edges)))
        else:
            node = rng.choice(graph.nodes)
            touched[node] += 1
            # the reference counts a row twice that two earlier statements have changed
            statements.append(w.update(node) if touched[node] < 3 else None)
    return w.mutation(statements)


def edge_deletes(graph):
    w = Writer(graph)
    return w.mutation([w.delete_edges(graph.rng.choice(graph.edges))])


def node_delete(graph):
    """With the cascade to its edges; what follows in the case may not refer to an id any more."""
    w, rng = Writer(graph), graph.rng
    node = rng.choice(graph.nodes)
    where = w.where(node)
    if where:
        graph.coverage["mutation", "delete nodes"] += 1
    return w.mutation([where and f"delete {node.name} where {where}"])


def mixed_mutation(graph):
    """Insert and delete at once; the reference needs a mutation for each."""
    w, rng, nodes = Writer(graph), graph.rng, keyed_nodes(graph)
    deletion = w.delete_edges(rng.choice(graph.edges))
    if not nodes or not deletion:
        return None
    insertion = w.insert_node(rng.choice(nodes))
    statements = [insertion, deletion] if rng.random() < 0.5 else [deletion, insertion]
    graph.coverage["mutation", "insert and delete"] += 1
    return w.mutation(statements)


def bad_mutation(graph):
    rng = graph.rng
    node, edge = rng.choice(graph.nodes), rng.choice(graph.edges)
    p = rng.choice(node.properties)
    options = {
        "unknown type": 'insert Nothing { name: "x" }',
        "unknown property": f'insert {node.name} {{ nothing: "x" }}',
        "unknown property in where": f'delete {node.name} where nothing = "x"',
        "required missing": f"insert {node.name} {{ {p.name}: $x }}",
        "edge without ends": f'insert {edge.name} {{ from: "a" }}',
        "edge update": f'update {edge.name} set {{ from: "a" }} where from = "b"',
        "dangling edge": f'insert {edge.name} {{ from: "nobody", to: "nobody else"' + "".join(
            f", {q.name}: {q.type.literal(q.pool[0])}" for q in edge.properties if not q.type.nullable) + " }",
        "wrong type": f"update {node.name} set {{ {p.name}: $wrong }} where {node.key or p.name} = $wrong",
        "property twice": f"update {node.name} set {{ {p.name}: $x, {p.name}: $x }} where {p.name} = $x",
    }
    if node.key:
        options["key changed"] = f'update {node.name} set {{ {node.key}: "x" }} where {node.key} = "y"'
    name = rng.choice(list(options))
    graph.coverage["refused mutation", name] += 1
    declared = f"$x: {p.type.as_param()}, $wrong: {'Bool' if p.type.base != 'Bool' else 'I32'}"
    values = {"x": p.type.param(narrowed(p.type, p.pool[0]), rng), "wrong": True if p.type.base != "Bool" else 1}
    return Mutation(f"query m({declared}) {{ {options[name]} }}", json.dumps(values))


def bad_query(graph):
    """A read that the type checker refuses."""
    rng = graph.rng
    node, edge = rng.choice(graph.nodes), rng.choice(graph.edges)
    p = rng.choice(node.properties)
    other = next((n for n in graph.nodes if n not in (edge.source, edge.target)), None)
    texts = {
        "unknown node type": "match { $a: Nothing } return { $a }",
        "unknown property": f"match {{ $a: {node.name} }} return {{ $a.nothing }}",
        "unknown edge": f"match {{ $a: {node.name} $a nothing $b }} return {{ $a }}",
        "unbound variable": f"match {{ $a: {node.name} }} return {{ $z.{p.name} }}",
        "wrong literal": f"match {{ $a: {node.name} $a.{p.name} = {'true' if p.type.base != 'Bool' else '7'} }} return {{ $a }}",
        "zero hops": f"match {{ $a: {edge.source.name} $a {edge.spelled(rng)}{{0,1}} $b }} return {{ $a }}",
        "reversed bounds": f"match {{ $a: {edge.source.name} $a {edge.spelled(rng)}{{3,2}} $b }} return {{ $a }}",
        "no upper bound": f"match {{ $a: {edge.source.name} $a {edge.spelled(rng)}{{1,}} $b }} return {{ $a }}",
        "not about nothing": f"match {{ $a: {node.name} not {{ $b: {node.name} }} }} return {{ $a }}",
        "sum of text": f"match {{ $a: {node.name} }} return {{ sum($a.{p.name}) as s }}",
        "aggregate and literal": f"match {{ $a: {node.name} }} return {{ 7, count($a) as n }}",
        "missing brace": f"match {{ $a: {node.name} return {{ $a }}",
        "contains on a scalar": f"match {{ $a: {node.name} $a.{p.name} contains 3 }} return {{ $a }}",
        "missing parameter": f"match {{ $a: {node.name} }} return {{ $x as y, $a }}",
    }
    if other:
        texts["foreign end"] = f"match {{ $a: {other.name} $a {edge.spelled(rng)} $b }} return {{ $a }}"
    name = rng.choice(list(texts))
    if name == "sum of text" and p.type.comparable() and p.type.base not in ("String", "Bool", "Date", "DateTime", "enum"):
        name = "unknown property"
    if name == "contains on a scalar" and (p.type.listed or p.type.base in ("String", "enum")):
        name = "unknown edge"
    graph.coverage["refused query", name] += 1
    return f"query q($x: I32) {{ {texts[name]} }}"
