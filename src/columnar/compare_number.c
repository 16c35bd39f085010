/* Comparisons of numbers as plain loops, one for each type, relation and kind of right side.
 *
 * A value of another type than the column's is first moved into the column's type without changing
 * any answer: an i32 column < 3.5 is that column <= 3, and no i32 equals 3.5. */
#include "columnar/compare_priv.h"
#include "columnar/mask_priv.h"

#include <math.h>

__extension__ typedef __int128 int128;

#define EQ(a, b) ((a) == (b))
#define LT(a, b) ((a) < (b))
#define LE(a, b) ((a) <= (b))
/* With NaN as one value above all others. */
#define FLOAT_EQ(a, b) (((a) == (b)) | (((a) != (a)) & ((b) != (b))))
#define FLOAT_LT(a, b) (((a) < (b)) | (((a) == (a)) & ((b) != (b))))
#define FLOAT_LE(a, b) (((a) <= (b)) | ((b) != (b)))

/* The loops for one type: `scalar` against one value, `columns` against another column. */
#define DEFINE_LOOPS(name, type, eq, lt, le)                                                       \
    static void scalar_##name(uint64_t *bits, const void *data, int64_t n,                         \
                              og_columnar__relation relation, type value)                          \
    {                                                                                              \
        const type *v = data;                                                                      \
        if (relation == OG_REL_EQ)                                                                 \
            OG_COLUMNAR__EACH_BIT(bits, n, eq(v[i], value));                                       \
        else if (relation == OG_REL_LT)                                                            \
            OG_COLUMNAR__EACH_BIT(bits, n, lt(v[i], value));                                       \
        else                                                                                       \
            OG_COLUMNAR__EACH_BIT(bits, n, le(v[i], value));                                       \
    }                                                                                              \
    static void columns_##name(uint64_t *bits, const void *left, const void *right, int64_t n,     \
                               og_columnar__relation relation)                                     \
    {                                                                                              \
        const type *v = left, *w = right;                                                          \
        if (relation == OG_REL_EQ)                                                                 \
            OG_COLUMNAR__EACH_BIT(bits, n, eq(v[i], w[i]));                                        \
        else if (relation == OG_REL_LT)                                                            \
            OG_COLUMNAR__EACH_BIT(bits, n, lt(v[i], w[i]));                                        \
        else                                                                                       \
            OG_COLUMNAR__EACH_BIT(bits, n, le(v[i], w[i]));                                        \
    }

DEFINE_LOOPS(i8, int8_t, EQ, LT, LE)
DEFINE_LOOPS(u8, uint8_t, EQ, LT, LE)
DEFINE_LOOPS(i16, int16_t, EQ, LT, LE)
DEFINE_LOOPS(u16, uint16_t, EQ, LT, LE)
DEFINE_LOOPS(i32, int32_t, EQ, LT, LE)
DEFINE_LOOPS(u32, uint32_t, EQ, LT, LE)
DEFINE_LOOPS(i64, int64_t, EQ, LT, LE)
DEFINE_LOOPS(u64, uint64_t, EQ, LT, LE)
DEFINE_LOOPS(f32, float, FLOAT_EQ, FLOAT_LT, FLOAT_LE)
DEFINE_LOOPS(f64, double, FLOAT_EQ, FLOAT_LT, FLOAT_LE)

bool og_columnar__number_columns(const og_array *left, og_columnar__relation relation,
                                 const og_array *right, uint64_t *bits)
{
    if (left->type->id != right->type->id)
        return false;
#define COLUMNS(name) columns_##name(bits, left->data, right->data, left->length, relation)
    switch (left->type->id) {
    case OG_TYPE_I8:
        COLUMNS(i8);
        return true;
    case OG_TYPE_U8:
        COLUMNS(u8);
        return true;
    case OG_TYPE_I16:
        COLUMNS(i16);
        return true;
    case OG_TYPE_U16:
        COLUMNS(u16);
        return true;
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        COLUMNS(i32);
        return true;
    case OG_TYPE_U32:
        COLUMNS(u32);
        return true;
    case OG_TYPE_I64:
    case OG_TYPE_DATE64:
    case OG_TYPE_TIMESTAMP_US:
        COLUMNS(i64);
        return true;
    case OG_TYPE_U64:
        COLUMNS(u64);
        return true;
    case OG_TYPE_F32:
        COLUMNS(f32);
        return true;
    case OG_TYPE_F64:
        COLUMNS(f64);
        return true;
    default:
        return false;
    }
#undef COLUMNS
}

/* ---- a value moved into the column's type ------------------------------------------------- */

/* `column relation value` in the column's own type, or one answer for all rows. */
typedef struct bound {
    bool constant; /* then `answer` */
    bool answer;
    og_columnar__relation relation;
    int128 integer;  /* for integer columns: within the type's range */
    double floating; /* for float columns: exact in the type */
} bound;

