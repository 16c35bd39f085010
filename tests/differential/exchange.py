#!/usr/bin/env python3
"""One graph, written and read in turn by our program and by the reference's.

    exchange.py [--seeds A..B] [--binary PATH] [--jobs N]

Of three seeds the first hands a random graph back and forth, each program writing twice: after every
write both must export the same bytes and answer queries alike, and at the end the graph holds what a graph
holds to which the reference did everything alone. The second writes by ours into a graph on which the
reference built its indexes: its search, ranking and key lookups must then answer as on a fresh load. The
third lets the reference leave table versions that its manifest does not name (a node delete whose cascade
finds nothing in an edge table), and goes on from there.
"""
import collections
import json
import random

import deliberate
import queries
import suite
import writes
from graphs import Graph
from programs import Failure, message, rows_of, without_ulids
from values import WORDS

SHARED, MIRROR, FRESH = "shared.omni", "mirror.omni", "fresh.omni"


class Course:
    """The steps of one seed on the shared graph, with what both programs must agree on after each."""

    def __init__(self, seed, place):
        self.seed, self.place, self.rng = seed, place, random.Random(seed)
        self.coverage, self.files = collections.Counter(), 0

    def program(self, who):
        return self.place.ours if who == "ours" else self.place.theirs

    def check(self, condition, what):
        if not condition:
            raise Failure(f"seed {self.seed}, {what}\n" + self.story())

    def story(self):
        steps = self.place.ours.history + self.place.theirs.history
        return "\n".join(f"    {' '.join(step[:2])} {' '.join(map(repr, step[2:]))}" for step in steps if step[1] in ("init", "load", "mutate"))[:6000]

    def init(self, who, graph, schema):
        self.place.write("schema.pg", schema)
        run = self.program(who).run("init", "--schema", "schema.pg", graph)
        self.check(run.code == 0, f"init by {who}: {message(run)}")

    def load(self, who, graph, text, mode="overwrite"):
        self.files += 1
        name = self.place.write(f"load{self.files}.jsonl", text)
        return self.program(who).run("load", "--data", name, "--mode", mode, graph)

    def must(self, run, what):
        self.check(run.code == 0, f"{what}: {message(run)}")
        return run

    def read_alike(self):
        """The same bytes from both, whoever wrote last. Rows may be ordered otherwise, ids may not differ."""
        ours, theirs = (sorted(self.must(p.run("export", SHARED), f"export by {p.name}").out.splitlines())
                        for p in (self.place.ours, self.place.theirs))
        plain = deliberate.without_empty_blobs
        self.check(plain(ours) == plain(theirs),
                   f"exports differ: ours only {[x for x in ours if x not in theirs][:3]}, "
                   f"reference only {[x for x in theirs if x not in ours][:3]}")
        self.coverage["read alike", "export"] += 1
        return [without_ulids(line) for line in theirs]

    def ask_alike(self, text, params=None):
        args = ["query", SHARED, "-e", text, "--json"] + (["--params", params] if params else [])
        ours, theirs = self.place.ours.run(*args), self.place.theirs.run(*args)
        if deliberate.explained(ours, theirs):
            return
        self.check(ours.code == theirs.code, f"{text}: exit {ours.code} and {theirs.code}: {message(ours)} {message(theirs)}")
        if ours.code == 0:
            reason = deliberate.same_rows(rows_of(ours)["rows"], rows_of(theirs)["rows"])
            self.check(reason is None, f"{text} {params}: {reason}")
        self.coverage["read alike", "query"] += 1


# ---- back and forth -------------------------------------------------------------------------------------

def back_and_forth(seed, place):
    course = Course(seed, place)
    graph = Graph(course.rng, collections.Counter())
    writers = ["ours", "the reference"] * 3 if seed % 2 else ["the reference", "ours"] * 3
    course.init(writers[0], SHARED, graph.schema)
    course.init("the reference", MIRROR, graph.schema)
    mirrored = write(course, "ours" if seed % 2 else "the reference", writes.first_load(graph))
    course.read_alike()
    for who in writers[1:]:
        for _ in range(course.rng.choice((1, 2))):
            make = course.rng.choice((writes.append_load, writes.merge_load, writes.overwrite_load, writes.upserts, writes.upserts,
                                      writes.edge_deletes))
            step = make(graph)
            if step:
                mirrored = write(course, who, step) and mirrored
                course.coverage[f"written by {who}", make.__name__] += 1
        lines = course.read_alike()
        for _ in range(2):
            q = queries.read_query(graph)
            if q.limit is None and not q.rounded:
                course.ask_alike(q.text, q.params)
    if mirrored:
        mirror = place.theirs.export(MIRROR)
        plain = deliberate.without_empty_blobs
        course.check(plain(lines) == plain(mirror), f"the graph is not what the reference makes of the same steps: shared only "
                     f"{[x for x in lines if x not in mirror][:3]}, mirror only {[x for x in mirror if x not in lines][:3]}")
        course.coverage["read alike", "mirror"] += 1
    return course.coverage, None


