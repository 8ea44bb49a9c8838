/* SPDX-License-Identifier: BSD-3-Clause */
/* The texts and exit statuses of weft_status. */
#include <weft/status.h>

typedef struct status_row {
    weft_status status;
    int exit_status;
    const char *name;
    const char *text;
} status_row;

static const status_row rows[] = {
#define STATUS_ROW(name, value, exit_status, text) {name, exit_status, #name, text},
    WEFT_STATUS_MAP(STATUS_ROW)
#undef STATUS_ROW
};

static const status_row *find_row(weft_status status)
{
    static const status_row unknown = {WEFT_ERR_INTERNAL, 1, "WEFT_?", "not a status"};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status) {
            return &rows[i];
        }
    }
    return &unknown;
}

const char *weft_status_name(weft_status status)
{
    return find_row(status)->name;
}

const char *weft_status_text(weft_status status)
{
    return find_row(status)->text;
}

int weft_status_exit(weft_status status)
{
    return find_row(status)->exit_status;
}
