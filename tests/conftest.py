"""Slow tests are skipped unless pytest is given --slow; an article's result without a run."""

import os
from dataclasses import replace

import numpy as np
import pytest

os.environ["NEUROSIM_CACHE"] = "0"  # nobody's cache is read or filled by a test


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the tests that need minutes")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


@pytest.fixture(scope="session")
def small_article():
    """Return a whole `Article` of six people whose rates are drawn, judged by the real rules."""
    from neurosim.study import article, compare
    from neurosim.study.claims import CLAIMS
    from neurosim.study.remedies import matrix
    from neurosim.study.scenario import scenario

    base = scenario("normal")
    rng = np.random.default_rng(5)
    person = rng.lognormal(0.0, 1.0, 6)
    rates = {n: person * rng.choice([0.001, 0.3, 1.0, 30.0]) * rng.lognormal(0.0, 0.02, 6)
             for some in article._asked(base) for n in some}  # fmt: skip
    rates["normal"] = person
    table, alarms = matrix(base, rates), small_alarms()
    evidence = article.qualities.Evidence(base, rates, table)
    judged = [
        compare.of(c, "supported", finding=f"test {c.test} found <1 & 2>") if c.kind == "test"
        else article._judged(c, evidence, alarms)
        for c in CLAIMS
    ]  # fmt: skip
    leaning = {"leans_on": "channel noise of a site (<4)", "flips_at": "1.5", "assumed": 9,
               "span_low": 0.5, "span_high": 70.0, "axon_ratios": {"ohmic": 30.0},
               "elsewhere_ratio": 2.0}  # fmt: skip
    judged = [replace(v, **leaning) if v.number == 24 else v for v in judged]
    return article.Article(tuple(judged), base, 6, rates, table, alarms)


def small_alarms():
    """Return alarms of two people of each group: everybody persists, half of ALS spreads."""
    from neurosim.muscle.anatomy import MUSCLES
    from neurosim.study.alarms import SIGNS, Alarms
    from neurosim.study.diary import GROUPS, Diary

    none = np.zeros(0, int)
    diaries = tuple(
        Diary(group, person, 26, np.zeros(0), none, none, none.astype(bool),
              np.ones((2, len(MUSCLES))), np.ones(len(MUSCLES)))
        for group in GROUPS for person in range(2)
    )  # fmt: skip
    shown = {
        sign: tuple(sign == "persists" or (d.group == "als" and d.person == 0) for d in diaries)
        for sign in SIGNS
    }
    return Alarms(26, 1, 100, diaries, shown)
