"""How often Python looks for circles of dead objects (内存回收), and in how large pages its memory lies.

By default it looks after every 700 objects more, which a page or a batch makes many times over, and
looks through everything that the start-up made. What the start-up made stays; the rest is looked
through seldom. Objects in no circle, nearly all of ours, go at once as before.

A page of ours touches some megabytes, here and there, in a hundred: more places than the processor
keeps the addresses of. Where the system gives large pages to who asks (transparent_hugepage: madvise or
always), what the start-up left is put into such, and once more what the first minute left, the pages'
templates above all; elsewhere everything stays as it is.
"""

from __future__ import annotations

import ctypes
import gc
import re
import threading
from pathlib import Path

THRESHOLD = (50_000, 20, 50)
LARGE = 2 << 20  # a large page of x86-64 and, with pages of 4 KB, of aarch64
WARM = 60.0  # seconds until a process has drawn the pages that are asked for most
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25  # madvise(2); COLLAPSE since Linux 6.1
ASKED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
MAPPED = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p 00000000 00:00 0 *(\[heap\])?\n")


def settle() -> None:
    """Called once, when everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLD)
    in_large_pages()


def settle_again() -> threading.Timer:
    """The same with what the first minute leaves, beside the requests: 20 to 50 ms for 80 MB, in
    pieces of 2 MB."""
    timer = threading.Timer(WARM, in_large_pages)
    timer.daemon = True
    timer.start()
    return timer


def in_large_pages() -> int:
    """Put this process's own memory into large pages; how many bytes of it now lie in such. Nothing
    of what is in memory changes, nor how it is read; what the system does not want to put together
    stays as it was."""
    if not ASKED.exists() or "[never]" in ASKED.read_text():
        return 0
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    put = 0
    for begin, end, _ in MAPPED.findall(Path("/proc/self/maps").read_text()):
        first = -(-int(begin, 16) // LARGE) * LARGE
        size = int(end, 16) // LARGE * LARGE - first
        if size > 0 and advise(first, size, MADV_HUGEPAGE) == 0:
            put += size if advise(first, size, MADV_COLLAPSE) == 0 else 0
    return put
