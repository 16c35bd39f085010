#include "lancetool/tool.h"

#include <errno.h>

#define FULL_BYTES ((size_t)64 << 10)

og_status tool_flush(og_buf *text, og_error *err)
{
    if (text->failed)
        return og_error_nomem(err);
    if (fwrite(text->ptr, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
        return og_error_errno(err, errno, "write", "standard output");
    og_buf_clear(text);
    return OG_OK;
}

void tool_complain(const char *label, const char *text)
{
    OG_AUTO_BUF shown = OG_BUF_INIT;
    og_buf_visible(&shown, og_str_of(text), true);
    fprintf(stderr, "%s%s\n", label, og_buf_cstr(&shown));
}

og_status tool_flush_full(og_buf *text, og_error *err)
{
    return text->len >= FULL_BYTES || text->failed ? tool_flush(text, err) : OG_OK;
}
