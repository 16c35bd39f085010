/* columnar/compare - filters: a column against a value or another column, row by row.
 *
 * Results are masks (mask.h): unknown where either side is null. Values compare
 *   numbers  by value whatever their types: an i64 with a fraction, a u64 above 2^63 and a float
 *            beyond 2^53 compare exactly. -0.0 equals 0.0; all NaNs are equal and above infinity.
 *   dates    as instants, a date32 being its midnight
 *   text     by bytes; utf8, binary and their large kinds with each other
 *   bools    false before true
 *   lists    and structs with their own type only, in the order of og_compare_rows
 * Anything else against anything else is OG_INVALID. A null of any type may stand anywhere.
 * OG_NOMEM. */
#ifndef OG_COLUMNAR_COMPARE_H
#define OG_COLUMNAR_COMPARE_H

#include "columnar/mask.h"

typedef enum og_compare_op {
    OG_COMPARE_EQ,
    OG_COMPARE_NE,
    OG_COMPARE_LT,
    OG_COMPARE_LE,
    OG_COMPARE_GT,
    OG_COMPARE_GE,
} og_compare_op;

/* One value of a type that is not nested. Text is borrowed. */
typedef struct og_datum {
    og_type_id type; /* OG_TYPE_NULL is always null */
    bool is_null;
    union {
        bool boolean;
        int64_t i64;  /* signed integers and dates */
        uint64_t u64; /* unsigned integers */
        double f64;   /* floats */
        og_str str;   /* text and binary */
    };
} og_datum;

/* The value of a row; borrows from the array, whose type is not nested. */
og_datum og_datum_of_row(const og_array *array, int64_t row);
/* The order of two values that are comparable as above and not null: < 0, 0, > 0. */
int og_compare_data(const og_datum *a, const og_datum *b);

OG_NODISCARD og_status og_compare_datum(const og_array *column, og_compare_op op,
                                        const og_datum *value, og_mask *out, og_error *err);
OG_NODISCARD og_status og_compare_columns(const og_array *left, og_compare_op op,
                                          const og_array *right, og_mask *out, og_error *err);

/* Does the row's list hold the value? A null item never matches and makes nothing unknown; a null
 * list or value does. `lists` is of any list type. */
OG_NODISCARD og_status og_list_contains(const og_array *lists, const og_datum *value, og_mask *out,
                                        og_error *err);
OG_NODISCARD og_status og_list_contains_column(const og_array *lists, const og_array *values,
                                               og_mask *out, og_error *err);

typedef enum og_text_match {
    OG_TEXT_CONTAINS,
    OG_TEXT_STARTS,
    OG_TEXT_ENDS,
} og_text_match;

/* Is the needle in, at the start or at the end of the text? Bytes, case counts; "" always is. */
OG_NODISCARD og_status og_text_matches(const og_array *texts, og_text_match match,
                                       const og_datum *needle, og_mask *out, og_error *err);
OG_NODISCARD og_status og_text_matches_column(const og_array *texts, og_text_match match,
                                              const og_array *needles, og_mask *out, og_error *err);

#endif
