"""The templates of the page, found as the package `evenhand.report.templates`."""
