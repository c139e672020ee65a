"""Write what is committed of the lessons from their sources, notebooks/NN_name.md.

The pupils' copies, notebooks/NN_name.ipynb, and the table in docs/lessons.md. Run it after every
change of a source: a test fails while they differ.

    python scripts/build_lessons.py
"""

from neurosim.base.files import write_files
from neurosim.classroom.lessons import build, source

if __name__ == "__main__":
    made = build.checkout_files()
    print("\n".join(map(str, write_files(source.source_folder().parent, made))))
