"""Questions from logs of what people asked: read, made anonymous, thinned out to a sample.

The road of a log: `reading` knows the formats (`chat`, `litellm`, `langfuse`, `otel`) and gives requests, `sampling`
chooses among them by what they have in common, `masking` takes out secrets and personal data, and `making` joins
them to a question file.
"""
