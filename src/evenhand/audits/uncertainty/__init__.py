"""What scores are worth, by group: calibration, prediction sets, refusals, rows outside, and models that disagree."""
