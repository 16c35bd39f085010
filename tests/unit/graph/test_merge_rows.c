/* What a merge does with one row: every case of two columns with three values each, absent rows
 * included, on all three sides, against the same rule written over values. */
#include "graph/merge_priv.h"
#include "og_test.h"

typedef struct row {
    bool present;
    int value[2];
} row;

/* Row 0 is absent, 1..9 are all pairs of values. */
static row row_of(int number)
{
    return (row){number > 0, {(number - 1) % 3, (number - 1) / 3}};
}

static bool is_equal(row a, row b)
{
    if (!a.present || !b.present)
        return a.present == b.present;
    return a.value[0] == b.value[0] && a.value[1] == b.value[1];
}

/* The rule, as documents tell it. False: a conflict. */
static bool merge_values(row base, row ours, row theirs, bool property_level, row *out)
{
    *out = ours;
    if (is_equal(base, theirs) || is_equal(ours, theirs))
        return true;
    *out = theirs;
    if (is_equal(base, ours))
        return true;
    if (!property_level || !base.present || !ours.present || !theirs.present)
        return false;
    for (int i = 0; i < 2; i++) {
        bool by_ours = ours.value[i] != base.value[i], by_theirs = theirs.value[i] != base.value[i];
        if (by_ours && by_theirs && ours.value[i] != theirs.value[i])
            return false;
        out->value[i] = by_ours ? ours.value[i] : theirs.value[i];
    }
    return true;
}

/* Columns 3 and 4 of a table: behind the ends of an edge. */
static uint64_t difference(row a, row b)
{
    uint64_t bits = 0;
    for (int i = 0; i < 2; i++)
        if (a.present && b.present && a.value[i] != b.value[i])
            bits |= UINT64_C(1) << (3 + i);
    return bits;
}

static row apply(og_graph__verdict verdict, row ours, row theirs, uint64_t from_ours)
{
    row out = verdict == OG_GRAPH__KEEP_OURS ? ours : theirs;
    for (int i = 0; i < 2 && verdict == OG_GRAPH__COMBINE; i++)
        if ((from_ours >> (3 + i) & 1) != 0)
            out.value[i] = ours.value[i];
    return out;
}

static void check(row base, row ours, row theirs, bool is_edge, bool property_level)
{
    uint64_t theirs_changed = difference(base, theirs), ours_changed = difference(base, ours),
             differ = difference(ours, theirs);
    og_graph__row_sides sides = {.in_base = base.present,
                                 .in_ours = ours.present,
                                 .in_theirs = theirs.present,
                                 .is_edge = is_edge,
                                 .theirs_changed = &theirs_changed,
                                 .ours_changed = &ours_changed,
                                 .differ = &differ,
                                 .words = 1};
    row expected;
    bool merges = merge_values(base, ours, theirs, property_level, &expected);
    og_graph__verdict verdict = og_graph__merge_decide(&sides, property_level);
    assert_int_equal(merges, verdict != OG_GRAPH__DISPUTE);
    if (merges) {
        assert_true(is_equal(expected, apply(verdict, ours, theirs, ours_changed)));
        /* Nothing is written that is there already. */
        assert_int_equal(is_equal(expected, ours), verdict == OG_GRAPH__KEEP_OURS);
        return;
    }
    og_merge_conflict_kind kind = !base.present                    ? OG_CONFLICT_DIVERGENT_INSERT
                                  : ours.present && theirs.present ? OG_CONFLICT_DIVERGENT_UPDATE
                                                                   : OG_CONFLICT_DELETE_VS_UPDATE;
    assert_int_equal(kind, og_graph__dispute_kind(&sides));
}

TEST(test_merge_rows__every_case_of_two_columns)
{
    for (int i = 0; i < 1000; i++)
        for (int how = 0; how < 4; how++)
            check(row_of(i % 10), row_of(i / 10 % 10), row_of(i / 100), how % 2 == 1, how >= 2);
}

/* An edge that one side bent at its source and the other at its target would lead where neither
 * said. */
TEST(test_merge_rows__ends_of_an_edge_are_one_property)
{
    uint64_t src = 2, dst = 4, both = 6;
    og_graph__row_sides sides = {.in_base = true,
                                 .in_ours = true,
                                 .in_theirs = true,
                                 .is_edge = true,
                                 .theirs_changed = &src,
                                 .ours_changed = &dst,
                                 .differ = &both,
                                 .words = 1};
    assert_int_equal(og_graph__merge_decide(&sides, true), OG_GRAPH__DISPUTE);
    sides.is_edge = false;
    assert_int_equal(og_graph__merge_decide(&sides, true), OG_GRAPH__COMBINE);
}

TEST(test_merge_rows__columns_beyond_the_first_word_count)
{
    uint64_t none[2] = {0, 0}, last[2] = {0, UINT64_C(1) << 5}, first[2] = {8, 0};
    og_graph__row_sides sides = {.in_base = true,
                                 .in_ours = true,
                                 .in_theirs = true,
                                 .theirs_changed = last,
                                 .ours_changed = none,
                                 .differ = last,
                                 .words = 2};
    assert_int_equal(og_graph__merge_decide(&sides, false), OG_GRAPH__TAKE_THEIRS);
    uint64_t differ[2] = {8, UINT64_C(1) << 5};
    sides.ours_changed = first;
    sides.differ = differ;
    assert_int_equal(og_graph__merge_decide(&sides, false), OG_GRAPH__DISPUTE);
    assert_int_equal(og_graph__merge_decide(&sides, true), OG_GRAPH__COMBINE);
    sides.ours_changed = last;
    sides.differ = last;
    assert_int_equal(og_graph__merge_decide(&sides, true), OG_GRAPH__DISPUTE);
}
