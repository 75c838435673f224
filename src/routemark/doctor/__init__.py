"""`doctor`: whether this machine, this key and this account are fit for a benchmark.

Reading order: findings, machine, account, probe, examine.
"""

from routemark.doctor.examine import Examination, examine

__all__ = ["Examination", "examine"]
