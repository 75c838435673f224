"""The user's own traffic: other weights of questions, dollars a month.

Reading order: ``weights``, ``reweighting``, ``traffic``, ``monthly``, ``traffic_words``.
"""
