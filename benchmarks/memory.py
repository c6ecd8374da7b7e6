"""How much memory a training takes at its peak, beside what it cannot do without: its data and its factors.

Each training runs in a process of its own. The peak is that process's largest resident set minus what it had with the
libraries loaded, the code compiled and the data at hand, plus the data. It is divided by the data and the factors, and
by the same with the data counted twice: ALS needs it by user and by title.

    python benchmarks/memory.py [--factors 64 128 256]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile

from datasets import synthetic
from machine import add_row, print_machine
from scipy.sparse import save_npz

SEED = 0
SIZES = ((100_000, 50_000, 5_000_000), (20_000, 10_000, 4_000_000))
_CHILD = """
import json, sys
import numpy as np
from scipy.sparse import csr_array, load_npz
from mgw.recommend import ALS, AlsSettings

def resident(key):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(key))

factors = int(sys.argv[2])
ALS.fit(csr_array(np.eye(20, dtype=np.float32)), AlsSettings(factors=factors, epochs=2))
train = csr_array(load_npz(sys.argv[1]))
data = train.data.nbytes + train.indices.nbytes + train.indptr.nbytes
open("/proc/self/clear_refs", "w").write("5")  # the peak so far, that of reading the data, is forgotten
before = resident("VmRSS")
model = ALS.fit(train, AlsSettings(factors=factors, epochs=2))
kept = model.user_factors.nbytes + model.item_factors.nbytes
print(json.dumps({"data": data, "factors": kept, "grown": resident("VmHWM") - before}))
"""


def main() -> int:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factors", type=int, nargs="+", default=[64, 128, 256])
    asked = parser.parse_args()
    print_machine(("mgw", "numpy", "numba", "scipy"), f"seed {SEED}")
    heads = ("data MB", "factors MB", "peak MB", "÷ (data + factors)", "÷ (2 data + factors)")
    print(f"\n{'users × titles, pairs':32} factors {heads[0]:>10} {heads[1]:>11} {heads[2]:>10} {heads[3]} {heads[4]}")
    for users, items, pairs in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/train.npz"
            save_npz(file, synthetic(users, items, pairs, SEED)[0], compressed=False)
            for factors in asked.factors:
                found = _measure(file, factors)
                data, kept = found["data"], found["factors"]
                peak = data + found["grown"]
                name = f"{users:,} × {items:,}, {pairs:,}"
                print(
                    f"{name:32} {factors:7} {data / 1e6:10.1f} {kept / 1e6:11.1f} {peak / 1e6:10.1f}"
                    f" {peak / (data + kept):18.2f} {peak / (2 * data + kept):20.2f}"
                )
                add_row(f"{name}, {factors} factors: peak ÷ (2 data + factors)", peak / (2 * data + kept))
    return 0


def _measure(file: str, factors: int) -> dict[str, int]:
    finished = subprocess.run(
        [sys.executable, "-c", _CHILD, file, str(factors)], capture_output=True, text=True, check=True
    )
    return json.loads(finished.stdout)


if __name__ == "__main__":
    sys.exit(main())
