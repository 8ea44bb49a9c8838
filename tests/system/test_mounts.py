# SPDX-License-Identifier: BSD-3-Clause
"""Real file systems that fail under a run: full ones, one that loses its disk, one that turns
read-only. Small ones are mounted where nobody else sees them: in a mount namespace of this test's
own, with which they go. Where that is not allowed the test is skipped, with status 77."""

import array
import errno
import fcntl
import os
import re
import shutil
import subprocess
import sys

import results
from faults import FAULTY, faulty
from launch import KNOWN, main, run
from test_filesystem import AGAIN, COUNT, FilesystemTest

SKIPPED = 77
GOING_DOWN = 0x8004587d  # the ioctl FS_IOC_SHUTDOWN, of ext4, xfs and others
WITHOUT_LOG = 2


def enter_namespace():
    """Starts this program again where it may mount."""
    for words in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        try:
            allowed = subprocess.run([*words, "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                                     capture_output=True).returncode == 0
        except OSError:
            allowed = False
        if allowed:
            os.environ["WEFT_TEST_MOUNTS"] = "1"
            os.execvp(words[0], [*words, sys.executable, "-B", *sys.argv])
    print("skipped: this user may not mount anything here, not even in a namespace")
    sys.exit(SKIPPED)


def command(*words):
    """Whether it has worked."""
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


class Mounts(FilesystemTest):
    def setUp(self):
        super().setUp()
        self.mounted = os.path.join(self.folder, "disk")
        os.mkdir(self.mounted)

    def path(self, name="result.h5"):
        return os.path.join(self.mounted, name)

    def mount_tmpfs(self, size):
        self.assertTrue(command("mount", "-t", "tmpfs", "-o", f"size={size}", "none",
                                self.mounted))
        self.addCleanup(command, "umount", "--lazy", self.mounted)

    def mount_disk(self, kind="ext4", size=48 << 20):
        """A disk in a file; only where there are loop devices."""
        self.image = os.path.join(self.folder, "image")
        if not os.path.exists(self.image):
            with open(self.image, "wb") as file:
                file.truncate(size)
            if not command("/sbin/mke2fs", "-q", "-F", "-t", kind, self.image):
                self.skipTest("there is no mke2fs")
        if not command("mount", "-t", "ext4", "-o", "loop", self.image, self.mounted):
            self.skipTest("no disk can be made of a file here")
        self.addCleanup(command, "umount", "--lazy", self.mounted)

    def start_and_wait(self, layout):
        """A run of which something is recorded."""
        launch = self.start(KNOWN, *self.words("--item-us", 10000, *self.gated(after=200)),
                            layout=layout)
        launch.wait_for(lambda: os.path.exists(self.path()) and
                        results.done_items(self.path()).sum() > 20, "something is done")
        return launch

    def test_full_at_the_start(self):
        self.mount_tmpfs("64k")
        ending = run(KNOWN, *self.words(), layout=(2, 1))
        self.check_error(ending, "cannot reserve", "No space left", "0.1 MB are free", AGAIN)
        self.assertEqual(os.listdir(self.mounted), [])
        self.assertTrue(command("mount", "-o", "remount,size=1m", self.mounted))
        self.check_goes_on("--item-us", 0, layout=(2, 1))

    def test_too_large_for_the_disk(self):
        """ext4 takes all that there is before it says that this is not enough. What is free is said
        as it was before, and nobody else is without room for a moment."""
        self.mount_disk("ext4", 24 << 20)
        free = os.statvfs(self.mounted)
        ending = run(KNOWN, *self.words("--count", 20000000), layout=(0, 1))
        self.check_error(ending, "cannot reserve", "No space left", AGAIN)
        said = float(re.search(r"\(([\d.]+) MB are free", ending.err)[1])
        self.assertAlmostEqual(said, 1e-6 * free.f_bfree * free.f_frsize, delta=0.5)

    def test_full_in_the_middle(self):
        """Where nothing can be reserved: here, as NFS would have it."""
        if not FAULTY:
            self.skipTest("faulty.so is not built here")
        self.mount_tmpfs("8m")
        with open(self.path("other"), "wb") as file:
            file.write(bytes((8 << 20) - (1 << 20) - 100000))
        unsupported = (f"call=fallocate,path=.h5,errno={errno.EOPNOTSUPP};"
                       f"call=fallocate,path=.h5.new,errno={errno.EOPNOTSUPP}")
        words = self.words("--count", 60000, "--item-us", 0, "--grain", 1000)
        ending = run(KNOWN, *words, layout=(2, 1), env=faulty(unsupported))
        self.check_error(ending, "cannot write", "No space left", "make room", AGAIN)
        self.assertIn("can be reserved", ending.err)
        self.assertLess(self.check_file(), 60000)
        os.unlink(self.path("other"))
        self.run_well(KNOWN, *words, layout=(2, 1))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(60000, seed=3))

    def test_no_blocks_can_be_reserved(self):
        """A disk of an old kind, and full to the last block."""
        self.mount_disk("ext2", 4 << 20)
        with open(self.path("other"), "wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
            except OSError:
                pass
        self.check_error(run(KNOWN, *self.words()), "No space left", AGAIN)
        self.assertEqual(sorted(os.listdir(self.mounted)), ["lost+found", "other"])

    def test_disk_is_lost(self):
        """Nothing more is written, not even the journal: what was forced to disk has to be there.
        """
        self.mount_disk()
        for layout in ((2, 1), (0, 2)):
            launch = self.start_and_wait(layout)
            recorded = int(results.done_items(self.path()).sum())
            folder = os.open(self.mounted, os.O_RDONLY)
            fcntl.ioctl(folder, GOING_DOWN, array.array("I", [WITHOUT_LOG]))
            os.close(folder)
            self.open_gate()
            self.check_error(launch.finish(), "Input/output error", "dmesg", AGAIN)
            self.shut_gate()
            self.assertTrue(command("umount", self.mounted))
            self.mount_disk()
            self.assertGreater(recorded, 0)
            self.check_file()
        self.check_goes_on("--item-us", 0)

    def test_disk_turns_read_only(self):
        """As a damaged one does, whoever writes to it."""
        self.mount_disk()
        launch = self.start_and_wait((2, 1))
        self.assertTrue(command("mount", "-o", "remount,abort", self.mounted))
        self.open_gate()
        self.check_error(launch.finish(), "host ", AGAIN)
        self.check_file()
        shutil.copy(self.path(), os.path.join(self.folder, "copy"))
        self.assertTrue(command("umount", self.mounted))
        command("e2fsck", "-p", self.image)
        self.mount_disk()
        self.check_goes_on("--item-us", 0, layout=(2, 1))

    def test_read_only_from_the_start(self):
        self.mount_tmpfs("32m")
        self.run_well(KNOWN, *self.words("--item-us", 0))
        self.assertTrue(command("mount", "-o", "remount,ro", self.mounted))
        for words in (self.words(), self.words(name="new.h5")):
            ending = run(KNOWN, *words, layout=(2, 1))
            self.assert_ended(ending, 1)
            self.assertIn("read-only", ending.err)
        self.assertEqual(os.listdir(self.mounted), ["result.h5"])
        self.assertEqual(self.check_file(), COUNT)


if __name__ == "__main__":
    if "WEFT_TEST_MOUNTS" not in os.environ:
        enter_namespace()
    main()
