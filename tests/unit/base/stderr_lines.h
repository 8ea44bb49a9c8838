/* SPDX-License-Identifier: BSD-3-Clause */
/* What is written to stderr meanwhile, for tests of what the log says. */
#ifndef TESTS_BASE_STDERR_LINES_H
#define TESTS_BASE_STDERR_LINES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

static FILE *caught;
static int kept;
static char text[4096];

/* What is written to stderr from here on … */
static void catch_lines(void)
{
    caught = tmpfile();
    assert_non_null(caught);
    kept = dup(STDERR_FILENO);
    assert_true(kept >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
}

/* … is that. */
static const char *show_lines(void)
{
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    rewind(caught);
    text[fread(text, 1, sizeof text - 1, caught)] = '\0';
    (void)fclose(caught);
    return text;
}

#endif
