"""Figures as plain data: places come ready, templates only draw them."""
