/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "arena.h"
#include "yaml.h"

#include <stdarg.h>
#include <stdio.h>

static bool place_before(const struct place *a, const struct place *b)
{
    if (a->line != b->line) {
        return a->line < b->line;
    }
    return a->column < b->column;
}

/* Keeps file order although missing keys and cross checks are found last. */
static void insert(struct problems *problems, const char *text, struct place place)
{
    size_t at = problems->count++;
    while (at > 0 && place_before(&place, &problems->places[at - 1])) {
        problems->items[at] = problems->items[at - 1];
        problems->places[at] = problems->places[at - 1];
        at--;
    }
    problems->items[at] = text;
    problems->places[at] = place;
}

void problems_add(struct arena *arena, struct problems *problems, const struct node *where,
                  const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);

    struct place place = {0};
    const char *text = message;
    if (where) {
        place = (struct place){where->origin, where->line, where->column};
        text = arena_format(arena, "%s: %s", node_place(arena, where), message);
    }
    problems->items = arena_grow(arena, problems->items, problems->count, &problems->capacity,
                                 sizeof *problems->items);
    problems->places = arena_grow(arena, problems->places, problems->count,
                                  &problems->place_capacity, sizeof *problems->places);
    insert(problems, where ? text : arena_text(arena, text), place);
}
