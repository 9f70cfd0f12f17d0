"""What can be done about a failed limit, what it costs, and who pays."""

from evenhand.mitigation.candidate import Candidate, Mitigation, Problem
from evenhand.mitigation.catalogue import MITIGATIONS
from evenhand.mitigation.judged import Mitigated
from evenhand.mitigation.mitigating import SHARES, mitigate, mitigated

__all__ = ["MITIGATIONS", "SHARES", "Candidate", "Mitigated", "Mitigation", "Problem", "mitigate", "mitigated"]
