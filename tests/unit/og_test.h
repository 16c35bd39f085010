/* og_test - what every unit test includes.
 *
 *     #include "og_test.h"
 *     TEST(test_arena__reset_keeps_a_block) { assert_int_equal(1 + 1, 2); }
 *
 * A test registers itself; tests/unit/main.c runs them, sorted by name, on top of cmocka, whose
 * assert_* macros they use. One binary per folder of src: main.c plus its test_*.c. Arguments:
 * --filter <text> runs those whose name contains the text, --share <i>/<n> the i-th of n parts,
 * --list prints the names. */
#ifndef OG_TEST_H
#define OG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"

void og_test_register(const char *name, void (*run)(void **state));

#define TEST(name)                                                                                 \
    static void name(void **state);                                                                \
    __attribute__((constructor)) static void name##_register(void)                                 \
    {                                                                                              \
        og_test_register(#name, name);                                                             \
    }                                                                                              \
    static void name(void **state __attribute__((unused)))

/* A call that must succeed; prints the error's message when it does not. The call names its error
 * argument `err`, which is the macro's own: assert_ok(og_json_parse(arena, text, &v, err)); */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")              \
            og_error ok_err_ = {0};                                                                \
        og_error *err = &ok_err_;                                                                  \
        og_status ok_status_ = (call);                                                             \
        if (ok_status_ != OG_OK)                                                                   \
            fail_msg("%s: %s (%s)", #call, err->message, og_status_id(ok_status_));                \
        _Pragma("GCC diagnostic pop")                                                              \
    } while (0)
#define assert_status(call, expected)                                                              \
    assert_string_equal(og_status_id(call), og_status_id(expected))

/* Text against a literal. */
#define assert_str_is(actual, expected)                                                            \
    do {                                                                                           \
        og_str str_is_ = (actual);                                                                 \
        if (!og_str_is(str_is_, expected))                                                         \
            fail_msg("expected \"%s\", got \"%.*s\"", (expected), OG_FMT(str_is_));                \
    } while (0)

/* A seeded generator (splitmix64), so that a failing random test repeats. */
static inline uint64_t og_test_random(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif
