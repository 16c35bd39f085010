"""Random schemas (.pg) that use the whole language, and near misses of them, from a seed.

    schema(random.Random(seed))   a text that both programs should accept, mostly
    mutant(text, random)          the same with a few tokens changed, mostly not accepted
"""
import re

SCALARS = ["String", "Bool", "I32", "I64", "U32", "U64", "F32", "F64", "Date", "DateTime", "Blob"]
NUMBERS = ["I32", "I64", "U32", "U64", "F32", "F64"]
TYPE_NAMES = ["Person", "Team", "Note", "Task", "Event", "A", "Zed9", "With_Line", "Node", "Edge"]
PROP_NAMES = ["name", "age", "born", "tags", "_x", "a1", "keyed", "index", "title", "size", "camelCase",
              "true_story", "zz", "body", "nodes"]
TEXTS = ['"x"', '"two words"', '"a\\"b\\\\c"', '"line\\nnext\\ttab\\r"', '"ünïcödé 日本"', '"{ // no comment }"',
         '"\x01"', '"\u2028"']
PATTERNS = ['"^[a-z]+$"', '"\\\\d{4}"', '"(a|b)?c*"', '""', '"[^x]"']
DEFAULTS = {"String": ['"text"', "word", "7", "1.5", '""'], "Bool": ["true", "false"], "I32": ["7", '"-7"'],
            "I64": ['"9223372036854775807"', "0"], "U32": ["4294967295"], "U64": ["18446744073709551615"],
            "F32": ["1.5", "2"], "F64": ["0.1", '"-1e300"'], "Date": ['"2024-02-29"'],
            "DateTime": ['"2024-02-29T01:02:03Z"'], "Blob": ['"file:x"']}
BOUNDS = ["0", "1", "-5", "1.5", "-0.25", "0.00001", "0.00005", "123456789012345678.5", "99999999999999999999",
          "007", "-0", "-0.0", "1000000.0", "0.1", "9007199254740993", "9223372036854775807", "9223372036854775808"]


def join_tight(tokens):
    """No space where none is needed; keywords touch the names behind them."""
    out = ""
    for token in tokens:
        words = re.search(r"\w$", out) and re.match(r"\w", token)
        out += (" " if words and not re.search(r"\b(node|edge|interface|implements)$", out) else "") + token
    return out


def join_loose(tokens, random):
    """The spacing and the comments that a hand might leave."""
    gaps = [" ", " ", " ", " ", "  ", "\n", "\r\n\t", " // to the end { \"\n", "/* a * b */"]
    return "".join(token + random.choice(gaps) for token in tokens)


def join(tokens, random):
    style = random.random()
    return join_tight(tokens) if style < 0.2 else join_loose(tokens, random) if style < 0.6 else " ".join(tokens)


def prop_type(random):
    """(text, scalar or form)"""
    r = random.random()
    if r < 0.12:
        values = random.sample(["open", "closed", "Half-Open", "0", "a_b", "-", "zz", "9lives"], random.randint(1, 5))
        return f"enum({', '.join(values)})", ("enum", values)
    if r < 0.22:
        return f"[{random.choice(SCALARS[:-1])}]", ("list", None)
    if r < 0.32:
        return f"Vector({random.choice(['1', '2', '0004', '1536'])})", ("vector", None)
    name = random.choice(SCALARS)
    return name, (name, None)


class Owner:
    """The properties of one interface, node or edge, while its text is made."""

    def __init__(self, random):
        self.random, self.props = random, {}

    def prop(self, name, annotate):
        random = self.random
        text, kind = prop_type(random)
        nullable = random.random() < 0.4
        self.props[name] = (kind[0], nullable)
        tokens = [name, ":", text]
        if nullable:
            tokens.append("?")
        return tokens + annotate(name, kind, nullable)

    def of(self, *kinds, nullable=None):
        return [n for n, (k, null) in self.props.items() if k in kinds and nullable in (None, null)]


def free_annotation(random):
    """One that may stand anywhere; a few look like constraints."""
    name = random.choice(["description", "rename_from", "note", "keyword", "uniqueness", "card", "check"])
    if name == "check":
        return random.choice([["@check"], ["@checked"]])
    if name == "description":
        return ["@description(", random.choice(TEXTS[:-1]), ")"]
    return random.choice([[f"@{name}(", random.choice(TEXTS), ")"], [f"@{name}"], [f"@{name}", "(", "word", ")"],
                          [f"@{name}(", "12", ")"], [f"@{name}(1.50)"], [f"@{name}(true)"]])


def without_doubles(annotations, names):
    """Of the annotations that may stand only once the first; all tokens in one list."""
    seen, out = set(), []
    for tokens in annotations:
        name = tokens[0].split("(")[0]
        if name not in names or name not in seen:
            out += tokens
        seen.add(name)
    return out


def prop_annotations(random, owner, is_edge, has_key):
    """Makes annotations that fit a property; has_key[0] says whether the type has its key already."""
    def annotate(name, kind, nullable):
        out = []
        scalar = kind[0]
        plain = scalar not in ("list", "vector", "Blob")
        if plain and not nullable and not is_edge and not has_key[0] and random.random() < 0.4:
            has_key[0] = True
            out.append(["@key"])
        if plain and random.random() < 0.15:
            out.append(["@unique"])
        if (plain or scalar == "vector") and random.random() < 0.15:
            out.append(["@index"])
        sources = [n for n in owner.of("String") if n != name]
        if scalar == "vector" and not is_edge and sources and random.random() < 0.5:
            source = random.choice(sources)
            out.append(["@embed(", random.choice([source, f'"{source}"']), ")"])
        if random.random() < 0.2:
            if scalar == "enum":
                out.append([f'@default("{random.choice(kind[1])}")'])
            elif scalar in DEFAULTS:
                out.append(["@default(", random.choice(DEFAULTS[scalar]), ")"])
        while random.random() < 0.2:
            out.append(free_annotation(random))
        random.shuffle(out)
        return without_doubles(out, ["@default", "@description"])
    return annotate


