/* Queries that are refused: message, place and hint. */
#include "og_test.h"

#include "lang/query.h"
#include "lang/schema.h"

static const char schema[] =
    "node Person { name: String @key age: I32? born: Date? tags: [String]? bio: String\n"
    "    mood: enum(calm, happy)? pic: Blob? face: Vector(2)? }\n"
    "node Company { name: String @key }\n"
    "edge Knows: Person -> Person { since: Date? }\n"
    "edge WorksAt: Person -> Company { role: String }\n";

static og_status compile(const char *source, og_error *out_err)
{
    OG_AUTO(og_catalog) catalog = NULL;
    OG_AUTO(og_program) program = NULL;
    assert_ok(og_schema_compile(og_str_of(schema), &catalog, err));
    return og_program_compile(og_str_of(source), NULL, catalog, &program, out_err);
}

static void check(const char *source, const char *message)
{
    og_error err = {0};
    assert_status(compile(source, &err), OG_INVALID);
    assert_string_equal(err.message, message);
    assert_true(err.line > 0);
}

/* A match in `query q(params) { match { ... } return { 1 } }`. */
static void check_match(const char *params, const char *match, const char *message)
{
    char source[2048];
    snprintf(source, sizeof source, "query q(%s) { match { %s } return { 1 } }", params, match);
    check(source, message);
}

static void check_returns(const char *rest, const char *message)
{
    char source[2048];
    snprintf(source, sizeof source, "query q() { match { $p: Person } %s }", rest);
    check(source, message);
}

static void check_mutation(const char *body, const char *message)
{
    char source[2048];
    snprintf(source, sizeof source, "query q($a: String, $n: I64) { %s }", body);
    check(source, message);
}

/* ---- places and hints --------------------------------------------------------------------- */

static void check_place(const char *source, uint32_t line, uint32_t column, const char *hint)
{
    og_error err = {0};
    assert_status(compile(source, &err), OG_INVALID);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    assert_string_equal(err.hint, hint);
}

TEST(test_query_errors__point_at_the_text)
{
    check_place("query q() {\n  match { $p: Persn }\n  return { $p.name } }", 2, 15,
                "Did you mean 'Person'?");
    check_place("query q() {\n match { $p: Person\n  $p.nam = \"é\" $p.agee = 1 }\n return { 1 } }",
                3, 6, "Did you mean 'name'?");
    check_place("query q() { match { $p: Person $p knowz $f } return { 1 } }", 1, 35,
                "Did you mean 'knows'?");
    check_place("query q() { match { $pers: Person } return { $pars.name } }", 1, 46,
                "Did you mean '$pers'?");
    check_place("query q() { match { $p: Person { mood: \"hapy\" } } return { 1 } }", 1, 40,
                "Did you mean 'happy'?");
}

TEST(test_query_errors__quote_the_line)
{
    og_error err = {0};
    assert_status(compile("query q() {\n\tmatch { $p: Foo }\n return { 1 } }", &err), OG_INVALID);
    assert_string_equal(err.detail, "2 | \tmatch { $p: Foo }\n  | \t            ^^^");
}

TEST(test_query_errors__syntax_shows_a_frame)
{
    check("query q() { match { $p Person } return { 1 } }",
          "parse error:  --> 1:24\n"
          "  |\n"
          "1 | query q() { match { $p Person } return { 1 } }\n"
          "  |                        ^---\n"
          "  |\n"
          "  = expected comp_op or edge_ident");
    check("que", "parse error:  --> 1:1\n"
                 "  |\n"
                 "1 | que\n"
                 "  | ^---\n"
                 "  |\n"
                 "  = expected query_file");
}

TEST(test_query_errors__texts_without_meaning)
{
    check_match("", "$p: Person { name: \"a\\q\" }",
                "parse error: parse error: unsupported escape sequence: \\q");
    check_match("", "$p: Person $p.age = 99999999999999999999",
                "parse error: parse error: invalid integer: number too large to fit in target "
                "type");
    check_match("", "$p: Person $p knows{1,4294967296} $f",
                "parse error: parse error: invalid traversal max bound: number too large to fit "
                "in target type");
    check("query q() @description(\"a\") @description(\"b\") { match { $p: Person } return { 1 } }",
          "parse error: parse error: query `q` cannot include duplicate @description annotations");
}

