"""Write the pupils' copies, notebooks/NN_name.ipynb, from their sources, notebooks/NN_name.md.

Run it after every change of a source: a test fails while they differ.

    python scripts/build_lessons.py
"""

from neurosim.show import lessons
from neurosim.show.export import write_files

if __name__ == "__main__":
    copies = {
        f"{path.stem}.ipynb": lessons.notebook_bytes(lessons.student(lessons.read(path)))
        for path in lessons.chosen([])
    }
    print("\n".join(map(str, write_files(lessons.folder(), copies))))
