"""Random schemas and the records that fill them.

A Graph remembers only what later steps must refer to: which ids exist, how many edges leave a node (for
@card) and which values a @unique property has had. What the answers are is the reference's business.
"""
import json

from values import FLOATS, INTEGERS, SCALARS, Type

NODE_NAMES = ["Person", "Company", "City", "Item"]
EDGE_NAMES = ["Knows", "WorksAt", "Near", "Owns", "Likes", "PartOf"]
PROPERTY_NAMES = ["age", "bio", "score", "rank", "born", "seen", "kind", "tags", "flag", "photo", "place", "level", "note",
                  "size", "ratio", "longName", "x1", "y_2"]
ENUM_NAMES = ["red", "green", "blue", "dark-red", "v1", "Z_9", "2nd"]


class Property:
    def __init__(self, name, type_, rng):
        self.name, self.type = name, type_
        self.indexed = self.unique = False
        self.range, self.check = None, None
        self.pool = [type_.value(rng) for _ in range(rng.randrange(3, 9))]

    def declaration(self):
        index = " @index" if self.indexed else ""
        return f"    {self.name}: {self.type}{index}{' @unique' if self.unique else ''}"

    def capital(self):
        return self.name != self.name.lower()


class NodeType:
    def __init__(self, name, key, properties):
        self.name, self.key, self.properties = name, key, properties
        self.ids, self.serial = [], 0

    def declaration(self, rng):
        lines = [f"node {self.name} {{"]
        key = [f"    {self.key}: String @key"] if rng.random() < 0.7 else [f"    {self.key}: String", f"    @key({self.key})"]
        lines += key if self.key else []
        lines += [p.declaration() for p in self.properties]
        for p in self.properties:
            if p.range:
                lines.append(f"    @range({p.name}, {p.range[0]}..{p.range[1]})")
            if p.check:
                lines.append(f'    @check({p.name}, "{p.check}")')
        return "\n".join(lines + ["}"])

    def new_id(self, rng):
        self.serial += 1
        stem = rng.choice(("n", "node ", "ß", "K-", ""))
        return f"{stem}{self.name[0].lower()}{self.serial}"


class EdgeType:
    def __init__(self, name, source, target, properties, card):
        self.name, self.source, self.target, self.properties, self.card = name, source, target, properties, card
        self.ids, self.out, self.serial = [], {}, 0

    def declaration(self, _rng):
        card = f" @card({self.card[0]}..{'' if self.card[1] is None else self.card[1]})" if self.card else ""
        head = f"edge {self.name}: {self.source.name} -> {self.target.name}{card}"
        return "\n".join([head + " {"] + [p.declaration() for p in self.properties] + ["}"]) if self.properties else head

    def same_ends(self):
        return self.source is self.target

    def spelled(self, rng):
        """As a query or record may write it: edge names match without regard to case."""
        return rng.choice((self.name[0].lower() + self.name[1:], self.name.lower()))


