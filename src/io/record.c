/* SPDX-License-Identifier: Apache-2.0
 *
 * What the guards of earlier processes wrote about their commands.
 */
#include "process.h"

#include "file.h"

#include <string.h>

#define RECORD_MAX (4 * 1024 * 1024)

/* " 000" */
static bool read_code(const char *text, int *code)
{
    if (text[0] != ' ' || strspn(text + 1, "0123456789") < 3) {
        return false;
    }
    *code = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    return true;
}

/* "begun NAME" or "ended NAME CODE"; a torn last line is no line. */
static void read_line(const char *line, size_t length, const char *name, enum recorded *out,
                      int *code)
{
    size_t size = strlen(name);
    if (length < 6 + size || strncmp(line + 6, name, size) != 0) {
        return;
    }
    if (strncmp(line, "begun ", 6) == 0 && length == 6 + size) {
        *out = RECORDED_BEGUN;
    } else if (strncmp(line, "ended ", 6) == 0 && length == 6 + size + 4 &&
               read_code(line + 6 + size, code)) {
        *out = RECORDED_ENDED;
    }
}

int process_recorded(const char *record, const char *record_name, enum recorded *out, int *code,
                     struct error *err)
{
    AUTO_BUF struct buf text = {0};
    struct error why = {0};
    *out = RECORDED_NEVER;
    *code = 0;
    if (file_read(record, RECORD_MAX, true, &text, &why) != 0) {
        return why.kind == ERROR_NOTFOUND ? 0 : error_set(err, why.kind, "%s", why.message);
    }
    for (const char *line = text.data; *line != '\0';) {
        const char *end = strchr(line, '\n');
        if (end == NULL) {
            break;
        }
        read_line(line, (size_t)(end - line), record_name, out, code);
        line = end + 1;
    }
    return 0;
}