def write(course, who, step):
    """By `who` to the shared graph and by the reference to the mirror; False when the mirror can't follow."""
    if isinstance(step, writes.Load):
        shared, mirror = course.load(who, SHARED, step.text, step.mode), course.load("the reference", MIRROR, step.text, step.mode)
    else:
        shared = course.program(who).run(*step.arguments(SHARED))
        mirror = course.place.theirs.run(*step.arguments(MIRROR))
        if mirror.code and step.steps and deliberate.explained(course.place.ours.run("version"), mirror) in deliberate.SPLIT:
            if who != "ours":
                shared = by_parts(course, SHARED, step)
            mirror = by_parts(course, MIRROR, step)
    known = deliberate.explained(course.place.ours.run("version"), mirror)
    course.check(shared.code == 0 or (who != "ours" and known), f"write by {who}: {message(shared)}")
    course.check(mirror.code == 0 or known, f"write to the mirror: {message(mirror)}")
    return mirror.code == 0 and shared.code == 0


def by_parts(course, graph, step):
    for part in step.steps:
        run = course.place.theirs.run(*step.arguments(graph, part))
        if run.code:
            break
    return run


# ---- the reference's indexes ------------------------------------------------------------------------------

INDEXED = """node Doc {
    slug: String @key
    title: String @index
    body: String? @index
    n: I32? @index
    day: Date? @index
    v: Vector(8) @index
}
edge Cites: Doc -> Doc {
    note: String? @index
}
"""


def doc(rng, slug):
    """No word twice in a text: without an index Lance's search counts it twice and may then leave it out."""
    return {"type": "Doc", "data": {
        "slug": slug, "title": " ".join(rng.sample(WORDS, 4)), "body": " ".join(rng.sample(WORDS, 6)) if rng.random() < 0.8 else None,
        "n": rng.randrange(50), "day": rng.randrange(19000, 19100), "v": [round(rng.uniform(-1, 1), 3) for _ in range(8)]}}


def cites(rng, slugs):
    return {"edge": "Cites", "from": rng.choice(slugs), "to": rng.choice(slugs), "data": {"note": rng.choice(WORDS)}}


def lines(records):
    return "".join(json.dumps(r) + "\n" for r in records)


def with_indexes(seed, place):
    course, rng = Course(seed, place), random.Random(seed)
    slugs = [f"d{i}" for i in range(rng.choice((20, 120, 400)))]
    course.init("the reference", SHARED, INDEXED)
    first = [doc(rng, s) for s in slugs] + [cites(rng, slugs) for _ in range(len(slugs))]
    course.must(course.load("the reference", SHARED, lines(first)), "load by the reference")
    steps = [insert_docs, update_docs, delete_docs, merge_docs, many_small, overwrite_docs]
    for make in rng.sample(steps[:5], 3) + ([overwrite_docs] if rng.random() < 0.3 else []):
        make(course, rng, slugs)
        course.coverage["into indexed tables", make.__name__.replace("_", " ")] += 1
        course.read_alike()
    answers_as_fresh(course, rng, slugs)
    # and the reference goes on: its next writes maintain the indexes that ours left
    course.must(course.load("the reference", SHARED, lines([doc(rng, "last one")]), "merge"), "merge by the reference")
    slugs.append("last one")
    course.read_alike()
    insert_docs(course, rng, slugs)
    answers_as_fresh(course, rng, slugs)
    return course.coverage, None


def mutate(course, text, params=None):
    args = ["mutate", SHARED, "-e", f"query m({', '.join(f'${k}: {t}' for k, (t, _) in (params or {}).items())}) {{ {text} }}"]
    args += ["--params", json.dumps({k: v for k, (_, v) in params.items()})] if params else []
    course.must(course.place.ours.run(*args), "mutation by ours")


