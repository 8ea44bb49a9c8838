/* SPDX-License-Identifier: BSD-3-Clause */
/* Reductions of the caller's own. */
#include "reduce/kind.h"

#include <inttypes.h>
#include <string.h>

/* Below 0 for a bad shape. */
static int64_t value_elements(const weft_reducer *own)
{
    int64_t elements = 1;
    if (own->ndims < 0 || own->ndims > WEFT_MAX_DIMS || (own->ndims > 0 && own->shape == NULL)) {
        return -1;
    }
    for (int i = 0; i < own->ndims; i++) {
        if (own->shape[i] < 1 || own->shape[i] > WEFT_MAX_ACCUMULATOR_BYTES / elements) {
            return -1;
        }
        elements *= own->shape[i];
    }
    return elements;
}

static weft_status own_check(const weft_reduction *r, const char *name, error *e)
{
    const weft_reducer *own = r->reducer;
    if (own == NULL || own->merge == NULL) {
        return error_set(e, WEFT_ERR_USAGE, "reduction '%s': the reducer%s is missing", name,
                         own == NULL ? "" : "'s function merge");
    }
    if (own->bytes < 1 || own->bytes > WEFT_MAX_ACCUMULATOR_BYTES) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': an accumulator of %" PRId64 " bytes; there may be 1 to "
                         "%" PRId64,
                         name, own->bytes, WEFT_MAX_ACCUMULATOR_BYTES);
    }
    const int64_t element = (int64_t)weft_type_bytes(own->type);
    if (element == 0) {
        return error_set(e, WEFT_ERR_USAGE, "reduction '%s': %d is not a type", name,
                         (int)own->type);
    }
    const int64_t elements = value_elements(own);
    if (elements < 1 || elements > WEFT_MAX_ACCUMULATOR_BYTES / element) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': the shape of a value has at most %d dimensions, each at "
                         "least 1, and the value at most %" PRId64 " bytes",
                         name, WEFT_MAX_DIMS, WEFT_MAX_ACCUMULATOR_BYTES);
    }
    if (own->finish == NULL && elements * element != own->bytes) {
        return error_set(e, WEFT_ERR_USAGE,
                         "reduction '%s': without a function finish the accumulator is the value, "
                         "but that has %" PRId64 " bytes and the accumulator %" PRId64,
                         name, elements * element, own->bytes);
    }
    return WEFT_OK;
}

static int64_t own_bytes(const weft_reduction *r)
{
    return r->reducer->bytes;
}

static reduction_value own_value(const weft_reduction *r)
{
    const weft_reducer *own = r->reducer;
    reduction_value v = reduction_scalar(own->type);
    v.shape.ndims = own->ndims;
    for (int i = 0; i < own->ndims; i++) {
        v.shape.shape[i] = own->shape[i];
    }
    v.shape.count = value_elements(own);
    return v;
}

static void own_init(const weft_reduction *r, void *accumulator)
{
    memset(accumulator, 0, (size_t)r->reducer->bytes);
    if (r->reducer->init != NULL) {
        r->reducer->init(accumulator, r->reducer->context);
    }
}

static void own_merge(const weft_reduction *r, void *accumulator, const void *next)
{
    r->reducer->merge(accumulator, next, r->reducer->context);
}

static weft_status own_finish(const weft_reduction *r, const char *name, const void *accumulator,
                              void *value, error *e)
{
    (void)name, (void)e;
    if (r->reducer->finish == NULL) {
        memcpy(value, accumulator, (size_t)r->reducer->bytes);
    } else {
        r->reducer->finish(accumulator, value, r->reducer->context);
    }
    return WEFT_OK;
}

const reduction_kind reduction_own = {.name = "own",
                                      .check = own_check,
                                      .bytes = own_bytes,
                                      .value = own_value,
                                      .init = own_init,
                                      .merge = own_merge,
                                      .finish = own_finish};
