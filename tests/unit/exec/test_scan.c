#include "graph.h"

static const char SCHEMA[] = "node Person {\n"
                             "  slug: String @key\n"
                             "  name: String?\n"
                             "  age: I32?\n"
                             "  score: F64?\n"
                             "  ratio: F32?\n"
                             "  big: U64?\n"
                             "  active: Bool?\n"
                             "  born: Date?\n"
                             "  seen: DateTime?\n"
                             "  tags: [String]?\n"
                             "  photo: Blob?\n"
                             "}\n"
                             "node Counter { n: I64 }\n";

static graph *people(void)
{
    graph *g = graph_new(SCHEMA);
    graph_load(g,
               "{\"type\":\"Person\",\"data\":{\"slug\":\"ann\",\"name\":\"Ann\",\"age\":30,"
               "\"score\":1.5,\"ratio\":0.1,\"big\":18446744073709551615,\"active\":true,"
               "\"born\":\"1990-01-02\",\"seen\":\"2024-02-29T10:00:00Z\",\"tags\":[\"a\",\"b\"],"
               "\"photo\":\"xx\"}}"
               "{\"type\":\"Person\",\"data\":{\"slug\":\"bob\",\"name\":\"Bob\",\"age\":41,"
               "\"score\":-0.5,\"ratio\":2.0,\"big\":7,\"active\":false,\"born\":\"2001-05-06\","
               "\"tags\":[]}}");
    graph_load(g, "{\"type\":\"Person\",\"data\":{\"slug\":\"cyd\"}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"dee\",\"name\":\"B\",\"age\":1,"
                  "\"ratio\":16777217,\"tags\":[\"b\",null]}}");
    return g;
}

TEST(test_scan__gives_rows_in_storage_order)
{
    graph *g = people();
    graph_expect(g, "query q() { match { $p: Person } return { $p.slug, $p.age } }", NULL,
                 "[\"ann\",30]\n[\"bob\",41]\n[\"cyd\",null]\n[\"dee\",1]\n");
    graph_update(g, "Person", "ann", "{\"slug\":\"ann\",\"age\":31}");
    graph_delete(g, "Person", "bob");
    graph_expect(g, "query q() { match { $p: Person } return { $p.slug, $p.age } }", NULL,
                 "[\"cyd\",null]\n[\"dee\",1]\n[\"ann\",31]\n");
    graph_free(g);
}

TEST(test_scan__finds_a_key)
{
    graph *g = people();
    const char *q = "query q($k: String?) { match { $p: Person { slug: $k } } "
                    "return { $p.name, $p.slug } }";
    graph_expect(g, q, "{\"k\":\"bob\"}", "[\"Bob\",\"bob\"]\n");
    graph_expect(g, q, "{\"k\":\"nobody\"}", "");
    graph_expect(g, q, "{}", "");
    graph_expect(g,
                 "query q() { match { $p: Person { slug: \"ann\" } $p.age > 30 } return { $p } }",
                 NULL, "");
    graph_expect(g,
                 "query q() { match { $p: Person $p.slug = \"ann\" $p.age >= 30 } return { $p } }",
                 NULL, "[\"ann\"]\n");
    graph_delete(g, "Person", "bob");
    graph_expect(g, q, "{\"k\":\"bob\"}", "");
    graph_free(g);
}

/* The value is that of the condition, not read: wherever it is used, it must be there. */
TEST(test_scan__knows_the_key_it_looked_for)
{
    graph *g = people();
    graph_expect(g,
                 "query q($k: String) { match { $p: Person { slug: $k } } "
                 "return { $p.slug as a, $p.slug as b, $p.age } order { $p.slug desc } }",
                 "{\"k\":\"bob\"}", "[\"bob\",\"bob\",41]\n");
    graph_expect(g,
                 "query q($k: String) { match { $p: Person { slug: $k } $p.slug = \"bob\" } "
                 "return { $p.slug } }",
                 "{\"k\":\"ann\"}", "");
    graph_expect(
        g,
        "query q($k: String) { match { $p: Person { slug: $k } $q: Person { age: 30 } "
        "not { $r: Person { slug: $k } $r.slug = $q.slug } } return { $p.slug, $q.slug } }",
        "{\"k\":\"bob\"}", "[\"bob\",\"ann\"]\n");
    graph_expect(g,
                 "query q() { match { $p: Person { slug: \"cyd\" } } "
                 "return { $p.slug as s, count($p) as n, min($p.slug) as m } }",
                 NULL, "[\"cyd\",1,\"cyd\"]\n");
    graph_free(g);
}

