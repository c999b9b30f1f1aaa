"""Questions in a real browser: clicked, judged, asked again, and what a reader hears of it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from raftlab.course import my_predictions, predict

SEVERAL = """
from raftlab.course import predict
question = predict.legal_log({"a": "1 1 2", "b": "2 1", "c": "1 2 2"})
question
"""

ONE = """
from raftlab.course import predict
race = predict.splits(seed=2)
race
"""

NUMBER = """
from raftlab.course import predict
question = predict.majority_size(5)
question
"""

TYPED = """
from raftlab.course import predict
race = predict.splits(seed=2)
display(race)
race.answer("S1")
"""

TWICE = """
from raftlab.course import predict
race = predict.splits(seed=2)
display(race, race)
"""


INTERRUPTED = """
from raftlab.course import predict
from raftlab.course.question_widget import QuestionWidget
hear, interrupts = QuestionWidget._hear, [KeyboardInterrupt]
def interrupted(self, *heard):
    if interrupts and "answer" in heard[1]:
        raise interrupts.pop()
    hear(self, *heard)
QuestionWidget._hear = interrupted
question = predict.splits(seed=2)
display(question)
QuestionWidget._hear = hear
"""


REVIEW = """
from raftlab.course import predict
review = predict.review("03", seed=2)
review
"""

AGAIN = """
from raftlab.course import predict
predict.majority_size(5).answer(3)
predict.again()
"""


@pytest.fixture
def kept(desk):
    """Where the scratch notebook keeps first answers; nothing is kept yet."""
    path = desk / my_predictions.NAME
    path.unlink(missing_ok=True)
    return path


@pytest.fixture
def ask(scratch, desk_page, kept):
    """Run a cell that shows a question, and hand over what is shown."""

    def asked(source: str) -> Locator:
        scratch.run(source)
        shown = desk_page.locator(".raftlab-question")
        expect(shown.first).to_be_visible()
        return shown

    return asked


def choice(question: Locator, key: str) -> Locator:
    """A button of a question by what it answers."""
    return question.locator(f'.choice[data-key="{key}"]')


def verdict(question: Locator) -> Locator:
    return question.get_by_role("status")


def restart(page: Page) -> None:
    """Start the notebook's kernel anew."""
    page.evaluate("() => void jupyterapp.commands.execute('kernelmenu:restart')")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )


def test_a_wrong_click_is_told_what_is_true_and_another_question_is_answered(ask, gallery):
    question = ask(ONE).first
    expect(verdict(question)).to_be_empty()
    expect(question.locator(".unfolded")).to_be_hidden()
    expect(question.locator(".score")).to_have_text("No prediction yet.")
    choice(question, "S3").click()
    expect(verdict(question)).to_have_text("Not so. You said S3; it is S1.")
    expect(question.locator(".unfolded img")).to_be_visible()
    expect(question.locator(".unfolded img")).to_have_attribute(
        "alt", re.compile("S1 leads term 1")
    )
    expect(question.locator(".unfolded li").first).to_have_text("S1 gets its majority first")
    expect(choice(question, "S3")).to_contain_text("yours")
    expect(choice(question, "S1")).to_contain_text("right")
    expect(question.locator(".score")).to_have_text("Predictions: 0 of 1 right at the first try.")
    question.screenshot(path=gallery / "question-wrong.png")

    before = question.locator(".statement").inner_text()
    question.get_by_role("button", name="Ask me another").click()
    expect(question.locator(".statement")).to_contain_text("Predict (2):")
    expect(question.locator(".statement")).to_be_focused()
    expect(question.locator(".statement")).not_to_have_text(before)
    expect(verdict(question)).to_be_empty()
    expect(question.locator(".unfolded")).to_be_hidden()
    choice(question, "S1").click()
    expect(verdict(question)).to_have_text("Right: S1.")
    expect(question.locator(".score")).to_have_text("Predictions: 1 of 2 right at the first try.")
    question.screenshot(path=gallery / "question-right.png")


