import subprocess
import sys

CODE = """
import sys
import training.spec, training.schema, training.input, training.supervise, training.__main__, training.worker
sys.exit(", ".join({"tensorflow", "tf_keras", "torch"} & set(sys.modules)))
"""


def test_declaring_and_supervising_import_no_framework():
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=60)
    assert found.stderr.strip() == ""
