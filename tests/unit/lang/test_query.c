/* Queries that compile: what they mean. Expected texts are explained in ir_text.h. */
#include "og_test.h"

#include "ir_text.h"
#include "lang/query.h"
#include "lang/schema.h"

static const char schema[] =
    "node Person { name: String @key age: I32? born: Date? seen: DateTime? tags: [String]?\n"
    "    mood: enum(calm, happy)? big: U64? ratio: F32? pic: Blob? face: Vector(2)? }\n"
    "node Company { name: String @key size: I64? }\n"
    "edge Knows: Person -> Person { since: Date? note: String? }\n"
    "edge WorksAt: Person -> Company { role: String? }\n";

typedef struct fixture {
    og_catalog *catalog;
    og_program *program;
    og_buf text;
} fixture;

static void fixture_clean(fixture *f)
{
    og_program_free(f->program);
    og_catalog_unref(f->catalog);
    og_buf_deinit(&f->text);
}
#define FIXTURE __attribute__((cleanup(fixture_clean))) fixture f = {0}

static const og_ir_query *compile(fixture *f, const char *source)
{
    assert_ok(og_schema_compile(og_str_of(schema), &f->catalog, err));
    assert_ok(og_program_compile(og_str_of(source), NULL, f->catalog, &f->program, err));
    return og_program_query(f->program);
}

/* The pipeline of a match that stands in `query q(params) { match { ... } return { 1 } }`. */
static void check_match(const char *params, const char *match, const char *expected)
{
    FIXTURE;
    char source[2048];
    snprintf(source, sizeof source, "query q(%s) { match { %s } return { 1 } }", params, match);
    ir_text(compile(&f, source), &f.text);
    assert_string_equal(og_buf_cstr(&f.text), expected);
}

/* What follows a match of `$p: Person`. */
static void check_returns(const char *rest, const char *expected)
{
    FIXTURE;
    char source[2048];
    snprintf(source, sizeof source, "query q($n: I64) { match { $p: Person } %s }", rest);
    ir_text_returns(compile(&f, source), &f.text);
    assert_string_equal(og_buf_cstr(&f.text), expected);
}

static void check_mutation(const char *body, const char *expected)
{
    FIXTURE;
    char source[2048];
    snprintf(source, sizeof source, "query q($a: String, $n: I32?) { %s }", body);
    ir_text(compile(&f, source), &f.text);
    assert_string_equal(og_buf_cstr(&f.text), expected);
}

/* ---- bindings and traversals -------------------------------------------------------------- */

TEST(test_query__a_binding_is_a_scan_with_its_conditions)
{
    check_match("$n: String", "$p: Person { name: $n, tags: \"a\", seen: now(), }",
                "scan p:Person[name = $n, tags contains \"a\", seen = now()]");
}

TEST(test_query__direction_follows_from_the_types)
{
    check_match("", "$p: Person $p worksAt $c", "scan p:Person; p -WorksAt> c");
    check_match("", "$c: Company $c worksAt $p", "scan c:Company; c <WorksAt- p");
    check_match("", "$c: Company $p worksAt $c", "scan c:Company; c <WorksAt- p");
    check_match("", "$p: Person $p knows $f", "scan p:Person; p -Knows> f");
    check_match("", "$p: Person $f kNOWS $p", "scan p:Person; p <Knows- f");
}

TEST(test_query__hop_bounds)
{
    check_match("", "$p: Person $p knows{2,4} $f", "scan p:Person; p -Knows{2,4}> f");
    check_match("", "$p: Person $f knows { 1 , 3 } $p", "scan p:Person; p <Knows{1,3}- f");
}

TEST(test_query__connected_bindings_wait_for_the_traversal)
{
    check_match("", "$p: Person { age: 3 } $c: Company { name: \"x\" } $p worksAt $c",
                "scan p:Person[age = 3]; p -WorksAt> c[name = \"x\"]");
    check_match("", "$a: Person $b: Person { age: 1 } $c: Person $b knows $c $a knows $b",
                "scan a:Person; a -Knows> b[age = 1]; b -Knows> c");
    check_match("", "$a: Person $b: Company", "scan a:Person; scan b:Company");
}

TEST(test_query__a_cycle_ends_at_a_bound_variable)
{
    check_match("", "$a: Person $a knows $b $b knows $c $c knows $a",
                "scan a:Person; a -Knows> b; b -Knows> c; c -Knows> a!");
    check_match("", "$a: Person $a knows $a", "scan a:Person; a -Knows> a!");
}

TEST(test_query__a_wildcard_is_a_new_variable_each_time)
{
    check_match("", "$a: Person $a knows $_ $_ worksAt $c $c: Company",
                "scan a:Person; scan c:Company; a -Knows> __any1; c <WorksAt- __any2");
}