/* ---- match -------------------------------------------------------------------------------- */

TEST(test_query_errors__bindings)
{
    check_match("", "$p: Foo", "type error: T1: unknown node type `Foo`");
    check_match("", "$p: Person { foo: 1 }", "type error: T2: type `Person` has no property `foo`");
    check_match("", "$p: Person { age: \"x\" }",
                "type error: T3: property `age` has type I32? but got String");
    check_match("", "$p: Person { pic: \"x\" }",
                "type error: T3: blob property `Person.pic` cannot be used in match patterns");
    check_match("", "$p: Person { mood: \"sad\" }",
                "type error: T3: property `mood` expects one of [calm, happy], got 'sad'");
    check_match("", "$p: Person { name: null }",
                "type error: T3: property `name` is non-nullable but got null");
    check_match("", "$p: Person { face: [1] }",
                "type error: T3: property `face` has type Vector(2) but got vector literal with 1 "
                "elements");
    check_match("", "$p: Person { tags: [\"a\"] }",
                "type error: T3: list equality is not supported for property `tags`; use a scalar "
                "value to match list membership");
    check_match("", "$p: Person { age: now() }",
                "type error: T7: cannot assign/compare DateTime with I32? for property `age`");
    check_match("$t: [String]", "$p: Person { tags: $t }",
                "type error: T7: list equality is not supported for property `tags`; use a scalar "
                "parameter for membership matching");
    check_match("", "$p: Person { age: $x }",
                "type error: variable `$x` must be a declared query parameter");
}

TEST(test_query_errors__a_variable_bound_twice)
{
    check_match("", "$p: Person $p: Person { age: 1 }", "type error: variable `$p` is bound twice");
    check_match("", "$p: Person $p: Company",
                "type error: variable `$p` already bound to type `Person`, cannot rebind to "
                "`Company`");
    check_match("", "$p: Person not { $p: Person { age: 1 } }",
                "type error: variable `$p` is bound twice");
}

TEST(test_query_errors__a_match_without_a_type)
{
    check_match("", "1 = 1", "type error: the match binds no variable to a type");
    check_match("", "$a knows $b",
                "type error: neither `$a` nor `$b` is connected to a variable with a type");
    check_match("", "$p: Person $a knows $b",
                "type error: neither `$a` nor `$b` is connected to a variable with a type");
}

TEST(test_query_errors__traversals)
{
    check_match("", "$p: Person $p likes $f", "type error: T4: unknown edge type `likes`");
    check_match("", "$c: Company $c knows $f",
                "type error: T5: variable `$c` has type `Company`, which is not an endpoint of "
                "edge `Knows: Person -> Person`");
    check_match("", "$p: Person $c: Company $p knows $c",
                "type error: T5: variable `$c` has type `Company` but edge `Knows` expects "
                "`Person`");
    check_match("", "$p: Person $p knows{0,1} $f",
                "type error: T15: traversal min hop bound must be >= 1");
    check_match("", "$p: Person $p knows{3,1} $f",
                "type error: T15: invalid traversal bounds {3,1}; max must be >= min");
    check_match("", "$p: Person $p knows{1,} $f",
                "type error: T15: unbounded traversal is disabled; use bounded traversal "
                "{min,max}");
    check_match("", "$p: Person $p <worksAt> $c",
                "type error: T22: undirected traversal `<WorksAt>` requires a same-endpoint-type "
                "edge, but `WorksAt: Person -> Company` is asymmetric; use the directional form");
}

TEST(test_query_errors__edge_variables)
{
    check_match("", "$p: Person $p $e:knows{1,2} $f",
                "type error: T23: edge binding `$e` cannot be combined with traversal bounds; a "
                "multi-hop traversal matches a path of edges, not one edge");
    check_match("", "$p: Person $p $p:knows $f",
                "type error: T23: edge binding `$p` cannot reuse a traversal endpoint name; edge "
                "bindings and node endpoints need distinct names");
    check_match("", "$p: Person $p $e:knows $f $f $e:knows $g",
                "type error: T23: variable `$e` is already bound; an edge binding needs a fresh "
                "name");
    check_match("", "$p: Person $p $e:knows $f $e knows $g",
                "type error: T23: edge binding `$e` cannot be used as a traversal endpoint; "
                "traversal endpoints must be node bindings");
    check_match("", "$p: Person $p $e:knows $f $e: Person",
                "type error: T23: variable `$e` is bound to edge type `Knows` and cannot be "
                "rebound as node type `Person`");
    check_match("", "$p: Person $p $e:knows $f $e.foo = 1",
                "type error: T6: edge `Knows` has no property `foo`");
}

