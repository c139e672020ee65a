"""The article's report opens from a disk, and by keyboard alone."""

from neurosim.article import report
from neurosim.base import files
from neurosim.view import export


def test_report_opens_from_a_file(page, small_article, tmp_path):
    written = export.text_bytes(report.report_html(small_article))
    files.write_files(tmp_path, {"report.html": written})
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("img").count() > 0
    for image in page.locator("img").all():
        assert len(image.get_attribute("alt")) > 20
        assert image.evaluate("e => e.complete && e.naturalWidth > 100")
    rows = page.locator("details").count()
    assert rows > 46
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = false; })")
    reached = 0
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") != "SUMMARY":
            if reached and page.evaluate("document.activeElement === document.body"):
                break
            continue
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.parentElement.open")
        page.keyboard.press("Enter")  # closed again, so that what it holds takes no Tab
        reached += 1
    inner = page.locator("details details").count()
    assert reached == rows - inner
