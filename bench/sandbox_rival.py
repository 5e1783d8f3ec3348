# sandbox_rival.py - the same tests as sandbox.c, one `python3 FILE` for each.
#
# usage: sandbox_rival.py [TESTS]
#
# As graders do that start a process for a test (a temporary file, pipes, a
# time-out by the wall clock) and do not confine it at all.
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def cpu():
    return sum(u.ru_utime + u.ru_stime for u in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
walls = []
before, start = cpu(), time.perf_counter()
for i in range(n):
    t = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, 'program.py')
        with open(path, 'w') as f:
            f.write('print(int(input()) ** 2)\n')
        done = subprocess.run([sys.executable, path], input='12\n', timeout=60,
                              capture_output=True, text=True, cwd=place)
    assert done.returncode == 0 and done.stdout == '144\n', done
    walls.append(time.perf_counter() - t)
spent, wall = cpu() - before, time.perf_counter() - start
print('wall_median_ms %.2f  cost_median_ms -  cpu_ms %.2f  tests_per_s %.0f  '
      'tests_per_cpu_s %.0f' % (statistics.median(walls) * 1e3,
                                spent / n * 1e3, n / wall, n / spent))
