"""nbgrader's Release Feedback for a class in which not everybody handed in through the exchange.

nbgrader names a page after a secret that `nbgrader submit` puts beside the notebook. Work that came another way, by a
platform's download or a folder, has none, and nbgrader stops there: everybody after it gets no page either.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

SECRET = "submission_secret.txt"
MOST_NAMED = 20


class ReleaseFeedback(ExchangeReleaseFeedback):
    """Releases the pages of those who can fetch them, and names the others."""

    def copy_files(self) -> None:
        """Hand out one student's pages after the other; one that cannot be handed out stops nobody else's."""
        there = 0
        without: list[str] = []
        pattern: str = self.src_path  # type: ignore[has-type]
        for student, folder in self._folders(pattern):
            there += 1
            try:
                if not (folder / SECRET).read_text().strip():  # all who have an empty one would share a page
                    raise FileNotFoundError
                self.src_path = glob.escape(str(folder))
                super().copy_files()
            except FileNotFoundError:
                without.append(student)
            except (OSError, UnicodeDecodeError) as error:
                self.log.error("The feedback for %s could not be released: %s", student, error)
        if without:
            text = self._say(without)
            if len(without) == there:
                self.fail(text)
            self.log.warning(text)

    def _folders(self, pattern: str) -> Iterator[tuple[str, Path]]:
        """Students who have pages and are not left out, with the folders of these."""
        excluded = set(self.coursedir.student_id_exclude.split(","))
        form = re.compile(self.coursedir.format_path(self.coursedir.feedback_directory, "(?P<student_id>.*)",
                                                     self.coursedir.assignment_id, escape=True))
        one = Path(pattern)  # a name may look like a pattern
        for folder in [one] if one.is_dir() else sorted(map(Path, glob.glob(pattern))):
            found = form.fullmatch(str(folder))
            if found and found["student_id"] not in excluded and any(folder.glob("*.html")):
                yield found["student_id"], folder

    def _say(self, without: list[str]) -> str:
        more = f" and {len(without) - MOST_NAMED} more" if len(without) > MOST_NAMED else ""
        return (f"No feedback was released for {', '.join(without[:MOST_NAMED])}{more}: what they handed in did not "
                "come through the exchange, so they cannot fetch it there. To pack their pages: course feedback "
                f"{self.coursedir.assignment_id} --zip plain")
