"""What a rule that a reader could write down would have picked.

Reading order: ``prompt_features``, ``trees``, ``rules``, ``rule_words``.
"""
