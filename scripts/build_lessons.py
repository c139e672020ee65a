"""Write the table of lessons in docs/lessons.md from their sources, notebooks/NN_name.md.

Run it after a change of title, audience, minutes or goal: a test fails while they differ.

    python scripts/build_lessons.py
"""

from neurosim.classroom.lessons.build import lessons_page

if __name__ == "__main__":
    page, text = lessons_page()
    page.write_bytes(text)
    print(f"Written into {page}")
