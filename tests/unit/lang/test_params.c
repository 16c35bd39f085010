/* Values from outside: parameters, and JSON as load takes it. */
#include "og_test.h"

#include "lang/query.h"

typedef struct fixture {
    og_arena *arena;
    og_literal value;
    og_error err;
    bool lenient;
} fixture;

static void fixture_clean(fixture *f)
{
    og_arena_free(f->arena);
}
#define FIXTURE __attribute__((cleanup(fixture_clean))) fixture f = {.arena = og_arena_new(0)}

/* One parameter `p` of the type from params that are JSON text. */
static og_status param(fixture *f, og_prop_type type, const char *json, bool lenient)
{
    og_ir_param declared = {.name = OG_STR("p"), .type = type};
    og_ir_query query = {.params = &declared, .param_count = 1};
    og_json object;
    og_literal *values;
    assert_ok(og_json_parse(f->arena, og_str_of(json), &object, err));
    og_status status = og_params_from_json(&query, &object, lenient, f->arena, &values, &f->err);
    if (status == OG_OK)
        f->value = values[0];
    return status;
}

static og_prop_type scalar(og_scalar s)
{
    return (og_prop_type){.scalar = s};
}

static og_prop_type list(og_scalar s)
{
    return (og_prop_type){.scalar = s, .list = true};
}

static void check_refused(og_prop_type type, const char *json, const char *message)
{
    FIXTURE;
    assert_status(param(&f, type, json, false), OG_INVALID);
    assert_string_equal(f.err.message, message);
}

static void check_integer(og_scalar s, const char *json, int64_t expected, bool is_unsigned)
{
    FIXTURE;
    assert_status(param(&f, scalar(s), json, false), OG_OK);
    assert_int_equal(f.value.kind, OG_LIT_INTEGER);
    assert_int_equal(f.value.integer, expected);
    assert_int_equal(f.value.is_unsigned, is_unsigned);
}

TEST(test_params__integers_keep_their_full_width)
{
    check_integer(OG_SCALAR_I32, "{\"p\": -2147483648}", INT32_MIN, false);
    check_integer(OG_SCALAR_U32, "{\"p\": 4294967295}", UINT32_MAX, false);
    check_integer(OG_SCALAR_I64, "{\"p\": 9223372036854775807}", INT64_MAX, false);
    check_integer(OG_SCALAR_U64, "{\"p\": 18446744073709551615}", -1, true);
    check_integer(OG_SCALAR_U64, "{\"p\": \"18446744073709551615\"}", -1, true);
    check_integer(OG_SCALAR_I64, "{\"p\": \"-5\"}", -5, false);
}

TEST(test_params__a_whole_number_may_be_written_as_a_float)
{
    check_integer(OG_SCALAR_I32, "{\"p\": 1.0}", 1, false);
    check_integer(OG_SCALAR_U64, "{\"p\": 1e3}", 1000, false);
}

TEST(test_params__refuse_integers_that_are_none)
{
    check_refused(scalar(OG_SCALAR_I32), "{\"p\": 1.5}", "param 'p': expected integer number");
    check_refused(scalar(OG_SCALAR_I64), "{\"p\": \"x\"}",
                  "param 'p': expected integer string, got 'x'");
    check_refused(scalar(OG_SCALAR_I64), "{\"p\": true}", "param 'p': expected integer");
    check_refused(scalar(OG_SCALAR_U64), "{\"p\": -1}",
                  "param 'p': expected unsigned integer number");
    check_refused(scalar(OG_SCALAR_U32), "{\"p\": \"-1\"}",
                  "param 'p': expected unsigned integer string, got '-1'");
    check_refused(scalar(OG_SCALAR_U32), "{\"p\": []}", "param 'p': expected unsigned integer");
}

TEST(test_params__refuse_integers_out_of_range)
{
    check_refused(scalar(OG_SCALAR_I32), "{\"p\": 2147483648}",
                  "param 'p': value 2147483648 exceeds I32");
    check_refused(scalar(OG_SCALAR_U32), "{\"p\": 4294967296}",
                  "param 'p': value 4294967296 exceeds U32");
    check_refused(scalar(OG_SCALAR_I64), "{\"p\": 9223372036854775808}",
                  "param 'p': expected integer number");
    check_refused(scalar(OG_SCALAR_U64), "{\"p\": 18446744073709551616}",
                  "param 'p': expected unsigned integer number");
}

