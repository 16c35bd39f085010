#include "base/regex.h"

#include <dlfcn.h>
#include <pthread.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/regex_priv.h"

#define MATCH_LIMIT 5000000u /* some tenths of a second */
#define HEAP_LIMIT_KIB 65536u

/* ---- the library -------------------------------------------------------------------------- */

#define PCRE2_FUNCTIONS(X)                                                                         \
    X(general_context_create)                                                                      \
    X(compile_context_create)                                                                      \
    X(compile_context_free)                                                                        \
    X(set_newline)                                                                                 \
    X(compile)                                                                                     \
    X(code_free)                                                                                   \
    X(jit_compile)                                                                                 \
    X(match_context_create)                                                                        \
    X(match_context_free)                                                                          \
    X(set_match_limit)                                                                             \
    X(set_heap_limit)                                                                              \
    X(match_data_create)                                                                           \
    X(match_data_free)                                                                             \
    X(match)                                                                                       \
    X(get_error_message)

#define DECLARE(name) __typeof__(pcre2_##name##_8) *name;
static struct {
    bool loaded;
    pcre2_general_context_8 *memory;
    PCRE2_FUNCTIONS(DECLARE)
} lib;

static void *allocate(size_t size, void *data)
{
    (void)data;
    return og_malloc(size);
}

static void release(void *ptr, void *data)
{
    (void)data;
    og_free(ptr);
}

static void load(void)
{
    /* Stays open: unloading it under a thread that matches would be worse than keeping it. */
    void *handle = dlopen("libpcre2-8.so.0", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return;
#define RESOLVE(name)                                                                              \
    if ((lib.name = (__typeof__(lib.name))dlsym(handle, "pcre2_" #name "_8")) == NULL)             \
        return;
    PCRE2_FUNCTIONS(RESOLVE)
    lib.memory = lib.general_context_create(allocate, release, NULL);
    lib.loaded = lib.memory != NULL;
}

static og_status need_library(og_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (lib.loaded)
        return OG_OK;
    return og_error_set(err, OG_UNSUPPORTED,
                        "patterns need the library libpcre2-8.so.0 "
                        "(version 10.40 or later), which could not be loaded");
}

/* ---- compile ------------------------------------------------------------------------------ */

struct og_regex {
    pcre2_code_8 *code;
    pcre2_match_context_8 *limits;
    pcre2_match_data_8 *match_data;
};

void og_regex_free(og_regex *regex)
{
    if (regex == NULL)
        return;
    if (regex->match_data != NULL)
        lib.match_data_free(regex->match_data);
    if (regex->limits != NULL)
        lib.match_context_free(regex->limits);
    if (regex->code != NULL)
        lib.code_free(regex->code);
    og_free(regex);
}

static pcre2_code_8 *compile(og_str pattern, int *out_error)
{
    pcre2_compile_context_8 *context = lib.compile_context_create(lib.memory);
    if (context == NULL) {
        *out_error = PCRE2_ERROR_NOMEMORY;
        return NULL;
    }
    lib.set_newline(context, PCRE2_NEWLINE_LF);
    PCRE2_SIZE offset;
    uint32_t options =
        PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX | PCRE2_NO_AUTO_CAPTURE;
    pcre2_code_8 *code =
        lib.compile((PCRE2_SPTR8)pattern.ptr, pattern.len, options, out_error, &offset, context);
    lib.compile_context_free(context);
    return code;
}

static bool has_property(const char *name)
{
    OG_AUTO_BUF pattern = OG_BUF_INIT;
    int error;
    if (!og_buf_printf(&pattern, "\\p{%s}", name))
        return false;
    pcre2_code_8 *code = compile(og_buf_view(&pattern), &error);
    if (code != NULL)
        lib.code_free(code);
    return code != NULL;
}

static og_status compile_error(int error, og_error *err)
{
    /* Compile errors are positive, and NOMEMORY comes as ERR21. */
    if (error == PCRE2_ERROR_HEAP_FAILED || error == PCRE2_ERROR_NOMEMORY)
        return og_error_nomem(err);
    PCRE2_UCHAR8 text[256] = "";
    lib.get_error_message(error, text, sizeof text);
    return og_error_set(err, OG_INVALID, "pattern can't be used: %s", (const char *)text);
}

og_status og_regex_new(og_str pattern, og_regex **out, og_error *err)
{
    OG_TRY(need_library(err));
    OG_AUTO_BUF translated = OG_BUF_INIT;
    OG_TRY(og_base__regex_translate(pattern, has_property, &translated, err));

    OG_AUTO(og_regex) regex = og_calloc(1, sizeof *regex);
    if (regex == NULL)
        return og_error_nomem(err);
    int error;
    regex->code = compile(og_buf_view(&translated), &error);
    if (regex->code == NULL)
        return compile_error(error, err);
    regex->limits = lib.match_context_create(lib.memory);
    regex->match_data = lib.match_data_create(1, lib.memory);
    if (regex->limits == NULL || regex->match_data == NULL)
        return og_error_nomem(err);
    lib.set_match_limit(regex->limits, MATCH_LIMIT);
    lib.set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
    /* Where it is not allowed (no writable code pages), matching interprets. */
    (void)lib.jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    *out = OG_TAKE(regex);
    return OG_OK;
}

/* ---- match -------------------------------------------------------------------------------- */

og_status og_regex_matches(og_regex *regex, og_str text, bool *out, og_error *err)
{
    PCRE2_SPTR8 subject = (PCRE2_SPTR8)(text.len != 0 ? text.ptr : "");
    int rc = lib.match(regex->code, subject, text.len, 0, 0, regex->match_data, regex->limits);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = lib.match(regex->code, subject, text.len, 0, PCRE2_NO_JIT, regex->match_data,
                       regex->limits);
    if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH) {
        *out = rc >= 0;
        return OG_OK;
    }
    switch (rc) {
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return og_error_set(err, OG_LIMIT, "the pattern takes too long on a text of %zu bytes",
                            text.len);
    case PCRE2_ERROR_NOMEMORY:
        return og_error_nomem(err);
    default: {
        PCRE2_UCHAR8 reason[256] = "";
        lib.get_error_message(rc, reason, sizeof reason);
        return og_error_set(err, OG_INVALID, "the pattern can't be matched: %s",
                            (const char *)reason);
    }
    }
}
