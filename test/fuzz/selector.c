/* SPDX-License-Identifier: Apache-2.0
 *
 * Selectors of PromQL: what was read and written again is the same, and a matcher means what
 * its sign says. The second line is the hostile value of a label.
 */
#include "../../src/metric/openmetrics.h"

#include "fuzz.h"

static const char *const signs[] = {
    [OM_EQUAL] = "=", [OM_UNEQUAL] = "!=", [OM_LIKE] = "=~", [OM_UNLIKE] = "!~"};

static void write_selector(struct buf *out, const struct om_selector *selector)
{
    buf_addf(out, "%s{", selector->name);
    for (size_t i = 0; i < selector->count; i++) {
        const struct om_matcher *matcher = &selector->matchers[i];
        buf_addf(out, "%s%s\"", matcher->label, signs[matcher->match]);
        for (const char *at = matcher->value; *at != '\0'; at++) {
            buf_adds(out, *at == '\\' || *at == '"' || *at == '\n' ? "\\" : "");
            buf_addf(out, "%c", *at == '\n' ? 'n' : *at);
        }
        buf_adds(out, "\",");
    }
    buf_adds(out, "}");
}

static void same_selector(const struct om_selector *a, const struct om_selector *b)
{
    REQUIRE(strcmp(a->name, b->name) == 0 && a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        REQUIRE(strcmp(a->matchers[i].label, b->matchers[i].label) == 0);
        REQUIRE(strcmp(a->matchers[i].value, b->matchers[i].value) == 0);
        REQUIRE(a->matchers[i].match == b->matchers[i].match);
    }
}

/* Each matcher alone, over a sample that has its label. */
static void try_matchers(const struct om_selector *selector, const char *value)
{
    for (size_t i = 0; i < selector->count; i++) {
        struct om_matcher *matcher = &selector->matchers[i];
        const struct om_selector one = {selector->name, matcher, 1};
        const struct om_sample sample = {
            .name = selector->name, .labels = {{matcher->label, value}}, .label_count = 1};
        bool selected = om_selects(&one, &sample) != OM_NOT;
        bool same = strcmp(matcher->value, value) == 0;
        if (matcher->match == OM_EQUAL || matcher->match == OM_UNEQUAL) {
            REQUIRE(selected == (same == (matcher->match == OM_EQUAL)));
        } else {
            matcher->match = matcher->match == OM_LIKE ? OM_UNLIKE : OM_LIKE;
            REQUIRE(selected == (om_selects(&one, &sample) == OM_NOT));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct buf out AUTO_BUF;
    struct slice rest = {(const char *)data, size};
    struct om_selector selector, again;
    struct error err = {0};
    const char *text = input_line(&arena, &rest);
    buf_init(&out, 1 << 20);
    if (om_selector_parse(text, &arena, &selector, &err) != 0) {
        REQUIRE(err.kind == ERROR_CONFIG && err.message[0] != '\0');
        return 0;
    }
    write_selector(&out, &selector);
    REQUIRE(om_selector_parse(out.data, &arena, &again, &err) == 0);
    same_selector(&selector, &again);
    if (om_selector_compile(&selector, &err) == 0) {
        try_matchers(&selector, input_text(&arena, &rest));
    } else {
        REQUIRE(err.kind == ERROR_CONFIG);
    }
    om_selector_release(&selector);
    return 0;
}
