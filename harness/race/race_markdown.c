/* SPDX-License-Identifier: MIT */
/* race_markdown.c - a gate's result as Markdown, for job summaries and comments.
 *
 * Names stand in <code>, not between backticks, which a name may hold itself.
 */
#include "race/race_words.h"
#include "run/files.h"

static void put_code(FILE *out, const char *text) {
    fputs("<code>", out);
    text_put(out, TEXT_MARKDOWN, text);
    fputs("</code>", out);
}

static void put_pre(FILE *out, const char *text) {
    fputs("<pre>", out);
    text_put(out, TEXT_XML, text);
    fputs("</pre>\n\n", out);
}

static void put_places(FILE *out, const struct finding *finding, const char *between) {
    const struct stack *places[FINDING_STACKS_MAX], *others[FINDING_STACKS_MAX];
    uint32_t other_count, count = finding_places(finding, places, others, &other_count);
    for (uint32_t i = 0; i < count; i++) {
        char text[PLACE_BYTES];
        place_text(stack_user_frame(places[i]), text, sizeof text);
        fputs(i ? between : "", out);
        put_code(out, text);
    }
}

static void put_table(FILE *out, const struct race_result *result) {
    if (result->row_count == 0)
        return;
    fputs("| State | Kind | Where | Found |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < result->row_count; i++) {
        const struct race_row *row = &result->rows[i];
        char often[128];
        row_often(row, often, sizeof often);
        fprintf(out, "| %s | ", row_state_word(row->state));
        text_put(out, TEXT_MARKDOWN, row->finding.kind);
        fputs(" | ", out);
        put_places(out, &row->finding, "<br>");
        fputs(" | ", out);
        text_put(out, TEXT_MARKDOWN, often);
        fputs(" |\n", out);
    }
    fputc('\n', out);
}

static void put_labelled(FILE *out, const char *label, const char *text) {
    fputs(label, out);
    text_put(out, TEXT_MARKDOWN, text);
    fputs("\n\n", out);
}

static void put_row(FILE *out, const struct race_result *result, const struct race_row *row) {
    const struct finding *finding = &row->finding;
    char text[2048];
    fputs("<details><summary>", out);
    text_put(out, TEXT_XML, row_state_word(row->state));
    fputs(": ", out);
    text_put(out, TEXT_XML, finding->kind);
    fputs("</summary>\n\n", out);
    if (*finding->message)
        put_labelled(out, "Message: ", finding->message);
    if (finding->artefact)
        fputs("It may follow from a use after free earlier in the run.\n\n", out);
    if (row->state == ROW_SUPPRESSED) {
        snprintf(text, sizeof text, "%s (to %s)", row->why, row->expires);
        put_labelled(out, "Suppressed: ", text);
    }
    if (finding->stack_count > 0) {
        fputs("At ", out);
        put_places(out, finding, " and ");
        fputs("\n\n<pre>", out);
        put_stacks(out, TEXT_XML, finding);
        fputs("</pre>\n\n", out);
    }
    row_again(result, row, text, sizeof text);
    if (*text) {
        fprintf(out, "See it again%s:\n\n", row_again_note(row));
        put_pre(out, text);
    }
    fputs("What to do: ", out);
    fputs(kind_help(finding->kind)->help, out);
    fputs(" Fingerprint ", out);
    put_code(out, finding->fingerprint);
    fputs("\n\n</details>\n\n", out);
}

static bool put_markdown(FILE *out, const void *content) {
    const struct race_result *result = content;
    char sure[256];
    fputs("## tailrace race: ", out);
    put_code(out, result->program);
    fprintf(out, "\n\n**%u new**, %u known, %u suppressed.\n\n", result_count(result, ROW_NEW),
            result_count(result, ROW_KNOWN), result_count(result, ROW_SUPPRESSED));
    race_sure(result, sure, sizeof sure);
    put_labelled(out, "How sure: ", sure);
    put_table(out, result);
    for (uint32_t i = 0; i < result->note_count; i++)
        put_labelled(out, "> ", result->notes[i]);
    for (uint32_t i = 0; i < result->row_count; i++)
        put_row(out, result, &result->rows[i]);
    return !ferror(out);
}

bool race_write_markdown(const struct race_result *result, const char *path, struct error *error) {
    return file_write(path, put_markdown, result, error);
}
