/* SPDX-License-Identifier: Apache-2.0
 *
 * Durations, times, numbers and quantities: what is accepted is in range, and what we print
 * of it is read as the same value. The first eight bytes are a number of milliseconds too.
 */
#include "../../src/config/binder.h"

#include "fuzz.h"

#include <inttypes.h>
#include <math.h>

#define DAYS(n) ((n)*INT64_C(86400000))
#define YEAR_0 INT64_C(-62167219200000)
#define YEAR_10000 INT64_C(253402300800000)

static void try_duration(struct arena *arena, const char *text)
{
    int64_t ms = 0, again = 0;
    struct error err = {0};
    if (text_duration(text, &ms, &err) != 0) {
        REQUIRE(err.kind == ERROR_FORMAT && err.message[0] == '\'');
        return;
    }
    REQUIRE(ms >= 0 && ms <= DAYS(366));
    REQUIRE(text_duration(text_of_duration(arena, ms), &again, NULL) == 0 && again == ms);
}

static void try_time(struct arena *arena, const char *text)
{
    int64_t ms = 0, again = 0;
    if (text_time(text, &ms, NULL) == 0 && ms >= YEAR_0 && ms < YEAR_10000) {
        REQUIRE(text_time(text_of_time(arena, ms), &again, NULL) == 0);
        REQUIRE(again <= ms && ms - again < 1000);
    }
}

static void try_numbers(struct arena *arena, const char *text)
{
    int64_t whole = 0, again = 0;
    double real = 0, same = 0;
    if (text_int(text, &whole, NULL) == 0) {
        const char *shown = arena_format(arena, "%" PRId64, whole);
        REQUIRE(text_int(shown, &again, NULL) == 0 && again == whole);
    }
    if (text_real(text, &real, NULL) == 0) {
        REQUIRE(isfinite(real));
        REQUIRE(text_real(arena_format(arena, "%.17g", real), &same, NULL) == 0 && same == real);
    }
}

static bool bind(struct arena *arena, enum field_type type, const char *text, void *target)
{
    const struct field field = {.name = "x", .type = type};
    const struct node node = {
        .kind = NODE_SCALAR, .text = text, .origin = "x", .line = 1, .column = 1};
    struct problems problems = {0};
    struct binder binder = {.arena = arena, .problems = &problems};
    bind_scalar(&binder, &node, &field, target);
    REQUIRE(problems.count == 0 || tells_place(problems.items[0], "x", (struct slice){text, 1}));
    return problems.count == 0;
}

static void try_settings(struct arena *arena, const char *text)
{
    double ratio = 0, same_ratio = 0;
    struct quantity quantity = {0}, same = {0};
    static const char *const units[] = {"", "%", "ms", " req/s"};
    if (bind(arena, FIELD_PERCENT, text, &ratio)) {
        REQUIRE(ratio >= 0 && ratio <= 1);
        REQUIRE(
            bind(arena, FIELD_PERCENT, arena_format(arena, "%.20f%%", ratio * 100), &same_ratio));
        REQUIRE(fabs(same_ratio - ratio) <= 1e-12);
    }
    if (bind(arena, FIELD_QUANTITY, text, &quantity)) {
        double shown = quantity.unit == UNIT_RATIO ? quantity.value * 100 : quantity.value;
        REQUIRE(quantity.set && isfinite(shown) && shown >= 0);
        const char *unit = units[quantity.unit];
        int decimals = quantity.unit == UNIT_MS ? 0 : 20;
        const char *written = arena_format(arena, "%.*f%s", decimals, shown, unit);
        REQUIRE(bind(arena, FIELD_QUANTITY, written, &same) && same.unit == quantity.unit);
        REQUIRE(fabs(same.value - quantity.value) <= 1e-12 * quantity.value + 1e-12);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    const struct slice all = {(const char *)data, size};
    const char *text = input_text(&arena, &all);
    int64_t number = 0;
    memcpy(&number, data, size < sizeof number ? size : sizeof number);
    REQUIRE(is_clean_line(text_of_duration(&arena, number)));
    REQUIRE(is_clean_line(text_of_time(&arena, number)));
    try_duration(&arena, text_of_duration(&arena, number));
    try_duration(&arena, text);
    try_time(&arena, text_of_time(&arena, number));
    try_time(&arena, text);
    try_numbers(&arena, text);
    try_settings(&arena, text);
    return 0;
}
