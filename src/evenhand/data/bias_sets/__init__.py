"""Sets of texts that show what a language model finds likelier: CrowS-Pairs, WinoBias, Winogender, BBQ."""