TEST(test_query_errors__filters)
{
    check_match("", "$p: Person $p.age > \"x\"", "type error: T7: cannot compare I32? with String");
    check_match("", "$p: Person $p != 5",
                "type error: T7: filter comparisons require scalar operands, got node `Person` "
                "and I64");
    check_match("", "$p: Person $x.age = 1", "type error: T6: variable `$x` is not bound");
    check_match("", "$p: Person $p.age contains 1",
                "type error: T7: contains requires a list property on the left, got I32?");
    check_match("", "$p: Person $p.name contains 1",
                "type error: T7: string contains requires a String right operand, got I64");
    check_match("", "$p: Person $p.age starts_with \"x\"",
                "type error: T7: starts_with requires a String property on the left, got I32?");
    check_match("", "$p: Person $p.tags = \"x\"",
                "type error: T7: list comparisons in filters are not supported; use `contains` "
                "for list membership");
    check_match("", "$p: Person $p.pic = \"x\"",
                "type error: T7: blob comparisons in filters are not supported");
    check_match("", "$p: Person $p.born = date(\"2024-02-30\")",
                "invalid Date literal '2024-02-30'");
    check_match("", "$p: Person fuzzy($p.name, \"x\", 1.5)",
                "type error: T19: fuzzy max_edits must be an integer scalar, got F64");
}

TEST(test_query_errors__negation_needs_an_outer_variable)
{
    check_match("", "$p: Person not { $x: Person }",
                "type error: T9: negation block must reference at least one outer-bound variable");
    check_match("", "$p: Person not { $p knows $x $y knows $z }",
                "type error: neither `$y` nor `$z` is connected to a variable with a type");
    check_match("", "$p: Person not { $p knows $x } $x.age = 1",
                "type error: T6: variable `$x` is not bound");
}

/* ---- returns and orders ------------------------------------------------------------------- */

TEST(test_query_errors__returns)
{
    check_returns("return { sum($p.name) }",
                  "type error: T8: sum requires numeric type, got String");
    check_returns("return { min($p.tags) }",
                  "type error: T8: min requires numeric or string type, got [String]?");
    check_returns("return { sum($p) }",
                  "type error: T8: sum requires numeric type, got node `Person`");
    check_returns("return { count(count($p)) }", "unsupported projection expression");
    check_returns("return { 1, count($p) }",
                  "type error: T9: non-aggregate expressions in an aggregate query must be "
                  "property accesses or variables");
    check_returns("return { foo }", "no return before this one is called `foo`");
    check_returns("return { [[1]] }", "type error: nested list literals are not supported");
    check_returns("return { [1, \"a\"] }",
                  "type error: list literal elements must share a compatible scalar type");
}

TEST(test_query_errors__orders)
{
    check_returns("return { $p.name as n } order { m }", "alias 'm' not found for ordering");
    check_returns("return { count($p) as n } order { $p.name }",
                  "column 'p.name' not found for ordering");
    check_returns("return { $p.name } order { 1 }", "unsupported ordering expression");
    check_returns("return { $p.name } order { $p.tags }",
                  "cannot order by a value of type [String]?");
    check_returns("return { $p.name } order { nearest($p.face, [1, 2]) }",
                  "type error: T17: nearest ordering requires a limit clause");
    check_returns("return { $p.name } order { nearest($p.face, [1]) } limit 1",
                  "type error: T15: nearest vector dimension mismatch: property is Vector(2), "
                  "query literal has 1 elements");
    check_returns("return { bm25($p.name, \"x\") as a, a as b } order { rrf(nearest($p.face, "
                  "[1, 2]), bm25($p.name, \"x\")) }",
                  "type error: T21: rrf ordering requires a limit clause");
    check_returns("return { nearest($p.face, [1, 2]) as a } order { a } limit 3",
                  "type error: T18: alias-based ordering is not supported together with nearest "
                  "in phase 1");
}