def test_several_are_chosen_by_keyboard_and_the_focus_stays(ask):
    question = ask(SEVERAL).first
    page = question.page
    submit = question.locator(".submit")
    expect(submit).to_have_text("None of them")
    choice(question, "a").focus()
    page.keyboard.press("Enter")
    expect(choice(question, "a")).to_have_attribute("aria-pressed", "true")
    expect(submit).to_have_text("That is my prediction")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(choice(question, "c")).to_be_focused()
    page.keyboard.press(" ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(verdict(question)).to_have_text("Right: a and c.")
    expect(submit).to_be_focused()
    expect(question.locator(".unfolded li")).to_have_count(4)


def test_a_number_is_typed_and_no_number_is_refused(ask):
    question = ask(NUMBER).first
    field = question.get_by_label("A whole number")
    for nothing in ("", "three", "2.5", "9" * 400):
        field.fill(nothing)
        field.press("Enter")
        expect(question.get_by_role("alert")).to_have_text("Type a whole number.")
        expect(verdict(question)).to_be_empty()
    field.fill("3")
    field.press("Enter")
    expect(verdict(question)).to_have_text("Right: 3.")
    expect(field).to_be_focused()


def test_two_copies_of_a_question_are_one_and_a_second_click_does_nothing(ask):
    one, two = ask(TWICE).all()
    one.evaluate("""shown => {
        shown.querySelector("[data-key=S3]").click();
        shown.querySelector("[data-key=S1]").click();
    }""")
    for each in (one, two):
        expect(verdict(each)).to_have_text("Not so. You said S3; it is S1.")
        expect(each.locator(".score")).to_contain_text("0 of 1 right")
    choice(two, "S1").click(force=True)
    expect(choice(two, "S1")).to_have_attribute("aria-disabled", "true")
    expect(verdict(one)).to_have_text("Not so. You said S3; it is S1.")


def test_what_was_typed_is_shown_and_is_not_counted_again_by_a_click(ask):
    question = ask(TYPED).first
    expect(verdict(question)).to_have_text("Right: S1.")
    choice(question, "S3").click(force=True)
    expect(choice(question, "S1")).to_contain_text("yours, right")
    expect(question.locator(".score")).to_contain_text("1 of 1 right")


def test_the_question_as_text_and_picture_is_seen_only_where_it_cannot_be_clicked(ask):
    question = ask(ONE).first
    still = question.page.locator(".raftlab-still")
    expect(still).to_have_count(1)
    expect(still).to_be_hidden()


def test_a_question_whose_kernel_is_new_says_what_to_do(ask, scratch):
    question = ask(ONE).first
    restart(question.page)
    choice(question, "S1").click()
    expect(question.get_by_role("alert")).to_have_text(
        "The kernel of this question has stopped. Run its cell again to go on."
    )
    expect(verdict(question)).to_be_empty()
    question = ask(ONE).first
    choice(question, "S1").click()
    expect(verdict(question)).to_have_text("Right: S1.")


def test_the_score_is_kept_when_the_kernel_is_new(ask, kept):
    question = ask(ONE).first
    choice(question, "S3").click()
    expect(question.locator(".score")).to_have_text("Predictions: 0 of 1 right at the first try.")
    (line,) = kept.read_text(encoding="utf-8").splitlines()
    assert '"right":false' in line
    restart(question.page)
    again = ask(ONE).first
    expect(again.locator(".score")).to_have_text("Predictions: 0 of 1 right at the first try.")
    choice(again, "S1").click()
    expect(verdict(again)).to_have_text("Right: S1.")
    expect(again.locator(".score")).to_have_text("Predictions: 0 of 1 right at the first try.")
    number = ask(NUMBER).first
    number.get_by_label("A whole number").fill("3")
    number.locator(".submit").click()
    expect(number.locator(".score")).to_have_text("Predictions: 1 of 2 right at the first try.")
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 2


def test_a_review_shows_two_questions_and_each_is_clicked(ask, gallery):
    first, second = ask(REVIEW).all()
    asked = predict.review("03", seed=2)
    for shown, question in ((first, asked.first), (second, asked.second)):
        expect(shown.locator(".statement")).to_contain_text(question.statement[:40])
        if question.choices:
            for key in question.truth:
                choice(shown, str(key)).click()
        else:
            shown.get_by_label("A whole number").fill(str(question.truth[0]))
        if question.several or not question.choices:
            shown.locator(".submit").click()
        expect(verdict(shown)).to_contain_text("Right: ")
    expect(first.locator(".score")).to_have_text("Predictions: 2 of 2 right at the first try.")
    first.page.screenshot(path=gallery / "review.png")
    first.get_by_role("button", name="Ask me another").click()
    expect(first.locator(".statement")).to_contain_text("Predict (2):")
    expect(verdict(second)).to_contain_text("Right: ")


def test_another_of_the_last_kind_is_asked_for_in_words(ask):
    question = ask(AGAIN).first
    expect(question.locator(".statement")).to_contain_text("servers make a majority?")
    expect(question.locator(".score")).to_have_text("Predictions: 1 of 1 right at the first try.")
    expect(verdict(question)).to_be_empty()


def test_a_click_that_an_interrupt_has_lost_can_be_clicked_again(ask):
    question = ask(INTERRUPTED).first
    choice(question, "S1").click()
    expect(question.locator("[aria-busy]")).to_have_count(1)
    expect(question.locator("[aria-busy]")).to_have_count(0, timeout=15_000)
    expect(verdict(question)).to_be_empty()
    choice(question, "S1").click()
    expect(verdict(question)).to_have_text("Right: S1.")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_question_fits_a_telephone(ask, scratch, gallery, theme):
    question = ask(ONE).first
    page = question.page
    use_theme = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
    page.evaluate(use_theme, theme)
    scratch.hide_sides()
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        choice(question, "S3").click()
        expect(verdict(question)).not_to_be_empty()
        assert question.evaluate("shown => shown.scrollWidth <= shown.clientWidth")
        for button in question.locator("button:visible").all():
            assert button.bounding_box()["height"] >= 24
        sizes = question.evaluate(
            """shown => [...shown.querySelectorAll("*")].filter(e => e.textContent.trim())
                .map(e => parseFloat(getComputedStyle(e).fontSize))"""
        )
        assert min(sizes) >= 11
        page.screenshot(path=gallery / f"question-390-{theme.split()[-1].lower()}.png")
    finally:
        page.evaluate(use_theme, "JupyterLab Light")
        page.set_viewport_size({"width": 1366, "height": 768})
        scratch.show_sides()
