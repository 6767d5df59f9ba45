/* SPDX-License-Identifier: MIT */
/* race_escape.h - names and messages of other people's programs, made safe for each form of report.
 *
 * Such text may hold any byte. Pure functions, safe from any thread.
 */
#ifndef TAILRACE_RACE_RACE_ESCAPE_H
#define TAILRACE_RACE_RACE_ESCAPE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

enum text_form {
    TEXT_PLAIN,    /* a line for a terminal */
    TEXT_XML,      /* XML or HTML, between tags or in a quoted attribute */
    TEXT_MARKDOWN, /* GitHub's, within a line or a table's cell */
    TEXT_DATA,     /* what comes behind the last :: of a workflow command of GitHub */
    TEXT_PROPERTY  /* one of the properties before it */
};

/* The next character, 0 at the end; U+FFFD for a byte that is no UTF-8. */
uint32_t text_next(const char **at);

/* Writes text in a form. What steers a terminal, turns its direction or is no XML is U+FFFD, the
 * end of a line a blank where the form cannot hold it. */
void text_put(FILE *out, enum text_form form, const char *text);

/* The text as JSON, with what is no UTF-8 replaced. NULL without memory. */
json_t *text_json(const char *text);

/* Percent-encodes all but what stands in a path for itself; cut off where bytes end. */
void text_uri(char *uri, size_t bytes, const char *path);

#endif
