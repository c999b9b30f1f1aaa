"""What every test shares: Hypothesis profiles, the option --rewrite, the mark of browser tests."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

BROWSER_TESTS = Path(__file__).parent / "browser"

# Every run tries the same examples, so that CI and a laptop agree; `explore` draws fresh ones.
settings.register_profile("same", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# What a shell starts in the background is deaf to Ctrl-C, and so is all that it starts in turn.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write what is printed now into the expected text of transcripts",
    )


@pytest.fixture
def rewrite(request) -> bool:
    """Whether expected text is to be rewritten instead of compared."""
    return request.config.getoption("--rewrite")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)
