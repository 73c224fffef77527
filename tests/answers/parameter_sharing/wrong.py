"""Wrong answers written out as students write them, not as the misconceptions are coded."""

from __future__ import annotations

from tests.answers.mutations import Mutations

WRONG: list[tuple] = []
FRIENDLY_ONLY: list[tuple] = []
MUTATIONS: list[Mutations] = []
