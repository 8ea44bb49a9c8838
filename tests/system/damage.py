# SPDX-License-Identifier: BSD-3-Clause
"""What may become of a result in the hands of bad disks and of other programs, drawn at random."""

import ctypes
import os

import h5py
import numpy as np

import results

# A kind, how often it is drawn, and what it does.
KINDS = {
    "flip": (4, "flips a bit"),
    "byte": (4, "puts another byte"),
    "number": (6, "puts another number of 2, 4 or 8 bytes"),
    "address": (6, "puts another place or size of a dataset"),
    "zero": (2, "zeroes some bytes"),
    "noise": (1, "overwrites some bytes"),
    "splice": (3, "copies bytes from one place to another"),
    "cut": (1, "truncates the file, or makes it longer"),
    "row": (5, "puts a strange value into a row of a table"),
    "sealed": (4, "the same in a tile's record, with a check that fits"),
    "lease": (1, "overwrites leases"),
    "index": (3, "puts another number into the index, mostly with checks that fit"),
    "attribute": (4, "replaces or removes an attribute, or adds some"),
    "object": (3, "replaces a dataset or group by something else"),
    "beside": (1, "puts something of somebody else's beside the file"),
}

BY_HDF5 = ("attribute", "object")
TABLES = ("tiles", "failures", "runs")
# Near to bytes that are in use there may be others.
NEAR = 64
TEXTS = ("", "\x1b[31mred\x1b]0;pwn\a", "a\nweft: error: b\tc\x7f", "\u009b31m", "\u202edcba",
         "é" * 150, "x" * 60000, "%s%n%999999d", "../../../etc/passwd", "NaN")


def whole_numbers(size):
    """Where programs err."""
    numbers = {0, 1, 2, 7, 255, 4096, size - 1, size, size + 1}
    for bits in (7, 8, 15, 16, 31, 32, 40, 47, 48, 53, 62, 63, 64):
        numbers |= {(1 << bits) - 1, 1 << bits, -(1 << bits), (1 << bits) + 1}
    return sorted(numbers)


REAL_NUMBERS = (0.0, -0.0, 1e-300, -1.0, 1e18, 1.7e308, -1.7e308, np.inf, -np.inf, np.nan, 5e-324)


def xxh3(data, seed):
    function = ctypes.CDLL("libxxhash.so.0").XXH3_64bits_withSeed
    function.restype = ctypes.c_uint64
    return function(bytes(data), ctypes.c_size_t(len(data)), ctypes.c_uint64(seed))


def seal(row, tile):
    """Gives a tile's record a check that fits, as record.c does."""
    row["check"] = xxh3(row.tobytes()[:-8], tile + 1)


# The end of the index, as index.c writes it: its length, its check, the magic number.
INDEX_MAGIC, INDEX_TAIL_BYTES = b"weft index 3\n\0\0\0", 32
# Its head: the magic number, counts, its offset, then the sum of the metadata.
INDEX_SUM_OFFSET = 32


def index_of(data):
    """Where the index begins; None: there is none."""
    if bytes(data[-16:]) != INDEX_MAGIC:
        return None
    length = int.from_bytes(data[-INDEX_TAIL_BYTES:-24], "little")
    return len(data) - length if INDEX_TAIL_BYTES < length <= len(data) else None


def seal_index(data, start):
    """Gives the index a check that fits."""
    check = xxh3(data[start:-INDEX_TAIL_BYTES], 0)
    data[-24:-16] = check.to_bytes(8, "little")


