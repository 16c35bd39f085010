#include "og_test.h"
#include "store/memory.h"

static og_status put(og_store *s, const char *name, const char *text)
{
    return s->ops->put(s, name, (og_bytes){(const uint8_t *)text, strlen(text)}, NULL);
}

static og_status sync_one(og_store *s, const char *name)
{
    return s->ops->sync(s, &name, 1, NULL);
}

/* "-" when absent. */
static void content(og_store *s, const char *name, char dst[64])
{
    OG_AUTO(og_blob) blob = NULL;
    og_status status = s->ops->get(s, name, &blob, NULL);
    if (status == OG_NOT_FOUND)
        snprintf(dst, 64, "-");
    else
        snprintf(dst, 64, "%.*s", (int)blob->len, (const char *)blob->ptr);
}

static bool is_prefix(const char *text, const char *whole)
{
    return strncmp(text, whole, strlen(text)) == 0;
}

/* Every outcome that a power loss may have appears within some seeds, and no other. */
TEST(test_memory__crash_loses_only_what_was_not_synced)
{
    unsigned gone = 0, kept = 0, torn = 0, old = 0, back = 0, slot_kept = 0, slot_gone = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        OG_AUTO(og_store) s = NULL;
        const char *removed = "removed";
        char text[64];
        assert_ok(og_store_open_memory(&s, err));
        assert_int_equal(put(s, "safe", "safe"), OG_OK);
        assert_int_equal(put(s, "replaced", "old"), OG_OK);
        assert_int_equal(put(s, removed, "removed"), OG_OK);
        assert_int_equal(sync_one(s, "safe"), OG_OK);
        assert_int_equal(sync_one(s, "replaced"), OG_OK);
        assert_int_equal(sync_one(s, removed), OG_OK);
        assert_int_equal(put(s, "fresh", "0123456789"), OG_OK);
        assert_int_equal(put(s, "replaced", "new!!"), OG_OK);
        assert_ok(s->ops->remove(s, &removed, 1, err));
        assert_ok(s->ops->put_if_absent(s, "slot", (og_bytes){(const uint8_t *)"manifest", 8}, true,
                                        err));
        og_store_memory_crash(s, seed);

        content(s, "safe", text);
        assert_string_equal(text, "safe");
        content(s, "fresh", text);
        gone += strcmp(text, "-") == 0;
        kept += strcmp(text, "0123456789") == 0;
        torn += strcmp(text, "-") != 0 && strlen(text) < 10;
        assert_true(strcmp(text, "-") == 0 || is_prefix(text, "0123456789"));
        content(s, "replaced", text);
        old += strcmp(text, "old") == 0;
        assert_true(strcmp(text, "old") == 0 || is_prefix(text, "new!!"));
        content(s, removed, text);
        back += strcmp(text, "removed") == 0;
        assert_true(strcmp(text, "-") == 0 || strcmp(text, "removed") == 0);
        content(s, "slot", text);
        slot_kept += strcmp(text, "manifest") == 0;
        slot_gone += strcmp(text, "-") == 0;
    }
    assert_true(gone > 50 && kept > 20 && torn > 20 && old > 50 && back > 50 && back < 250);
    assert_true(slot_kept > 50 && slot_gone > 50);
    assert_int_equal(slot_kept + slot_gone, 300); /* never torn */
}

TEST(test_memory__what_a_crash_left_stays)
{
    OG_AUTO(og_store) s = NULL;
    assert_ok(og_store_open_memory(&s, err));
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "a/%d", i);
        assert_int_equal(put(s, name, "text"), OG_OK);
    }
    og_store_memory_crash(s, 1);
    og_listing before = {0}, after = {0};
    assert_ok(s->ops->list(s, "a/", true, NULL, 0, &before, err));
    og_store_memory_crash(s, 2);
    assert_ok(s->ops->list(s, "a/", true, NULL, 0, &after, err));
    assert_true(before.len > 0 && before.len < 50);
    assert_int_equal(before.len, after.len);
    for (size_t i = 0; i < after.len; i++) {
        assert_true(og_str_eq(before.items[i].name, after.items[i].name));
        assert_int_equal(before.items[i].bytes, after.items[i].bytes);
    }
    og_listing_deinit(&before);
    og_listing_deinit(&after);
}

/* Removed and made again without a sync between: old, new, torn or nothing. */
TEST(test_memory__crash_after_remove_and_create)
{
    unsigned old = 0, gone = 0, made = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        OG_AUTO(og_store) s = NULL;
        const char *name = "n";
        char text[64];
        assert_ok(og_store_open_memory(&s, err));
        assert_int_equal(put(s, name, "old"), OG_OK);
        assert_int_equal(sync_one(s, name), OG_OK);
        assert_ok(s->ops->remove(s, &name, 1, err));
        assert_ok(
            s->ops->put_if_absent(s, name, (og_bytes){(const uint8_t *)"made", 4}, true, err));
        og_store_memory_crash(s, seed);
        content(s, name, text);
        old += strcmp(text, "old") == 0;
        gone += strcmp(text, "-") == 0;
        made += strcmp(text, "made") == 0;
    }
    assert_int_equal(old + gone + made, 200);
    assert_true(old > 20 && gone > 20 && made > 50);
}

