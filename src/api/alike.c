/* SPDX-License-Identifier: BSD-3-Clause */
/* What makes the ranks of a job alike: one build of weft, one program, and rank 0's options. */
#include "api/alike.h"

#include "engine/run/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/version.h>

weft_status alike_check_launcher(const launcher_claim *claim, error *e)
{
    char size[32] = "several";
    if (claim->size > 0) {
        (void)snprintf(size, sizeof size, "%d", claim->size);
    }
    return error_set(e, WEFT_ERR_USAGE,
                     "started as rank %d of %s (%s), but MPI sees one process: this launcher "
                     "belongs to another MPI than the program; use weft-run, or the mpirun of the "
                     "program's MPI; if no launcher has started it, unset %s",
                     claim->rank, size, claim->rank_variable, claim->rank_variable);
}

weft_status alike_begin(comm *c, error *e)
{
    account a = {.text = NULL};
    account_add(&a, "weft's version", "%s", WEFT_VERSION);
    account_add(&a, "the size of weft's options", "%zu", sizeof(options));
    run_describe(&a);
    weft_status status = comm_agree_on(c, "weft_init()", &a, WEFT_OK, e);
    account_clear(&a);
    return status == WEFT_OK ? comm_meet(c, e) : status;
}

static void describe_option(const weft_option *option, account *a)
{
    char name[ACCOUNT_NAME_BYTES];
    (void)snprintf(name, sizeof name, "option --%s", option->name);
    switch (option->type) {
    case WEFT_OPTION_FLAG:
        account_add(a, name, "%s", *(const bool *)option->value ? "given" : "not given");
        break;
    case WEFT_OPTION_INT64:
        account_add(a, name, "%" PRId64, *(const int64_t *)option->value);
        break;
    case WEFT_OPTION_DOUBLE:
        account_add(a, name, "%.17g", *(const double *)option->value);
        break;
    case WEFT_OPTION_STRING: {
        const char *text = *(const char *const *)option->value;
        account_add(a, name, "%s%s%s", text == NULL ? "" : "'", text == NULL ? "not given" : text,
                    text == NULL ? "" : "'");
        break;
    }
    }
}

static void describe_program(const weft_program *program, account *a)
{
    static const weft_option end = {.name = NULL};
    if (program == NULL) {
        return;
    }
    account_add(a, "the program", "'%s'", program->name == NULL ? "" : program->name);
    account_add(a, "the program's version", "'%s'",
                program->version == NULL ? "" : program->version);
    account_add(a, "the program's result", "'%s'",
                program->default_out == NULL ? "" : program->default_out);
    for (const weft_option *option = program->options == NULL ? &end : program->options;
         option->name != NULL; option++) {
        describe_option(option, a);
    }
}

/* What rank 0 sends of a choice. */
typedef struct parcel {
    options options;
    int64_t out_bytes; /* the path's, with its end; 0: there is none */
} parcel;

/* All ranks get rank 0's. But hosts differ: a rank may have been told how many workers it has. */
static weft_status share(comm *c, options *chosen, char **texts, error *e)
{
    const bool first = comm_rank(c) == 0;
    const char *path = chosen->out;
    parcel all;
    memset(&all, 0, sizeof all);
    all.options = *chosen;
    all.out_bytes = path == NULL ? 0 : (int64_t)strlen(path) + 1;
    weft_status status = comm_broadcast(c, 0, &all, sizeof all, e);
    if (status != WEFT_OK) {
        return status;
    }
    char *out = malloc((size_t)all.out_bytes + 1);
    if (out == NULL) {
        status = error_memory(e, "the options");
    } else if (first && path != NULL) {
        memcpy(out, path, (size_t)all.out_bytes);
    }
    status = comm_agree(c, status, e);
    if (status == WEFT_OK) {
        status = comm_broadcast(c, 0, out, (size_t)all.out_bytes, e);
    }
    if (status != WEFT_OK) {
        free(out);
        return status;
    }
    if (chosen->threads >= 0) {
        all.options.threads = chosen->threads;
    }
    *chosen = all.options;
    chosen->out = all.out_bytes > 0 ? out : NULL;
    *texts = out;
    return WEFT_OK;
}

weft_status alike_settle(comm *c, const weft_program *program, weft_status own, options *chosen,
                         char **texts, error *e)
{
    account a = {.text = NULL};
    describe_program(program, &a);
    const weft_status status = comm_agree_on(c, "weft_init()", &a, own, e);
    account_clear(&a);
    return status == WEFT_OK ? share(c, chosen, texts, e) : status;
}