class Anatomy:
    """What lies where in a sound file."""

    def __init__(self, path):
        self.tables = {}
        taken = []
        self.maps = results.maps(path)
        with results.open_result(path) as file:
            for name in (*TABLES, "leases"):
                data = file["weft/runs" if name == "runs" else f"weft/{self.maps[0]}/{name}"]
                self.tables[name] = (data.id.get_offset() or 0, data.dtype, len(data))
            for data in (file["weft/runs"], *(data for name in self.maps for data in (
                    *file[name].values(), *file[f"weft/{name}"].values()))):
                if isinstance(data, h5py.Dataset) and data.id.get_offset():
                    taken.append((data.id.get_offset(), data.size * data.dtype.itemsize))
        there = np.fromfile(path, np.uint8)
        used = np.flatnonzero(there)
        wanted = np.zeros(len(there) + 2 * NEAR, bool)
        for shift in range(0, 2 * NEAR, 8):
            wanted[used + shift] = True
        wanted = wanted[NEAR:-NEAR]
        for offset, size in taken:
            wanted[offset:offset + size] = False
        self.metadata = np.flatnonzero(wanted)
        self.bytes = len(there)
        self.extents = sorted({int(number) for number in sum(taken, ())})
        content = there.tobytes()
        self.addresses = [place for place in self.metadata.tolist()
                          if int.from_bytes(content[place:place + 8], "little") in self.extents]

    def used_rows(self, data, name):
        """The rows of a table that hold something, or the first of those that do not."""
        offset, dtype, rows = self.tables[name]
        table = np.frombuffer(data, np.uint8, rows * dtype.itemsize, offset)
        used = np.flatnonzero(table.reshape(rows, -1).any(axis=1)) if rows else []
        return list(used) or list(range(min(rows, 1)))