def bounds(random):
    a, b = random.choice(BOUNDS), random.choice(BOUNDS)
    return random.choice([[a, "..", b], [a + ".." + b], [a, ".."], ["..", b]])


def body_constraints(random, owner, is_edge, has_key):
    out = []
    plain = [n for n, (k, _) in owner.props.items() if k != "Blob"]
    keys = [n for n in owner.of(*SCALARS[:-1], "enum", nullable=False)]
    if not is_edge and not has_key[0] and keys and random.random() < 0.4:
        has_key[0] = True
        names = random.sample(keys, min(len(keys), random.randint(1, 3)))
        out.append(["@key(", ", ".join(names), ")"])
    columns = plain + (["src", "dst"] if is_edge else [])
    while columns and random.random() < 0.4:
        names = random.sample(columns, min(len(columns), random.randint(1, 3)))
        out.append([random.choice(["@unique", "@index"]), "(", " , ".join(names), ")"])
    while not is_edge and owner.of(*NUMBERS) and random.random() < 0.5:
        out.append(["@range", "(", random.choice(owner.of(*NUMBERS)), ","] + bounds(random) + [")"])
    while not is_edge and owner.of("String", "enum") and random.random() < 0.3:
        out.append(["@check(", random.choice(owner.of("String", "enum")), ",", random.choice(PATTERNS), ")"])
    return out


def body(random, owner, is_edge):
    has_key = [False]
    annotate = prop_annotations(random, owner, is_edge, has_key)
    names = random.sample(PROP_NAMES, random.randint(0, 6))
    items = [owner.prop(n, annotate) for n in names]
    for constraint in body_constraints(random, owner, is_edge, has_key):
        items.insert(random.randint(0, len(items)), constraint)
    return ["{"] + [t for item in items for t in item] + ["}"]


def type_annotations(random):
    out = []
    while random.random() < 0.3:
        out.append(free_annotation(random) if random.random() < 0.6 else ["@instruction(", '"do"', ")"])
    return without_doubles(out, ["@instruction", "@description"])


def schema(random):
    declarations, interfaces = [], []
    for name in random.sample(["Named", "Aged", "Tagged"], random.randint(0, 3)):
        owner = Owner(random)
        props = random.sample([f"{name.lower()}_{i}" for i in range(5)], random.randint(0, 3))
        annotate = prop_annotations(random, owner, False, [True])
        tokens = [t for p in props for t in owner.prop(p, annotate)]
        declarations.append(["interface", name, "{"] + tokens + ["}"])
        interfaces.append(name)
    nodes = random.sample(TYPE_NAMES, random.randint(1, 4))
    for name in nodes:
        tokens = ["node", name] + type_annotations(random)
        used = random.sample(interfaces, random.randint(0, len(interfaces)))
        if used:
            tokens += ["implements", ", ".join(used + used[:random.randint(0, 1)])]
        declarations.append(tokens + body(random, Owner(random), False))
    for i in range(random.randint(0, 3)):
        tokens = ["edge", f"{random.choice(['Knows', 'Has', 'LINKS'])}{i}", ":", random.choice(nodes), "->",
                  random.choice(nodes)]
        if random.random() < 0.4:
            tokens += [random.choice(["@card(0..1)", "@card( 1 .. )", "@card(2..04)", "@card(0..)"])]
        tokens += type_annotations(random)
        if random.random() < 0.6:
            tokens += body(random, Owner(random), True)
        declarations.append(tokens)
    random.shuffle(declarations)
    return "".join(join(d, random) + random.choice(["\n", "\n\n", " \r\n"]) for d in declarations)


# ---- near misses ---------------------------------------------------------------------------

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|->|\.\.|\s+|.', re.S)
STRAY = ["@", "(", ")", "{", "}", ",", ":", "?", "->", "..", "[", "]", "node", "edge", "interface", "implements",
         "enum", "Vector", "String", "Strin", "I32", "Blob", "Person", "person", "name", "id", "src", "_rowid", "7",
         "0", "1.5", "-", '"', '"text"', '"bad \\q"', "@key", "@unique", "@index", "@embed(name)", "@embed",
         "@key(name)", "@range(age, 0..1)", "@range(age)", "@range(name, 1..)", "@check(age, \"x\")", "@check(name)",
         "@card(1..2)", "@card(3..1)", "@card(99999999999..)", "@description", '@description(" ")', "@instruction(x)",
         "@key(1)", "/*", "//", "é", "\n", "\r\n", "\t", "true", "99999999999"]


def mutate_once(tokens, random):
    """Change one token, or the place of two, or cut the text off; white space is passed over."""
    solid = [k for k, t in enumerate(tokens) if not t.isspace()] or [0]
    i, j = random.choice(solid), random.choice(solid)
    r = random.random()
    if r < 0.3:
        del tokens[i]
    elif r < 0.55:
        tokens.insert(i, random.choice(STRAY))
    elif r < 0.75:
        tokens[i] = random.choice(STRAY)
    elif r < 0.85:
        tokens.insert(i, tokens[j])
    elif r < 0.95:
        tokens[i], tokens[j] = tokens[j], tokens[i]
    else:
        del tokens[i:]


def mutant(text, random):
    tokens = TOKEN.findall(text)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        mutate_once(tokens or ["x"], random)
    return "".join(tokens)
