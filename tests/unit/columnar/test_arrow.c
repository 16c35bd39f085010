#include "columnar/arrow_export.h"
#include "columnar/kernels.h"
#include "og_test.h"
#include "sample.h"

static void check_equal(const og_array *a, const og_array *b, int64_t b_start)
{
    for (int64_t i = 0; i < a->length; i++)
        assert_true(og_rows_equal(a, i, b, b_start + i));
}

TEST(test_arrow__every_type_out_and_in)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        for (int64_t n = 0; n < 100; n += 33) {
            uint64_t seed = t;
            OG_AUTO(og_array) a = sample_array(sample_type(t), n, n == 66 ? 0 : 20, &seed);
            OG_AUTO(og_array) back = NULL;
            struct ArrowArray arrow;
            assert_ok(og_arrow_export_array(a, &arrow, err));
            assert_int_equal(arrow.length, n);
            assert_ok(og_arrow_import_array(&arrow, a->type, &back, err));
            assert_null(arrow.release);
            assert_ok(og_array_validate(back, true, err));
            assert_ptr_equal(back->data, a->data); /* shared */
            check_equal(back, a, 0);
        }
    }
}

/* A producer may hand out a window of its buffers. */
TEST(test_arrow__offsets_of_the_producer)
{
    static const int64_t starts[] = {1, 8, 13, 50};
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        for (size_t s = 0; s < 4; s++) {
            uint64_t seed = t;
            OG_AUTO(og_array) a = sample_array(sample_type(t), 50, 20, &seed);
            OG_AUTO(og_array) back = NULL;
            struct ArrowArray arrow;
            assert_ok(og_arrow_export_array(a, &arrow, err));
            arrow.offset = starts[s];
            arrow.length = 50 - starts[s];
            arrow.null_count = -1;
            assert_ok(og_arrow_import_array(&arrow, a->type, &back, err));
            assert_ok(og_array_validate(back, true, err));
            check_equal(back, a, starts[s]);
        }
    }
}

TEST(test_arrow__shapes_that_do_not_fit)
{
    uint64_t seed = 1;
    OG_AUTO(og_array) a = sample_array(sample_type(23), 5, 20, &seed);
    og_array *back = NULL;
    for (int fault = 0; fault < 8; fault++) {
        struct ArrowArray arrow;
        assert_ok(og_arrow_export_array(a, &arrow, err));
        const og_type *type = fault == 0 ? og_type_of(OG_TYPE_I32) : sample_type(23);
        if (fault == 1)
            arrow.length = 6;
        if (fault == 2)
            arrow.length = -1;
        if (fault == 3)
            arrow.offset = 1;
        if (fault == 4)
            arrow.children[1]->buffers[1] = NULL;
        if (fault == 5)
            arrow.children[0]->buffers[1] = NULL;
        if (fault == 6)
            arrow.children[0]->n_buffers = 3;
        if (fault == 7)
            arrow.children[2]->children[0]->length = 14;
        assert_status(og_arrow_import_array(&arrow, type, &back, NULL), OG_INVALID);
        assert_null(arrow.release); /* taken all the same */
        assert_null(back);
    }
    struct ArrowArray released = {0};
    assert_status(og_arrow_import_array(&released, a->type, &back, NULL), OG_INVALID);
}

static og_schema *all_types(void)
{
    og_field fields[SAMPLE_TYPES];
    char names[SAMPLE_TYPES][8];
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        snprintf(names[t], sizeof names[t], "c%zu", t);
        fields[t] = (og_field){og_str_of(names[t]), sample_type(t), t % 2 == 0};
    }
    og_schema *schema = og_schema_new(fields, SAMPLE_TYPES);
    assert_non_null(schema);
    return schema;
}