TEST(test_params__refuse_f32_overflow_unless_lenient)
{
    check_refused(scalar(OG_SCALAR_F32), "{\"p\": 1e39}", "param 'p': value 1e39 exceeds F32");
    check_refused(scalar(OG_SCALAR_F64), "{\"p\": 1e999}", "param 'p': value 1e999 exceeds F64");
    check_refused(scalar(OG_SCALAR_F64), "{\"p\": \"1\"}", "param 'p': expected float");
    FIXTURE;
    assert_status(param(&f, scalar(OG_SCALAR_F32), "{\"p\": 1e39}", true), OG_OK);
    assert_true(f.value.real == 1e39);
    assert_status(param(&f, scalar(OG_SCALAR_F32), "{\"p\": 3.4e38}", false), OG_OK);
}

TEST(test_params__dates_are_read)
{
    FIXTURE;
    assert_status(param(&f, scalar(OG_SCALAR_DATE), "{\"p\": \"1970-01-02\"}", false), OG_OK);
    assert_int_equal(f.value.kind, OG_LIT_DATE);
    assert_int_equal(f.value.integer, 1);
    assert_status(param(&f, scalar(OG_SCALAR_DATETIME), "{\"p\": \"1970-01-01T00:00:01Z\"}", false),
                  OG_OK);
    assert_int_equal(f.value.kind, OG_LIT_DATETIME);
    assert_int_equal(f.value.integer, 1000);
    check_refused(scalar(OG_SCALAR_DATE), "{\"p\": \"xx\"}",
                  "param 'p': invalid Date literal 'xx'");
    check_refused(scalar(OG_SCALAR_DATE), "{\"p\": 5}", "param 'p': expected date string");
    check_refused(scalar(OG_SCALAR_DATETIME), "{\"p\": null}",
                  "param 'p': null is not accepted for non-nullable parameter");
}

TEST(test_params__text_booleans_and_blobs)
{
    check_refused(scalar(OG_SCALAR_STRING), "{\"p\": 1}", "param 'p': expected string, got number");
    check_refused(scalar(OG_SCALAR_BOOL), "{\"p\": \"true\"}", "param 'p': expected boolean");
    check_refused(scalar(OG_SCALAR_BLOB), "{\"p\": {}}",
                  "param 'p': expected blob URI string, got object");
}

TEST(test_params__lists_keep_null_items_and_refuse_wrong_ones)
{
    check_refused(list(OG_SCALAR_I64), "{\"p\": 1}", "param 'p': expected array for [I64]");
    check_refused(list(OG_SCALAR_I64), "{\"p\": [1, true]}", "param 'p': expected integer");
    FIXTURE;
    assert_status(param(&f, list(OG_SCALAR_I64), "{\"p\": [1, null]}", false), OG_OK);
    assert_int_equal(f.value.count, 2);
    assert_int_equal(f.value.items[0].integer, 1);
    assert_int_equal(f.value.items[1].kind, OG_LIT_NULL);
    assert_status(param(&f, list(OG_SCALAR_STRING), "{\"p\": []}", false), OG_OK);
    assert_int_equal(f.value.count, 0);
}

TEST(test_params__vectors_have_their_length)
{
    og_prop_type vector = {.scalar = OG_SCALAR_VECTOR, .dim = 3};
    check_refused(vector, "{\"p\": \"x\"}", "param 'p': expected array for Vector(3)");
    check_refused(vector, "{\"p\": [1, 2]}", "param 'p': expected 3 values for Vector(3), got 2");
    check_refused(vector, "{\"p\": [1, 2, \"3\"]}", "param 'p': vector element is not numeric");
    check_refused(vector, "{\"p\": [1, 2, null]}", "param 'p': vector element is not numeric");
    FIXTURE;
    assert_status(param(&f, vector, "{\"p\": [1, 2.5, -3]}", false), OG_OK);
    assert_true(f.value.items[1].real == 2.5);
}

TEST(test_params__omitted_ones_are_null_when_optional)
{
    og_prop_type optional = {.scalar = OG_SCALAR_STRING, .nullable = true};
    FIXTURE;
    assert_status(param(&f, optional, "{\"other\": {}}", false), OG_OK);
    assert_int_equal(f.value.kind, OG_LIT_NULL);
    check_refused(scalar(OG_SCALAR_STRING), "{}", "parameter 'p' not provided");
    check_refused(scalar(OG_SCALAR_STRING), "[]", "params must be a JSON object");
}

/* As load has it: no integers in text, dates as numbers. */
static og_status loaded(fixture *f, og_prop_type type, const char *json)
{
    og_json value;
    assert_ok(og_json_parse(f->arena, og_str_of(json), &value, err));
    return og_literal_from_json(&type, &value, OG_STR("property 'p'"), f->arena, &f->value,
                                &f->err);
}

