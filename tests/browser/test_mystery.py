"""A real browser works the mystery patient to its end with the keyboard alone."""

import pytest


def focused(page):
    """Return what has the focus: its tag and its text or label."""
    return page.evaluate(
        """() => { const e = document.activeElement;
        const label = e.labels && e.labels.length ? e.labels[0].innerText : '';
        return [e.tagName, (label || e.innerText || '').trim()]; }"""
    )


def tab_to(page, tag, text, most=60):
    """Press Tab until an element with this text has the focus, from wherever it is."""
    seen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        now = focused(page)
        seen.append(now)
        if now[0] == tag and text in now[1]:
            return
    pytest.fail(f"Tab never comes to {tag} {text!r}: {seen}")


def choose(page, label, text, most=80):
    """Choose an entry of a list with the arrow keys, as somebody does who looks at it.

    The server repeats every choice; on a busy machine a late repeat takes the list one back.
    """
    tab_to(page, "SELECT", label)
    page.keyboard.press("Home")
    chosen = ""
    for _ in range(most):
        page.wait_for_timeout(100)
        chosen = selected(page)
        if text in chosen:
            page.wait_for_timeout(1000)
            if text in selected(page):
                return
        else:
            page.keyboard.press("ArrowDown")
    pytest.fail(f"{label} does not stay at {text!r}, the last is {chosen!r}")


def selected(page):
    """Return the chosen entry of the list that has the focus."""
    entry = page.evaluate("document.activeElement.selectedOptions[0].innerText")
    return entry.replace("\xa0", " ")


def test_a_patient_is_solved_with_the_keyboard_alone(page, lab, shot):
    from playwright.sync_api import expect

    page.goto(lab.url("voila/render/mystery.ipynb"))
    page.get_by_text("Mystery patient 7").wait_for()
    live = page.locator("[aria-live=polite]").first
    shot("mystery_start", full_page=True)

    tab_to(page, "BUTTON", "History")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="History, 0 points").wait_for()
    expect(live).to_contain_text("drinks coffee")
    tab_to(page, "BUTTON", "Blood panel")
    page.keyboard.press("Space")
    page.get_by_role("heading", name="Blood panel, 10 points").wait_for()
    expect(live).to_contain_text("ionised calcium: 1.11 mmol/L")
    tab_to(page, "BUTTON", "Blood gas")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Blood gas, 15 points").wait_for()
    alt = page.locator("img").first.get_attribute("alt")
    assert "carbon dioxide: 22 mmHg" in alt and "LOW" in alt
    assert page.get_by_text("Bill: 25 points").count() == 1

    choose(page, "Muscle", "calf")
    tab_to(page, "BUTTON", "Electromyogram")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Electromyogram, calf, 25 points").wait_for()
    assert " of units near it" in page.locator("img").first.get_attribute("alt")
    shot("mystery_tests", full_page=True)

    choose(page, "Cause", "Anxiety with")
    choose(page, "Remedy", "calm")
    tab_to(page, "BUTTON", "Propose")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Outcome").wait_for()
    assert focused(page) == ["BUTTON", "Propose"]  # nothing takes the keyboard away
    outcome = page.locator("[aria-live=polite]").last.inner_text()
    assert "Right: Anxiety with over-breathing." in outcome and "90 of 100" in outcome
    assert "not medical advice" in outcome
    shot("mystery_end", full_page=True)

    tab_to(page, "INPUT", "Patient number")
    page.keyboard.press("Control+A")
    page.keyboard.type("8")
    tab_to(page, "BUTTON", "See this patient")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Mystery patient 8").wait_for()
    page.get_by_text("Bill: 0 points").wait_for()
    assert page.get_by_role("heading", name="Outcome").count() == 0