TEST(test_query__undirected_and_edge_variables)
{
    check_match("", "$a: Person $a <knows> $b", "scan a:Person; a <Knows> b");
    check_match("", "$a: Person $b <knows>{1,2} $a", "scan a:Person; a <Knows{1,2}> b");
    check_match("", "$a: Person $a $e:knows $b $e.since > date(\"1970-01-02\")",
                "scan a:Person; a e:-Knows> b; filter e.since > day 1");
    check_match("", "$a: Person $a $e:<knows> $b $e.note starts_with \"x\"",
                "scan a:Person; a e:<Knows> b; filter e.note starts_with \"x\"");
    check_match("", "$a: Person $a $_:knows $b", "scan a:Person; a __any1:-Knows> b");
}

/* ---- filters and negation ----------------------------------------------------------------- */

TEST(test_query__filters)
{
    check_match("$n: I32?", "$p: Person $p.age >= $n 3 < $p.age $p.age != null",
                "scan p:Person; filter p.age >= $n; filter 3 < p.age; filter p.age != null");
    check_match("", "$p: Person $p.tags contains \"a\" $p.name contains \"b\"",
                "scan p:Person; filter p.tags contains \"a\"; filter p.name contains \"b\"");
    check_match("", "$p: Person $p.age < 1.5 $p.ratio = -2 $p.ratio > -1.5e-3 $p.big = 1E2",
                "scan p:Person; filter p.age < 1.5f; filter p.ratio = -2; "
                "filter p.ratio > -0.0015f; filter p.big = 100f");
    check_match("", "$p: Person $p.big = 18446744073709551615",
                "scan p:Person; filter p.big = 18446744073709551615u");
    check_match("", "$p: Person $p.seen <= now()", "scan p:Person; filter p.seen <= now()");
}

TEST(test_query__search_clauses)
{
    check_match("$q: String", "$p: Person search($p.name, $q) fuzzy($p.name, $q, 1)",
                "scan p:Person; filter search(p.name, $q); filter fuzzy(p.name, $q, 1)");
    check_match("$q: String", "$p: Person match_text($p.name, $q) = true",
                "scan p:Person; filter match_text(p.name, $q) = true");
}

TEST(test_query__negation)
{
    check_match("", "$p: Person not { $p knows $_ }", "scan p:Person; not(p -Knows> __any1)");
    check_match("", "$c: Company not { $c worksAt $p }", "scan c:Company; not(c <WorksAt- p)");
    check_match("", "$p: Person not { $f: Person { age: 1 } $p knows $f not { $f knows $p } }",
                "scan p:Person; not(p -Knows> f[age = 1]; not(f -Knows> p!))");
    check_match("", "$p: Person not { $p.age > 3 }", "scan p:Person; not(filter p.age > 3)");
}

TEST(test_query__negation_means_variables_that_are_bound_after_it)
{
    check_match("", "$p: Person not { $p knows $f } $f: Person",
                "scan p:Person; scan f:Person; not(p -Knows> f!)");
}

TEST(test_query__blocks_have_variables_of_their_own)
{
    check_match("", "$p: Person not { $p knows $x } not { $p worksAt $x }",
                "scan p:Person; not(p -Knows> x); not(p -WorksAt> x)");
}

/* ---- returns and orders ------------------------------------------------------------------- */

TEST(test_query__columns_without_a_name)
{
    check_returns("return { $p.name, $p, 1, $n, now() }",
                  "p.name as p.name, p as p, 1 as literal, $n as n, now() as now");
    check_returns("return { count($p.age) avg($n), min($p) }",
                  "count(p.age) as p.age, avg($n) as n, min(p) as p");
}

TEST(test_query__aggregates_and_groups)
{
    check_returns("return { $p.age, count($p) as n } order { n desc, $p.age } limit 3",
                  "p.age as p.age, count(p) as n; order #1 desc, #0; limit 3");
    check_returns("return { $p.age as a, max($p.born) as b } order { $p.age, max($p.born) }",
                  "p.age as a, max(p.born) as b; order #0, #1");
}

TEST(test_query__orders)
{
    check_returns("return { $p.name as n } order { $p.age desc, n asc, $p }",
                  "p.name as n; order p.age desc, #0, p");
    check_returns("return { $p } order { p }", "p as p; order #0");
}

TEST(test_query__a_return_may_name_an_earlier_one)
{
    check_returns("return { $p.name as a, a as b, b }", "p.name as a, p.name as b, p.name as b");
}

TEST(test_query__keywords_may_touch_and_be_names)
{
    check_returns("return{$p.name asmatch}order{match}limit3",
                  "p.name as match; order #0; limit 3");
    check_returns("return { $p.name as nullable } order { nullable }",
                  "p.name as nullable; order #0");
}