TEST(test_query_errors__parameters)
{
    check("query q($a: Vector(0)) { match { $p: Person } return { 1 } }",
          "type error: unknown parameter type `Vector(0)` for `$a`");
    check("query q($a: I32, $a: I64) { match { $p: Person } return { 1 } }",
          "type error: parameter `$a` is declared twice");
    check("query q($__nanograph_now: I32) { match { $p: Person } return { 1 } }",
          "type error: parameter name `$__nanograph_now` is reserved for runtime timestamp "
          "injection");
}

/* ---- mutations ---------------------------------------------------------------------------- */

TEST(test_query_errors__mutations)
{
    check_mutation("insert Foo { a: 1 }", "type error: T10: unknown node/edge type `Foo`");
    check_mutation("insert Person { foo: 1 }",
                   "type error: T11: type `Person` has no property `foo`");
    check_mutation("insert Person { name: $a }",
                   "type error: T12: insert for `Person` must provide non-nullable property `bio`");
    check_mutation("insert Knows { from: $a }",
                   "type error: T12: insert for `Knows` must provide required endpoint `to`");
    check_mutation("insert Person { age: 1, age: 2 }",
                   "type error: T13: duplicate assignment for property `age`");
    check_mutation("delete Person where name = $x",
                   "type error: T14: mutation variable `$x` must be a declared query parameter");
    check_mutation("update Knows set { since: null } where from = $a",
                   "type error: T16: update mutation for edge type `Knows` is not supported");
    check_mutation("delete Person where pic = $a",
                   "type error: T11: blob property `pic` cannot be used in WHERE predicates");
    check_mutation("delete Person where age = $a",
                   "type error: T7: cannot assign/compare String with I32? for property `age`");
    check_mutation("delete Person where tags = [\"a\"]",
                   "type error: T7: property `tags` of type [String]? cannot be used in WHERE "
                   "predicates");
}

TEST(test_query_errors__literals_that_do_not_fit)
{
    check_mutation("update Person set { age: 1.5 } where name = $a",
                   "property 'age': value 1.5 is not a whole number");
}

/* ---- hostile input ------------------------------------------------------------------------ */

static void repeat(og_buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        og_buf_text(out, text);
}

static void check_hostile(og_buf *source, const char *part)
{
    og_error err = {0};
    assert_status(compile(og_buf_cstr(source), &err), OG_INVALID);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, part);
}

TEST(test_query_errors__deep_nesting_is_refused)
{
    OG_AUTO_BUF negations = OG_BUF_INIT;
    og_buf_text(&negations, "query q() { match { $p: Person ");
    repeat(&negations, "not { ", 100000);
    check_hostile(&negations, "nested deeper than");
    OG_AUTO_BUF lists = OG_BUF_INIT;
    og_buf_text(&lists, "query q() { match { $p: Person { tags: ");
    repeat(&lists, "[", 100000);
    check_hostile(&lists, "nested deeper than");
    OG_AUTO_BUF calls = OG_BUF_INIT;
    og_buf_text(&calls, "query q() { match { $p: Person } return { ");
    repeat(&calls, "count(", 100000);
    check_hostile(&calls, "nested deeper than");
}

TEST(test_query_errors__too_many_clauses_are_refused)
{
    OG_AUTO_BUF clauses = OG_BUF_INIT;
    og_buf_text(&clauses, "query q() { match { ");
    repeat(&clauses, "$p.age = 1 ", 100000);
    check_hostile(&clauses, "more than 10000 clauses");
}

TEST(test_query_errors__long_texts_take_no_longer_than_they_are)
{
    OG_AUTO_BUF comment = OG_BUF_INIT;
    og_buf_text(&comment, "query q() { match { /*");
    repeat(&comment, "0123456789", 1000000);
    check_hostile(&comment, "expected clause");
    OG_AUTO_BUF list = OG_BUF_INIT;
    og_buf_text(&list, "query q() { match { $p: Person { age: [");
    repeat(&list, "1,", 1000000);
    check_hostile(&list, "expected literal");
}

TEST(test_query_errors__malformed_utf8_is_refused)
{
    og_error err = {0};
    assert_status(compile("query q() { \xff }", &err), OG_INVALID);
    assert_non_null(strstr(err.message, "UTF-8"));
}
