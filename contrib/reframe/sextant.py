# SPDX-License-Identifier: Apache-2.0
"""sextant.py - a site's check with ReFrame 4: the mini pipeline on 1, 2 and 4
ranks, against the references that come with Sextant.

    reframe -C site.py -c contrib/reframe -r -S '*.source=DIR'

DIR is Sextant's source tree; the program is that of the environment's PATH.
"""
import os

import reframe as rfm
import reframe.utility.sanity as sn

FILES = ["problems", "generations", "verdicts", "train", "eval-base", "metrics"]


@rfm.simple_test
class SextantMini(rfm.RunOnlyRegressionTest):
    descr = "Sextant: the small mini pipeline, and its references"
    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    sourcesdir = None
    source = variable(str, value=os.path.dirname(
        os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    ranks = parameter([1, 2, 4])
    num_cpus_per_task = 1
    time_limit = "20m"
    executable = "sextant"
    executable_opts = ["pipeline", "small.cfg", "-o", "run"]
    env_vars = {"OMP_NUM_THREADS": "1"}

    @run_after("init")
    def set_ranks(self):
        self.num_tasks = self.ranks

    @run_before("run")
    def make_config(self):
        mini = os.path.join(self.source, "inputs", "mini")
        golden = os.path.join(self.source, "validation", "golden")
        self.prerun_cmds = [
            f"ln -s {mini} mini",
            f"sed -f {self.source}/validation/mini-small.sed mini/mini.cfg >small.cfg",
        ]
        self.postrun_cmds = [
            f"sextant diff {golden}/mini-{name}.h5 run/{name}.h5" for name in FILES
        ]

    @sanity_function
    def is_as_reference(self):
        found = sn.count(sn.findall(r"datasets compared, 0 differ", self.stdout))
        return sn.all([
            sn.assert_found(r"^Result: teacher ", self.stdout),
            sn.assert_eq(found, len(FILES)),
        ])

    @performance_function("tokens/s")
    def training_rate(self):
        """Of the last step."""
        return sn.extractsingle(
            r"grad norm .*  ([0-9.]+ k?) ?tokens/s", self.stdout, 1, item=-1,
            conv=lambda rate: float(rate.rstrip(" k")) * (1000 if "k" in rate else 1))