TEST(test_query__types_of_results)
{
    FIXTURE;
    const og_ir_query *q =
        compile(&f, "query q() { match { $p: Person } return { $p.age, sum($p.age) as s, "
                    "count($p) as c, min($p.seen) as m } }");
    assert_int_equal(q->returns[0].expr.type.scalar, OG_SCALAR_I32);
    assert_int_equal(q->returns[1].expr.type.scalar, OG_SCALAR_F64);
    assert_int_equal(q->returns[2].expr.type.scalar, OG_SCALAR_I64);
    assert_int_equal(q->returns[3].expr.type.scalar, OG_SCALAR_DATETIME);
    assert_true(q->returns[3].expr.type.nullable);
    assert_true(q->has_aggregates);
    assert_false(q->uses_search);
}

TEST(test_query__says_what_it_uses)
{
    FIXTURE;
    const og_ir_query *q =
        compile(&f, "query q($v: Vector(2)) @description(\"d\\n\") @instruction(\"i\") { match { "
                    "$p: Person } return { $p.name, now() } order { nearest($p.face, $v) } limit "
                    "2 }");
    assert_true(q->uses_search);
    assert_true(q->uses_now);
    assert_str_is(q->description, "d\n");
    assert_str_is(q->instruction, "i");
    assert_int_equal(q->orderings[0].expr.arg_count, 2);
    assert_int_equal(q->params[0].type.dim, 2);
}

/* ---- mutations ---------------------------------------------------------------------------- */

TEST(test_query__mutations)
{
    check_mutation("insert Person { name: $a, age: -3 born: null, seen: now() }",
                   "insert node:Person name = $a, age = -3, born = null, seen = now()");
    check_mutation("insert Knows { from: $a, to: \"b\", since: date(\"1970-01-02\") }",
                   "insert edge:Knows from@ = $a, to@ = \"b\", since = day 1");
    check_mutation("update Person set { age: $n } where name = $a",
                   "update node:Person age = $n where name = $a");
    check_mutation("delete Knows where from != $a", "delete edge:Knows where from@ != $a");
}

TEST(test_query__a_mutation_may_mix_statements)
{
    check_mutation("insert Person { name: $a } delete Person where age < 1.5 "
                   "update Person set { age: 1 } where name = $a",
                   "insert node:Person name = $a; delete node:Person where age < 1.5f; "
                   "update node:Person age = 1 where name = $a");
}

TEST(test_query__literals_get_the_type_of_their_property)
{
    check_mutation(
        "insert Person { name: $a, age: 3.0, ratio: 2, face: [1, 2.5], pic: $a }",
        "insert node:Person name = $a, age = 3, ratio = 2f, face = [1f, 2.5f], pic = $a");
}

/* ---- choosing a query --------------------------------------------------------------------- */

static const char two[] = "query one() { match { $p: Person } return { $p.name } }\n"
                          "query two() { match { $c: Company } return { $c.name } }\n";

TEST(test_query__is_found_by_name)
{
    FIXTURE;
    assert_ok(og_schema_compile(og_str_of(schema), &f.catalog, err));
    assert_ok(og_program_compile(og_str_of(two), "two", f.catalog, &f.program, err));
    assert_str_is(og_program_query(f.program)->name, "two");
}

TEST(test_query__is_not_found)
{
    FIXTURE;
    assert_ok(og_schema_compile(og_str_of(schema), &f.catalog, err));
    og_error err;
    assert_status(og_program_compile(og_str_of(two), "twu", f.catalog, &f.program, &err),
                  OG_INVALID);
    assert_string_equal(err.message, "query 'twu' not found");
    assert_string_equal(err.hint, "Did you mean 'two'?");
    assert_status(og_program_compile(og_str_of(two), NULL, f.catalog, &f.program, &err),
                  OG_INVALID);
    assert_string_equal(err.message, "query file contains multiple queries; pass --name");
}

TEST(test_query__names_of_a_file)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_str *names;
    size_t count;
    assert_ok(og_query_names(og_str_of(two), arena, &names, &count, err));
    assert_int_equal(count, 2);
    assert_str_is(names[1], "two");
}

/* ---- memory ------------------------------------------------------------------------------- */

TEST(test_query__every_failing_allocation_is_an_error)
{
    FIXTURE;
    static const char source[] =
        "query q($a: [String], $n: I32?) { match { $p: Person { age: $n } $p $e:knows $f "
        "$f.tags contains \"x\" not { $f worksAt $c $c.size > 3 } } "
        "return { $p.name as x, count($f) } order { x } limit 1 }";
    assert_ok(og_schema_compile(og_str_of(schema), &f.catalog, err));
    og_status status = OG_NOMEM;
    for (int64_t n = 0; status != OG_OK; n++) {
        og_error err;
        og_alloc_fail_after(n, true);
        status = og_program_compile(og_str_of(source), NULL, f.catalog, &f.program, &err);
        og_alloc_fail_after(-1, false);
        if (status != OG_OK)
            assert_status(status, OG_NOMEM);
    }
}
