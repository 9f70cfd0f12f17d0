"""Fits that are differentially private: noise for a budget, steps that clip each row, and what cannot be private."""
