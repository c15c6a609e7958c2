"""One headless Chromium for all tests of pages."""

from collections.abc import Iterator

import pytest

from report.browser import Browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of the session; tests that use it skip without Chromium."""
    with Browser() as browser:
        browser.open("about:blank")
        browser.requests()
        yield browser
