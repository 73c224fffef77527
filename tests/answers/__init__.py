"""Answers that people could hand in: right ones in several ways, wrong ones written independently."""
