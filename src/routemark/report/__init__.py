"""Faces of a finished, stopped or running benchmark: pure data in, text, JSON, tables and a page out.

Reading order: `numbers` (how every figure is written), `clean` (model output is hostile), `views`
(which figures go together), then `sinks` and `outputs` (all files in one pass), one file per form: `text`,
`markdown`, `results`, `rows`, `parquet`, `junit`, and the page: `figures`, `charts`, `control`, `sample`, `telling`,
`lists`, `page`. Nothing here computes a statistic: all come from the `Summary`.
"""