class Damage:
    """Changes a file, a few times, and says how."""

    def __init__(self, rng, path, anatomy, kinds):
        self.rng, self.path, self.anatomy = rng, path, anatomy
        weights = [KINDS[kind][0] for kind in kinds]
        self.kinds = rng.choices(kinds, weights, k=rng.choice((1, 1, 1, 2, 3, 8)))
        self.said = []
        self.data = None
        self.changed = False

    def __str__(self):
        return "; ".join(self.said)

    def inflict(self):
        # HDF5 can change a sound file only.
        self.kinds.sort(key=lambda kind: kind not in BY_HDF5)
        for kind in self.kinds:
            in_bytes = kind not in (*BY_HDF5, "beside")
            if in_bytes and self.data is None:
                with open(self.path, "rb") as file:
                    self.data = bytearray(file.read())
            self.changed, tries = False, 0
            while not self.changed and tries < (10 if in_bytes else 1):
                said = self.inflict_one(kind)
                tries += 1
            self.said.append(f"{kind} {said}"[:200])
        if self.data is not None:
            with open(self.path, "wb") as file:
                file.write(self.data)

    def inflict_one(self, kind):
        try:
            return getattr(self, f"do_{kind}")()
        except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
            # There are things that HDF5 will not do.
            if kind not in BY_HDF5:
                raise
            return f"nothing: {error}"

    def draw_place(self, length=1):
        """Most are in HDF5's own bytes, some in the tables, a few anywhere."""
        lot = self.rng.random()
        if lot < 0.8:
            place = int(self.rng.choice(self.anatomy.metadata))
        elif lot < 0.95:
            offset, dtype, _ = self.anatomy.tables[self.rng.choice(TABLES)]
            place = offset + self.rng.randrange(4 * dtype.itemsize)
        else:
            place = self.rng.randrange(max(len(self.data), 1))
        return max(min(place, len(self.data) - length), 0)

    def put(self, place, new):
        new = new[:max(len(self.data) - place, 0)]
        old = bytes(self.data[place:place + len(new)])
        self.data[place:place + len(new)] = new
        self.changed |= old != new
        return f"{place:#x}: {old[:16].hex()} -> {bytes(new[:16]).hex()}"

    def do_flip(self):
        place = self.draw_place()
        bit = 1 << self.rng.randrange(8)
        return self.put(place, bytes(byte ^ bit for byte in self.data[place:place + 1]))

    def do_byte(self):
        return self.put(self.draw_place(), bytes([self.rng.choice((0, 1, 0x7f, 0x80, 0xff,
                                                                   self.rng.randrange(256)))]))

    def do_number(self):
        size = self.rng.choice((2, 4, 8))
        number = self.rng.choice(whole_numbers(self.anatomy.bytes) + self.anatomy.extents)
        place = self.draw_place(size)
        place -= place % size if self.rng.random() < 0.7 else 0
        return self.put(place, (number % (1 << 8 * size)).to_bytes(size, "little"))

    def do_address(self):
        if not self.anatomy.addresses:
            return "nothing"
        number = self.rng.choice(self.anatomy.extents) + self.rng.choice((0, 0, 1, -1, 8, 64, -64))
        number = self.rng.choice((number, number, number, self.anatomy.bytes - 1, 0, 1 << 40,
                                  (1 << 63) - 1, (1 << 64) - 2))
        return self.put(self.rng.choice(self.anatomy.addresses),
                        (number % (1 << 64)).to_bytes(8, "little"))

    def do_zero(self):
        length = self.rng.choice((2, 8, 24, 100, 512, 4096))
        return self.put(self.draw_place(length), bytes(length))

    def do_noise(self):
        length = self.rng.choice((3, 16, 100, 1000))
        return self.put(self.draw_place(length), self.rng.randbytes(length))

    def do_splice(self):
        length = self.rng.choice((4, 8, 16, 40, 200, 1000))
        start = self.draw_place(length)
        return self.put(self.draw_place(length), self.data[start:start + length])

    def do_cut(self):
        size = self.rng.choice((0, 7, 8, 96, 512, self.draw_place(), self.draw_place(),
                                self.rng.randrange(len(self.data) + 1), len(self.data) + 100))
        self.changed = size != len(self.data)
        del self.data[size:]
        self.data += bytes(size - len(self.data))
        return f"to {size}"

    def strange(self, dtype):
        """A value of that type that no run would have written."""
        if dtype.kind == "S":
            text = self.rng.choice(TEXTS).encode()
            return self.rng.choice((text, self.rng.randbytes(8), b"\xff" * dtype.itemsize))
        if dtype.kind == "f":
            return self.rng.choice(REAL_NUMBERS)
        number = self.rng.choice(whole_numbers(self.anatomy.bytes)) % (1 << 8 * dtype.itemsize)
        return np.array([number], f"u{dtype.itemsize}").view(dtype)[0]

    def change_row(self, name, sealed=False):
        offset, dtype, rows = self.anatomy.tables[name]
        if rows == 0 or offset + rows * dtype.itemsize > len(self.data):
            return "nothing"
        index = int(self.rng.choice(self.anatomy.used_rows(self.data, name)))
        place = offset + index * dtype.itemsize
        row = np.frombuffer(self.data, dtype, 1, place).copy()
        member = self.rng.choice(dtype.names)
        row[member] = self.strange(dtype[member])
        if sealed:
            seal(row, index)
        return f"{name}[{index}].{member} = {row[member][0]!r}, {self.put(place, row.tobytes())}"

    def do_row(self):
        return self.change_row(self.rng.choice(TABLES))

    def do_sealed(self):
        return self.change_row("tiles", sealed=True)

    def do_lease(self):
        offset, _, rows = self.anatomy.tables["leases"]
        first = self.rng.randrange(rows + 1)
        length = self.rng.randrange(1 + rows - first)
        value = self.rng.choice((bytes([1]), bytes([2]), bytes([255]), self.rng.randbytes(1)))
        return self.put(offset + first, value * length)

    def do_index(self):
        """Mostly sealed again: then the numbers are all that is wrong."""
        start = index_of(self.data)
        if start is None:
            return "nothing"
        number = self.rng.choice(whole_numbers(self.anatomy.bytes) + self.anatomy.extents)
        place = self.rng.randrange(start, len(self.data) - 8)
        place -= place % 8 if self.rng.random() < 0.8 else 0
        said = self.put(place, (number % (1 << 64)).to_bytes(8, "little"))
        if self.rng.random() < 0.8:
            seal_index(self.data, start)
            said += ", sealed"
        return said

    def draw_object(self, file):
        names = ["/", "/weft", "/weft/runs"]
        for name in self.anatomy.maps:
            names += [f"/{name}", f"/weft/{name}", f"/weft/{name}/job"]
            names += [f"/weft/{name}/{table}" for table in ("tiles", "leases", "failures")]
            names += [f"/{name}/{field}" for field in file.get(name, ())]
        return self.rng.choice([name for name in names if name in file])

    def draw_value(self):
        """Of an attribute, or of a dataset."""
        size = self.anatomy.bytes
        lot = self.rng.randrange(7)
        number = self.rng.choice(whole_numbers(size))
        if lot < 2:
            return np.array([number % (1 << 64)], "u8").view("i8")[0]
        if lot == 2:
            return self.rng.choice(REAL_NUMBERS)
        if lot == 3:
            return self.rng.choice(TEXTS)
        if lot == 4:
            return np.bytes_(self.rng.choice(TEXTS).encode()[:1000] or b"x")
        if lot == 5:
            return np.zeros(self.rng.choice((0, 1, 2, 5000)), self.rng.choice(("i8", "f4", "u1")))
        return np.zeros(1, [("a", "i4"), ("b", "f8", 3)])

    def do_attribute(self):
        with h5py.File(self.path, "r+") as file:
            where = self.draw_object(file)
            attributes = file[where].attrs
            lot = self.rng.random()
            if lot < 0.1:
                count = self.rng.choice((1, 20, 200))
                for number in range(count):
                    attributes[f"more-{number}"] = number
                return f"{count} more at {where}"
            if lot < 0.2:
                name = self.rng.choice([text for text in TEXTS if 0 < len(text) < 1000])
            else:
                name = self.rng.choice(list(attributes) or ["count"])
            if lot > 0.8 and name in attributes:
                del attributes[name]
                return f"{where}@{name!r} removed"
            value = self.draw_value()
            attributes[name] = value
            return f"{where}@{name!r} = {str(value)[:40]!r}"

    def do_object(self):
        with h5py.File(self.path, "r+") as file:
            where = self.draw_object(file)
            if where == "/":
                return "nothing"
            lot = self.rng.randrange(9)
            old = file[where]
            shape, dtype = getattr(old, "shape", (5,)), getattr(old, "dtype", np.dtype("i8"))
            if lot > 0:
                del file[where]
            self.replace(file, where, lot, shape, dtype)
            return f"{where} by {lot}"

    def replace(self, file, where, lot, shape, dtype):
        if lot == 0:
            count = self.rng.choice((1, 100))
            for number in range(count):
                file.create_dataset(f"/{self.anatomy.maps[0]}/more-{number}", data=self.draw_value())
        elif lot == 1:
            file[where] = h5py.SoftLink(self.rng.choice(("/", where, "/weft/runs", "/none")))
        elif lot == 2:
            file[where] = h5py.ExternalLink(self.rng.choice(("other.h5", "/dev/zero")), where)
        elif lot == 3:
            first = f"/{self.anatomy.maps[0]}"
            file[where] = file[self.rng.choice(("/", first if first in file else "/"))]
        elif lot == 4:
            file.create_dataset(where, data=self.draw_value())
        elif lot == 5:
            file.create_dataset(where, shape, dtype, chunks=True)
        elif lot == 6:
            # Nothing is written, and so the file does not grow.
            file.create_dataset(where, (self.rng.choice((1 << 20, 1 << 40, 1 << 60)),), "u1")
        elif lot == 7:
            bytes_each = int(np.prod(shape)) * dtype.itemsize
            file.create_dataset(where, shape, dtype, external=[("outside", 0, bytes_each)])

    def do_beside(self):
        name = self.path + self.rng.choice((".lock", ".lock", ".new", ".bak"))
        content = self.rng.choice((b"", b"notes\n", b"weft", self.rng.randbytes(300),
                                   f"pid {self.rng.choice((1, -1, os.getpid()))} host \x1b[31m\n"
                                   .encode(), bytes(5000)))
        lot = self.rng.randrange(5)
        if lot == 0:
            os.mkfifo(name)
        elif lot == 1:
            os.mkdir(name)
        else:
            with open(name, "wb") as file:
                file.write(content)
        return f"{name} {('pipe', 'folder')[lot] if lot < 2 else content[:40]}"
