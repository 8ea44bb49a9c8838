# SPDX-License-Identifier: BSD-3-Clause
"""File systems that fail on demand (faulty.c)."""

import os

from launch import environment

FAULTY = os.environ.get("FAULTY_SO")


def faulty(*rules, log=None, **more):
    """The environment of a run whose file system fails so; only on results, if a rule does not say
    otherwise."""
    # The sanitizer's library would like to come first, but does not have to.
    sanitizer = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
    rules = [rule if "path=" in rule else f"{rule},path=.h5" for rule in rules]
    return environment(LD_PRELOAD=FAULTY, FAULTY=";".join(rules), ASAN_OPTIONS=sanitizer,
                       **({"FAULTY_LOG": log} if log else {}), **more)