TEST(test_memory__crash_is_decided_by_the_seed)
{
    char first[64], second[64];
    for (uint64_t seed = 0; seed < 20; seed++) {
        for (int round = 0; round < 2; round++) {
            OG_AUTO(og_store) s = NULL;
            assert_ok(og_store_open_memory(&s, err));
            assert_int_equal(put(s, "x", "0123456789"), OG_OK);
            og_store_memory_crash(s, seed);
            content(s, "x", round == 0 ? first : second);
        }
        assert_string_equal(first, second);
    }
}

TEST(test_memory__sync_of_an_absent_object_is_unknown)
{
    OG_AUTO(og_store) s = NULL;
    assert_ok(og_store_open_memory(&s, err));
    assert_status(sync_one(s, "none"), OG_UNKNOWN);
}

/* ---- names -------------------------------------------------------------------------------- */

#define NAMES 3000

/* Number 0 is "a/0000", the next "a/0001"; every tenth lies deeper. */
static void name_of(unsigned number, char dst[16])
{
    snprintf(dst, 16, number % 10 == 9 ? "a/x/%04u" : "a/%04u", number);
}

static void check_listing(og_store *s, const bool *there, unsigned after, size_t max_keys)
{
    char start[16], name[16];
    og_listing listing;
    name_of(after, start);
    assert_ok(s->ops->list(s, "a/", false, start, max_keys, &listing, err));
    size_t expected = 0;
    for (unsigned i = 0; i < NAMES && (max_keys == 0 || expected < max_keys); i++) {
        name_of(i, name);
        if (!there[i] || i % 10 == 9 || strcmp(name, start) <= 0)
            continue;
        assert_true(expected < listing.len);
        assert_string_equal(listing.items[expected].name.ptr, name);
        expected++;
    }
    assert_int_equal(listing.len, expected);
    og_listing_deinit(&listing);
}

TEST(test_memory__many_names_stay_in_order)
{
    static bool there[NAMES];
    uint64_t seed = 5;
    OG_AUTO(og_store) s = NULL;
    assert_ok(og_store_open_memory(&s, err));
    for (unsigned step = 0; step < 6 * NAMES; step++) {
        unsigned number = (unsigned)(og_test_random(&seed) % NAMES);
        char name[16], text[64];
        const char *names[] = {name};
        name_of(number, name);
        content(s, name, text);
        assert_string_equal(text, there[number] ? name : "-");
        there[number] = step < 3 * NAMES || og_test_random(&seed) % 4 == 0;
        if (there[number])
            assert_int_equal(put(s, name, name), OG_OK);
        else
            assert_ok(s->ops->remove(s, names, 1, err));
        if (step % 500 == 0)
            check_listing(s, there, (unsigned)(og_test_random(&seed) % NAMES), step % 1000 / 50);
    }
    check_listing(s, there, 0, 0);
    check_listing(s, there, 9, 1);
}

TEST(test_memory__removes_what_is_still_the_same)
{
    OG_AUTO(og_store) s = NULL;
    const og_bytes old = {(const uint8_t *)"old", 3};
    char text[64];
    assert_ok(og_store_open_memory(&s, err));
    assert_status(og_store_remove_same(s, "a", old, NULL), OG_NOT_FOUND);
    assert_int_equal(put(s, "a", "older"), OG_OK);
    assert_status(og_store_remove_same(s, "a", old, NULL), OG_EXISTS);
    content(s, "a", text);
    assert_string_equal(text, "older");
    assert_int_equal(put(s, "a", "old"), OG_OK);
    assert_ok(og_store_remove_same(s, "a", old, err));
    content(s, "a", text);
    assert_string_equal(text, "-");
    assert_status(og_store_remove_same(s, "../a", old, NULL), OG_INVALID);
}

static og_status put_over(og_store *s, const char *text)
{
    return og_store_put_summed(s, "head", (og_bytes){(const uint8_t *)text, strlen(text)}, NULL);
}

static void fill(char dst[201], char letter)
{
    memset(dst, letter, 200);
    dst[200] = '\0';
}

/* Of an object that is changed in place any piece may be old or new, and the name stays if it
 * lasted. */
TEST(test_memory__crash_mixes_what_was_written_over)
{
    unsigned old = 0, new = 0, both = 0, gone = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        OG_AUTO(og_store) s = NULL;
        OG_AUTO(og_blob) left = NULL;
        char a[201], b[201];
        bool is_synced = seed % 2 == 0;
        fill(a, 'a');
        fill(b, 'b');
        assert_ok(og_store_open_memory(&s, err));
        assert_int_equal(put_over(s, a), OG_OK);
        if (is_synced)
            assert_int_equal(sync_one(s, "head"), OG_OK);
        assert_int_equal(put_over(s, b), OG_OK);
        og_store_memory_crash(s, seed);
        og_status status = s->ops->get(s, "head", &left, NULL);
        gone += status == OG_NOT_FOUND;
        if (status == OG_NOT_FOUND) {
            assert_false(is_synced);
            continue;
        }
        bool has_a = memchr(left->ptr, 'a', left->len) != NULL;
        bool has_b = memchr(left->ptr, 'b', left->len) != NULL;
        old += !has_b;
        new += !has_a;
        both += has_a && has_b;
        og_store_memory_crash(s, seed + 1); /* what is left lasts */
        OG_AUTO(og_blob) again = NULL;
        assert_ok(s->ops->get(s, "head", &again, err));
        assert_memory_equal(again->ptr, left->ptr, left->len);
    }
    assert_true(old > 0 && new > 0 && both > 0 && gone > 0);
}
