"""What a score is worth: calibration, sets with a promised coverage, and rows unlike those of the training.

Arithmetic on scores and rows; whatever is fitted is fitted on one part of the rows and judged on another (`halves`).
"""
