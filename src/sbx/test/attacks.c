/* attacks.c - the attack programs; doc/sandbox.md says where they come from.
 */
#include "attacks.h"

const char attack_prelude[] =
    "FILE, PARENT, PORT, NAME = '%s', %d, %d, '%s'\n"
    "import os, sys, signal, socket, time\n"
    "try:\n"
    "    import ctypes\n"
    "    libc = ctypes.CDLL(None, use_errno=True)\n"
    "except ImportError:\n"
    "    pass\n"
    "def call(number, *args):\n"
    "    args = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]\n"
    "    if libc.syscall(ctypes.c_long(number), *args) == -1:\n"
    "        raise OSError(ctypes.get_errno(), 'call %%d' %% number)\n"
    "def write(path, data=b'x', mode='wb'):\n"
    "    with open(path, mode) as f: f.write(data)\n"
    "def try_all(*tries):\n"
    "    for i, t in enumerate(tries):\n"
    "        try: t()\n"
    "        except (OSError, OverflowError, NameError): continue\n"
    "        print('LEAK', i)\n"
    "    print('held')\n";

/* Numbers of x86-64 for calls that Python has no function for. */
#define BY_NUMBER                          \
    "import platform\n"                    \
    "if platform.machine() != 'x86_64':\n" \
    "    print('held')\n"                  \
    "    sys.exit()\n"

