"""Links to a run: the address of a page with the lab, and the shared text behind "#run="."""

import pytest

import raftlab
from raftlab import Misuse
from raftlab.sim.load import load_shared
from raftlab.sim.run import share


@pytest.fixture
def run() -> raftlab.Recording:
    return raftlab.Cluster(3, seed=1).run(200).recording


def test_a_link_is_the_address_and_the_text(run):
    assert run.link("https://example.org/lab/") == f"https://example.org/lab/#run={run.share()}"


def test_what_the_address_asked_for_before_is_left_out(run):
    assert run.link("http://localhost:8000/#nodes=3") == run.link("http://localhost:8000/")


@pytest.mark.parametrize(
    "base",
    ["", "hello", "example.org", "javascript:alert(1)", 7, "https://a b/", "https://a/\n"],
)
def test_what_is_no_address_is_refused(run, base):
    with pytest.raises(Misuse, match="address of a page"):
        run.link(base)


def test_without_a_base_a_link_leads_to_the_published_page_once_there_is_one(run, monkeypatch):
    monkeypatch.setattr(share, "PUBLISHED", "")
    with pytest.raises(Misuse, match="no page is published yet"):
        run.link()
    monkeypatch.setattr(share, "PUBLISHED", "https://example.org/lab/")
    assert run.link() == run.link("https://example.org/lab/")


def test_load_opens_a_link(run):
    assert raftlab.load(run.link("https://example.org/")) == run


def test_load_shared_opens_a_text_and_a_link(run):
    assert load_shared(run.share()) == run
    assert load_shared(f" {run.link('https://example.org/')}\n") == run


@pytest.mark.parametrize("text", ["hello", "", "run.jsonl", "https://example.org/#run=hello", 7])
def test_what_is_no_shared_text_is_a_misuse_and_no_missing_file(text):
    with pytest.raises(Misuse):
        load_shared(text)


def test_a_file_of_that_name_is_not_looked_at(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run.save("hello")
    with pytest.raises(Misuse):
        load_shared("hello")


def test_any_other_text_stays_as_it_is():
    assert share.text_in("raftlab.1.x") == "raftlab.1.x"
    assert share.text_in("https://example.org/#run=") == "https://example.org/#run="
