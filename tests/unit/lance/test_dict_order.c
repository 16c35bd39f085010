/* The order of a dictionary's texts: that of their bytes, whatever they share. */
#include "og_test.h"

#include "base/alloc.h"
#include "lance/file/page_write.h"

#define MAX_ITEMS 4000

typedef struct texts {
    char bytes[MAX_ITEMS * 24];
    uint32_t offsets[MAX_ITEMS + 1];
    uint32_t count;
} texts;

static void add(texts *t, og_str text)
{
    uint32_t at = t->offsets[t->count];
    memcpy(t->bytes + at, text.ptr, text.len);
    t->offsets[++t->count] = at + (uint32_t)text.len;
}

static og_str text_at(const texts *t, uint32_t i)
{
    return (og_str){t->bytes + t->offsets[i], t->offsets[i + 1] - t->offsets[i]};
}

static int compare(og_str a, og_str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Every item once, none above the next. */
static void check(const texts *t)
{
    static uint32_t firsts[MAX_ITEMS], order[MAX_ITEMS];
    static uint8_t seen[MAX_ITEMS];
    const og_lance__values values = {.kind = OG_LANCE__VARIABLE,
                                     .is_utf8 = true,
                                     .data = (const uint8_t *)t->bytes,
                                     .offsets = t->offsets,
                                     .count = t->count};
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < t->count; i++)
        firsts[i] = i;
    assert_true(og_lance__dict_order(&values, firsts, t->count, order));
    for (uint32_t i = 0; i < t->count; i++) {
        assert_in_range(order[i], 0, t->count - 1);
        assert_false(seen[order[i]]++);
        if (i > 0)
            assert_true(compare(text_at(t, order[i - 1]), text_at(t, order[i])) < 0);
    }
}

TEST(test_dict_order__texts_that_share_their_beginning)
{
    static texts t;
    t = (texts){0};
    for (uint32_t i = 0; i < MAX_ITEMS; i++) {
        char text[32];
        add(&t, (og_str){text, (size_t)snprintf(text, sizeof text, "a long beginning %06u",
                                                i * 2741 % MAX_ITEMS)});
    }
    check(&t);
}

TEST(test_dict_order__beginnings_of_each_other_and_zeros)
{
    static texts t;
    const og_str items[] = {OG_STR("ab"),       OG_STR("a"),         OG_STR(""),
                            {"a\0", 2},         {"a\0\0", 3},        {"\0", 1},
                            OG_STR("abcdefgh"), OG_STR("abcdefghi"), OG_STR("abcdefg"),
                            {"\xff\xff", 2},    OG_STR("b"),         {"abcdefgh\0", 9}};
    t = (texts){0};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        add(&t, items[i]);
    check(&t);
}

TEST(test_dict_order__keys_of_eight_bytes_that_are_equal)
{
    static texts t;
    uint64_t seed = 3;
    t = (texts){0};
    for (uint32_t i = 0; i < 3000; i++) {
        char text[32];
        uint64_t tail = og_test_random(&seed);
        int len = snprintf(text, sizeof text, "%c-------%u%.*s", (char)('a' + i % 3), i,
                           (int)(tail % 5), "zzzzz");
        add(&t, (og_str){text, (size_t)len});
    }
    check(&t);
}

/* The beginning that all share is found by looking at each byte once, however long it is. */
TEST(test_dict_order__long_texts_that_differ_late)
{
    enum { LEN = 4 << 20 };
    OG_AUTO_FREE char *bytes = og_malloc((size_t)2 * LEN);
    assert_non_null(bytes);
    memset(bytes, 'x', (size_t)2 * LEN);
    bytes[LEN / 2] = 'z';
    const uint32_t offsets[] = {0, LEN, 2 * LEN}, firsts[] = {0, 1};
    const og_lance__values values = {.kind = OG_LANCE__VARIABLE,
                                     .is_utf8 = true,
                                     .data = (const uint8_t *)bytes,
                                     .offsets = offsets,
                                     .count = 2};
    uint32_t order[2];
    assert_true(og_lance__dict_order(&values, firsts, 2, order));
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 0);
}

TEST(test_dict_order__one_item)
{
    static texts t;
    t = (texts){0};
    add(&t, OG_STR("only"));
    check(&t);
}
