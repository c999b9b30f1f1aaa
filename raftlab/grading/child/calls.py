"""The system calls that an answer has no need of, and their numbers in the kernel's tables.

`x86_64` numbers its calls by itself, `aarch64` as asm-generic/unistd.h does.
"""

from collections.abc import Iterator, Mapping, Sequence

MACHINES = ("x86_64", "aarch64")
KINDS: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What the kernel calls a machine, when it is asked whose numbers a call has."""

CAPSET: Mapping[str, int] = {"x86_64": 126, "aarch64": 91}
"""The call that gives up what root may do."""

REFUSED: Mapping[str, tuple[int | None, int | None]] = {
    # sockets
    "socket": (41, 198),
    "socketpair": (53, 199),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "connect": (42, 203),
    # processes and programs
    "clone": (56, 220),
    "clone3": (435, 435),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    # signals and others' processes
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "prlimit64": (302, 261),
    "getrlimit": (97, 163),
    "setrlimit": (160, 164),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "mount_setattr": (442, 442),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # what outlives a process
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # other doors to the kernel
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    # files
    "creat": (85, None),
    "openat2": (437, 437),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    # waiting: what is asked for is there already
    "select": (23, None),
    "pselect6": (270, 72),
    "poll": (7, None),
    "ppoll": (271, 73),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "epoll_pwait2": (441, 441),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "pause": (34, None),
    "alarm": (37, None),
    "setitimer": (38, 103),
    "getitimer": (36, 102),
    "timer_create": (222, 107),
    "timerfd_create": (283, 85),
    "rt_sigtimedwait": (128, 137),
    "io_setup": (206, 0),
    "futex_waitv": (449, 449),
    # whether there is something to read already
    "splice": (275, 76),
    "tee": (276, 77),
    "vmsplice": (278, 75),
    "sendfile": (40, 71),
    "copy_file_range": (326, 285),
    # what the kernel keeps of files: others see it
    "fadvise64": (221, 223),
    "readahead": (187, 213),
    "preadv2": (327, 286),
    "mincore": (27, 232),
    "cachestat": (451, 451),
    "sync_file_range": (277, 84),
    "sync": (162, 81),
    "syncfs": (306, 267),
    "fsync": (74, 82),
    "flock": (73, 32),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    # where a file is, and whether there is one; no mount hides it under Landlock
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "ustat": (136, None),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "chdir": (80, 49),
    "fchdir": (81, 50),
    "getcwd": (79, 17),
    "getxattr": (191, 8),
    "lgetxattr": (192, 9),
    "fgetxattr": (193, 10),
    "listxattr": (194, 11),
    "llistxattr": (195, 12),
    "flistxattr": (196, 13),
    # what differs from machine to machine
    "syslog": (103, 116),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "getpriority": (140, 141),
    "sched_getscheduler": (145, 120),
    "sched_getparam": (143, 121),
    "sched_getattr": (315, 275),
    "sched_rr_get_interval": (148, 127),
    "ioprio_get": (252, 31),
    "capget": (125, 90),
    "get_robust_list": (274, 100),
    "arch_prctl": (158, None),  # it could map the clocks once more
    "getrandom": (318, 278),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrusage": (98, 165),
    "times": (100, 153),
    "getcpu": (309, 168),
    "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113),
    "gettimeofday": (96, 169),
    "time": (201, None),
}
"""What is refused: its number on each of `MACHINES`; None, where it has none."""

SAME: Mapping[str, tuple[int | None, int | None]] = {
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getpgrp": (111, None),
    "getpgid": (121, 155),
    "getsid": (124, 156),
    "set_tid_address": (218, 96),
}
"""What is answered with 0: numbers of processes and users, which differ from run to run."""

HIDDEN: Mapping[str, tuple[int | None, int | None]] = {
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "getdents": (78, None),
    "getdents64": (217, 61),
}
"""What is answered as if there were no such file: when files were written, and their numbers on
the disk, are a clock and a coin; under Landlock they are those of any file."""

NEWER = 453
"""Calls from this number on are newer than these tables, and are refused."""

OPENS: Mapping[str, Sequence[tuple[int, int]]] = {
    "x86_64": ((2, 1), (257, 2)),
    "aarch64": ((56, 2),),
}
"""What opens files: open and openat, and which argument says for what."""
VALUES: Mapping[str, tuple[tuple[int, int], int, Sequence[int]]] = {
    # what becomes a program: a library that is loaded, or instructions that were written
    "mmap": ((9, 222), 2, (4, 5, 6, 7)),
    "mprotect": ((10, 226), 2, (4, 5, 6, 7)),
    "madvise": ((28, 233), 2, (20, 21)),  # what leaves the memory of the kernel
    "prctl": ((157, 167), 0, (26,)),  # whether the processor's own clock is told
}
"""What is refused with some values only: its numbers, which argument, and the values."""
ALLOWED: Mapping[str, tuple[tuple[int, int], int, Sequence[int]]] = {
    # another number for a file, whether programs inherit it, what it was opened for: not locks and
    # flags that others see, signals when a file has something, leases, how large a pipe is
    "fcntl": ((72, 25), 1, (0, 1, 2, 3, 1030)),
    # whether a file is a terminal, and how wide; whether programs inherit it
    "ioctl": ((16, 29), 1, (0x5401, 0x5413, 0x5450, 0x5451)),
}
"""What is refused with any other value: the same."""
FUTEX: Mapping[str, int] = {"x86_64": 202, "aarch64": 98}
"""What waits for a lock; with an end, where its fourth argument says when."""
WHAT, WAIT, WAIT_UNTIL = 0x7F, 0, 9
"""Which bits of its second argument say what is done, and what is a wait."""
CLOCK = "clock_gettime"
OTHER_CLOCKS = ("gettimeofday", "time", "clock_getres", "getcpu")
"""What the kernel lets a process ask without a call, by its names without what is before them."""
STANDS: Mapping[str, bytes] = {
    "x86_64": bytes.fromhex("48c70600ca9a3b 48c7460800000000 31c0 c3"),
    "aarch64": bytes.fromhex("024099d2 4273a7f2 227c00a9 00008052 c0035fd6"),
}
"""The instructions that write 1,000,000,000 s where the second argument says, and return 0."""
FAILS: Mapping[str, bytes] = {
    "x86_64": bytes.fromhex("b8ffffffff c3"),
    "aarch64": bytes.fromhex("00008012 c0035fd6"),
}
"""Those that return -1."""


def by_value(machine: str) -> Iterator[tuple[int, int, Sequence[int], bool]]:
    """The calls of which a value decides: a number, an argument, values, and whether they may."""
    for table, may in ((VALUES, False), (ALLOWED, True)):
        for numbers, place, values in table.values():
            yield numbers[MACHINES.index(machine)], place, values, may


def refused(machine: str) -> tuple[int, ...]:
    """The numbers of the calls that are refused on a machine."""
    return _numbers(REFUSED, machine)


def same(machine: str) -> tuple[int, ...]:
    """The numbers of the calls that are answered with 0 on a machine."""
    return _numbers(SAME, machine)


def hidden(machine: str) -> tuple[int, ...]:
    """The numbers of the calls that find no file on a machine."""
    return _numbers(HIDDEN, machine)


def _numbers(table: Mapping[str, tuple[int | None, int | None]], machine: str) -> tuple[int, ...]:
    place = MACHINES.index(machine)
    return tuple(number for each in table.values() if (number := each[place]) is not None)
