# SPDX-License-Identifier: BSD-3-Clause
"""Reads result files byte by byte, and computes once more, in NumPy, what must be in them."""

import functools
import os
import subprocess

import h5py
import numpy as np

DONE, DONE_WITH_FAILURES, QUARANTINED = 1, 2, 3


def open_result(path):
    # The test does not write either; a lock would only be in the way of the file system's.
    os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
    return h5py.File(path, "r")


def raw_bytes(path, dataset):
    """A dataset's bytes as they lie in the file, not as HDF5 hands them out."""
    with open_result(path) as file:
        data = file[dataset]
        offset, size = data.id.get_offset(), data.size * data.dtype.itemsize
    if size == 0:
        return b""
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)


def is_bare_dimension(data):
    return data.attrs.get("NAME", b"").startswith(b"This is a netCDF dimension but not")


def maps(path):
    """The names of its maps."""
    with open_result(path) as file:
        return [name for name in file if name != "weft"]


def only_map(path):
    name, = maps(path)
    return name


def all_bytes(path, map_name=None):
    """All bytes of a map's results, field by field, and its coordinates; not the dimensions that
    have none."""
    map_name = map_name or only_map(path)
    with open_result(path) as file:
        names = [name for name, data in file[map_name].items()
                 if not is_bare_dimension(data)]
    return {name: raw_bytes(path, f"{map_name}/{name}") for name in names}


def table(path, name, map_name=None):
    """A table of a map's."""
    with open_result(path) as file:
        return file[f"weft/{map_name or only_map(path)}/{name}"][()]


def tiles(path, map_name=None):
    return table(path, "tiles", map_name)


def leases(path, map_name=None):
    return table(path, "leases", map_name)


def identity(path, map_name=None):
    with open_result(path) as file:
        return dict(file[f"weft/{map_name or only_map(path)}/job"].attrs)


def runs(path):
    """The rows of the table of runs that are in use."""
    with open_result(path) as file:
        rows = file["weft/runs"][()]
    return rows[rows["start"] > 0]


def failures(path, map_name=None):
    """The table of failures, as {item: (code, text)}."""
    rows = table(path, "failures", map_name)
    used = rows[rows["code"] != 0]
    return {int(row["item"]): (int(row["code"]), row["text"].decode()) for row in used}


def done_items(path, map_name=None):
    """For each item, whether its tile is marked done."""
    about = identity(path, map_name)
    count, grain = int(about["count"]), int(about["grain"])
    done = np.isin(tiles(path, map_name)["state"], (DONE, DONE_WITH_FAILURES, QUARANTINED))
    return np.repeat(done, grain)[:count]


def opens_everywhere(path):
    """Whether stock tools open the file: what h5dump complains of, or None."""
    dump = subprocess.run(["h5dump", "-H", path], capture_output=True, text=True, check=False)
    if dump.returncode != 0:
        return dump.stderr or f"h5dump: status {dump.returncode}"
    with open_result(path) as file:
        file.visititems(lambda name, item: dict(item.attrs) and None)
    return None


def mix(x):
    """Vigna's splitmix64."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9e3779b97f4a7c15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    return x ^ (x >> np.uint64(31))


@functools.lru_cache(maxsize=None)
def known_values(count, flavour=0, seed=0):
    """What the program `known` computes."""
    items = np.arange(count, dtype=np.uint64)
    pair = np.empty((count, 2))
    pair[:, 0] = items.astype(float) / 3
    for item in range(count):
        stream = np.random.Philox(key=[seed, 0], counter=[0, item, 0, 0])
        pair[item, 1] = np.random.Generator(stream).random()
    return {"hash": mix(items ^ np.uint64(flavour)), "pair": pair,
            "remainder": (items % np.uint64(251)).astype(np.uint8)}


def known_values_but(count, failed, **more):
    """The same, with fill values where items have failed."""
    values = {name: np.copy(field) for name, field in known_values(count, **more).items()}
    for name, fill in (("hash", 0), ("pair", np.nan), ("remainder", 0)):
        values[name][list(failed)] = fill
    return values


def check_failures(test, path, failed, state):
    """The file holds fill values at these items, right values at the others, and its tables say of
    the items what they do in `failed`, and of their tiles that they are in this state."""
    about = identity(path)
    items = sorted(failed)
    with open_result(path) as file:
        for name, values in known_values_but(int(about["count"]), items).items():
            np.testing.assert_array_equal(file["known"][name][()], values)
    test.assertEqual(failures(path), failed)
    records = tiles(path)
    test.assertEqual(records["failed"].sum(), len(items))
    test.assertEqual(set(np.flatnonzero(records["state"] == state)),
                     {item // int(about["grain"]) for item in items})


def known_bytes(count, **more):
    return {name: values.tobytes() for name, values in known_values(count, **more).items()}


def wrong_items(path, done=None, **more):
    """The items of a result of `known` that are marked done and hold something else."""
    done = done_items(path) if done is None else done
    wrong = np.zeros(len(done), bool)
    for name, values in known_values(len(done), **more).items():
        there = np.frombuffer(raw_bytes(path, f"{only_map(path)}/{name}"), np.uint8).reshape(len(done), -1)
        right = np.frombuffer(values.tobytes(), np.uint8).reshape(len(done), -1)
        wrong |= (there != right).any(axis=1)
    return np.flatnonzero(wrong & done)


def mandelbrot(width, height, limit, centre=(-0.5, 0.0), span=4.2):
    """The counts of steps, from the formula in the design."""
    x = centre[0] + (np.arange(width) + 0.5 - width / 2) * span / width
    y = centre[1] + (height / 2 - np.arange(height) - 0.5) * span / width
    re, im = np.broadcast_to(x, (height, width)), np.broadcast_to(y[:, None], (height, width))
    a, b = np.zeros((height, width)), np.zeros((height, width))
    steps, inside = np.zeros((height, width), np.uint32), np.ones((height, width), bool)
    for _ in range(limit):
        with np.errstate(over="ignore", invalid="ignore"):
            inside &= a * a + b * b <= 4
            steps += inside
            a, b = a * a - b * b + re, 2 * a * b + im
    return steps


def calls(path):
    """The items that `known` was called for, in order, from its --calls file."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as file:
        return [int(line) for line in file]
