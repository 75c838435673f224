"""How each harness is told to ask the questions, one module each."""

from __future__ import annotations

from benchmarks.peers.adapters.inspect_ai import InspectAI
from benchmarks.peers.adapters.lm_eval import LMEval
from benchmarks.peers.adapters.loops import ReferenceLoop
from benchmarks.peers.adapters.openai_script import OpenAIScript
from benchmarks.peers.adapters.promptfoo import Promptfoo
from benchmarks.peers.adapters.routemark import Routemark
from benchmarks.peers.job import Peer

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        ReferenceLoop("pyreqwest"),
        ReferenceLoop("aiohttp"),
        Routemark(),
        OpenAIScript(),
        LMEval(),
        Promptfoo(),
        InspectAI(),
    )
}
"""All that are measured, the barest first."""
OURS = "routemark"
