"""Random read queries over a Graph, each with what may be compared of its answer."""
import json

from values import NUMBERS, Type

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


class Query:
    """`order` are (column, descending) of the leading keys that the answer shows; `rounded` are columns
    of floating-point sums, whose last digits depend on the order of addition."""

    def __init__(self):
        self.text, self.params, self.format = "", None, "json"
        self.order, self.limit, self.rounded = [], None, set()
        self.difference, self.equivalent = None, None

    def arguments(self, graph, text=None):
        args = ["query", graph, "-e", text or self.text]
        if self.params is not None:
            args += ["--params", self.params]
        return args + (["--json"] if self.format == "json" else ["--format", self.format])


class Params:
    """Parameters that a query has declared so far."""

    def __init__(self, rng, coverage):
        self.rng, self.coverage, self.declared, self.values = rng, coverage, [], {}

    def add(self, type_, value, may_be_null=True):
        rng, name = self.rng, f"p{len(self.declared)}"
        value = narrowed(type_, value, keep_null=rng.random() < 0.03)
        fate = rng.random()
        optional = may_be_null and fate < 0.3
        self.declared.append(f"${name}: {type_.as_param(optional)}")
        if optional and fate < 0.05:
            self.coverage["param", "omitted"] += 1
        elif optional and fate < 0.1:
            self.values[name] = None
            self.coverage["param", "null"] += 1
        else:
            self.values[name] = type_.param(value, rng)
            self.coverage["param", "optional, given" if optional else "required"] += 1
            self.coverage["param type", Type(type_.base, listed=type_.listed).kind()] += 1
        return f"${name}"


def narrowed(type_, value, keep_null=False):
    """Without what the reference does not take in a parameter: integers from 2^63, the smallest I64, null in lists."""
    if type_.listed:
        return [narrowed(type_.item(), v) for v in value if v is not None or keep_null]
    return value if type_.base not in ("U64", "I64") or value is None else max(-(2**63) + 1, min(value, 2**63 - 1))


