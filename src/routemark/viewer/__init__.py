"""The local web app: `routemark view`. One set of views with the shared page, over the whole journal.

Reading order: `index` (a journal as columns of numbers) and `prompts` (its questions), `table` (the newest
outcome of every trial, and what a filter leaves of it), `opened` (a run, indexed on and on), `trials` (one
trial in full), `shelf` (the runs directory, which no name leads out of), `live` (a run under way), `pages`
(what each page shows), then `guard`, `app` and `serve`. Nothing here computes a statistic.
"""
