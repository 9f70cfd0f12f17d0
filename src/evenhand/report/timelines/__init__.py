"""A timeline of monitoring as a page, from `evenhand.timelines` alone."""
