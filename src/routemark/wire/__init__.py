"""The wire format, pure: what is sent, and what is made of the bytes that come back.

`arms` reads an arm's spelling, `request` makes body and headers; `sse` cuts a byte stream into events,
`response` reads JSON or a stream into a Completion or a Refusal, `failures` names what was refused,
and `values` reads foreign JSON with care. No clock, no socket: bytes in, records out.
"""
