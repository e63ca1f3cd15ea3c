/* SPDX-License-Identifier: Apache-2.0
 *
 * A subset of Mustache: {{name}} (escaped for Markdown), {{{name}}} (as it is),
 * {{#section}}…{{/section}} over arrays and truth, {{^inverted}}, {{.}}, dotted names,
 * {{! comment}}. A line that holds only a section tag leaves no empty line. No partials, no
 * lambdas, no delimiters change.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "text.h"

struct json;

/* ERROR_FORMAT with "name:line:" where the template is wrong. A name that the model does
 * not have is an error too, so that a misspelled field cannot vanish silently; and so is a
 * document that does not fit into out, or sections within sections that repeat 250,000 tags. */
MUST_CHECK int template_render(const char *name, const char *text, const struct json *model,
                               struct buf *out, struct error *err);

#endif
