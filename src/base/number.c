/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "arena.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define DURATION_MAX_MS (366 * DAY_MS)

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

int text_int(const char *text, int64_t *out, struct error *err)
{
    const char *shown = text != NULL ? text : "";
    const char *digits = shown[0] == '-' ? shown + 1 : shown;
    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0') {
        return error_set(err, ERROR_FORMAT, "'%.80s' is not a whole number", shown);
    }
    errno = 0;
    long long value = strtoll(shown, NULL, 10);
    if (errno == ERANGE) {
        return error_set(err, ERROR_FORMAT, "'%.80s' is too large a number", shown);
    }
    *out = value;
    return 0;
}

int text_real(const char *text, double *out, struct error *err)
{
    const char *shown = text != NULL ? text : "";
    char *end = NULL;
    /* strtod alone would take blanks, hexadecimal, "inf" and "nan". */
    bool plain = shown[0] != '\0' && shown[strspn(shown, "0123456789+-.eE")] == '\0';
    double value = plain ? strtod(shown, &end) : 0.0;
    if (!plain || end == shown || *end != '\0') {
        return error_set(err, ERROR_FORMAT, "'%.80s' is not a number", shown);
    }
    if (!isfinite(value)) {
        return error_set(err, ERROR_FORMAT, "'%.80s' is too large a number", shown);
    }
    *out = value;
    return 0;
}

/* From the largest down, as they stand in a duration. */
static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"d", DAY_MS}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

enum { UNITS = sizeof units / sizeof units[0] };

/* One "90s" of a duration; *unit is the first unit that may still come. */
static const char *duration_part(const char *text, size_t *unit, int64_t *total)
{
    int64_t number = 0;
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits && number <= DURATION_MAX_MS; i++) {
        number = number * 10 + (text[i] - '0');
    }
    const char *name = text + digits;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (digits == 0 || length == 0) {
        return NULL;
    }
    for (size_t i = *unit; i < UNITS; i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0) {
            *unit = i + 1;
            /* Saturates: the caller's range check speaks of it. */
            bool large = number > DURATION_MAX_MS / units[i].ms;
            *total += large ? DURATION_MAX_MS + 1 : number * units[i].ms;
            return name + length;
        }
    }
    return NULL;
}

int text_duration(const char *text, int64_t *ms, struct error *err)
{
    const char *shown = text != NULL ? text : "";
    if (shown[0] != '\0' && shown[strspn(shown, "0123456789")] == '\0') {
        return error_set(err, ERROR_FORMAT,
                         "'%.80s' has no unit: write ms, s, m, h or d, as in '%.20ss'", shown,
                         shown);
    }
    int64_t total = 0;
    size_t unit = 0;
    const char *rest = shown;
    do {
        rest = duration_part(rest, &unit, &total);
    } while (rest != NULL && *rest != '\0');
    if (rest == NULL) {
        return error_set(err, ERROR_FORMAT,
                         "'%.80s' is not a duration: write a number with ms, s, m, h or d, as in "
                         "'90s' or '1h30m'",
                         shown);
    }
    if (total > DURATION_MAX_MS) {
        return error_set(err, ERROR_FORMAT, "'%.80s' is more than 366 days", shown);
    }
    *ms = total;
    return 0;
}

const char *text_of_duration(struct arena *arena, int64_t ms)
{
    char data[96];
    size_t length = 0;
    uint64_t rest = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    if (ms == 0) {
        return arena_text(arena, "0s");
    }
    if (ms < 0) {
        data[length++] = '-';
    }
    /* People say "24h" and "36h", and count in days only from two on. */
    for (size_t i = rest < 2 * (uint64_t)DAY_MS ? 1 : 0; i < UNITS && rest > 0; i++) {
        uint64_t unit = (uint64_t)units[i].ms;
        if (rest >= unit) {
            int n = snprintf(data + length, sizeof data - length, "%" PRIu64 "%s", rest / unit,
                             units[i].name);
            length += (size_t)n;
            rest %= unit;
        }
    }
    return arena_text_n(arena, data, length);
}

const char *text_of_time(struct arena *arena, int64_t wall_ms)
{
    time_t seconds = wall_ms / 1000 - (wall_ms % 1000 < 0);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL) {
        return arena_text(arena, "0000-00-00T00:00:00Z");
    }
    return arena_format(arena, "%04ld-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900L, tm.tm_mon + 1,
                        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Reads by a picture in which 0 stands for a digit and anything else for itself. */
static bool looks_like(const char *text, const char *picture)
{
    for (; *picture != '\0'; text++, picture++) {
        if (*picture == '0' ? !digit(*text) : *text != *picture) {
            return false;
        }
    }
    return true;
}

static int number_at(const char *text, int digits)
{
    int number = 0;
    for (int i = 0; i < digits; i++) {
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* "Z" or "+01:00": how far it is ahead of UTC. */
static bool zone_offset(const char *text, int64_t *ms)
{
    *ms = 0;
    if (strcmp(text, "Z") == 0) {
        return true;
    }
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || !looks_like(text + 1, "00:00")) {
        return false;
    }
    int hours = number_at(text + 1, 2), minutes = number_at(text + 4, 2);
    *ms = (hours * INT64_C(60) + minutes) * 60000 * (text[0] == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

/* ".123456": milliseconds of it, and what follows. */
static const char *fraction(const char *text, int64_t *ms)
{
    *ms = 0;
    if (*text != '.') {
        return text;
    }
    size_t digits = strspn(text + 1, "0123456789");
    int64_t weight = 100;
    for (size_t i = 1; i <= digits; i++, weight /= 10) {
        *ms += (text[i] - '0') * weight;
    }
    return digits > 0 ? text + 1 + digits : text;
}

int text_time(const char *text, int64_t *wall_ms, struct error *err)
{
    const char *shown = text != NULL ? text : "";
    int64_t ms, ahead;
    if (!looks_like(shown, "0000-00-00T00:00:00") ||
        !zone_offset(fraction(shown + 19, &ms), &ahead)) {
        return error_set(err, ERROR_FORMAT, "'%.80s' is not a time like 2026-11-24T22:39:22Z",
                         shown);
    }
    struct tm tm = {.tm_year = number_at(shown, 4) - 1900,
                    .tm_mon = number_at(shown + 5, 2) - 1,
                    .tm_mday = number_at(shown + 8, 2),
                    .tm_hour = number_at(shown + 11, 2),
                    .tm_min = number_at(shown + 14, 2),
                    .tm_sec = number_at(shown + 17, 2)};
    struct tm given = tm;
    int64_t seconds = timegm(&tm);
    /* timegm turns 30 February into March: what changed was no date. */
    if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday || tm.tm_hour != given.tm_hour ||
        tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec) {
        return error_set(err, ERROR_FORMAT, "'%.80s' is no date or time of day", shown);
    }
    *wall_ms = seconds * 1000 + ms - ahead;
    return 0;
}