const struct attack attacks[] = {
    { "fork bomb",
      "while True:\n"
      "    try: os.fork()\n"
      "    except OSError: pass\n",
      ENDS(SXT_RUN_CPU) | ENDS(SXT_RUN_PROCESSES) | ENDS(SXT_RUN_WALL),
      ANYWHERE },
    /* Without a user namespace the watch ends it, or the limit of addresses:
     * 1.4 GB, a stack of 8 MiB each. */
    { "thread bomb",
      "import threading\n"
      "n = 0\n"
      "try:\n"
      "    for i in range(1000):\n"
      "        threading.Thread(target=time.sleep, args=(99,), daemon=True)"
      ".start()\n"
      "        n += 1\n"
      "except RuntimeError: pass\n"
      "print('held' if n < 250 else 'LEAK')\n"
      "sys.stdout.flush()\n"
      "os._exit(0)\n",
      ENDS(SXT_RUN_EXITED) | ENDS(SXT_RUN_PROCESSES), ANYWHERE },
    { "8 GB at once",
      "try: x = bytearray(8 << 30)\n"
      "except MemoryError: print('held')\n",
      0, ANYWHERE },
    { "memory in steps",
      "x = []\n"
      "while True: x.append(bytearray(1 << 20))\n",
      ENDS(SXT_RUN_MEMORY), ANYWHERE },
    { "memory in 6 processes",
      "for i in range(6):\n"
      "    if os.fork() == 0:\n"
      "        x = b'x' * (60 << 20)\n"
      "        time.sleep(99)\n"
      "time.sleep(99)\n",
      ENDS(SXT_RUN_MEMORY), ANYWHERE },
    { "shared memory",
      "import mmap\n"
      "m = mmap.mmap(-1, 1 << 30)\n"
      "for i in range(0, 1 << 30, 4096): m[i] = 1\n"
      "print('LEAK')\n",
      ENDS(SXT_RUN_MEMORY), ANYWHERE },
    { "memory without a process: memfd, shm, mq",
      BY_NUMBER "try_all(lambda: call(319, b'x', 0), "
                "lambda: call(29, 7, 1 << 20, 0o1600), "
                "lambda: call(240, b'/x', 0o102, 0o600, None))\n",
      0, ANYWHERE },
    { "zip bomb",
      "import zlib\n"
      "c = zlib.compressobj(9)\n"
      "z = b''.join(c.compress(bytes(1 << 20)) for i in range(512)) + "
      "c.flush()\n"
      "zlib.decompress(z)\n"
      "print('LEAK')\n",
      ENDS(SXT_RUN_MEMORY) | ENDS(SXT_RUN_CPU), ANYWHERE },
    { "recursion without end",
      "sys.setrecursionlimit(10 ** 9)\n"
      "class A:\n"
      "    def __getattr__(self, n): return getattr(self, n + 'x')\n"
      "A().y\n",
      ENDS(SXT_RUN_EXITED) | ENDS(SXT_RUN_SIGNALLED) | ENDS(SXT_RUN_MEMORY) |
          ENDS(SXT_RUN_CPU),
      FULL_ONLY },
    { "a full disk",
      "def fill():\n"
      "    for i in range(99): write('/tmp/%d' % i, bytes(1 << 20))\n"
      "try_all(fill)\n",
      0, ANYWHERE },
    { "200000 files",
      "def make():\n"
      "    for i in range(200000): write('/tmp/%d' % i, b'')\n"
      "try_all(make)\n",
      0, ANYWHERE },
    { "a sparse file of 1 TB",
      "try_all(lambda: os.truncate('/tmp/x', 1 << 40), "
      "lambda: os.ftruncate(os.open('/tmp/y', 66), 1 << 40), "
      "lambda: os.posix_fallocate(os.open('/tmp/y', 66), 0, 1 << 30))\n",
      0, ANYWHERE },
    { "stdout flood", "while True: print('x' * 9999)\n", ENDS(SXT_RUN_OUTPUT),
      ANYWHERE },
    { "stderr flood", "while True: os.write(2, b'x' * 9999)\n",
      ENDS(SXT_RUN_OUTPUT), ANYWHERE },
    { "reading the user's and the system's files",
      "try_all(*[lambda p=p: open(p, 'rb').read(1) for p in (FILE, "
      "'/etc/passwd', '/etc/shadow', '/etc/hostname', '/proc/1/environ', "
      "'/proc/self/environ', '/proc/%d/environ' % PARENT, '/proc/cpuinfo', "
      "'/proc/self/mem', '/sys/kernel/uevent_seqnum', '/dev/kmsg', "
      "'/dev/mem', '/dev/tty', '/dev/fuse')])\n",
      0, ANYWHERE },
    { "listing directories",
      "try_all(*[lambda p=p: os.listdir(p) for p in ('/etc', '/root', "
      "'/home', '/proc', '/sys', '/var', '/dev/shm', '/run', '/mnt', "
      "'/boot', '/tmp/../etc') if not sys.executable.startswith(p)])\n",
      0, ANYWHERE },
    { "learning that a path exists",
      "try_all(lambda: os.stat(FILE), lambda: os.stat('/etc/passwd'), "
      "lambda: os.readlink('/proc/self/exe'))\n",
      0, FULL_ONLY },
    { "devices beyond null, zero and random",
      "d = set(os.listdir('/dev')) - {'null', 'zero', 'random', 'urandom'}\n"
      "print('LEAK' if d else 'held', d)\n",
      0, FULL_ONLY },
    { "the caller's environment",
      "d = [k for k in os.environ if 'SECRET' in k or 'MPI' in k or "
      "'SLURM' in k]\n"
      "print('LEAK' if d else 'held')\n",
      0, ANYWHERE },
    { "inherited files",
      "found = []\n"
      "for fd in range(3, 1024):\n"
      "    try: os.fstat(fd)\n"
      "    except OSError: continue\n"
      "    found.append(fd)\n"
      "print('LEAK' if found else 'held', found)\n",
      0, ANYWHERE },
    { "sockets of seven families",
      "try_all(*[lambda f=f, t=t: socket.socket(f, t) for f, t in "
      "((2, 1), (2, 2), (10, 1), (1, 1), (1, 2), (40, 1), (16, 3), (17, 3), "
      "(38, 5))], lambda: socket.socketpair(socket.AF_UNIX, "
      "socket.SOCK_DGRAM))\n",
      0, ANYWHERE },
    { "connections",
      "def go(s, a):\n"
      "    s.connect(a)\n"
      "a, b = socket.socketpair()\n"
      "try_all(lambda: socket.create_connection(('127.0.0.1', PORT), 1), "
      "lambda: go(socket.socket(socket.AF_UNIX), '\\0' + NAME), "
      "lambda: go(a, '\\0' + NAME), lambda: a.bind('/tmp/s'), "
      "lambda: a.sendmsg([b'x'], [(1, 1, b'0000')]))\n",
      0, ANYWHERE },
    { "kill(-1)",
      "try: os.kill(-1, signal.SIGTERM)\n"
      "except OSError: pass\n"
      "print('held')\n",
      0, ANYWHERE },
    { "signals to the parent and to init's number",
      "try_all(lambda: os.kill(PARENT, 0), lambda: os.kill(PARENT, 15), "
      "lambda: os.killpg(PARENT, 0), lambda: signal.pidfd_send_signal("
      "os.pidfd_open(PARENT), 0))\n"
      "try: os.kill(1, 9)\n"
      "except OSError: pass\n",
      0, ANYWHERE },
    { "signals through file ownership",
      "import fcntl\n"
      "r, w = os.pipe()\n"
      "try_all(lambda: fcntl.fcntl(r, fcntl.F_SETOWN, PARENT), "
      "lambda: fcntl.fcntl(r, 10, 9))\n",
      0, ANYWHERE },
    { "tracing and reading the parent",
      BY_NUMBER "b = ctypes.create_string_buffer(64)\n"
                "try_all(lambda: call(101, 16, PARENT, 0, 0), "
                "lambda: call(101, 0x4206, PARENT, 0, 0), "
                "lambda: call(310, PARENT, b, 1, b, 1, 0), "
                "lambda: call(312, PARENT, PARENT, 0, 0, 0), "
                "lambda: call(438, 3, 0, 0))\n",
      0, ANYWHERE },
    { "the parent's limits, priority and processors",
      "import resource\n"
      "try_all(lambda: resource.prlimit(PARENT, resource.RLIMIT_NOFILE, "
      "(9, 9)), lambda: os.setpriority(os.PRIO_PROCESS, PARENT, 19), "
      "lambda: os.sched_setaffinity(PARENT, {0}), "
      "lambda: os.sched_setaffinity(0, {0}))\n",
      0, ANYWHERE },
    { "writing outside",
      "try_all(*[lambda p=p: write(p) for p in ('/leak', '/usr/leak', "
      "'/usr/lib/leak', '/dev/leak', '/var/tmp/leak', '/dev/shm/leak', "
      "'/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', "
      "'/proc/self/oom_score_adj', os.__file__, sys.executable)], "
      "lambda: write(FILE, b'x', 'r+b'))\n",
      0, ANYWHERE },
    { "metadata of files outside",
      "try_all(*[f for p in (FILE, os.__file__, '/dev/null', '/') for f in ("
      "lambda p=p: os.chmod(p, 0o777), lambda p=p: os.utime(p, (1, 1)), "
      "lambda p=p: os.chown(p, 0, 0), "
      "lambda p=p: os.setxattr(p, 'user.a', b'x'), "
      "lambda p=p: os.removexattr(p, 'user.a'))])\n",
      0, ANYWHERE },
    { "moving, linking and removing files outside",
      "try_all(lambda: os.unlink(FILE), lambda: os.rename(FILE, '/tmp/x'), "
      "lambda: os.link(FILE, '/tmp/x'), lambda: os.truncate(FILE, 0), "
      "lambda: os.rename('/tmp', '/x'), lambda: os.rmdir('/tmp'), "
      "lambda: os.mkdir('/x'))\n",
      0, ANYWHERE },
    { "links that lead outside",
      "def follow():\n"
      "    os.symlink(FILE, '/tmp/l')\n"
      "    open('/tmp/l').read()\n"
      "def climb():\n"
      "    os.symlink('../' * 20 + 'etc/passwd', '/tmp/m')\n"
      "    open('/tmp/m').read()\n"
      "try_all(follow, climb, lambda: os.mkfifo('/tmp/f'), "
      "lambda: os.mknod('/tmp/d', 0o20666, os.makedev(1, 1)))\n",
      0, ANYWHERE },
    { "escapes from the root",
      BY_NUMBER
      "fd = None\n"
      "def up():\n"
      "    os.chdir('../' * 30)\n"
      "    if os.path.exists('etc'): return\n"
      "    raise OSError\n"
      "try_all(lambda: os.chroot('/tmp'), up, "
      "lambda: call(155, b'/', b'/tmp'), lambda: call(304, -1, b'', 0), "
      "lambda: call(303, -100, b'/', b'0' * 99, b'0' * 9, 0), "
      "lambda: call(428, -100, b'/', 1), lambda: call(430, b'proc', 0))\n",
      0, FULL_ONLY },
    { "other users and rights",
      BY_NUMBER
      "try_all(lambda: os.setuid(0), lambda: os.setgid(0), "
      "lambda: os.setgroups([0]), lambda: os.setresuid(0, 0, 0), "
      "lambda: call(126, b'0' * 24, b'1' * 24), lambda: call(157, 38, 0, 0), "
      "lambda: call(157, 1, 0, 0), lambda: call(157, 4, 1, 0), "
      "lambda: call(157, 22, 0, 0))\n",
      0, ANYWHERE },
    { "namespaces and mounts",
      BY_NUMBER
      "try_all(*[lambda f=f: call(272, f) for f in (0x10000000, 0x20000, "
      "0x40000000, 0x20000000)], lambda: call(56, 0x10000011, 0, 0, 0, 0), "
      "lambda: call(435, b'0' * 88, 88), lambda: call(308, 0, 0), "
      "lambda: call(165, b'x', b'/tmp', b'tmpfs', 0, 0), "
      "lambda: call(166, b'/tmp', 2))\n",
      0, ANYWHERE },
    { "thirty calls no program needs",
      BY_NUMBER
      "try_all(*[lambda n=n: call(n, 0, 0, 0, 0, 0) for n in (425, 250, 248, "
      "249, 321, 298, 323, 135, 169, 175, 313, 246, 167, 170, 171, 227, 164, "
      "179, 163, 172, 173, 154, 149, 151, 103, 253, 294, 300, 216, 203, 144, "
      "314, 251, 141, 256, 279, 434, 440, 444, 446, 447, 450)])\n",
      0, ANYWHERE },
    { "system calls of 32-bit programs",
      BY_NUMBER "import mmap\n"
                "m = mmap.mmap(-1, 4096, prot=7)\n"
                "m.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')\n"
                "f = ctypes.CFUNCTYPE(ctypes.c_int)("
                "ctypes.addressof(ctypes.c_char.from_buffer(m)))\n"
                "print('LEAK', f())\n",
      ENDS(SXT_RUN_SIGNALLED), ANYWHERE },
    { "own machine code in a file",
      "def go():\n"
      "    write('/tmp/x', open(sys.executable, 'rb').read())\n"
      "    os.chmod('/tmp/x', 0o755)\n"
      "    os.execv('/tmp/x', ['x', '-c', 'print(\"LEAK\")'])\n"
      "try_all(go, lambda: os.execv('/bin/sh', ['sh', '-c', 'echo LEAK']), "
      "lambda: os.execv('/usr/bin/su', ['su']))\n",
      0, ANYWHERE },
    { "typing into the terminal",
      "import fcntl\n"
      "try_all(lambda: fcntl.ioctl(0, 0x5412, b'x'), "
      "lambda: fcntl.ioctl(1, 0x5412, b'x'), "
      "lambda: fcntl.ioctl(0, 0x541c, b'\\3'))\n",
      0, ANYWHERE },
    { "changing the input for others",
      "try_all(lambda: os.write(0, b'x'), lambda: os.ftruncate(0, 0), "
      "lambda: os.ftruncate(0, 999))\n",
      0, ANYWHERE },
    { "a higher limit for itself",
      "import resource\n"
      "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))\n"
      "try: bytearray(8 << 30)\n"
      "except MemoryError: print('held')\n",
      0, ANYWHERE },
    { "a core file",
      "import faulthandler\n"
      "os.abort()\n",
      ENDS(SXT_RUN_SIGNALLED), ANYWHERE },
    { "a daemon",
      "if os.fork() == 0:\n"
      "    try: os.setsid()\n"
      "    except OSError: pass\n"
      "    if os.fork() == 0:\n"
      "        for fd in range(3): os.close(fd)\n"
      "        time.sleep(30)\n"
      "    os._exit(0)\n"
      "print('held')\n",
      0, ANYWHERE },
    { "a child that keeps the output open",
      "if os.fork() == 0: time.sleep(30)\n"
      "print('held')\n",
      0, ANYWHERE },
    { "time burnt by children that nobody waits for",
      "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
      "while True:\n"
      "    if os.fork() == 0:\n"
      "        end = time.time() + 0.3\n"
      "        while time.time() < end: pass\n"
      "        os._exit(0)\n"
      "    time.sleep(0.25)\n",
      ENDS(SXT_RUN_CPU) | ENDS(SXT_RUN_WALL), ANYWHERE },
    { "a sleeper that ignores every signal",
      "for s in range(1, 65):\n"
      "    try: signal.signal(s, signal.SIG_IGN)\n"
      "    except (OSError, ValueError): pass\n"
      "while True: time.sleep(99)\n",
      ENDS(SXT_RUN_WALL), ANYWHERE },
    { "a process that stops itself", "os.kill(os.getpid(), signal.SIGSTOP)\n",
      ENDS(SXT_RUN_WALL), FULL_ONLY },
    { "arithmetic that never returns", "10 ** 10 ** 8\n",
      ENDS(SXT_RUN_CPU) | ENDS(SXT_RUN_MEMORY), ANYWHERE },
    { "a regular expression that never returns",
      "import re\n"
      "re.match('(a*)*b', 'a' * 99)\n",
      ENDS(SXT_RUN_CPU), ANYWHERE },
    { "a message for the next program",
      "if os.path.exists('/tmp/note'): print('LEAK')\n"
      "try: write('/tmp/note')\n"
      "except OSError: pass\n"
      "print('held')\n",
      0, ANYWHERE },
    { "the message found",
      "if os.path.exists('/tmp/note'): print('LEAK')\n"
      "print('held')\n",
      0, ANYWHERE },
    { "locks that others could see",
      "import fcntl\n"
      "a, b = open(os.__file__), open(os.__file__)\n"
      "def lock():\n"
      "    fcntl.flock(a, fcntl.LOCK_EX)\n"
      "    try: fcntl.flock(b, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
      "    except BlockingIOError: return\n"
      "    raise OSError\n"
      "try_all(lock, lambda: fcntl.fcntl(a, fcntl.F_GETLK, bytes(32)))\n",
      0, ANYWHERE },
    { "leases and notices of others' files",
      BY_NUMBER "import fcntl\n"
                "a = open(os.__file__)\n"
                "try_all(lambda: fcntl.fcntl(a, 1024, 0), "
                "lambda: fcntl.fcntl(a, 1026, 1), lambda: call(253), "
                "lambda: call(294, 0), lambda: call(300, 0, 0), "
                "lambda: call(301, 0, 1, 1, -100, b'/'))\n",
      0, ANYWHERE },
    { "devices of a cluster",
      "try_all(*[lambda p=p: os.open(p, os.O_RDWR) for p in ("
      "'/dev/infiniband/uverbs0', '/dev/infiniband/rdma_cm', "
      "'/dev/nvidia0', '/dev/nvidiactl', '/dev/nvidia-uvm', '/dev/kfd', "
      "'/dev/dri/card0', '/dev/fuse', '/dev/kvm', '/dev/vsock', "
      "'/dev/net/tun', '/dev/loop-control', '/dev/ptmx')])\n",
      0, ANYWHERE },
    { "the scheduler's and other services' sockets and credentials",
      "def seen(p):\n"
      "    if not os.listdir(p): raise OSError\n"
      "try_all(*[lambda p=p: seen(p) for p in ('/run/munge', "
      "'/var/run/munge', '/var/spool/slurmd', '/etc/slurm', '/run/user', "
      "'/run/dbus', '/var/lib/sss', '/run/lock', '/lustre', '/gpfs')], "
      "*[lambda p=p: open(p).read(1) for p in ('/run/munge/munge.socket.2', "
      "'/etc/munge/munge.key', '/tmp/krb5cc_0', '/tmp/krb5cc_1000', "
      "'/etc/krb5.keytab', '/etc/slurm/slurm.conf', "
      "'/proc/self/cgroup', '/proc/self/mountinfo')])\n",
      0, ANYWHERE },
    { "shared memory of other jobs",
      "def seen():\n"
      "    if not os.listdir('/dev/shm'): raise OSError\n"
      "def make():\n"
      "    from multiprocessing import shared_memory\n"
      "    shared_memory.SharedMemory('sextant', create=True, size=9)\n"
      "def sem():\n"
      "    import multiprocessing\n"
      "    multiprocessing.Semaphore()\n"
      "try_all(seen, make, sem, lambda: write('/dev/shm/x'))\n",
      0, ANYWHERE },
    { "the clock",
      BY_NUMBER "b = bytes(256)\n"
                "try_all(lambda: time.clock_settime(0, 1), "
                "lambda: call(164, b, 0), lambda: call(159, b), "
                "lambda: call(305, 0, b), lambda: call(227, 0, b))\n",
      0, ANYWHERE },
    { "open files of other processes",
      BY_NUMBER "try_all(lambda: call(438, 0, 0, 0), "
                "lambda: call(434, PARENT, 0), lambda: call(434, 1, 0), "
                "lambda: call(424, 0, 9, 0, 0), "
                "*[lambda p=p: os.listdir('/proc/%s/fd' % p) "
                "for p in (PARENT, 1, 'self')])\n",
      0, ANYWHERE },
    { "another filter for its children",
      BY_NUMBER
      "b = bytes(64)\n"
      "try_all(lambda: call(317, 1, 8, b), lambda: call(317, 2, 0, b), "
      "lambda: call(157, 22, 2, b), lambda: call(444, b, 8, 0), "
      "lambda: call(446, 0, 0))\n",
      0, ANYWHERE },
    { "an own library",
      "def load():\n"
      "    path = [m.__file__ for m in list(sys.modules.values()) if "
      "str(getattr(m, '__file__', '')).endswith('.so')][0]\n"
      "    write('/tmp/x.so', open(path, 'rb').read())\n"
      "    ctypes.CDLL('/tmp/x.so')\n"
      "try_all(load)\n",
      0, ANYWHERE },
    { "another interpreter, with other options",
      "import subprocess\n"
      "done = subprocess.run([sys.executable, '-c', "
      "'import os, socket\\n"
      "for f in (lambda: open(%r), lambda: socket.socket(), "
      "lambda: os.listdir(\"/etc\"), lambda: os.setuid(0)):\\n"
      "    try: f(); print(\"LEAK\")\\n"
      "    except OSError: pass' % FILE], capture_output=True)\n"
      "print(done.stdout, 'held')\n",
      0, ANYWHERE },
    { "a storm of timers",
      "signal.signal(signal.SIGALRM, lambda *a: None)\n"
      "signal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)\n"
      "while True: pass\n",
      ENDS(SXT_RUN_CPU), ANYWHERE },
    { "children that nobody buries",
      "try:\n"
      "    for i in range(9999):\n"
      "        if os.fork() == 0: os._exit(0)\n"
      "    print('LEAK')\n"
      "except OSError: print('held')\n"
      "sys.stdout.flush()\n"
      "os._exit(0)\n",
      ENDS(SXT_RUN_EXITED) | ENDS(SXT_RUN_PROCESSES) | ENDS(SXT_RUN_CPU),
      ANYWHERE },
    { "a relay: each process burns a little and starts the next",
      "while True:\n"
      "    end = time.process_time() + 0.02\n"
      "    while time.process_time() < end: pass\n"
      "    pid = os.fork()\n"
      "    if pid:\n"
      "        os.waitpid(pid, 0)\n"
      "        os._exit(0)\n",
      ENDS(SXT_RUN_CPU) | ENDS(SXT_RUN_PROCESSES) | ENDS(SXT_RUN_WALL),
      ANYWHERE },
    { "memory of the kernel, in pipes",
      "import fcntl\n"
      "n = 0\n"
      "try:\n"
      "    while True:\n"
      "        r, w = os.pipe()\n"
      "        os.set_blocking(w, False)\n"
      "        try: fcntl.fcntl(w, 1031, 1 << 20); print('LEAK')\n"
      "        except OSError: pass\n"
      "        n += os.write(w, bytes(1 << 20))\n"
      "except OSError: print('held' if n < 32 << 20 else 'LEAK')\n",
      0, ANYWHERE },
    { "arguments without end",
      "try_all(lambda: os.execv(sys.executable, ['x', '-c', 'print(\"LEAK\")'] "
      "+ ['y' * 30000] * 1000))\n",
      0, ANYWHERE },
    { "a mapping of a terabyte",
      "import mmap\n"
      "try_all(lambda: mmap.mmap(-1, 1 << 40), "
      "lambda: mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | "
      "mmap.MAP_ANONYMOUS | 0x4000))\n",
      0, ANYWHERE },
    { "forged reports and requests on every file",
      "for fd in range(3, 1024):\n"
      "    for size in (1, 4, 88, 96):\n"
      "        try: os.write(fd, bytes(size))\n"
      "        except OSError: continue\n"
      "        print('LEAK', fd)\n"
      "print('held')\n",
      0, ANYWHERE },
    { "the death of init and of whoever started it",
      "for p in (1, os.getppid(), 0):\n"
      "    for s in (19, 9, 11, 6):\n"
      "        try: p and os.kill(p, s)\n"
      "        except OSError: pass\n"
      "print('held')\n",
      0, ANYWHERE },
};

const size_t n_attacks = sizeof(attacks) / sizeof(*attacks);