class Builder:
    """Grows one query: a scope of variables, clauses, parameters."""

    def __init__(self, graph):
        self.graph, self.rng, self.coverage = graph, graph.rng, graph.coverage
        self.scope, self.clauses, self.serial = {}, [], 0
        self.closed = False  # a second hop between variables that are bound is another matter to the reference
        self.params = Params(self.rng, self.coverage)

    def fresh(self):
        self.serial += 1
        return "abcdefghij"[self.serial - 1] if self.serial <= 10 else f"v{self.serial}"

    def operand(self, type_, value):
        """A literal or a parameter."""
        literal = type_.literal(value)
        if literal is not None and self.rng.random() < 0.65:
            return literal
        return self.params.add(type_, value)

    def some_value(self, p):
        value = self.rng.choice(p.pool)
        return value if value is not None else p.type.value(self.rng)

    def braces(self, node):
        """Equalities inside a binding, as far as the reference understands them there."""
        rng = self.rng
        options = [p for p in node.properties if p.type.base not in ("Blob", "Vector") and not p.capital()
                   and (not p.type.listed or p.type.base in ("String", "Bool", "I64", "F64"))]
        pairs = []
        if node.key and node.ids and rng.random() < 0.12:
            pairs.append(f"{node.key}: {self.operand(Type('String'), rng.choice(node.ids))}")
        if options and rng.random() < 0.2:
            p = rng.choice(options)
            value, type_ = self.some_value(p), p.type
            if type_.listed:
                items = [v for v in value if v is not None] or [type_.item().value(rng)]
                value, type_ = rng.choice(items), type_.item()
            pairs.append(f"{p.name}: {self.operand(type_, value)}")
            self.coverage["filter", "braces " + p.type.kind().rstrip("?")] += 1
        return " { " + ", ".join(pairs) + " }" if pairs else ""

    def bind(self, node, scope=None):
        name = self.fresh()
        self.scope[name] = node
        self.clauses.append(f"${name}: {node.name}{self.braces(node)}")
        if scope is not None:
            scope.append(name)
        return name

    def hops(self, edge):
        if not edge.same_ends():
            bounds = self.rng.choice(("", "", "", "{1,1}"))
        else:
            bounds = self.rng.choice(("", "", "{1,2}", "{1,3}", "{2,2}", "{2,3}", "{3,3}", "{1,1}", "{1,6}"))
        return bounds

    def traverse(self, anchor, negated=False, close=False):
        """From a variable in scope along an edge, in or out; False when no edge fits its type. In a
        negation as the reference understands it: without bounds, and from source to target."""
        rng, node = self.rng, self.scope[anchor]
        edges = [e for e in self.graph.edges if node in (e.source, e.target)]
        if not edges:
            return False
        if negated:
            self.coverage["negation", "traversal"] += 1
        edge = rng.choice(edges)
        outward = edge.source is node if not edge.same_ends() else rng.random() < 0.6
        far = edge.target if outward else edge.source
        known = [v for v, t in self.scope.items() if t is far and v != anchor]
        bounds = "" if negated else self.hops(edge)
        if close and known:
            other = rng.choice(known)
            self.closed = True
            self.coverage["hop", "closing a cycle"] += 1
        elif rng.random() < 0.08:
            other = "_"
        else:
            other = self.fresh()
        name, hop = edge.spelled(rng), "out" if outward else "in"
        if edge.same_ends():
            text = f"${anchor} {name}{bounds} ${other}" if outward else f"${other} {name}{bounds} ${anchor}"
        elif negated:
            text = f"${anchor} {name} ${other}" if outward else f"${other} {name} ${anchor}"
        else:  # the types tell the direction, whichever way it is written
            text = rng.choice((f"${anchor} {name}{bounds} ${other}", f"${other} {name}{bounds} ${anchor}"))
        self.clauses.append(text)
        self.coverage["hop", f"{hop}{bounds} between {'equal' if edge.same_ends() else 'different'} types"] += 1
        if other != "_" and other not in self.scope:
            self.scope[other] = far
            if rng.random() < 0.4:
                self.clauses.insert(rng.choice((len(self.clauses), len(self.clauses) - 1)),
                                    f"${other}: {far.name}{self.braces(far)}")
        return True

    def filter(self):
        rng = self.rng
        var = rng.choice(list(self.scope))
        options = [p for p in self.scope[var].properties if p.type.listed or p.type.comparable()]
        if not options:
            return
        p = rng.choice(options)
        left = f"${var}.{p.name}"
        if p.type.listed:
            items = [v for v in self.some_value(p) if v is not None] or [p.type.item().value(rng)]
            self.clauses.append(f"{left} contains {self.operand(p.type.item(), rng.choice(items))}")
            self.coverage["filter", "contains " + p.type.kind().rstrip("?")] += 1
            return
        op = rng.choice(COMPARISONS)
        peers = [(v, q) for v, node in self.scope.items() for q in node.properties
                 if q.type.comparable() and q.type.base == p.type.base and (v, q) != (var, p)]
        if peers and rng.random() < 0.15:
            other, q = rng.choice(peers)
            right = f"${other}.{q.name}"
            self.coverage["filter", "property and property"] += 1
        else:
            right = self.operand(p.type, self.some_value(p))
        if rng.random() < 0.1 and p.type.base != "U64":  # deliberate.wide_on_the_right has those
            left, right = right, left
        self.clauses.append(f"{left} {op} {right}")
        self.coverage["filter", f"{op} {p.type.base}"] += 1

    def negate(self, depth=0):
        """A `not` block that mentions a variable from outside."""
        rng = self.rng
        outside, before = dict(self.scope), self.clauses
        self.clauses = []
        anchor = rng.choice(list(outside))
        kind = rng.random()
        if kind < 0.25 or not self.traverse(anchor, negated=True):
            self.filter_on(anchor)
        elif rng.random() < 0.4 or self.graph.loops:
            before_filter = len(self.clauses)
            self.filter_on(anchor)
            if self.graph.loops and len(self.clauses) == before_filter:
                self.clauses = []  # the reference takes self-loops for neighbours in a lone traversal
        if self.clauses and depth < 2 and rng.random() < 0.3:
            self.negate(depth + 1)
        inside, self.clauses, self.scope = self.clauses, before, outside
        if inside:
            self.clauses.append("not { " + "  ".join(inside) + " }")
            self.coverage["negation", f"depth {depth + 1}"] += 1

    def filter_on(self, anchor):
        saved, self.scope = self.scope, {anchor: self.scope[anchor]}
        self.filter()
        self.scope = saved


def match_part(graph):
    b, rng = Builder(graph), graph.rng
    b.bind(rng.choice(graph.nodes))
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 2, 3))):
        b.traverse(rng.choice(list(b.scope)), close=not b.closed and rng.random() < 0.2)
    if rng.random() < 0.06:
        b.bind(rng.choice(graph.nodes))
        graph.coverage["hop", "two unconnected parts"] += 1
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        b.filter()
    if rng.random() < 0.3:
        b.negate()
    return b


def returned_properties(b):
    return [(v, p) for v, node in b.scope.items() for p in node.properties]