def insert_docs(course, rng, slugs):
    for _ in range(2):
        slug = f"new{len(slugs)}"
        vector = [rng.randrange(-8, 8) / 8 for _ in range(8)]
        mutate(course, "insert Doc { slug: $s, title: $t, v: $v } insert Cites { from: $s, to: $o }",
               {"s": ("String", slug), "t": ("String", "amber " + rng.choice(("river", "stone"))), "v": ("Vector(8)", vector),
                "o": ("String", rng.choice(slugs))})
        slugs.append(slug)


def update_docs(course, rng, slugs):
    mutate(course, "update Doc set { title: $t } where slug = $s", {"s": ("String", rng.choice(slugs)), "t": ("String", "signal paper")})
    mutate(course, "update Doc set { v: $v, n: 7 } where n < 5", {"v": ("Vector(8)", [0.5] * 8)})


def delete_docs(course, rng, slugs):
    gone = rng.choice(slugs)
    slugs.remove(gone)
    mutate(course, "delete Doc where slug = $s", {"s": ("String", gone)})
    mutate(course, "delete Cites where from = $s", {"s": ("String", rng.choice(slugs))})


def merge_docs(course, rng, slugs):
    fresh = [f"merged{len(slugs)}", f"merged{len(slugs) + 1}"]
    records = [doc(rng, s) for s in rng.sample(slugs, min(30, len(slugs))) + fresh]
    slugs += fresh
    course.must(course.load("ours", SHARED, lines(records + [cites(rng, slugs)]), "merge"), "merge by ours")


def many_small(course, rng, slugs):
    """As many commits as make our writer fold fragments."""
    for _ in range(10):
        slug = f"small{len(slugs)}"
        course.must(course.load("ours", SHARED, lines([doc(rng, slug)]), "append"), "append by ours")
        slugs.append(slug)


def overwrite_docs(course, rng, slugs):
    course.must(course.load("ours", SHARED, lines([doc(rng, s) for s in slugs])), "overwrite by ours")


def answers_as_fresh(course, rng, slugs):
    """What the reference answers through the indexes is what it answers on a fresh load of the same rows.
    (Not `fuzzy`: it sees only rows that an index covers, which a load indexes and other writes do not.)"""
    theirs = course.place.theirs
    data = course.must(theirs.run("export", SHARED), "export").out
    course.place.write("fresh.jsonl", data)
    fresh = f"{course.files}-{FRESH}"
    course.init("the reference", fresh, INDEXED)
    course.must(theirs.run("load", "--data", "fresh.jsonl", fresh), "fresh load")
    word, other = rng.sample(WORDS, 2)
    vector = "[" + ", ".join(str(rng.randrange(0, 9) / 8) for _ in range(8)) + "]"
    asked = [
        f'match {{ $d: Doc search($d.title, "{word}") }} return {{ $d.slug }}',
        f'match {{ $d: Doc match_text($d.body, "{word} {other}") }} return {{ $d.slug }}',
        'match { $d: Doc search($d.title, "amber") $d cites $e } return { $d.slug, $e.slug }',
        f'match {{ $d: Doc }} return {{ $d.slug }} order {{ bm25($d.title, "{word}") }} limit 1000',
        f"match {{ $d: Doc }} return {{ $d.v }} order {{ nearest($d.v, {vector}) }} limit 3",
        f"match {{ $d: Doc }} return {{ $d.slug }} order {{ nearest($d.v, {vector}) }} limit 1000",
        "match { $d: Doc $d.n < 8 } return { $d.slug, $d.n }",
        'match { $d: Doc $d.day >= date("2022-02-20") } return { $d.slug, $d.day }',
    ]
    asked += [f'match {{ $d: Doc {{ slug: "{s}" }} }} return {{ $d.slug, $d.title, $d.n, $d.v }}'
              for s in [rng.choice(slugs), slugs[-1], "no such"]]
    for text in asked:
        answers = []
        for graph in (SHARED, fresh):
            run = theirs.run("query", graph, "-e", f"query q() {{ {text} }}", "--json")
            answers.append(course.must(run, f"{text} on {graph}"))
        reason = deliberate.same_rows(*(rows_of(a)["rows"] for a in answers))
        course.check(reason is None, f"the reference on {text}, shared and fresh: {reason}")
        course.coverage["through indexes", text.split("(")[0].split()[-1] if "(" in text else "lookup"] += 1


