"""Faces of a finished, stopped or running benchmark: pure data in, text, JSON, tables and a page out.

Reading order: `numbers` (how every figure is written), `clean` (model output is hostile), `views`
(which figures go together), then one file per form: `text`, `markdown`, `rows` and `results`, and
the page: `sample`, `picture`, `page`. Nothing here computes a statistic: all come from the `Summary`.
"""
