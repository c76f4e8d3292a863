"""A first inventory: what is asked, what the answers declare, and the files that are written. No terminal in here."""

from zerotoil.setup.declaration import Declaration
from zerotoil.setup.files import write
from zerotoil.setup.questions import QUESTIONS, Answers, Question, complete

__all__ = ["QUESTIONS", "Answers", "Declaration", "Question", "complete", "write"]
