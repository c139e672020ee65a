"""Figures, words, tables and files of a result; nothing here changes a number."""