static void expect_filter(graph *g, const char *filter, const char *rows)
{
    char query[512];
    snprintf(query, sizeof query, "query q() { match { $p: Person %s } return { $p } }", filter);
    graph_expect(g, query, NULL, rows);
}

TEST(test_scan__compares_by_type)
{
    graph *g = people();
    expect_filter(g, "$p.age > 29.5", "[\"ann\"]\n[\"bob\"]\n");
    expect_filter(g, "$p.age < 1.5", "[\"dee\"]\n");
    expect_filter(g, "$p.age = 1.5", "");
    expect_filter(g, "$p.age != 30", "[\"bob\"]\n[\"dee\"]\n");
    expect_filter(g, "$p.score <= -0.5", "[\"bob\"]\n");
    expect_filter(g, "$p.ratio = 0.1", "[\"ann\"]\n");
    expect_filter(g, "$p.ratio = 16777217", "[\"dee\"]\n");
    expect_filter(g, "$p.ratio < 16777217", "[\"ann\"]\n[\"bob\"]\n");
    expect_filter(g, "$p.big > 9223372036854775807", "[\"ann\"]\n");
    expect_filter(g, "$p.active = true", "[\"ann\"]\n");
    expect_filter(g, "$p.active != true", "[\"bob\"]\n");
    expect_filter(g, "$p.born < date(\"2000-01-01\")", "[\"ann\"]\n");
    expect_filter(g, "$p.seen < now()", "");
    expect_filter(g, "$p.seen > now()", "[\"ann\"]\n");
    expect_filter(g, "$p.name > \"Ann\"", "[\"bob\"]\n[\"dee\"]\n");
    expect_filter(g, "$p.name starts_with \"B\"", "[\"bob\"]\n[\"dee\"]\n");
    expect_filter(g, "$p.name contains \"ob\"", "[\"bob\"]\n");
    expect_filter(g, "$p.tags contains \"b\"", "[\"ann\"]\n[\"dee\"]\n");
    expect_filter(g, "30 = $p.age", "[\"ann\"]\n");
    expect_filter(g, "31 > $p.age", "[\"ann\"]\n[\"dee\"]\n");
    expect_filter(g, "$p.score < $p.age", "[\"ann\"]\n[\"bob\"]\n");
    expect_filter(g, "1 = 2", "");
    expect_filter(g, "1 < 2 $p.age = 1", "[\"dee\"]\n");
    graph_free(g);
}

TEST(test_scan__null_compares_as_unknown)
{
    graph *g = people();
    const char *q = "query q($n: I32?) { match { $p: Person $p.age != $n } return { $p } }";
    graph_expect(g, q, "{}", "");
    graph_expect(g, q, "{\"n\":41}", "[\"ann\"]\n[\"dee\"]\n");
    expect_filter(g, "$p.age = null", "");
    expect_filter(g, "not { $p.age > 1 }", "[\"cyd\"]\n[\"dee\"]\n");
    graph_free(g);
}

TEST(test_scan__returns_constants_and_equal_names)
{
    graph *g = people();
    graph_expect(g,
                 "query q($x: I64, $n: String?) { match { $p: Person } return { $p.slug as a, $x "
                 "as a, $n, 1, \"t\", now() as t, true, 1.5 } limit 1 }",
                 "{\"x\":5}", "[\"ann\",5,null,1,\"t\",1700000000000,true,1.5]\n");
    graph_free(g);
}

TEST(test_scan__blobs_are_null)
{
    graph *g = people();
    graph_expect(g, "query q() { match { $p: Person } return { $p.photo } limit 2 }", NULL,
                 "[null]\n[null]\n");
    graph_free(g);
}

TEST(test_scan__limit_cuts)
{
    graph *g = people();
    graph_expect(g, "query q() { match { $p: Person } return { $p } limit 3 }", NULL,
                 "[\"ann\"]\n[\"bob\"]\n[\"cyd\"]\n");
    graph_free(g);
}

