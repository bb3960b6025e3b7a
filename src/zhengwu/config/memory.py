"""How often Python looks for circles of dead objects (内存回收), and in how large pages its memory lies.

By default it looks after every 700 objects more, which a page or a batch makes many times over, and
looks through everything that the start-up made. What the start-up made stays; the rest is looked
through seldom. Objects in no circle, nearly all of ours, go at once as before.

A page of ours touches some megabytes, here and there, in a hundred: more places than the processor
keeps the addresses of. Where the system gives large pages to who asks (transparent_hugepage: madvise or
always), what the start-up left is put into such, and later what has come to lie beside it, the pages'
templates above all; elsewhere everything stays as it is.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import threading
import time
from pathlib import Path

THRESHOLD = (50_000, 20, 50)
LARGE = 2 << 20  # a large page of x86-64 and, with pages of 4 KB, of aarch64
PAGE = os.sysconf("SC_PAGE_SIZE")
FULL = 3 / 4  # of a piece that is in use already; the rest of it is memory that goes with it
FIRST, EACH = 60.0, 1_800.0  # seconds from the start, and from then on
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25  # madvise(2); COLLAPSE since Linux 6.1
ASKED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
MAPPED = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p 00000000 00:00 0 *(\[heap\])?\n")


def settle() -> None:
    """Called once, when everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLD)
    in_large_pages()


def keep_settled() -> threading.Thread:
    """`in_large_pages` again a minute after the start and every half hour, beside the requests."""

    def again() -> None:
        pause = FIRST
        while True:
            time.sleep(pause)
            in_large_pages()
            pause = EACH

    thread = threading.Thread(target=again, name="memory", daemon=True)
    thread.start()
    return thread


def in_large_pages() -> int:
    """Put this process's own memory into large pages, piece by piece where most of one is in use; how
    many bytes of it now lie in such. Nothing of what is in memory changes, nor how it is read; what the
    system does not want to put together stays as it was."""
    if not ASKED.exists() or "[never]" in ASKED.read_text():
        return 0
    libc = ctypes.CDLL(None)
    advise, present = libc.madvise, libc.mincore
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    present.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    held = ctypes.create_string_buffer(LARGE // PAGE)
    put = 0
    for begin, end, _ in MAPPED.findall(Path("/proc/self/maps").read_text()):
        first, last = -(-int(begin, 16) // LARGE) * LARGE, int(end, 16) // LARGE * LARGE
        for piece in range(first, last, LARGE):
            if present(piece, LARGE, held) or held.raw.count(1) < FULL * len(held.raw):
                continue
            if (
                advise(piece, LARGE, MADV_HUGEPAGE) == 0
                and advise(piece, LARGE, MADV_COLLAPSE) == 0
            ):
                put += LARGE
    return put
