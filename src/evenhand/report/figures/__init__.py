"""Figures as plain data with computed positions, which templates only draw."""