TEST(test_arrow__schema_out_and_in)
{
    OG_AUTO(og_schema) schema = all_types();
    OG_AUTO(og_schema) back = NULL;
    struct ArrowSchema arrow;
    assert_ok(og_arrow_export_schema(schema, &arrow, err));
    assert_string_equal(arrow.format, "+s");
    assert_string_equal(arrow.children[20]->format, "+w:3");
    assert_ok(og_arrow_import_schema(&arrow, &back, err));
    assert_int_equal(back->field_count, SAMPLE_TYPES);
    for (uint32_t i = 0; i < SAMPLE_TYPES; i++) {
        assert_true(og_type_eq(back->fields[i].type, schema->fields[i].type));
        assert_true(og_str_eq(back->fields[i].name, schema->fields[i].name));
        assert_int_equal(back->fields[i].nullable, schema->fields[i].nullable);
    }
    /* A consumer may take one child for itself. */
    struct ArrowSchema moved = *arrow.children[23];
    arrow.children[23]->release = NULL;
    arrow.release(&arrow);
    assert_null(arrow.release);
    assert_string_equal(moved.name, "c23");
    moved.release(&moved);
}

static void keep(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

TEST(test_arrow__schemas_that_are_refused)
{
    static const char *const formats[] = {"tsn:",  "+w:", "+w:-1", "+w:3x", "+w:99999999999",
                                          "d:1,2", "+m",  "",      "vu"};
    struct ArrowSchema child = {.format = "i", .name = "x", .release = keep};
    struct ArrowSchema *children[] = {&child};
    struct ArrowSchema root = {
        .format = "+s", .n_children = 1, .children = children, .release = keep};
    og_schema *out = NULL;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        child.format = formats[i];
        assert_status(og_arrow_import_schema(&root, &out, NULL), OG_UNSUPPORTED);
    }
    child.format = "+l"; /* without an item */
    assert_status(og_arrow_import_schema(&root, &out, NULL), OG_INVALID);
    children[0] = &root; /* without an end */
    assert_status(og_arrow_import_schema(&root, &out, NULL), OG_LIMIT);
    root.n_children = -1;
    assert_status(og_arrow_import_schema(&root, &out, NULL), OG_INVALID);
    root.format = "i";
    assert_status(og_arrow_import_schema(&root, &out, NULL), OG_INVALID);
    root.dictionary = &child;
    assert_status(og_arrow_import_schema(&root, &out, NULL), OG_UNSUPPORTED);
    root.format = NULL;
    assert_status(og_arrow_import_schema(&root, &out, NULL), OG_INVALID);
}

/* Each allocation fails in turn, on the way out and on the way in. */
TEST(test_arrow__batch_survives_failing_allocations)
{
    OG_AUTO(og_schema) schema = all_types();
    OG_AUTO_BATCH batch = {0};
    uint64_t seed = 8;
    assert_ok(og_batch_init(&batch, SAMPLE_TYPES, 20, err));
    for (uint32_t t = 0; t < SAMPLE_TYPES; t++)
        batch.columns[t] = sample_array(sample_type(t), 20, 10, &seed);
    og_status status = OG_NOMEM;
    for (int64_t n = 0; status != OG_OK; n++) {
        struct ArrowArray arrow = {0};
        struct ArrowSchema arrow_schema = {0};
        OG_AUTO_BATCH back = {0};
        OG_AUTO(og_schema) back_schema = NULL;
        og_alloc_fail_after(n, true);
        status = og_arrow_export_batch(&batch, &arrow, NULL);
        if (status == OG_OK)
            status = og_arrow_import_batch(&arrow, schema, &back, NULL);
        if (status == OG_OK)
            status = og_arrow_export_schema(schema, &arrow_schema, NULL);
        if (status == OG_OK)
            status = og_arrow_import_schema(&arrow_schema, &back_schema, NULL);
        og_alloc_fail_after(-1, false);
        if (arrow_schema.release != NULL)
            arrow_schema.release(&arrow_schema);
        assert_true(status == OG_OK || status == OG_NOMEM);
        for (uint32_t t = 0; status == OG_OK && t < SAMPLE_TYPES; t++)
            check_equal(back.columns[t], batch.columns[t], 0);
    }
}
