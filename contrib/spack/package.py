# SPDX-License-Identifier: Apache-2.0
"""package.py - Sextant for Spack 1.0 and newer."""
import os

from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
from spack_repo.builtin.build_systems.cuda import CudaPackage

from spack.package import *


class Sextant(AutotoolsPackage, CudaPackage):
    """Distils a reasoning model on a supercomputer: generate, grade, select,
    fine-tune every parameter, evaluate; MPI, parallel HDF5, Slurm."""

    manual_download = True
    url = f"file://{os.getcwd()}/sextant-0.1.0.tar.gz"

    license("Apache-2.0")

    version("0.1.0")

    variant("onednn", default=True, description="oneDNN for matmuls on the CPU")
    variant("zstd", default=True, description="read .zst inputs")
    variant("flint", default=True, description="prove closed forms with FLINT")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5@1.10.5:+mpi")
    depends_on("libconfig@1.5:")
    depends_on("jansson@2.10:")
    depends_on("pcre2@10.30:")
    depends_on("utf8proc@2.2:")
    depends_on("xxhash@0.8:")
    depends_on("openssl@1.1.1:")
    depends_on("zlib-api")
    depends_on("libseccomp@2.4:")
    depends_on("onednn@2.6:", when="+onednn")
    depends_on("zstd@1.4:", when="+zstd")
    depends_on("flint@3:", when="+flint")
    depends_on("cuda@12:", when="+cuda")
    # Programs of models are judged by CPython, in the sandbox.
    depends_on("python@3.8:", type=("build", "run"))

    conflicts("platform=darwin", msg="the sandbox needs Linux")
    conflicts("platform=windows", msg="the sandbox needs Linux")
    conflicts("cuda_arch=none", when="+cuda", msg="say cuda_arch=80,90a")

    def configure_args(self):
        spec = self.spec
        args = [f"CC={spec['mpi'].mpicc}", f"--with-hdf5={spec['hdf5'].prefix}"]
        for name in ("onednn", "zstd", "flint"):
            args += self.with_or_without(name, activation_value="prefix")
        if spec.satisfies("+cuda"):
            args.append(f"--with-cuda={spec['cuda'].prefix}")
            args.append(f"--with-cuda-arch={','.join(spec.variants['cuda_arch'].value)}")
        else:
            args.append("--without-cuda")
        return args

    def setup_run_environment(self, env):
        env.set("SEXTANT_DATADIR", self.prefix.share.sextant)

    def installcheck(self):
        """The installed program computes what its references hold."""
        with working_dir(self.build_directory):
            make("installcheck")
