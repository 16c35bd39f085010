"""Property types of the schema language, and random values of each in the spellings the texts give.

A value is kept as plain Python: str, bool, int, float, lists of these; a Date as days and a DateTime as
milliseconds since 1970. A Type spells it as a record's JSON, as a parameter and as a literal of .gq.
"""
import base64
import datetime

SCALARS = ["String", "Bool", "I32", "I64", "U32", "U64", "F32", "F64", "Date", "DateTime"]
BOUNDS = {"I32": (-(2**31), 2**31 - 1), "I64": (-(2**63), 2**63 - 1), "U32": (0, 2**32 - 1), "U64": (0, 2**64 - 1)}
INTEGERS, FLOATS = tuple(BOUNDS), ("F32", "F64")
NUMBERS = INTEGERS + FLOATS
TEXTS = ["", "a", "B", "b", "ab", "Ada Lovelace", "naïve café", "日本語", "𝄞 clef", "tab\there", "two\nlines", 'say "hi"',
         "back\\slash", "comma, semicolon;", " lead", "trail ", "null", "0", "é", "e\u0301", "'single'", "a|b", "x" * 120]
WORDS = ["quiet", "river", "stone", "amber", "lattice", "copper", "north", "signal", "meadow", "orbit", "paper", "violet"]
EPOCH = datetime.datetime(1970, 1, 1)


class Type:
    """`base` is a scalar's name, "Blob", "Vector" or "enum"; `listed` makes it a list of scalars."""

    def __init__(self, base, nullable=False, listed=False, dimension=0, names=()):
        self.base, self.nullable, self.listed = base, nullable, listed
        self.dimension, self.names = dimension, sorted(set(names))

    def __str__(self):
        return self.core() + ("?" if self.nullable else "")

    def core(self):
        if self.base == "Vector":
            return f"Vector({self.dimension})"
        if self.base == "enum":
            return f"enum({', '.join(self.names)})"
        return f"[{self.base}]" if self.listed else self.base

    def kind(self):
        """The name under which coverage counts it."""
        return ("[" + self.base + "]" if self.listed else self.base) + ("?" if self.nullable else "")

    def as_param(self, optional=False):
        """The type a parameter for such a property declares."""
        core = "String" if self.base == "enum" else self.core()
        return core + ("?" if optional else "")

    def item(self):
        return Type(self.base)

    def comparable(self):
        return not self.listed and self.base not in ("Blob", "Vector")

    def value(self, rng):
        """A value that is not null."""
        if self.listed:
            return [None if rng.random() < 0.1 else self.item().value(rng) for _ in range(rng.randrange(5))]
        if self.base == "Vector":
            return [rng.choice((0.0, 0.5, -1.25, 3.0, rng.randrange(-64, 64) / 8)) for _ in range(self.dimension - 1)] + [1.0]
        if self.base == "enum":
            return rng.choice(self.names)
        if self.base == "Blob":
            size = rng.choice((0, 1, 7, 300, 70_000 if rng.random() < 0.05 else 40))
            return "base64:" + base64.b64encode(rng.randbytes(size)).decode()
        return _scalar(self.base, rng)

    def json(self, value, rng):
        """Spelling in a record of load; dates have several."""
        if value is None or self.base not in ("Date", "DateTime"):
            return value
        if self.listed:
            return [self.item().json(v, rng) for v in value]
        return _date(value, rng) if self.base == "Date" else _datetime(value, rng)

    def param(self, value, rng):
        """Spelling in --params: as in a record, where integers may be decimal text and dates are text."""
        if value is None:
            return None
        if self.listed:
            return [self.item().param(v, rng) for v in value]
        if self.base == "Date":
            return _iso_date(value)
        if self.base == "DateTime":
            return _iso_datetime(value) + "Z"
        if self.base in INTEGERS and rng.random() < 0.2:
            return str(value)
        return value

    def literal(self, value):
        """Spelling in .gq, or None when the reference's grammar has none (negative numbers, exponents)."""
        if value is None or self.base == "Blob":
            return None
        if self.listed or self.base == "Vector":
            items = [(Type("F32") if self.base == "Vector" else self.item()).literal(v) for v in value]
            return None if None in items else "[" + ", ".join(items) + "]"
        if self.base in ("String", "enum"):
            return _quoted(value)
        if self.base == "Bool":
            return "true" if value else "false"
        if self.base == "Date":
            return f'date("{_iso_date(value)}")'
        if self.base == "DateTime":
            return f'datetime("{_iso_datetime(value)}Z")'
        if self.base in INTEGERS:
            return str(value) if 0 <= value < 2**63 else None
        spelling = repr(float(value))
        return spelling if spelling.replace(".", "").isdigit() else None


def _scalar(base, rng):
    if base == "String":
        return rng.choice(TEXTS) if rng.random() < 0.5 else " ".join(rng.choices(WORDS, k=rng.randrange(1, 6)))
    if base == "Bool":
        return rng.random() < 0.5
    if base in BOUNDS:
        low, high = BOUNDS[base]
        return rng.choice((rng.randrange(0, 8), rng.randrange(0, 100), max(low, rng.randrange(-50, 50)),
                           rng.choice((low, high, low + 1, high - 1)), rng.randint(low, high)))
    if base == "F32":
        return rng.choice((rng.randrange(-40, 40) / 8, float(rng.randrange(0, 9)), 0.5, 16777216.0, 1.5 * 2.0**100, 2.0**-10))
    if base == "F64":
        return rng.choice((rng.randrange(-40, 40) / 8, float(rng.randrange(0, 9)), 0.1, 1e300, 1e16, 1e-7, 123456.789))
    if base == "Date":
        return rng.choice((rng.randrange(18000, 18010), rng.randrange(-30000, 40000), 0, -1))
    return rng.choice((1_600_000_000_000 + rng.randrange(5) * 1000, rng.randrange(-10**12, 4 * 10**12), 0, -1))


def _iso_date(days):
    return (EPOCH + datetime.timedelta(days=days)).strftime("%Y-%m-%d").rjust(10, "0")


def _iso_datetime(ms):
    at = EPOCH + datetime.timedelta(milliseconds=ms)
    whole = at.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return f"{whole}.{at.microsecond // 1000:03d}" if at.microsecond else whole


def _date(days, rng):
    spelling = _iso_date(days)
    return rng.choice((spelling, spelling, days, spelling.replace("-", "")))


def _datetime(ms, rng):
    spelling = _iso_datetime(ms)
    return rng.choice((spelling + "Z", spelling, ms, _iso_datetime(ms + 19_800_000) + "+05:30", spelling + "-00:00"))


def _quoted(value):
    for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        value = value.replace(raw, escaped)
    return f'"{value}"'