TEST(test_params__load_takes_dates_as_numbers_and_no_integers_in_text)
{
    FIXTURE;
    assert_status(loaded(&f, scalar(OG_SCALAR_DATE), "19000"), OG_OK);
    assert_int_equal(f.value.kind, OG_LIT_DATE);
    assert_int_equal(f.value.integer, 19000);
    assert_status(loaded(&f, scalar(OG_SCALAR_DATETIME), "-1"), OG_OK);
    assert_int_equal(f.value.integer, -1);
    assert_status(loaded(&f, scalar(OG_SCALAR_DATE), "19000.5"), OG_INVALID);
    assert_status(loaded(&f, scalar(OG_SCALAR_DATE), "3000000000"), OG_INVALID);
    assert_status(loaded(&f, scalar(OG_SCALAR_I64), "\"5\""), OG_INVALID);
    assert_string_equal(f.err.message, "property 'p': expected I64, got string");
}

static og_status coerced(fixture *f, og_prop_type type, og_literal value)
{
    return og_literal_coerce(&type, &value, OG_STR("property 'p'"), f->lenient, f->arena, &f->value,
                             &f->err);
}

TEST(test_params__coerce_refuses_what_changes_the_value)
{
    FIXTURE;
    og_literal big = {.kind = OG_LIT_INTEGER, .integer = 5000000000};
    og_literal half = {.kind = OG_LIT_FLOAT, .real = 1.5};
    og_literal three = {.kind = OG_LIT_FLOAT, .real = 3.0};
    og_literal huge = {.kind = OG_LIT_FLOAT, .real = 1e39};
    assert_status(coerced(&f, scalar(OG_SCALAR_I32), big), OG_INVALID);
    assert_string_equal(f.err.message, "property 'p': value 5000000000 exceeds I32");
    assert_status(coerced(&f, scalar(OG_SCALAR_I32), half), OG_INVALID);
    assert_string_equal(f.err.message, "property 'p': value 1.5 is not a whole number");
    assert_status(coerced(&f, scalar(OG_SCALAR_F32), huge), OG_INVALID);
    assert_status(coerced(&f, scalar(OG_SCALAR_I32), three), OG_OK);
    assert_int_equal(f.value.kind, OG_LIT_INTEGER);
    assert_int_equal(f.value.integer, 3);
    assert_status(coerced(&f, scalar(OG_SCALAR_F64), big), OG_OK);
    assert_true(f.value.real == 5e9);
}

TEST(test_params__coerce_leaves_a_range_to_who_is_lenient)
{
    FIXTURE;
    f.lenient = true;
    og_literal big = {.kind = OG_LIT_INTEGER, .integer = 5000000000};
    og_literal minus = {.kind = OG_LIT_INTEGER, .integer = -1};
    og_literal huge = {.kind = OG_LIT_FLOAT, .real = 1e39};
    assert_status(coerced(&f, scalar(OG_SCALAR_I32), big), OG_OK);
    assert_int_equal(f.value.integer, 5000000000);
    assert_status(coerced(&f, scalar(OG_SCALAR_U32), minus), OG_OK);
    assert_status(coerced(&f, scalar(OG_SCALAR_U64), minus), OG_INVALID);
    assert_status(coerced(&f, scalar(OG_SCALAR_F32), huge), OG_OK);
    og_prop_type list = {.scalar = OG_SCALAR_I32, .list = true};
    og_literal items = {.kind = OG_LIT_LIST, .count = 1, .items = &big};
    assert_status(coerced(&f, list, items), OG_INVALID);
}

TEST(test_params__coerce_reads_dates_from_text)
{
    FIXTURE;
    og_literal text = {.kind = OG_LIT_STRING, .text = OG_STR("1970-01-03")};
    assert_status(coerced(&f, scalar(OG_SCALAR_DATE), text), OG_OK);
    assert_int_equal(f.value.kind, OG_LIT_DATE);
    assert_int_equal(f.value.integer, 2);
    assert_status(coerced(&f, scalar(OG_SCALAR_BOOL), text), OG_INVALID);
    assert_string_equal(f.err.message, "property 'p': expected Bool, got String");
}

TEST(test_params__coerce_takes_null_when_nullable)
{
    FIXTURE;
    og_literal null = {.kind = OG_LIT_NULL};
    og_prop_type optional = {.scalar = OG_SCALAR_I32, .nullable = true};
    assert_status(coerced(&f, optional, null), OG_OK);
    assert_status(coerced(&f, scalar(OG_SCALAR_I32), null), OG_INVALID);
}
