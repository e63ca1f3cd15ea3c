/* SPDX-License-Identifier: Apache-2.0
 *
 * Prometheus text format 0.0.4 and OpenMetrics 1.0, line by line, and the selectors of both
 * and of PromQL: `name{label="x",other=~"5.."}`.
 */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

#include "error.h"

#include <regex.h>
#include <stddef.h>

struct arena;

#define OM_LABELS_MAX 64
#define OM_SERIES_MAX 20000
#define OM_LINE_MAX ((size_t)64 * 1024)
#define OM_PAGE_MAX ((size_t)4 << 20) /* those of all instances are held at once */

struct om_label {
    const char *name, *value;
};

/* One line of a page; its texts live until the next one. */
struct om_sample {
    const char *name;
    struct om_label labels[OM_LABELS_MAX];
    size_t label_count;
    double value;
};
typedef void om_visit(void *context, const struct om_sample *sample);

struct om_page {
    const char *text;
    size_t length;
    bool openmetrics; /* as its content type says: it must end in `# EOF` */
};

/* Gives every sample to visit. A page that ends within a line, is no such format, or is
 * larger than the limits: ERROR_FORMAT with the line's number. */
MUST_CHECK int om_scan(const struct om_page *page, om_visit *visit, void *context,
                       struct error *err);

/* "" where the sample does not have the label. */
const char *om_label_of(const struct om_sample *sample, const char *name);

enum om_match { OM_EQUAL, OM_UNEQUAL, OM_LIKE, OM_UNLIKE };

struct om_matcher {
    const char *label, *value;
    enum om_match match;
    regex_t pattern; /* LIKE, UNLIKE, once compiled */
    bool compiled;
};

struct om_selector {
    const char *name;
    struct om_matcher *matchers;
    size_t count;
};

/* ERROR_CONFIG where text is no plain selector. */
MUST_CHECK int om_selector_parse(const char *text, struct arena *arena, struct om_selector *out,
                                 struct error *err);
/* For om_selects; what both regex languages mean alike is taken, everything else is
 * ERROR_CONFIG. om_selector_release after it, also when it failed. */
MUST_CHECK int om_selector_compile(struct om_selector *selector, struct error *err);
void om_selector_release(struct om_selector *selector);

/* AS_TOTAL: by the name with `_total` behind it. */
enum om_selected { OM_NOT, OM_AS_TOTAL, OM_EXACTLY };
enum om_selected om_named(const char *asked, const char *name);
enum om_selected om_selects(const struct om_selector *selector, const struct om_sample *sample);

#endif
