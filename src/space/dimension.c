/* SPDX-License-Identifier: BSD-3-Clause */
/* A dimension of a map's item space, as far as it is labelled. */
#include "space/dimension.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WHAT_BYTES = WEFT_NAME_BYTES + 64 };

/* Bit by bit, so that coordinates that print alike may differ; never 0. */
uint64_t dimension_sum(uint64_t before, const double values[], int64_t count)
{
    uint64_t sum = before == 0 ? UINT64_C(0x9e3779b97f4a7c15) : before;
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        memcpy(&bits, &values[i], sizeof bits);
        sum = (sum ^ bits) * UINT64_C(0xd6e8feb86659fd93);
        sum ^= sum >> 32;
    }
    return sum == 0 ? 1 : sum;
}

weft_status dimension_init(job_dimension *d, const char *name, const char *units, int64_t count,
                           const double values[], error *e)
{
    *d = (job_dimension){.checksum = 0};
    if (name == NULL || strlen(name) >= sizeof d->name) {
        return error_set(e, WEFT_ERR_USAGE, "dimension '%s': a name has 1 to %d characters",
                         name == NULL ? "" : name, WEFT_NAME_BYTES - 1);
    }
    if (units != NULL && strlen(units) >= sizeof d->units) {
        return error_set(e, WEFT_ERR_USAGE, "dimension '%s': a unit has at most %d bytes", name,
                         DIMENSION_UNITS_BYTES - 1);
    }
    (void)snprintf(d->name, sizeof d->name, "%s", name);
    (void)snprintf(d->units, sizeof d->units, "%s", units == NULL ? "1" : units);
    for (int64_t i = 0; values != NULL && i < count; i++) {
        if (!isfinite(values[i])) {
            return error_set(e, WEFT_ERR_USAGE,
                             "dimension '%s': coordinate %" PRId64
                             " is %g; it takes finite numbers",
                             name, i, values[i]);
        }
    }
    if (values != NULL) {
        d->checksum = dimension_sum(0, values, count);
        d->first = count > 0 ? values[0] : 0;
        d->last = count > 0 ? values[count - 1] : 0;
    }
    return WEFT_OK;
}

void dimension_identify(const job_dimension *d, int number, int64_t count, account *a)
{
    char what[WHAT_BYTES];
    (void)snprintf(what, sizeof what, "dimension %d", number);
    account_add(a, what, "'%s'", d->name);
    (void)snprintf(what, sizeof what, "what lies along dimension '%s'", d->name);
    if (d->checksum == 0) {
        account_add(a, what, "no coordinates");
    } else {
        account_add(a, what,
                    "%" PRId64 " coordinates from %.17g to %.17g (checksum %016" PRIx64 ")", count,
                    d->first, d->last, d->checksum);
    }
}

void dimension_label(const job_dimension *d, account *a)
{
    char what[WHAT_BYTES];
    (void)snprintf(what, sizeof what, "the unit of dimension '%s'", d->name);
    account_add(a, what, "'%s'", d->units);
}