static bool is_unsigned(og_type_id id)
{
    return id == OG_TYPE_U8 || id == OG_TYPE_U16 || id == OG_TYPE_U32 || id == OG_TYPE_U64;
}

static bool is_float(og_type_id id)
{
    return id == OG_TYPE_F16 || id == OG_TYPE_F32 || id == OG_TYPE_F64;
}

static int128 integer_of(const og_datum *value)
{
    return is_unsigned(value->type) ? (int128)value->u64 : (int128)value->i64;
}

/* All rows are below the value (or all above it). */
static bound all_rows(og_columnar__relation relation, bool below)
{
    return (bound){.constant = true, .answer = below && relation != OG_REL_EQ};
}

static bound bound_integer(og_type_id column, og_columnar__relation relation, const og_datum *value)
{
    size_t bits = 8 * og_type_width(column);
    int128 one = 1;
    int128 min = is_unsigned(column) ? 0 : -(one << (bits - 1));
    int128 max = is_unsigned(column) ? (one << bits) - 1 : (one << (bits - 1)) - 1;
    int128 integer;
    if (is_float(value->type)) {
        double floor_value = floor(value->f64);
        /* Also NaN, which is above all numbers. */
        if (!(floor_value < 0x1p65))
            return all_rows(relation, true);
        if (floor_value < -0x1p65)
            return all_rows(relation, false);
        integer = (int128)floor_value;
        if (floor_value != value->f64) {
            if (relation == OG_REL_EQ)
                return all_rows(relation, false);
            relation = OG_REL_LE;
        }
    } else {
        integer = integer_of(value);
    }
    if (integer > max)
        return all_rows(relation, true);
    if (integer < min)
        return all_rows(relation, false);
    return (bound){.relation = relation, .integer = integer};
}

/* The relation holds for nothing (EQ), or is "<= below" where `below` is the largest number of the
 * column's type under a value that the type cannot hold. */
static bound between(og_columnar__relation relation, double below)
{
    if (relation == OG_REL_EQ)
        return all_rows(relation, false);
    return (bound){.relation = OG_REL_LE, .floating = below};
}

static bound bound_float(og_type_id column, og_columnar__relation relation, const og_datum *value)
{
    double wide;
    if (is_float(value->type)) {
        wide = value->f64;
    } else {
        int128 integer = integer_of(value);
        wide = (double)integer;
        if ((int128)wide != integer) {
            double below = (int128)wide > integer ? nextafter(wide, -INFINITY) : wide;
            bound b = between(relation, below);
            if (b.constant)
                return b;
            relation = b.relation;
            wide = b.floating;
        }
    }
    if (column == OG_TYPE_F32 && wide == wide && (double)(float)wide != wide) {
        float narrow = (float)wide;
        return between(relation, (double)narrow > wide ? nextafterf(narrow, -INFINITY) : narrow);
    }
    return (bound){.relation = relation, .floating = wide};
}

static void fill_bits(uint64_t *bits, int64_t n, bool value)
{
    memset(bits, value ? 0xFF : 0, ((size_t)n + 63) / 64 * 8);
}

bool og_columnar__number_scalar(const og_array *column, og_columnar__relation relation,
                                const og_datum *value, uint64_t *bits)
{
    og_type_id id = column->type->id;
    if (id == OG_TYPE_F16)
        return false;
    bound b;
    if (og_columnar__class_of(id) == OG_CLASS_DATE) {
        if (value->type != id)
            return false;
        b = (bound){.relation = relation, .integer = value->i64};
    } else {
        b = is_float(id) ? bound_float(id, relation, value) : bound_integer(id, relation, value);
    }
    if (b.constant) {
        fill_bits(bits, column->length, b.answer);
        return true;
    }
#define SCALAR(name, type, field)                                                                  \
    scalar_##name(bits, column->data, column->length, b.relation, (type)b.field)
    switch (id) {
    case OG_TYPE_I8:
        SCALAR(i8, int8_t, integer);
        return true;
    case OG_TYPE_U8:
        SCALAR(u8, uint8_t, integer);
        return true;
    case OG_TYPE_I16:
        SCALAR(i16, int16_t, integer);
        return true;
    case OG_TYPE_U16:
        SCALAR(u16, uint16_t, integer);
        return true;
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        SCALAR(i32, int32_t, integer);
        return true;
    case OG_TYPE_U32:
        SCALAR(u32, uint32_t, integer);
        return true;
    case OG_TYPE_U64:
        SCALAR(u64, uint64_t, integer);
        return true;
    case OG_TYPE_F32:
        SCALAR(f32, float, floating);
        return true;
    case OG_TYPE_F64:
        SCALAR(f64, double, floating);
        return true;
    default:
        SCALAR(i64, int64_t, integer);
        return true;
    }
#undef SCALAR
}