TEST(test_scan__crosses_what_no_edge_joins)
{
    graph *g = people();
    graph_expect(g,
                 "query q() { match { $a: Person $b: Person $a.age < $b.age } return { $a, $b } }",
                 NULL, "[\"ann\",\"bob\"]\n[\"dee\",\"ann\"]\n[\"dee\",\"bob\"]\n");
    graph_expect(g,
                 "query q() { match { $a: Person { slug: \"ann\" } $b: Person { slug: \"dee\" } } "
                 "return { $a, $b.age } }",
                 NULL, "[\"ann\",1]\n");
    graph_expect(g, "query q() { match { $a: Person $b: Person $c: Person } return { count($a) } }",
                 NULL, "[64]\n");
    graph_free(g);
}

/* Sizes around the vector and the batch. */
TEST(test_scan__any_number_of_rows)
{
    static const int counts[] = {0, 1, 2047, 2048, 2049, 8191, 8192, 8193};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        graph *g = graph_new(SCHEMA);
        og_buf rows = OG_BUF_INIT;
        for (int i = 0; i < counts[c]; i++)
            og_buf_printf(&rows, "{\"type\":\"Counter\",\"data\":{\"id\":\"c%d\",\"n\":%d}}\n", i,
                          i);
        graph_load(g, og_buf_cstr(&rows));
        char expected[128];
        long n = counts[c];
        snprintf(expected, sizeof expected, "[%ld,%s,%s]\n", n, n > 0 ? "0" : "null", "null");
        if (n > 0)
            snprintf(expected, sizeof expected, "[%ld,0,%ld]\n", n, n - 1);
        graph_expect(g,
                     "query q() { match { $x: Counter } return { count($x) as c, min($x.n) as a, "
                     "max($x.n) as b } }",
                     NULL, expected);
        snprintf(expected, sizeof expected, "[%ld]\n", n / 2);
        char query[256];
        snprintf(query, sizeof query,
                 "query q() { match { $x: Counter $x.n >= %ld } return { count($x) as c } }",
                 n - n / 2);
        graph_expect(g, query, NULL, expected);
        const char *all =
            graph_run(g, "query q() { match { $x: Counter } return { $x, $x.n } }", NULL, NULL);
        long lines = 0;
        for (const char *p = all; *p != '\0'; p++)
            lines += *p == '\n';
        assert_int_equal(lines, n);
        og_buf_deinit(&rows);
        graph_free(g);
    }
}

TEST(test_scan__stops_when_told)
{
    graph *g = people();
    int32_t cancel = 1;
    og_exec_options options = {.cancel = &cancel};
    const char *q = "query q() { match { $p: Person } return { $p } }";
    assert_string_equal(graph_run(g, q, NULL, &options), "error: the query was cancelled");
    options = (og_exec_options){.deadline_ns = 1};
    assert_string_equal(graph_run(g, q, NULL, &options), "error: the query ran out of time");
    graph_free(g);
}

TEST(test_scan__search_needs_an_index)
{
    graph *g = people();
    assert_string_equal(
        graph_run(g, "query q() { match { $p: Person search($p.name, \"x\") } return { $p } }",
                  NULL, NULL),
        "error: this version has no search index yet");
    graph_free(g);
}

/* ---- several conditions, tested on the values of pages ------------------------------------ */

#define TOWN_ROWS 6000

/* Country and city as dictionaries, runs, one value, or all different;
 * some without a city, some gone. */
typedef struct person {
    char country[16], city[24];
    int age;
    bool gone;
} person;

static void make_person(uint32_t i, person *out)
{
    uint32_t stretch = i / 1500; /* each is a fragment */
    out->age = (int)(i * 7919 % 100);
    if (stretch == 0)
        snprintf(out->country, sizeof out->country, "c%u", i * 31 % 9);
    else if (stretch == 1)
        snprintf(out->country, sizeof out->country, "c%u", i / 100 % 9);
    else
        snprintf(out->country, sizeof out->country, "c%u", stretch);
    snprintf(out->city, sizeof out->city, stretch == 2 ? "city %u" : "t%u",
             stretch == 2 ? i : i * 13 % 40);
    if (i % 11 == 5)
        out->city[0] = '\0';
}