def plain_return(b, query):
    """Properties, ids, parameters and literals, with order and limit."""
    rng, columns, returns = b.rng, [], []
    options = returned_properties(b)
    for v, node in b.scope.items():
        if rng.random() < 0.6:
            returns.append(f"${v}")
            columns.append((v, f"${v}", False))
        if node.key and rng.random() < 0.3:
            returns.append(f"${v}.{node.key}")
            columns.append((f"{v}.{node.key}", f"${v}.{node.key}", True))
    for v, p in rng.sample(options, min(len(options), rng.randrange(1, 5))):
        name, alias = f"{v}.{p.name}", f"c{len(returns)}"
        named = rng.random() < 0.4
        returns.append(f"${name} as {alias}" if named else f"${name}")
        columns.append((alias if named else name, alias if named and rng.random() < 0.5 else f"${name}", p.type.comparable()))
        b.coverage["return", p.type.kind()] += 1
    if rng.random() < 0.08:
        returns.append(rng.choice(("7", '"text"', "1.5", "true", "[1, 2]")) + rng.choice((" as lit", "")))
    if rng.random() < 0.05 and b.params.declared:
        returns.append("$p0")
    orders = [c for c in columns if c[2]]
    if orders and rng.random() < 0.55:
        keys = rng.sample(orders, min(len(orders), rng.randrange(1, 4)))
        return returns, ordered(b, query, [(column, spelled) for column, spelled, _ in keys])
    if rng.random() < 0.1:
        query.limit = rng.choice((1, 3, 10))
        b.coverage["order", "none, with limit"] += 1
        return returns, f"limit {query.limit}"
    unseen = [f"${v}.{p.name}" for v, p in options if p.type.comparable()]
    if unseen and rng.random() < 0.1:
        b.coverage["order", "by what may not be returned"] += 1
        return returns, "order { " + rng.choice(unseen) + " }"
    return returns, ""


def ordered(b, query, keys):
    rng, parts = b.rng, []
    for column, spelled in keys:
        direction = rng.choice(("", " asc", " desc"))
        parts.append(spelled + direction)
        query.order.append((column, direction == " desc"))
        b.coverage["order", direction.strip() or "default"] += 1
    text = "order { " + ", ".join(parts) + " }"
    if rng.random() < 0.5:
        query.limit = rng.choice((1, 2, 3, 5, 100))
        text += f"\n    limit {query.limit}"
        b.coverage["order", "with limit"] += 1
    return text


def aggregate_return(b, query):
    rng, returns, names = b.rng, [], []
    options = [(v, p) for v, p in returned_properties(b) if p.type.comparable()]
    for n in range(rng.choice((0, 1, 1, 2))):
        if options and rng.random() < 0.7:
            v, p = rng.choice(options)
            returns.append(f"${v}.{p.name} as g{n}")
            b.coverage["group by", p.type.base] += 1
        else:
            returns.append(f"${rng.choice(list(b.scope))} as g{n}")
            b.coverage["group by", "variable"] += 1
        names.append(f"g{n}")
    for n in range(rng.randrange(1, 4)):
        returns.append(f"{aggregate(b, options, f's{n}', query)} as s{n}")
        names.append(f"s{n}")
    rng.shuffle(returns)
    if rng.random() < 0.5:
        free = [name for name in names if name not in query.rounded]
        if free:
            return returns, ordered(b, query, [(n, n) for n in rng.sample(free, min(len(free), 2))])
    return returns, ""


def aggregate(b, options, name, query):
    rng = b.rng
    numbers = [(v, p) for v, p in options if p.type.base in NUMBERS]
    texts = [(v, p) for v, p in options if p.type.base == "String"]
    function = rng.choice(("count", "sum", "avg", "min", "max"))
    if function == "count" and rng.random() < 0.5 or not numbers + texts:
        b.coverage["aggregate", "count variable"] += 1
        return f"count(${rng.choice(list(b.scope))})"
    if function == "count":
        v, p = rng.choice(options)
    elif function in ("min", "max"):
        v, p = rng.choice(numbers + texts)
    elif numbers:
        v, p = rng.choice(numbers)
        query.rounded.add(name)
    else:
        function, (v, p) = "count", rng.choice(options)
    b.coverage["aggregate", f"{function} {p.type.base}"] += 1
    return f"{function}(${v}.{p.name})"


def read_query(graph):
    rng, query = graph.rng, Query()
    b = match_part(graph)
    returns, tail = (aggregate_return if rng.random() < 0.3 else plain_return)(b, query)
    if not returns:
        returns = [f"${next(iter(b.scope))}"]
    query.format = rng.choice(("json",) * 7 + ("csv", "kv", "table", "jsonl"))
    graph.coverage["format", query.format] += 1
    separator = rng.choice((", ", "\n        "))
    query.text = (f"query q({', '.join(b.params.declared)}) {{\n    match {{\n        " + "\n        ".join(b.clauses)
                  + "\n    }\n    return { " + separator.join(returns) + " }\n    " + tail + "\n}\n")
    if b.params.values or rng.random() < 0.3:
        query.params = json.dumps(b.params.values, ensure_ascii=False)
    return query
