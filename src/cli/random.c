/* SPDX-License-Identifier: BSD-3-Clause */
/* weft random: the numbers of an item's random stream. */
#include "command.h"

#include "base/number.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <weft/random.h>

static weft_status print_numbers(int argc, char **argv)
{
    enum { SEED, STREAM, ITEM, COUNT, NUMBERS };
    uint64_t number[NUMBERS] = {[COUNT] = 1};
    const char *text[NUMBERS] = {NULL};
    const weft_option options[] = {{"seed", "S", WEFT_OPTION_STRING, &text[SEED], ""},
                                   {"stream", "T", WEFT_OPTION_STRING, &text[STREAM], ""},
                                   {"item", "I", WEFT_OPTION_STRING, &text[ITEM], ""},
                                   {"count", "N", WEFT_OPTION_STRING, &text[COUNT], ""},
                                   {0}};
    const weft_status status = command_read(&random_command, options, argc, argv, NULL);
    for (int i = 0; i < NUMBERS && status == WEFT_OK; i++) {
        if (text[i] != NULL && !number_read_uint64(text[i], &number[i])) {
            return command_error(WEFT_ERR_USAGE,
                                 "--%s: '%s' is not a whole number from 0 to %" PRIu64,
                                 options[i].name, text[i], UINT64_MAX);
        }
    }
    weft_random random;
    weft_random_init(&random, number[SEED], number[STREAM], number[ITEM]);
    for (uint64_t i = 0; i < number[COUNT] && status == WEFT_OK; i++) {
        if (printf("%.17g\n", weft_random_double(&random)) < 0) {
            return WEFT_ERR_SYSTEM; /* main() says why */
        }
    }
    return status;
}

const command random_command = {
    .name = "random",
    .summary = "prints the numbers of an item's random stream",
    .help =
        "usage: weft random [--seed S] [--stream T] [--item I] [--count N]\n"
        "\n"
        "Prints numbers of an item's random stream, uniform in [0, 1), one to a line, with 17\n"
        "significant digits: the same bits that weft_random_double() gives to a kernel, and NumPy "
        "as\n"
        "\n"
        "  Generator(Philox(key=[S, T], counter=[0, I, 0, 0])).random()\n"
        "\n"
        "options: whole numbers from 0 to 2^64 - 1\n"
        "  --seed S    the job's seed (0)\n"
        "  --stream T  which of the item's streams (0)\n"
        "  --item I    the item (0)\n"
        "  --count N   how many numbers (1)\n"
        "  --help      this text\n",
    .run = print_numbers,
};
