/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages of Prometheus' text format and OpenMetrics: what was read, written as a page again, is
 * read as the same samples. A first byte of `o` stands for the content type of OpenMetrics.
 */
#include "../../src/metric/openmetrics.h"

#include "fuzz.h"

#include <ctype.h>
#include <math.h>

static bool is_name(const char *name)
{
    size_t length = 0;
    for (; name[length] != '\0'; length++) {
        if (!isalnum((unsigned char)name[length]) && name[length] != '_' && name[length] != ':') {
            return false;
        }
    }
    return length > 0 && !isdigit((unsigned char)name[0]);
}

static void write_value(struct buf *out, double value)
{
    if (isnan(value)) {
        buf_adds(out, "NaN");
    } else if (isinf(value)) {
        buf_adds(out, value > 0 ? "+Inf" : "-Inf");
    } else {
        buf_addf(out, "%.17g", value);
    }
}

static void write_quoted(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        bool escaped = *text == '\\' || *text == '"' || *text == '\n';
        buf_adds(out, escaped ? "\\" : "");
        buf_addf(out, "%c", *text == '\n' ? 'n' : *text);
    }
}

static void write_sample(void *context, const struct om_sample *sample)
{
    struct buf *out = context;
    REQUIRE(is_name(sample->name) && sample->label_count <= OM_LABELS_MAX);
    buf_addf(out, "%s{", sample->name);
    for (size_t i = 0; i < sample->label_count; i++) {
        const struct om_label *label = &sample->labels[i];
        REQUIRE(is_name(label->name));
        REQUIRE(om_label_of(sample, label->name)[0] != '\0' || label->value[0] == '\0' ||
                label->value != om_label_of(sample, label->name));
        buf_addf(out, "%s%s=\"", i > 0 ? "," : "", label->name);
        write_quoted(out, label->value);
        buf_adds(out, "\"");
    }
    buf_adds(out, "} ");
    write_value(out, sample->value);
    buf_adds(out, "\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf first AUTO_BUF, second AUTO_BUF;
    struct error err = {0};
    size_t skip = size > 0;
    struct om_page page = {(const char *)data + skip, size - skip, skip && data[0] == 'o'};
    buf_init(&first, OM_PAGE_MAX);
    buf_init(&second, OM_PAGE_MAX);
    if (om_scan(&page, write_sample, &first, &err) != 0) {
        REQUIRE(err.kind == ERROR_FORMAT && is_clean_line(err.message));
        return 0;
    }
    page = (struct om_page){first.data, first.length, false};
    REQUIRE(om_scan(&page, write_sample, &second, &err) == 0);
    REQUIRE(strcmp(first.data, second.data) == 0);
    return 0;
}
