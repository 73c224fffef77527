"""What people of a class click in JupyterLab and in nbgrader's pages."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.browser import lab
from tests.browser.lab import PATIENCE
from tests.hub import Hub

PASSWORD = "a password for everybody in the test"


class Desk:
    """Somebody's browser window on the hub.

    Parameters
    ----------
    browser : Browser
    hub : Hub
    user : str
    pictures : Path, optional
        Folder for screenshots; by default there are none.
    """

    def __init__(self, browser: Browser, hub: Hub, user: str, pictures: Path | None = None) -> None:
        self.hub, self.user, self._pictures = hub, user, pictures
        self.page: Page = browser.new_context(viewport={"width": 1500, "height": 950}).new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(hub.url)
        self.page.get_by_label("Username:").fill(user)
        self.page.get_by_label("Password:").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click(no_wait_after=True)

    def sit_down(self) -> None:
        """Wait until the hub has started the server and JupyterLab is there."""
        lab.menu(self.page, "Nbgrader").wait_for()
        assert self.page.url.startswith(self.hub.server_url(self.user))

    def choose(self, menu: str, entry: str) -> None:
        """Choose an entry of a menu."""
        lab.choose(self.page, menu, entry)

    def picture(self, name: str) -> None:
        """Keep a screenshot."""
        if self._pictures:
            self.page.screenshot(path=self._pictures / f"{name}-{self.user}.png")


class Student(Desk):
    """Fetches, works, submits, reads feedback."""

    def fetch(self, assignment: str) -> None:
        """By the button of the Assignment List."""
        self.choose("Nbgrader", "Assignment List")
        self._list("released").get_by_role("button", name="Fetch").click()
        expect(self._list("fetched")).to_contain_text(assignment, timeout=PATIENCE)

    def open(self, assignment: str) -> None:
        """Open the notebook from the list, and wait for its kernel."""
        self._list("fetched").get_by_text(assignment).first.click()
        self._list("fetched").locator("a", has_text=assignment).last.click()
        lab.wait_for_kernel(self.page)

    def cell(self, text: str) -> Locator:
        """The cell whose source begins so."""
        start = re.compile(r"^\s*(\[.\]:)?\s*" + re.escape(text))
        return self.page.locator(".jp-Notebook .jp-Cell", has=self.page.locator(".cm-content", has_text=start)).first

    def write(self, text: str, source: str) -> None:
        """Replace a cell's source."""
        cell = self.cell(text)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def write_text(self, rendered: str, source: str) -> None:
        """Replace a cell of prose, which shows its text until somebody edits it."""
        cell = self.page.locator(".jp-MarkdownCell", has=self.page.get_by_text(rendered, exact=True))
        cell.locator(".jp-RenderedMarkdown").click()
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".jp-MarkdownCell .cm-editor.cm-focused")).to_be_visible(timeout=PATIENCE)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Control+Enter")

    def run(self, text: str) -> Locator:
        """Run a cell; what it shows."""
        cell = self.cell(text)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-InputPrompt").first).to_have_text(re.compile(r"\[\d+\]:"), timeout=PATIENCE)
        return cell.locator(".jp-Cell-outputArea")

    def save(self) -> None:
        """Save the notebook."""
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".jp-mod-dirty")).to_have_count(0, timeout=PATIENCE)

    def validate(self) -> str:
        """Press nbgrader's button on the notebook; what it says."""
        self.page.locator(".jp-NotebookPanel-toolbar").get_by_text("Validate", exact=True).click()
        dialog = self.page.locator(".jp-Dialog", has_text="Validation")
        said = dialog.inner_text()
        self.picture("validate")
        dialog.get_by_role("button", name="OK").click()
        return said

    def submit(self, assignment: str) -> None:
        """By the button of the Assignment List."""
        self.choose("Nbgrader", "Assignment List")
        self._list("fetched").get_by_role("button", name="Submit").click()
        expect(self._list("submitted")).to_contain_text(assignment, timeout=PATIENCE)

    def fetch_feedback(self, assignment: str) -> FrameLocator:
        """By the button of the Assignment List; the page as JupyterLab shows it."""
        self.choose("Nbgrader", "Assignment List")
        row = self._list("submitted")
        row.get_by_role("button", name="Fetch Feedback").click()
        row.get_by_text(assignment).first.click()
        row.locator("a", has_text="feedback").first.click()
        self.picture("feedback-fetched")
        self.page.locator(".jp-DirListing-item", has_text=f"{assignment}.html").dblclick()
        page = self.page.frame_locator(".jp-HTMLViewer iframe")
        expect(page.locator("body")).to_contain_text(assignment, timeout=PATIENCE)  # it is loaded
        return page

    def _list(self, kind: str) -> Locator:
        return self.page.locator(f"#{kind}_assignments_list")


class Instructor(Desk):
    """Releases, collects, grades, marks, gives feedback: everything in the formgrader."""

    def open_formgrader(self) -> None:
        """From the menu of JupyterLab."""
        self.choose("Nbgrader", "Formgrader")
        self._shown().get_by_role("heading", name="Manage Assignments").wait_for()

    def press(self, action: str, row: str) -> str:
        """Press a button in a row of a table, and read what the dialog says that follows.

        Parameters
        ----------
        action : str
            The column's name among nbgrader's classes, for instance "release".
        row : str
            A text in the row.
        """
        self._shown().locator("tr", has_text=row).locator(f".{action} a").click()
        dialog = self._shown().locator(".modal.in .modal-content", has=self.page.locator(".modal-title"))
        expect(self._shown().locator(".modal.in")).to_have_css("opacity", "1", timeout=PATIENCE)
        said = dialog.inner_text()
        self.picture(action)
        dialog.locator(".close, [data-dismiss=modal]").first.click()
        expect(self._shown().locator(".modal.in")).to_have_count(0, timeout=PATIENCE)
        return said

    def go(self, *links: str) -> None:
        """Follow links, one after the other."""
        for link in links:
            self._shown().get_by_role("link", name=link).first.click()

    def text(self, row: str) -> str:
        """A row of the table that is shown."""
        return self._shown().locator("tr", has_text=row).inner_text()

    def mark(self, row: str, answer: str, points: str, comment: str) -> None:
        """Mark a written answer of the submission in a row of the table that is shown, and go back to the table."""
        self._shown().locator("tr", has_text=row).get_by_role("link").first.click()
        for loaded in (f"#{answer}_extra_credit", f"#{answer}-comment"):  # until then nothing is saved
            expect(self._shown().locator(loaded)).to_have_attribute("placeholder", re.compile("."), timeout=PATIENCE)
        for element, text in ((f"input#{answer}", points), (f"#{answer}-comment", comment)):
            box = self._shown().locator(element)
            with self.page.expect_response(lambda response: "/formgrader/api/" in response.url
                                           and response.request.method == "PUT"):
                box.fill(text)
                box.press("Tab")
        self.picture("mark")
        self._shown().locator(".breadcrumb a").nth(2).click()

    def _shown(self) -> FrameLocator:
        return self.page.frame_locator("iframe")
