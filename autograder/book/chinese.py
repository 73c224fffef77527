"""Search in Chinese pages: words are not set apart there, so pairs of neighboring characters are looked for."""

from __future__ import annotations

import re

from sphinx.search import SearchLanguage

PIECES = re.compile(r"[\u4e00-\u9fff]+|[A-Za-z0-9_]+")
HAN = re.compile(r"[\u4e00-\u9fff]")


class SearchChinese(SearchLanguage):
    """Needs no dictionary: every text that holds all pairs of a query is found, the query's word among them."""

    lang = "zh"
    language_name = "Chinese"
    js_stemmer_rawcode = None  # type: ignore[assignment]
    js_stemmer_code = "const Stemmer = function () { this.stemWord = (word) => word; };"
    js_splitter_code = """
function splitQuery(query) {
  const pieces = query.match(/[\\u4e00-\\u9fff]+|[A-Za-z0-9_]+/g) || [];
  return pieces.flatMap((piece) => /[\\u4e00-\\u9fff]/.test(piece) && piece.length > 1
    ? Array.from({ length: piece.length - 1 }, (_, at) => piece.slice(at, at + 2)) : [piece]);
}
"""

    def split(self, input: str) -> list[str]:
        """Latin words, Chinese characters and their pairs."""
        return [term for piece in PIECES.findall(input) for term in _terms(piece)]

    def word_filter(self, stemmed_word: str) -> bool:
        """A single Chinese character may be a word, a single letter is none."""
        return len(stemmed_word) > 1 or bool(HAN.match(stemmed_word))

    def stem(self, word: str) -> str:
        """Words of the other languages are found as they stand."""
        return word.lower()


def _terms(piece: str) -> list[str]:
    if not HAN.match(piece):
        return [piece]
    return [*piece, *(piece[at:at + 2] for at in range(len(piece) - 1))]
