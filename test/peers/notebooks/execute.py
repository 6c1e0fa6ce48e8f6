"""Executes a notebook and prints it with its outputs, as JSON; a cell that fails is an output like any other.

    python test/peers/notebooks/execute.py NOTEBOOK FOLDER

FOLDER is where the notebook's relative paths and imports begin.
"""

import sys

import nbformat
from nbclient import NotebookClient

path, folder = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
client = NotebookClient(
    notebook, kernel_name="tslab", timeout=600, allow_errors=True, resources={"metadata": {"path": folder}}
)
client.execute(cwd=folder)
for cell in notebook.cells:
    # When a cell ran is another time each time.
    cell.metadata.pop("execution", None)
print(nbformat.writes(notebook))