static graph *town(person *people)
{
    graph *g = graph_new("node Person {\n  slug: String @key\n  country: String\n"
                         "  city: String?\n  age: I32\n}\n");
    for (uint32_t start = 0; start < TOWN_ROWS; start += 1500) {
        OG_AUTO_BUF text = OG_BUF_INIT;
        for (uint32_t i = start; i < start + 1500; i++) {
            person *p = &people[i];
            make_person(i, p);
            og_buf_printf(&text,
                          "{\"type\":\"Person\",\"data\":{\"slug\":\"p%u\",\"country\":\"%s\"", i,
                          p->country);
            if (p->city[0] != '\0')
                og_buf_printf(&text, ",\"city\":\"%s\"", p->city);
            og_buf_printf(&text, ",\"age\":%d}}", p->age);
        }
        graph_load(g, og_buf_cstr(&text));
    }
    for (uint32_t i = 3; i < TOWN_ROWS; i += 63) {
        char slug[16];
        snprintf(slug, sizeof slug, "p%u", i);
        graph_delete(g, "Person", slug);
        people[i].gone = true;
    }
    return g;
}

static void expect_town(graph *g, const person *people, const char *country, const char *city,
                        int age, const char *filter)
{
    static const char *const wanted[] = {"count($p) as n", "count($p) as n, sum($p.age) as a",
                                         "count($p) as n, min($p.city) as c"};
    uint32_t count = 0;
    for (uint32_t i = 0; i < TOWN_ROWS; i++) {
        const person *p = &people[i];
        bool is_city = strcmp(p->city, city) == 0, has_city = p->city[0] != '\0';
        bool city_holds = strstr(filter, "city !=") != NULL ? has_city && !is_city
                          : strstr(filter, "city") != NULL  ? is_city
                                                            : true;
        count += !p->gone && strcmp(p->country, country) == 0 && city_holds && p->age > age;
    }
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
        char query[512], params[160], start[32];
        snprintf(query, sizeof query,
                 "query q($country: String, $city: String, $age: I32) { match { $p: Person %s } "
                 "return { %s } }",
                 filter, wanted[k]);
        snprintf(params, sizeof params, "{\"country\":\"%s\",\"city\":\"%s\",\"age\":%d}", country,
                 city, age);
        snprintf(start, sizeof start, "[%u%s", count, k == 0 ? "]" : ",");
        const char *rows = graph_run(g, query, params, NULL);
        if (strncmp(rows, start, strlen(start)) != 0)
            fail_msg("%s with %s: %s, not %s", filter, params, rows, start);
    }
}

TEST(test_scan__several_conditions_are_tested_on_values)
{
    static person people[TOWN_ROWS];
    graph *g = town(people);
    static const char *const countries[] = {"c0", "c2", "c3", "c8", "nowhere"};
    static const char *const cities[] = {"t0", "t39", "city 3001", "nowhere"};
    static const char *const filters[] = {
        "$p.country = $country $p.city = $city $p.age > -1",
        "$p.city != $city $p.country = $country $p.age > -1",
        "$p.age > $age $p.country = $country",
        "$p.age > $age $p.city = $city $p.country = $country",
        "$p.country = $country $p.country = $country $p.city != $city $p.age > $age",
    };
    for (size_t c = 0; c < sizeof countries / sizeof *countries; c++)
        for (size_t t = 0; t < sizeof cities / sizeof *cities; t++)
            for (size_t f = 0; f < sizeof filters / sizeof *filters; f++)
                expect_town(g, people, countries[c], cities[t],
                            strstr(filters[f], "$age") != NULL ? 50 : -1, filters[f]);
    const char *plan = graph_explain(g,
                                     "query q() { match { $p: Person $p.age > 3 $p.city != \"t1\" "
                                     "$p.country = \"c1\" } return { $p.age } }",
                                     NULL, false, false);
    assert_non_null(strstr(plan, "Filter $p.age > 3\n"));
    assert_non_null(strstr(plan, "$p.country = \"c1\" and $p.city != \"t1\" (by value)"));
    graph_free(g);
}