# ---- heads ahead of the manifest ----------------------------------------------------------------------------

ORPHANED = """node Person { name: String @key  age: I32? }
node Team { name: String @key }
edge Knows: Person -> Person { since: I32? }
edge In: Person -> Team
edge Leads: Person -> Team { rank: I32? }
"""


def orphan_heads(seed, place):
    """A delete of a person that knows nobody leaves heads of edge tables that no manifest names."""
    course, rng = Course(seed, place), random.Random(seed)
    who = rng.choice(("ours", "the reference"))
    course.init(who, SHARED, ORPHANED)
    people = [f"p{i}" for i in range(12)]
    records = [{"type": "Person", "data": {"name": p, "age": i}} for i, p in enumerate(people + ["alone", "alone too"])]
    records += [{"type": "Team", "data": {"name": t}} for t in ("red", "blue")]
    for edge, ends in (("Knows", people), ("In", ["red", "blue"]), ("Leads", ["red", "blue"])):
        records += [{"edge": edge, "from": rng.choice(people), "to": rng.choice(ends)} for _ in range(8)]
    course.must(course.load(who, SHARED, lines(records)), f"load by {who}")
    for alone in ("alone", "alone too"):
        args = ["mutate", SHARED, "-e", f'query m() {{ delete Person where name = "{alone}" }}']
        course.must(place.theirs.run(*args), "delete by the reference")
        course.read_alike()
        steps = rng.sample([add_edges, delete_some_edges, update_people, delete_person, replace_edges], rng.randrange(1, 4))
        for step in steps:
            step(course, rng, people)
            course.coverage["after orphan heads", step.__name__.replace("_", " ")] += 1
            course.read_alike()
        for edge in ("Knows", "In", "Leads"):  # every table writable by ours, then none orphaned
            mutate(course, f"delete {edge} where from = $p", {"p": ("String", rng.choice(people))})
            mutate(course, f"insert {edge} {{ from: $p, to: $t }}",
                   {"p": ("String", rng.choice(people)), "t": ("String", people[0] if edge == "Knows" else "red")})
        course.read_alike()
        text = f'query m() {{ update Person set {{ age: 99 }} where name = "{people[0]}" }}'
        course.must(place.theirs.run("mutate", SHARED, "-e", text), "update by the reference")
        for edge in ("Knows", "In", "Leads"):
            text = f'query m() {{ delete {edge} where to = "{people[0] if edge == "Knows" else "red"}" }}'
            course.must(place.theirs.run("mutate", SHARED, "-e", text), "delete of edges by the reference")
        course.read_alike()
    return course.coverage, None


def add_edges(course, rng, people):
    mutate(course, "insert Knows { from: $a, to: $b } insert In { from: $a, to: $t }",
           {"a": ("String", rng.choice(people)), "b": ("String", rng.choice(people)), "t": ("String", "red")})


def delete_some_edges(course, rng, people):
    mutate(course, "delete In where from = $a", {"a": ("String", rng.choice(people))})


def update_people(course, rng, people):
    mutate(course, "update Person set { age: 50 } where name = $a", {"a": ("String", rng.choice(people))})


def delete_person(course, rng, people):
    gone = people.pop(rng.randrange(1, len(people)))
    mutate(course, "delete Person where name = $a", {"a": ("String", gone)})


def replace_edges(course, rng, people):
    records = [{"edge": "Leads", "from": rng.choice(people), "to": "blue", "data": {"rank": i}} for i in range(3)]
    course.must(course.load("ours", SHARED, lines(records)), "overwrite by ours")


KINDS = (back_and_forth, with_indexes, orphan_heads)


def main(argv):
    options = suite.arguments(argv, __doc__, "1..45")
    reason = suite.prerequisites(options)
    if reason:
        return suite.skip(reason)
    coverage, outcomes = collections.Counter(), []
    cases = [(f"--seeds {seed}..{seed}", lambda place, seed=seed: KINDS[seed % 3](seed // 3, place)) for seed in options.seeds]
    for outcome in suite.run_all(options, cases):
        outcomes.append(outcome)
        coverage.update(outcome.coverage)
    suite.print_coverage(coverage)
    return suite.finish(__file__, options, outcomes)


if __name__ == "__main__":
    suite.start(main)