class Graph:
    def __init__(self, rng, coverage):
        self.rng, self.coverage = rng, coverage
        self.loops = rng.random() < 0.5  # may an edge lead back to its start
        names = rng.sample(NODE_NAMES, rng.randrange(1, 4))
        self.nodes = [self._node(name) for name in names]
        self.edges = [self._edge(name) for name in rng.sample(EDGE_NAMES, rng.randrange(1, 4))]
        declared = self.nodes + self.edges
        self.schema = "// generated\n" + "\n\n".join(t.declaration(rng) for t in declared) + "\n"

    def _node(self, name):
        rng = self.rng
        key = rng.choice(("name", "slug", "code")) if rng.random() < 0.85 else None
        properties = [self._property(p, on_node=True) for p in rng.sample(PROPERTY_NAMES, rng.randrange(2, 8))]
        self.coverage["schema", "keyed" if key else "keyless"] += 1
        return NodeType(name, key, properties)

    def _edge(self, name):
        rng = self.rng
        source, target = rng.choice(self.nodes), rng.choice(self.nodes)
        properties = [self._property(p, on_node=False) for p in rng.sample(PROPERTY_NAMES, rng.randrange(0, 4))]
        card = rng.choice((None, None, None, (0, 3), (0, None), (1, 4), (0, 1)))
        if card:
            self.coverage["schema", "@card"] += 1
        return EdgeType(name, source, target, properties, card)

    def _type(self, on_node):
        rng, nullable = self.rng, self.rng.random() < 0.7
        pick = rng.random()
        if pick < 0.55:
            return Type(rng.choice(SCALARS), nullable)
        if pick < 0.75:
            return Type(rng.choice(SCALARS), nullable, listed=True)
        if pick < 0.87:
            return Type("enum", nullable, names=rng.sample(ENUM_NAMES, rng.randrange(1, 5)))
        if pick < 0.95 or not on_node:
            return Type("Vector", nullable, dimension=rng.choice((1, 2, 3, 8, 33)))
        return Type("Blob", nullable)

    def _property(self, name, on_node):
        rng = self.rng
        p = Property(name, self._type(on_node), rng)
        scalar = p.type.comparable()
        if scalar and rng.random() < 0.25:
            p.indexed = True
        if scalar and p.type.base in ("String", "I64", "Date") and rng.random() < 0.15:
            p.unique, p.type.nullable = True, True
        elif on_node and p.type.base in INTEGERS + FLOATS and scalar and rng.random() < 0.2:
            p.range, p.pool = (0, 100), [rng.randrange(0, 101) for _ in range(5)]
            p.pool = [float(v) for v in p.pool] if p.type.base in FLOATS else p.pool
        elif on_node and p.type.base == "String" and scalar and rng.random() < 0.2:
            p.check, p.pool = "^[A-Z]{2}-[0-9]+$", [f"{rng.choice('ABC')}X-{rng.randrange(30)}" for _ in range(5)]
        for feature in ("indexed", "unique", "range", "check"):
            if getattr(p, feature):
                self.coverage["schema", feature] += 1
        self.coverage["type", p.type.kind()] += 1
        return p

    def value(self, p, owner):
        """A value for a property of a row, mostly one that other rows have, too."""
        rng = self.rng
        if p.unique:
            owner.serial += 1
            n = owner.serial + 1000
            return None if rng.random() < 0.2 else {"String": f"u{n}", "I64": n, "Date": n}[p.type.base]
        if p.type.nullable and rng.random() < 0.2:
            return None
        return rng.choice(p.pool) if p.range or p.check or rng.random() < 0.8 else p.type.value(rng)

    def data(self, owner, values):
        """The `data` object of a record: null may be spelled or left out."""
        rng, out = self.rng, {}
        for p in rng.sample(owner.properties, len(owner.properties)):
            v = values[p.name]
            if v is not None or rng.random() < 0.5:
                out[p.name] = p.type.json(v, rng)
        return out

    def node_record(self, node, ident=None):
        ident = ident or node.new_id(self.rng)
        data = {node.key or "id": ident}
        data.update(self.data(node, {p.name: self.value(p, node) for p in node.properties}))
        if ident not in node.ids:
            node.ids.append(ident)
        return {"type": node.name, "data": data}

    def edge_ends(self, edge):
        """Two ids that leave @card intact, or None."""
        rng, limit = self.rng, edge.card[1] if edge.card and edge.card[1] is not None else None
        sources = [i for i in edge.source.ids if limit is None or edge.out.get(i, 0) < limit]
        if not sources or not edge.target.ids:
            return None
        source = rng.choice(sources)
        targets = edge.target.ids if self.loops else [i for i in edge.target.ids if i != source]
        if not targets:
            return None
        target = rng.choice(targets)
        edge.out[source] = edge.out.get(source, 0) + 1
        return source, target

    def edge_record(self, edge, ends=None, ident=None):
        rng = self.rng
        ends = ends or self.edge_ends(edge)
        if ends is None:
            return None
        data = self.data(edge, {p.name: self.value(p, edge) for p in edge.properties})
        if ident is None and rng.random() < 0.4:
            edge.serial += 1
            ident = f"e{edge.name[:2]}{edge.serial}"
        if ident is not None:
            data["id"] = ident
            edge.ids.append((ident, ends))
        record = {"edge": edge.spelled(rng) if rng.random() < 0.2 else edge.name, "from": ends[0], "to": ends[1]}
        if data or rng.random() < 0.5:
            record["data"] = data
        return record

    def records(self, node_count, edge_count):
        """Fresh nodes of every type, and edges among them; edges may come before their nodes."""
        rng, out = self.rng, []
        for node in self.nodes:
            out += [self.node_record(node) for _ in range(node_count())]
        for edge in self.edges:
            out += [self.edge_record(edge) for _ in range(edge_count())]
        out = [record for record in out if record]
        if rng.random() < 0.3:
            rng.shuffle(out)
        return out

    def spell(self, records):
        """Records as a file: a sequence of JSON values with any white space between."""
        rng, parts = self.rng, []
        for record in records:
            indent = 2 if rng.random() < 0.05 else None
            parts.append(json.dumps(record, ensure_ascii=rng.random() < 0.3, indent=indent))
        return rng.choice(("\n", "\n", "\n\n", "\n")).join(parts) + rng.choice(("\n", ""))
